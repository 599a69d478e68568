// Records found by their words and by their vectors.

#include <isorow/records/store.hpp>
#include <support/matchers.hpp>
#include <support/server.hpp>

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>

#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using isorow::record;
using isorow::record_store;
using isorow::records::found_record;
using isorow::records::query;
using isorow::records::store_options;
using isorow::records::where;
using texts = std::vector<std::string>;

[[nodiscard]] store_options searched(isorow::metric metric = isorow::cosine) {
    return {.texts = {{.places = {"title", "body"}}}, .vector = {{.dimension = 3, .metric = metric}}};
}

[[nodiscard]] record article(std::string_view title, std::string_view body, std::array<double, 3> const& embedding) {
    return {.fields = {{"title", title}, {"body", body}, {"embedding", {embedding[0], embedding[1], embedding[2]}}}};
}

[[nodiscard]] texts titles_of(std::vector<found_record> const& found) {
    texts titles;
    for (auto const& one : found) titles.emplace_back(one.record.fields.at("title").as_string());
    return titles;
}

struct library {
    test::database database{};
    isorow::pool pool{database.dsn()};
    record_store<> store;

    explicit library(store_options const& options = searched()) : store(pool, options) {}

    void fill() {
        store.create_batch(std::vector<record>{article("Foxes", "the quick brown fox jumps", {1, 0, 0}),
                                               article("Dogs", "a lazy dog sleeps, and a fox does not", {0.8, 0.6, 0}),
                                               article("Cats", "cats purr", {0, 1, 0}), article("Stars", "far away", {0, 0, 1})});
    }

    [[nodiscard]] std::string plan_of(std::string const& sql) {
        std::string plan;
        isorow::transaction open(pool);
        execute(open, "SET LOCAL enable_seqscan = off");
        for (auto const& line : isorow::query<std::string>(open, "EXPLAIN " + sql)) plan += line + "\n";
        return plan;
    }
};

constexpr std::array<float, 3> towards_foxes{1, 0, 0};

}  // namespace

TEST_CASE("texts are found by their words, the best first") {
    library books;
    books.fill();
    auto const found = books.store.search_text("fox");
    CHECK(titles_of(found) == texts{"Foxes", "Dogs"});
    CHECK(found[0].score >= found[1].score);
    CHECK(found[1].score > 0);
    // Words are compared in the language's forms, and a title counts as well.
    CHECK(titles_of(books.store.search_text("sleeping")) == texts{"Dogs"});
    CHECK(titles_of(books.store.search_text("star")) == texts{"Stars"});
    CHECK(titles_of(books.store.search_text("fox -lazy")) == texts{"Foxes"});
    CHECK(titles_of(books.store.search_text("\"quick brown\" or purr")).size() == 2);
    CHECK(books.store.search_text("").empty());
    CHECK(books.store.search_text("unicorn").empty());
    CHECK(books.store.search_text("'); DROP TABLE records; --").empty());
    CHECK(books.store.count() == 4);
}

TEST_CASE("a search by words honours the condition, and gives a page of what is asked for") {
    library books;
    books.fill();
    books.store.create({.fields = {{"title", "fox without a body"}}});
    books.store.create({.fields = {{"title", 5}, {"body", nullptr}}});
    CHECK(titles_of(books.store.search_text("fox", where("title") == "Dogs")) == texts{"Dogs"});
    auto const all = titles_of(books.store.search_text("fox"));
    REQUIRE(all.size() == 3);
    CHECK(titles_of(books.store.search_text("fox", query().offset(1).limit(1))) == texts{all[1]});
    CHECK(books.store.search_text("fox", query().limit(0)).empty());
    auto const slim = books.store.search_text("fox", query().limit(1).only({"title"}));
    CHECK(slim[0].record.fields.size() == 1);
    CHECK_THROWS_AS(books.store.search_text("fox", query().order_by("title")), isorow::usage_error);
    CHECK_THROWS_AS(books.store.search_text("fox", query().after({})), isorow::usage_error);
}

