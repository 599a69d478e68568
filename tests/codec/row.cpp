#include <catch2/catch_test_macros.hpp>

#include <isorow/codec/copy_format.hpp>
#include <isorow/codec/row.hpp>
#include <isorow/codec/scalars.hpp>
#include <support/matchers.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct Reading {
    std::int64_t value;
    std::optional<std::int32_t> error;
    std::int16_t sensor;
    isorow::annotated<std::int64_t, isorow::pg_type<"integer">> count;

    static consteval auto isorow_table() { return isorow::table("readings").primary_key<&Reading::sensor>(); }
    friend bool operator==(Reading const&, Reading const&) = default;
};

std::string hex(isorow::byte_writer const& written) {
    std::string digits;
    for (auto const byte : written.bytes()) {
        digits += "0123456789abcdef"[std::to_integer<unsigned>(byte) >> 4];
        digits += "0123456789abcdef"[std::to_integer<unsigned>(byte) & 15];
    }
    return digits;
}

}  // namespace

TEST_CASE("a row's image is its field count and each field behind its length") {
    isorow::byte_writer written;
    isorow::encode_row(Reading{1, 2, 3, 4}, written);
    CHECK(hex(written) ==
          "0004"
          "00000008"
          "0000000000000001"
          "00000004"
          "00000002"
          "00000002"
          "0003"
          "00000004"
          "00000004");
}

TEST_CASE("NULL is the length -1 and takes no more bytes") {
    isorow::byte_writer written;
    isorow::encode_row(Reading{1, std::nullopt, 3, 4}, written);
    CHECK(hex(written) ==
          "0004"
          "00000008"
          "0000000000000001"
          "ffffffff"
          "00000002"
          "0003"
          "00000004"
          "00000004");
}

TEST_CASE("an image with the key first begins with the key's columns") {
    isorow::byte_writer written;
    isorow::encode_row<Reading, isorow::row_order::key_first>(Reading{1, 2, 3, 4}, written);
    CHECK(hex(written) ==
          "0004"
          "00000002"
          "0003"
          "00000008"
          "0000000000000001"
          "00000004"
          "00000002"
          "00000004"
          "00000004");
}

TEST_CASE("a row comes back from its image") {
    for (auto const& row : {Reading{-1, INT32_MIN, INT16_MAX, 0}, Reading{INT64_MIN, std::nullopt, 0, -7}}) {
        isorow::byte_writer written;
        isorow::encode_row(row, written);
        CHECK(isorow::decode_row<Reading>(isorow::byte_reader(written.bytes())) == row);
    }
}

TEST_CASE("a value that the column cannot hold is refused with struct and field, and nothing of the row is written") {
    isorow::byte_writer written;
    isorow::encode_row(Reading{1, 2, 3, 4}, written);
    auto const before = hex(written);
    CHECK_THROWS_MATCHES(isorow::encode_row(Reading{1, 2, 3, std::int64_t{1} << 40}, written), isorow::unrepresentable,
                         test::says("Reading.count: 1099511627776 is out of the range of integer"));
    CHECK(hex(written) == before);
}

TEST_CASE("every tuple that ends too early is malformed, and the message names the field") {
    isorow::byte_writer written;
    isorow::encode_row(Reading{1, 2, 3, 4}, written);
    for (std::size_t size = 0; size < written.size(); ++size) {
        std::vector<std::byte> const part(written.bytes().begin(), written.bytes().begin() + static_cast<std::ptrdiff_t>(size));
        CHECK_THROWS_AS(isorow::decode_row<Reading>(isorow::byte_reader(part)), isorow::malformed);
    }
    auto const all_but_one = written.bytes().first(written.size() - 1);
    CHECK_THROWS_MATCHES(isorow::decode_row<Reading>(isorow::byte_reader(all_but_one)), isorow::malformed, test::says("Reading.count"));
}

TEST_CASE("lengths and counts that cannot be are malformed") {
    auto const decode = [](auto change) {
        isorow::byte_writer written;
        isorow::encode_row(Reading{1, 2, 3, 4}, written);
        change(written);
        return isorow::decode_row<Reading>(isorow::byte_reader(written.bytes()));
    };
    CHECK_THROWS_MATCHES(decode([](auto& written) { written.overwrite_int32(2, -2); }), isorow::malformed, test::says("a length of -2"));
    CHECK_THROWS_MATCHES(decode([](auto& written) { written.overwrite_int32(2, INT32_MAX); }), isorow::malformed,
                         test::says("bytes are missing"));
    CHECK_THROWS_MATCHES(decode([](auto& written) { written.put_int8(0); }), isorow::malformed, test::says("1 bytes are left over"));
}

