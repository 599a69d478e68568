#include <catch2/catch_test_macros.hpp>

#include <isorow/types/hexadecimal.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

using isorow::detail::hexadecimal;

TEST_CASE("bytes are two hexadecimal digits each") {
    std::array<std::byte, 4> const bytes{std::byte{0}, std::byte{0x0a}, std::byte{0xf0}, std::byte{0xff}};
    CHECK(hexadecimal(bytes) == "000af0ff");
    CHECK(hexadecimal(std::span<std::byte const>{}).empty());
    std::string text = "\\x";
    isorow::detail::append_hexadecimal(0x5c, text);
    CHECK(text == "\\x5c");
}

TEST_CASE("a number's last hexadecimal digits are as many as are asked for") {
    CHECK(hexadecimal(std::uint64_t{0x0123456789abcdef}, 16) == "0123456789abcdef");
    CHECK(hexadecimal(std::uint64_t{0x0123456789abcdef}, 10) == "6789abcdef");
    CHECK(hexadecimal(~std::uint64_t{0}, 16) == "ffffffffffffffff");
    CHECK(hexadecimal(std::uint64_t{7}, 3) == "007");
    CHECK(hexadecimal(std::uint64_t{7}, 0).empty());
}
