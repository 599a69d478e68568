#pragma once

/// @file
/// Values as the bytes that codecs make of them, for tests of codecs.

#include <catch2/catch_test_macros.hpp>

#include <isorow/codec/scalars.hpp>
#include <isorow/query/query.hpp>
#include <support/connect.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace test {

template <class Value, isorow::column_type As = isorow::default_type<Value>>
[[nodiscard]] std::vector<std::byte> encoded(Value const& value) {
    isorow::byte_writer out;
    isorow::encode<isorow::codec<Value, As>>(value, out);
    return {out.bytes().begin(), out.bytes().end()};
}

template <class Value, isorow::column_type As = isorow::default_type<Value>>
[[nodiscard]] Value decoded(std::vector<std::byte> const& bytes) {
    return isorow::codec<Value, As>::decode(isorow::byte_reader(bytes));
}

/// Decodes the value, each proper prefix of its bytes, each in memory of its own so that a sanitizer sees a byte too far, and the bytes
/// with one more.
template <class Value, isorow::column_type As = isorow::default_type<Value>>
void refuse_cut_and_longer(Value const& value) {
    auto const whole = encoded<Value, As>(value);
    CHECK(decoded<Value, As>(whole) == value);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        std::vector<std::byte> const part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
        CAPTURE(size);
        CHECK_THROWS_AS((decoded<Value, As>(part)), isorow::malformed);
    }
    auto longer = whole;
    longer.push_back(std::byte{0});
    CHECK_THROWS_AS((decoded<Value, As>(longer)), isorow::malformed);
}

[[nodiscard]] inline std::vector<std::byte> bytes(std::initializer_list<int> numbers) {
    std::vector<std::byte> made;
    for (auto const number : numbers) made.push_back(static_cast<std::byte>(number));
    return made;
}

/// Numbers of 32 bits and floats, one after another.
[[nodiscard]] inline std::vector<std::byte> words(std::initializer_list<std::int32_t> numbers, std::initializer_list<float> floats = {}) {
    isorow::byte_writer out;
    for (auto const number : numbers) out.put_int32(number);
    for (auto const number : floats) out.put_float(number);
    return {out.bytes().begin(), out.bytes().end()};
}

/// How many random values a test tries.
[[nodiscard]] inline std::size_t random_count() { return std::getenv("ISOROW_LONG") != nullptr ? 10'000 : 300; }

/// A connection by which the server is asked what it makes of a value.
struct value_server {
    isorow::connection connection;

    explicit value_server(std::string const& address = test::dsn()) : connection(test::connect(address)) {}

    /// The value goes to the server and comes back; the server sends the bytes that it was given; it prints the value as `text`; and makes
    /// the same bytes of the text. `type`: as SQL writes it; `name`: what its function that sends begins with.
    template <class Value>
    void check(Value const& value, std::string const& text, std::string_view type, std::string_view name) {
        CAPTURE(type, text);
        auto const image = encoded(value);
        CHECK(isorow::query_one<Value>(connection, "SELECT $1", value) == value);
        CHECK(isorow::query_one<bool>(connection, isorow::text("SELECT {}_send($1) = $2", name), value, image));
        CHECK(isorow::query_one<std::string>(connection, "SELECT format('%s', $1)", value) == text);
        CHECK(isorow::query_one<bool>(connection, isorow::text("SELECT {}_send($1::text::{}) = $2", name, type), text, image));
        CHECK(isorow::query_one<std::optional<Value>>(connection, "SELECT $1", std::optional<Value>{}) == std::nullopt);
    }

    /// The same of the value's own text, which reads back as the value.
    template <class Value>
    void check(Value const& value, std::string_view type, std::string_view name) {
        check(value, to_string(value), type, name);
        CHECK(Value::parse(to_string(value)) == value);
    }

    /// The values' order is the server's.
    template <class Value>
    void check_order(Value const& a, Value const& b) {
        CAPTURE(to_string(a), to_string(b));
        auto const by_server =
            isorow::query_one<std::int32_t>(connection, "SELECT CASE WHEN $1 < $2 THEN -1 WHEN $1 > $2 THEN 1 ELSE 0 END", a, b);
        CHECK(((a <=> b) < 0 ? -1 : (a <=> b) > 0 ? 1 : 0) == by_server);
        CHECK((a == b) == (by_server == 0));
        CHECK((a == b) == (encoded(a) == encoded(b)));
    }
};

}  // namespace test
