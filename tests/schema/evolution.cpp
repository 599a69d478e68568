#include <catch2/catch_test_macros.hpp>

#include <isorow/schema/ddl_statements.hpp>
#include <isorow/schema/detail/index_definition.hpp>
#include <isorow/schema/evolution.hpp>
#include <isorow/schema/type_change.hpp>
#include <isorow/types/annotated.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

using isorow::change_phase;
using isorow::type_change;

namespace {

struct Product {
    std::int64_t id;
    std::string name;
    std::optional<double> price;

    static consteval auto isorow_table() { return isorow::table("products").primary_key<&Product::id>().index<&Product::name>(); }
};

struct Embedded {
    std::int64_t id;
    isorow::annotated<std::vector<float>, isorow::vector_schema<4>> embedding;

    static consteval auto isorow_table() {
        return isorow::table("embedded").primary_key<&Embedded::id>().index<&Embedded::embedding>(isorow::hnsw{});
    }
};

constexpr auto const& product = isorow::description_of<Product>;

/// A description that a test may change.
struct declaration {
    std::vector<isorow::column_description> columns;
    std::vector<isorow::index_description> indexes;
    isorow::table_description table;

    explicit declaration(isorow::table_description const& description = product)
        : columns(description.columns.begin(), description.columns.end()),
          indexes(description.indexes.begin(), description.indexes.end()),
          table(description) {}

    isorow::column_description& column(std::string_view name) {
        for (auto& one : columns)
            if (one.name == name) return one;
        throw isorow::usage_error("no such column");
    }
    void remove(std::string_view name) {
        std::erase_if(columns, [&](auto const& one) { return one.name == name; });
    }
    void set_type(std::string_view name, std::string_view type) { REQUIRE(isorow::parse_column_type(type, column(name).type)); }
    isorow::table_description const& get() {
        table.columns = columns;
        table.indexes = indexes;
        return table;
    }
};

/// A table as it is after isorow has made what is declared.
struct situation {
    isorow::extension_schemas schemas{{"vector", "public"}};
    isorow::live_table live{};
    isorow::table_record record{};
    isorow::evolution_rules rules{};

    explicit situation(isorow::table_description const& made = product) {
        record = isorow::evolve(made, nullptr, {}, schemas).record;
        live.columns.reserve(made.columns.size());
        for (auto const& column : made.columns)
            live.columns.push_back({.name = std::string(column.name),
                                    .type = to_sql(column.type),
                                    .not_null = !column.nullable,
                                    .default_value = std::string(column.default_value)});
        live.indexes.push_back({.name = "key",
                                .unique = true,
                                .primary = true,
                                .valid = true,
                                .plain = true,
                                .columns = record.key,
                                .mentioned = record.key,
                                .constraint = "key"});
        for (auto const& index : isorow::declared_indexes(made)) {
            std::vector<std::string> columns;
            for (auto const place : index.fields) columns.emplace_back(made.columns[place].name);
            live.indexes.push_back({.name = index_name(made, index),
                                    .definition = create_index_sql(made, index, schemas),
                                    .unique = index.unique,
                                    .valid = true,
                                    .plain = true,
                                    .columns = columns,
                                    .mentioned = columns});
        }
    }

    isorow::live_column& column(std::string_view name) { return *isorow::detail::find_named(live.columns, name); }
    isorow::live_index& index(std::string_view name) { return *isorow::detail::find_named(live.indexes, name); }
    void retype(std::string_view name, std::string type) { column(name).type = std::move(type); }
    void drop(std::string_view name) {
        std::erase_if(live.columns, [&](auto const& one) { return one.name == name; });
    }
    [[nodiscard]] isorow::evolution evolve(isorow::table_description const& declared = product) const {
        return isorow::evolve(declared, &live, record, schemas, rules);
    }
};

std::vector<std::string> sql_of(isorow::evolution const& evolution) {
    std::vector<std::string> statements;
    statements.reserve(evolution.changes.size());
    for (auto const& change : evolution.changes) statements.push_back(change.sql);
    return statements;
}

using statements = std::vector<std::string>;

type_change change(std::string_view from, std::string_view to) {
    isorow::column_type left;
    isorow::column_type right;
    REQUIRE(isorow::read_live_type(from, left));
    REQUIRE(isorow::read_live_type(to, right));
    return isorow::change_of_type(left, right);
}

}  // namespace

