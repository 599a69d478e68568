#pragma once

/// @file
/// Rows that are sent to the server so that its statements can speak of them: a few as arrays that are unnested, without a table that
/// would have to be made; many by COPY into a temporary table.

#include <isorow/codec/copy_format.hpp>
#include <isorow/codec/detail/oids_within.hpp>
#include <isorow/pq/copy.hpp>
#include <isorow/query/query.hpp>
#include <isorow/schema/ddl_statements.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

/// A column of rows that are sent.
struct sent_column {
    std::string name;
    column_type type;
};

/// What fills in the OIDs within the fields of rows that are sent on the connection, which is asked for them first.
template <class Types>
[[nodiscard]] oid_filler filler_for(connection& connection, std::optional<limits> const& given, Types const& fields) {
    for (column_type const& type : fields)
        if (has_oids_within(type))
            static_cast<void>(connection.types().learn(connection, type.base(), given ? *given : connection.default_limits()));
    return oid_filler(fields, connection.types());
}

class server_rows {
public:
    /// `name`: of the temporary table, should there be one; unlike all others of the transaction.
    server_rows(connection& connection, std::optional<limits> given, std::string name, std::vector<sent_column> columns,
                extension_schemas const& schemas)
        : connection_(connection), given_(std::move(given)), name_(std::move(name)), columns_(std::move(columns)), schemas_(&schemas) {}

    /// Rows that the server has already: `from` is a table expression for them.
    server_rows(connection& connection, std::optional<limits> given, std::string from)
        : connection_(connection), given_(std::move(given)), from_(std::move(from)) {}

    /// Sends `count` rows of about `bytes` bytes together; `next(writer)` appends one as a tuple of COPY each time. Throws the server's
    /// error where it refuses a row; `sent()` rows had been written by then. `by_copy`: also where there are few.
    template <class Next>
    void send(std::size_t count, std::size_t bytes, Next&& next, bool by_copy = false) {
        if (!by_copy && count <= few && bytes <= few_bytes && can_unnest()) send_as_arrays(count, next);
        else send_by_copy(count, next);
    }

    /// A table expression for the rows, without an alias.
    [[nodiscard]] std::string const& from() const noexcept { return from_; }

    /// Runs a statement that speaks of `from()`.
    result run(std::string_view sql) const {
        return execute_statement(connection_, sql, arrays_, given_ ? *given_ : connection_.default_limits());
    }
    /// The values of the first column of what such a statement returns, as text.
    [[nodiscard]] std::vector<std::string> texts(std::string_view sql) const {
        auto const answer = run(sql);
        std::vector<std::string> values;
        for (int row = 0; row < answer.rows(); ++row) {
            auto const value = answer.value(row, 0);
            values.emplace_back(reinterpret_cast<char const*>(value.data()), value.size());
        }
        return values;
    }
    /// The one bigint that such a statement returns.
    [[nodiscard]] std::int64_t number(std::string_view sql) const {
        auto const answer = run(sql);
        return byte_reader(answer.value(0, 0)).take_int64();
    }

    void drop() {
        if (std::exchange(has_table_, false))
            execute_script(connection_, text("DROP TABLE pg_temp.{}", quote_identifier(name_)),
                           given_ ? *given_ : connection_.default_limits());
    }

private:
    static constexpr std::size_t few = 200;
    static constexpr std::size_t few_bytes = std::size_t{256} << 10;
    static constexpr std::size_t worth_statistics = 10'000;

    /// Arrays of arrays are matrices in SQL, and unnested composites are columns: such columns cannot be unnested row by row.
    [[nodiscard]] bool can_unnest() const noexcept {
        for (auto const& column : columns_)
            if (column.type.array || has_oids_within(column.type)) return false;
        return true;
    }

    template <class Next>
    void send_as_arrays(std::size_t count, Next& next) {
        std::vector<byte_writer> fields(columns_.size());
        std::vector<bool> has_null(columns_.size());
        byte_writer tuple;
        for (std::size_t row = 0; row < count; ++row) {
            tuple.clear();
            next(tuple);
            byte_reader in(tuple.bytes());
            static_cast<void>(in.take_int16());
            for (std::size_t i = 0; i < columns_.size(); ++i) {
                auto const length = in.take_int32();
                fields[i].put_int32(length);
                if (length < 0) has_null[i] = true;
                else fields[i].put_bytes(in.take_bytes(static_cast<std::size_t>(length)));
            }
        }
        std::string arguments;
        std::string names;
        std::string values;
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            auto& out = arrays_.add(0);
            out.put_int32(1);  // dimensions
            out.put_int32(has_null[i] ? 1 : 0);
            out.put_uint32(oid_of(columns_[i].type));
            out.put_int32(static_cast<std::int32_t>(count));
            out.put_int32(1);  // the first index
            out.put_bytes(fields[i].bytes());
            arrays_.end();
            auto const column = quote_identifier(columns_[i].name);
            char const* const separator = i == 0 ? "" : ", ";
            arguments += text("{}pg_catalog.unnest(${}::{}[])", separator, i + 1, type_sql(columns_[i].type.base(), *schemas_));
            names.append(separator).append(column);
            // Modifiers are applied as storing would apply them; what they would cut off was refused before.
            values.append(separator).append(
                columns_[i].type.first_modifier < 0 ? column : text("{}::{} AS {}", column, type_sql(columns_[i].type, *schemas_), column));
        }
        from_ = text("(SELECT {} FROM ROWS FROM ({}) AS u ({}))", values, arguments, names);
    }

    template <class Next>
    void send_by_copy(std::size_t count, Next& next) {
        std::string definition;
        for (auto const& column : columns_)
            definition.append(definition.empty() ? "" : ", ")
                .append(quote_identifier(column.name))
                .append(" ")
                .append(type_sql(column.type, *schemas_));
        auto const table = "pg_temp." + quote_identifier(name_);
        execute_script(connection_, text("CREATE TEMPORARY TABLE {} ({}) ON COMMIT DROP", quote_identifier(name_), definition),
                       given_ ? *given_ : connection_.default_limits());
        has_table_ = true;
        from_ = table;
        auto const oids = filler_for(connection_, given_, columns_ | std::views::transform(&sent_column::type));
        copy_in rows(connection_, text("COPY {} FROM STDIN (FORMAT binary)", table), given_);
        copy_format::put_header(rows.buffer());
        for (std::size_t row = 0; row < count; ++row) {
            auto const start = rows.buffer().size();
            next(rows.buffer());
            oids.fill(rows.buffer(), start);
            rows.flush_if_full();
        }
        copy_format::put_trailer(rows.buffer());
        rows.finish();
        if (count > worth_statistics) execute_script(connection_, "ANALYZE " + table, given_ ? *given_ : connection_.default_limits());
    }

    [[nodiscard]] oid oid_of(column_type const& type) {
        auto const base = type.base();
        if (base.oid() != 0) return base.oid();
        return connection_.types().learn(connection_, base, given_ ? *given_ : connection_.default_limits());
    }

    connection& connection_;
    std::optional<limits> given_;
    std::string name_{};
    std::vector<sent_column> columns_{};
    extension_schemas const* schemas_ = nullptr;
    parameters arrays_{};
    std::string from_{};
    bool has_table_ = false;
};

}  // namespace isorow::inline v1::detail
