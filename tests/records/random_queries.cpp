// Random queries find the same records, in the same order, in Postgres as in memory.

#include <isorow/records/memory_store.hpp>
#include <isorow/records/store.hpp>
#include <support/faults.hpp>
#include <support/server.hpp>

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

using boost::json::value;
using isorow::record;
using isorow::uuid;
using isorow::records::comparand;
using isorow::records::filter;
using isorow::records::operation;
using isorow::records::path;
using isorow::records::query;

/// Documents and queries made of few names and few values, so that they meet.
class maker {
public:
    explicit maker(std::uint64_t seed) : random_(seed) {}

    [[nodiscard]] record document() { return {.fields = object(2), .metadata = chance(3) ? boost::json::object{} : object(1)}; }

    [[nodiscard]] filter condition(int depth = 3) {
        if (depth == 0 || chance(3)) return comparison();
        switch (below(3)) {
            case 0:
                return condition(depth - 1) && condition(depth - 1);
            case 1:
                return condition(depth - 1) || condition(depth - 1);
            default:
                return !condition(depth - 1);
        }
    }

    [[nodiscard]] query page() {
        query made(condition());
        for (auto keys = below(3); keys > 0; --keys)
            made.order_by(place(), chance(2) ? isorow::records::ascending : isorow::records::descending);
        if (chance(2)) made.limit(below(6));
        if (chance(3)) made.offset(below(4));
        if (chance(5)) made.only({place(), place()});
        return made;
    }

    [[nodiscard]] std::size_t below(std::size_t end) { return std::uniform_int_distribution<std::size_t>(0, end - 1)(random_); }

private:
    [[nodiscard]] bool chance(std::size_t of) { return below(of) == 0; }

    template <class List>
    [[nodiscard]] auto const& one_of(List const& list) {
        return list[below(list.size())];
    }

    [[nodiscard]] std::string name() {
        static std::array<std::string_view, 8> const names{"a", "b", "0", "1", "-1", "01", "x y", "it's \"\\"};
        return std::string(one_of(names));
    }

    [[nodiscard]] boost::json::object object(int depth) {
        boost::json::object made;
        for (auto members = below(4); members > 0; --members) made[name()] = any(depth);
        return made;
    }

    [[nodiscard]] value scalar() {
        static std::array<std::string_view, 22> const texts{"",
                                                            "a",
                                                            "A",
                                                            "ab",
                                                            "aB",
                                                            "b",
                                                            "%",
                                                            "_",
                                                            "\\",
                                                            "a%",
                                                            "é",
                                                            "Éa",
                                                            "1",
                                                            "1.50",
                                                            "true",
                                                            "null",
                                                            "{\"a\": 1}",
                                                            "[1]",
                                                            "日本",
                                                            "a\nb",
                                                            "2026-11-28T07:00:00Z",
                                                            "2026-02-30T07:00:00Z"};
        static std::array<value, 16> const others{0,
                                                  1,
                                                  -1,
                                                  2,
                                                  1.0,
                                                  1.5,
                                                  -0.25,
                                                  1e22,
                                                  123456789012345678,
                                                  18446744073709551615ULL,
                                                  9007199254740993,
                                                  9007199254740992.0,
                                                  true,
                                                  false,
                                                  nullptr,
                                                  1e-7};
        if (chance(2)) return boost::json::string(one_of(texts));
        return one_of(others);
    }

    [[nodiscard]] value any(int depth) {
        if (depth > 0 && chance(4)) return object(depth - 1);
        if (depth > 0 && chance(4)) {
            boost::json::array list;
            for (auto elements = below(4); elements > 0; --elements) list.push_back(any(depth - 1));
            return list;
        }
        return scalar();
    }