TEST_CASE("a table that is not there is created, with key and indexes once the rows are in it") {
    auto const evolution = isorow::evolve(product, nullptr, {});
    REQUIRE(evolution.creates);
    REQUIRE(evolution.changes.size() == 3);
    CHECK(evolution.changes[0].sql == isorow::create_table_sql(product));
    CHECK_FALSE(evolution.changes[0].after_rows);
    CHECK(evolution.changes[1].sql == "ALTER TABLE \"public\".\"products\" ADD PRIMARY KEY (\"id\")");
    CHECK(evolution.changes[1].after_rows);
    CHECK(evolution.changes[2].sql == "CREATE INDEX \"products_name_idx\" ON \"public\".\"products\" USING btree (\"name\")");
    CHECK(evolution.changes[2].after_rows);
    CHECK(evolution.changes[2].phase == change_phase::with_rows);
}

TEST_CASE("an extension that the database does not have is created first, before the transaction") {
    auto const evolution = isorow::evolve(isorow::description_of<Embedded>, nullptr, {});
    CHECK(evolution.changes[0].sql == "CREATE EXTENSION IF NOT EXISTS \"vector\"");
    CHECK(evolution.changes[0].phase == change_phase::before);
}

TEST_CASE("a table that is as it is declared needs nothing, and its record stays") {
    situation const now;
    auto const evolution = now.evolve();
    CHECK(evolution.changes.empty());
    CHECK(evolution.refused.empty());
    CHECK(evolution.record == now.record);
}

TEST_CASE("a new column that may be NULL is added") {
    situation now;
    now.drop("price");
    auto const evolution = now.evolve();
    CHECK(sql_of(evolution) == statements{"ALTER TABLE \"public\".\"products\" ADD COLUMN \"price\" double precision"});
    CHECK(evolution.changes[0].description == "add column \"price\" double precision");
    CHECK(evolution.changes[0].lock == "ACCESS EXCLUSIVE");
    CHECK_FALSE(evolution.changes[0].rewrites);
    CHECK_FALSE(evolution.changes[0].destructive);
    CHECK(evolution.projection[2] == "(NULL)::double precision");
}

TEST_CASE("a new column that may not be NULL is so once the rows are written") {
    situation now;
    now.drop("name");
    auto const evolution = now.evolve();
    REQUIRE(evolution.changes.size() == 2);
    CHECK(evolution.changes[0].sql == "ALTER TABLE \"public\".\"products\" ADD COLUMN \"name\" text");
    CHECK_FALSE(evolution.changes[0].after_rows);
    CHECK(evolution.changes[1].sql == "ALTER TABLE \"public\".\"products\" ALTER COLUMN \"name\" SET NOT NULL");
    CHECK(evolution.changes[1].after_rows);
    CHECK(evolution.needs_values);
    CHECK(isorow::detail::find_named(evolution.record.columns, "name")->not_null);
}

TEST_CASE("a new column with a constant default is added with it, and the table is not rewritten") {
    situation now;
    now.drop("name");
    declaration wanted;
    wanted.column("name").default_value = "'none'";
    auto const evolution = now.evolve(wanted.get());
    CHECK(sql_of(evolution) == statements{"ALTER TABLE \"public\".\"products\" ADD COLUMN \"name\" text DEFAULT 'none' NOT NULL"});
    CHECK_FALSE(evolution.changes[0].rewrites);
    CHECK_FALSE(evolution.needs_values);
    CHECK(evolution.projection[1] == "('none')::text");
}

