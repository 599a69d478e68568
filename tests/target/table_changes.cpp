#include <catch2/catch_test_macros.hpp>

#include <isorow/schema/check.hpp>
#include <isorow/target/detail/table_changes.hpp>
#include <isorow/types/annotated.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <future>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

using isorow::allow;
using isorow::table_description;
using isorow::target_options;
using isorow::detail::table_changes;

namespace {

/// The table in its first form.
struct Item {
    std::int32_t id;
    std::string name;
    std::optional<double> price;

    static consteval auto isorow_table() {
        return isorow::table("items").primary_key<&Item::id>().index<&Item::name>().column<&Item::price>({.default_value = "1"});
    }
};

/// What one run of a target does with a table, without the rows, which are the test's.
struct run {
    std::vector<std::string> ddl{};
    std::vector<std::string> postponed{};
    bool has_written_record = false;
};

struct store {
    test::database database;
    isorow::connection connection = test::connect(database.dsn());
    std::int32_t target = 0;

    store() {
        isorow::install(connection);
        sql("CREATE EXTENSION vector");
        target = isorow::query_one<std::int32_t>(
            connection,
            "INSERT INTO isorow.targets (app, schema_name, table_name, relation, catalog, created, ownership, record)"
            " SELECT id, 'public', 'items', 0, 0, true, 'exclusive', 'table' FROM isorow.apps RETURNING id");
    }

    std::string sql(std::string const& statement) const { return database.sql(statement); }

    /// All written down of the target, with the transactions that wrote it.
    [[nodiscard]] std::string record() const {
        return sql(
            "SELECT (SELECT coalesce(string_agg(c::text || c.xmin::text, ' ' ORDER BY name), '') FROM isorow.columns c) ||"
            " (SELECT coalesce(string_agg(o::text || o.xmin::text, ' ' ORDER BY name), '') FROM isorow.objects o) ||"
            " (SELECT string_agg(t::text || t.xmin::text, ' ') FROM isorow.targets t)");
    }

    /// A run with these rows: SQL that is run between the changes.
    run commit(table_description const& table, std::string_view rows = {}, allow allowed = allow::safe, target_options const& options = {},
               bool concurrently = true) {
        auto const before = record();
        table_changes changes(connection, std::nullopt, table, options, target, concurrently);
        changes.require_allowed(allowed);
        changes.before();
        isorow::transaction whole(connection);
        changes.before_rows();
        if (!rows.empty()) isorow::execute_script(connection, rows, connection.default_limits());
        changes.after_rows();
        changes.record(target);
        whole.commit();
        auto const written = record();
        if (concurrently) changes.after();
        return {changes.ddl(), changes.postponed(), written != before};
    }
    template <class T>
    run commit(std::string_view rows = {}, allow allowed = allow::safe, target_options const& options = {}, bool concurrently = true) {
        isorow::check_keyed<T>();
        return commit(isorow::description_of<T>, rows, allowed, options, concurrently);
    }
    void make() { commit<Item>("INSERT INTO items VALUES (1, 'one', 1.5), (2, 'two', NULL)"); }

    [[nodiscard]] std::string columns() const {
        return sql(
            "SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' not null' ELSE '' END ||"
            " coalesce(' default ' || pg_get_expr(adbin, adrelid), ''), ', ' ORDER BY attnum) FROM pg_attribute"
            " LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum"
            " WHERE attrelid = 'public.items'::regclass AND attnum > 0 AND NOT attisdropped");
    }
    [[nodiscard]] std::string indexes() const {
        return sql(
            "SELECT string_agg(indexrelid::regclass::text || CASE WHEN indisvalid THEN '' ELSE ' invalid' END, ', '"
            " ORDER BY indexrelid::regclass::text) FROM pg_index WHERE indrelid = 'public.items'::regclass");
    }
    [[nodiscard]] std::string rows() const { return sql("SELECT string_agg(i::text, ' ' ORDER BY i::text) FROM items i"); }
    [[nodiscard]] std::string file() const { return sql("SELECT relfilenode FROM pg_class WHERE oid = 'public.items'::regclass"); }
};

/// The overlay of all later forms, whose fields are those of Item unless a test says otherwise.
template <class T>
consteval auto items() {
    return isorow::table("items").primary_key<&T::id>().template index<&T::name>().template column<&T::price>({.default_value = "1"});
}

}  // namespace

TEST_CASE_METHOD(store, "a table is made with its key and its indexes, and all of it is written down") {
    auto const done = commit<Item>("INSERT INTO items VALUES (1, 'one', 1.5)");
    CHECK(done.ddl.size() == 3);
    CHECK(columns() == "id integer not null, name text not null, price double precision default 1");
    CHECK(indexes() == "items_name_idx, items_pkey");
    CHECK(sql("SELECT string_agg(concat_ws(' ', name, type, not_null, default_value), ', ' ORDER BY name) FROM isorow.columns") ==
          "id integer t , name text t , price double precision f 1");
    CHECK(sql("SELECT kind || ' ' || name || ' ' || pending FROM isorow.objects") == "index items_name_idx false");
    CHECK(sql("SELECT key_columns FROM isorow.targets") == "{id}");
}

