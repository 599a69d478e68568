#include <catch2/catch_test_macros.hpp>

#include <isorow/schema.hpp>
#include <isorow/schema/conforms.hpp>
#include <shop.sql.hpp>

#include <cstdint>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

namespace {

struct Order {
    std::int64_t id;
    std::optional<std::string> note;

    static consteval auto isorow_table() {
        return isorow::table("orders").schema("shop").primary_key<&Order::id>().column<&Order::id>({.identity = isorow::identity::always});
    }
};

}  // namespace

static_assert(isorow::check_conforms<Order, shop_sql>());

TEST_CASE("a file of SQL is embedded as it is") {
    std::ifstream file(ISOROW_SOURCE_DIR "/tests/schema/shop.sql", std::ios::binary);
    std::string const text(std::istreambuf_iterator<char>(file), {});
    REQUIRE_FALSE(text.empty());
    CHECK(shop_sql == text);
}