TEST_CASE("a new column with a default that differs from row to row rewrites the table") {
    CHECK(isorow::detail::is_volatile("gen_random_uuid()"));
    CHECK(isorow::detail::is_volatile("clock_timestamp()"));
    CHECK_FALSE(isorow::detail::is_volatile("now()"));
    CHECK_FALSE(isorow::detail::is_volatile("pg_catalog.now()"));
    CHECK_FALSE(isorow::detail::is_volatile("CURRENT_TIMESTAMP"));
    CHECK_FALSE(isorow::detail::is_volatile("0"));
}

TEST_CASE("a column that isorow made and that is declared no longer is dropped, by the user's word") {
    situation const now;
    declaration wanted;
    wanted.remove("price");
    auto const evolution = now.evolve(wanted.get());
    CHECK(sql_of(evolution) == statements{"ALTER TABLE \"public\".\"products\" DROP COLUMN \"price\""});
    CHECK(evolution.changes[0].destructive);
    CHECK(evolution.changes[0].may_be_postponed);
    CHECK(isorow::detail::find_named(evolution.record.columns, "price") == nullptr);
}

TEST_CASE("a column whose drop was allowed before needs no word again") {
    situation now;
    isorow::detail::find_named(now.record.columns, "price")->to_be_dropped = true;
    declaration wanted;
    wanted.remove("price");
    auto const evolution = now.evolve(wanted.get());
    REQUIRE(evolution.changes.size() == 1);
    CHECK_FALSE(evolution.changes[0].destructive);
}

TEST_CASE("a column that is dropped later must not keep rows from being inserted meanwhile") {
    situation now;
    declaration wanted;
    wanted.remove("name");
    wanted.indexes.clear();
    wanted.table.key = product.key;
    auto const evolution = now.evolve(wanted.get());
    REQUIRE(evolution.changes.size() == 2);
    CHECK(evolution.changes[1].sql == "ALTER TABLE \"public\".\"products\" DROP COLUMN \"name\"");
    CHECK(evolution.changes[1].instead == "ALTER TABLE \"public\".\"products\" ALTER COLUMN \"name\" DROP NOT NULL");
}

TEST_CASE("a column is not dropped while an index or a check of the user's is over it, which would go with it") {
    situation now;
    declaration wanted;
    wanted.remove("price");
    SECTION("an index") { now.live.indexes.push_back({.name = "theirs", .valid = true, .mentioned = {"id", "price"}}); }
    SECTION("a check") { now.live.constraints.push_back({"theirs", {"price"}}); }
    auto const evolution = now.evolve(wanted.get());
    CHECK(evolution.changes.empty());
    REQUIRE(evolution.postponed.size() == 1);
    CHECK(evolution.postponed[0].find("\"theirs\", which isorow did not make") != std::string::npos);
    CHECK(isorow::detail::find_named(evolution.record.columns, "price") != nullptr);
}

TEST_CASE("columns and indexes that the user added are left alone") {
    situation now;
    now.live.columns.push_back({"theirs", "text"});
    now.live.indexes.push_back({.name = "theirs", .valid = true, .columns = {"theirs"}, .mentioned = {"theirs"}});
    CHECK(now.evolve().changes.empty());
    CHECK(now.evolve().record == now.record);
}

TEST_CASE("a column of the user's that rows cannot do without is refused") {
    situation now;
    now.live.columns.push_back({"theirs", "text", true});
    REQUIRE(now.evolve().refused.size() == 1);
    CHECK(now.evolve().refused[0] == isorow::difference{"Product", "theirs", "a field for it, or a default", "NOT NULL without a default"});
}

