// Bytes that no server sends. Nothing here may crash, or be read as something that it is not.

#include <catch2/catch_test_macros.hpp>

#include <json/structs.hpp>
#include <support/matchers.hpp>

#include <cstddef>
#include <random>
#include <string>
#include <string_view>

using isorow::from_json_text;
using isorow::to_json_text;

namespace {

constexpr isorow::column_type jsonb_type{isorow::type_id::jsonb};

test::Everything example() {
    test::Everything all;
    all.large = 7;
    all.real = -1.25e-3;
    all.text = "a\nä\x01";
    all.numbers = {1.5, std::nullopt};
    all.addresses = {{"home", {{"Main", 5}, "Berlin", true}}};
    all.lists = {{"x", {1, 2}}, {"y", {}}};
    all.shapes = {test::Circle{2}, std::string("text"), std::monostate{}};
    all.tree = {"root", {{"leaf", {}}}};
    all.words = {{"one", "two"}};
    all.anything = {{"a", nullptr}, {"b", {1, 2.5, "c", true}}};
    return all;
}

/// True where it was read, false where it was refused in one of the two ways that there are.
bool is_read(std::string_view json) {
    try {
        static_cast<void>(from_json_text<test::Everything>(json));
        return true;
    } catch (isorow::value_error const&) {
        return false;
    }
}

}  // namespace

TEST_CASE("every JSON text that ends too early is malformed") {
    auto const whole = to_json_text(example());
    CHECK(from_json_text<test::Everything>(whole) == example());
    for (std::size_t size = 0; size < whole.size(); ++size) {
        CAPTURE(size);
        CHECK_THROWS_AS(from_json_text<test::Everything>(std::string_view(whole).substr(0, size)), isorow::malformed);
        CHECK_THROWS_AS(from_json_text<boost::json::value>(std::string_view(whole).substr(0, size)), isorow::malformed);
    }
    CHECK_THROWS_MATCHES(from_json_text<test::Everything>(std::string_view(whole).substr(0, 40)), isorow::malformed,
                         test::says("it ends too early"));
}

TEST_CASE("every jsonb value that ends too early is malformed") {
    using codec = isorow::codec<test::Everything, jsonb_type>;
    isorow::byte_writer written;
    codec::encode(example(), written);
    CHECK(codec::decode(isorow::byte_reader(written.bytes())) == example());
    for (std::size_t size = 0; size < written.size(); ++size) {
        std::vector<std::byte> const part(written.bytes().begin(), written.bytes().begin() + static_cast<std::ptrdiff_t>(size));
        CHECK_THROWS_AS(codec::decode(isorow::byte_reader(part)), isorow::malformed);
    }
}

TEST_CASE("a version of jsonb that is not known is malformed") {
    isorow::byte_writer written;
    written.put_int8(2);
    written.put_bytes("{}");
    CHECK_THROWS_MATCHES((isorow::codec<boost::json::value, jsonb_type>::decode(isorow::byte_reader(written.bytes()))), isorow::malformed,
                         test::says("a jsonb value of version 2"));
}

TEST_CASE("text that is not JSON is malformed") {
    for (std::string_view const wrong : {"nul",
                                         "nulll",
                                         "tru",
                                         "falsey",
                                         "True",
                                         "01",
                                         "-",
                                         "+1",
                                         ".5",
                                         "1.",
                                         "1e",
                                         "1e+",
                                         "0x1",
                                         "NaN",
                                         "Infinity",
                                         "--1",
                                         "\"",
                                         "\"a",
                                         "\"\\x\"",
                                         "\"\\u12g4\"",
                                         "\"\\u123",
                                         "\"\n\"",
                                         "'a'",
                                         "[",
                                         "[1",
                                         "[1,",
                                         "[1,]",
                                         "[,1]",
                                         "[1 2]",
                                         "[1}",
                                         "]",
                                         "{",
                                         "{\"a\"",
                                         "{\"a\":",
                                         "{\"a\":1",
                                         "{\"a\":1,}",
                                         "{a:1}",
                                         "{1:1}",
                                         "{\"a\" 1}",
                                         "{\"a\":1]",
                                         "}",
                                         ",",
                                         "1 2",
                                         "[] []",
                                         "/**/1",
                                         "\xef\xbb\xbf"
                                         "1",
                                         "\"\xc3\"",
                                         "\"\xed\xa0\x80\"",
                                         "\"\xf5\x80\x80\x80\"",
                                         "",
                                         " ",
                                         "\\"}) {
        CAPTURE(wrong);
        CHECK_THROWS_AS(from_json_text<boost::json::value>(wrong), isorow::malformed);
    }
    CHECK_THROWS_AS(from_json_text<boost::json::value>(std::string_view("\"a\0b\"", 5)), isorow::malformed);
    CHECK_THROWS_AS(from_json_text<boost::json::value>(std::string_view("1\0", 2)), isorow::malformed);
}

TEST_CASE("a byte that was changed is refused, or changes nothing but a value") {
    auto const whole = to_json_text(example());
    std::mt19937 random(20261120);
    int read = 0;
    int refused = 0;
    for (std::size_t place = 0; place < whole.size(); ++place) {
        for (int i = 0; i < 8; ++i) {
            auto changed = whole;
            changed[place] = static_cast<char>(random() & 0xff);
            ++(is_read(changed) ? read : refused);
        }
    }
    CHECK(read > 0);
    CHECK(refused > 0);
}
