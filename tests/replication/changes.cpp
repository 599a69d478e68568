// What comes of a table that is followed: each kind of change, of every type.

#include <catch2/catch_test_macros.hpp>

#include <isorow/json.hpp>
#include <replication/followed.hpp>
#include <support/matchers.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

using namespace std::chrono_literals;
using isorow::change_kind;
using isorow::old_row;
using test::followed;
using test::Item;
using test::kinds;
using test::soon;
using test::take;

namespace {

struct Document {
    std::int64_t id = 0;
    std::optional<std::string> text{};
    std::optional<isorow::vector<1536>> embedding{};
    std::int32_t version = 0;

    static consteval auto isorow_table() { return isorow::table("documents").primary_key<&Document::id>(); }
};

constexpr auto documents_ddl =
    "CREATE EXTENSION vector; CREATE TABLE documents (id bigint PRIMARY KEY, text text, embedding vector(1536), version int NOT NULL);"
    "ALTER TABLE documents ALTER COLUMN text SET STORAGE EXTERNAL";
/// A text and a vector that are stored outside of their row.
constexpr auto insert_document =
    "INSERT INTO documents SELECT 1, repeat('long text ', 1000), array_agg(i / 1536.0)::vector(1536), 1 FROM generate_series(1, 1536) i";

struct Everything {
    bool truth = false;
    std::int16_t small = 0;
    std::int32_t middle = 0;
    std::int64_t large = 0;
    float single = 0;
    double twice = 0;
    isorow::numeric exact{};
    std::string text{};
    std::vector<std::byte> bytes{};
    isorow::uuid id{};
    std::chrono::year_month_day day{};
    isorow::time clock{};
    isorow::timetz clock_there{};
    std::chrono::sys_time<std::chrono::microseconds> moment{};
    std::chrono::local_time<std::chrono::microseconds> local{};
    isorow::interval span{};
    std::vector<std::int32_t> numbers{};
    std::vector<std::optional<std::string>> words{};
    std::map<std::string, std::int64_t> counts{};
    isorow::vector<3> near{};
    isorow::halfvec<2> half{};
    std::optional<isorow::numeric> nothing{};

    static consteval auto isorow_table() { return isorow::table("everything").primary_key<&Everything::id>(); }
};

struct Quoted {
    std::int64_t id = 0;
    std::string said = {};

    static consteval auto isorow_table() {
        return isorow::table("it's a \"table\"")
            .schema("my schema")
            .primary_key<&Quoted::id>()
            .column<&Quoted::said>({.name = "what's \"said\""});
    }
};

struct Coded {
    std::int64_t id = 0;
    std::string code{};

    static consteval auto isorow_table() { return isorow::table("coded").primary_key<&Coded::code>(); }
};

struct Measurement {
    std::int64_t id = 0;
    std::int32_t year = 0;

    static consteval auto isorow_table() { return isorow::table("measurements").primary_key<&Measurement::id, &Measurement::year>(); }
};

}  // namespace

TEST_CASE("inserts, updates and removals come within their transaction, with its places in the WAL, its time and its number") {
    followed<> const items("plain_changes");
    auto stream = items.changes();
    auto const xid = items.sql(
        "INSERT INTO items VALUES (1, 'lamp', 2.5), (2, NULL, 0); UPDATE items SET price = 3 WHERE id = 1; DELETE FROM items WHERE id = 2;"
        "SELECT txid_current()");

    auto const events = take(stream);
    using enum change_kind;
    REQUIRE(kinds(events) == std::vector{begin, insert, insert, update, remove, commit});
    CHECK(events[1].row == Item{1, "lamp", 2.5});
    CHECK(events[2].row == Item{2, std::nullopt, 0});
    CHECK(events[3].row == Item{1, "lamp", 3});
    CHECK(events[3].old_kind == old_row::none);
    CHECK(events[4].old_kind == old_row::key);
    CHECK(events[4].key() == 2);
    for (auto const& event : events) {
        CHECK(std::to_string(event.transaction.xid) == xid);
        CHECK(event.transaction.commit == events.back().position);
        CHECK(event.position.value > 0);
    }
    CHECK(events.back().transaction.end > events.back().transaction.commit);
    auto const age = std::chrono::system_clock::now() - events.back().transaction.committed_at;
    CHECK(age < 1h);
    CHECK(age > -1h);
    CHECK_FALSE(events.back().transaction.streamed);
}