TEST_CASE("a renamed column keeps its values, and the index over it goes along") {
    situation const now;
    declaration wanted;
    wanted.column("name").renamed_from = "name";
    wanted.column("name").name = "title";
    auto const evolution = now.evolve(wanted.get());
    CHECK(sql_of(evolution) == statements{"ALTER TABLE \"public\".\"products\" RENAME COLUMN \"name\" TO \"title\"",
                                          "ALTER INDEX \"public\".\"products_name_idx\" RENAME TO \"products_title_idx\""});
    CHECK_FALSE(evolution.changes[0].destructive);
    CHECK(isorow::detail::find_named(evolution.record.columns, "name") == nullptr);
    CHECK(isorow::detail::find_named(evolution.record.columns, "title") != nullptr);
    CHECK(evolution.record.indexes[0].name == "products_title_idx");
    CHECK(evolution.projected_table == "(SELECT *, \"name\" AS \"title\" FROM \"public\".\"products\") renamed");
}

TEST_CASE("a renamed key is the same key") {
    situation const now;
    declaration wanted;
    wanted.column("id").renamed_from = "id";
    wanted.column("id").name = "number";
    auto const evolution = now.evolve(wanted.get());
    CHECK(sql_of(evolution) == statements{"ALTER TABLE \"public\".\"products\" RENAME COLUMN \"id\" TO \"number\""});
    CHECK(evolution.record.key == std::vector<std::string>{"number"});
}

TEST_CASE("a former name that is not there, or whose column is there already, says nothing") {
    situation const now;
    declaration wanted;
    wanted.column("name").renamed_from = "title";
    wanted.column("price").renamed_from = "name";
    CHECK(now.evolve(wanted.get()).changes.empty());
}

TEST_CASE("a column may be NULL before the rows are written, and may not be afterwards") {
    situation now;
    now.column("name").not_null = false;
    now.column("price").not_null = true;
    auto const evolution = now.evolve();
    REQUIRE(evolution.changes.size() == 2);
    CHECK(evolution.changes[0].sql == "ALTER TABLE \"public\".\"products\" ALTER COLUMN \"price\" DROP NOT NULL");
    CHECK_FALSE(evolution.changes[0].after_rows);
    CHECK(evolution.changes[1].sql == "ALTER TABLE \"public\".\"products\" ALTER COLUMN \"name\" SET NOT NULL");
    CHECK(evolution.changes[1].after_rows);
}

TEST_CASE("a default is set, changed and dropped as it is declared, by what is recorded of it") {
    situation now;
    declaration wanted;
    wanted.column("price").default_value = "1";
    CHECK(sql_of(now.evolve(wanted.get())) == statements{"ALTER TABLE \"public\".\"products\" ALTER COLUMN \"price\" SET DEFAULT 1"});
    isorow::detail::find_named(now.record.columns, "price")->default_value = "1";
    now.column("price").default_value = "'1'::double precision";
    CHECK(now.evolve(wanted.get()).changes.empty());
    CHECK(sql_of(now.evolve()) == statements{"ALTER TABLE \"public\".\"products\" ALTER COLUMN \"price\" DROP DEFAULT"});
}

TEST_CASE("a default of a column that isorow did not make stays") {
    situation now;
    now.record.columns.clear();
    now.column("price").default_value = "7";
    declaration wanted;
    wanted.column("price").default_value = "1";
    CHECK(now.evolve(wanted.get()).changes.empty());
    CHECK(now.evolve().changes.empty());
}

TEST_CASE("a type that only grows is changed by itself") {
    situation now;
    now.retype("id", "integer");
    auto const evolution = now.evolve();
    CHECK(sql_of(evolution) == statements{"ALTER TABLE \"public\".\"products\" ALTER COLUMN \"id\" TYPE bigint USING (\"id\")::bigint"});
    CHECK(evolution.changes[0].rewrites);
    CHECK_FALSE(evolution.changes[0].destructive);
    CHECK(evolution.projection[0] == "(\"id\")::bigint");
}

