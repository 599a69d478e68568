#pragma once

/// @file
/// Errors that the server reports, one class per SQLSTATE class. Source: the manual, appendix A, "PostgreSQL Error Codes".

#include <isorow/error/error.hpp>
#include <isorow/error/text.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

namespace isorow::inline v1 {

/// The fields of a server's error, each empty where the server did not send it. Source: the manual, "Error and Notice Message Fields".
struct diagnostics {
    std::string severity{};
    std::string sqlstate{};
    std::string message{};
    std::string detail{};  ///< may hold values of rows
    std::string hint{};
    std::string position{};
    std::string internal_position{};
    std::string internal_query{};
    std::string context{};  ///< may hold values of rows
    std::string schema{};
    std::string table{};
    std::string column{};
    std::string data_type{};
    std::string constraint{};
    std::string routine{};    ///< the function of the server's source that reported it
    bool stale_plan = false;  ///< a prepared statement of isorow's own was refused; run again, it is prepared anew
    std::string place{};      ///< of the statement among several: `statement 3 of 5`
    std::string sql{};        ///< the statement that was run, without its parameters' values
};

/// Codes that programs ask for.
namespace sqlstate {

inline constexpr std::string_view unique_violation = "23505";
inline constexpr std::string_view foreign_key_violation = "23503";
inline constexpr std::string_view not_null_violation = "23502";
inline constexpr std::string_view check_violation = "23514";
inline constexpr std::string_view serialization_failure = "40001";
inline constexpr std::string_view deadlock_detected = "40P01";
inline constexpr std::string_view insufficient_privilege = "42501";
inline constexpr std::string_view dependent_objects_still_exist = "2BP01";
inline constexpr std::string_view undefined_table = "42P01";
inline constexpr std::string_view undefined_column = "42703";
inline constexpr std::string_view syntax_error = "42601";
inline constexpr std::string_view too_many_connections = "53300";
inline constexpr std::string_view disk_full = "53100";
inline constexpr std::string_view lock_not_available = "55P03";
inline constexpr std::string_view query_canceled = "57014";
inline constexpr std::string_view admin_shutdown = "57P01";
inline constexpr std::string_view crash_shutdown = "57P02";
inline constexpr std::string_view cannot_connect_now = "57P03";
inline constexpr std::string_view feature_not_supported = "0A000";
inline constexpr std::string_view invalid_statement_name = "26000";
inline constexpr std::string_view duplicate_statement = "42P05";

}  // namespace sqlstate

/// An error that the server reported. `what()` has its message, hint, SQLSTATE, the names of table, column and constraint, and the SQL;
/// never DETAIL and CONTEXT, which hold data: ask `detail()` and `context()` for them.
class server_error : public error {
public:
    explicit server_error(isorow::diagnostics fields) : error(describe(fields)), fields_(std::move(fields)) {}

    [[nodiscard]] isorow::diagnostics const& diagnostics() const noexcept { return fields_; }
    [[nodiscard]] std::string const& sqlstate() const noexcept { return fields_.sqlstate; }
    [[nodiscard]] std::string const& message() const noexcept { return fields_.message; }
    [[nodiscard]] std::string const& detail() const noexcept { return fields_.detail; }
    [[nodiscard]] std::string const& hint() const noexcept { return fields_.hint; }
    [[nodiscard]] std::string const& context() const noexcept { return fields_.context; }
    [[nodiscard]] std::string const& schema() const noexcept { return fields_.schema; }
    [[nodiscard]] std::string const& table() const noexcept { return fields_.table; }
    [[nodiscard]] std::string const& column() const noexcept { return fields_.column; }
    [[nodiscard]] std::string const& constraint() const noexcept { return fields_.constraint; }
    [[nodiscard]] std::string const& sql() const noexcept { return fields_.sql; }

    /// True for lost races (class 40), lost or refused connections (08, 57P0x), exhausted resources (53) and a lock that was not free.
    [[nodiscard]] bool retryable() const noexcept override {
        std::string_view const code = fields_.sqlstate;
        return code.starts_with("40") || code.starts_with("08") || code.starts_with("53") || code.starts_with("57P0") ||
               code == sqlstate::lock_not_available || is_stale_plan();
    }

    /// Whether a prepared statement was refused because the schema changed under it, or because it is gone (DISCARD ALL, a pooler): run
    /// again, it is prepared anew.
    [[nodiscard]] bool is_stale_plan() const noexcept {
        return fields_.stale_plan || fields_.sqlstate == sqlstate::invalid_statement_name ||
               (fields_.sqlstate == sqlstate::feature_not_supported && fields_.routine == "RevalidateCachedQuery");
    }

private:
    static std::string describe(isorow::diagnostics const& fields) {
        auto report = fields.message.empty() ? std::string("the server reported an error without a message") : fields.message;
        std::string names = fields.sqlstate.empty() ? "" : text("SQLSTATE {}", fields.sqlstate);
        auto const name = [&](std::string_view what, std::string const& value) {
            if (!value.empty()) names += text("{}{} \"{}\"", names.empty() ? "" : ", ", what, value);
        };
        name("schema", fields.schema);
        name("table", fields.table);
        name("column", fields.column);
        name("type", fields.data_type);
        name("constraint", fields.constraint);
        if (!names.empty()) report += text(" ({})", names);
        if (!fields.hint.empty()) report += text("; hint: {}", fields.hint);
        if (!fields.sql.empty()) report += text("; in{}{}: {}", fields.place.empty() ? "" : " ", fields.place, fields.sql);
        return report;
    }