TEST_CASE("vectors are found by their distance, the nearest first") {
    library books;
    books.fill();
    books.store.create({.fields = {{"title", "without a vector"}}});
    auto const found = books.store.search_nearest(towards_foxes);
    CHECK(titles_of(found) == texts{"Foxes", "Dogs", "Cats", "Stars"});
    CHECK(found[0].score == Catch::Approx(0).margin(1e-6));
    CHECK(found[1].score == Catch::Approx(1 - 0.8));
    CHECK(found[2].score == Catch::Approx(1));
    CHECK(titles_of(books.store.search_nearest(towards_foxes, query(where("title") != "Foxes").limit(1))) == texts{"Dogs"});
    CHECK(titles_of(books.store.search_nearest(towards_foxes, query().limit(1).offset(1))) == texts{"Dogs"});
}

TEST_CASE("each metric has its own distances, and there is no other") {
    for (auto const& [metric, distance] : {std::pair{isorow::l2, std::sqrt(0.4)}, {isorow::l1, 0.8}, {isorow::inner_product, -0.8}}) {
        library books(searched(metric));
        books.fill();
        auto const found = books.store.search_nearest(towards_foxes);
        CHECK(titles_of(found)[1] == "Dogs");
        CHECK(found[1].score == Catch::Approx(distance));
    }
    test::database const database;
    isorow::pool pool(database.dsn());
    for (auto const metric : {isorow::hamming, isorow::jaccard})
        CHECK_THROWS_MATCHES(record_store(pool, searched(metric)), isorow::usage_error, test::says("cosine, l2, inner_product or l1"));
}

TEST_CASE("however a record is written, its vector is what its field says") {
    library books;
    auto& store = books.store;
    auto const nearest = [&] { return titles_of(store.search_nearest(towards_foxes, query().limit(1))); };
    auto one = article("created", "", {0.5, 0, 0.5});
    one.id = store.create(one);
    CHECK(nearest() == texts{"created"});
    store.create_batch(std::vector<record>{article("in a batch", "", {0.9, 0, 0.1}), article("other", "", {0, 1, 0})});
    CHECK(nearest() == texts{"in a batch"});
    std::vector<record> many(300, article("far", "", {0, 0, 1}));
    many[299] = article("copied", "", {0.99, 0, 0.01});
    store.create_batch(many);
    CHECK(nearest() == texts{"copied"});
    one.fields = article("updated", "", {0.999, 0, 0.001}).fields;
    store.update(one);
    CHECK(nearest() == texts{"updated"});
    store.patch(one.id, {{"embedding", {0, 1, 0}}});
    CHECK(nearest() == texts{"copied"});
    store.upsert_batch(std::vector<record>{{.id = one.id, .fields = article("upserted", "", {1, 0, 0}).fields}});
    CHECK(nearest() == texts{"upserted"});
    store.patch(one.id, {{"embedding", nullptr}});
    CHECK(nearest() == texts{"copied"});
    one.fields = article("restored", "", {1, 0, 0}).fields;
    store.restore_batch({&one, 1});
    CHECK(nearest() == texts{"restored"});
}

TEST_CASE("a condition that leaves few of many near records finds them, through the index too") {
    library books;
    std::vector<record> many(2000, article("near", "", {1, 0.01, 0}));
    for (std::size_t i = 0; i < many.size(); ++i) many[i].fields["n"] = static_cast<std::int64_t>(i);
    books.store.create_batch(many);
    std::vector<record> few(5, article("wanted", "", {0.1, 1, 0}));
    books.store.create_batch(few);
    books.store.maintain();
    CHECK(books.store.search_nearest(towards_foxes, query(where("title") == "wanted")).size() == 5);
    CHECK(books.store.search_nearest(towards_foxes, query().limit(200)).size() == 200);
    CHECK(titles_of(books.store.search_hybrid("", towards_foxes, query(where("title") == "wanted"))) == texts(5, "wanted"));
}

