#pragma once

/// @file
/// Indexes that are built after the transaction which asked for them, without keeping others from writing. Each is recorded as pending in
/// that transaction, so that a run that does not come so far leaves it to the next one.

#include <isorow/pq/statement.hpp>
#include <isorow/query/query.hpp>
#include <isorow/schema/identifier.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

[[nodiscard]] inline database_ref reference_to(connection& connection, std::optional<limits> const& given) {
    return given ? database_ref(connection, *given) : database_ref(connection);
}

/// What was done to schemas, and what could not be done yet.
struct schema_work {
    std::vector<std::string> ddl{};        ///< what was run, in its order
    std::vector<std::string> postponed{};  ///< what is left to the next run, with the reasons
};

/// An index that is still to be built, and what stands in its place.
struct pending_index {
    std::int32_t target;
    std::string schema;
    std::string table;
    std::string name;
    std::string definition;
    bool is_there;        ///< what it replaces, or what an interrupted build has left
    bool is_being_built;  ///< by another session, some index of this table

    [[nodiscard]] std::string quoted() const { return quote_identifier(schema, name); }
};

/// $1: what the condition that follows asks for. Only indexes of the table itself are looked at: others of that name are not isorow's.
inline constexpr std::string_view pending_indexes_sql =
    "SELECT o.target, t.schema_name AS schema, t.table_name AS \"table\", o.name, o.definition, x.oid IS NOT NULL AS is_there,"
    " EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index p WHERE p.relid = c.oid"
    " AND p.datname = pg_catalog.current_database() AND p.pid <> pg_catalog.pg_backend_pid()) AS is_being_built"
    " FROM isorow.objects o JOIN isorow.targets t ON t.id = o.target"
    " JOIN pg_catalog.pg_namespace n ON n.nspname = t.schema_name"
    " JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.table_name AND c.relkind = 'r'"
    " LEFT JOIN (pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid)"
    " ON i.indrelid = c.oid AND x.relname = o.name"
    " WHERE o.kind = 'index' AND o.pending AND ";

/// `CREATE INDEX` as it is recorded, with CONCURRENTLY in it.
[[nodiscard]] inline std::string concurrent_sql(std::string_view definition) {
    constexpr std::string_view word = "INDEX ";
    auto const place = definition.find(word) + word.size();
    return text("{}CONCURRENTLY {}", definition.substr(0, place), definition.substr(place));
}

/// Builds what is pending. A failure leaves the index pending and is told; the tables' rows are committed already.
class index_builder {
public:
    index_builder(connection& connection, std::optional<limits> const& given) : connection_(connection), given_(given) {
        if (connection.in_transaction()) throw usage_error("indexes are built concurrently outside of transactions only");
    }

    [[nodiscard]] schema_work run(std::vector<pending_index> const& indexes) {
        for (auto const& index : indexes) {
            try {
                build(index);
            } catch (server_error const& failure) {
                postpone(index, failure.message());
                if (connection_.is_open()) remove_leftover(index);
            } catch (timed_out const& failure) {
                // Nor is there time for the others, or for what this one has left: the next run finds it.
                postpone(index, failure.what());
                break;
            }
        }
        return std::move(work_);
    }

private:
    void build(pending_index const& index) {
        if (index.is_being_built) return postpone(index, "another session is building an index of this table");
        if (index.is_there) run_sql("DROP INDEX CONCURRENTLY " + index.quoted());
        run_sql(concurrent_sql(index.definition));
        execute(here(), "UPDATE isorow.objects SET pending = false WHERE target = $1 AND kind = 'index' AND name = $2 AND definition = $3",
                index.target, index.name, index.definition);
    }

    /// An index that could not be built, such as a unique one over values that are not, costs its writers and serves nobody.
    void remove_leftover(pending_index const& index) {
        auto const is_left =
            query_one<bool>(here(),
                            "SELECT EXISTS (SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid"
                            " JOIN pg_catalog.pg_class c ON c.oid = i.indrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
                            " WHERE NOT i.indisvalid AND n.nspname = $1 AND c.relname = $2 AND x.relname = $3)",
                            index.schema, index.table, index.name);
        if (!is_left) return;
        try {
            run_sql("DROP INDEX CONCURRENTLY " + index.quoted());
        } catch (server_error const& failure) {
            work_.postponed.back() += text("; what it left could not be dropped: {}", failure.message());
        }
    }

    void postpone(pending_index const& index, std::string_view reason) {
        work_.postponed.push_back(
            text("create index {} on {}: {}", quote_identifier(index.name), quote_identifier(index.schema, index.table), reason));
    }

    void run_sql(std::string sql) {
        execute_script(connection_, sql, given_ ? *given_ : connection_.default_limits());
        work_.ddl.push_back(std::move(sql));
    }

    [[nodiscard]] database_ref here() const { return reference_to(connection_, given_); }

    connection& connection_;
    std::optional<limits> const& given_;
    schema_work work_{};
};

[[nodiscard]] inline schema_work build_pending(connection& connection, std::optional<limits> const& given, std::string_view condition,
                                               std::int32_t id) {
    index_builder builder(connection, given);
    try {
        return builder.run(query<pending_index>(reference_to(connection, given), text("{}{}", pending_indexes_sql, condition), id));
    } catch (timed_out const& failure) {
        return {{}, {text("create the indexes that are pending: {}", failure.what())}};
    }
}

/// Builds the indexes of one target that are pending. Outside of transactions; an index that is left half built by a run that crashed is
/// dropped first. What the server refuses, and what there is no time for, stays pending and is told; `stopped` and a lost connection are
/// thrown.
[[nodiscard]] inline schema_work finish_pending(connection& connection, std::optional<limits> const& given, std::int32_t target) {
    return build_pending(connection, given, "t.id = $1 ORDER BY o.name", target);
}

/// The same for all targets of an app.
[[nodiscard]] inline schema_work finish_pending_of_app(connection& connection, std::optional<limits> const& given, std::int32_t app) {
    return build_pending(connection, given, "t.app = $1 ORDER BY o.target, o.name", app);
}

}  // namespace isorow::inline v1::detail
