#pragma once

#include <isorow/query/catalog.hpp>
#include <isorow/query/stream.hpp>
#include <isorow/schema/check.hpp>
#include <isorow/schema/table_record.hpp>
#include <isorow/source/batches.hpp>
#include <isorow/source/chunked_rows.hpp>
#include <isorow/source/detail/followed_table.hpp>
#include <isorow/source/detail/reading.hpp>
#include <isorow/source/keyed.hpp>
#include <isorow/source/options.hpp>

#include <algorithm>
#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

namespace detail {
struct source_access;
}

/// Reads rows of a table or a query as T: a struct, whose fields are found by their columns' names; or `dynamic_row`, which has all columns
/// that the table has, those of types that isorow does not know as text (`other_text`).
///
/// Refers to the pool, connection or transaction that it was made with, which must outlive it and its ranges. A source may be used by
/// several threads where it was made with a pool.
template <class T>
class source {
    static constexpr bool is_dynamic = std::is_same_v<T, dynamic_row>;

    template <class Factory>
    static constexpr bool takes_dynamic_rows = !is_dynamic && !std::invocable<Factory&, T> && std::invocable<Factory&, dynamic_row>;

public:
    /// Throws `usage_error` where the options contradict each other or name a column that T does not have. Nothing is read yet.
    explicit source(database_ref const& where, source_options options = {}) : where_(where), options_(std::move(options)) {
        if constexpr (!is_dynamic) check<T>();
        if constexpr (is_dynamic || mappable<T>) check_options();
    }

    /// Reads from the database that the environment variable `options.database_variable` names, by a pool of its own, which copies of the
    /// source share and which their ranges refer to. What the variable says is read now, and kept nowhere. Throws `usage_error` where it is
    /// not set or is no DSN, and as above.
    explicit source(source_options const& options) : source(detail::pool_of_variable(options.database_variable), options) {}

    /// The rows as a view that is walked once, streamed in bounded memory, all of one moment. The table is compared with T first: throws
    /// `mismatch` with every column that is missing, of another type or dimension, or nullable where the field is not optional.
    [[nodiscard]] row_range<T> rows() const { return start(prepare(look())); }

    /// The rows, each given through `factory`, any callable that takes a `T&&`.
    template <class Factory>
        requires(std::invocable<Factory&, T> || takes_dynamic_rows<Factory>)
    [[nodiscard]] auto rows(Factory factory) const {
        static_assert(!takes_dynamic_rows<Factory>,
                      "isorow: this source reads structs, and the factory takes dynamic rows: a source has one of them. Read "
                      "isorow::source<isorow::dynamic_row>, or have the factory take the struct");
        if constexpr (!takes_dynamic_rows<Factory>)
            return rows() |
                   std::views::transform([factory = std::move(factory)](T& row) mutable { return std::invoke(factory, std::move(row)); });
    }

    /// The rows in the order of T's primary key, `rows` of them at a time, each chunk by a statement of its own: see `chunked_rows`. Throws
    /// what `rows` throws, and `usage_error` for a query instead of a table, no rows at a time, or columns that are to be read without the
    /// key's.
    [[nodiscard]] chunked_rows<T> rows_in_chunks(std::size_t rows = 1000) const {
        static_assert(!is_dynamic, "isorow: rows are read in chunks by the key of a struct; dynamic rows have none");
        detail::check_row<T>();
        static_assert(description_of<T>.key.size() > 0,
                      "isorow: rows are read in chunks by their primary key; say .primary_key<…>() in isorow_table()");
        if (!options_.sql_query.empty()) throw usage_error("a query is not read in chunks, as it has no primary key: say which table");
        if (rows == 0) throw usage_error("a chunk has at least one row");
        auto const live = look();
        require_own_key(*live);
        auto ready = prepare(live);
        detail::require_key_read(detail::key_names(table()), ready.wanted);
        bool const has_conditions = !options_.sql_filter.empty() || !options_.filter.empty();
        return {where_, std::move(ready.sql), has_conditions, std::move(ready.wanted), options_.filter, rows};
    }

    /// The rows in batches, which own what their rows refer to: fields may be `std::string_view` and `std::span<std::byte const>`, and rows
    /// that refer to a batch's memory cost less than such that own their texts. Read by binary COPY, or, with a filter's bound values,
    /// which COPY does not take, and for dynamic rows, as a query; each in a transaction, that of the caller where one is open.
    ///
    /// With `connections`, so many connections of the pool at the most read parts of the table at once, as threads of their own, all of one
    /// moment; batches come in no order then, and a `connection`'s observer and notices are called on those threads. They take what the
    /// pool can lend, but never its last connection. Views, queries, foreign tables, and tables of other access methods than heap are read
    /// by one.
    ///
    /// Throws what `rows` throws, and `usage_error` for batches of no rows, no connections, or several where the source is not on a pool.
    [[nodiscard]] batch_range<T> batches(batch_options const& options = {}) const {
        detail::batch_request request{where_, prepare(look()), options_.filter, options, std::nullopt, false};
        if (options_.sql_query.empty()) {
            auto const description = table();
            request.table.emplace(description.schema, description.name);
            request.has_conditions = !options_.sql_filter.empty() || !options_.filter.empty();
        }
        return detail::open_batches<T>(std::move(request));
    }

