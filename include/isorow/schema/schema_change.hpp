#pragma once

/// @file
/// The steps by which a live table becomes the one that is declared.

#include <isorow/error/mismatch.hpp>
#include <isorow/schema/table_record.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace isorow::inline v1 {

/// When a change is made.
enum class change_phase : std::uint8_t {
    before,     ///< before the transaction that writes the rows
    with_rows,  ///< in it
    after,      ///< after it: what cannot be done in a transaction, as CREATE INDEX CONCURRENTLY
};

/// What a change is about.
enum class changed_object : std::uint8_t { table, column, key, index, extension, attachment, check, type, constraint, comment };

/// One step, with what one wants to know before it is made.
struct schema_change {
    std::string description;  ///< `add column "price" double precision`
    std::string sql;
    change_phase phase = change_phase::with_rows;
    bool after_rows = false;   ///< in the transaction: once the rows are written
    bool joins = false;        ///< it makes or drops a foreign key: dropped before any table is altered, made when all have their rows
    bool destructive = false;  ///< it loses values, or who relies on them: it needs the user's word
    bool rewrites = false;     ///< the whole table is written anew
    std::string_view lock{};   ///< the lock on the table, held until the transaction ends; empty where there is none
    changed_object object = changed_object::table;
    std::string name{};             ///< of the column, index, extension, attachment or constraint
    bool may_be_postponed = false;  ///< where others' objects depend on what it drops, it is left to the next run
    std::string instead{};          ///< the SQL that is run when it is postponed; empty where there is none
    std::string violations_sql{};   ///< of the check of a column's labels: reads the values that are none, and how many rows have each
};

/// What a table's changes may make use of.
struct evolution_rules {
    bool concurrently = true;  ///< indexes may be built after the transaction; not where it is the caller's own
    bool may_empty = true;     ///< all rows are isorow's, so that the table may be emptied for a new key
    /// The types of the user's that the database has, by their quoted names: an enumeration's labels, or a composite's attributes, each
    /// with its type as `format_type` prints it, in their order.
    std::map<std::string, std::vector<std::string>, std::less<>> known_types{};
};

/// All that makes a live table the declared one.
struct evolution {
    std::vector<schema_change> changes{};   ///< in the order in which they are made
    std::vector<difference> refused{};      ///< what no change is made for: only the user can say how
    std::vector<std::string> postponed{};   ///< what is known not to be possible yet, with the reasons
    bool creates = false;                   ///< the table is not there
    bool rebuilds = false;                  ///< the key changes: the table is emptied, all rows must be declared again
    bool loses_values = false;              ///< values of declared columns are lost: all rows must be declared again
    bool needs_values = false;              ///< a NOT NULL column without default is added: all rows must be declared again
    table_record record{};                  ///< what the record is once all changes are made; attachments are not looked at
    std::vector<std::string> projection{};  ///< per declared column: SQL that reads its value, as it will be, from the table as it is
    std::string projected_table{};          ///< the FROM item that `projection` reads: it has renamed columns under both names

    /// Whether the table has columns added, altered or dropped, so that what depends on them may have to give way.
    [[nodiscard]] bool alters_columns() const noexcept {
        return std::any_of(changes.begin(), changes.end(),
                           [](schema_change const& change) { return !change.after_rows && change.object == changed_object::column; });
    }
};

namespace detail {

/// Whether a default may differ from row to row, so that adding it writes every row. Calls of other functions than these are taken for
/// such.
[[nodiscard]] inline bool is_volatile(std::string_view expression) noexcept {
    constexpr std::array<std::string_view, 3> stable{"now()", "transaction_timestamp()", "statement_timestamp()"};
    if (expression.starts_with("pg_catalog.")) expression.remove_prefix(11);
    return expression.find('(') != std::string_view::npos && std::find(stable.begin(), stable.end(), expression) == stable.end();
}

}  // namespace detail

/// The drop of a whole table, for `plan` and the question whether it is allowed.
[[nodiscard]] inline schema_change drop_of_table(std::string_view schema, std::string_view name) {
    auto const quoted = quote_identifier(schema, name);
    return {.description = "drop table " + quoted,
            .sql = "DROP TABLE " + quoted,
            .destructive = true,
            .lock = "ACCESS EXCLUSIVE",
            .name = std::string(name),
            .may_be_postponed = true};
}

}  // namespace isorow::inline v1
