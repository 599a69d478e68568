// Dynamic values go into a table of the server by binary COPY, are printed there, and come back in binary.

#include <catch2/catch_test_macros.hpp>

#include <isorow/codec/copy_format.hpp>
#include <isorow/codec/dynamic_row.hpp>
#include <isorow/codec/row_encoder.hpp>
#include <isorow/pq/copy.hpp>
#include <isorow/query/query.hpp>
#include <isorow/schema/ddl_statements.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>

#include <bit>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using isorow::column;
using isorow::column_type;
using isorow::dynamic_row;
using isorow::dynamic_value;
using isorow::json_text;
using isorow::not_null;
using isorow::null;
using isorow::numeric;
using isorow::table_schema;
using isorow::type_id;
using isorow::unrepresentable;

namespace {

column_type type_of(std::string_view sql) {
    column_type type;
    REQUIRE(isorow::parse_column_type(sql, type));
    return type;
}

std::vector<std::byte> encoded(dynamic_value const& value, column_type const& type) {
    isorow::byte_writer out;
    isorow::encode_value(value, type, out);
    return {out.bytes().begin(), out.bytes().end()};
}

std::vector<std::byte> encoded(dynamic_value const& value, std::string_view sql) { return encoded(value, type_of(sql)); }

template <class... Words>
std::vector<std::byte> words(Words... numbers) {
    isorow::byte_writer out;
    (out.put_int32(static_cast<std::int32_t>(numbers)), ...);
    return {out.bytes().begin(), out.bytes().end()};
}

/// A database with pgvector and citext, and tables of one column in it.
struct table_of_one : test::database {
    isorow::connection connection = test::connect(dsn());

    table_of_one() {
        for (auto const* const statement :
             {"CREATE EXTENSION vector", "CREATE EXTENSION citext", "SET timezone = 'UTC'", "SET client_min_messages = warning"})
            isorow::execute(connection, statement);
    }

    /// Sends the value by COPY. Returns it as it came back, and as the server prints it.
    std::pair<dynamic_value, std::string> sent(std::string const& type, dynamic_value const& value) {
        table_schema const schema = table_schema{{{"c", column{type}}}}.named("public", "one");
        isorow::execute(connection, "DROP TABLE IF EXISTS one");
        isorow::execute(connection, isorow::create_table_sql(schema.description()));
        send(schema, {{{"c", value}}});
        auto const printed = isorow::query_one<std::optional<std::string>>(connection, "SELECT c::text FROM one");
        return {back(schema.columns()[0].type), printed.value_or("NULL")};
    }

    void send(table_schema const& schema, std::vector<dynamic_row> const& rows) {
        isorow::row_encoder<dynamic_row> const encoder(schema);
        isorow::copy_in copy(connection, "COPY one FROM STDIN (FORMAT binary)");
        isorow::copy_format::put_header(copy.buffer());
        for (auto const& row : rows) encoder.encode(row, copy.buffer());
        isorow::copy_format::put_trailer(copy.buffer());
        copy.finish();
    }

    dynamic_value back(column_type const& type) {
        isorow::copy_out copy(connection, "COPY one TO STDOUT (FORMAT binary)");
        dynamic_value value;
        bool header = true;
        for (auto message = copy.next(); message.data() != nullptr; message = copy.next()) {
            isorow::byte_reader in(message);
            if (std::exchange(header, false)) isorow::copy_format::take_header(in);
            if (in.remaining() == 0 || isorow::copy_format::take_trailer(in)) continue;
            static_cast<void>(in.take_int16());
            if (auto const length = in.take_int32(); length >= 0)
                value = isorow::decode_value(type, in.take_bytes(static_cast<std::size_t>(length)));
        }
        return value;
    }

    void check(std::string const& type, dynamic_value const& value, std::string const& printed) {
        CAPTURE(type, printed);
        auto const result = sent(type, value);
        CHECK(result.first == value);
        CHECK(result.second == printed);
    }
};

}  // namespace

