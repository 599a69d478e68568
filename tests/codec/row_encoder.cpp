#include <catch2/catch_test_macros.hpp>

#include <isorow/codec/copy_format.hpp>
#include <isorow/codec/row_encoder.hpp>
#include <isorow/pq/copy.hpp>
#include <isorow/query/query.hpp>
#include <isorow/schema/ddl_statements.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

using isorow::column;
using isorow::dynamic_row;
using isorow::json_text;
using isorow::mismatch;
using isorow::not_null;
using isorow::null;
using isorow::numeric;
using isorow::pg_type;
using isorow::primary_key;
using isorow::row_encoder;
using isorow::table_schema;
using isorow::unrepresentable;

namespace {

struct Embedder {
    [[nodiscard]] isorow::vector_shape vector_schema() const { return {.size = 2}; }
};

struct Product {
    std::string category;
    std::string name;
    std::optional<double> price;
    isorow::vector<2> embedding;

    static consteval auto isorow_table() { return isorow::table("products").primary_key<&Product::name, &Product::category>(); }
};

/// The columns of Product's table in another order, of other C++ types, with a field more.
struct Offer {
    std::vector<float> embedding;
    std::int64_t stock;
    isorow::annotated<std::string, pg_type<"varchar(9)">> name;
    double price;
    std::string title;

    static consteval auto isorow_table() { return isorow::table("offers").column<&Offer::title>({.name = "category"}); }
};

/// What a table of all sorts of types is filled from.
struct Measurement {
    std::int64_t id;
    std::optional<std::int64_t> count;
    double value;
    std::chrono::sys_time<std::chrono::microseconds> at;
    std::vector<float> samples;
    std::vector<float> embedding;
    std::optional<numeric> amount;
    std::string label;
    std::vector<std::string> tags;
    json_text extra;
};

table_schema explicit_products() {
    return table_schema{{{"category", column{"text", not_null}},
                         {"name", column{"text", not_null}},
                         {"price", column{"double precision"}},
                         {"embedding", column{"vector(2)", not_null}}},
                        primary_key{"name", "category"}}
        .named("public", "products");
}

template <class Row>
std::vector<std::byte> image(row_encoder<Row> const& encoder, Row const& row) {
    isorow::byte_writer out;
    encoder.encode(row, out);
    return {out.bytes().begin(), out.bytes().end()};
}

std::vector<std::byte> own_image(Product const& row) {
    isorow::byte_writer out;
    isorow::encode_row<Product, isorow::row_order::key_first>(row, out);
    return {out.bytes().begin(), out.bytes().end()};
}

Product const lamp{"lamps", "torch", 39.5, {1, 2}};

/// A database with pgvector, in which rows are sent into a schema's table.
struct copied : test::database {
    isorow::connection connection = test::connect(dsn());

    copied() {
        isorow::execute(connection, "CREATE EXTENSION vector");
        isorow::execute(connection, "SET timezone = 'UTC'");
    }

    template <class Row>
    void send(table_schema const& schema, std::vector<Row> const& rows) {
        for (auto const& statement : isorow::ddl_statements(schema.description())) isorow::execute(connection, statement);
        row_encoder<Row> const encoder(schema);
        std::string columns;
        for (auto const place : encoder.places())
            columns.append(columns.empty() ? "" : ", ").append(isorow::quote_identifier(schema.columns()[place].name));
        isorow::copy_in copy(connection, isorow::text("COPY {} ({}) FROM STDIN (FORMAT binary)",
                                                      isorow::quote_identifier(schema.schema(), schema.name()), columns));
        isorow::copy_format::put_header(copy.buffer());
        for (auto const& row : rows) encoder.encode(row, copy.buffer());
        isorow::copy_format::put_trailer(copy.buffer());
        copy.finish();
    }

    std::string printed(std::string const& table) {
        return isorow::query_one<std::string>(connection, "SELECT string_agg(r::text, ' ' ORDER BY r::text) FROM " + table + " r");
    }
};

}  // namespace

TEST_CASE("a struct's row has the image that its own table has") {
    CHECK(image(row_encoder<Product>(table_schema::of<Product>()), lamp) == own_image(lamp));
    CHECK(image(row_encoder<Product>(explicit_products()), lamp) == own_image(lamp));
}