TEST_CASE("NULL into a field that is not optional is refused by name") {
    isorow::byte_writer written;
    written.put_int16(4);
    isorow::encode_null(written);
    CHECK_THROWS_MATCHES(isorow::decode_row<Reading>(isorow::byte_reader(written.bytes())), isorow::unrepresentable,
                         test::says("Reading.value: the column is NULL, and the field is not std::optional"));
}

TEST_CASE("a tuple's size is known where it is whole, and so is the trailer's") {
    isorow::byte_writer out;
    out.put_int16(3);
    out.put_int32(2);
    out.put_int16(7);
    out.put_int32(-1);
    out.put_int32(0);
    auto const whole = out.size();
    isorow::copy_format::put_trailer(out);
    for (std::size_t size = 0; size <= out.size(); ++size) {
        std::vector<std::byte> const part(out.bytes().begin(), out.bytes().begin() + static_cast<std::ptrdiff_t>(size));
        CAPTURE(size);
        CHECK(isorow::copy_format::size_of_tuple(isorow::byte_reader(part)) ==
              (size < whole ? std::nullopt : std::optional<std::size_t>(whole)));
    }
    CHECK(isorow::copy_format::size_of_tuple(isorow::byte_reader(out.bytes().subspan(whole))) == 2);
    isorow::byte_writer wrong;
    wrong.put_int16(-2);
    CHECK_THROWS_AS(isorow::copy_format::size_of_tuple(isorow::byte_reader(wrong.bytes())), isorow::malformed);
    wrong.clear();
    wrong.put_int16(1);
    wrong.put_int32(-2);
    CHECK_THROWS_AS(isorow::copy_format::size_of_tuple(isorow::byte_reader(wrong.bytes())), isorow::malformed);
}

TEST_CASE("views of a decoded tuple refer to its bytes, and a tuple that is cut anywhere or goes on is malformed") {
    struct View {
        std::int32_t id;
        std::string_view name;
        std::optional<std::span<std::byte const>> bytes;
        std::optional<double> value;
    };
    std::vector<std::byte> const some{std::byte{1}, std::byte{2}};
    isorow::byte_writer out;
    isorow::encode_row(View{7, "lamp", some, std::nullopt}, out);
    auto const row = isorow::decode_row<View>(isorow::byte_reader(out.bytes()));
    CHECK(row.id == 7);
    CHECK(row.name == "lamp");
    CHECK(std::ranges::equal(row.bytes.value(), some));
    CHECK(!row.value);
    auto const* const first = reinterpret_cast<char const*>(out.bytes().data());
    CHECK((row.name.data() > first && row.name.data() < first + out.size()));

    out.put_int8(0);
    for (std::size_t size = 0; size <= out.size(); ++size) {
        if (size + 1 == out.size()) continue;  // the tuple itself
        std::vector<std::byte> const part(out.bytes().begin(), out.bytes().begin() + static_cast<std::ptrdiff_t>(size));
        CAPTURE(size);
        CHECK_THROWS_AS(isorow::decode_row<View>(isorow::byte_reader(part)), isorow::malformed);
    }
}

TEST_CASE("a tuple of fields of fixed size that is cut anywhere or goes on is malformed") {
    struct Fixed {
        std::int64_t left;
        std::int16_t right;
        bool both;
    };
    isorow::byte_writer out;
    isorow::encode_row(Fixed{1, -2, true}, out);
    auto const row = isorow::decode_row<Fixed>(isorow::byte_reader(out.bytes()));
    CHECK((row.left == 1 && row.right == -2 && row.both));
    out.put_int8(0);
    for (std::size_t size = 0; size <= out.size(); ++size) {
        if (size + 1 == out.size()) continue;
        std::vector<std::byte> const part(out.bytes().begin(), out.bytes().begin() + static_cast<std::ptrdiff_t>(size));
        CAPTURE(size);
        CHECK_THROWS_AS(isorow::decode_row<Fixed>(isorow::byte_reader(part)), isorow::malformed);
    }
}