TEST_CASE_METHOD(store, "a second run changes nothing and writes nothing down") {
    make();
    auto const done = commit<Item>();
    CHECK(done.ddl.empty());
    CHECK(done.postponed.empty());
    CHECK_FALSE(done.has_written_record);
}

namespace {

struct Grown {
    std::int32_t id;
    std::string name;
    std::optional<double> price;
    std::string colour;
    std::int64_t stock;
    std::optional<bool> sold;

    static consteval auto isorow_table() {
        return items<Grown>().column<&Grown::stock>({.default_value = "7"}).index<&Grown::colour>(isorow::hash{});
    }
};

}  // namespace

TEST_CASE_METHOD(store, "columns are added, and an index of a table with rows is built without locking it") {
    make();
    auto const before = file();
    auto const done = commit<Grown>("UPDATE items SET colour = 'red'");
    CHECK(columns() ==
          "id integer not null, name text not null, price double precision default 1, colour text not null, stock bigint not null default "
          "7, sold boolean");
    CHECK(rows() == "(1,one,1.5,red,7,) (2,two,,red,7,)");
    CHECK(file() == before);
    CHECK(done.ddl.back() == "CREATE INDEX CONCURRENTLY \"items_colour_idx\" ON \"public\".\"items\" USING hash (\"colour\")");
    CHECK(indexes() == "items_colour_idx, items_name_idx, items_pkey");
    CHECK(sql("SELECT count(*) FROM isorow.objects WHERE pending") == "0");
    CHECK_FALSE(commit<Grown>().has_written_record);
}

TEST_CASE_METHOD(store, "a column that may not be NULL is not recorded as added where rows have no value for it") {
    make();
    CHECK_THROWS_AS(commit<Grown>(), isorow::integrity_constraint_violation);
    CHECK(columns() == "id integer not null, name text not null, price double precision default 1");
    CHECK(sql("SELECT count(*) FROM isorow.columns") == "3");
}

TEST_CASE_METHOD(store, "the rows can be read as they will be, before anything is changed") {
    make();
    target_options const options;
    table_changes const changes(connection, std::nullopt, isorow::description_of<Grown>, options, target);
    std::vector<std::uint16_t> const places{4, 0, 3};
    CHECK(sql("SELECT string_agg(r::text, ' ') FROM (SELECT " + changes.projected_columns(places) + " FROM " + changes.projected_table() +
              ") r") == "(7,1,) (7,2,)");
}

namespace {

struct Shrunk {
    std::int32_t id;
    std::string name;

    static consteval auto isorow_table() { return isorow::table("items").primary_key<&Shrunk::id>(); }
};

}  // namespace

TEST_CASE_METHOD(store, "a column is dropped by the user's word only, and nothing is done without it") {
    make();
    CHECK_THROWS_MATCHES(commit<Shrunk>(), isorow::destructive_change,
                         test::says("drop column \"price\": ALTER TABLE \"public\".\"items\" DROP COLUMN \"price\""));
    CHECK(indexes() == "items_name_idx, items_pkey");
    auto const done = commit<Shrunk>({}, isorow::destructive);
    CHECK(done.ddl.size() == 2);
    CHECK(columns() == "id integer not null, name text not null");
    CHECK(indexes() == "items_pkey");
    CHECK_FALSE(commit<Shrunk>().has_written_record);
}

TEST_CASE_METHOD(store, "a drop that a view keeps from being made is told, allowed once for all, and made when the view is gone") {
    make();
    sql("CREATE VIEW prices AS SELECT price FROM items");
    auto const done = commit<Shrunk>({}, isorow::destructive);
    REQUIRE(done.postponed.size() == 1);
    CHECK(done.postponed[0].find("view prices depends on column price") != std::string::npos);
    CHECK(commit<Shrunk>().postponed.size() == 1);
    CHECK_FALSE(commit<Shrunk>().has_written_record);
    CHECK(columns().find("price") != std::string::npos);
    sql("DROP VIEW prices");
    CHECK(commit<Shrunk>().ddl.size() == 1);
    CHECK(columns().find("price") == std::string::npos);
    CHECK(sql("SELECT count(*) FROM isorow.columns") == "2");
}

TEST_CASE_METHOD(store, "a column that waits for its drop does not keep rows from being inserted") {
    commit<Grown>();
    sql("CREATE VIEW colours AS SELECT colour, stock FROM items");
    auto const done = commit<Item>("INSERT INTO items (id, name) VALUES (3, 'three')", isorow::destructive);
    CHECK(done.postponed.size() == 2);
    CHECK(columns().find("colour text,") != std::string::npos);
    // The field comes back: the column is as it was.
    CHECK(commit<Grown>("UPDATE items SET colour = 'red'").postponed.empty());
    CHECK(columns().find("colour text not null,") != std::string::npos);
}

