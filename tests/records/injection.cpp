// Names and values that try to become SQL.

#include <isorow/records/store.hpp>
#include <support/faults.hpp>
#include <support/server.hpp>

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using boost::json::value;
using isorow::records::filter;
using isorow::records::operation;
using isorow::records::path;
using isorow::records::query;

/// Texts made of what means something to SQL, JSON, paths, patterns and array literals.
class attacker {
public:
    explicit attacker(std::uint64_t seed) : random_(seed) {}

    [[nodiscard]] std::size_t below(std::size_t end) { return std::uniform_int_distribution<std::size_t>(0, end - 1)(random_); }

    [[nodiscard]] std::string text() {
        static std::array<std::string_view, 40> const parts{"'",
                                                            "''",
                                                            "\"",
                                                            "\\",
                                                            "\\'",
                                                            ";",
                                                            "--",
                                                            "/*",
                                                            "*/",
                                                            "$1",
                                                            "$$",
                                                            "$a$",
                                                            "{",
                                                            "}",
                                                            "[",
                                                            "]",
                                                            "->>",
                                                            "#>>",
                                                            "::",
                                                            "%",
                                                            "_",
                                                            "(",
                                                            ")",
                                                            ",",
                                                            ".",
                                                            "é",
                                                            "\xe2\x80\x99",
                                                            "\x01",
                                                            "\n",
                                                            " ",
                                                            "DROP TABLE canary",
                                                            "OR 1=1",
                                                            "UNION SELECT",
                                                            "fields",
                                                            "metadata",
                                                            "id",
                                                            "0",
                                                            "99999999999",
                                                            "E'",
                                                            "U&'"};
        std::string made;
        for (auto count = below(7); count > 0; --count) made += parts[below(parts.size())];
        return made;
    }

    [[nodiscard]] path place() {
        if (below(3) == 0) {
            auto const written = below(2) == 0 ? text() : "fields->>'" + text() + "'";
            try {
                return path(written);
            } catch (isorow::usage_error const&) {
                return path("name");
            }
        }
        std::vector<std::string> steps;
        for (auto count = 1 + below(3); count > 0; --count) steps.push_back(text());
        return path::of(below(2) == 0 ? isorow::records::part::fields : isorow::records::part::metadata, std::move(steps));
    }

    [[nodiscard]] filter condition() {
        auto const chosen = static_cast<operation>(below(24));
        auto const positive = isorow::records::detail::opposite_of(chosen).positive;
        try {
            if (positive == operation::in || positive == operation::between)
                return filter(place(), chosen, boost::json::array{boost::json::string(text()), boost::json::string(text())});
            if (below(4) == 0) return filter(place(), chosen, boost::json::object{{text(), boost::json::string(text())}});
            return filter(place(), chosen, boost::json::string(text()));
        } catch (isorow::usage_error const&) {
            return filter("name", operation::exists);
        }
    }

private:
    std::mt19937_64 random_;
};

}  // namespace

TEST_CASE("whatever paths, operations and values are made of, a statement means what it is to mean") {
    test::database const database;
    database.sql("CREATE TABLE canary (alive bool NOT NULL); INSERT INTO canary VALUES (true)");
    isorow::pool pool(database.dsn());
    isorow::record_store const store(pool);
    auto const seed = std::random_device{}();
    INFO("seed " << seed);
    attacker make(seed);
    std::size_t expected = 0;
    auto const rounds = test::long_form() ? 100'000 : 3'000;
    for (int round = 0; round < rounds; ++round) {
        auto const condition = make.condition();
        INFO("round " << round);
        try {
            auto const found = store.search(query(condition).order_by(make.place()).only({make.place()}).limit(3));
            REQUIRE(found.size() <= 3);
        } catch (isorow::server_error const& failure) {
            // A regular expression that is none is the server's to say, and nothing else.
            REQUIRE(failure.sqlstate() == "2201B");
        }
        if (round % 20 != 0) continue;
        auto const name = make.text();
        auto const id = store.create({.fields = {{name, boost::json::string(make.text())}}, .metadata = {{make.text(), name}}});
        ++expected;
        REQUIRE(store.count(filter(path::of_field(name), operation::exists) && isorow::records::where("id") == to_string(id)) == 1);
    }
    CHECK(store.count() == expected);
    CHECK(database.sql("SELECT alive FROM canary") == "t");
    CHECK(database.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == "2");
}
