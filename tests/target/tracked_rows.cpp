#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <isorow/isorow.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

using isorow::drift;
using isorow::ownership;

namespace {

/// Too wide to be read back: its rows are recorded by their fingerprints.
struct Document {
    std::int32_t id;
    std::string title;
    isorow::vector<64> embedding;

    static consteval auto isorow_table() { return isorow::table("documents").primary_key<&Document::id>(); }
};

struct Note {
    std::int32_t id;
    std::string text;

    static consteval auto isorow_table() { return isorow::table("notes").primary_key<&Note::id>(); }
};

Document document(std::int32_t id, std::string title, float first = 0) {
    Document made{id, std::move(title), {}};
    made.embedding[0] = first;
    return made;
}

struct library {
    test::database database;
    isorow::connection connection = test::connect(database.dsn());

    template <class Row>
    std::string synchronised(std::vector<Row> const& rows, isorow::target_options options = {}) {
        return to_string(isorow::synchronise(connection, rows, std::move(options)));
    }
    std::string titles() { return database.sql("SELECT coalesce(string_agg(id || '=' || title, ' ' ORDER BY id), '') FROM documents"); }
    std::string record(std::string const& table) {
        return database.sql("SELECT record FROM isorow.targets WHERE table_name = '" + table + "'");
    }
    std::string recorded() {
        return database.sql(
            "SELECT count(*) || ' rows, ' || count(d.id) || ' by the transactions that wrote them' FROM isorow.tracked p, ROWS FROM "
            "(unnest(p.keys), unnest(p.versions)) AS r (key, version) LEFT JOIN documents d ON '\\x00000004'::bytea || int4send(d.id) = "
            "r.key AND d.xmin = r.version");
    }
    std::string written() {
        return database.sql(
            "SELECT (SELECT string_agg(ctid::text || xmin::text, ',' ORDER BY id) FROM documents) || "
            "(SELECT string_agg(ctid::text || xmin::text, ',' ORDER BY keys) FROM isorow.tracked)");
    }
};

}  // namespace

TEST_CASE_METHOD(library, "rows with a wide vector are recorded by their fingerprints, and unchanged ones not written") {
    std::vector<Document> rows{document(1, "a"), document(2, "b", 1), document(3, "c", 2)};
    CHECK(synchronised(rows) == "3 inserted, 0 updated, 0 deleted, 0 unchanged");
    CHECK(record("documents") == "rows");
    CHECK(recorded() == "3 rows, 3 by the transactions that wrote them");
    auto const before = written();
    CHECK(synchronised(rows) == "0 inserted, 0 updated, 0 deleted, 3 unchanged");
    CHECK(written() == before);
    rows[1].embedding[63] = 5;
    rows.erase(rows.begin());
    rows.push_back(document(4, "d"));
    CHECK(synchronised(rows) == "1 inserted, 1 updated, 1 deleted, 1 unchanged");
    CHECK(titles() == "2=b 3=c 4=d");
    CHECK(recorded() == "3 rows, 3 by the transactions that wrote them");
}

TEST_CASE_METHOD(library, "narrow rows are compared with the table itself, and nothing is recorded of each") {
    CHECK(synchronised<Note>({{1, "a"}}) == "1 inserted, 0 updated, 0 deleted, 0 unchanged");
    CHECK(record("notes") == "table");
    CHECK(database.sql("SELECT count(*) FROM isorow.tracked") == "0");
}

TEST_CASE_METHOD(library, "what others did to an exclusive table of wide rows is mended") {
    std::vector<Document> const rows{document(1, "a"), document(2, "b"), document(3, "c"), document(4, "d")};
    synchronised(rows);
    database.sql(
        "UPDATE documents SET title = 'x' WHERE id = 1; DELETE FROM documents WHERE id = 2;"
        "UPDATE documents SET title = title WHERE id = 3; INSERT INTO documents SELECT 9, 'z', embedding FROM documents WHERE id = 4");
    auto const report = isorow::synchronise(connection, rows);
    CHECK(to_string(report) == "1 inserted, 1 updated, 1 deleted, 2 unchanged");
    CHECK(report.tables[0].mended == 2);
    CHECK(titles() == "1=a 2=b 3=c 4=d");
    auto const before = written();
    CHECK(synchronised(rows) == "0 inserted, 0 updated, 0 deleted, 4 unchanged");
    CHECK(written() == before);
}

TEST_CASE_METHOD(library, "what others did to rows of a shared table is mended where that is asked for") {
    database.sql("CREATE TABLE notes (id integer PRIMARY KEY, text text NOT NULL); INSERT INTO notes VALUES (100, 'theirs')");
    isorow::target_options options{.managed_by = isorow::managed_by::user, .ownership = ownership::shared};
    std::vector<Note> const rows{{1, "a"}, {2, "b"}, {3, "c"}};
    CHECK(synchronised(rows, options) == "3 inserted, 0 updated, 0 deleted, 0 unchanged");
    database.sql("UPDATE notes SET text = 'x' WHERE id IN (1, 100); DELETE FROM notes WHERE id = 2");
    CHECK(synchronised(rows, options) == "0 inserted, 0 updated, 0 deleted, 3 unchanged");
    options.commit.drift = drift::mend;
    CHECK(synchronised(rows, options) == "1 inserted, 1 updated, 0 deleted, 1 unchanged");
    CHECK(database.sql("SELECT string_agg(id || text, ' ' ORDER BY id) FROM notes") == "1a 2b 3c 100x");
    CHECK(synchronised(rows, options) == "0 inserted, 0 updated, 0 deleted, 3 unchanged");
}