TEST_CASE_METHOD(store, "what the user added survives: columns, indexes, checks, views") {
    make();
    sql("ALTER TABLE items ADD COLUMN note text, ADD CHECK (price > 0); CREATE INDEX theirs ON items (note);"
        "CREATE INDEX of_both ON items (price, note); CREATE VIEW notes AS SELECT id, note FROM items");
    auto const done = commit<Shrunk>({}, isorow::destructive);
    REQUIRE(done.postponed.size() == 1);
    CHECK(done.postponed[0].find("the index \"of_both\", which isorow did not make, is over it") != std::string::npos);
    CHECK(indexes() == "items_pkey, of_both, theirs");
    sql("DROP INDEX of_both");
    CHECK(commit<Shrunk>({}, isorow::destructive).postponed[0].find("the constraint \"items_price_check\"") != std::string::npos);
    sql("ALTER TABLE items DROP CONSTRAINT items_price_check");
    CHECK(commit<Shrunk>({}, isorow::destructive).postponed.empty());
    CHECK(columns() == "id integer not null, name text not null, note text");
}

TEST_CASE_METHOD(store, "a column that the user added is taken for a field, and stays the user's") {
    make();
    sql("ALTER TABLE items ADD COLUMN sold boolean, ADD COLUMN colour text NOT NULL DEFAULT '', ADD COLUMN stock bigint NOT NULL DEFAULT "
        "0");
    CHECK(commit<Grown>().ddl.size() == 1);
    CHECK(sql("SELECT count(*) FROM isorow.columns") == "3");
    CHECK(commit<Item>().ddl.size() == 1);
    CHECK(columns().find("sold") != std::string::npos);
}

namespace {

struct Renamed {
    std::int64_t number;
    std::string title;
    std::optional<double> price;

    static consteval auto isorow_table() {
        return isorow::table("items")
            .primary_key<&Renamed::number>()
            .index<&Renamed::title>()
            .column<&Renamed::number>({.renamed_from = "id", .using_expression = "number * 10"})
            .column<&Renamed::title>({.renamed_from = "name"})
            .column<&Renamed::price>({.default_value = "1"});
    }
};

}  // namespace

TEST_CASE_METHOD(store, "columns are renamed with their indexes, and a type is changed by an expression") {
    make();
    {
        target_options const options;
        table_changes const changes(connection, std::nullopt, isorow::description_of<Renamed>, options, target);
        std::vector<std::uint16_t> const places{0, 1};
        CHECK(sql("SELECT string_agg(r::text, ' ') FROM (SELECT " + changes.projected_columns(places) + " FROM " +
                  changes.projected_table() + ") r") == "(10,one) (20,two)");
    }
    CHECK_THROWS_AS(commit<Renamed>(), isorow::destructive_change);
    commit<Renamed>({}, isorow::destructive);
    CHECK(columns() == "number bigint not null, title text not null, price double precision default 1");
    CHECK(rows() == "(10,one,1.5) (20,two,)");
    CHECK(indexes() == "items_pkey, items_title_idx");
    CHECK(sql("SELECT key_columns FROM isorow.targets") == "{number}");
    auto const done = commit<Renamed>();
    CHECK(done.ddl.empty());
    CHECK_FALSE(done.has_written_record);
}

namespace {

struct Label {
    std::int32_t id;
    std::string name;

    static consteval auto isorow_table() {
        return isorow::table("items").primary_key<&Label::id>().column<&Label::name>({.type = "varchar(8)"}).index<&Label::name>();
    }
};

struct WiderLabel {
    std::int32_t id;
    std::string name;

    static consteval auto isorow_table() {
        return isorow::table("items")
            .primary_key<&WiderLabel::id>()
            .column<&WiderLabel::name>({.type = "varchar(9)"})
            .index<&WiderLabel::name>();
    }
};

struct OptionalLabel {
    std::int64_t id;
    std::optional<std::string> name;

    static consteval auto isorow_table() {
        return isorow::table("items")
            .primary_key<&OptionalLabel::id>()
            .column<&OptionalLabel::name>({.default_value = "'none'"})
            .index<&OptionalLabel::name>();
    }
};

struct BooleanLabel {
    std::int32_t id;
    bool name;

    static consteval auto isorow_table() { return isorow::table("items").primary_key<&BooleanLabel::id>(); }
};

}  // namespace

TEST_CASE_METHOD(store, "a type grows in place where Postgres can do that") {
    commit<Label>("INSERT INTO items VALUES (1, 'one')");
    auto const before = file();
    CHECK(commit<WiderLabel>().ddl.size() == 1);
    CHECK(columns() == "id integer not null, name character varying(9) not null");
    CHECK(file() == before);
    CHECK(commit<OptionalLabel>().ddl.size() == 4);
    CHECK(columns() == "id bigint not null, name text default 'none'::text");
    CHECK(rows() == "(1,one)");
    CHECK(commit<OptionalLabel>().ddl.empty());
}

