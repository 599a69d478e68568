#pragma once

#include <isorow/codec/bytes.hpp>
#include <isorow/error/server_error.hpp>
#include <isorow/types/column_type.hpp>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <system_error>

#include <libpq-fe.h>

namespace isorow::inline v1 {

/// What a statement returned, in binary format. Owns libpq's result; views into it live as long as it does.
class result {
public:
    explicit result(PGresult* owned) noexcept : handle_(owned) {}

    [[nodiscard]] int rows() const noexcept { return PQntuples(handle_.get()); }
    [[nodiscard]] int columns() const noexcept { return PQnfields(handle_.get()); }

    [[nodiscard]] std::string_view column_name(int column) const noexcept {
        auto const* const name = PQfname(handle_.get(), column);
        return name == nullptr ? std::string_view{} : std::string_view(name);
    }
    [[nodiscard]] oid column_type(int column) const noexcept { return PQftype(handle_.get(), column); }
    [[nodiscard]] int column_modifier(int column) const noexcept { return PQfmod(handle_.get(), column); }
    /// The table that a column is of, 0 where it is computed.
    [[nodiscard]] oid column_table(int column) const noexcept { return PQftable(handle_.get(), column); }

    /// A value's bytes; their `data()` is null for NULL, and not null for an empty value.
    [[nodiscard]] ISOROW_ALWAYS_INLINE std::span<std::byte const> value(int row, int column) const noexcept {
        auto const size = PQgetlength(handle_.get(), row, column);
        // NULL has no length, so that most values need not be asked.
        if (size == 0 && PQgetisnull(handle_.get(), row, column) != 0) return {};
        return {reinterpret_cast<std::byte const*>(PQgetvalue(handle_.get(), row, column)), static_cast<std::size_t>(size)};
    }

    /// The rows that the statement inserted, updated, deleted, copied or selected; 0 for statements that count none.
    [[nodiscard]] std::int64_t affected_rows() const noexcept {
        std::string_view const count(PQcmdTuples(handle_.get()));
        std::int64_t rows = 0;
        return std::from_chars(count.data(), count.data() + count.size(), rows).ec == std::errc{} ? rows : 0;
    }

    /// The command that was run: `INSERT 0 1`.
    [[nodiscard]] std::string_view command() const noexcept { return PQcmdStatus(handle_.get()); }

    [[nodiscard]] ExecStatusType status() const noexcept { return PQresultStatus(handle_.get()); }
    [[nodiscard]] PGresult* native_handle() const noexcept { return handle_.get(); }

private:
    struct clear {
        void operator()(PGresult* owned) const noexcept { PQclear(owned); }
    };
    std::unique_ptr<PGresult, clear> handle_;
};

namespace detail {

/// The fields of an error's result.
[[nodiscard]] inline diagnostics diagnostics_of(PGresult const* failed, std::string_view sql) {
    auto const field = [&](int code) {
        auto const* const value = PQresultErrorField(failed, code);
        return value == nullptr ? std::string{} : std::string(value);
    };
    diagnostics fields;
    fields.severity = field(PG_DIAG_SEVERITY_NONLOCALIZED);
    fields.sqlstate = field(PG_DIAG_SQLSTATE);
    fields.message = field(PG_DIAG_MESSAGE_PRIMARY);
    fields.detail = field(PG_DIAG_MESSAGE_DETAIL);
    fields.hint = field(PG_DIAG_MESSAGE_HINT);
    fields.position = field(PG_DIAG_STATEMENT_POSITION);
    fields.internal_position = field(PG_DIAG_INTERNAL_POSITION);
    fields.internal_query = field(PG_DIAG_INTERNAL_QUERY);
    fields.context = field(PG_DIAG_CONTEXT);
    fields.schema = field(PG_DIAG_SCHEMA_NAME);
    fields.table = field(PG_DIAG_TABLE_NAME);
    fields.column = field(PG_DIAG_COLUMN_NAME);
    fields.data_type = field(PG_DIAG_DATATYPE_NAME);
    fields.constraint = field(PG_DIAG_CONSTRAINT_NAME);
    fields.routine = field(PG_DIAG_SOURCE_FUNCTION);
    fields.sql = sql;
    if (fields.message.empty()) {
        fields.message = PQresultErrorMessage(failed);
        while (!fields.message.empty() && fields.message.back() == '\n') fields.message.pop_back();
    }
    return fields;
}

}  // namespace detail

}  // namespace isorow::inline v1
