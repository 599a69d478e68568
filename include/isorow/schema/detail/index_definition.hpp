#pragma once

/// @file
/// Whether two indexes are the same, by the SQL that makes them.

#include <isorow/config.hpp>
#include <isorow/schema/ddl_statements.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace isorow::inline v1::detail {

/// Where an identifier that begins at `place` ends, quoted or not.
[[nodiscard]] std::size_t end_of_identifier(std::string_view sql, std::size_t place) noexcept;

void erase_all(std::string& sql, std::string_view part);

/// What `CREATE INDEX` says of an index beside its name, but for what isorow and `pg_get_indexdef` write differently: quotes, spaces, the
/// extensions' schemas, and the operator class that is the default.
[[nodiscard]] std::string bare_definition(std::string_view definition, extension_schemas const& schemas);

/// Whether a live index is what a definition would make, whatever its name is.
[[nodiscard]] bool is_same_definition(std::string_view definition, std::string_view live, extension_schemas const& schemas);

#if ISOROW_HAS_CODE

ISOROW_DECL std::size_t end_of_identifier(std::string_view sql, std::size_t place) noexcept {
    bool const quoted = place < sql.size() && sql[place] == '"';
    if (quoted) ++place;
    for (; place < sql.size(); ++place) {
        if (!quoted && sql[place] == ' ') break;
        if (!quoted || sql[place] != '"') continue;
        ++place;
        if (place == sql.size() || sql[place] != '"') break;
    }
    return place;
}

ISOROW_DECL void erase_all(std::string& sql, std::string_view part) {
    for (auto place = sql.find(part); place != std::string::npos; place = sql.find(part, place)) sql.erase(place, part.size());
}

ISOROW_DECL std::string bare_definition(std::string_view definition, extension_schemas const& schemas) {
    constexpr std::string_view before_name = "INDEX ";
    std::string sql(definition);
    if (sql.find(before_name) == std::string::npos || sql.find(" USING ") == std::string::npos) return sql;
    auto const name = sql.find(before_name) + before_name.size();
    sql.erase(name, end_of_identifier(definition, name) - name);
    if (auto const only = sql.find(" ON ONLY "); only != std::string::npos) sql.erase(only + 3, 5);
    // The columns come behind the method, and the table with its schema before it.
    auto const columns = sql.find(" USING ");
    auto const table = sql.substr(0, columns);
    sql.erase(0, columns);
    for (auto const& [extension, schema] : schemas) {
        erase_all(sql, quote_identifier(schema) + ".");
        erase_all(sql, " " + schema + ".");
    }
    if (sql.starts_with(" USING ivfflat ")) erase_all(sql, "vector_l2_ops");
    sql.insert(0, table);
    std::erase_if(sql, [](char character) { return character == '"' || character == '\'' || character == ' '; });
    return sql;
}

ISOROW_DECL bool is_same_definition(std::string_view definition, std::string_view live, extension_schemas const& schemas) {
    return bare_definition(definition, schemas) == bare_definition(live, schemas);
}

#endif

}  // namespace isorow::inline v1::detail