TEST_CASE_METHOD(store, "a type that shrinks is refused, whatever is allowed, and the column stays") {
    commit<WiderLabel>("INSERT INTO items VALUES (1, 'one')");
    CHECK_THROWS_MATCHES(commit<Label>({}, isorow::destructive), isorow::mismatch,
                         test::says("column \"name\": expected character varying(8), found character varying(9), which has no safe"));
    CHECK_THROWS_MATCHES(commit<BooleanLabel>({}, isorow::destructive), isorow::mismatch, test::says("expected boolean"));
    CHECK(rows() == "(1,one)");
}

namespace {

template <std::size_t Size, class Element = float>
struct Embedded;

template <>
struct Embedded<3> {
    std::int32_t id;
    isorow::annotated<std::vector<float>, isorow::vector_schema<3>> embedding;
    static consteval auto isorow_table() {
        return isorow::table("items").primary_key<&Embedded::id>().index<&Embedded::embedding>(isorow::hnsw{.m = 4});
    }
};
template <>
struct Embedded<4> {
    std::int32_t id;
    isorow::annotated<std::vector<float>, isorow::vector_schema<4>> embedding;
    static consteval auto isorow_table() {
        return isorow::table("items").primary_key<&Embedded::id>().index<&Embedded::embedding>(isorow::hnsw{.m = 4});
    }
};
struct Half {
    std::int32_t id;
    isorow::annotated<std::vector<float>, isorow::pg_type<"halfvec(3)">> embedding;
    static consteval auto isorow_table() {
        return isorow::table("items").primary_key<&Half::id>().index<&Half::embedding>(isorow::hnsw{.m = 8});
    }
};

}  // namespace

TEST_CASE_METHOD(store, "an embedding gets another dimension, and the index is built over the new values") {
    commit<Embedded<3>>("INSERT INTO items VALUES (1, '[1,2,3]')");
    auto const done = commit<Embedded<4>>("UPDATE items SET embedding = '[1,2,3,4]'", isorow::destructive);
    CHECK(columns() == "id integer not null, embedding vector(4) not null");
    CHECK(indexes() == "items_embedding_idx, items_pkey");
    CHECK(done.postponed.empty());
    CHECK(commit<Embedded<4>>().ddl.empty());
}

TEST_CASE_METHOD(store, "an embedding is halved by the user's word, and made whole again without it") {
    commit<Embedded<3>>("INSERT INTO items VALUES (1, '[1,2,3]')");
    CHECK_THROWS_AS(commit<Half>(), isorow::destructive_change);
    commit<Half>({}, isorow::destructive);
    CHECK(columns() == "id integer not null, embedding halfvec(3) not null");
    CHECK(sql("SELECT pg_get_indexdef('items_embedding_idx'::regclass)").find("halfvec_cosine_ops") != std::string::npos);
    commit<Embedded<3>>();
    CHECK(rows() == "(1,\"[1,2,3]\")");
    CHECK(commit<Embedded<3>>().ddl.empty());
}

namespace {

struct ByName {
    std::int32_t id;
    std::string name;
    std::optional<double> price;

    static consteval auto isorow_table() {
        return isorow::table("items").primary_key<&ByName::name>().index<&ByName::name>().column<&ByName::price>({.default_value = "1"});
    }
};

}  // namespace

TEST_CASE_METHOD(store, "with another key the table is written anew, and what is attached to it stays") {
    make();
    sql("CREATE VIEW names AS SELECT name FROM items; GRANT SELECT ON items TO public");
    CHECK_THROWS_AS(commit<ByName>(), isorow::destructive_change);
    commit<ByName>("INSERT INTO items VALUES (1, 'one', 1), (1, 'two', 2)", isorow::destructive);
    CHECK(rows() == "(1,one,1) (1,two,2)");
    CHECK(sql("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'items'::regclass AND contype = 'p'") ==
          "PRIMARY KEY (name)");
    CHECK(sql("SELECT count(*) FROM names") == "2");
    CHECK(sql("SELECT key_columns FROM isorow.targets") == "{name}");
    CHECK(commit<ByName>().ddl.empty());
}

TEST_CASE_METHOD(store, "a new key that the rows do not satisfy leaves the table as it was") {
    make();
    CHECK_THROWS_AS(commit<ByName>("INSERT INTO items VALUES (1, 'one', 1), (2, 'one', 2)", isorow::destructive),
                    isorow::integrity_constraint_violation);
    CHECK(rows() == "(1,one,1.5) (2,two,)");
    CHECK(indexes() == "items_name_idx, items_pkey");
}

namespace {

struct Hashed {
    std::int32_t id;
    std::string name;
    std::optional<double> price;