    isorow::diagnostics fields_;
};

/// The errors of one class: those whose SQLSTATE begins with these two characters.
template <char First, char Second>
class sqlstate_class final : public server_error {
public:
    using server_error::server_error;
};

using sql_statement_not_yet_complete = sqlstate_class<'0', '3'>;
using connection_exception = sqlstate_class<'0', '8'>;
using triggered_action_exception = sqlstate_class<'0', '9'>;
using feature_not_supported = sqlstate_class<'0', 'A'>;
using invalid_transaction_initiation = sqlstate_class<'0', 'B'>;
using locator_exception = sqlstate_class<'0', 'F'>;
using invalid_grantor = sqlstate_class<'0', 'L'>;
using invalid_role_specification = sqlstate_class<'0', 'P'>;
using diagnostics_exception = sqlstate_class<'0', 'Z'>;
using case_not_found = sqlstate_class<'2', '0'>;
using cardinality_violation = sqlstate_class<'2', '1'>;
using data_exception = sqlstate_class<'2', '2'>;
using integrity_constraint_violation = sqlstate_class<'2', '3'>;
using invalid_cursor_state = sqlstate_class<'2', '4'>;
using invalid_transaction_state = sqlstate_class<'2', '5'>;
using invalid_sql_statement_name = sqlstate_class<'2', '6'>;
using triggered_data_change_violation = sqlstate_class<'2', '7'>;
using invalid_authorization_specification = sqlstate_class<'2', '8'>;
using dependent_privilege_descriptors_still_exist = sqlstate_class<'2', 'B'>;
using invalid_transaction_termination = sqlstate_class<'2', 'D'>;
using sql_routine_exception = sqlstate_class<'2', 'F'>;
using invalid_cursor_name = sqlstate_class<'3', '4'>;
using external_routine_exception = sqlstate_class<'3', '8'>;
using external_routine_invocation_exception = sqlstate_class<'3', '9'>;
using savepoint_exception = sqlstate_class<'3', 'B'>;
using invalid_catalog_name = sqlstate_class<'3', 'D'>;
using invalid_schema_name = sqlstate_class<'3', 'F'>;
using transaction_rollback = sqlstate_class<'4', '0'>;
using syntax_error_or_access_rule_violation = sqlstate_class<'4', '2'>;
using with_check_option_violation = sqlstate_class<'4', '4'>;
using insufficient_resources = sqlstate_class<'5', '3'>;
using program_limit_exceeded = sqlstate_class<'5', '4'>;
using object_not_in_prerequisite_state = sqlstate_class<'5', '5'>;
using operator_intervention = sqlstate_class<'5', '7'>;
using system_error = sqlstate_class<'5', '8'>;
using config_file_error = sqlstate_class<'F', '0'>;
using fdw_error = sqlstate_class<'H', 'V'>;
using plpgsql_error = sqlstate_class<'P', '0'>;
using internal_error = sqlstate_class<'X', 'X'>;

namespace detail {

template <char First, char Second>
[[noreturn]] void throw_as_class(isorow::diagnostics fields) {
    throw sqlstate_class<First, Second>(std::move(fields));
}

struct sqlstate_thrower {
    std::string_view code;
    void (*raise)(isorow::diagnostics);
};

template <class Error>
struct class_code;
template <char First, char Second>
struct class_code<sqlstate_class<First, Second>> {
    static constexpr char characters[2] = {First, Second};
    static constexpr sqlstate_thrower thrower{{characters, 2}, &throw_as_class<First, Second>};
};

template <class... Errors>
inline constexpr std::array throwers_of{class_code<Errors>::thrower...};

inline constexpr auto const& sqlstate_throwers =
    throwers_of<sql_statement_not_yet_complete, connection_exception, triggered_action_exception, feature_not_supported,
                invalid_transaction_initiation, locator_exception, invalid_grantor, invalid_role_specification, diagnostics_exception,
                case_not_found, cardinality_violation, data_exception, integrity_constraint_violation, invalid_cursor_state,
                invalid_transaction_state, invalid_sql_statement_name, triggered_data_change_violation, invalid_authorization_specification,
                dependent_privilege_descriptors_still_exist, invalid_transaction_termination, sql_routine_exception, invalid_cursor_name,
                external_routine_exception, external_routine_invocation_exception, savepoint_exception, invalid_catalog_name,
                invalid_schema_name, transaction_rollback, syntax_error_or_access_rule_violation, with_check_option_violation,
                insufficient_resources, program_limit_exceeded, object_not_in_prerequisite_state, operator_intervention, system_error,
                config_file_error, fdw_error, plpgsql_error, internal_error>;

}  // namespace detail

/// Throws the error as the class of its SQLSTATE, or as `server_error` where the code is of no known class.
[[noreturn]] inline void throw_server_error(isorow::diagnostics fields) {
    auto const code = fields.sqlstate.substr(0, 2);
    auto const thrower =
        std::find_if(detail::sqlstate_throwers.begin(), detail::sqlstate_throwers.end(), [&](auto const& one) { return one.code == code; });
    if (thrower == detail::sqlstate_throwers.end()) throw server_error(std::move(fields));
    thrower->raise(std::move(fields));
    std::abort();  // not reached: raise throws
}

}  // namespace isorow::inline v1