    /// The rows taken apart into `keyed_row{key, value}`. The key is the primary key's field, or a tuple of its fields, and the value the
    /// other fields likewise; or structs of the caller's, whose fields are found by their columns' names. Of dynamic rows both are dynamic
    /// rows, and the key is the table's primary key. Throws what `rows` throws, and `usage_error` where the table has no primary key,
    /// `mismatch` where it has another one than T.
    template <class Key = detail::key_or_dynamic<T>, class Value = detail::value_or_dynamic<T>>
    [[nodiscard]] auto keyed_rows() const {
        if constexpr (is_dynamic) {
            if (!options_.sql_query.empty()) throw usage_error("a query has no primary key by which its rows would be taken apart");
            auto const description = table();
            auto const live = std::optional(require_table(where_, description.schema, description.name));
            auto key = require_key(*live);
            detail::require_key_read(key, options_.columns);
            return start(prepare(live)) |
                   std::views::transform([key = std::move(key)](dynamic_row& row) { return detail::take_apart(row, key); });
        } else {
            static_assert(description_of<T>.key.size() > 0,
                          "isorow: rows without a primary key have no key to be taken apart by; say .primary_key<…>() in isorow_table()");
            if constexpr (reflect::reflectable<Key>)
                static_assert(detail::is_part_of<Key, T>() && detail::is_key_of<Key, T>(),
                              "isorow: the key's struct must have exactly the columns of the primary key, with their types");
            if constexpr (reflect::reflectable<Value>)
                static_assert(detail::is_part_of<Value, T>(),
                              "isorow: each field of the value's struct must be a column of the row, of its type");
            auto const live = look();
            if (live) require_own_key(*live);  // of a query it is what the struct says
            auto ready = prepare(live);
            detail::require_key_read(detail::key_names(table()), ready.wanted);
            return start(std::move(ready)) | std::views::transform([](T& row) {
                       // The value may be the whole row: the key is a copy.
                       auto key = detail::take<Key, true>(std::as_const(row));
                       return keyed_row<Key, Value>{std::move(key), detail::take<Value, false>(row)};
                   });
        }
    }

    /// All rows at once.
    [[nodiscard]] std::vector<T> fetch_all() const {
        std::vector<T> all;
        for (T& row : rows()) all.push_back(std::move(row));
        return all;
    }

    /// All rows at once, each given through `factory`.
    template <class Factory>
        requires std::invocable<Factory&, T>
    [[nodiscard]] auto fetch_all(Factory factory) const {
        std::vector<std::decay_t<std::invoke_result_t<Factory&, T>>> all;
        for (T& row : rows()) all.push_back(std::invoke(factory, std::move(row)));
        return all;
    }

    /// The query that is run. Of dynamic rows and included columns the table's columns are asked for first.
    [[nodiscard]] std::string sql() const { return prepare(look()).sql; }

private:
    friend struct detail::source_access;

    source(std::shared_ptr<pool> own, source_options options) : source(database_ref(*own), std::move(options)) { own_ = std::move(own); }

    [[nodiscard]] table_description table() const {
        table_description description{};
        if constexpr (is_dynamic) description.schema = "public";
        else description = description_of<T>;
        if (!options_.table.empty()) description.name = options_.table;
        if (!options_.schema.empty()) description.schema = options_.schema;
        return description;
    }

    [[nodiscard]] std::string table_name() const {
        auto const description = table();
        return quote_identifier(description.schema, description.name);
    }

    /// What the catalogue has of the table, where it is needed: not for queries, and for dynamic rows only where the key matters.
    [[nodiscard]] std::optional<live_table> look() const {
        if (!options_.sql_query.empty() || (is_dynamic && options_.included_columns.empty())) return std::nullopt;
        auto const description = table();
        return require_table(where_, description.schema, description.name);
    }

    [[nodiscard]] std::vector<std::string> require_key(live_table const& live) const {
        auto key = detail::primary_key_of(live);
        if (key.empty()) throw usage_error(text("the table {} has no primary key by which its rows would be taken apart", table_name()));
        return key;
    }

    void require_own_key(live_table const& live) const {
        auto key = require_key(live);
        auto own = detail::key_names(table());
        std::ranges::sort(key);
        std::ranges::sort(own);
        if (key == own) return;
        auto const listed = [](std::vector<std::string> const& names) {
            std::string list;
            for (auto const& name : names) list.append(list.empty() ? "" : ", ").append(name);
            return list;
        };
        std::vector<difference> differences;
        differences.push_back({std::string(type_name<T>()), {}, text("a primary key of ({})", listed(own)), text("({})", listed(key))});
        throw mismatch(type_name<T>(), text("the table {}", table_name()), std::move(differences));
    }