TEST_CASE("a type that has no safe conversion is refused with advice, and nothing is guessed") {
    situation now;
    now.retype("price", "text");
    auto const evolution = now.evolve();
    CHECK(evolution.changes.empty());
    REQUIRE(evolution.refused.size() == 1);
    CHECK(evolution.refused[0].field == "Product.price");
    CHECK(evolution.refused[0].found.find(".using_expression") != std::string::npos);
}

TEST_CASE("a type is changed by the user's expression, with the default taken off meanwhile") {
    situation now;
    now.retype("price", "text");
    now.column("price").default_value = "'none'::text";
    declaration wanted;
    wanted.column("price").using_expression = "nullif(price, '')";
    wanted.column("price").default_value = "0";
    auto const evolution = now.evolve(wanted.get());
    std::string const alter = R"(ALTER TABLE "public"."products" ALTER COLUMN "price" )";
    CHECK(sql_of(evolution) == statements{alter + "DROP DEFAULT",
                                          alter + "TYPE double precision USING (nullif(price, ''))::double precision",
                                          alter + "SET DEFAULT 0"});
    CHECK(evolution.changes[1].destructive);
    CHECK_FALSE(evolution.loses_values);
    CHECK(evolution.projection[2] == "(nullif(price, ''))::double precision");
}

TEST_CASE("an embedding of another dimension loses its values and its index, by the user's word") {
    situation now(isorow::description_of<Embedded>);
    now.retype("embedding", "vector(3)");
    auto const evolution = now.evolve(isorow::description_of<Embedded>);
    CHECK(evolution.loses_values);
    std::string const alter = R"(ALTER TABLE "public"."embedded" ALTER COLUMN "embedding" )";
    auto const& table = isorow::description_of<Embedded>;
    CHECK(sql_of(evolution) == statements{R"(DROP INDEX "public"."embedded_embedding_idx")", alter + "DROP NOT NULL",
                                          alter + R"(TYPE "public".vector(4) USING (NULL)::"public".vector(4))", alter + "SET NOT NULL",
                                          isorow::create_index_sql(table, table.indexes[0], now.schemas, true)});
    CHECK(evolution.changes[2].destructive);
}

TEST_CASE("which types only grow") {
    CHECK(change("smallint", "integer") == type_change::rewrites);
    CHECK(change("integer", "bigint") == type_change::rewrites);
    CHECK(change("bigint", "integer") == type_change::unknown);
    CHECK(change("bigint", "numeric") == type_change::rewrites);
    CHECK(change("bigint", "numeric(19,0)") == type_change::rewrites);
    CHECK(change("bigint", "numeric(18,0)") == type_change::unknown);
    CHECK(change("real", "double precision") == type_change::rewrites);
    CHECK(change("integer", "double precision") == type_change::rewrites);
    CHECK(change("bigint", "double precision") == type_change::unknown);
    CHECK(change("character varying(3)", "character varying(4)") == type_change::keeps);
    CHECK(change("character varying(4)", "character varying(3)") == type_change::unknown);
    CHECK(change("character varying(3)", "text") == type_change::keeps);
    CHECK(change("text", "character varying") == type_change::keeps);
    CHECK(change("text", "character varying(3)") == type_change::unknown);
    CHECK(change("character(3)", "text") == type_change::rewrites);
    CHECK(change("text", "character(3)") == type_change::unknown);
    CHECK(change("numeric(6,2)", "numeric(8,2)") == type_change::keeps);
    CHECK(change("numeric(6,2)", "numeric(8,4)") == type_change::rewrites);
    CHECK(change("numeric(6,2)", "numeric(7,4)") == type_change::unknown);
    CHECK(change("numeric(6,2)", "numeric") == type_change::keeps);
    CHECK(change("numeric", "numeric(6,2)") == type_change::unknown);
    CHECK(change("timestamp(3) without time zone", "timestamp without time zone") == type_change::keeps);
    CHECK(change("timestamp without time zone", "timestamp(3) without time zone") == type_change::unknown);
    CHECK(change("timestamp without time zone", "timestamp with time zone") == type_change::unknown);
    CHECK(change("interval(2)", "interval") == type_change::keeps);
    CHECK(change("date", "timestamp without time zone") == type_change::rewrites);
    CHECK(change("json", "jsonb") == type_change::unknown);
    CHECK(change("integer[]", "bigint[]") == type_change::rewrites);
    CHECK(change("integer", "bigint[]") == type_change::unknown);
    CHECK(change("vector(3)", "vector(4)") == type_change::loses);
    CHECK(change("vector(3)", "halfvec(4)") == type_change::loses);
    CHECK(change("vector(3)", "halfvec(3)") == type_change::converts);
    CHECK(change("halfvec(3)", "vector(3)") == type_change::rewrites);
    CHECK(change("vector(3)", "vector") == type_change::keeps);
    CHECK(change("vector", "vector(3)") == type_change::unknown);
}

