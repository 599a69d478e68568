#pragma once

/// @file
/// COPY with structs: rows in and out in Postgres' binary format.

#include <isorow/codec/copy_format.hpp>
#include <isorow/codec/row.hpp>
#include <isorow/codec/scalars.hpp>
#include <isorow/pq/copy.hpp>
#include <isorow/query/catalog.hpp>
#include <isorow/query/database_ref.hpp>
#include <isorow/schema/ddl_statements.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

namespace detail {

/// The columns that rows are written with: all but those that the server computes.
[[nodiscard]] inline std::string written_columns(table_description const& table) {
    std::string columns;
    for (auto const& column : table.columns)
        if (column.is_written()) columns.append(columns.empty() ? "" : ", ").append(quote_identifier(column.name));
    return columns;
}

/// `COPY "public"."products" ("category", …) FROM STDIN (FORMAT binary)`.
[[nodiscard]] inline std::string copy_in_sql(table_description const& table) {
    return text("COPY {} ({}) FROM STDIN (FORMAT binary)", quote_identifier(table.schema, table.name), written_columns(table));
}

}  // namespace detail

/// Writes structs into a table by binary COPY. The table is T's own, or another one with the same columns. One COPY is one statement: all
/// rows arrive, or, where `finish` is not called or an error is thrown, none. Not thread-safe; keeps its connection busy until it ends.
template <class T>
class copy_writer {
public:
    /// Begins a COPY into T's table. Throws `mismatch` where the table does not have T's columns with their types: COPY carries none.
    explicit copy_writer(database_ref const& where) : copy_writer(where, description_of<T>) {}

    /// Begins a COPY into another table with T's columns.
    copy_writer(database_ref const& where, std::string_view schema, std::string_view table) : copy_writer(where, renamed(schema, table)) {}

    /// Appends a row; sends what has gathered when it is 64 KiB. Throws `unrepresentable` with struct, field and row number for a value
    /// that its column cannot hold, and the server's error where it has refused an earlier row.
    ISOROW_ALWAYS_INLINE void write(T const& row) {
        try {
            encode_row(row, copy_.buffer());
        } catch (value_error const& failure) {
            failure.rethrow_at(text("row {}", rows_ + 1));
        }
        ++rows_;
        copy_.flush_if_full();
    }

    /// Ends the COPY. Returns the number of rows that the server took.
    std::int64_t finish() {
        copy_format::put_trailer(copy_.buffer());
        return copy_.finish();
    }

    /// How many rows were written so far.
    [[nodiscard]] std::int64_t rows() const noexcept { return rows_; }

private:
    copy_writer(database_ref const& where, table_description const& table)
        : connection_(where), copy_(begin(*connection_, table, connection_.given_limits())) {
        copy_.buffer().set_types(&connection_->types());
        copy_format::put_header(copy_.buffer());
    }

    static copy_in begin(connection& connection, table_description const& table, std::optional<limits> const& limits) {
        check<T>();
        require_columns(connection, table, table_use::writing);
        static_cast<void>(detail::learn_types_within<T>(connection, limits ? *limits : connection.default_limits()));
        return copy_in(connection, detail::copy_in_sql(table), limits);
    }

    static table_description renamed(std::string_view schema, std::string_view name) {
        auto table = description_of<T>;
        table.schema = schema;
        table.name = name;
        return table;
    }

    database_ref::use connection_;
    copy_in copy_;
    std::int64_t rows_ = 0;
};

/// Reads a table by binary COPY as structs, one row at a time in bounded memory. COPY takes no parameters; for a query with some use
/// `stream`. Leaving early cancels the COPY.
template <class T>
class copy_reader {
public:
    /// Begins a COPY out of T's table. Throws `mismatch` where the table does not have T's columns with their types.
    explicit copy_reader(database_ref const& where) : copy_reader(where, description_of<T>) {}

    /// Begins a COPY out of another table with T's columns.
    copy_reader(database_ref const& where, std::string_view schema, std::string_view table) : copy_reader(where, renamed(schema, table)) {}

    /// Reads the next row into `row`. Returns false where there is none; the COPY has ended then.
    ISOROW_ALWAYS_INLINE bool next(T& row) {
        auto const message = copy_.next();
        if (begun_ && message.size() > trailer_size) [[likely]] {
            decode_row_into(byte_reader(message), row);
            return true;
        }
        return take_edge(message, row);
    }

private:
    copy_reader(database_ref const& where, table_description const& table)
        : connection_(where), copy_(begin(*connection_, table, connection_.given_limits())) {}

    static copy_out begin(connection& connection, table_description const& table, std::optional<limits> const& limits) {
        check_owning<T>();
        require_columns(connection, table, table_use::reading, {}, &reads_type_of<T>);
        std::string columns;
        for (auto const& column : table.columns) columns.append(columns.empty() ? "" : ", ").append(quote_identifier(column.name));
        return copy_out(connection,
                        text("COPY (SELECT {} FROM {}) TO STDOUT (FORMAT binary)", columns, quote_identifier(table.schema, table.name)),
                        limits);
    }

    static table_description renamed(std::string_view schema, std::string_view name) {
        auto table = description_of<T>;
        table.schema = schema;
        table.name = name;
        return table;
    }

    /// The first message, which has the header in front of the first tuple, the trailer, and the end.
    bool take_edge(std::span<std::byte const> message, T& row) {
        for (; message.data() != nullptr; message = copy_.next()) {
            byte_reader in(message);
            if (!std::exchange(begun_, true)) copy_format::take_header(in);
            if (in.remaining() == 0 || copy_format::take_trailer(in)) continue;
            decode_row_into(in, row);
            return true;
        }
        return false;
    }

    static constexpr std::size_t trailer_size = sizeof copy_format::trailer;

    database_ref::use connection_;
    copy_out copy_;
    bool begun_ = false;
};

}  // namespace isorow::inline v1
