#include <catch2/catch_test_macros.hpp>

#include <isorow/query/query.hpp>
#include <isorow/schema.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

using isorow::arg;
using isorow::parameter_style;
using isorow::detail::shape_of;

constexpr bool is(std::string_view sql, parameter_style style, std::size_t count) {
    auto const shape = shape_of(sql);
    return shape.style == style && shape.count == count && shape.other == parameter_style::none;
}
constexpr bool has_none(std::string_view sql) { return is(sql, parameter_style::none, 0); }
constexpr bool mixes(std::string_view sql) { return shape_of(sql).other != parameter_style::none; }

std::string translated(std::string_view sql) { return isorow::detail::translate(sql).text; }

// The four styles, and how many arguments they take.
static_assert(has_none(""));
static_assert(has_none("SELECT 1"));
static_assert(is("SELECT $1", parameter_style::numbered, 1));
static_assert(is("SELECT $2, $1, $2", parameter_style::numbered, 2));
static_assert(is("SELECT $3", parameter_style::numbered, 3));
static_assert(is("SELECT %s, %s", parameter_style::positional, 2));
static_assert(is("SELECT %(a)s, %(b)s", parameter_style::pyformat, 2));
static_assert(is("SELECT :a, :b_2", parameter_style::colon, 2));
static_assert(is("SELECT (:a)", parameter_style::colon, 1));
static_assert(is("SELECT 1 WHERE 2=:a", parameter_style::colon, 1));
static_assert(is("SELECT :größe", parameter_style::colon, 1));

// Strings and quoted names.
static_assert(has_none("SELECT '$1 %s %(a)s :a'"));
static_assert(has_none("SELECT 'it''s %s'"));
static_assert(has_none("SELECT E'it\\'s %s'"));
static_assert(has_none("SELECT e'\\\\', e'\\':a'"));
static_assert(is("SELECT '\\', %s", parameter_style::positional, 1));
static_assert(is("SELECT E'\\\\', %s", parameter_style::positional, 1));
static_assert(is("SELECT name'\\', %s", parameter_style::positional, 1));
static_assert(has_none("SELECT U&'%s', B'01', X':a'"));
static_assert(has_none("SELECT \"$1 %s :a\", \"a\"\"%s\""));
static_assert(is("SELECT \"\\\", %s", parameter_style::positional, 1));
static_assert(has_none("SELECT 'never ended %s"));

// Dollar quotes.
static_assert(has_none("SELECT $$ $1 %s :a ' $$"));
static_assert(has_none("SELECT $tag$ $$ %s $other$ $tag$"));
static_assert(has_none("SELECT $_t1$%s$_t1$"));
static_assert(is("SELECT $a$%s$b$ %s $a$, %s", parameter_style::positional, 1));
static_assert(has_none("SELECT a$1, a$b$, b$2$c FROM a$1"));
static_assert(has_none("DO $body$ BEGIN PERFORM $1; END $body$"));
static_assert(has_none("SELECT $$ never ended %s"));

// Comments.
static_assert(has_none("SELECT 1 -- %s :a $1 '"));
static_assert(is("SELECT 1 -- '\n, %s", parameter_style::positional, 1));
static_assert(has_none("SELECT /* %s ' */ 1"));
static_assert(is("/* a /* :b */ :c */ SELECT :d", parameter_style::colon, 1));
static_assert(is("SELECT 6 / 2 * %s", parameter_style::positional, 1));
static_assert(is("SELECT 6 - %s", parameter_style::positional, 1));
static_assert(has_none("SELECT 1 /* never ended %s"));

// What looks like a parameter and is none.
static_assert(has_none("SELECT a::text, 1::int, '1'::int, (a)::text, a[1]::text, $$1$$::int"));
static_assert(has_none("SELECT f(a := 1, b:=2)"));
static_assert(has_none("SELECT a[1:2], a[:2], a[1:], a[:], a[b:c], a[f(1):b], a[b[1]:c]"));
static_assert(has_none("SELECT a->'b', a->>'b', a#>'{b}', a#>>'{b}', a @> b, a ? 'b', a ?| b, a ?& b, a @? '$.b', a - 'b'"));
static_assert(has_none("SELECT a % 2, 5%2, a % s2, a %sum, a <% b, a %> b, 5 % (2), 5 %(2)"));
static_assert(is("SELECT :a::int", parameter_style::colon, 1));
static_assert(is("SELECT %s::int", parameter_style::positional, 1));
static_assert(is("SELECT f(a => :a, b := :b)", parameter_style::colon, 2));
static_assert(is("SELECT %(a)s % %(b)s", parameter_style::pyformat, 2));
static_assert(is("SELECT 5 %% %s", parameter_style::positional, 1));