TEST_CASE("a dynamic row has the image of the struct's row with the same values, whatever their order") {
    row_encoder<dynamic_row> const encoder(table_schema::of<Product>());
    dynamic_row const row{{"category", "lamps"}, {"name", "torch"}, {"price", 39.5}, {"embedding", std::vector<float>{1, 2}}};
    dynamic_row const shuffled{{"embedding", std::vector<float>{1, 2}}, {"price", 39.5}, {"category", "lamps"}, {"name", "torch"}};
    CHECK(image(encoder, row) == own_image(lamp));
    CHECK(image(encoder, shuffled) == own_image(lamp));
}

TEST_CASE("another struct's row has that image too, its fields being found by their columns' names") {
    row_encoder<Offer> const encoder(table_schema::of<Product>());
    CHECK(image(encoder, Offer{{1, 2}, 3, {"torch"}, 39.5, "lamps"}) == own_image(lamp));
}

TEST_CASE("the columns of an image stand in the order that is asked for") {
    std::vector<std::uint16_t> const places{3, 0};
    row_encoder<Product> const encoder(table_schema::of<Product>(), places);
    row_encoder<dynamic_row> const dynamic(table_schema::of<Product>(), places);
    auto const written = image(encoder, lamp);
    CHECK(written.size() == 2 + 4 + 12 + 4 + 5);
    CHECK(written == image(dynamic, dynamic_row{{"embedding", std::vector<float>{1, 2}}, {"category", "lamps"}}));
    CHECK(std::vector(encoder.places().begin(), encoder.places().end()) == places);
}

TEST_CASE("places that the table does not have, or that stand twice, are errors") {
    CHECK_THROWS_MATCHES(row_encoder<Product>(table_schema::of<Product>(), std::vector<std::uint16_t>{0, 4}), isorow::usage_error,
                         test::says("a row's image has no place 4: the table has 4 columns"));
    CHECK_THROWS_MATCHES(row_encoder<dynamic_row>(table_schema::of<Product>(), std::vector<std::uint16_t>{1, 1}), isorow::usage_error,
                         test::says("a row's image has the column \"name\" twice"));
}

TEST_CASE_METHOD(copied, "the reference's table takes dynamic rows and structs") {
    table_schema const schema = table_schema{{{"category", column{"text", not_null}},
                                              {"name", column{"text", not_null}},
                                              {"price", column{"numeric"}},
                                              {"embedding", column{"vector(2)"}}},
                                             primary_key{"category", "name"}}
                                    .named("public", "products");
    send<dynamic_row>(
        schema, {{{"category", "lamps"}, {"name", "torch"}, {"price", *numeric::parse("39.50")}, {"embedding", isorow::vector<2>{1, 2}}},
                 {{"name", "candle"}, {"category", "lamps"}, {"price", 3}},
                 {{"category", "lamps"}, {"name", "match"}, {"price", null}, {"embedding", null}}});
    CHECK(printed("products") == "(lamps,candle,3,) (lamps,match,,) (lamps,torch,39.50,\"[1,2]\")");
}

TEST_CASE_METHOD(copied, "fields go into columns of the types that the overrides say") {
    auto const schema = table_schema::of<Measurement>({.primary_key = {"id"},
                                                       .column_overrides = {{"id", pg_type{"integer"}},
                                                                            {"count", pg_type{"smallint"}},
                                                                            {"value", pg_type{"real"}},
                                                                            {"at", pg_type{"timestamp"}},
                                                                            {"samples", pg_type{"double precision[]"}},
                                                                            {"embedding", Embedder{}},
                                                                            {"amount", pg_type{"numeric(6,2)"}},
                                                                            {"label", pg_type{"varchar(5)"}},
                                                                            {"tags", pg_type{"varchar(3)[]"}},
                                                                            {"extra", pg_type{"json"}}},
                                                       .table = "measurements"});
    send<Measurement>(schema, {{7, 3, 0.1, {}, {0.5f}, {1, 2}, *numeric::parse("1234.567"), "äöüßx", {"abc"}, {"[1, 2]"}},
                               {8, std::nullopt, 2, {}, {}, {3, 4}, std::nullopt, "", {}, {"{}"}}});
    CHECK(printed("measurements") ==
          "(7,3,0.1,\"1970-01-01 00:00:00\",{0.5},\"[1,2]\",1234.57,äöüßx,{abc},\"[1, 2]\")"
          " (8,,2,\"1970-01-01 00:00:00\",{},\"[3,4]\",,\"\",{},{})");
}

