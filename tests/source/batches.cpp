#include <catch2/catch_test_macros.hpp>

#include <isorow/query/copy.hpp>
#include <isorow/source/source.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <ranges>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

using isorow::row_batch;

namespace {

using bytes = std::span<std::byte const>;

struct Paper {
    std::int64_t id;
    std::string_view title;
    bytes scan;
    std::optional<std::string_view> note;
    std::optional<bytes> cover;

    static consteval auto isorow_table() { return isorow::table("papers").primary_key<&Paper::id>(); }
};

struct Pair {
    std::int64_t left;
    std::int32_t right;
};

struct library {
    test::database database;
    isorow::pool pool{database.dsn(), {.min_size = 1, .max_size = 2}};

    /// Papers of so many rows, each fifth without a note, each third without a cover.
    void make(std::int64_t rows) {
        database.sql(
            "CREATE TABLE papers (id bigint PRIMARY KEY, title text NOT NULL, scan bytea NOT NULL, note text, cover bytea); INSERT INTO "
            "papers SELECT g, 'title ' || g, decode(lpad(to_hex(g), 8, '0'), 'hex'), CASE WHEN g % 5 <> 0 THEN 'note ' || g END, CASE "
            "WHEN g % 3 <> 0 THEN '\\x0102'::bytea END FROM generate_series(1, " +
            std::to_string(rows) + ") g");
    }
};

[[nodiscard]] std::string text_of(bytes value) {
    std::string hex;
    for (auto const byte : value) {
        hex += "0123456789abcdef"[std::to_integer<int>(byte) >> 4];
        hex += "0123456789abcdef"[std::to_integer<int>(byte) & 15];
    }
    return hex;
}

/// What row `id` is to be.
void check(Paper const& paper, std::int64_t id) {
    REQUIRE(paper.id == id);
    REQUIRE(paper.title == "title " + std::to_string(id));
    REQUIRE(text_of(paper.scan).size() == 8);
    REQUIRE(std::stoll(text_of(paper.scan), nullptr, 16) == id);
    REQUIRE(paper.note == (id % 5 != 0 ? std::optional("note " + std::to_string(id)) : std::nullopt));
    REQUIRE(paper.cover.has_value() == (id % 3 != 0));
    if (paper.cover) REQUIRE(text_of(*paper.cover) == "0102");
}

std::int64_t check_all(isorow::batch_range<Paper> batches) {
    std::int64_t last = 0;
    for (auto const& batch : batches) {
        REQUIRE(!batch.empty());
        for (auto const& paper : batch) check(paper, ++last);
    }
    return last;
}

}  // namespace

static_assert(std::ranges::input_range<isorow::batch_range<Paper>>);
static_assert(std::ranges::view<isorow::batch_range<Paper>>);
static_assert(std::ranges::contiguous_range<row_batch<Paper>> && std::ranges::sized_range<row_batch<Paper>>);
static_assert(isorow::mappable<Paper> && !isorow::owning<Paper>);

TEST_CASE("a struct with views is a table as one that owns its texts and bytes is") {
    CHECK(isorow::ddl<Paper>() ==
          "CREATE TABLE \"public\".\"papers\" (\n    \"id\" bigint NOT NULL,\n    \"title\" text NOT NULL,\n    \"scan\" bytea NOT NULL,\n"
          "    \"note\" text,\n    \"cover\" bytea\n);\nALTER TABLE \"public\".\"papers\" ADD PRIMARY KEY (\"id\");\n");
}