// Two styles.
static_assert(mixes("SELECT $1, %s"));
static_assert(mixes("SELECT %s, :a"));
static_assert(mixes("SELECT :a, %(a)s"));
static_assert(mixes("SELECT %(a)s, %s"));
static_assert(mixes("SELECT %(a)s, $1"));
static_assert(!mixes("SELECT $1, '%s', \":a\""));

struct Renamed {
    std::int32_t id;
    std::string full_name;
    std::optional<std::int32_t> age;

    static constexpr auto isorow_table() {
        return isorow::table("renamed").primary_key<&Renamed::id>().column<&Renamed::full_name>({.name = "name"});
    }
};

struct User {
    std::int32_t id;
    std::string name;
};

/// What is known of a statement that was put together by chance.
struct assembled {
    std::string sql;
    std::string expected;
    std::size_t signs = 0;
    std::vector<std::string> names;
};

class assembler {
public:
    explicit assembler(std::uint32_t seed) : random_(seed) {}

    assembled make() {
        assembled made;
        auto const style = static_cast<parameter_style>(1 + below(4));
        auto const count = below(12);
        for (std::size_t i = 0; i < count; ++i) {
            if (below(3) == 0) {
                add_sign(made, style);
            } else {
                auto const piece = quoted();
                made.sql += piece;
                made.expected += piece;
            }
            auto const* const between = blanks_[below(blanks_.size())];
            made.sql += between;
            made.expected += between;
        }
        return made;
    }

private:
    std::size_t below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_); }

    void add_sign(assembled& made, parameter_style style) {
        ++made.signs;
        if (style == parameter_style::numbered) {
            auto const sign = "$" + std::to_string(1 + below(3));
            made.sql += sign;
            made.expected += sign;
        } else if (style == parameter_style::positional) {
            made.sql += "%s";
            made.expected += "$" + std::to_string(made.signs);
        } else {
            auto const name = std::string(1, static_cast<char>('a' + below(3)));
            auto found = std::find(made.names.begin(), made.names.end(), name);
            if (found == made.names.end()) found = made.names.insert(found, name);
            made.sql += style == parameter_style::colon ? ":" + name : "%(" + name + ")s";
            made.expected += "$" + std::to_string(found - made.names.begin() + 1);
        }
    }

    /// Anything, without the parts that are forbidden in it.
    std::string stuff(std::vector<std::string_view> const& forbidden) {
        static constexpr std::string_view parts[] = {"%s", "%(a)s", ":a", "$1", "$$", "$t$", "'",  "\"",      "\\",
                                                     "--", "/*",    "*/", "\n", "%%", "::",  ":=", " words ", "ü"};
        std::string made;
        for (auto count = below(6); count > 0; --count) {
            auto const part = parts[below(std::size(parts))];
            if (std::find(forbidden.begin(), forbidden.end(), part) == forbidden.end()) made += part;
        }
        return made;
    }

    static std::string doubled(std::string const& text, std::string_view characters) {
        std::string made;
        for (char const one : text) made.append(characters.find(one) == std::string_view::npos ? 1 : 2, one);
        return made;
    }

    std::string quoted() {
        switch (below(8)) {
            case 0:
                return "'" + doubled(stuff({}), "'") + "'";
            case 1:
                // With an operator behind it: the next line's string would go on with this one's escapes.
                return "E'" + doubled(stuff({}), "'\\") + "\\'' ||";
            case 2:
                return "\"" + doubled(stuff({}), "\"") + "\"";
            case 3:
                return "$$" + stuff({"$$", "$t$", "$1"}) + "$$";
            case 4:
                return "$t$" + stuff({"$t$", "$1"}) + "$t$";
            case 5:
                return "--" + stuff({"\n"}) + "\n";
            case 6:
                return "/*" + stuff({"/*", "*/"}) + "/* " + stuff({"/*", "*/"}) + " */ */";
            default: {
                static constexpr std::string_view harmless[] = {"a::int", "f(a := 1)", "b[1:2]",    "c->>'d'",
                                                                "e % 2",  "g$1",       "3 - 4 / 5", "{}"};
                return std::string(harmless[below(std::size(harmless))]);
            }
        }
    }

    static constexpr std::array<char const*, 5> blanks_{" ", "\n", "\t", " , ", " ( "};
    std::mt19937 random_;
};

}  // namespace

TEST_CASE("each style becomes the server's own") {
    CHECK(translated("SELECT %s, %s") == "SELECT $1, $2");
    CHECK(translated("SELECT %(b)s, %(a)s") == "SELECT $1, $2");
    CHECK(translated("SELECT :b, :a") == "SELECT $1, $2");
}

