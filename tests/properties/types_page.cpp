// docs/types.md says what is: its table has each type of the list once, with the type and the OID that the code and the server have, and
// an example that goes to the server and comes back.

#include <catch2/catch_test_macros.hpp>

#include <isorow/isorow.hpp>
#include <support/connect.hpp>
#include <support/page_check.hpp>
#include <support/same_value.hpp>
#include <support/value_types.hpp>

#include <algorithm>
#include <fstream>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace {

/// A row of the table: C++, Postgres, OID, binary format, example.
using table_row = std::vector<std::string>;

std::vector<table_row> rows_of_page() {
    std::ifstream page(std::string(ISOROW_SOURCE_DIR) + "/docs/types.md");
    std::vector<table_row> rows;
    bool in_table = false;
    for (std::string line; std::getline(page, line);) {
        if (line.starts_with("|---|---|---|---|---|")) in_table = true;
        else if (!line.starts_with("|")) in_table = false;
        else if (in_table) {
            table_row cells;
            for (auto from = line.find('|') + 1; from < line.size();) {
                auto const end = line.find('|', from);
                cells.push_back(test::trimmed(std::string_view(line).substr(from, end - from)));
                from = end + 1;
            }
            rows.push_back(std::move(cells));
        }
    }
    return rows;
}

std::string quoted(std::string_view code) { return "`" + std::string(code) + "`"; }

/// The rows whose first cell names the type.
std::vector<table_row> rows_named(std::vector<table_row> const& rows, std::string_view name) {
    std::vector<table_row> found;
    for (auto const& row : rows)
        if (row.front().find(quoted(name)) != std::string::npos) found.push_back(row);
    return found;
}

/// `vector(N)`: types that depend on a number are written so.
template <class T>
std::string type_on_page(std::string_view name) {
    isorow::column_type const type = isorow::mapping<T>::type;
    if (name.find("<N>") == std::string_view::npos) return to_sql(type);
    return to_sql(type.base()) + "(N)";
}

struct server : test::database {
    isorow::connection connection{test::connect(dsn())};

    server() {
        isorow::execute(connection, "CREATE EXTENSION vector");
        isorow::execute(connection, "CREATE EXTENSION hstore");
    }

    [[nodiscard]] std::string oid_of(isorow::column_type const& type) {
        return isorow::query_one<std::string>(connection, "SELECT $1::text::regtype::oid::text", to_sql(type.base()));
    }
};

}  // namespace

TEST_CASE_METHOD(server, "each type of the list has one row in docs/types.md, whose example comes back from the server") {
    auto const rows = rows_of_page();
    test::for_each_value_type([&]<class T>(test::value_type<T> const& type) {
        INFO(type.name);
        auto const found = rows_named(rows, type.name);
        REQUIRE(found.size() == 1);
        REQUIRE(found.front().size() == 5);
        isorow::column_type const stored = isorow::mapping<T>::type;
        CHECK(found.front()[1] == type_on_page<T>(type.name));
        CHECK(found.front()[2] == (stored.oid() == 0 ? "of the database" : std::to_string(stored.oid())));
        if (stored.oid() != 0) CHECK(oid_of(stored) == std::to_string(stored.oid()));
        CHECK_FALSE(found.front()[3].empty());
        CHECK(found.front()[4] == quoted(type.example));
        // In a tuple, as a struct alone would be a row of its own.
        CHECK(test::same(std::get<0>(isorow::query_one<std::tuple<T>>(connection, "SELECT $1", type.value)), type.value));
    });
}

TEST_CASE("each row of docs/types.md that has a type of its own is of a type of the list") {
    auto const rows = rows_of_page();
    std::size_t checked = 0;
    for (auto const& row : rows) {
        INFO(row.front());
        REQUIRE(row.size() == 5);
        if (row[2].empty()) continue;
        bool is_listed = false;
        test::for_each_value_type(
            [&](auto const& type) { is_listed = is_listed || row.front().find(quoted(type.name)) != std::string::npos; });
        CHECK(is_listed);
        ++checked;
    }
    CHECK(checked == std::tuple_size_v<test::value_types_tuple>);
}

TEST_CASE_METHOD(server, "the OIDs of the catalogue are the server's") {
    for (auto const& entry : isorow::type_catalog) {
        if (entry.oid == 0) continue;
        INFO(entry.catalog_name);
        auto const [oid, array, printed] = isorow::query_one<std::tuple<std::string, std::string, std::string>>(
            connection,
            "SELECT oid::text, typarray::text, format_type(oid, NULL) FROM pg_type WHERE typname = $1 AND typnamespace = "
            "'pg_catalog'::regnamespace",
            entry.catalog_name);
        CHECK(oid == std::to_string(entry.oid));
        CHECK(array == std::to_string(entry.array_oid));
        CHECK(printed == entry.sql_name);
    }
}