TEST_CASE("a type is the same whatever Postgres adds to its spelling") {
    CHECK(isorow::is_type({isorow::type_id::numeric, false, 10}, "numeric(10,0)"));
    CHECK(isorow::is_type({isorow::type_id::bpchar}, "character(1)"));
    CHECK(isorow::is_type({isorow::type_id::timestamptz, false, 3}, "timestamp(3) with time zone"));
    CHECK(isorow::is_type({isorow::type_id::timestamp, true, 3}, "timestamp(3) without time zone[]"));
    CHECK_FALSE(isorow::is_type({isorow::type_id::numeric, false, 10, 2}, "numeric(10,0)"));
}

TEST_CASE("a new index of a table with rows is built after the transaction, without keeping others from writing") {
    situation const now;
    declaration wanted;
    wanted.indexes.push_back({.fields = {{2}, 1}, .method = isorow::index_method::brin});
    auto const evolution = now.evolve(wanted.get());
    REQUIRE(evolution.changes.size() == 1);
    CHECK(evolution.changes[0].sql == "CREATE INDEX CONCURRENTLY \"products_price_idx\" ON \"public\".\"products\" USING brin (\"price\")");
    CHECK(evolution.changes[0].phase == change_phase::after);
    CHECK(evolution.changes[0].lock == "SHARE UPDATE EXCLUSIVE");
    REQUIRE(evolution.record.indexes.size() == 2);
    CHECK(evolution.record.indexes[1].pending);
    CHECK(evolution.record.indexes[1].definition ==
          "CREATE INDEX \"products_price_idx\" ON \"public\".\"products\" USING brin (\"price\")");
}

TEST_CASE("in a transaction of the caller's an index is built in it, after the rows") {
    situation now;
    now.rules.concurrently = false;
    declaration wanted;
    wanted.indexes.push_back({.fields = {{2}, 1}});
    auto const evolution = now.evolve(wanted.get());
    REQUIRE(evolution.changes.size() == 1);
    CHECK(evolution.changes[0].sql == "CREATE INDEX \"products_price_idx\" ON \"public\".\"products\" USING btree (\"price\")");
    CHECK(evolution.changes[0].after_rows);
    CHECK(evolution.changes[0].lock == "SHARE");
    CHECK_FALSE(evolution.record.indexes[1].pending);
}

TEST_CASE("an index is built anew where what is declared of it has changed") {
    situation const now;
    declaration wanted;
    wanted.indexes[0].method = isorow::index_method::hash;
    CHECK(sql_of(now.evolve(wanted.get())) ==
          statements{"DROP INDEX CONCURRENTLY \"public\".\"products_name_idx\"",
                     "CREATE INDEX CONCURRENTLY \"products_name_idx\" ON \"public\".\"products\" USING hash (\"name\")"});
}