TEST_CASE("a name that occurs twice has one number") {
    CHECK(translated("SELECT :b, :a, :b") == "SELECT $1, $2, $1");
    CHECK(isorow::detail::translate("SELECT %(b)s, %(a)s, %(b)s").names == std::vector<std::string>{"b", "a"});
}

TEST_CASE("a doubled percent sign becomes one in the styles with percent signs") {
    CHECK(translated("SELECT 7 %% %s") == "SELECT 7 % $1");
    CHECK(translated("SELECT 7 %% %(a)s, '%%'") == "SELECT 7 % $1, '%%'");
}

TEST_CASE("a doubled percent sign stays as it is in the styles without percent signs") {
    CHECK(isorow::detail::prepared_text(std::string("SELECT a %% $1"), 1, false).text() == "SELECT a %% $1");
    CHECK(isorow::detail::prepared_text(std::string("SELECT a %% :b"), 1, true).text() == "SELECT a %% $1");
}

TEST_CASE("a line comment ends at a carriage return too, as the server has it") { CHECK(shape_of("SELECT 1 -- ' \r, %s").count == 1); }

TEST_CASE("a string that goes on in the next line keeps the escapes of its beginning") {
    CHECK(shape_of("SELECT E'a'\n'\\'%s', 1").count == 0);
}

TEST_CASE("the server takes every style") {
    auto connection = test::connect();
    CHECK(isorow::scalar<std::int32_t>(connection, "SELECT $1 - $2", 7, 2) == 5);
    CHECK(isorow::scalar<std::int32_t>(connection, "SELECT %s - %s", 7, 2) == 5);
    CHECK(isorow::scalar<std::int32_t>(connection, "SELECT %(a)s - %(b)s", arg("b", 2), arg("a", 7)) == 5);
    CHECK(isorow::scalar<std::int32_t>(connection, "SELECT :a - :b", arg("b", 2), arg("a", 7)) == 5);
    CHECK(isorow::scalar<std::int32_t>(connection, "SELECT 7 %% %s", 4) == 3);
}

TEST_CASE("the server sees strings, casts, slices and JSON operators as they were written") {
    auto connection = test::connect();
    CHECK(isorow::scalar<std::string>(connection, "SELECT '%s :a $2' || :b::text", arg("b", "!")) == "%s :a $2!");
    CHECK(isorow::scalar<std::int32_t>(connection, "SELECT cardinality((ARRAY[1,2,3])[2:3]) + %s", 1) == 3);
    CHECK(isorow::scalar<std::string>(connection, "SELECT ('{\"a\": 1}'::jsonb ->> :key)", arg("key", "a")) == "1");
    CHECK(isorow::scalar<bool>(connection, "SELECT '{\"a\": 1}'::jsonb ? %s", "a"));
    CHECK(isorow::scalar<std::string>(connection, "SELECT $q$ :a %s $q$ || $1", "x") == " :a %s x");
}

TEST_CASE("a literal runs again and again, on several connections") {
    auto one = test::connect();
    auto other = test::connect();
    for (int i = 0; i < 10; ++i) {
        auto& connection = i % 2 == 0 ? one : other;
        CHECK(isorow::scalar<std::int32_t>(connection, "SELECT %s + 1", i) == i + 1);
    }
}

TEST_CASE("text without arguments is sent as it is") {
    auto connection = test::connect();
    CHECK(isorow::scalar<std::int32_t>(connection, "SELECT 7 % 4") == 3);
    CHECK(isorow::scalar<std::string>(connection, "SELECT '%%'") == "%%");
    CHECK_THROWS_AS(isorow::execute(connection, "SELECT 7 %% 4"), isorow::syntax_error_or_access_rule_violation);
}

TEST_CASE("a string that mixes styles is refused before it is sent, by their signs") {
    auto connection = test::connect();
    std::string const mixed = "SELECT %s, $1";
    CHECK_THROWS_MATCHES(isorow::execute(connection, mixed, 1, 2), isorow::usage_error, test::says("mixes %s and $1"));
    CHECK_THROWS_MATCHES(isorow::execute(connection, std::string("SELECT :a, %(b)s"), arg("a", 1), arg("b", 2)), isorow::usage_error,
                         test::says("mixes :name and %(name)s"));
    CHECK(connection.is_idle());
}

TEST_CASE("a modulo sign that looks like a parameter gets the advice to add a blank") {
    auto connection = test::connect();
    CHECK_THROWS_MATCHES(isorow::execute(connection, std::string("SELECT $1 %s FROM t s"), 1), isorow::usage_error, test::says("% s"));
}

