// Arrays of several dimensions and of fixed size: to the server and back, and what is not an array is refused.

#include <catch2/catch_test_macros.hpp>

#include <isorow/codec/scalars.hpp>
#include <isorow/query/query.hpp>
#include <isorow/schema.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace {

using isorow::column_type;
using isorow::type_id;

template <class T>
using list = std::vector<T>;
template <class T>
using maybe = std::optional<T>;

using grid = list<list<std::int32_t>>;
using board = std::array<std::array<std::int32_t, 3>, 2>;

struct Measurement {
    std::int64_t id;
    grid cells;
    list<list<maybe<std::string>>> names;
    std::array<std::int16_t, 3> rgb;
    list<std::array<double, 2>> path;
    std::optional<std::array<bool, 2>> flags;
    isorow::annotated<list<list<float>>, isorow::pg_type<"real[]">> weights;
    isorow::annotated<std::array<float, 2>, isorow::pg_type<"double precision[]">> pair;

    bool operator==(Measurement const& other) const {
        return id == other.id && cells == other.cells && names == other.names && rgb == other.rgb && path == other.path &&
               flags == other.flags &&
               static_cast<list<list<float>> const&>(weights) == static_cast<list<list<float>> const&>(other.weights) &&
               static_cast<std::array<float, 2> const&>(pair) == static_cast<std::array<float, 2> const&>(other.pair);
    }
};

struct server {
    isorow::connection connection = test::connect();

    template <class Value>
    Value back(Value const& value) {
        return isorow::query_one<Value>(connection, "SELECT $1", value);
    }
    template <class Value>
    std::string printed(Value const& value) {
        return isorow::query_one<std::string>(connection, "SELECT $1::text", value);
    }
};

template <class Value, column_type As = isorow::default_type<Value>>
std::vector<std::byte> encoded(Value const& value) {
    isorow::byte_writer out;
    isorow::encode<isorow::codec<Value, As>>(value, out);
    return {out.bytes().begin(), out.bytes().end()};
}

template <class Value, column_type As = isorow::default_type<Value>>
Value decoded(std::initializer_list<std::int32_t> words) {
    isorow::byte_writer in;
    for (auto const word : words) in.put_int32(word);
    return isorow::codec<Value, As>::decode(isorow::byte_reader(in.bytes()));
}

constexpr std::int32_t int4 = 23;

/// A random array of these sizes whose elements are NULL now and then.
template <class Element>
Element random_array(std::mt19937_64& random, std::size_t const* sizes) {
    if constexpr (isorow::detail::is_array_field<Element>) {
        Element values;
        for (std::size_t i = 0; i < *sizes; ++i) values.push_back(random_array<typename Element::value_type>(random, sizes + 1));
        return values;
    } else {
        if (random() % 4 == 0) return std::nullopt;
        if constexpr (std::is_same_v<Element, maybe<std::string>>) return std::string(random() % 5, static_cast<char>('a' + random() % 26));
        else return static_cast<typename Element::value_type>(random());
    }
}

template <class Array>
void check_random(server& where, std::size_t count) {
    std::mt19937_64 random(20261127);
    for (std::size_t i = 0; i < count; ++i) {
        std::array<std::size_t, 6> sizes{};
        for (auto& size : sizes) size = 1 + random() % 3;
        auto const value = random_array<Array>(random, sizes.data());
        CHECK(where.back(value) == value);
    }
}

}  // namespace

TEST_CASE("an array of arrays has the type of its innermost elements' array") {
    STATIC_CHECK(isorow::default_type<grid> == column_type{type_id::int4, true});
    STATIC_CHECK(isorow::default_type<board> == column_type{type_id::int4, true});
    STATIC_CHECK(isorow::default_type<list<std::array<maybe<std::string>, 2>>> == column_type{type_id::text, true});
    STATIC_CHECK(isorow::default_type<list<list<list<list<list<list<bool>>>>>>> == column_type{type_id::boolean, true});
    STATIC_CHECK(isorow::accepts<grid>(column_type{type_id::int8, true}));
    STATIC_CHECK_FALSE(isorow::accepts<grid>(column_type{type_id::int4}));
    STATIC_CHECK_FALSE(isorow::accepts<grid>(column_type{type_id::text, true}));
}

TEST_CASE("what Postgres has no arrays of is not mapped") {
    STATIC_CHECK_FALSE(isorow::mapped<list<list<list<list<list<list<list<bool>>>>>>>>);  // seven dimensions
    STATIC_CHECK_FALSE(isorow::mapped<list<maybe<list<std::int32_t>>>>);                 // a NULL in the place of an array
    STATIC_CHECK_FALSE(isorow::mapped<std::array<std::int32_t, 0>>);
    STATIC_CHECK_FALSE(isorow::mapped<list<std::string_view>>);
}