    [[nodiscard]] path place() {
        switch (below(12)) {
            case 0:
                return path("id");
            case 1:
                return path::of(isorow::records::part::metadata, {name()});
            case 2:
                return path::of_field(name());
            case 3:
            case 4:
                return path("fields->>'" + std::string(chance(2) ? "a" : "b") + "'");
            case 5:
                return path::of(isorow::records::part::fields, {name(), name(), name()});
            case 6:
                return path("fields->'a'->>'0'");
            default:
                return chance(2) ? path::of_field(chance(2) ? "a" : "b") : path::of(isorow::records::part::fields, {"a", name()});
        }
    }

    [[nodiscard]] comparand operand() {
        if (chance(8)) return std::chrono::sys_days(std::chrono::year{2026} / 11 / 28) + std::chrono::hours(7);
        return any(1);
    }

    [[nodiscard]] filter comparison() {
        auto const chosen = static_cast<operation>(below(24));
        std::vector<comparand> values;
        switch (isorow::records::detail::opposite_of(chosen).positive) {
            case operation::in:
                for (auto count = chance(10) ? 70 : below(4); count > 0; --count) values.push_back(operand());
                break;
            case operation::between:
                values = {operand(), operand()};
                break;
            case operation::like:
            case operation::ilike: {
                static std::array<std::string_view, 12> const patterns{"",    "%",   "_",    "a%", "%b", "_b",
                                                                       "%a%", "\\%", "\\\\", "é%", "%é", "__"};
                values = {value(boost::json::string(one_of(patterns)))};
                break;
            }
            case operation::regex: {
                static std::array<std::string_view, 9> const expressions{"a",   "^a",         "b$",  "^.$",   "[ab]+",
                                                                         "a|1", "^(a|b){2}$", "\\d", "^\\w+$"};
                values = {value(boost::json::string(one_of(expressions)))};
                break;
            }
            case operation::starts_with:
            case operation::contains:
                do values = {scalar()};
                while (!std::get<value>(values.front()).is_string());
                break;
            case operation::has:
            case operation::includes:
                values = {any(2)};
                break;
            case operation::exists:
            case operation::is_null:
                break;
            default:
                values = {operand()};
        }
        return filter::of(place(), chosen, std::move(values));
    }

    std::mt19937_64 random_;
};

[[nodiscard]] std::string shown(record const& one) {
    return to_string(one.id) + " " + isorow::to_json_text(one.fields) + " " + isorow::to_json_text(one.metadata);
}
[[nodiscard]] std::vector<std::string> shown(std::vector<record> const& found) {
    std::vector<std::string> all;
    for (auto const& one : found) all.push_back(shown(one));
    return all;
}

}  // namespace

TEST_CASE("random queries find the same records in the same order in Postgres as in memory") {
    test::database const database;
    isorow::pool pool(database.dsn());
    isorow::record_store postgres(pool);
    isorow::records::memory_store memory;
    auto const seed = std::random_device{}();
    INFO("seed " << seed);
    maker make(seed);
    std::vector<record> documents;
    for (int i = 0; i < 120; ++i) documents.push_back(make.document());
    auto const ids = postgres.create_batch(documents);
    for (std::size_t i = 0; i < ids.size(); ++i) documents[i].id = ids[i];
    memory.create_batch(documents);
    auto const rounds = test::long_form() ? 50'000 : 2'000;
    for (int round = 0; round < rounds; ++round) {
        auto const wanted = make.page();
        isorow::records::detail::statement_builder statement;
        isorow::records::detail::write_query(statement, wanted, "records");
        INFO("round " << round << ": " << statement.sql());
        REQUIRE(shown(postgres.search(wanted)) == shown(memory.search(wanted)));
        REQUIRE(postgres.count(wanted.condition()) == memory.count(wanted.condition()));
        auto const whole = memory.search(query(wanted.condition()));
        if (whole.empty()) continue;
        auto const& last = whole[make.below(whole.size())];
        auto behind = wanted;
        behind.after(last).offset(0);
        REQUIRE(shown(postgres.search(behind)) == shown(memory.search(behind)));
    }
}