TEST_CASE("arguments that are too few or too many are counted in the error") {
    auto connection = test::connect();
    CHECK_THROWS_MATCHES(isorow::execute(connection, "SELECT %s, %s", 1), isorow::usage_error,
                         test::says("takes 2 parameters, but 1 arguments are given"));
    CHECK_THROWS_MATCHES(isorow::execute(connection, "SELECT $1", 1, 2), isorow::usage_error,
                         test::says("takes 1 parameters, but 2 arguments are given"));
    CHECK_THROWS_MATCHES(isorow::execute(connection, "SELECT 1", 1), isorow::usage_error, test::says("takes 0 parameters"));
}

TEST_CASE("names and places do not go together") {
    auto connection = test::connect();
    CHECK_THROWS_MATCHES(isorow::execute(connection, "SELECT %s", arg("a", 1)), isorow::usage_error, test::says("names no parameter"));
    CHECK_THROWS_MATCHES(isorow::execute(connection, "SELECT :a", 1), isorow::usage_error, test::says("parameters have names"));
}

TEST_CASE("a struct's fields are the arguments of their names, and it may have more of them") {
    auto connection = test::connect();
    User const user{7, "Ada"};
    CHECK(isorow::scalar<std::string>(connection, "SELECT :name::text", user) == "Ada");
    CHECK(isorow::scalar<std::string>(connection, "SELECT %(name)s || %(id)s", user) == "Ada7");
}

TEST_CASE("a field is named as in the struct or as its column") {
    auto connection = test::connect();
    Renamed const row{7, "Ada", {}};
    CHECK(isorow::scalar<std::string>(connection, "SELECT :full_name::text", row) == "Ada");
    CHECK(isorow::scalar<std::string>(connection, "SELECT :name::text", row) == "Ada");
}

TEST_CASE("an empty optional field is NULL") {
    auto connection = test::connect();
    CHECK(isorow::scalar<bool>(connection, "SELECT :age::int IS NULL", Renamed{7, "Ada", {}}));
}

TEST_CASE("a parameter that the struct has no field for is named, with the nearest one") {
    auto connection = test::connect();
    CHECK_THROWS_MATCHES(isorow::execute(connection, "SELECT :nmae", User{7, "Ada"}), isorow::usage_error,
                         test::says("User has no field \"nmae\" for the parameter of that name; did you mean \"name\"?"));
}

TEST_CASE("an argument whose name no parameter has is named, with the nearest one") {
    auto connection = test::connect();
    CHECK_THROWS_MATCHES(isorow::execute(connection, "SELECT :email", arg("emial", "x")), isorow::usage_error,
                         test::says("no parameter named \"emial\"; did you mean \"email\"?"));
}

TEST_CASE("an argument that no parameter uses is an error") {
    auto connection = test::connect();
    CHECK_THROWS_MATCHES(isorow::execute(connection, "SELECT :a", arg("a", 1), arg("unneeded", 2)), isorow::usage_error,
                         test::says("no parameter named \"unneeded\""));
}

TEST_CASE("a parameter without its argument is named") {
    auto connection = test::connect();
    CHECK_THROWS_MATCHES(isorow::execute(connection, "SELECT :a, :b", arg("a", 1)), isorow::usage_error,
                         test::says("no argument is given for the parameter \"b\""));
}

TEST_CASE("a name that occurs twice is bound once") {
    auto connection = test::connect();
    isorow::bound_statement const bound(connection, connection.default_limits(), "SELECT :a + :b + :a", arg("a", 1), arg("b", 10));
    CHECK(bound.sql() == "SELECT $1 + $2 + $1");
    CHECK(bound.values().size() == 2);
    CHECK(isorow::scalar<std::int32_t>(connection, "SELECT :a + :b + :a", arg("a", 1), arg("b", 10)) == 12);
}

TEST_CASE("a value that cannot be bound is told by its parameter's name") {
    auto connection = test::connect();
    std::string const nul("a\0b", 3);
    CHECK_THROWS_MATCHES(isorow::execute(connection, "SELECT :word", arg("word", nul)), isorow::unrepresentable,
                         test::says("parameter word"));
    CHECK_THROWS_MATCHES(isorow::execute(connection, "SELECT :name", User{1, nul}), isorow::unrepresentable, test::says("User.name"));
}

TEST_CASE("statements put together by chance are taken apart again") {
    int const rounds = std::getenv("ISOROW_LONG") != nullptr ? 10'000 : 500;
    assembler make(20'250'101);
    for (int round = 0; round < rounds; ++round) {
        auto const made = make.make();
        auto const shape = shape_of(made.sql);
        INFO("round " << round << ": " << made.sql);
        REQUIRE(shape.other == parameter_style::none);
        if (shape.style == parameter_style::numbered) {
            REQUIRE(made.sql == made.expected);
            continue;
        }
        REQUIRE(shape.count == made.signs);
        auto const found = isorow::detail::translate(made.sql);
        REQUIRE(found.text == made.expected);
        REQUIRE(found.names == made.names);
    }
}