TEST_CASE("a dynamic row gives its values by name") {
    dynamic_row const row{{"category", "lamps"},
                          {"name", "torch"},
                          {"price", *numeric::parse("39.5")},
                          {"embedding", std::vector<float>{0.5f, 1}},
                          {"note", null}};
    CHECK(row["name"].as<std::string>() == "torch");
    CHECK(row["price"].as<double>() == 39.5);
    CHECK(row["embedding"].as<std::vector<float>>() == std::vector{0.5f, 1.0f});
    CHECK(row["note"].is_null());
    CHECK(row["note"].as<std::optional<std::int32_t>>() == std::nullopt);
    CHECK(row.size() == 5);
}

TEST_CASE("the values of a dynamic row stand in the order in which they were given") {
    dynamic_row row{{"b", 1}, {"a", 2}};
    row.set("c", 3);
    row.set("b", "one");
    std::string names;
    for (auto const& [name, value] : row) names += name + "=" + to_string(value) + " ";
    CHECK(names == "b=one a=2 c=3 ");
    CHECK(row.at(2).name == "c");
}

TEST_CASE("a name that the row does not have is an error that says what may have been meant") {
    dynamic_row const row{{"category", "lamps"}, {"price", 39.5}};
    CHECK_THROWS_MATCHES(row["prize"], isorow::usage_error, test::says("the row has no column \"prize\"; did you mean \"price\"?"));
    CHECK(row.find("prize") == nullptr);
    CHECK(row.find("price")->value == 39.5);
}

TEST_CASE("a row with two values for one column is an error") {
    CHECK_THROWS_MATCHES((dynamic_row{{"a", 1}, {"b", 2}, {"a", 3}}), isorow::usage_error,
                         test::says("the row has two values for the column \"a\""));
}

TEST_CASE("rows are equal where names, values and order are") {
    dynamic_row const row{{"a", 1}, {"b", null}};
    CHECK(row == dynamic_row{{"a", std::int16_t{1}}, {"b", std::optional<double>{}}});
    CHECK(row != dynamic_row{{"b", null}, {"a", 1}});
    CHECK(row != dynamic_row{{"a", 1.0}, {"b", null}});
}

TEST_CASE("a row is printed with names and values") {
    std::ostringstream out;
    out << dynamic_row{{"name", "torch"},
                       {"price", 39.5},
                       {"note", null},
                       {"tags", std::vector<std::string>{"a", "b"}},
                       {"embedding", std::vector<float>{0.1f}},
                       {"raw", std::vector{std::byte{0}, std::byte{255}}}}
        << dynamic_row{};
    CHECK(out.str() == "{name: torch, price: 39.5, note: NULL, tags: {a, b}, embedding: [0.1], raw: \\x00ff}{}");
}

TEST_CASE("a value that is not what is asked for is an error that names the column") {
    dynamic_row const row{{"name", "torch"}, {"count", 300}, {"ratio", 0.1}, {"tags", std::vector<std::string>{"a"}}, {"note", null}};
    CHECK_THROWS_MATCHES(row["name"].as<std::int32_t>(), unrepresentable, test::says("column \"name\": the value is text, not an integer"));
    CHECK_THROWS_MATCHES(row["count"].as<std::int8_t>(), unrepresentable,
                         test::says("column \"count\": 300 is out of the range of an integer of 1 bytes"));
    CHECK_THROWS_MATCHES(row["ratio"].as<float>(), unrepresentable, test::says("column \"ratio\": 0.1 is not exactly a float; use double"));
    CHECK_THROWS_MATCHES(row["tags"].as<std::vector<std::int64_t>>(), unrepresentable,
                         test::says("column \"tags\": element 0: the value is text, not an integer"));
    CHECK_THROWS_MATCHES(row["note"].as<std::string>(), unrepresentable, test::says("column \"note\": the value is NULL, not text"));
}