    /// The table as it is followed. The struct is compared with it, as for reading.
    [[nodiscard]] detail::followed_table followed() const {
        if (!options_.sql_query.empty())
            throw usage_error("a query cannot be followed, as nothing tells when its rows change: say which table");
        auto const description = table();
        auto const live = std::optional(require_table(where_, description.schema, description.name));
        detail::require_followable(*live, table_name());
        detail::require_ordinal(*live, options_.ordinal_column, table_name());
        if constexpr (!is_dynamic) {
            static_assert(description_of<T>.key.size() > 0,
                          "isorow: changed rows are told by their primary key; say .primary_key<…>() in isorow_table()");
            require_own_key(*live);
        }
        auto ready = prepare(live);
        detail::followed_table what{.schema = std::string(description.schema),
                                    .name = std::string(description.name),
                                    .key = require_key(*live),
                                    .ordinal = options_.ordinal_column,
                                    .sql_filter = options_.sql_filter,
                                    .filter = options_.filter};
        if constexpr (is_dynamic) {
            what.columns = std::move(ready.names);
            what.other_types = std::move(ready.wanted);
            detail::require_key_read(what.key, what.columns);
        } else {
            for (auto const& column : columns_of<T>)
                if (ready.wanted.empty() || std::ranges::find(ready.wanted, column.name) != ready.wanted.end())
                    what.columns.emplace_back(column.name);
            detail::require_key_read(what.key, what.columns);
        }
        return what;
    }

    [[nodiscard]] row_range<T> start(detail::reading ready) const {
        return row_range<T>(where_, ready.sql, std::move(ready.wanted), options_.filter);
    }

    [[nodiscard]] detail::reading prepare(std::optional<live_table> const& live) const {
        auto wanted =
            options_.included_columns.empty() ? options_.columns : detail::with_key(options_.included_columns, *live, table_name());
        if constexpr (is_dynamic) return prepare_dynamic(wanted);
        else return prepare_typed(live, std::move(wanted));
    }

    [[nodiscard]] detail::reading prepare_typed(std::optional<live_table> const& live, std::vector<std::string> wanted) const {
        if (!live) return {options_.sql_query, std::move(wanted)};
        require_columns(table(), *live, table_use::reading, wanted, &reads_type_of<T>);
        std::string columns;
        for (auto const& column : columns_of<T>) {
            if (!wanted.empty() && std::ranges::find(wanted, column.name) == wanted.end()) continue;
            columns.append(columns.empty() ? "" : ", ").append(quote_identifier(column.name));
        }
        return {text("SELECT {} FROM {}{}", columns, table_name(), detail::conditions_of(options_)), std::move(wanted)};
    }

    [[nodiscard]] detail::reading prepare_dynamic(std::vector<std::string> const& wanted) const {
        std::string columns;
        for (auto const& name : wanted) columns.append(columns.empty() ? "" : ", ").append(quote_identifier(name));
        auto const from = options_.sql_query.empty() ? table_name() : text("({}\n) q", options_.sql_query);
        return detail::describe(where_, options_, columns.empty() ? "*" : columns, from, detail::conditions_of(options_));
    }

    void check_options() const {
        detail::check_options(options_, !is_dynamic);
        if constexpr (!is_dynamic)
            for (auto const* const names : {&options_.columns, &options_.included_columns})
                for (auto const& name : *names)
                    if (std::ranges::find(columns_of<T>, name, &column_description::name) == columns_of<T>.end())
                        throw usage_error(text("{} has no column \"{}\"", type_name<T>(), name));
    }

    std::shared_ptr<pool> own_{};
    database_ref where_;
    source_options options_;
};

namespace detail {

/// What those who follow a source need of it.
struct source_access {
    template <class T>
    [[nodiscard]] static followed_table followed(source<T> const& from) {
        return from.followed();
    }
    /// What tells rows that are read by this source from those of another; nothing where that cannot be told.
    template <class T>
    [[nodiscard]] static std::optional<std::vector<std::string>> identity_of(source<T> const& from) {
        auto const& options = from.options_;
        if (!options.filter.empty()) return std::nullopt;  // whose values are not known here
        auto const table = from.table();
        std::vector<std::string> identity{std::string(table.schema), std::string(table.name), options.sql_filter};
        identity.insert(identity.end(), options.columns.begin(), options.columns.end());
        identity.emplace_back();
        identity.insert(identity.end(), options.included_columns.begin(), options.included_columns.end());
        return identity;
    }
    /// A function that returns a row's key.
    template <class T>
    [[nodiscard]] static auto key_maker(source<T> const& from) {
        if constexpr (std::is_same_v<T, dynamic_row>)
            return [names = from.followed().key](dynamic_row const& row) { return take_apart(row, names).key; };
        else return [](T const& row) { return take<key_or_dynamic<T>, true>(row); };
    }
    /// The source's own pool, where it has one: to be kept for as long as it is followed.
    template <class T>
    [[nodiscard]] static std::shared_ptr<pool> own_pool_of(source<T> const& from) {
        return from.own_;
    }
    /// Throws `usage_error` where the source was made with one connection.
    template <class T>
    [[nodiscard]] static pool& pool_of(source<T> const& from) {
        if (from.where_.lender() == nullptr) throw usage_error("a source is followed by several connections: make it with a pool");
        return *from.where_.lender();
    }
};

}  // namespace detail

}  // namespace isorow::inline v1