    static consteval auto isorow_table() {
        return isorow::table("items")
            .primary_key<&Hashed::id>()
            .index<&Hashed::name>(isorow::hash{})
            .column<&Hashed::price>({.default_value = "1"});
    }
};

struct Unique {
    std::int32_t id;
    std::string name;
    std::optional<double> price;

    static consteval auto isorow_table() { return items<Unique>().column<&Unique::price>({.default_value = "1", .unique = true}); }
};

}  // namespace

TEST_CASE_METHOD(store, "an index of which something else is declared is built anew") {
    make();
    CHECK(commit<Hashed>().ddl ==
          std::vector<std::string>{"DROP INDEX CONCURRENTLY \"public\".\"items_name_idx\"",
                                   "CREATE INDEX CONCURRENTLY \"items_name_idx\" ON \"public\".\"items\" USING hash (\"name\")"});
    CHECK(commit<Hashed>().ddl.empty());
    commit<Item>({}, allow::safe, {}, false);
    CHECK(sql("SELECT pg_get_indexdef('items_name_idx'::regclass)").find("btree") != std::string::npos);
}

TEST_CASE_METHOD(store, "an index that somebody dropped is made again") {
    make();
    sql("DROP INDEX items_name_idx");
    CHECK(commit<Item>().ddl.size() == 1);
    CHECK(indexes() == "items_name_idx, items_pkey");
}

TEST_CASE_METHOD(store, "a unique index that the rows do not satisfy is told, left pending without a trace, and built when they do") {
    make();
    sql("UPDATE items SET price = 1");
    auto done = commit<Unique>();
    REQUIRE(done.postponed.size() == 1);
    CHECK(done.postponed[0].find("create index \"items_price_key\" on \"public\".\"items\": could not create unique index") !=
          std::string::npos);
    CHECK(indexes() == "items_name_idx, items_pkey");
    CHECK(sql("SELECT pending FROM isorow.objects WHERE name = 'items_price_key'") == "t");
    sql("UPDATE items SET price = id");
    done = commit<Unique>();
    CHECK(done.postponed.empty());
    CHECK_FALSE(done.has_written_record);
    CHECK(indexes() == "items_name_idx, items_pkey, items_price_key");
    CHECK(sql("SELECT count(*) FROM isorow.objects WHERE pending") == "0");
    CHECK(commit<Unique>().ddl.empty());
}

TEST_CASE_METHOD(store, "an index that a run which crashed has left half built is built anew") {
    make();
    sql("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'items_name_idx'::regclass");
    sql("UPDATE isorow.objects SET pending = true");
    CHECK(indexes() == "items_name_idx invalid, items_pkey");
    SECTION("by the next run") { CHECK(commit<Item>().ddl.size() == 2); }
    SECTION("or by what looks after a whole app") {
        auto const app = isorow::query_one<std::int32_t>(connection, "SELECT app FROM isorow.targets");
        CHECK(isorow::detail::finish_pending_of_app(connection, std::nullopt, app).ddl.size() == 2);
        CHECK(isorow::detail::finish_pending_of_app(connection, std::nullopt, app).ddl.empty());
    }
    CHECK(indexes() == "items_name_idx, items_pkey");
    CHECK(sql("SELECT pending FROM isorow.objects") == "f");
}

TEST_CASE_METHOD(store, "an index that there is no time for is left pending, and what is left of it goes when it is built") {
    make();
    auto other = test::connect(database.dsn());
    sql("UPDATE isorow.objects SET pending = true; DROP INDEX items_name_idx");
    std::optional<isorow::transaction> writer(std::in_place, other);
    isorow::execute(other, "UPDATE items SET price = id");
    auto const work = isorow::detail::finish_pending(connection, isorow::limits::within(std::chrono::seconds(3)), target);
    REQUIRE(work.postponed.size() == 1);
    CHECK(work.postponed[0].starts_with("create index \"items_name_idx\" on \"public\".\"items\": "));
    CHECK(indexes() == "items_name_idx invalid, items_pkey");
    writer->commit();
    CHECK(isorow::detail::finish_pending(connection, std::nullopt, target).ddl.size() == 2);
    CHECK(indexes() == "items_name_idx, items_pkey");
    CHECK(sql("SELECT pending FROM isorow.objects") == "f");
}

TEST_CASE_METHOD(store, "an index that another session is building is left to it") {
    make();
    auto other = test::connect(database.dsn());
    auto builder = test::connect(database.dsn());
    sql("UPDATE isorow.objects SET pending = true; DROP INDEX items_name_idx");
    std::optional<isorow::transaction> writer(std::in_place, other);
    isorow::execute(other, "UPDATE items SET price = id");
    auto building = std::async(std::launch::async, [&] { return isorow::detail::finish_pending(builder, std::nullopt, target); });
    while (sql("SELECT count(*) FROM pg_stat_progress_create_index WHERE datname = current_database()") == "0")
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    auto const work = isorow::detail::finish_pending(connection, std::nullopt, target);
    writer->commit();
    CHECK(building.get().ddl.size() == 1);
    REQUIRE(work.postponed.size() == 1);
    CHECK(work.postponed[0].ends_with("another session is building an index of this table"));
    CHECK(indexes() == "items_name_idx, items_pkey");
}