TEST_CASE_METHOD(library, "batches of any size have all rows once, in order, with views of their own memory") {
    make(2000);
    isorow::source<Paper> const papers(pool);
    for (std::size_t const rows : {1U, 3U, 999U, 2000U, 5000U})
        for (std::size_t const size : {1U, 1500U, 70'000U, 1'000'000U}) {
            CAPTURE(rows, size);
            CHECK(check_all(papers.batches({.rows = rows, .bytes = size})) == 2000);
        }
    CHECK(check_all(papers.batches()) == 2000);
    for (auto const& batch : papers.batches({.rows = 7})) CHECK(batch.size() <= 7);
}

TEST_CASE_METHOD(library, "with bound values the rows are the same") {
    make(1000);
    isorow::source<Paper> const papers(pool, {.filter = isorow::where<&Paper::id>() <= 900});
    for (std::size_t const rows : {1U, 100U, 255U, 5000U}) CHECK(check_all(papers.batches({.rows = rows})) == 900);
    std::string title = "title 7";
    isorow::source<Paper> const one(pool, {.filter = isorow::where<&Paper::title>() == std::string_view(title)});
    title = "overwritten";  // the filter has a copy
    auto batches = one.batches();
    CHECK(batches.begin()->begin()->id == 7);
}

TEST_CASE_METHOD(library, "a row that is larger than a batch is whole") {
    make(3);
    database.sql("UPDATE papers SET title = repeat('x', 300000) WHERE id = 2");
    for (std::size_t const size : {1U, 1024U, 100'000U, 262'144U, 299'000U, 300'060U}) {
        CAPTURE(size);
        std::vector<std::size_t> sizes;
        for (auto const& batch : isorow::source<Paper>(pool).batches({.bytes = size}))
            for (auto const& paper : batch) {
                sizes.push_back(paper.title.size());
                if (paper.id == 2) CHECK(paper.title.find_first_not_of('x') == std::string_view::npos);
            }
        std::ranges::sort(sizes);
        CHECK(sizes == std::vector<std::size_t>{7, 7, 300'000});
    }
}

TEST_CASE_METHOD(library, "a batch that was moved away keeps what its views refer to, on another thread too") {
    make(3000);
    for (bool const bound : {false, true}) {
        std::vector<row_batch<Paper>> kept;
        isorow::source_options options;
        if (bound) options.filter = isorow::where<&Paper::id>() > 0;
        for (auto& batch : isorow::source<Paper>(pool, options).batches({.rows = 100})) {
            kept.push_back(std::move(batch));
            CHECK(batch.empty());
        }
        std::int64_t ids = 0;
        std::thread([&] {
            for (auto const& batch : kept)
                for (auto const& paper : batch) ids += paper.title == "title " + std::to_string(paper.id) ? paper.id : 0;
        }).join();
        CHECK(ids == 3000 * 3001 / 2);
    }
}

TEST_CASE_METHOD(library, "structs that own their texts, and those of fixed size, come in batches, too") {
    struct Owner {
        std::string title;
        std::int64_t id;
        static consteval auto isorow_table() { return isorow::table("papers"); }
    };
    make(500);
    std::vector<std::string> titles;
    for (auto& batch : isorow::source<Owner>(pool).batches({.rows = 64}))
        for (auto& row : batch) titles.push_back(std::move(row.title));
    CHECK(titles.size() == 500);
    CHECK(titles.back() == "title 500");

    std::int64_t sum = 0;
    std::size_t pairs = 0;
    for (auto const& batch :
         isorow::source<Pair>(pool, {.sql_query = "SELECT g AS left, -g AS right FROM generate_series(1, 10000) g"}).batches())
        for (auto const& row : batch) {
            sum += row.left + row.right;
            ++pairs;
        }
    CHECK(sum == 0);
    CHECK(pairs == 10'000);
}

TEST_CASE_METHOD(library, "a query's columns are found by their names, whatever their order, and others are passed over") {
    for (std::string const query :
         {"SELECT 1 AS other, g::int AS right, g + 1::bigint AS left FROM generate_series(1, 5000) g; ",
          "WITH q AS (SELECT g FROM generate_series(1, 5000) g) SELECT g::int AS right, g + 1::bigint AS left FROM q -- those",
          "  (SELECT g::int AS right, g + 1::bigint AS left FROM generate_series(1, 5000) g)"}) {
        CAPTURE(query);
        std::size_t rows = 0;
        for (auto const& batch : isorow::source<Pair>(pool, {.sql_query = query}).batches({.rows = 300}))
            for (auto const& row : batch) rows += row.left == row.right + 1 ? 1U : 0U;
        CHECK(rows == 5000);
    }
    // What COPY cannot read is read as a query.
    struct Setting {
        std::string_view TimeZone;
    };
    for (auto const& batch : isorow::source<Setting>(pool, {.sql_query = "SHOW TimeZone"}).batches()) CHECK(batch.size() == 1);
}

TEST_CASE_METHOD(library, "columns that are not read keep their default initialisers, also where a batch's memory is used again") {
    struct Part {
        std::int64_t id;
        std::optional<std::string_view> note = "not read";
        static consteval auto isorow_table() { return isorow::table("papers").primary_key<&Part::id>(); }
    };
    make(100);
    for (isorow::filter const& filter : {isorow::filter{}, isorow::where("id") > 0})
        for (auto& batch : isorow::source<Part>(pool, {.columns = {"id"}, .filter = filter}).batches({.rows = 10}))
            for (auto& row : batch) {
                CHECK(row.note == "not read");
                row.note = "written";
            }
}

TEST_CASE_METHOD(library, "a table or a query without rows has no batches, and types are proved all the same") {
    make(0);
    for (isorow::filter const& filter : {isorow::filter{}, isorow::where("id") > 0}) {
        for ([[maybe_unused]] auto const& batch : isorow::source<Paper>(pool, {.filter = filter}).batches()) FAIL("a batch came");
    }
    CHECK_THROWS_MATCHES(isorow::source<Pair>(pool, {.sql_query = "SELECT 1::bigint AS left, 'x' AS right WHERE false"}).batches(),
                         isorow::mismatch, test::says("Pair.right"));
    database.sql("ALTER TABLE papers ALTER COLUMN scan TYPE text USING 'x'");
    CHECK_THROWS_MATCHES(isorow::source<Paper>(pool).batches(), isorow::mismatch, test::says("Paper.scan"));
}

TEST_CASE_METHOD(library, "NULL in a field that is not optional is told with struct and field") {
    for (std::string const query : {"SELECT g AS left, nullif(g, 700)::int AS right FROM generate_series(1::bigint, 1000) g",
                                    "SELECT nullif(g, 700)::int AS right, g AS left FROM generate_series(1::bigint, 1000) g"}) {
        auto batches = isorow::source<Pair>(pool, {.sql_query = query}).batches({.rows = 100});
        std::size_t rows = 0;
        CHECK_THROWS_MATCHES(
            [&] {
                for (auto const& batch : batches) rows += batch.size();
            }(),
            isorow::unrepresentable, test::says("Pair.right"));
        CHECK(rows == 600);
        CHECK(batches.begin() == batches.end());
    }
    CHECK(pool.acquire()->is_idle());
}

TEST_CASE_METHOD(library, "an error of the server comes with its SQLSTATE, after the batches before it") {
    auto batches = isorow::source<Pair>(
                       pool, {.sql_query = "SELECT g AS left, (1 / (5000 - g))::int AS right FROM generate_series(1::bigint, 10000) g"})
                       .batches({.rows = 100});
    std::size_t rows = 0;
    CHECK_THROWS_AS(
        [&] {
            for (auto const& batch : batches) rows += batch.size();
        }(),
        isorow::data_exception);
    CHECK(rows >= 4000);
}

TEST_CASE_METHOD(library, "leaving early cancels, and gives the connection back") {
    isorow::connection connection = test::connect(database.dsn());
    std::string const query = "SELECT generate_series(1::bigint, 100000000) AS left, 1 AS right";
    for (isorow::batch_options const& options : {isorow::batch_options{}, isorow::batch_options{.rows = 10}}) {
        for (auto const& batch : isorow::source<Pair>(connection, {.sql_query = query}).batches(options))
            if (!batch.empty()) break;
        CHECK(connection.is_idle());
    }
    {
        auto const never_walked = isorow::source<Pair>(connection, {.sql_query = "SELECT 1::bigint AS left, 2 AS right"}).batches();
    }
    CHECK(connection.is_idle());
}

TEST_CASE_METHOD(library, "the table cannot be altered while its batches are read, nor between the proof of its types and the COPY") {
    make(20'000);
    auto batches = isorow::source<Paper>(pool).batches({.rows = 10});
    auto batch = batches.begin();
    auto other = test::connect(database.dsn());
    {
        isorow::transaction work(other);
        isorow::execute(work, "SET LOCAL lock_timeout = '50ms'");
        CHECK_THROWS_AS(isorow::execute(work, "ALTER TABLE papers ALTER COLUMN id TYPE text"), isorow::object_not_in_prerequisite_state);
    }
    std::size_t rows = 0;
    for (; batch != batches.end(); ++batch) rows += batch->size();
    CHECK(rows == 20'000);
    isorow::execute(other, "ALTER TABLE papers ALTER COLUMN id TYPE text");
}

TEST_CASE_METHOD(library, "in a transaction the batches see what it wrote, and the transaction goes on") {
    make(10);
    auto connection = test::connect(database.dsn());
    isorow::transaction work(connection);
    isorow::execute(work, "DELETE FROM papers WHERE id > 4");
    CHECK(check_all(isorow::source<Paper>(work).batches()) == 4);
    CHECK(work.is_open());
    work.commit();
    CHECK(check_all(isorow::source<Paper>(pool).batches()) == 4);
    isorow::session session(connection);
    CHECK(check_all(isorow::source<Paper>(session).batches()) == 4);
    CHECK(session.in_transaction());
}

TEST_CASE_METHOD(library, "what a query's functions write stays") {
    database.sql(
        "CREATE TABLE told (n bigint); CREATE FUNCTION tell(n bigint) RETURNS bigint LANGUAGE sql AS 'INSERT INTO told VALUES (n) "
        "RETURNING n'");
    for (auto const& batch : isorow::source<Pair>(pool, {.sql_query = "SELECT tell(7) AS left, 1 AS right"}).batches())
        CHECK(batch[0].left == 7);
    CHECK(database.sql("SELECT n FROM told") == "7");
}

TEST_CASE_METHOD(library, "deadline and stop token hold for batches") {
    isorow::source_options const slow{.sql_query = "SELECT g AS left, 1 AS right FROM generate_series(1::bigint, 3) g, pg_sleep(30)"};
    auto const walk = [&](isorow::database_ref const& where) {
        for (auto const& batch : isorow::source<Pair>(where, slow).batches()) static_cast<void>(batch);
    };
    CHECK_THROWS_AS(walk(isorow::within(pool, std::chrono::milliseconds(100))), isorow::timed_out);
    std::stop_source stop;
    std::jthread const stopper([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        stop.request_stop();
    });
    CHECK_THROWS_AS(walk(isorow::within(pool, std::chrono::seconds(60), stop.get_token())), isorow::stopped);
    CHECK(isorow::scalar<int>(pool, "SELECT 1") == 1);
}

TEST_CASE_METHOD(library, "types of extensions and arrays are read in batches") {
    struct Embedded {
        std::int64_t id;
        isorow::vector<3> place;
        std::vector<std::int32_t> numbers;
        isorow::annotated<std::string_view, isorow::pg_type<"citext">> label;
        static consteval auto isorow_table() { return isorow::table("embedded"); }
    };
    database.sql(
        "CREATE EXTENSION vector; CREATE EXTENSION citext; CREATE TABLE embedded (id bigint NOT NULL, place vector(3) NOT NULL, numbers "
        "int[] NOT NULL, label citext NOT NULL); INSERT INTO embedded SELECT g, '[1,2,3]', ARRAY[g, g + 1], 'L' || g FROM "
        "generate_series(1, 1000) g");
    pool.drain();
    std::size_t right = 0;
    for (auto const& batch : isorow::source<Embedded>(pool).batches())
        for (auto const& row : batch)
            right += row.place[1] == 2.0F && row.numbers[1] == row.id + 1 && row.label == "L" + std::to_string(row.id) ? 1U : 0U;
    CHECK(right == 1000);
}

TEST_CASE_METHOD(library, "dynamic rows come in batches") {
    make(700);
    std::int64_t sum = 0;
    for (auto const& batch : isorow::source<isorow::dynamic_row>(pool, {.table = "papers"}).batches({.rows = 100})) {
        CHECK(batch.size() <= 100);
        for (auto const& row : batch) sum += row["id"].as<std::int64_t>();
    }
    CHECK(sum == 700 * 701 / 2);
}

TEST_CASE_METHOD(library, "a document is given to the json_deserializer, but not where a view of it is asked for") {
    struct Document {
        std::string body;
        static consteval auto isorow_table() { return isorow::table("documents").template column<&Document::body>({.type = "json"}); }
    };
    struct View {
        std::string_view body;
        static consteval auto isorow_table() { return isorow::table("documents").template column<&View::body>({.type = "json"}); }
    };
    database.sql("CREATE TABLE documents (body json NOT NULL); INSERT INTO documents VALUES ('{\"a\": 1}')");
    isorow::connection connection(database.dsn(),
                                  {.json_deserializer = [](std::string_view text) { return "<" + std::string(text) + ">"; }});
    for (auto const& batch : isorow::source<Document>(connection).batches()) CHECK(batch[0].body == "<{\"a\": 1}>");
    CHECK_THROWS_MATCHES(isorow::source<View>(connection).batches(), isorow::usage_error, test::says("View.body is a view of a document"));
    for (auto const& batch : isorow::source<View>(pool).batches()) CHECK(batch[0].body == "{\"a\": 1}");
}

TEST_CASE_METHOD(library, "views are written, bound and compared like what they refer to") {
    make(0);
    std::string const title = "title 77";
    std::vector<std::byte> const scan{std::byte{0}, std::byte{0}, std::byte{0}, std::byte{77}};
    isorow::copy_writer<Paper> writer(pool);
    writer.write({77, title, scan, "note 77", bytes(scan).first(0)});
    CHECK(writer.finish() == 1);
    CHECK(isorow::scalar<bool>(pool, "SELECT scan = $1 AND cover = '' FROM papers WHERE title = $2", bytes(scan), std::string_view(title)));
    isorow::source<Paper> const same(pool, {.filter = isorow::where<&Paper::scan>() == bytes(scan)});
    for (auto const& batch : same.batches()) {
        CHECK(batch[0].title == title);
        REQUIRE(batch[0].cover.has_value());
        CHECK(batch[0].cover->empty());
    }
}

TEST_CASE_METHOD(library, "batches of no rows, and no connections, are refused") {
    make(1);
    CHECK_THROWS_AS(isorow::source<Paper>(pool).batches({.rows = 0}), isorow::usage_error);
    CHECK_THROWS_AS(isorow::source<Paper>(pool).batches({.connections = 0}), isorow::usage_error);
}
