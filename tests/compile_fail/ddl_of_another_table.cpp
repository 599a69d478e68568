// expected: isorow: the struct and the DDL differ
// expected: "Product.price"
// expected: "double precision"
// expected: "numeric(10,2)"
// expected: "Product.name"
// expected: "no such column"
// expected: "PRIMARY KEY (id)"
// expected: "no primary key"
#include <isorow/schema.hpp>
#include <isorow/schema/conforms.hpp>

#include <cstdint>
#include <optional>
#include <string>

struct Product {
    std::int64_t id;
    std::string name;
    std::optional<double> price;

    static consteval auto isorow_table() { return isorow::table("products").primary_key<&Product::id>(); }
};

#ifdef WRONG
constexpr char ddl[] = "CREATE TABLE public.products (id bigint NOT NULL, price numeric(10,2))";
#else
constexpr char ddl[] = "CREATE TABLE public.products (id bigint PRIMARY KEY, name text NOT NULL, price double precision)";
#endif

static_assert(isorow::check_conforms<Product, ddl>());
