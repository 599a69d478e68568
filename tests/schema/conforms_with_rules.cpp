// The DDL that isorow makes of a table with rules of all kinds conforms to the struct, for the compiler too.

#include <catch2/catch_test_macros.hpp>

#include <isorow/schema.hpp>
#include <isorow/schema/conforms.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

enum class Mood : std::uint8_t { sad, ok };

}  // namespace

template <>
struct isorow::mapping<Mood> {
    static constexpr isorow::column_type type{isorow::type_id::text};
    static constexpr std::array<std::string_view, 2> labels{"sad", "it's ok"};
    static constexpr bool accepts(isorow::column_type other) { return other == type; }
};

namespace {

struct Customer {
    std::int64_t id;
    std::string name;

    static consteval auto isorow_table() {
        return isorow::table("customers")
            .primary_key<&Customer::id>()
            .column<&Customer::id>({.identity = isorow::identity::by_default})
            .column<&Customer::name>({.collation = "C"})
            .comment("who orders; \"O'Hara\"");
    }
};

struct Order {
    std::int64_t id;
    std::int64_t customer;
    Mood mood;
    std::optional<Mood> former;
    std::vector<Mood> moods;
    double price;
    double total;

    static consteval auto isorow_table() {
        return isorow::table("orders")
            .primary_key<&Order::id>()
            .column<&Order::price>({.check = "price > 0", .comment = "in euros"})
            .column<&Order::total>({.generated = "price * 2"})
            .check("orders_not_huge", "price < 1e6")
            .foreign_key<&Order::customer>(isorow::references<&Customer::id>({.on_delete = isorow::cascade}));
    }
};

struct Written {
    double price;
    double total;
    static consteval auto isorow_table() { return isorow::table("t"); }
};
struct Computed {
    double price;
    double total;
    static consteval auto isorow_table() { return isorow::table("t").column<&Computed::total>({.generated = "price * 2"}); }
};

constexpr char dump[] =
    "CREATE TABLE t (price double precision NOT NULL,"
    " total double precision GENERATED ALWAYS AS ((price * 2)) STORED NOT NULL)";

}  // namespace

TEST_CASE("isorow's own DDL conforms, whatever rules it has") {
    CHECK(isorow::conforms<Customer>(isorow::ddl<Customer>()));
    CHECK(isorow::conforms<Order>(isorow::ddl<Order>()));
    auto const read = isorow::read_ddl(isorow::ddl<Order>(), "public", "orders");
    REQUIRE(read.has_value());
    CHECK(read->columns.size() == 7);
}

TEST_CASE("labels are those of the field's type, its elements' and its optional's") {
    STATIC_CHECK(isorow::columns_of<Order>[2].is_labelled());
    STATIC_CHECK(isorow::columns_of<Order>[3].is_labelled());
    STATIC_CHECK(isorow::columns_of<Order>[4].is_labelled());
    STATIC_CHECK_FALSE(isorow::columns_of<Order>[5].is_labelled());
}

TEST_CASE("a computed column conforms where it is declared so, and only there") {
    STATIC_CHECK(isorow::conforms<Computed>(dump));
    STATIC_CHECK_FALSE(isorow::conforms<Written>(dump));
    STATIC_CHECK_FALSE(isorow::conforms<Computed>("CREATE TABLE t (price double precision NOT NULL, total double precision NOT NULL)"));
}
