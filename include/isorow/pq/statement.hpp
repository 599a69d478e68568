#pragma once

/// @file
/// Statements as text with parameters in bytes.

#include <isorow/config.hpp>
#include <isorow/pq/connection.hpp>
#include <isorow/pq/detail/session_state.hpp>
#include <isorow/pq/parameters.hpp>
#include <isorow/pq/result.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace isorow::inline v1 {

namespace detail {

/// SQL goes to libpq as a C string, which would end at a NUL byte.
[[nodiscard]] std::string checked_sql(std::string_view sql);

/// What a step of a stream may take: what the whole may, or the connection's own time for each step, until `stop` says so.
[[nodiscard]] limits limits_of_step(connection const& connection, std::optional<limits> const& whole, std::stop_token const& stop);

void require_sent(connection& connection, int sent);

/// The parameters of a statement as libpq takes them; on the stack where there are few.
class parameter_arrays {
public:
    explicit parameter_arrays(parameters const& given);

    [[nodiscard]] char const* const* values() const noexcept { return many_ ? many_->values.data() : few_values_.data(); }
    [[nodiscard]] int const* formats() const noexcept { return many_ ? many_->formats.data() : binary.data(); }

private:
    static constexpr std::size_t few = 16;
    static constexpr std::array<int, few> binary = [] {
        std::array<int, few> formats{};
        formats.fill(1);
        return formats;
    }();
    struct many {
        std::vector<char const*> values;
        std::vector<int> formats;
    };

    std::array<char const*, few> few_values_;
    std::unique_ptr<many> many_{};
};

void send_unprepared(connection& connection, std::string const& sql, parameters const& parameters);

void send_prepared(connection& connection, std::string const& name, parameters const& parameters);

void send_statement(connection& connection, std::string const& sql, parameters const& parameters);

/// Whether a command changes what prepared statements rest on.
[[nodiscard]] bool makes_plans_stale(std::string_view command) noexcept;

/// Takes in all results; returns the last, or throws the first error.
[[nodiscard]] result collect(connection& connection, std::string_view sql, limits const& limits);

/// Tells the connection's observer, which must be there, what was done and how it ended.
void tell(connection const& connection, void (observer::*member)(operation_event const&), operation_event event,
          std::chrono::steady_clock::time_point begun);

/// Does something and tells the connection's observer, where it has one. `describe()` makes the event, which nobody needs otherwise.
/// `begun`: where the operation began before this call.
template <class Describe, class Do>
auto observed(connection& connection, void (observer::*member)(operation_event const&), Describe&& describe, Do&& work,
              std::chrono::steady_clock::time_point begun = {}) {
    if (!connection.options().observer) [[likely]]
        return work();
    if (begun == std::chrono::steady_clock::time_point{}) begun = std::chrono::steady_clock::now();
    operation_event event = describe();
    try {
        auto done = work();
        if constexpr (requires { done.affected_rows(); }) event.rows = done.affected_rows();
        else event.rows = static_cast<std::int64_t>(done);
        tell(connection, member, event, begun);
        return done;
    } catch (...) {
        auto const failure = name_of(std::current_exception());
        event.error = failure;
        tell(connection, member, event, begun);
        throw;
    }
}

/// Closes the prepared statements that are not wanted any more.
void close_unwanted(connection& connection, limits const& limits);

/// Prepares a statement of the connection's cache on the server.
void prepare(connection& connection, statement_cache::entry& entry, limits const& limits);

/// Runs a statement, prepared where it has been run often enough.
[[nodiscard]] result run_statement(connection& connection, std::string_view sql, parameters const& parameters, limits const& limits);

}  // namespace detail

/// Runs one statement with parameters; its rows come back in binary. One that is run often is prepared (`prepare_threshold`); where the
/// schema changed under it, it is prepared again, but in a transaction, which has failed then. Throws the server's errors by their class,
/// `connection_lost`, `timed_out` and `stopped`; after the last two the statement was cancelled.
result execute_statement(connection& connection, std::string_view sql, parameters const& parameters, limits const& limits);

/// Runs statements without parameters, separated by semicolons, in one transaction unless they say otherwise. Rows come back as text, those
/// of the last statement. Errors are those of `execute_statement`.
result execute_script(connection& connection, std::string_view sql, limits const& limits);

/// Has the server take a statement in without running it; the result tells its parameters and columns. `types`: of the parameters, 0 where
/// the server shall choose.
[[nodiscard]] result describe_statement(connection& connection, std::string_view sql, std::vector<oid> const& types, limits const& limits);

}  // namespace isorow::inline v1

#if ISOROW_HAS_CODE
#include <isorow/pq/detail/statement_code.hpp>
#endif
