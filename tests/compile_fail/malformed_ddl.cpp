// expected: isorow: the DDL cannot be read; Found says in which line and why
// expected: "Product"
// expected: line 3: the type of a column
#include <isorow/schema.hpp>
#include <isorow/schema/conforms.hpp>

#include <string>

struct Product {
    std::string name;
    std::string colour;
};

#ifdef WRONG
constexpr char ddl[] = R"(CREATE TABLE product (
    name text NOT NULL,
    colour NOT NULL
);)";
#else
constexpr char ddl[] = R"(CREATE TABLE product (
    name text NOT NULL,
    colour text NOT NULL
);)";
#endif

static_assert(isorow::check_conforms<Product, ddl>());