TEST_CASE_METHOD(library, "a table whose rows have become too wide to be read back is recorded from then on") {
    std::vector<Note> rows{{1, "a"}, {2, "b"}};
    synchronised(rows);
    CHECK(record("notes") == "table");
    rows[0].text.assign(5000, 'x');
    CHECK(synchronised(rows) == "0 inserted, 1 updated, 0 deleted, 1 unchanged");
    CHECK(record("notes") == "rows");
    CHECK(synchronised(rows) == "0 inserted, 0 updated, 0 deleted, 2 unchanged");
    rows.pop_back();
    CHECK(synchronised(rows) == "0 inserted, 0 updated, 1 deleted, 1 unchanged");
}

TEST_CASE_METHOD(library, "a trigger that changes what was declared causes no write in later runs") {
    synchronised<Note>({{1, "a"}});
    database.sql(
        "CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN new.text := upper(new.text); RETURN new; END $$;"
        "CREATE TRIGGER shout BEFORE INSERT OR UPDATE ON notes FOR EACH ROW EXECUTE FUNCTION shout()");
    synchronised<Note>({{1, "a"}, {2, "b"}});
    CHECK(database.sql("SELECT string_agg(text, '' ORDER BY id) FROM notes") == "aB");
    CHECK(record("notes") == "rows");
    CHECK(synchronised<Note>({{1, "a"}, {2, "b"}}) == "0 inserted, 0 updated, 0 deleted, 2 unchanged");
}

TEST_CASE_METHOD(library, "a dump restored elsewhere is recognised, and its rows are not written again") {
    std::vector<Document> const rows{document(1, "a"), document(2, "b")};
    synchronised(rows);
    // What a restore does: other OIDs, and rows that another transaction wrote.
    database.sql(
        "CREATE TABLE copy (LIKE documents INCLUDING ALL); INSERT INTO copy SELECT * FROM documents; DROP TABLE documents;"
        "ALTER TABLE copy RENAME TO documents; UPDATE isorow.targets SET catalog = 1");
    auto const rows_before = database.sql("SELECT string_agg(ctid::text || xmin::text, ',' ORDER BY id) FROM documents");
    CHECK(synchronised(rows) == "0 inserted, 0 updated, 0 deleted, 2 unchanged");
    CHECK(database.sql("SELECT string_agg(ctid::text || xmin::text, ',' ORDER BY id) FROM documents") == rows_before);
    auto const before = written();
    CHECK(synchronised(rows) == "0 inserted, 0 updated, 0 deleted, 2 unchanged");
    CHECK(written() == before);
}

TEST_CASE_METHOD(library, "a table that somebody dropped and made anew is not taken for ours") {
    std::vector<Note> const rows{{1, "a"}};
    synchronised(rows);
    database.sql(
        "DROP TABLE notes; CREATE TABLE notes (id integer PRIMARY KEY, text text NOT NULL); INSERT INTO notes VALUES (7, 'theirs')");
    CHECK_THROWS_AS(synchronised(rows), isorow::not_owned);
    CHECK(synchronised(rows, {.adopt = isorow::adopt::rows}) == "1 inserted, 0 updated, 1 deleted, 0 unchanged");
}

TEST_CASE_METHOD(library, "random declarations agree with a model however rows are recorded, and wherever they wait") {
    auto const ownership = GENERATE(ownership::exclusive, ownership::shared);
    bool const is_wide = GENERATE(false, true);
    bool const is_spilled = GENERATE(false, true);
    CAPTURE(ownership == ownership::shared, is_wide, is_spilled);
    isorow::target_options options{.ownership = ownership};
    if (is_spilled) options.commit.memory = 1;
    std::mt19937 random(7);
    std::map<std::int32_t, std::string> model;
    int const rounds = std::getenv("ISOROW_LONG") != nullptr ? 300 : 12;
    for (int round = 0; round < rounds; ++round) {
        std::map<std::int32_t, std::string> next;
        for (auto count = random() % 300; count > 0; --count)
            next[static_cast<std::int32_t>(random() % 300)] = "t" + std::to_string(random() % 4);
        isorow::row_counts expected;
        for (auto const& [id, title] : next) {
            auto const old = model.find(id);
            ++(old == model.end() ? expected.inserted : old->second == title ? expected.unchanged : expected.updated);
        }
        for (auto const& [id, title] : model) expected.deleted += next.contains(id) ? 0 : 1;
        CAPTURE(round);
        for (bool const again : {false, true}) {
            std::string done;
            if (is_wide) {
                std::vector<Document> rows;
                for (auto const& [id, title] : next) rows.push_back(document(id, title));
                done = synchronised(rows, options);
            } else {
                std::vector<Note> rows;
                for (auto const& [id, title] : next) rows.push_back({id, title});
                done = synchronised(rows, options);
            }
            REQUIRE(done == (again ? isorow::text("0 inserted, 0 updated, 0 deleted, {} unchanged", next.size()) : to_string(expected)));
        }
        std::string all;
        for (auto const& [id, title] : next) all.append(all.empty() ? "" : " ").append(std::to_string(id) + "=" + title);
        REQUIRE(database.sql(isorow::text("SELECT coalesce(string_agg(id || '=' || {}, ' ' ORDER BY id), '') FROM {}",
                                          is_wide ? "title" : "text", is_wide ? "documents" : "notes")) == all);
        model = std::move(next);
    }
    CHECK(database.sql("SELECT count(*) FROM pg_class WHERE relpersistence = 't'") == "0");
}