TEST_CASE("searches use the indexes of their store") {
    library books;
    books.fill();
    books.store.maintain();
    CHECK(books
              .plan_of("SELECT id FROM records r WHERE to_tsvector('english'::regconfig, coalesce(((r.fields -> 'title'::text) #>> '{}'), "
                       "'') || ' ' || coalesce(((r.fields -> 'body'::text) #>> '{}'), '')) @@ websearch_to_tsquery('english', 'fox')")
              .find("idx_texts") != std::string::npos);
    CHECK(books
              .plan_of("SELECT id FROM records r WHERE embedding IS NOT NULL ORDER BY r.embedding OPERATOR(public.<=>) "
                       "'[1,0,0]'::text::vector LIMIT 2")
              .find("idx_embedding") != std::string::npos);
    // Their own statements are counted by the server as scans of the indexes.
    isorow::transaction open(books.pool);
    execute(open, "SET LOCAL enable_seqscan = off");
    auto const scans = [&](std::string const& index) {
        return isorow::scalar<std::int64_t>(open, "SELECT pg_stat_get_xact_numscans($1::regclass)", index);
    };
    auto const inside = books.store.within(open);
    CHECK(inside.search_text("fox").size() == 2);
    CHECK(inside.search_nearest(towards_foxes, query().limit(1)).size() == 1);
    CHECK(scans("idx_texts") == 1);
    CHECK(scans("idx_embedding") == 1);
}

TEST_CASE("a hybrid search fuses the ranks of both by their weights") {
    library books;
    books.fill();
    auto const found = books.store.search_hybrid("fox or purr", std::array<float, 3>{0, 1, 0});
    // By text: Foxes, Dogs and Cats in some order; by vector: Cats, Dogs, then Foxes and Stars, which are equally far.
    REQUIRE(found.size() == 4);
    auto const by_text = titles_of(books.store.search_text("fox or purr"));
    auto const by_vector = titles_of(books.store.search_nearest(std::array<float, 3>{0, 1, 0}));
    for (auto const& one : found) {
        auto const rank_in = [&](texts const& ranking) {
            auto const place = std::ranges::find(ranking, std::string(one.record.fields.at("title").as_string()));
            return place == ranking.end() ? 0. : 1. / (60 + 1 + static_cast<double>(place - ranking.begin()));
        };
        CHECK(one.score == Catch::Approx(rank_in(by_text) + rank_in(by_vector)));
    }
    CHECK(std::ranges::is_sorted(found, std::ranges::greater{}, &found_record::score));
    auto const weighted = books.store.search_hybrid("far", towards_foxes, {}, {.text_weight = 10, .vector_weight = 1, .k = 1});
    CHECK(titles_of(weighted).front() == "Stars");
    CHECK(weighted.front().score == Catch::Approx(10. / 2 + 1. / 5));
    CHECK(titles_of(books.store.search_hybrid("fox", towards_foxes, query(where("title") == "Dogs"))) == texts{"Dogs"});
    CHECK(titles_of(books.store.search_hybrid("fox", towards_foxes, query().limit(1).offset(1))) == texts{"Dogs"});
    CHECK_THROWS_AS(books.store.search_hybrid("fox", towards_foxes, {}, {.k = 0}), isorow::usage_error);
    CHECK_THROWS_AS(books.store.search_hybrid("fox", towards_foxes, {}, {.text_weight = std::nan("")}), isorow::usage_error);
}

TEST_CASE("what is no vector to search by or to keep is refused, and nothing is lost") {
    library books;
    books.fill();
    CHECK_THROWS_MATCHES(books.store.search_nearest(std::array<float, 2>{1, 0}), isorow::usage_error, test::says("3 dimensions, not 2"));
    CHECK_THROWS_MATCHES(books.store.search_nearest(std::array<float, 3>{0, 0, 0}), isorow::usage_error, test::says("zero"));
    CHECK_THROWS_MATCHES(books.store.search_nearest(std::array<float, 3>{1, INFINITY, 0}), isorow::usage_error, test::says("finite"));
    CHECK_THROWS_MATCHES(books.store.create({.fields = {{"embedding", {1, 2}}}}), isorow::server_error, test::says("3 dimensions"));
    CHECK_THROWS_AS(books.store.create({.fields = {{"embedding", "far"}}}), isorow::server_error);
    CHECK(books.store.count() == 4);

    test::database const database;
    isorow::pool pool(database.dsn());
    CHECK_THROWS_AS(record_store(pool, {.vector = {{.dimension = 0}}}), isorow::usage_error);
    CHECK_THROWS_MATCHES(record_store(pool, {.vector = {{.dimension = 2001}}}), isorow::usage_error, test::says("2000"));
    CHECK_THROWS_AS(record_store(pool, {.texts = {{.places = {}}}}), isorow::usage_error);
    CHECK_THROWS_AS(record_store(pool, {.texts = {{.places = {"id"}}}}), isorow::usage_error);
    CHECK_THROWS_AS(record_store(pool, {.texts = {{.places = {"a"}, .language = "klingon"}}}), isorow::server_error);
    record_store const plain(pool, {.vector = {{.dimension = 2001, .index = std::nullopt}}});
    CHECK_THROWS_MATCHES(plain.search_text("fox"), isorow::usage_error, test::says(".texts"));
    record_store const other(pool, {.table = "other"});
    CHECK_THROWS_MATCHES(other.search_nearest(towards_foxes), isorow::usage_error, test::says(".vector"));
}

