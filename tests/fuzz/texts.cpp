// What reads text: JSON, SQL with parameters, types and names as SQL writes them, numbers.

#include <fuzz/target.hpp>
#include <isorow/json.hpp>
#include <isorow/query/sql_text.hpp>
#include <isorow/schema/identifier.hpp>
#include <isorow/schema/type_change.hpp>
#include <isorow/types/lsn.hpp>
#include <isorow/types/numeric.hpp>
#include <isorow/types/uuid.hpp>
#include <json/structs.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

/// What is read from JSON is written as JSON that is read as the same. The text of a numeric may be longer than what it was read from.
template <class T, bool HasNumerics = false>
void run_json(fuzz::input bytes) {
    T const value = isorow::from_json_text<T>(fuzz::text_of(bytes));
    std::optional<fuzz::uncounted> texts_of_numbers;
    if (HasNumerics) texts_of_numbers.emplace();
    std::string text;
    if (!fuzz::is_encoded([&] { text = isorow::to_json_text(value); })) return;
    T const again = isorow::from_json_text<T>(text);
    fuzz::require(isorow::to_json_text(again) == text, "the document is another one when it is written and read");
}

fuzz::registered const any_json("json", &run_json<boost::json::value>,
                                fuzz::texts({"{\"a\": [1, -2.5e3, \"x\\u00e4\\ud834\\udd1e\"], \"b\": {}}", "null", "[true, false]",
                                             "\"\\n\"", "18446744073709551615", "[[[]]]"}));

fuzz::registered const json_struct("json-struct", &run_json<test::Everything>, [] {
    test::Everything all;
    all.text = "a\nä";
    all.numbers = {1.5, std::nullopt};
    all.addresses = {{"home", {{"Main", 5}, "Berlin", true}}};
    all.shapes = {test::Circle{2}, std::string("text"), std::monostate{}};
    all.tree = {"root", {{"leaf", {}}}};
    all.anything = {{"a", nullptr}};
    return std::vector<fuzz::bytes>{fuzz::bytes_of(isorow::to_json_text(all)), fuzz::bytes_of(isorow::to_json_text(test::Everything{}))};
});

struct Times {
    std::chrono::sys_days day;
    std::chrono::sys_time<std::chrono::microseconds> at;
    std::optional<isorow::uuid> id;
    isorow::numeric price;
};

fuzz::registered const json_times(
    "json-times", &run_json<Times, true>,
    fuzz::texts(
        {R"({"day": "2026-11-20", "at": "2026-11-20T22:10:00.25+00:00", "id": "550e8400-e29b-41d4-a716-446655440000", "price": 1.50})",
         R"({"day": "0044-03-15", "at": "1969-12-31T23:59:59Z", "id": null, "price": -1e3})"}));

/// The pieces are the statement, and its translation has as many parameters as were counted.
void run_sql(fuzz::input bytes) {
    auto const sql = fuzz::text_of(bytes);
    isorow::detail::sql_tokenizer tokens(sql);
    std::size_t taken = 0;
    for (auto piece = tokens.next(); !piece.text.empty(); piece = tokens.next()) {
        fuzz::require(sql.substr(taken, piece.text.size()) == piece.text, "a piece does not stand where it should");
        taken += piece.text.size();
    }
    fuzz::require(taken == sql.size(), "the pieces are not the whole statement");
    auto const shape = isorow::detail::shape_of(sql);
    auto const translated = isorow::detail::translate(sql);
    if (shape.style == isorow::parameter_style::none || shape.other != isorow::parameter_style::none) return;
    fuzz::require(translated.names.size() <= shape.count, "more names than signs");
    isorow::detail::prepared_text const prepared(isorow::sql_text(sql), shape.count, !translated.names.empty());
    if (shape.style != isorow::parameter_style::numbered) fuzz::require(prepared.text() == translated.text, "two translations differ");
}

fuzz::registered const sql("sql", &run_sql,
                           fuzz::texts({"SELECT * FROM t WHERE a = $1 AND b = $2::int", "SELECT %s, '%s', %% -- %s\n, %s",
                                        "SELECT %(a)s, %(b)s, %(a)s", "SELECT :a, x::text, y := 1, a[: n] /* :b /* */ */",
                                        "SELECT $tag$ :a $tag$, E'\\'%s', \"q\"\"%s\""}));

/// A type that is read is written so that it is read as the same.
void run_type(fuzz::input bytes) {
    isorow::column_type type;
    isorow::column_type again;
    if (isorow::parse_column_type(fuzz::text_of(bytes), type)) {
        fuzz::require(isorow::parse_column_type(to_sql(type), again), "a type as isorow writes it is not read: " + to_sql(type));
        fuzz::require(type == again, "the type is another one when it is written and read: " + to_sql(type));
    }
    if (isorow::read_live_type(fuzz::text_of(bytes), type)) {
        fuzz::require(isorow::read_live_type(to_sql(type), again), "a live type as isorow writes it is not read: " + to_sql(type));
        fuzz::require(type == again, "the live type is another one when it is written and read: " + to_sql(type));
    }
}

fuzz::registered const type("type", &run_type,
                            fuzz::texts({"integer", "numeric(10, 2)", "varchar(32)", "timestamp(3) with time zone", "real[]", "vector(384)",
                                         "time without time zone", "bit varying(5)", "int4multirange", "double precision[]"}));

/// A name in quotes has nothing but pairs of quotes inside.
void run_identifier(fuzz::input bytes) {
    auto const name = fuzz::text_of(bytes);
    auto const quoted = isorow::quote_identifier(name);
    std::string read;
    for (std::size_t i = 1; i + 1 < quoted.size(); ++i) {
        read += quoted[i];
        if (quoted[i] == '"') fuzz::require(quoted[++i] == '"' && i + 1 < quoted.size(), "a name ends its quotes");
    }
    fuzz::require(read == name, "the name is another one within quotes");
}

fuzz::registered const identifier("identifier", &run_identifier, fuzz::texts({"products", "a \"b\" c", "Grüße", "\"", "x;--"}));

void run_numeric(fuzz::input bytes) {
    auto const value = isorow::numeric::parse(fuzz::text_of(bytes));
    if (!value) return;
    fuzz::uncounted const texts;
    auto const text = to_string(*value);
    auto const again = isorow::numeric::parse(text);
    fuzz::require(again.has_value() && *again == *value && to_string(*again) == text, "the number is another one: " + text.substr(0, 100));
}

fuzz::registered const numeric("text-numeric", &run_numeric,
                               fuzz::texts({"12.50", "-0.00010", "1e-3", "NaN", "Infinity", "-inf", "99999999.9"}));

void run_small(fuzz::input bytes) {
    auto const text = fuzz::text_of(bytes);
    if (auto const value = isorow::uuid::parse(text))
        fuzz::require(isorow::uuid::parse(to_string(*value)) == value, "the uuid is another one");
    auto const place = isorow::lsn::parse(text);
    fuzz::require(isorow::lsn::parse(place.to_string()) == place, "the place in the WAL is another one");
}

fuzz::registered const small("text-uuid-lsn", &run_small,
                             fuzz::texts({"550e8400-e29b-41d4-a716-446655440000", "550e8400e29b41d4a716446655440000", "16/B374D848",
                                          "0/0"}));

}  // namespace
