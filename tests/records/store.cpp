// What is Postgres' own of a record store: its table, its indexes, and tables of others.

#include <isorow/records/store.hpp>
#include <support/matchers.hpp>
#include <support/server.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using isorow::record;
using isorow::uuid;
using isorow::records::document_index;
using isorow::records::filter;
using isorow::records::operation;
using isorow::records::outcome;
using isorow::records::path;
using isorow::records::query;
using isorow::records::where;

/// The DDL of the reference, as it is written there.
constexpr char reference_ddl[] = R"(
CREATE TABLE IF NOT EXISTS records (
    id UUID PRIMARY KEY,
    fields JSONB NOT NULL,
    metadata JSONB,
    created_at TIMESTAMP DEFAULT NOW(),
    updated_at TIMESTAMP DEFAULT NOW()
);
CREATE INDEX idx_fields ON records USING GIN (fields);
CREATE INDEX idx_metadata ON records USING GIN (metadata);
)";

/// How the server would run a search.
[[nodiscard]] std::string plan_of(isorow::pool& pool, query const& wanted) {
    isorow::records::detail::statement_builder statement;
    statement << "EXPLAIN ";
    isorow::records::detail::write_query(statement, wanted, "records");
    std::string plan;
    for (auto const& line : isorow::records::detail::rows_of<std::string>(pool, statement)) plan += line + "\n";
    return plan;
}

struct database_with_records : test::database {
    isorow::pool pool{dsn()};
    isorow::record_store<> store{pool};

    [[nodiscard]] std::string plan(query const& wanted) { return plan_of(pool, wanted); }
};

}  // namespace

TEST_CASE("the table and its indexes are made once, whoever comes first") {
    test::database const database;
    isorow::pool pool(database.dsn());
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back([&] { isorow::record_store const store(pool); });
    for (auto& thread : threads) thread.join();
    auto const table = isorow::read_table(pool, "public", "records");
    REQUIRE(table);
    CHECK(table->columns.size() == 5);
    CHECK(table->find_index("idx_fields") != nullptr);
    CHECK(table->find_index("idx_metadata") != nullptr);
    CHECK(table->primary_key() != nullptr);
    CHECK(table->find("created_at")->type == "timestamp with time zone");
}

TEST_CASE("table, schema and indexes are what the options say") {
    test::database const database;
    database.sql("CREATE SCHEMA \"my shop\"");
    isorow::pool pool(database.dsn());
    isorow::record_store const store(pool, {.table = "or\"ders",
                                            .schema = "my shop",
                                            .fields = document_index::path_keys,
                                            .metadata = document_index::none,
                                            .indexes = {"address.zip"}});
    store.create({.fields = {{"a", 1}}});
    CHECK(store.count() == 1);
    auto const table = isorow::read_table(pool, "my shop", "or\"ders");
    REQUIRE(table);
    CHECK(table->find_index("idx_or\"ders_fields")->definition.find("jsonb_path_ops") != std::string::npos);
    CHECK(table->find_index("idx_or\"ders_metadata") == nullptr);
    CHECK(table->find_index("idx_or\"ders_fields_address_zip") != nullptr);
    CHECK_THROWS_AS(isorow::record_store(pool, {.table = "other", .indexes = {"id"}}), isorow::usage_error);
}

TEST_CASE("a table that the reference's DDL made is used as it is") {
    test::database const database;
    database.sql(reference_ddl);
    database.sql("INSERT INTO records (id, fields) VALUES ('00000000-0000-0000-0000-000000000001', '{\"name\": \"Alice\"}')");
    auto const columns = database.sql(
        "SELECT string_agg(attname || ' ' || atttypid::regtype, ', ' ORDER BY attnum) FROM pg_attribute"
        " WHERE attrelid = 'records'::regclass AND attnum > 0");
    isorow::pool pool(database.dsn());
    isorow::record_store const store(pool);
    auto const alice = store.search(query(where("name") == "Alice")).front();
    CHECK(alice.metadata.empty());
    CHECK(store.update({.id = alice.id, .fields = {{"name", "Bob"}}}, alice.updated_at) == outcome::updated);
    CHECK(store.update({.id = alice.id, .fields = {{"name", "Carol"}}}, alice.updated_at) == outcome::conflict);
    std::vector<record> many(300);
    store.create_batch(many);
    CHECK(store.count(isorow::records::created_at() > std::chrono::system_clock::now() - std::chrono::hours(1)) == 301);
    CHECK(columns == database.sql("SELECT string_agg(attname || ' ' || atttypid::regtype, ', ' ORDER BY attnum) FROM pg_attribute"
                                  " WHERE attrelid = 'records'::regclass AND attnum > 0"));
}

