#include <catch2/catch_test_macros.hpp>

#include <isorow/annotations.hpp>
#include <isorow/codec/row.hpp>
#include <isorow/codec/scalars.hpp>
#include <isorow/schema.hpp>

#include <support/matchers.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Ten fields, and ten times as many: enough of them for a struct that Boost.PFR does not take apart.
// clang-format off
#define TEN_FIELDS(name) \
    std::int32_t name##0, name##1, name##2, name##3, name##4, name##5, name##6, name##7, name##8, name##9;
#define HUNDRED_FIELDS(name) \
    TEN_FIELDS(name##0) TEN_FIELDS(name##1) TEN_FIELDS(name##2) TEN_FIELDS(name##3) TEN_FIELDS(name##4) \
    TEN_FIELDS(name##5) TEN_FIELDS(name##6) TEN_FIELDS(name##7) TEN_FIELDS(name##8) TEN_FIELDS(name##9)
// clang-format on

namespace {

// clang-format off
struct Key {
    [[=isorow::primary_key]] std::int64_t id;
};

struct Item : Key {
    char code[4];
    [[=isorow::pg_type("varchar(3)")]] char label[8];
    std::int32_t sizes[3];
    std::optional<double> maybe[2];
    std::byte digest[2];
    [[=isorow::vector_schema(2)]] float embedding[2];
    std::string note;
};
// clang-format on

/// The same columns without arrays.
struct ItemOfLists {
    std::int64_t id;
    std::string code;
    isorow::annotated<std::string, isorow::pg_type<"varchar(3)">> label;
    std::vector<std::int32_t> sizes;
    std::vector<std::optional<double>> maybe;
    std::vector<std::byte> digest;
    isorow::annotated<std::vector<float>, isorow::vector_schema<2>> embedding;
    std::string note;
};

struct Broad {
    HUNDRED_FIELDS(a)
    HUNDRED_FIELDS(b)
    HUNDRED_FIELDS(c)
};

Item item() {
    Item one{};
    one.id = 7;
    std::memcpy(one.code, "abcd", 4);
    std::strcpy(one.label, "xyz");
    one.sizes[2] = 3;
    one.maybe[0] = 1.5;
    one.digest[1] = std::byte{0xff};
    one.embedding[0] = 0.5f;
    one.note = "n";
    return one;
}

ItemOfLists item_of_lists() {
    return {7,  "abcd", {std::string("xyz")}, {0, 0, 3}, {1.5, std::nullopt}, {std::byte{0}, std::byte{0xff}}, {std::vector{0.5f, 0.0f}},
            "n"};
}

template <class Row>
std::vector<std::byte> image_of(Row const& row) {
    isorow::byte_writer out;
    isorow::encode_row(row, out);
    return {out.bytes().begin(), out.bytes().end()};
}

}  // namespace

TEST_CASE("an array has the column and the image of a list of its elements, characters those of a text") {
    for (std::size_t i = 0; i < isorow::columns_of<Item>.size(); ++i)
        CHECK(isorow::columns_of<Item>[i].type == isorow::columns_of<ItemOfLists>[i].type);
    CHECK(image_of(item()) == image_of(item_of_lists()));
}

TEST_CASE("arrays are read into their place") {
    auto const bytes = image_of(item());
    auto const back = isorow::decode_row<Item>(isorow::byte_reader(bytes));
    CHECK(back.id == 7);
    CHECK(std::string_view(back.code, 4) == "abcd");
    CHECK(std::string_view(back.label) == "xyz");
    CHECK(back.sizes[2] == 3);
    CHECK(back.maybe[0] == 1.5);
    CHECK_FALSE(back.maybe[1].has_value());
    CHECK(back.digest[1] == std::byte{0xff});
    CHECK(back.embedding[0] == 0.5f);
}

TEST_CASE("a shorter text is padded with NULs where a longer one was, and what stands behind a NUL is not sent") {
    auto one = item();
    std::memcpy(one.code, "a\0zz", 4);
    auto const bytes = image_of(one);
    auto back = item();
    isorow::decode_row_into(isorow::byte_reader(bytes), back);
    CHECK(std::string_view(back.code, 4) == std::string_view("a\0\0\0", 4));
}

TEST_CASE("a text that is longer than the array, or a list of another size, is refused by the field's name") {
    auto const refused = [](ItemOfLists const& row, std::string_view field) {
        auto const bytes = image_of(row);
        try {
            static_cast<void>(isorow::decode_row<Item>(isorow::byte_reader(bytes)));
        } catch (isorow::unrepresentable const& failure) {
            return std::string_view(failure.what()).find(field) != std::string_view::npos;
        }
        return false;
    };
    auto long_code = item_of_lists();
    long_code.code = "abcde";
    CHECK(refused(long_code, "Item.code"));
    auto few = item_of_lists();
    few.sizes = {1, 2};
    CHECK(refused(few, "Item.sizes"));
    auto many = item_of_lists();
    many.digest.resize(3);
    CHECK(refused(many, "Item.digest"));
}

TEST_CASE("characters that are no UTF-8, or too many for varchar(n), are refused by the field's name") {
    auto const field_of = [](Item const& row) -> std::string {
        try {
            static_cast<void>(image_of(row));
        } catch (isorow::unrepresentable const& failure) {
            return failure.what();
        }
        return {};
    };
    auto bad = item();
    bad.code[3] = '\xff';
    CHECK(field_of(bad).find("Item.code") != std::string::npos);
    auto too_long = item();
    std::strcpy(too_long.label, "wxyz");
    CHECK(field_of(too_long).find("Item.label") != std::string::npos);
}

TEST_CASE("a struct of 300 fields is a table and a row") {
    STATIC_CHECK(isorow::mappable<Broad>);
    STATIC_CHECK(isorow::reflect::field_count<Broad> == 300);
    Broad row{};
    row.c99 = 99;
    auto const bytes = image_of(row);
    CHECK(isorow::decode_row<Broad>(isorow::byte_reader(bytes)).c99 == 99);
    CHECK(isorow::columns_of<Broad>[299].name == "c99");
}