TEST_CASE("an index that is not valid, was dropped by somebody or is pending is built anew") {
    situation now;
    SECTION("invalid") {
        now.index("products_name_idx").valid = false;
        CHECK(now.evolve().changes.size() == 2);
    }
    SECTION("dropped") {
        now.live.indexes.pop_back();
        CHECK(now.evolve().changes.size() == 1);
    }
    SECTION("pending, of another kind") {
        now.record.indexes[0].pending = true;
        now.index("products_name_idx").definition = "CREATE INDEX products_name_idx ON public.products USING hash (name)";
        CHECK(now.evolve().changes.size() == 2);
    }
    SECTION("pending, but built: only that was not written down") {
        now.record.indexes[0].pending = true;
        CHECK(now.evolve().changes.empty());
        CHECK_FALSE(now.evolve().record.indexes[0].pending);
    }
}

TEST_CASE("an index of isorow's that is declared no longer is dropped, by its schema and name") {
    situation const now;
    declaration wanted;
    wanted.indexes.clear();
    auto const evolution = now.evolve(wanted.get());
    CHECK(sql_of(evolution) == statements{"DROP INDEX \"public\".\"products_name_idx\""});
    CHECK_FALSE(evolution.changes[0].destructive);
    CHECK(evolution.record.indexes.empty());
}

TEST_CASE("an index of the user's with the declared name will do where it is the same, and is refused where it is not") {
    situation now;
    now.record.indexes.clear();
    now.index("products_name_idx").definition = "CREATE INDEX products_name_idx ON public.products USING btree (name)";
    CHECK(now.evolve().refused.empty());
    CHECK(now.evolve().record.indexes.empty());
    now.index("products_name_idx").definition = "CREATE INDEX products_name_idx ON public.products USING hash (name)";
    REQUIRE(now.evolve().refused.size() == 1);
    CHECK(now.evolve().refused[0].column == "products_name_idx");
}

TEST_CASE("a unique column is a unique index") {
    situation const now;
    declaration wanted;
    wanted.column("price").unique = true;
    CHECK(sql_of(now.evolve(wanted.get())) ==
          statements{"CREATE UNIQUE INDEX CONCURRENTLY \"products_price_key\" ON \"public\".\"products\" USING btree (\"price\")"});
}

TEST_CASE("two indexes over one column have names of their own") {
    declaration wanted;
    wanted.indexes.push_back({.fields = {{1}, 1}, .method = isorow::index_method::hash});
    auto const& table = wanted.get();
    CHECK(isorow::index_name(table, table.indexes[0]) == "products_name_idx");
    CHECK(isorow::index_name(table, table.indexes[1]) == "products_name_idx1");
}

TEST_CASE("two different indexes of one name are refused") {
    declaration wanted;
    wanted.indexes.push_back({.fields = {{2}, 1}, .name = "products_name_idx"});
    CHECK(situation().evolve(wanted.get()).refused.size() == 1);
}

TEST_CASE("an operator class is written with its schema, each part quoted") {
    declaration wanted;
    wanted.indexes[0].method = isorow::index_method::gin;
    wanted.indexes[0].operator_class = "extensions.gin_trgm_ops";
    auto const& table = wanted.get();
    CHECK(isorow::create_index_sql(table, table.indexes[0]) ==
          "CREATE INDEX \"products_name_idx\" ON \"public\".\"products\" USING gin (\"name\" \"extensions\".\"gin_trgm_ops\")");
}