TEST_CASE_METHOD(store, "an index of the user's by a declared name is not touched") {
    make();
    sql("CREATE INDEX items_price_key ON items (price)");
    CHECK_THROWS_MATCHES(commit<Unique>({}, isorow::destructive), isorow::mismatch, test::says("that isorow did not make"));
    sql("DROP INDEX items_price_key; CREATE UNIQUE INDEX items_price_key ON items (price)");
    CHECK(commit<Unique>().ddl.empty());
    CHECK(commit<Item>().ddl.empty());
    CHECK(indexes() == "items_name_idx, items_pkey, items_price_key");
}

TEST_CASE_METHOD(store, "indexes are not built concurrently in a transaction of the caller's") {
    make();
    isorow::transaction outer(connection);
    commit<Hashed>({}, allow::safe, {}, false);
    CHECK_THROWS_AS(isorow::detail::finish_pending(connection, std::nullopt, target), isorow::usage_error);
    outer.commit();
    CHECK(sql("SELECT pg_get_indexdef('items_name_idx'::regclass)").find("hash") != std::string::npos);
    CHECK(sql("SELECT count(*) FROM isorow.objects WHERE pending") == "0");
}

TEST_CASE_METHOD(store, "a lock that is not free passes through, and a second try finds all as it was") {
    make();
    {
        auto other = test::connect(database.dsn());
        isorow::transaction reader(other);
        isorow::execute(other, "SELECT * FROM items");
        target_options const options;
        table_changes changes(connection, std::nullopt, isorow::description_of<Grown>, options, target);
        isorow::transaction whole(connection);
        isorow::execute_script(connection, "SET LOCAL lock_timeout = '50ms'", connection.default_limits());
        try {
            changes.before_rows();
            FAIL("the lock was free");
        } catch (isorow::server_error const& failure) {
            CHECK(failure.sqlstate() == isorow::sqlstate::lock_not_available);
            CHECK(failure.retryable());
        }
    }
    CHECK(commit<Grown>("UPDATE items SET colour = 'red'").postponed.empty());
}

TEST_CASE_METHOD(store, "attached SQL is run once, again when its text changes, and undone when it is declared no longer") {
    target_options options{.attachments = {{"names", "CREATE VIEW names AS SELECT name FROM items", "DROP VIEW names"}}};
    commit<Item>("INSERT INTO items VALUES (1, 'one', 1)", allow::safe, options);
    CHECK(sql("SELECT name FROM names") == "one");
    CHECK_FALSE(commit<Item>({}, allow::safe, options).has_written_record);
    options.attachments[0].sql = "CREATE VIEW names AS SELECT upper(name) AS name FROM items";
    auto const done = commit<Item>({}, allow::safe, options);
    CHECK(done.ddl == std::vector<std::string>{"DROP VIEW names", options.attachments[0].sql});
    CHECK(sql("SELECT name FROM names") == "ONE");
    CHECK(commit<Item>().ddl == std::vector<std::string>{"DROP VIEW names"});
    CHECK(sql("SELECT count(*) FROM isorow.objects WHERE kind = 'attachment'") == "0");
}

TEST_CASE_METHOD(store, "attached SQL that changes gives way to the columns that it stands upon") {
    target_options options{.attachments = {{"prices", "CREATE VIEW prices AS SELECT price FROM items", "DROP VIEW prices"}}};
    commit<Item>({}, allow::safe, options);
    options.attachments[0].sql = "CREATE VIEW prices AS SELECT 1 AS price FROM items";
    CHECK(commit<Shrunk>({}, isorow::destructive, options).postponed.empty());
    CHECK(columns().find("price") == std::string::npos);
}

TEST_CASE_METHOD(store, "an attached view gives way to a type that grows, and comes back over the new one") {
    target_options const options{.attachments = {{"names", "CREATE VIEW names AS SELECT id, name FROM items", "DROP VIEW names"}}};
    commit<Label>("INSERT INTO items VALUES (1, 'one')", allow::safe, options);
    commit<OptionalLabel>({}, allow::safe, options);
    CHECK(columns() == "id bigint not null, name text default 'none'::text");
    CHECK(sql("SELECT pg_typeof(id) || ' ' || pg_typeof(name) FROM names") == "bigint text");
    CHECK_FALSE(commit<OptionalLabel>({}, allow::safe, options).has_written_record);
}

TEST_CASE_METHOD(store, "a view of the user's keeps a type from being changed, and all is as it was") {
    commit<Label>("INSERT INTO items VALUES (1, 'one')");
    sql("CREATE VIEW names AS SELECT id, name FROM items");
    CHECK_THROWS_AS(commit<OptionalLabel>(), isorow::feature_not_supported);
    CHECK(columns() == "id integer not null, name character varying(8) not null");
}