TEST_CASE("numbers are read as other numbers where they are the same there") {
    CHECK(dynamic_value(7).as<double>() == 7.0);
    CHECK(dynamic_value(7).as<numeric>() == numeric(7));
    CHECK(dynamic_value(7).as<std::uint8_t>() == 7);
    CHECK(dynamic_value(1.5).as<float>() == 1.5f);
    CHECK(dynamic_value(*numeric::parse("0.1")).as<double>() == 0.1);
    CHECK_THROWS_AS(dynamic_value(std::int64_t{1} << 60 | 1).as<double>(), unrepresentable);
    CHECK_THROWS_AS(dynamic_value(1.0).as<std::int64_t>(), unrepresentable);
    CHECK_THROWS_AS(dynamic_value(*numeric::parse("1e400")).as<double>(), unrepresentable);
    CHECK(std::isnan(dynamic_value(numeric::nan()).as<double>()));
}

TEST_CASE("an unsigned integer beyond 64 bits with sign is a numeric") {
    CHECK(dynamic_value(std::uint64_t{5}).kind() == isorow::value_kind::integer);
    auto const value = dynamic_value(std::numeric_limits<std::uint64_t>::max());
    CHECK(value.as<numeric>() == *numeric::parse("18446744073709551615"));
}

TEST_CASE("a value is made of each type that a field may have, and read as it") {
    using moment = std::chrono::sys_time<std::chrono::microseconds>;
    using local = std::chrono::local_time<std::chrono::microseconds>;
    auto const check = [](auto const& value) { CHECK(dynamic_value(value).template as<std::remove_cvref_t<decltype(value)>>() == value); };
    check(true);
    check(std::int16_t{-3});
    check(2.5f);
    check(std::string("text"));
    check(std::vector{std::byte{1}});
    check(isorow::uuid{});
    check(std::chrono::sys_days{2026y / 11 / 20});
    check(std::chrono::year_month_day{2026y / 11 / 20});
    check(isorow::time(13h));
    check(isorow::timetz(isorow::time(13h), 2h));
    check(moment(7us));
    check(local(7us));
    check(isorow::timestamp::infinity());
    check(std::chrono::microseconds(5));
    check(isorow::interval(1, 2, 3));
    check(json_text{"{}"});
    check(isorow::other_text{"inet", "10.0.0.1"});
    check(isorow::vector<2>{1, 2});
    check(isorow::halfvec<2>{1, 2});
    check(std::vector<std::int32_t>{1, 2});
    check(std::vector<bool>{true, false});
    check(std::vector<std::optional<std::string>>{"a", std::nullopt});
    check(std::optional<std::string>{"a"});
    check(std::optional<std::string>{});
    CHECK(dynamic_value(isorow::annotated<std::string, isorow::pg_type<"varchar(3)">>("a")).as<std::string>() == "a");
    CHECK(dynamic_value(std::string_view("a")) == dynamic_value("a"));
    CHECK_THROWS_AS(dynamic_value(isorow::interval(1, 0, 0)).as<std::chrono::microseconds>(), unrepresentable);
    CHECK_THROWS_AS(dynamic_value(std::chrono::year_month_day{2026y / 2 / 30}), unrepresentable);
    CHECK_THROWS_AS(dynamic_value(std::vector<float>{1}).as<isorow::vector<2>>(), unrepresentable);
}

TEST_CASE("documents, and values of types that are not known, are read as their text") {
    CHECK(dynamic_value(json_text{"{}"}).as<std::string>() == "{}");
    CHECK(dynamic_value(isorow::other_text{"inet", "10.0.0.1"}).as<std::string>() == "10.0.0.1");
    CHECK(dynamic_value(isorow::other_text{"inet", "10.0.0.1"}).kind_name() == "a value of type inet");
}

