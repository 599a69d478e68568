#include <catch2/catch_test_macros.hpp>

#include <isorow/codec/integer.hpp>
#include <isorow/codec/row.hpp>
#include <isorow/target/detail/declared_rows.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

using isorow::detail::declared_rows;
using isorow::detail::row_state;

namespace {

struct Entry {
    std::int64_t value;
    std::int32_t id;

    static consteval auto isorow_table() { return isorow::table("entries").primary_key<&Entry::id>(); }
};

std::vector<std::byte> image(std::int32_t id, std::int64_t value) {
    isorow::byte_writer written;
    isorow::encode_row<Entry, isorow::row_order::key_first>(Entry{value, id}, written);
    return {written.bytes().begin(), written.bytes().end()};
}

std::vector<std::byte> key(std::int32_t id) {
    auto const whole = image(id, 0);
    return {whole.begin() + 2, whole.begin() + static_cast<std::ptrdiff_t>(isorow::detail::end_of_key(whole, 1))};
}

}  // namespace

TEST_CASE("the key of an image ends behind its last key column") { CHECK(isorow::detail::end_of_key(image(1, 2), 1) == 2 + 4 + 4); }

TEST_CASE("a key column of NULL is malformed") {
    isorow::byte_writer written;
    written.put_int16(1);
    isorow::encode_null(written);
    CHECK_THROWS_AS(isorow::detail::end_of_key(written.bytes(), 1), isorow::malformed);
}

TEST_CASE("declared rows are found by key among a hundred thousand, and others are not") {
    declared_rows rows;
    for (std::int32_t id = 0; id < 100'000; ++id) {
        auto const whole = image(id, id);
        REQUIRE_FALSE(rows.add(whole, isorow::detail::end_of_key(whole, 1)));
    }
    CHECK(rows.size() == 100'000);
    for (std::int32_t id = 0; id < 100'000; id += 17) {
        auto const* const row = rows.find(key(id));
        REQUIRE(row != nullptr);
        auto const expected = image(id, id);
        CHECK(std::vector<std::byte>(row->bytes().begin(), row->bytes().end()) == expected);
    }
    CHECK(rows.find(key(100'000)) == nullptr);
    CHECK(rows.find(key(-1)) == nullptr);
}

TEST_CASE("a second row with the same key is told the first one") {
    declared_rows rows;
    auto const first = image(5, 1);
    auto const second = image(5, 2);
    CHECK_FALSE(rows.add(first, isorow::detail::end_of_key(first, 1)));
    CHECK(rows.add(second, isorow::detail::end_of_key(second, 1)) == 0);
    CHECK(rows.size() == 1);
}

TEST_CASE("an empty set of rows finds nothing") {
    declared_rows rows;
    CHECK(rows.find(key(1)) == nullptr);
}

TEST_CASE("what was seen in a comparison is forgotten for the next") {
    declared_rows rows;
    auto const whole = image(5, 1);
    REQUIRE_FALSE(rows.add(whole, isorow::detail::end_of_key(whole, 1)));
    rows.find(key(5))->state = row_state::unchanged;
    rows.forget_states();
    CHECK(rows.find(key(5))->state == row_state::unseen);
}

TEST_CASE("a row larger than a block of the store is kept whole") {
    declared_rows rows;
    std::vector<std::byte> large(3 << 20, std::byte{7});
    std::vector<std::byte> const head = image(9, 1);
    std::copy(head.begin(), head.end(), large.begin());
    REQUIRE_FALSE(rows.add(large, isorow::detail::end_of_key(head, 1)));
    CHECK(rows.rows()[0].bytes().back() == std::byte{7});
    CHECK(rows.find(key(9)) != nullptr);
}

TEST_CASE("rows that come after those that were given up are found, and take no more memory") {
    declared_rows rows;
    auto const fill = [&](std::int32_t first) {
        for (std::int32_t id = first; id < first + 60'000; ++id) {
            auto const whole = image(id, id);
            REQUIRE_FALSE(rows.add(whole, isorow::detail::end_of_key(whole, 1)));
        }
    };
    fill(0);
    auto const memory = rows.memory();
    rows.clear();
    CHECK(rows.empty());
    CHECK(rows.image_bytes() == 0);
    CHECK(rows.memory() < memory);
    CHECK(rows.find(key(1)) == nullptr);
    fill(30'000);
    CHECK(rows.memory() <= memory + (std::size_t{1} << 20));
    CHECK(rows.find(key(29'999)) == nullptr);
    REQUIRE(rows.find(key(89'999)) != nullptr);
}

TEST_CASE("a row that is larger than the memory of those that were given up is kept whole") {
    declared_rows rows;
    auto const small = image(1, 1);
    REQUIRE_FALSE(rows.add(small, isorow::detail::end_of_key(small, 1)));
    rows.clear();
    auto large = image(2, 2);
    large.resize(std::size_t{1} << 21, std::byte{7});
    REQUIRE_FALSE(rows.add(large, isorow::detail::end_of_key(large, 1)));
    REQUIRE_FALSE(rows.add(small, isorow::detail::end_of_key(small, 1)));
    auto const* const found = rows.find(key(2));
    REQUIRE(found != nullptr);
    CHECK(std::vector<std::byte>(found->bytes().begin(), found->bytes().end()) == large);
}
