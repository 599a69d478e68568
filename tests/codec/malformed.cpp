// What is not a value is refused, whatever its length says, and no count from the wire is believed.

#include <catch2/catch_test_macros.hpp>

#include <isorow/codec/scalars.hpp>
#include <support/matchers.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace {

template <class Value, isorow::column_type As = isorow::default_type<Value>>
std::vector<std::byte> encoded(Value const& value) {
    isorow::byte_writer out;
    isorow::encode<isorow::codec<Value, As>>(value, out);
    return {out.bytes().begin(), out.bytes().end()};
}

/// Decodes each proper prefix of a value, each in memory of its own, so that a sanitizer sees a byte too far.
template <class Value, isorow::column_type As = isorow::default_type<Value>>
void refuse_prefixes(Value const& value) {
    auto const whole = encoded<Value, As>(value);
    CHECK_NOTHROW(isorow::codec<Value, As>::decode(isorow::byte_reader(whole)));
    for (std::size_t size = 0; size < whole.size(); ++size) {
        std::vector<std::byte> const part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
        CAPTURE(size);
        CHECK_THROWS_AS((isorow::codec<Value, As>::decode(isorow::byte_reader(part))), isorow::malformed);
    }
    auto longer = whole;
    longer.push_back(std::byte{0});
    CHECK_THROWS_AS((isorow::codec<Value, As>::decode(isorow::byte_reader(longer))), isorow::malformed);
}

std::vector<std::byte> words(std::initializer_list<std::int32_t> numbers) {
    isorow::byte_writer out;
    for (auto const number : numbers) out.put_int32(number);
    return {out.bytes().begin(), out.bytes().end()};
}

}  // namespace

TEST_CASE("values of fixed size that are cut or too long are malformed") {
    refuse_prefixes(true);
    refuse_prefixes(isorow::uuid{});
    refuse_prefixes(isorow::date(5));
    refuse_prefixes(isorow::time(std::chrono::hours(3)));
    refuse_prefixes(isorow::timetz(isorow::time(std::chrono::hours(3)), std::chrono::hours(1)));
    refuse_prefixes(isorow::timestamptz(7));
    refuse_prefixes(isorow::interval(1, 2, 3));
    refuse_prefixes(std::chrono::microseconds(9));
}

TEST_CASE("integers of another size than 2, 4 and 8 bytes are malformed") {
    for (std::size_t const size : {0u, 1u, 3u, 5u, 6u, 7u, 9u}) {
        std::vector<std::byte> const bytes(size);
        CHECK_THROWS_AS(isorow::codec<std::int64_t>::decode(isorow::byte_reader(bytes)), isorow::malformed);
    }
    CHECK_THROWS_AS(isorow::codec<double>::decode(isorow::byte_reader("123", 3)), isorow::malformed);
}

TEST_CASE("values with counts that are cut or too long are malformed") {
    refuse_prefixes(*isorow::numeric::parse("-12345678.9"));
    refuse_prefixes(isorow::vector<3>{1, 2, 3});
    refuse_prefixes(isorow::halfvec<3>{1, 2, 3});
    refuse_prefixes<std::vector<float>, isorow::column_type{isorow::type_id::vector, false, 2}>({1.0f, 2.0f});
    refuse_prefixes(std::vector<std::string>{"a", "bc"});
    refuse_prefixes(std::vector<std::int32_t>{1, 2});
}

TEST_CASE("an array that claims two thousand million elements is refused before memory is asked for") {
    auto const hostile = words({1, 0, 23, 2'147'483'647, 1, 4, 7});
    CHECK_THROWS_MATCHES(isorow::codec<std::vector<std::int32_t>>::decode(isorow::byte_reader(hostile)), isorow::malformed,
                         test::says("an array of 2147483647 elements"));
    auto const negative = words({1, 0, 23, -1, 1});
    CHECK_THROWS_AS(isorow::codec<std::vector<std::int32_t>>::decode(isorow::byte_reader(negative)), isorow::malformed);
}

TEST_CASE("an array whose element has a negative length that is not NULL's is malformed") {
    auto const hostile = words({1, 0, 23, 1, 1, -2});
    CHECK_THROWS_MATCHES(isorow::codec<std::vector<std::int32_t>>::decode(isorow::byte_reader(hostile)), isorow::malformed,
                         test::says("a length of -2"));
}

TEST_CASE("an array of another element type is malformed") {
    auto const text = encoded(std::vector<std::string>{"a"});
    CHECK_THROWS_MATCHES(isorow::codec<std::vector<std::int32_t>>::decode(isorow::byte_reader(text)), isorow::malformed,
                         test::says("an array of elements of type 25"));
}

TEST_CASE("a numeric with digit groups that cannot be, or an unknown sign, is malformed") {
    auto const decode = [](std::initializer_list<std::int16_t> parts) {
        isorow::byte_writer out;
        for (auto const part : parts) out.put_int16(part);
        return isorow::codec<isorow::numeric>::decode(isorow::byte_reader(out.bytes()));
    };
    CHECK_THROWS_MATCHES(decode({1, 0, 0, 0, 10'000}), isorow::malformed, test::says("the digit group 10000"));
    CHECK_THROWS_MATCHES(decode({0, 0, 0x1234, 0}), isorow::malformed, test::says("the sign 4660"));
    CHECK_THROWS_AS(decode({-1, 0, 0, 0}), isorow::malformed);
    CHECK_THROWS_MATCHES(decode({0, 0, 0, 16'384}), isorow::malformed, test::says("16384 digits behind the point"));
}

TEST_CASE("times that cannot be are malformed") {
    CHECK_THROWS_AS(isorow::codec<isorow::time>::decode(isorow::byte_reader(words({-1, -1}))), isorow::malformed);
    CHECK_THROWS_AS(isorow::codec<isorow::timetz>::decode(isorow::byte_reader(words({0, 0, 57'600}))), isorow::malformed);
}

TEST_CASE("a value that its column's type cannot hold is refused") {
    using as_integer = isorow::codec<std::int64_t, isorow::column_type{isorow::type_id::int4}>;
    CHECK_NOTHROW(as_integer::size_of(2'147'483'647));
    CHECK_THROWS_AS(as_integer::size_of(2'147'483'648), isorow::unrepresentable);
    using as_real = isorow::codec<double, isorow::column_type{isorow::type_id::float4}>;
    CHECK_NOTHROW(as_real::size_of(std::numeric_limits<double>::infinity()));
    CHECK_THROWS_AS(as_real::size_of(1e39), isorow::unrepresentable);
    using short_text = isorow::codec<std::string, isorow::column_type{isorow::type_id::varchar, false, 3}>;
    CHECK(short_text::size_of("äöü") == 6);
    CHECK_THROWS_MATCHES(short_text::size_of("äöüß"), isorow::unrepresentable, test::says("the text has 4 characters, the column takes 3"));
    using embedding = isorow::codec<std::vector<float>, isorow::column_type{isorow::type_id::vector, false, 3}>;
    CHECK_THROWS_MATCHES(embedding::size_of({1.0f}), isorow::unrepresentable, test::says("vector has 1 dimensions, the column has 3"));
}