TEST_CASE("arrays of floats say what they are, however many dimensions they have") {
    STATIC_CHECK_FALSE(isorow::mapped<list<list<float>>>);
    STATIC_CHECK_FALSE(isorow::mapped<std::array<float, 3>>);
    STATIC_CHECK(isorow::accepts<list<list<float>>>(column_type{type_id::float4, true}));
    STATIC_CHECK(isorow::accepts<std::array<float, 3>>(column_type{type_id::float8, true}));
    STATIC_CHECK_FALSE(isorow::accepts<list<list<float>>>(column_type{type_id::vector, false, 3}));
    STATIC_CHECK(isorow::default_type<list<list<maybe<float>>>> == column_type{type_id::float4, true});
}

TEST_CASE_METHOD(server, "arrays of several dimensions go to the server and back") {
    grid const cells{{1, 2, 3}, {4, 5, 6}};
    CHECK(printed(cells) == "{{1,2,3},{4,5,6}}");
    CHECK(back(cells) == cells);
    CHECK(back(grid{}).empty());
    list<list<maybe<std::string>>> const names{{"a", std::nullopt}, {std::nullopt, ""}};
    CHECK(printed(names) == "{{a,NULL},{NULL,\"\"}}");
    CHECK(back(names) == names);
    list<list<list<bool>>> const deep{{{true}, {false}}, {{false}, {true}}};
    CHECK(printed(deep) == "{{{t},{f}},{{f},{t}}}");
    CHECK(back(deep) == deep);
}

TEST_CASE_METHOD(server, "a std::array is an array of exactly so many elements") {
    board const squares{{{1, 2, 3}, {4, 5, 6}}};
    CHECK(printed(squares) == "{{1,2,3},{4,5,6}}");
    CHECK(back(squares) == squares);
    CHECK(back(std::array<std::string, 1>{"one"}) == std::array<std::string, 1>{"one"});
    list<std::array<std::int32_t, 2>> const pairs{{1, 2}, {3, 4}, {5, 6}};
    CHECK(back(pairs) == pairs);
    CHECK_THROWS_MATCHES((isorow::query_one<std::array<std::int32_t, 2>>(connection, "SELECT ARRAY[1, 2, 3]")), isorow::unrepresentable,
                         test::says("the array has 3 elements, the field has 2"));
    CHECK_THROWS_MATCHES((isorow::query_one<std::array<std::int32_t, 2>>(connection, "SELECT '{}'::integer[]")), isorow::unrepresentable,
                         test::says("the array has 0 elements, the field has 2"));
}

TEST_CASE_METHOD(server, "random arrays with NULLs in one to six dimensions come back as they went") {
    auto const count = std::getenv("ISOROW_LONG") != nullptr ? std::size_t{2000} : std::size_t{40};
    check_random<list<maybe<std::int64_t>>>(*this, count);
    check_random<list<list<maybe<std::string>>>>(*this, count);
    check_random<list<list<list<maybe<std::int16_t>>>>>(*this, count);
    check_random<list<list<list<list<list<list<maybe<std::string>>>>>>>>(*this, count);
}

TEST_CASE_METHOD(server, "a struct with arrays of all these kinds is written and read by its columns") {
    isorow::execute(
        connection,
        "CREATE TEMPORARY TABLE measurements (id bigint, cells integer[], names text[], rgb smallint[], path double precision[],"
        " flags boolean[], weights real[], pair double precision[])");
    Measurement const one{1,
                          {{1, 2}, {3, 4}},
                          {{"a", std::nullopt}},
                          {255, 128, 0},
                          {{0.5, 1.5}},
                          std::array{true, false},
                          list<list<float>>{{0.25F}, {0.5F}},
                          std::array<float, 2>{1.5F, 2.5F}};
    isorow::execute(connection, "INSERT INTO measurements VALUES (:id, :cells, :names, :rgb, :path, :flags, :weights, :pair)", one);
    CHECK(isorow::query_one<std::string>(connection,
                                         "SELECT concat_ws(' ', cells, names, rgb, path, flags, weights, pair) FROM measurements") ==
          "{{1,2},{3,4}} {{a,NULL}} {255,128,0} {{0.5,1.5}} {t,f} {{0.25},{0.5}} {1.5,2.5}");
    CHECK(isorow::query_one<Measurement>(connection, "SELECT * FROM measurements") == one);
}

TEST_CASE_METHOD(server, "an array of other dimensions than the field's is refused with both") {
    CHECK_THROWS_MATCHES(isorow::query_one<grid>(connection, "SELECT ARRAY[1, 2]"), isorow::unrepresentable,
                         test::says("the array has 1 dimensions, the field has 2"));
    CHECK_THROWS_MATCHES(isorow::query_one<list<std::int32_t>>(connection, "SELECT ARRAY[[1], [2]]"), isorow::unrepresentable,
                         test::says("the array has 2 dimensions, the field has one"));
    CHECK(isorow::query_one<grid>(connection, "SELECT '[5:6][0:0]={{1},{2}}'::integer[]") == grid{{1}, {2}});
}