TEST_CASE("what pg_get_indexdef prints is known again") {
    isorow::extension_schemas const schemas{{"vector", "ext"}};
    using isorow::detail::is_same_definition;
    CHECK(is_same_definition(
        R"(CREATE INDEX "e_i" ON "ext"."e" USING hnsw ("v" "ext".vector_l2_ops) WITH (m = 16, ef_construction = 64))",
        "CREATE INDEX \"Other ON \"\"name\" ON ext.e USING hnsw (v ext.vector_l2_ops) WITH (m='16', ef_construction='64')", schemas));
    CHECK(is_same_definition(R"(CREATE INDEX "e_i" ON "public"."e" USING ivfflat ("v" "ext".vector_l2_ops) WITH (lists = 7))",
                             "CREATE INDEX e_i ON public.e USING ivfflat (v) WITH (lists='7')", schemas));
    CHECK_FALSE(is_same_definition(R"(CREATE INDEX "e_i" ON "public"."e" USING btree ("a"))",
                                   "CREATE INDEX e_i ON public.e USING btree (a) WHERE (a > 0)", schemas));
    CHECK_FALSE(is_same_definition(R"(CREATE INDEX "e_i" ON "public"."e" USING btree ("a"))",
                                   "CREATE UNIQUE INDEX e_i ON public.e USING btree (a)", schemas));
}

TEST_CASE("another key has the table written anew, in place") {
    situation const now;
    declaration wanted;
    wanted.table.key = {{1}, 1};
    auto const evolution = now.evolve(wanted.get());
    CHECK(evolution.rebuilds);
    CHECK(sql_of(evolution) == statements{"ALTER TABLE \"public\".\"products\" DROP CONSTRAINT \"key\"", "TRUNCATE \"public\".\"products\"",
                                          "ALTER TABLE \"public\".\"products\" ADD PRIMARY KEY (\"name\")"});
    CHECK(evolution.changes[0].destructive);
    CHECK(evolution.changes[1].destructive);
    CHECK(evolution.changes[2].after_rows);
    CHECK(evolution.record.key == std::vector<std::string>{"name"});
}

TEST_CASE("a table with rows of others is not emptied for another key") {
    situation now;
    now.rules.may_empty = false;
    declaration wanted;
    wanted.table.key = {{1}, 1};
    auto const evolution = now.evolve(wanted.get());
    CHECK(evolution.changes.empty());
    CHECK(evolution.refused.size() == 1);
}

TEST_CASE("the columns of the key in another order are the same key") {
    situation now;
    now.record.key = {"name", "id"};
    now.index("key").columns = {"name", "id"};
    declaration wanted;
    wanted.table.key = {{0, 1}, 2};
    auto const evolution = now.evolve(wanted.get());
    CHECK(evolution.changes.empty());
    CHECK(evolution.record.key == std::vector<std::string>{"id", "name"});
}

TEST_CASE("a key that is not on the table is added where there is none, and refused where there is another of the user's") {
    situation now;
    now.record.key.clear();
    SECTION("none") {
        now.live.indexes.erase(now.live.indexes.begin());
        auto const evolution = now.evolve();
        REQUIRE(evolution.changes.size() == 1);
        CHECK(evolution.changes[0].sql == "ALTER TABLE \"public\".\"products\" ADD PRIMARY KEY (\"id\")");
        CHECK(evolution.changes[0].after_rows);
    }
    SECTION("another") {
        now.index("key").columns = {"name"};
        CHECK(now.evolve().refused.size() == 1);
    }
}

TEST_CASE("a table that isorow made before it kept records is taken for what is declared") {
    situation const now;
    CHECK(isorow::assumed_record(product, now.live, now.schemas) == now.record);
}

TEST_CASE("a view is no table to alter") {
    situation now;
    now.live.kind = 'v';
    CHECK(now.evolve().refused.size() == 1);
}

TEST_CASE("a column that the server computes or numbers by itself cannot be declared") {
    situation now;
    now.column("price").generated = true;
    now.column("id").identity_always = true;
    CHECK(now.evolve().refused.size() == 2);
}

TEST_CASE("a table of the user's is held against the key and the indexes too") {
    situation now;
    CHECK(isorow::compare_key(product, now.live).empty());
    CHECK(isorow::compare_indexes(product, now.live).empty());
    now.live.indexes.clear();
    CHECK(isorow::compare_key(product, now.live).size() == 1);
    CHECK(isorow::compare_indexes(product, now.live).size() == 1);
}