TEST_CASE("transactions come in the order of their commits, and rolled back ones never") {
    followed<> const items("order_of_commits");
    auto stream = items.changes();
    isorow::connection first(items.dsn);
    isorow::connection second(items.dsn);
    test::run(first, "BEGIN; INSERT INTO items VALUES (1, 'began first', 0)");
    test::run(second, "BEGIN; INSERT INTO items VALUES (2, 'committed first', 0); COMMIT");
    test::run(first, "COMMIT");
    test::run(second, "BEGIN; INSERT INTO items VALUES (3, 'rolled back', 0); ROLLBACK");
    test::run(second,
              "BEGIN; INSERT INTO items VALUES (4, 'kept', 0); SAVEPOINT s; INSERT INTO items VALUES (5, 'rolled back', 0);"
              "ROLLBACK TO SAVEPOINT s; INSERT INTO items VALUES (6, 'kept', 0); COMMIT");

    CHECK(test::inserted_ids(take(stream, 3)) == std::vector<std::int64_t>{2, 1, 4, 6});
}

TEST_CASE("a key that changes comes as it was and as it is") {
    followed<> const items("key_changes");
    auto stream = items.changes();
    items.sql("INSERT INTO items VALUES (1, 'lamp', 2.5)");
    items.sql("UPDATE items SET id = 10");
    auto const events = take(stream, 2);
    auto const& update = events[4];
    REQUIRE(update.kind == change_kind::update);
    CHECK(update.old_kind == old_row::key);
    CHECK(update.key() == 1);
    CHECK(update.old == Item{.id = 1});  // the rest of it was not sent
    CHECK(update.row == Item{10, "lamp", 2.5});
}

TEST_CASE("with REPLICA IDENTITY FULL the whole row comes as it was") {
    followed<> const items("identity_full", std::string(test::items_ddl) + "; ALTER TABLE items REPLICA IDENTITY FULL");
    auto stream = items.changes();
    items.sql("INSERT INTO items VALUES (1, 'lamp', 2.5)");
    items.sql("UPDATE items SET name = NULL");
    items.sql("DELETE FROM items");
    auto const events = take(stream, 3);
    auto const& update = events[4];
    REQUIRE(update.kind == change_kind::update);
    CHECK(update.old_kind == old_row::whole);
    CHECK(update.old == Item{1, "lamp", 2.5});
    CHECK(update.row == Item{1, std::nullopt, 2.5});
    auto const& removal = events[7];
    REQUIRE(removal.kind == change_kind::remove);
    CHECK(removal.old == Item{1, std::nullopt, 2.5});
    CHECK(removal.key() == 1);
}

TEST_CASE("with REPLICA IDENTITY USING INDEX the columns of that index tell the row") {
    followed<Coded> const coded(
        "identity_index",
        "CREATE TABLE coded (id bigint PRIMARY KEY, code text NOT NULL); CREATE UNIQUE INDEX by_code ON coded (code);"
        "ALTER TABLE coded REPLICA IDENTITY USING INDEX by_code");
    auto stream = coded.changes();
    coded.sql("INSERT INTO coded VALUES (1, 'one'); DELETE FROM coded");
    auto const events = take(stream);
    REQUIRE(events[2].kind == change_kind::remove);
    CHECK(events[2].key() == "one");
}