TEST_CASE("records without times, as the reference's columns allow, are changed, found and paged like all others") {
    test::database const database;
    database.sql(reference_ddl);
    database.sql(
        "INSERT INTO records SELECT ('00000000-0000-0000-0000-00000000000' || n)::uuid, jsonb_build_object('n', n), NULL,"
        " CASE WHEN n > 3 THEN now() END, CASE WHEN n > 3 THEN now() END FROM generate_series(1, 5) n");
    isorow::pool pool(database.dsn());
    isorow::record_store const store(pool);
    isorow::records::moment const epoch{};
    using isorow::records::updated_at;
    CHECK(store.count(updated_at() == epoch) == 3);
    CHECK(store.count(updated_at() < std::chrono::system_clock::now() - std::chrono::hours(1)) == 3);
    CHECK(store.count(!(updated_at() > epoch)) == 3);
    CHECK(store.count(updated_at() > epoch) == 2);
    std::vector<uuid> paged;
    auto const page = query().order_by(path::of(isorow::records::part::updated_at)).limit(2);
    for (auto found = store.search(page); !found.empty() && paged.size() < 10; found = store.search(query(page).after(found.back())))
        for (auto const& one : found) paged.push_back(one.id);
    CHECK(paged.size() == 5);
    auto const first = *store.read(paged[0]);
    CHECK(first.updated_at == epoch);
    CHECK(store.update({.id = first.id}, first.updated_at) == outcome::updated);
    CHECK(store.update({.id = first.id}, first.updated_at) == outcome::conflict);
    CHECK(store.erase(paged[1], epoch) == outcome::erased);
}

TEST_CASE("a patch leaves what it does not name as it is, to the last digit") {
    database_with_records database;
    auto const id = database.store.create({.fields = {{"a", {{"b", 1}}}, {"gone", true}}});
    database.sql("UPDATE records SET fields = fields || '{\"exact\": 0.1000000000000000000001}'");
    CHECK(database.store.patch(id, {{"a", {{"c", 2}}}, {"gone", nullptr}, {"new", {{"d", nullptr}}}}) == outcome::updated);
    CHECK(database.sql("SELECT fields FROM records") == R"({"a": {"b": 1, "c": 2}, "new": {}, "exact": 0.1000000000000000000001})");
}

TEST_CASE("pages end behind numbers of more digits than a record has") {
    database_with_records database;
    for (auto const* const number : {"0.1", "0.1000000000000000000001", "0.1000000000000000000002", "0.2", "12345678901234567890.5"})
        database.sql(std::string("INSERT INTO records (id, fields) VALUES (gen_random_uuid(), '{\"n\": ") + number + "}')");
    for (auto const direction : {isorow::records::ascending, isorow::records::descending}) {
        auto const page = query().order_by("n", direction).limit(1);
        std::size_t pages = 0;
        for (auto found = database.store.search(page); !found.empty() && pages < 10; ++pages)
            found = database.store.search(query(page).after(found.back()));
        CHECK(pages == 5);
    }
}