TEST_CASE("a table without the vector is refused with the SQL that adds it") {
    test::database const database;
    isorow::pool pool(database.dsn());
    record_store const before(pool);
    before.create(article("old", "", {1, 0, 0}));
    store_options const options{.vector = {{.dimension = 3}}};
    std::string sql;
    try {
        record_store const refused(pool, options);
        FAIL("the table has no vector");
    } catch (isorow::mismatch const& failure) {
        std::string_view const what = failure.what();
        auto const begin = what.find("ALTER TABLE");
        REQUIRE(begin != std::string_view::npos);
        sql = what.substr(begin, what.find("STORED") + 6 - begin);
    }
    isorow::execute(pool, sql);
    record_store const store(pool, options);
    CHECK(titles_of(store.search_nearest(towards_foxes)) == texts{"old"});
    CHECK_THROWS_AS(record_store(pool, {.vector = {{.dimension = 4}}}), isorow::mismatch);
}

TEST_CASE("a column of vectors that the store's writes would not fill is refused") {
    test::database const database;
    isorow::pool pool(database.dsn());
    record_store const before(pool);
    database.sql("CREATE EXTENSION vector; ALTER TABLE records ADD embedding vector(3)");
    store_options const options{.vector = {{.dimension = 3}}};
    CHECK_THROWS_MATCHES(record_store(pool, options), isorow::mismatch, test::says("a column that writes do not fill"));
    database.sql(
        "ALTER TABLE records DROP embedding;"
        " ALTER TABLE records ADD embedding vector(3) GENERATED ALWAYS AS ((fields ->> 'other')::vector) STORED");
    CHECK_THROWS_MATCHES(record_store(pool, options), isorow::mismatch, test::says("'other'"));
    CHECK(record_store(pool).count() == 0);
}

TEST_CASE("a search in the caller's transaction leaves its settings as they are") {
    library books;
    books.fill();
    isorow::transaction open(books.pool);
    execute(open, "SET LOCAL hnsw.iterative_scan = relaxed_order");
    CHECK(books.store.within(open).search_nearest(towards_foxes).size() == 4);
    CHECK(isorow::scalar<std::string>(open, "SHOW hnsw.iterative_scan") == "relaxed_order");
}

TEST_CASE("pgvector is found in any schema") {
    test::database const database;
    database.sql("CREATE SCHEMA \"Ext\"; CREATE EXTENSION vector SCHEMA \"Ext\"");
    isorow::pool pool(database.dsn());
    record_store const store(pool, searched());
    store.create(article("Foxes", "fox", {1, 0, 0}));
    CHECK(store.search_nearest(towards_foxes).size() == 1);
    CHECK(store.search_hybrid("fox", towards_foxes).size() == 1);
    CHECK(record_store(pool, searched()).count() == 1);
}

TEST_CASE("typed records are found by words and vectors too") {
    struct Article {
        std::string title;
        std::string body;
        std::vector<double> embedding;
    };
    test::database const database;
    isorow::pool pool(database.dsn());
    record_store<Article> articles(pool, searched());
    articles.create(Article{"Foxes", "the fox", {1, 0, 0}});
    CHECK(articles.search_text("fox").at(0).record.value.title == "Foxes");
    CHECK(articles.search_nearest(towards_foxes).at(0).record.value.embedding == std::vector<double>{1, 0, 0});
    CHECK(articles.search_hybrid("fox", towards_foxes, where<&Article::title>() == "Foxes").size() == 1);
}