TEST_CASE_METHOD(table_of_one, "each kind of value goes to a table and back") {
    check("boolean", true, "true");
    check("smallint", -32768, "-32768");
    check("integer", 2'147'483'647, "2147483647");
    check("bigint", std::numeric_limits<std::int64_t>::min(), "-9223372036854775808");
    check("real", 1.5, "1.5");
    check("double precision", 0.1, "0.1");
    check("numeric", *numeric::parse("-12345678901234567890.50"), "-12345678901234567890.50");
    check("text", "Grüße, 世界", "Grüße, 世界");
    check("varchar(3)", "äöü", "äöü");
    check("character(3)", "abc", "abc");
    check("name", "a name", "a name");
    check("citext", "Ab", "Ab");
    check("xml", "<a/>", "<a/>");
    check("json", json_text{R"({"b": 1,"a":2})"}, R"({"b": 1,"a":2})");
    check("jsonb", json_text{R"({"a": 2, "b": 1})"}, R"({"a": 2, "b": 1})");
    check("bytea", std::vector{std::byte{0}, std::byte{255}}, "\\x00ff");
    check("uuid", *isorow::uuid::parse("550e8400-e29b-41d4-a716-446655440000"), "550e8400-e29b-41d4-a716-446655440000");
    check("date", isorow::date(2026y / 11 / 20), "2026-11-20");
    check("date", isorow::date::infinity(), "infinity");
    check("time", isorow::time(24h), "24:00:00");
    check("timetz", isorow::timetz(isorow::time(12h), 2h), "12:00:00+02");
    check("timestamp", isorow::timestamp(isorow::timestamp::chrono_type(1'700'000'000'000'000us)), "2023-11-14 22:13:20");
    check("timestamptz", std::chrono::sys_time<std::chrono::microseconds>(-1us), "1969-12-31 23:59:59.999999+00");
    check("interval", isorow::interval(14, -3, 1'500'000), "1 year 2 mons -3 days +00:00:01.5");
    check("vector(3)", std::vector<float>{1.5f, -0.5f, 1e-30f}, "[1.5,-0.5,1e-30]");
    check("vector", std::vector<float>{1, 2}, "[1,2]");
    check("halfvec(2)", std::vector<float>{0.5f, 65504.0f}, "[0.5,65504]");
    check("integer", null, "NULL");
}

TEST_CASE_METHOD(table_of_one, "arrays go to a table and back, with NULLs, empty, and in several dimensions") {
    check("integer[]", std::vector<std::int32_t>{1, -2}, "{1,-2}");
    check("text[]", dynamic_value::array{"a", null, ""}, "{a,NULL,\"\"}");
    check("text[]", dynamic_value::array{}, "{}");
    check("boolean[]", std::vector<bool>{true, false}, "{t,f}");
    check("numeric[]", dynamic_value::array{*numeric::parse("1.50")}, "{1.50}");
    check("double precision[]", dynamic_value::array{0.5, null}, "{0.5,NULL}");
    check("uuid[]", dynamic_value::array{isorow::uuid{}}, "{00000000-0000-0000-0000-000000000000}");
    check("jsonb[]", dynamic_value::array{json_text{"1"}}, "{1}");
    check("integer[]", dynamic_value::array{dynamic_value::array{1, 2, 3}, dynamic_value::array{4, null, 6}}, "{{1,2,3},{4,NULL,6}}");
    auto const [value, printed] = sent("real[]", std::vector<float>{0.1f, 2});
    CHECK(printed == "{0.1,2}");
    CHECK(value.as<std::vector<float>>() == std::vector<float>{0.1f, 2});
}

TEST_CASE_METHOD(table_of_one, "values are stored as other types where they are the same there") {
    CHECK(sent("numeric", 7).first == numeric(7));
    CHECK(sent("double precision", 7).first == 7.0);
    CHECK(sent("real", 1 << 24).second == "1.6777216e+07");
    CHECK(sent("json", "[1]").first == json_text{"[1]"});
    CHECK(sent("timestamp", isorow::timestamptz(7)).first == isorow::timestamp(7));
    CHECK(sent("real", 0.1).second == "0.1");
}

TEST_CASE_METHOD(table_of_one, "whether a number fits into numeric(p,s) is told as the server does") {
    std::mt19937 random(20261121);
    auto const digits = [&](std::size_t most) {
        std::string text;
        for (std::size_t i = random() % (most + 1); i > 0; --i) text += "0159"[random() % 4];
        return text;
    };
    isorow::execute(connection,
                    "CREATE FUNCTION fits(n text, t text) RETURNS boolean LANGUAGE plpgsql AS"
                    " $$BEGIN EXECUTE format('SELECT %L::%s', n, t); RETURN true; EXCEPTION WHEN numeric_value_out_of_range"
                    " THEN RETURN false; END$$");
    std::size_t refused = 0;
    for (int i = 0; i < 300; ++i) {
        auto const number = (random() % 2 ? "-0" : "0") + digits(5) + "." + digits(5) + "0";
        auto const precision = 1 + random() % 5;
        auto const type = "numeric(" + std::to_string(precision) + "," + std::to_string(random() % 6) + ")";
        CAPTURE(number, type);
        bool fits = true;
        try {
            static_cast<void>(encoded(*numeric::parse(number), type));
        } catch (unrepresentable const&) {
            fits = false;
            ++refused;
        }
        CHECK(fits == isorow::query_one<bool>(connection, "SELECT fits($1, $2)", number, type));
    }
    CHECK(refused > 50);
    CHECK(refused < 250);
    CHECK_THROWS_MATCHES(encoded(*numeric::parse("99.995"), "numeric(4,2)"), unrepresentable,
                         test::says("99.995 is out of the range of numeric(4,2)"));
    CHECK_THROWS_AS(encoded(numeric::infinity(), "numeric(4,2)"), unrepresentable);
    CHECK_NOTHROW(encoded(numeric::nan(), "numeric(4,2)"));
}

TEST_CASE("a value of another kind than the column's is refused, and both are named") {
    CHECK_THROWS_MATCHES(encoded("39.5", "numeric"), unrepresentable, test::says("text cannot be stored as numeric"));
    CHECK_THROWS_MATCHES(encoded("2026-11-20", "date"), unrepresentable, test::says("text cannot be stored as date"));
    CHECK_THROWS_MATCHES(encoded(39.5, "numeric(10,2)"), unrepresentable,
                         test::says("a floating point number cannot be stored as numeric(10,2)"));
    CHECK_THROWS_MATCHES(encoded(1, "text"), unrepresentable, test::says("an integer cannot be stored as text"));
    CHECK_THROWS_MATCHES(encoded(1.0, "bigint"), unrepresentable, test::says("a floating point number cannot be stored as bigint"));
    CHECK_THROWS_MATCHES(encoded(1, "boolean"), unrepresentable, test::says("an integer cannot be stored as boolean"));
    CHECK_THROWS_MATCHES(encoded("{}", "jsonb"), unrepresentable, test::says("text cannot be stored as jsonb"));
    CHECK_THROWS_MATCHES(encoded(isorow::timestamp(1), "timestamptz"), unrepresentable,
                         test::says("a timestamp cannot be stored as timestamp with time zone"));
    CHECK_THROWS_MATCHES(encoded(isorow::other_text{"inet", "::1"}, "text"), unrepresentable,
                         test::says("a value of type inet cannot be stored as text"));
    CHECK_THROWS_MATCHES(encoded(dynamic_value::array{1, 2}, "vector(2)"), unrepresentable,
                         test::says("an array cannot be stored as vector(2)"));
    CHECK_THROWS_MATCHES(encoded(1, "integer[]"), unrepresentable, test::says("an integer cannot be stored as integer[]"));
    CHECK_THROWS_MATCHES(encoded(dynamic_value::array{1, "two"}, "integer[]"), unrepresentable,
                         test::says("element 1: text cannot be stored as integer"));
    CHECK_THROWS_MATCHES(encoded(null, "integer"), unrepresentable, test::says("NULL cannot be stored as integer"));
}

TEST_CASE("a value that the column has no room for is refused") {
    CHECK_THROWS_MATCHES(encoded(32'768, "smallint"), unrepresentable, test::says("32768 is out of the range of smallint"));
    CHECK_THROWS_MATCHES(encoded(std::int64_t{1} << 40, "integer"), unrepresentable, test::says("out of the range of integer"));
    CHECK_THROWS_MATCHES(encoded(1e39, "real"), unrepresentable, test::says("1e+39 is out of the range of real"));
    CHECK_THROWS_MATCHES(encoded((1 << 24) + 1, "real"), unrepresentable, test::says("16777217 is not exactly a real"));
    CHECK_THROWS_MATCHES(encoded("äöüß", "varchar(3)"), unrepresentable, test::says("the text has 4 characters, the column takes 3"));
    CHECK_THROWS_MATCHES(encoded(dynamic_value::array{"abc", "abcd"}, "varchar(3)[]"), unrepresentable,
                         test::says("element 1: the text has 4 characters, the column takes 3"));
    CHECK_THROWS_MATCHES(encoded(std::string(64, 'x'), "name"), unrepresentable, test::says("the text has 64 bytes, name takes 63"));
    CHECK_THROWS_MATCHES(encoded(std::vector<float>{1}, "vector(2)"), unrepresentable,
                         test::says("vector has 1 dimensions, the column has 2"));
    CHECK_THROWS_MATCHES(encoded(std::vector<float>{}, "vector"), unrepresentable, test::says("the vector has 0 dimensions"));
    CHECK_THROWS_MATCHES(encoded(std::vector<float>{NAN}, "vector(1)"), unrepresentable, test::says("vector element 0 is nan"));
    CHECK_THROWS_MATCHES(encoded(std::vector<float>{65520}, "halfvec(1)"), unrepresentable, test::says("which halfvec cannot hold"));
    CHECK_THROWS_MATCHES(encoded(std::string("a\0b", 3), "text"), unrepresentable, test::says("NUL byte at byte 1"));
    CHECK_THROWS_MATCHES(encoded(json_text{"\xff"}, "jsonb"), unrepresentable, test::says("not valid UTF-8 at byte 0"));
}

TEST_CASE("arrays that Postgres does not have are refused") {
    using array = dynamic_value::array;
    CHECK_THROWS_MATCHES(encoded(array{array{1, 2}, array{3}}, "integer[]"), unrepresentable,
                         test::says("element 1: the elements of one dimension are not all arrays of 2 elements"));
    CHECK_THROWS_MATCHES(encoded(array{array{1}, null}, "integer[]"), unrepresentable, test::says("not all arrays of 1 elements"));
    CHECK_THROWS_MATCHES(encoded(array{1, array{1}}, "integer[]"), unrepresentable,
                         test::says("element 1: an array cannot be stored as integer"));
    CHECK_THROWS_MATCHES(encoded(array{dynamic_value(array{})}, "integer[]"), unrepresentable, test::says("an empty array for an element"));
    dynamic_value deep = 1;
    for (int i = 0; i < 7; ++i) deep = array{deep};
    CHECK_THROWS_MATCHES(encoded(deep, "integer[]"), unrepresentable, test::says("the array has 7 dimensions; Postgres takes at most 6"));
    CHECK_THROWS_MATCHES(encoded(array{"a"}, "citext[]"), isorow::usage_error,
                         test::says("names the type citext, whose OID differs from database to database"));
}

TEST_CASE("every value that is cut or too long is malformed") {
    using array = dynamic_value::array;
    auto const refuse = [](std::string_view type, dynamic_value const& value, bool has_own_end = true) {
        CAPTURE(type);
        auto const whole = encoded(value, type);
        CHECK(isorow::decode_value(type_of(type), whole) == value);
        for (std::size_t size = has_own_end ? 0 : whole.size(); size < whole.size(); ++size) {
            // Memory of its own, so that a sanitizer sees a byte too far; not of size 0, which would be NULL.
            std::vector<std::byte> part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
            part.reserve(1);
            CAPTURE(size);
            CHECK_THROWS_AS(isorow::decode_value(type_of(type), std::span(part.data(), size)), isorow::malformed);
        }
        auto longer = whole;
        longer.push_back(std::byte{0});
        CHECK_THROWS_AS(isorow::decode_value(type_of(type), longer), isorow::malformed);
    };
    refuse("boolean", true);
    refuse("smallint", 1);
    refuse("integer", 1);
    refuse("bigint", 1);
    refuse("real", 1.5);
    refuse("double precision", 1.5);
    refuse("numeric", *numeric::parse("-12345678.9"));
    refuse("uuid", isorow::uuid{});
    refuse("date", isorow::date(5));
    refuse("time", isorow::time(3h));
    refuse("timetz", isorow::timetz(isorow::time(3h), 1h));
    refuse("timestamp", isorow::timestamp(7));
    refuse("timestamptz", isorow::timestamptz(7));
    refuse("interval", isorow::interval(1, 2, 3));
    refuse("vector", std::vector<float>{1, 2});
    refuse("vector(2)", std::vector<float>{1, 2});
    refuse("halfvec", std::vector<float>{1, 2});
    refuse("integer[]", array{1, null, 3});
    refuse("text[]", array{array{"a"}, array{"bc"}});
    refuse("text[]", array{});
}

TEST_CASE("no count from the wire is believed") {
    auto const decode = [](std::string_view type, std::vector<std::byte> const& bytes) {
        return isorow::decode_value(type_of(type), bytes);
    };
    CHECK_THROWS_MATCHES(decode("integer[]", words(1, 0, 23, 2'147'483'647, 1, 4, 7)), isorow::malformed,
                         test::says("an array of 2147483647 elements in 8 bytes"));
    CHECK_THROWS_MATCHES(decode("integer[]", words(2, 0, 23, 65'536, 1, 65'536, 1, 4, 7)), isorow::malformed,
                         test::says("an array of 65536"));
    CHECK_THROWS_MATCHES(decode("integer[]", words(2, 0, 23, 2'147'483'647, 1, 0, 1)), isorow::malformed,
                         test::says("an array of 2147483647"));
    CHECK_THROWS_MATCHES(decode("integer[]", words(2, 0, 23, 1, 1, 0, 1)), isorow::malformed, test::says("a dimension of 0 elements"));
    CHECK_THROWS_MATCHES(decode("integer[]", words(1, 0, 23, -1, 1)), isorow::malformed, test::says("a dimension of -1 elements"));
    CHECK_THROWS_MATCHES(decode("integer[]", words(7, 0, 23)), isorow::malformed, test::says("an array of 7 dimensions"));
    CHECK_THROWS_MATCHES(decode("integer[]", words(-1, 0, 23)), isorow::malformed, test::says("an array of -1 dimensions"));
    CHECK_THROWS_MATCHES(decode("integer[]", words(1, 0, 25, 1, 1, 4, 7)), isorow::malformed,
                         test::says("an array of elements of type 25, the column's are of type 23"));
    CHECK_THROWS_MATCHES(decode("integer[]", words(1, 0, 23, 1, 1, -2)), isorow::malformed, test::says("element 0: a length of -2"));
    CHECK_THROWS_MATCHES(decode("vector", words(0x7fff0000, 0)), isorow::malformed, test::says("a vector of 32767 dimensions"));
    CHECK_THROWS_MATCHES(decode("vector", words(0)), isorow::malformed, test::says("a vector of 0 dimensions"));
    CHECK_THROWS_MATCHES(decode("vector", words(-1)), isorow::malformed, test::says("a vector of -1 dimensions"));
    CHECK_THROWS_MATCHES(decode("vector(3)", encoded(std::vector<float>{1, 2}, "vector")), isorow::malformed,
                         test::says("vector has 2 dimensions"));
    CHECK_THROWS_MATCHES(decode("integer", words(1, 2)), isorow::malformed, test::says("a integer has 4 bytes, not 8"));
    CHECK_THROWS_MATCHES(decode("jsonb", std::vector{std::byte{2}, std::byte{'1'}}), isorow::malformed,
                         test::says("a jsonb value of version 2"));
}

TEST_CASE("random bytes are a value, malformed or unrepresentable, and nothing else") {
    std::mt19937 random(7);
    int decoded = 0;
    int refused = 0;
    for (int round = 0; round < 20'000; ++round) {
        std::vector<std::byte> bytes;
        bytes.reserve(40);
        bytes.resize(random() % 40);
        for (auto& byte : bytes) byte = static_cast<std::byte>(random() % 4 == 0 ? random() % 256 : random() % 3);
        column_type const type{static_cast<type_id>(random() % isorow::type_catalog.size()), random() % 2 == 0};
        try {
            static_cast<void>(to_string(isorow::decode_value(type, std::span(bytes.data(), bytes.size()))));
            ++decoded;
        } catch (isorow::value_error const&) {
            ++refused;
        }
    }
    CHECK(decoded > 0);
    CHECK(refused > 0);
}

TEST_CASE("a result's value is decoded by its OID, those of extensions by the type's name") {
    auto const text = encoded("10.0.0.1", "text");
    CHECK(isorow::decode_value(23, "integer", encoded(7, "integer")) == 7);
    CHECK(isorow::decode_value(1184, "timestamp(3) with time zone", encoded(isorow::timestamptz(7), "timestamptz")) ==
          isorow::timestamptz(7));
    CHECK(isorow::decode_value(1007, "", encoded(dynamic_value::array{1}, "integer[]")) == dynamic_value::array{1});
    CHECK(isorow::decode_value(16'500, "vector(2)", encoded(std::vector<float>{1, 2}, "vector")) == std::vector<float>{1, 2});
    CHECK(isorow::decode_value(16'600, "citext", text) == "10.0.0.1");
    CHECK(isorow::decode_value(25, "text", text) == "10.0.0.1");
    CHECK(isorow::decode_value(25, "", text) == "10.0.0.1");
    CHECK(isorow::decode_value(23, "integer", {}).is_null());
}

TEST_CASE("a value of a type that isorow does not know is read as the text that the query made of it") {
    auto const text = encoded("10.0.0.1", "text");
    CHECK(isorow::decode_value(25, "inet", text) == isorow::other_text{"inet", "10.0.0.1"});
    CHECK_THROWS_MATCHES(isorow::decode_value(600, "point", text), unrepresentable,
                         test::says("a value of type point can only be read as text; select it with ::text"));
}

TEST_CASE("texts of a dynamic row are cleaned, but those of the key") {
    table_schema const schema{{{"id", column{"text", not_null}}, {"note", column{"text"}}, {"tags", column{"text[]"}}},
                              isorow::primary_key{"id"}};
    std::string const dirty("a\0b\xff", 4);
    dynamic_row const row{{"id", dirty}, {"note", dirty}, {"tags", std::vector<std::optional<std::string>>{dirty, std::nullopt}}};
    auto const stripped = cleaned(row, schema, isorow::text_policy::strip);
    CHECK(stripped["note"].value == "ab");
    CHECK(stripped["tags"].value == dynamic_value::array{"ab", null});
    CHECK(stripped["id"].value == dirty);
    CHECK(cleaned(row, schema, isorow::text_policy::replace)["note"].value ==
          "a\xEF\xBF\xBD"
          "b\xEF\xBF\xBD");
    CHECK(cleaned(row, schema, isorow::text_policy::refuse) == row);
}