TEST_CASE_METHOD(server, "a NULL in an array of several dimensions is refused with its place") {
    CHECK_THROWS_MATCHES(isorow::query_one<grid>(connection, "SELECT ARRAY[[1, 2], [3, NULL]]"), isorow::unrepresentable,
                         test::says("element 1: element 1: the element is NULL"));
}

TEST_CASE("arrays that are not rectangular are refused with the place") {
    CHECK_THROWS_MATCHES(encoded(grid{{1, 2}, {3}}), isorow::unrepresentable,
                         test::says("element 1: it has 1 elements, and those before it 2"));
    CHECK_THROWS_MATCHES(encoded(list<grid>{{{1}, {2}}, {{1}, {2, 3}}}), isorow::unrepresentable,
                         test::says("element 1: element 1: it has 2"));
    CHECK_THROWS_MATCHES(encoded(list<grid>{{{1}}, {{1}, {2}}}), isorow::unrepresentable, test::says("element 1: it has 2 elements"));
    CHECK_THROWS_MATCHES(encoded(grid{{1}, {}}), isorow::unrepresentable, test::says("element 1: it has 0 elements"));
    CHECK_THROWS_MATCHES(encoded(grid{{}, {}}), isorow::unrepresentable, test::says("the array has an empty array for an element"));
    CHECK_THROWS_MATCHES(encoded(list<list<std::string>>{{"a"}, {std::string(1, '\0')}}), isorow::unrepresentable,
                         test::says("element 1: element 0: the text has a NUL byte"));
}

TEST_CASE("no size from the wire is believed") {
    CHECK(decoded<grid>({2, 0, int4, 1, 1, 1, 1, 4, 7}) == grid{{7}});
    CHECK_THROWS_AS(decoded<grid>({2, 0, int4, 1000000, 1, 1, 1, 4, 7}), isorow::malformed);
    CHECK_THROWS_AS(decoded<grid>({2, 0, int4, 1, 1, 1000000, 1, 4, 7}), isorow::malformed);
    CHECK_THROWS_AS(decoded<grid>({2, 0, int4, 2, 1, 1, 1, 4, 7}), isorow::malformed);
    CHECK_THROWS_AS(decoded<grid>({2, 0, int4, 0x7fffffff, 1, 0, 1}), isorow::malformed);
    CHECK_THROWS_AS(decoded<grid>({2, 0, int4, 0, 1, 0x7fffffff, 1}), isorow::malformed);
    CHECK_THROWS_AS(decoded<grid>({2, 0, int4, -1, 1, -1, 1, 4, 7}), isorow::malformed);
    CHECK_THROWS_AS(decoded<list<grid>>({3, 0, int4, 0x7fffffff, 1, 0x7fffffff, 1, 0x7fffffff, 1}), isorow::malformed);
    CHECK_THROWS_MATCHES(decoded<grid>({7, 0, int4}), isorow::malformed, test::says("an array of 7 dimensions"));
    CHECK_THROWS_AS(decoded<grid>({-1, 0, int4}), isorow::malformed);
    CHECK_THROWS_MATCHES(decoded<grid>({2, 0, 25, 1, 1, 1, 1, 4, 7}), isorow::malformed, test::says("elements of type 25"));
    CHECK_THROWS_AS(decoded<grid>({2, 0, int4, 1, 1, 1, 1, -2, 7}), isorow::malformed);
    CHECK_THROWS_AS(decoded<grid>({0, 0, int4, 7}), isorow::malformed);
}

TEST_CASE("each part of an array's bytes is refused, and so is a byte too many") {
    auto const whole = encoded(list<board>{{{{1, 2, 3}, {4, 5, 6}}}, {{{7, 8, 9}, {0, 1, 2}}}});
    using boards = isorow::codec<list<board>>;
    CHECK(boards::decode(isorow::byte_reader(whole)).size() == 2);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        std::vector<std::byte> const part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
        CHECK_THROWS_AS(boards::decode(isorow::byte_reader(part)), isorow::malformed);
    }
    auto longer = whole;
    longer.push_back(std::byte{0});
    CHECK_THROWS_AS(boards::decode(isorow::byte_reader(longer)), isorow::malformed);
}

TEST_CASE("random bytes are an array or an error, and no memory is taken on their word") {
    constexpr int rounds = 20'000;
    int refused = 0;
    std::mt19937_64 random(7);
    auto const whole = encoded(list<grid>{{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}});
    for (int i = 0; i < rounds; ++i) {
        auto bytes = whole;
        for (auto flips = 1 + random() % 3; flips > 0; --flips) bytes[random() % bytes.size()] = static_cast<std::byte>(random());
        try {
            auto const value = isorow::codec<list<grid>>::decode(isorow::byte_reader(bytes));
            CHECK(value.size() <= bytes.size() / 4);
        } catch (isorow::value_error const&) {
            ++refused;
        }
    }
    // Flipped values are other arrays, flipped lengths are none: both have come.
    CHECK(refused > 0);
    CHECK(refused < rounds);
}
