// Rules of columns by annotations, foreign keys beside them, and the types that both kinds of arrays are.

#include <catch2/catch_test_macros.hpp>

#include <isorow/annotations.hpp>
#include <isorow/schema.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <type_traits>

namespace {

namespace by_overlay {
struct Order {
    std::int64_t id;
    double price;
    double total;
    std::string country;

    static consteval auto isorow_table() {
        return isorow::table("orders")
            .primary_key<&Order::id>()
            .column<&Order::id>({.identity = isorow::identity::by_default})
            .column<&Order::price>({.check = "price > 0", .comment = "in euros"})
            .column<&Order::total>({.generated = "price * 2"})
            .column<&Order::country>({.collation = "C"});
    }
};
}  // namespace by_overlay

namespace by_annotation {
// clang-format off
struct [[=isorow::table_name("orders")]] Order {
    [[=isorow::primary_key, =isorow::identity::by_default]] std::int64_t id;
    [[=isorow::satisfies("price > 0"), =isorow::comment("in euros")]] double price;
    [[=isorow::generated("price * 2")]] double total;
    [[=isorow::collation("C")]] std::string country;
};

struct Base {
    [[=isorow::primary_key]] std::int64_t number;
};
struct Line : Base {
    std::int64_t order;
    [[=isorow::satisfies("amount > 0")]] std::int32_t amount;

    static consteval auto isorow_table() {
        return isorow::table("lines")
            .check("few", "amount < 100")
            .foreign_key<&Line::order>(isorow::references<&Order::id>({.on_delete = isorow::cascade}))
            .foreign_key<&Base::number>(isorow::references<&Order::id>())
            .comment("of orders");
    }
};
// clang-format on
}  // namespace by_annotation

struct Arrays {
    std::int32_t bare[3];
    std::array<std::int32_t, 3> standard;
    std::array<std::array<std::int64_t, 2>, 2> matrix;
};

}  // namespace

TEST_CASE("annotations and overlay say the same rules of columns") {
    CHECK(isorow::ddl<by_annotation::Order>() == isorow::ddl<by_overlay::Order>());
    STATIC_CHECK(isorow::columns_of<by_annotation::Order>[0].identity == isorow::identity::by_default);
    STATIC_CHECK_FALSE(isorow::columns_of<by_annotation::Order>[2].is_written());
}

TEST_CASE("checks, foreign keys and comments of an overlay hold beside annotations, also for fields of base classes") {
    auto const ddl = isorow::ddl<by_annotation::Line>();
    CHECK(ddl.find(R"(CONSTRAINT "lines_amount_check" CHECK (amount > 0))") != std::string::npos);
    CHECK(ddl.find(R"(CONSTRAINT "few" CHECK (amount < 100))") != std::string::npos);
    CHECK(ddl.find(R"(FOREIGN KEY ("order") REFERENCES "public"."orders" ("id") ON DELETE CASCADE)") != std::string::npos);
    CHECK(ddl.find(R"(FOREIGN KEY ("number") REFERENCES "public"."orders" ("id"))") != std::string::npos);
    CHECK(ddl.find(R"(COMMENT ON TABLE "public"."lines" IS 'of orders')") != std::string::npos);
}

TEST_CASE("C arrays and std::array are columns of one type, and std::array is no table") {
    STATIC_CHECK(isorow::column_type_of<&Arrays::bare>() == isorow::column_type{isorow::type_id::int4, true});
    STATIC_CHECK(isorow::column_type_of<&Arrays::standard>() == isorow::column_type{isorow::type_id::int4, true});
    STATIC_CHECK(isorow::column_type_of<&Arrays::matrix>() == isorow::column_type{isorow::type_id::int8, true});
    STATIC_CHECK_FALSE(isorow::reflect::reflectable<std::array<int, 3>>);
}