TEST_CASE("limits and lists of values may be longer than the server counts and than a statement has values") {
    database_with_records database;
    database.store.create_batch(std::vector<record>(3, record{.fields = {{"n", 7}}}));
    auto const most = std::numeric_limits<std::size_t>::max();
    CHECK(database.store.search(query().limit(most)).size() == 3);
    CHECK(database.store.search(query().limit(most).offset(most)).empty());
    std::vector<std::string> texts(70'000);
    for (std::size_t i = 0; i < texts.size(); ++i) texts[i] = std::to_string(i);
    CHECK(database.store.count(where("fields->>'n'").in(texts)) == 3);
}

TEST_CASE("places whose names look alike have an index each") {
    test::database const database;
    isorow::pool pool(database.dsn());
    isorow::record_store const store(pool, {.indexes = {"a_b", "a.b", "metadata.a"}});
    auto const table = isorow::read_table(pool, "public", "records");
    REQUIRE(table);
    CHECK(table->find_index("idx_fields_a_b")->definition.find("'a_b'") != std::string::npos);
    CHECK(table->find_index("idx_fields_a_b_2")->definition.find("'b'") != std::string::npos);
    CHECK(table->find_index("idx_metadata_a") != nullptr);
}

TEST_CASE("a table that has other columns is refused with all that is different") {
    test::database const database;
    database.sql("CREATE TABLE records (id text PRIMARY KEY, fields json NOT NULL, metadata jsonb, owner text NOT NULL)");
    isorow::pool pool(database.dsn());
    try {
        isorow::record_store const store(pool);
        FAIL("the table was accepted");
    } catch (isorow::mismatch const& failure) {
        CHECK(failure.differences().size() == 5);
        CHECK(std::string(failure.what()).find("record.id: column \"id\": expected uuid, found text") != std::string::npos);
    }
}

TEST_CASE("a role that may not make the table is told the SQL to ask for") {
    test::database const database;
    database.sql("CREATE ROLE clerk_" + database.name() + " LOGIN");
    isorow::pool pool(database.dsn("clerk_" + database.name()));
    CHECK_THROWS_MATCHES(isorow::record_store(pool), isorow::missing_privilege,
                         test::says("CREATE TABLE IF NOT EXISTS \"public\".\"records\""));
    CHECK_THROWS_MATCHES(isorow::record_store(pool, {.create = false}), isorow::usage_error, test::says("make it by"));
    database.sql("DROP ROLE clerk_" + database.name());
}

TEST_CASE("equality, elements and inclusion are answered by the GIN indexes") {
    database_with_records database;
    isorow::execute(database.pool,
                    "INSERT INTO records (id, fields, metadata) SELECT gen_random_uuid(), jsonb_build_object('name', 'n' || i, 'tags',"
                    " jsonb_build_array('t' || i, i)), jsonb_build_object('version', i) FROM generate_series(1, 20000) i");
    database.sql("VACUUM ANALYZE records");
    CHECK(database.plan(where("name") == "n17").find("idx_fields") != std::string::npos);
    CHECK(database.plan(where("fields->>'name'") == "n17").find("idx_fields") != std::string::npos);
    CHECK(database.plan(where("metadata.version") == 17).find("idx_metadata") != std::string::npos);
    CHECK(database.plan(where("tags").has("t17")).find("idx_fields") != std::string::npos);
    CHECK(database.plan(where("tags").includes({"t17", 17})).find("idx_fields") != std::string::npos);
    CHECK(database.plan(where("name").in({"n17", "n18", "n19"})).find("idx_fields") != std::string::npos);
    CHECK(database.plan((where("name") == "n17" || where("name") == "n18") && where("tags").has(17)).find("idx_fields") !=
          std::string::npos);
    CHECK(database.store.count(where("name").in({"n17", "n18", "n19", "none"})) == 3);
}

TEST_CASE("the index of a place answers ranges of numbers there") {
    test::database const database;
    isorow::pool pool(database.dsn());
    isorow::record_store const store(pool, {.indexes = {"age"}});
    isorow::execute(
        pool, "INSERT INTO records (id, fields) SELECT gen_random_uuid(), jsonb_build_object('age', i) FROM generate_series(1, 20000) i");
    database.sql("VACUUM ANALYZE records");
    CHECK(plan_of(pool, where("age").between(17, 20)).find("idx_fields_age") != std::string::npos);
    CHECK(store.count(where("age").between(17, 20)) == 4);
}

TEST_CASE("the reference's example of a query finds what it says") {
    database_with_records database;
    database.store.create({.fields = {{"name", "Alice"}}, .metadata = {{"version", "2.1"}}});
    database.store.create({.fields = {{"name", "Alice"}}, .metadata = {{"version", "1.9"}}});
    database.store.create({.fields = {{"name", "Bob"}}, .metadata = {{"version", "2.1"}}});
    auto const found = database.store.search(
        query(filter("fields->>'name'", operation::eq, "Alice")).where(filter("metadata->>'version'", operation::gt, "2.0")));
    REQUIRE(found.size() == 1);
    CHECK(found[0].metadata.at("version") == "2.1");
}

TEST_CASE("writers of one version race, and one of them wins") {
    database_with_records database;
    auto const id = database.store.create({.fields = {{"count", 0}}});
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            for (int added = 0; added < 25;) {
                auto const seen = *database.store.read(id);
                auto const next = seen.fields.at("count").as_int64() + 1;
                if (database.store.update({.id = id, .fields = {{"count", next}}}, seen.updated_at) == outcome::updated) ++added;
            }
        });
    for (auto& thread : threads) thread.join();
    CHECK(database.store.read(id)->fields.at("count") == 100);
}
