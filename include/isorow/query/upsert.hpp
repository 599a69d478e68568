#pragma once

#include <isorow/query/copy.hpp>
#include <isorow/schema/check.hpp>

#include <cstdint>
#include <ranges>
#include <string>

namespace isorow::inline v1 {

/// What an upsert did. A row that was there already with the same values is left as it is.
struct upsert_counts {
    std::int64_t inserted = 0;
    std::int64_t updated = 0;
    std::int64_t unchanged = 0;

    friend bool operator==(upsert_counts const&, upsert_counts const&) = default;
};

namespace detail {

template <class T>
[[nodiscard]] std::string upsert_sql() {
    constexpr auto const& table = description_of<T>;
    std::string columns, key, set, old, fresh;
    auto const add = [](std::string& list, std::string const& item) { list.append(list.empty() ? "" : ", ").append(item); };
    bool is_numbered = false;
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
        if (!table.columns[i].is_written()) continue;
        is_numbered = is_numbered || table.columns[i].identity == identity::always;
        auto const name = quote_identifier(table.columns[i].name);
        add(columns, name);
        if (table.is_key(i)) {
            add(key, name);
        } else {
            add(set, text("{} = excluded.{}", name, name));
            add(old, "t." + name);
            add(fresh, "excluded." + name);
        }
    }
    auto const action =
        set.empty() ? std::string("NOTHING") : text("UPDATE SET {} WHERE ROW({})::record *<> ROW({})::record", set, old, fresh);
    return text(
        "WITH written AS (INSERT INTO {} AS t ({}) {}SELECT {} FROM pg_temp.isorow_upsert ON CONFLICT ({}) DO {} RETURNING xmax = 0 AS "
        "fresh)"
        " SELECT count(*) FILTER (WHERE fresh), count(*) FILTER (WHERE NOT fresh) FROM written",
        quote_identifier(table.schema, table.name), columns, is_numbered ? "OVERRIDING SYSTEM VALUE " : "", columns, key, action);
}

/// Where there is nothing to update the server lets a key come twice: it is looked for.
template <class T>
void require_distinct_keys(connection& connection) {
    if constexpr (description_of<T>.key.size() == written_count<T>) {
        auto const twice = query_one<bool>(connection,
                                           "SELECT count(*) <> (SELECT count(*) FROM (SELECT DISTINCT * FROM pg_temp.isorow_upsert) d)"
                                           " FROM pg_temp.isorow_upsert");
        if (!twice) return;
        diagnostics fields;
        fields.sqlstate = "21000";
        fields.message = "a key occurs twice in the rows that are upserted";
        throw_server_error(std::move(fields));
    }
}

}  // namespace detail

/// Inserts rows, and updates those whose key is there already, in one transaction: COPY into a staging table, then one INSERT … ON
/// CONFLICT. Rows that are in the table but not in the range stay (`synchronise` would delete them). T is a struct with a primary key.
/// Throws `mismatch` where the table does not have T's columns, and the server's errors: a key that occurs twice in the range is
/// `cardinality_violation`. Without columns besides the key, rows that are there count as unchanged.
template <std::ranges::input_range Rows>
upsert_counts upsert(database_ref const& where, Rows&& rows) {
    using T = std::ranges::range_value_t<Rows>;
    check_keyed<T>();
    database_ref::use const connection(where);
    require_columns(*connection, description_of<T>, table_use::writing);
    transaction all(*connection);
    constexpr auto const& table = description_of<T>;
    auto const columns = detail::written_columns(table);
    execute_script(*connection,
                   text("CREATE TEMP TABLE isorow_upsert ON COMMIT DROP AS SELECT {} FROM {} LIMIT 0", columns,
                        quote_identifier(table.schema, table.name)),
                   connection.limits());
    auto const* const types = detail::learn_types_within<T>(*connection, connection.limits());
    copy_in staging(*connection, text("COPY pg_temp.isorow_upsert ({}) FROM STDIN (FORMAT binary)", columns), connection.given_limits());
    staging.buffer().set_types(types);
    copy_format::put_header(staging.buffer());
    std::int64_t number = 0;
    for (T const& row : rows) {
        ++number;
        try {
            encode_row(row, staging.buffer());
        } catch (value_error const& failure) {
            failure.rethrow_at(text("row {}", number));
        }
        staging.flush_if_full();
    }
    copy_format::put_trailer(staging.buffer());
    auto const staged = staging.finish();
    detail::require_distinct_keys<T>(*connection);
    auto const [inserted, updated] = query_one<std::tuple<std::int64_t, std::int64_t>>(*connection, detail::upsert_sql<T>());
    execute_script(*connection, "DROP TABLE pg_temp.isorow_upsert", connection.limits());
    all.commit();
    return {.inserted = inserted, .updated = updated, .unchanged = staged - inserted - updated};
}

}  // namespace isorow::inline v1