TEST_CASE("what is stored outside of a row and was not changed is told apart from NULL") {
    followed<Document> const documents("unchanged_toast", documents_ddl);
    auto stream = documents.changes();
    documents.sql(insert_document);
    documents.sql("UPDATE documents SET version = 2");
    documents.sql("UPDATE documents SET embedding = NULL");
    auto const events = take(stream, 3);
    REQUIRE(events[1].kind == change_kind::insert);
    CHECK(events[1].row.text->size() == 10'000);
    CHECK((*events[1].row.embedding)[1535] == 1);
    CHECK(events[1].unchanged.empty());

    auto const& update = events[4];
    REQUIRE(update.kind == change_kind::update);
    CHECK(update.row.version == 2);
    CHECK(update.is_unchanged<&Document::text>());
    CHECK(update.is_unchanged<&Document::embedding>());
    CHECK_FALSE(update.is_unchanged<&Document::version>());
    CHECK(update.unchanged_fields() == std::vector<std::string_view>{"text", "embedding"});
    CHECK_FALSE(update.row.embedding.has_value());

    auto const& emptied = events[7];
    CHECK(emptied.unchanged_fields() == std::vector<std::string_view>{"text"});
    CHECK_FALSE(emptied.row.embedding.has_value());
    CHECK_FALSE(emptied.is_unchanged<&Document::embedding>());
}

TEST_CASE("with REPLICA IDENTITY FULL unchanged values are those of the row before") {
    followed<Document> const documents("toast_from_old", std::string(documents_ddl) + "; ALTER TABLE documents REPLICA IDENTITY FULL");
    auto stream = documents.changes();
    documents.sql(insert_document);
    documents.sql("UPDATE documents SET version = 2");
    auto const events = take(stream, 2);
    auto const& update = events[4];
    CHECK(update.unchanged.empty());
    CHECK(update.row.text->size() == 10'000);
    CHECK((*update.row.embedding)[1535] == 1);
    CHECK(update.old.version == 1);
    CHECK(update.row.version == 2);
}

TEST_CASE("TRUNCATE comes for the table that is followed, alone or with others") {
    followed<> const items("truncated", std::string(test::items_ddl) + "; CREATE TABLE other (id bigint PRIMARY KEY)");
    items.sql("ALTER PUBLICATION p ADD TABLE other");
    auto stream = items.changes();
    items.sql("INSERT INTO items VALUES (1, 'lamp', 2.5)");
    items.sql("TRUNCATE other");
    items.sql("TRUNCATE other, items");
    auto const events = take(stream, 2);
    using enum change_kind;
    CHECK(kinds(events) == std::vector{begin, insert, commit, begin, truncate, commit});
}

TEST_CASE("values of every type come as the codecs of queries read them") {
    followed<Everything> const everything("every_type",
                                          "CREATE EXTENSION vector; CREATE TABLE everything (truth boolean NOT NULL, small smallint NOT "
                                          "NULL, middle integer NOT NULL, large bigint "
                                          "NOT NULL, single real NOT NULL, twice float8 NOT NULL, exact numeric NOT NULL, text text NOT "
                                          "NULL, bytes bytea NOT NULL, id uuid PRIMARY "
                                          "KEY, day date NOT NULL, clock time NOT NULL, clock_there timetz NOT NULL, moment timestamptz "
                                          "NOT NULL, local timestamp NOT NULL, span "
                                          "interval NOT NULL, numbers int[] NOT NULL, words text[] NOT NULL, counts jsonb NOT NULL, near "
                                          "vector(3) NOT NULL, half halfvec(2) NOT "
                                          "NULL, nothing numeric)");
    auto stream = everything.changes();
    everything.sql(
        "INSERT INTO everything VALUES (true, -1, 2147483647, -9223372036854775808, 0.1, 'NaN', 12345678901234567890.000100, 'Grüße', "
        "'\\x00ff', '123e4567-e89b-12d3-a456-426614174000', '2026-11-26', '23:59:59.999999', '12:00+02', '2026-11-26 10:00+00', "
        "'2026-11-26 10:00', '1 mon 2 days 3 sec', '{1,2,3}', '{a,NULL,\"b c\"}', '{\"a\": 1}', '[1,2,3]', '[0.5,-1]', NULL)");
    auto const events = take(stream);
    auto const& row = events.at(1).row;
    auto const expected = [&] {
        isorow::connection db(everything.dsn);
        return isorow::query_one<Everything>(db, "SELECT * FROM everything");
    }();
    CHECK(row.truth);
    CHECK(row.small == -1);
    CHECK(row.middle == 2147483647);
    CHECK(row.large == std::numeric_limits<std::int64_t>::min());
    CHECK(row.single == 0.1f);
    CHECK(std::isnan(row.twice));
    CHECK(row.exact == expected.exact);
    CHECK(row.text == "Grüße");
    CHECK(row.bytes == std::vector{std::byte{0}, std::byte{0xff}});
    CHECK(row.id == expected.id);
    CHECK(row.day == expected.day);
    CHECK(row.clock == expected.clock);
    CHECK(row.clock_there == expected.clock_there);
    CHECK(row.moment == expected.moment);
    CHECK(row.local == expected.local);
    CHECK(row.span == isorow::interval(1, 2, 3'000'000));
    CHECK(row.numbers == std::vector{1, 2, 3});
    CHECK(row.words == expected.words);
    CHECK(row.counts == std::map<std::string, std::int64_t>{{"a", 1}});
    CHECK(row.near == expected.near);
    CHECK(row.half == expected.half);
    CHECK_FALSE(row.nothing.has_value());
}

TEST_CASE("names of schemas, tables and columns may be any") {
    followed<Quoted> const quoted(
        "quoted_names",
        "CREATE SCHEMA \"my schema\"; CREATE TABLE \"my schema\".\"it's a \"\"table\"\"\" (id bigint PRIMARY KEY, "
        "\"what's \"\"said\"\"\" text NOT NULL)");
    auto stream = quoted.changes();
    quoted.sql("INSERT INTO \"my schema\".\"it's a \"\"table\"\"\" VALUES (1, 'hello')");
    CHECK(take(stream).at(1).row.said == "hello");
}

TEST_CASE("other tables of the publication do not come, and do not hold the slot") {
    followed<> const items("other_tables", std::string(test::items_ddl) + "; CREATE TABLE other (id bigint PRIMARY KEY)");
    items.sql("ALTER PUBLICATION p ADD TABLE other");
    auto stream = items.changes();
    auto const before = stream.confirmed();
    items.sql("INSERT INTO other VALUES (1)");
    items.sql("INSERT INTO items VALUES (1, 'lamp', 2.5)");
    auto const* const event = stream.next(soon());
    REQUIRE(event != nullptr);
    CHECK(event->kind == change_kind::begin);
    CHECK(stream.confirmed() > before);
    CHECK(stream.confirmed() < event->transaction.commit);
}

TEST_CASE("changes of partitions come as those of their table") {
    followed<Measurement> const measurements(
        "partitions",
        "CREATE TABLE measurements (id bigint, year int, PRIMARY KEY (id, year)) PARTITION BY LIST (year); CREATE TABLE measurements_2025 "
        "PARTITION OF measurements FOR VALUES IN (2025); CREATE TABLE measurements_2026 PARTITION OF measurements FOR VALUES IN (2026)");
    auto stream = measurements.changes();
    measurements.sql("INSERT INTO measurements VALUES (1, 2025), (2, 2026); DELETE FROM measurements WHERE year = 2025");
    auto const events = take(stream);
    REQUIRE(events.size() == 5);
    CHECK(events[2].row.year == 2026);
    CHECK(events[3].key() == std::tuple(std::int64_t{1}, 2025));
}

TEST_CASE("a table that is altered under the stream is read as it is then") {
    followed<> const items("altered");
    auto stream = items.changes();
    items.sql("INSERT INTO items VALUES (1, 'before', 1)");
    items.sql("ALTER TABLE items ADD COLUMN added int DEFAULT 7; INSERT INTO items VALUES (2, 'with another column', 2)");
    items.sql(
        "ALTER TABLE items DROP COLUMN name; ALTER TABLE items ADD COLUMN name text; INSERT INTO items (id, name, price) VALUES (3, "
        "'at another place', 3)");
    items.sql("ALTER TABLE items ALTER COLUMN name TYPE varchar(50); INSERT INTO items (id, name, price) VALUES (4, 'varchar', 4)");
    auto const rows = test::inserted(take(stream, 4));
    REQUIRE(rows.size() == 4);
    CHECK(rows[1] == Item{2, "with another column", 2});
    CHECK(rows[2] == Item{3, "at another place", 3});
    CHECK(rows[3] == Item{4, "varchar", 4});
}

TEST_CASE("a table that does not fit the struct any more is told with every field, and the stream goes on when it fits again") {
    followed<> const items("altered_misfit");
    auto stream = items.changes();
    items.sql("INSERT INTO items VALUES (1, 'before', 1)");
    items.sql("ALTER TABLE items ALTER COLUMN price TYPE inet USING NULL, DROP COLUMN name, ALTER COLUMN price DROP NOT NULL");
    items.sql("INSERT INTO items VALUES (2, '10.0.0.1')");
    stream.confirm(take(stream).back().transaction.end);
    std::string text;
    try {
        take(stream);
    } catch (isorow::mismatch const& failure) {
        text = failure.what();
        CHECK(failure.differences().size() == 2);
    }
    CHECK(text.find("Item.name: column \"name\": expected text, found no such column") != std::string::npos);
    CHECK(text.find("Item.price: column \"price\": expected double precision, found inet") != std::string::npos);
    CHECK_THROWS_MATCHES(static_cast<void>(stream.next(soon())), isorow::usage_error, test::says("resume() goes on"));
    CHECK_THROWS_AS(stream.resume(), isorow::mismatch);  // the table itself does not fit
}

TEST_CASE("a NULL that a field does not have is told with the field") {
    followed<> const items("null_comes");
    auto stream = items.changes();
    items.sql("ALTER TABLE items ALTER COLUMN price DROP NOT NULL; INSERT INTO items VALUES (1, 'lamp', NULL)");
    CHECK_THROWS_MATCHES(take(stream), isorow::unrepresentable, test::says("Item.price: the column is NULL"));
}

TEST_CASE("a table that is renamed is not silently lost") {
    followed<> const items("renamed");
    auto stream = items.changes();
    items.sql("INSERT INTO items VALUES (1, 'before', 1)");
    items.sql("ALTER TABLE items RENAME TO things");
    items.sql("INSERT INTO things VALUES (2, 'after', 2)");
    stream.confirm(take(stream).back().transaction.end);
    CHECK_THROWS_MATCHES(take(stream), isorow::replication_error, test::says("was renamed to \"public\".\"things\""));
    stream.close();

    auto renamed = items.changes([](auto& options) { options.table = "things"; });
    CHECK(test::inserted(take(renamed)).at(0).id == 2);
}

TEST_CASE("a table that is dropped and made anew is followed on") {
    followed<> const items("made_anew");
    auto stream = items.changes();
    items.sql("INSERT INTO items VALUES (1, 'before', 1)");
    items.sql(std::string("DROP TABLE items; ") + test::items_ddl + "; ALTER PUBLICATION p ADD TABLE items");
    items.sql("INSERT INTO items VALUES (2, 'after', 2)");
    CHECK(test::inserted(take(stream, 2)).at(1) == Item{2, "after", 2});
}

TEST_CASE("messages come where they are asked for, in their transaction or between") {
    followed<> const items("messages");
    items.sql("SELECT pg_logical_emit_message(false, 'between', 'unseen')");
    auto stream = items.changes([](auto& options) { options.messages = true; });
    items.sql("SELECT pg_logical_emit_message(false, 'between', 'alone')");
    items.sql("INSERT INTO items VALUES (1, 'lamp', 1); SELECT pg_logical_emit_message(true, 'within', 'hello')");
    std::vector<std::string> prefixes;
    std::uint32_t within = 0;
    for (auto const& event : take(stream))
        if (event.kind == change_kind::message) {
            prefixes.push_back(event.prefix);
            if (event.prefix == "within") within = event.transaction.xid;
        }
    CHECK(prefixes == std::vector<std::string>{"between", "between", "within"});
    CHECK(within > 0);
}

TEST_CASE("a deadline that is over takes what has come, and nothing where nothing has") {
    followed<> const items("without_waiting");
    auto stream = items.changes();
    CHECK(stream.next(0s) == nullptr);
    items.sql("INSERT INTO items VALUES (1, 'lamp', 1)");
    REQUIRE(test::eventually(30s, [&] { return stream.next(0s) != nullptr; }));
    CHECK(take(stream).front().kind == change_kind::insert);
}

TEST_CASE("the events of some time are a range") {
    followed<> const items("as_range");
    auto stream = items.changes();
    items.sql("INSERT INTO items VALUES (1, 'lamp', 1), (2, 'desk', 2)");
    std::vector<std::int64_t> ids;
    for (auto& event : stream.until(soon())) {
        if (event.kind == change_kind::insert) ids.push_back(event.row.id);
        if (event.kind == change_kind::commit) break;
    }
    CHECK(ids == std::vector<std::int64_t>{1, 2});
}