TEST_CASE_METHOD(copied, "half vectors and names are stored from structs") {
    struct Row {
        std::string id;
        std::vector<float> embedding;
    };
    auto const schema = table_schema::of<Row>(
        {.primary_key = {"id"},
         .column_overrides = {{"id", pg_type{"name"}}, {"embedding", isorow::vector_schema{2, isorow::vector_element::float16}}}});
    send<Row>(schema, {{"a", {0.5f, 2}}});
    CHECK(printed("\"row\"") == "(a,\"[0.5,2]\")");
    row_encoder<Row> const encoder(schema);
    isorow::byte_writer out;
    CHECK_THROWS_MATCHES(encoder.encode({"a", {65520, 0}}, out), unrepresentable, test::says("Row.embedding: vector element 0"));
    CHECK_THROWS_MATCHES(encoder.encode({std::string(64, 'x'), {0, 0}}, out), unrepresentable,
                         test::says("Row.id: the text has 64 bytes, name takes 63"));
}

TEST_CASE("a value that its column has no room for is refused with struct and field, and nothing is written") {
    auto const schema = table_schema::of<Measurement>({.primary_key = {"id"},
                                                       .column_overrides = {{"count", pg_type{"smallint"}},
                                                                            {"value", pg_type{"real"}},
                                                                            {"samples", pg_type{"real[]"}},
                                                                            {"embedding", Embedder{}},
                                                                            {"amount", pg_type{"numeric(4,2)"}},
                                                                            {"label", pg_type{"varchar(3)"}}}});
    row_encoder<Measurement> const encoder(schema);
    isorow::byte_writer out;
    Measurement const good{1, 2, 3, {}, {}, {1, 2}, 4, "abc", {}, {"{}"}};
    encoder.encode(good, out);
    auto const size = out.size();
    auto const refused = [&](auto change, std::string const& message) {
        auto row = good;
        change(row);
        CHECK_THROWS_MATCHES(encoder.encode(row, out), unrepresentable, test::says(message));
        CHECK(out.size() == size);
    };
    refused([](auto& row) { row.count = 40'000; }, "Measurement.count: 40000 is out of the range of smallint");
    refused([](auto& row) { row.value = 1e39; }, "Measurement.value: 1e+39 is out of the range of real");
    refused([](auto& row) { row.embedding = {1}; }, "Measurement.embedding: vector has 1 dimensions, the column has 2");
    refused([](auto& row) { row.amount = 100; }, "Measurement.amount: 100 is out of the range of numeric(4,2)");
    refused([](auto& row) { row.label = "abcd"; }, "Measurement.label: the text has 4 characters, the column takes 3");
    refused([](auto& row) { row.extra.text = std::string(1, '\0'); }, "Measurement.extra: the text has a NUL byte at byte 0");
}

TEST_CASE("a struct's own table is checked as any other, whatever its codecs leave to the server") {
    struct Price {
        std::int64_t id;
        isorow::annotated<numeric, pg_type<"numeric(4,2)">> amount;
    };
    isorow::byte_writer out;
    CHECK_THROWS_MATCHES(row_encoder<Price>(table_schema::of<Price>({.primary_key = {"id"}})).encode({1, numeric(100)}, out),
                         unrepresentable, test::says("Price.amount: 100 is out of the range of numeric(4,2)"));
}

TEST_CASE("all columns that a struct has no field for, and all fields that do not fit, are told at once") {
    struct Wrong {
        std::optional<std::string> name;
        std::string categry;
        bool price;
        isorow::vector<3> embedding;
    };
    try {
        row_encoder<Wrong> const encoder(table_schema::of<Product>());
        FAIL("nothing was thrown");
    } catch (mismatch const& failure) {
        CHECK(std::string(failure.what()) ==
              "Wrong does not fit the table \"public\".\"products\":\n"
              "  Wrong.name: column \"name\": expected a field that is never NULL, as the column is of the key, found std::optional\n"
              "  Wrong: column \"category\": expected a field for it, as it is of the key, found no such field; did you mean \"categry\"?\n"
              "  Wrong.price: column \"price\": expected a field that can be stored as double precision, found boolean\n"
              "  Wrong.embedding: column \"embedding\": expected a field that can be stored as vector(2), found vector(3)\n"
              "  Wrong.categry: column \"categry\": expected a column of the table, as other columns have no field, found no such column; "
              "did you mean \"category\"?");
        CHECK(failure.differences().size() == 5);
    }
}

TEST_CASE("a nullable column that a struct has no field for is NULL") {
    struct Cheap {
        isorow::vector<2> embedding;
        std::string category;
        std::string name;
    };
    auto const without_price = Product{"lamps", "torch", std::nullopt, {1, 2}};
    CHECK(image(row_encoder<Cheap>(explicit_products()), Cheap{{1, 2}, "lamps", "torch"}) == own_image(without_price));
}

TEST_CASE("a struct that lacks a column and has a field too many is refused: one may be a misspelling") {
    struct Misspelt {
        std::string category;
        std::string name;
        double prise;
        isorow::vector<2> embedding;
    };
    CHECK_THROWS_MATCHES(
        row_encoder<Misspelt>(explicit_products()), mismatch,
        test::says("Misspelt.prise: column \"prise\": expected a column of the table, as other columns have no field, found "
                   "no such column; did you mean \"price\"?"));
}

TEST_CASE("NULL for a column that is NOT NULL is refused by value") {
    struct Loose {
        std::string category;
        std::string name;
        std::optional<isorow::vector<2>> embedding;
    };
    row_encoder<Loose> const encoder(explicit_products());
    isorow::byte_writer out;
    CHECK_THROWS_MATCHES(encoder.encode({"lamps", "torch", std::nullopt}, out), unrepresentable,
                         test::says("Loose.embedding: the field is NULL, and the column is NOT NULL"));
    CHECK(out.empty());
    CHECK_NOTHROW(encoder.encode({"lamps", "torch", isorow::vector<2>{1, 2}}, out));
}

TEST_CASE("the struct's own optional field is refused by value where the schema says NOT NULL") {
    table_schema const strict{{{"category", column{"text", not_null}},
                               {"name", column{"text", not_null}},
                               {"price", column{"double precision", not_null}},
                               {"embedding", column{"vector(2)", not_null}}},
                              primary_key{"name", "category"}};
    isorow::byte_writer out;
    CHECK_THROWS_MATCHES(row_encoder<Product>(strict).encode({"lamps", "torch", std::nullopt, {1, 2}}, out), unrepresentable,
                         test::says("Product.price: the field is NULL, and the column is NOT NULL"));
}

TEST_CASE("a dynamic row without a column that must have a value is refused by the column's name") {
    row_encoder<dynamic_row> const encoder(explicit_products());
    isorow::byte_writer out;
    auto const refused = [&](dynamic_row const& row, std::string const& message) {
        CHECK_THROWS_MATCHES(encoder.encode(row, out), unrepresentable, test::says(message));
        CHECK(out.empty());
    };
    refused({{"category", "lamps"}, {"embedding", std::vector<float>{1, 2}}},
            "column \"name\": the row has no value for it, and the column is of the key");
    refused({{"category", "lamps"}, {"name", "torch"}}, "column \"embedding\": the row has no value for it, and the column is NOT NULL");
    refused({{"category", null}, {"name", "torch"}, {"embedding", std::vector<float>{1, 2}}},
            "column \"category\": the value is NULL, and the column is of the key");
    refused({{"category", "lamps"}, {"name", "torch"}, {"embedding", std::vector<float>{1}}},
            "column \"embedding\": vector has 1 dimensions, the column has 2");
    refused({{"category", 7}, {"name", "torch"}}, "column \"category\": an integer cannot be stored as text");
}

TEST_CASE("a nullable column that a dynamic row does not have is NULL") {
    row_encoder<dynamic_row> const encoder(explicit_products());
    dynamic_row const row{{"category", "lamps"}, {"name", "torch"}, {"embedding", std::vector<float>{1, 2}}};
    CHECK(image(encoder, row) == own_image({"lamps", "torch", std::nullopt, {1, 2}}));
}

TEST_CASE("a name in a dynamic row that is no column's is refused with what may have been meant") {
    row_encoder<dynamic_row> const encoder(explicit_products());
    isorow::byte_writer out;
    CHECK_THROWS_MATCHES(
        encoder.encode({{"category", "lamps"}, {"name", "torch"}, {"prise", 39.5}, {"embedding", std::vector<float>{1, 2}}}, out),
        unrepresentable, test::says("column \"prise\" of the row is none of the table \"public\".\"products\"; did you mean \"price\"?"));
}

TEST_CASE("whether keys compare as bytes, and values come back as they were sent, is the columns' types' to say") {
    auto const of_key = [](std::string type) {
        return row_encoder<dynamic_row>(table_schema{{{"k", column{std::move(type), not_null}}}, primary_key{"k"}}).keys_compare_as_bytes();
    };
    for (auto const* const type : {"text", "varchar(3)", "bigint", "uuid", "date", "timestamptz", "bytea"}) CHECK(of_key(type));
    for (auto const* const type :
         {"citext", "character(3)", "numeric", "double precision", "interval", "timestamptz(3)", "text[]", "time(0)"})
        CHECK_FALSE(of_key(type));
    auto const stable = [](std::string type) {
        return row_encoder<dynamic_row>(table_schema{{{"c", column{std::move(type)}}}}).values_are_stable();
    };
    for (auto const* const type : {"text", "json", "numeric", "double precision", "vector(2)", "citext", "integer[]"}) CHECK(stable(type));
    for (auto const* const type : {"jsonb", "numeric(4,2)", "numeric(4,2)[]", "character(3)", "timestamp(3)"}) CHECK_FALSE(stable(type));
}

TEST_CASE("a struct's encoder says the same of keys and values as that of dynamic rows") {
    auto const with = [](std::string const& type, std::string const& at) {
        return table_schema::of<Measurement>(
            {.primary_key = {"at", "id"},
             .column_overrides = {
                 {"samples", pg_type{"real[]"}}, {"embedding", Embedder{}}, {"extra", pg_type{type}}, {"at", pg_type{at}}}});
    };
    for (auto const& schema : {with("json", "timestamptz"), with("jsonb", "timestamptz"), with("json", "timestamp(3)")}) {
        row_encoder<Measurement> const one(schema);
        row_encoder<dynamic_row> const other(schema);
        CHECK(one.keys_compare_as_bytes() == other.keys_compare_as_bytes());
        CHECK(one.values_are_stable() == other.values_are_stable());
    }
}

TEST_CASE("a key is told from the image by names and values") {
    auto const schema = table_schema::of<Product>();
    CHECK(isorow::key_text(schema.description(), image(row_encoder<Product>(schema), lamp)) == "(name, category) = (torch, lamps)");
}

TEST_CASE("texts of a struct's row are cleaned, but those of the key that the schema says") {
    struct Note {
        std::string id;
        std::optional<std::string> note;
    };
    auto const schema = table_schema::of<Note>({.primary_key = {"id"}});
    auto const row = cleaned(Note{std::string("a\0", 2), std::string("b\0", 2)}, schema, isorow::text_policy::strip);
    CHECK(row.id.size() == 2);
    CHECK(row.note == "b");
}

TEST_CASE("an encoder outlives the schema that it was made of, and is copied") {
    auto encoder = std::make_unique<row_encoder<dynamic_row>>(table_schema::of<Product>());
    auto const copy = *encoder;
    encoder.reset();
    dynamic_row const row{{"name", "torch"}, {"category", "lamps"}, {"price", 39.5}, {"embedding", std::vector<float>{1, 2}}};
    CHECK(image(copy, row) == own_image(lamp));
}
