// Enumerations: their names, their columns, and what does not come from the server unasked.

#include <catch2/catch_test_macros.hpp>

#include <isorow/codec/array.hpp>
#include <isorow/codec/scalars.hpp>
#include <isorow/enums.hpp>
#include <isorow/schema.hpp>
#include <support/matchers.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shop {

enum class Mood { sad, ok, happy };
enum class Level : std::int16_t { low = -100, high = 100 };
enum class Code : std::uint64_t { small = 1, huge = std::uint64_t{1} << 63 };
enum class Id : std::int64_t {};
enum Plain { first, second };

}  // namespace shop

template <>
inline constexpr auto isorow::enum_names<shop::Code> =
    isorow::names<shop::Code>({{shop::Code::small, "it's"}, {shop::Code::huge, "große"}});

namespace {

using isorow::column_type;
using isorow::type_id;
using shop::Code;
using shop::Level;
using shop::Mood;

struct Person {
    std::int64_t id;
    Mood mood;
    std::optional<Code> code;
    std::vector<Mood> moods;
    std::vector<std::optional<Mood>> maybe_moods;
    isorow::annotated<Level, isorow::pg_type<"smallint">> level;

    static consteval auto isorow_table() { return isorow::table("people").primary_key<&Person::id>(); }
};

template <class Value, column_type As = isorow::default_type<Value>>
std::vector<std::byte> encoded(Value const& value) {
    isorow::byte_writer out;
    isorow::encode<isorow::codec<Value, As>>(value, out);
    return {out.bytes().begin(), out.bytes().end()};
}

template <class Value, column_type As = isorow::default_type<Value>>
Value decoded(std::string_view bytes) {
    return isorow::codec<Value, As>::decode(isorow::byte_reader(bytes.data(), bytes.size()));
}

constexpr column_type text{type_id::text};
constexpr column_type smallint{type_id::int2};
constexpr column_type integer{type_id::int4};
constexpr column_type bigint{type_id::int8};

}  // namespace

TEST_CASE("an enumeration is a text column") {
    STATIC_CHECK(isorow::default_type<Mood> == text);
    STATIC_CHECK(isorow::default_type<shop::Plain> == text);
    STATIC_CHECK(isorow::default_type<std::vector<Mood>> == column_type{type_id::text, true});
    STATIC_CHECK_FALSE(isorow::mapped<shop::Id>);  // nothing has a name
    STATIC_CHECK_FALSE(isorow::mapped<std::byte>);
}

TEST_CASE("an enumeration may be stored as an integer that holds all its values, and as varchar where all names have room") {
    STATIC_CHECK(isorow::accepts<Mood>(smallint));
    STATIC_CHECK(isorow::accepts<Mood>(bigint));
    STATIC_CHECK_FALSE(isorow::accepts<Code>(bigint));  // 2^63
    STATIC_CHECK(isorow::accepts<Mood>(column_type{type_id::varchar, false, 5}));
    STATIC_CHECK_FALSE(isorow::accepts<Mood>(column_type{type_id::varchar, false, 4}));
    STATIC_CHECK(isorow::accepts<Code>(column_type{type_id::varchar, false, 5}));  // characters, not bytes
    STATIC_CHECK_FALSE(isorow::accepts<Mood>(column_type{type_id::float8}));
    STATIC_CHECK(isorow::accepts<std::vector<Mood>>(column_type{type_id::int4, true}));
}

TEST_CASE("the table has a CHECK that lists the names") {
    CHECK(isorow::ddl<Person>() ==
          "CREATE TABLE \"public\".\"people\" (\n"
          "    \"id\" bigint NOT NULL,\n"
          "    \"mood\" text NOT NULL CONSTRAINT \"mood_labels\" CHECK (\"mood\" IN ('sad', 'ok', 'happy')),\n"
          "    \"code\" text CONSTRAINT \"code_labels\" CHECK (\"code\" IN ('it''s', 'große')),\n"
          "    \"moods\" text[] NOT NULL CONSTRAINT \"moods_labels\" CHECK (\"moods\"::text[] <@ ARRAY['sad', 'ok', 'happy']::text[]),\n"
          "    \"maybe_moods\" text[] NOT NULL,\n"
          "    \"level\" smallint NOT NULL\n"
          ");\n"
          "ALTER TABLE \"public\".\"people\" ADD PRIMARY KEY (\"id\");\n");
}

TEST_CASE("a value is written as its name and read by it") {
    CHECK(encoded(Mood::happy) == std::vector{std::byte{'h'}, std::byte{'a'}, std::byte{'p'}, std::byte{'p'}, std::byte{'y'}});
    CHECK(decoded<Mood>("sad") == Mood::sad);
    CHECK(decoded<Code>("it's") == Code::small);
    CHECK(decoded<Code>("große") == Code::huge);
}

TEST_CASE("a text that is no name is an error that lists those that are") {
    CHECK_THROWS_MATCHES(decoded<Mood>("glad"), isorow::unrepresentable,
                         test::says("the text \"glad\" is no value of Mood, which has: sad, ok, happy"));
    CHECK_THROWS_AS(decoded<Mood>(""), isorow::unrepresentable);
    CHECK_THROWS_AS(decoded<Mood>("SAD"), isorow::unrepresentable);
}

TEST_CASE("a value without a name is not written") {
    CHECK_THROWS_MATCHES(encoded(static_cast<Mood>(7)), isorow::unrepresentable,
                         test::says("7 is the number of no value of Mood that has a name; it has: sad, ok, happy"));
    CHECK_THROWS_AS((encoded<Mood, smallint>(static_cast<Mood>(7))), isorow::unrepresentable);
}

TEST_CASE("as an integer a value is its number, and other numbers are refused") {
    CHECK(encoded<Level, smallint>(Level::low) == std::vector{std::byte{0xff}, std::byte{0x9c}});
    CHECK(decoded<Level, smallint>(std::string_view("\x00\x64", 2)) == Level::high);
    CHECK_THROWS_MATCHES((decoded<Level, smallint>(std::string_view("\x00\x65", 2))), isorow::unrepresentable,
                         test::says("101 is the number of no value of Level, which has: low, high"));
    CHECK_THROWS_AS((decoded<Level, smallint>(std::string_view("\x00", 1))), isorow::malformed);
    CHECK_THROWS_AS((decoded<Mood, integer>(std::string_view("\0\0\0\0\0\0\0", 7))), isorow::malformed);
}

TEST_CASE("names as they stand in the program may be replaced, each value and each name standing once") {
    CHECK(isorow::enum_names<Code>[0].name == "it's");
    CHECK(isorow::enum_names<Mood>[2].value == Mood::happy);
    STATIC_CHECK(isorow::detail::has_sound_names<Code>);
}