TEST_CASE_METHOD(store, "attachments that stand upon each other are undone in the order that they ask for") {
    target_options const options{.attachments = {{"b", "CREATE VIEW first AS SELECT name FROM items", "DROP VIEW first"},
                                                 {"a", "CREATE VIEW second AS SELECT name FROM first", "DROP VIEW second"}}};
    commit<Item>({}, allow::safe, options);
    CHECK(commit<Item>().ddl.size() == 2);
    CHECK(sql("SELECT count(*) FROM pg_views WHERE schemaname = 'public'") == "0");
}

TEST_CASE_METHOD(store, "a table that somebody dropped is made anew with all that belongs to it") {
    target_options const options{.attachments = {{"names", "CREATE VIEW names AS SELECT name FROM items", "DROP VIEW names"}}};
    commit<Item>({}, allow::safe, options);
    sql("DROP TABLE items CASCADE");
    CHECK(commit<Item>({}, allow::safe, options).ddl.size() == 4);
    CHECK(indexes() == "items_name_idx, items_pkey");
    CHECK(sql("SELECT count(*) FROM names") == "0");
    CHECK_FALSE(commit<Item>({}, allow::safe, options).has_written_record);
}

TEST_CASE_METHOD(store, "a table that somebody made anew is the user's, whatever is recorded of the one before") {
    make();
    sql("UPDATE isorow.targets SET relation = 'items'::regclass, catalog = 'isorow.targets'::regclass");
    CHECK_THROWS_AS(commit<Shrunk>(), isorow::destructive_change);
    sql("DROP TABLE items; CREATE TABLE items (id integer PRIMARY KEY, name text NOT NULL, price float8)");
    CHECK(commit<Shrunk>().ddl.empty());
    CHECK(columns() == "id integer not null, name text not null, price double precision");
    CHECK(sql("SELECT count(*) FROM isorow.columns") == "0");
}

TEST_CASE_METHOD(store, "a table is dropped with what is attached to it, but not from under the views of others") {
    commit<Item>({}, allow::safe, {.attachments = {{"names", "CREATE VIEW names AS SELECT name FROM items", "DROP VIEW names"}}});
    sql("CREATE VIEW theirs AS SELECT id FROM items");
    auto work = isorow::detail::drop_table(connection, std::nullopt, "public", "items", target);
    REQUIRE(work.postponed.size() == 1);
    CHECK(work.postponed[0].find("view theirs depends on table items") != std::string::npos);
    CHECK(work.ddl.empty());
    CHECK(sql("SELECT count(*) FROM names") == "0");
    sql("DROP VIEW theirs");
    work = isorow::detail::drop_table(connection, std::nullopt, "public", "items", target);
    CHECK(work.ddl == std::vector<std::string>{"DROP VIEW names", "DROP TABLE \"public\".\"items\""});
    CHECK(sql("SELECT to_regclass('public.items')").empty());
    CHECK(isorow::detail::drop_table(connection, std::nullopt, "public", "items", target).ddl.empty());
}

TEST_CASE_METHOD(store, "a table of the user's is never altered, and every difference is named") {
    sql("CREATE TABLE items (id bigint NOT NULL, name text, extra text NOT NULL)");
    target_options const options{.managed_by = isorow::managed_by::user};
    try {
        commit<Item>({}, isorow::destructive, options);
        FAIL("the table fits");
    } catch (isorow::mismatch const& failure) {
        CHECK(failure.differences().size() == 5);
    }
    CHECK(columns() == "id bigint not null, name text, extra text not null");
}

TEST_CASE_METHOD(store, "a table of the user's that fits is taken as it is, and what is attached is attached") {
    target_options const options{.managed_by = isorow::managed_by::user,
                                 .attachments = {{"names", "CREATE VIEW names AS SELECT name FROM items", "DROP VIEW names"}}};
    CHECK_THROWS_MATCHES(commit<Item>({}, allow::safe, options), isorow::usage_error, test::says("it is yours to make"));
    sql("CREATE TABLE items (id integer UNIQUE NOT NULL, name text NOT NULL, price float8, note text); CREATE INDEX theirs ON items "
        "(name)");
    CHECK(commit<Item>({}, allow::safe, options).ddl.size() == 1);
    CHECK(sql("SELECT count(*) FROM isorow.columns") == "0");
    CHECK_FALSE(commit<Item>({}, allow::safe, options).has_written_record);
}

TEST_CASE_METHOD(store, "a table that isorow made before it kept records evolves like others") {
    make();
    sql("DELETE FROM isorow.columns; DELETE FROM isorow.objects; UPDATE isorow.targets SET key_columns = '{}'");
    CHECK(commit<Item>().ddl.empty());
    commit<Shrunk>({}, isorow::destructive);
    CHECK(columns() == "id integer not null, name text not null");
    CHECK(indexes() == "items_pkey");
}

TEST_CASE_METHOD(store, "triggers that may change rows are seen, and others are not") {
    make();
    auto const has_triggers = [&] { return isorow::read_table(connection, "public", "items")->has_row_triggers; };
    sql("CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';"
        "CREATE TRIGGER after_all AFTER UPDATE ON items FOR EACH ROW EXECUTE FUNCTION touch();"
        "CREATE TRIGGER statement BEFORE UPDATE ON items EXECUTE FUNCTION touch();"
        "CREATE TRIGGER deleting BEFORE DELETE ON items FOR EACH ROW EXECUTE FUNCTION touch()");
    CHECK_FALSE(has_triggers());
    sql("CREATE TRIGGER changing BEFORE INSERT ON items FOR EACH ROW EXECUTE FUNCTION touch()");
    CHECK(has_triggers());
    sql("ALTER TABLE items DISABLE TRIGGER changing");
    CHECK_FALSE(has_triggers());
}

namespace {

struct Long {
    std::int32_t Id;
    std::optional<std::string> a_column_whose_name_is_long_enough_to_make_an_index_name_too_long_1;
    std::optional<std::string> a_column_whose_name_is_long_enough_to_make_an_index_name_too_l2;

    static consteval auto isorow_table() {
        return isorow::table("Items with \"a name\"")
            .schema("Other schema")
            .primary_key<&Long::Id>()
            .column<&Long::a_column_whose_name_is_long_enough_to_make_an_index_name_too_long_1>(
                {.name = "a column whose name is long enough to make an index name too 1"})
            .column<&Long::a_column_whose_name_is_long_enough_to_make_an_index_name_too_l2>({.unique = true})
            .index<&Long::a_column_whose_name_is_long_enough_to_make_an_index_name_too_long_1>()
            .index<&Long::a_column_whose_name_is_long_enough_to_make_an_index_name_too_l2>(isorow::hash{})
            .index<&Long::a_column_whose_name_is_long_enough_to_make_an_index_name_too_l2>();
    }
};

}  // namespace

TEST_CASE_METHOD(store, "names that are long, mixed and strange are kept apart, whatever the search_path is", "[session]") {
    sql("CREATE SCHEMA \"Other schema\"; CREATE SCHEMA decoy; CREATE TABLE decoy.\"Items with \"\"a name\"\"\" (id int)");
    sql("UPDATE isorow.targets SET schema_name = 'Other schema', table_name = 'Items with \"a name\"'");
    isorow::execute_script(connection, "SET search_path = decoy, \"Other schema\"", connection.default_limits());
    CHECK(commit<Long>("INSERT INTO \"Other schema\".\"Items with \"\"a name\"\"\" VALUES (1, 'a', 'b')").ddl.size() == 6);
    CHECK(commit<Long>().ddl.empty());
    sql("DROP INDEX \"Other schema\".\"" + sql("SELECT indexrelid::regclass FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE "
                                               "relname LIKE 'Items%' AND NOT indisprimary"
                                               " AND NOT indisunique ORDER BY 1 LIMIT 1")
                                               .substr(16));
    CHECK(commit<Long>().ddl.size() == 1);
    CHECK(commit<Long>().ddl.empty());
    CHECK(sql("SELECT count(*) FROM pg_index WHERE indrelid = '\"Other schema\".\"Items with \"\"a name\"\"\"'::regclass") == "5");
}

TEST_CASE_METHOD(store, "an extension in another schema is found, and one that is missing is created before the transaction") {
    sql("DROP EXTENSION vector");
    SECTION("missing") { CHECK(commit<Embedded<3>>().ddl.front() == "CREATE EXTENSION IF NOT EXISTS \"vector\""); }
    SECTION("elsewhere") {
        sql("CREATE SCHEMA extensions; CREATE EXTENSION vector SCHEMA extensions");
        commit<Embedded<3>>();
    }
    CHECK(commit<Embedded<3>>().ddl.empty());
    CHECK(isorow::read_table(connection, "public", "items")->find("embedding")->type == "vector(3)");
}

TEST_CASE_METHOD(store, "a role that may not create the extension is told what to ask for") {
    sql("DROP EXTENSION vector; CREATE ROLE weak_" + database.name() +
        " LOGIN; GRANT USAGE ON SCHEMA isorow TO public;"
        "GRANT SELECT ON ALL TABLES IN SCHEMA isorow TO public");
    auto weak = test::connect(database.dsn("weak_" + database.name()));
    target_options const options;
    table_changes changes(weak, std::nullopt, isorow::description_of<Embedded<3>>, options, target);
    CHECK_THROWS_MATCHES(changes.before(), isorow::missing_privilege, test::says("CREATE EXTENSION IF NOT EXISTS \"vector\""));
    weak.close();
    sql("DROP ROLE weak_" + database.name());
}
