#pragma once

/// @file
/// Statements sent one after another without waiting for the answers. Source: the manual of libpq, "Pipeline Mode".

#include <isorow/config.hpp>
#include <isorow/pq/statement.hpp>

#include <cstdint>
#include <exception>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace isorow::inline v1 {

/// What became of a statement of a pipeline.
enum class outcome : std::uint8_t {
    done,          ///< it was executed; and committed, unless in a transaction of the caller's
    failed,        ///< the server refused it
    not_executed,  ///< it was passed over, because one before it failed, or never sent
    unknown,       ///< it was sent, and the connection was lost before the answer came
};

/// How far an error reaches.
enum class on_error : std::uint8_t {
    stop,   ///< all statements are one transaction: after an error none of them has happened
    go_on,  ///< each statement commits by itself, and an error concerns it alone
};

/// One statement of a pipeline. The text must outlive the run.
struct pipeline_statement {
    std::string_view sql;
    parameters values{};
};

/// What a statement of a pipeline gave.
struct pipeline_answer {
    isorow::outcome outcome = isorow::outcome::not_executed;
    std::optional<result> rows{};
    std::exception_ptr failure{};  ///< where it failed, or is unknown
};

/// Runs statements in one round trip, or as few as their size allows. Answers stand in the order of the statements, each with its outcome.
/// `on_error::go_on` throws only where nothing can be told; a lost connection, a deadline and a stop are then in the outcomes.
/// `on_error::stop` throws the first failure; all statements are one transaction, unless the caller has one open, which then has failed. It
/// runs once more where a prepared statement had become stale.
[[nodiscard]] std::vector<pipeline_answer> run_pipeline(connection& connection, std::span<pipeline_statement const> statements,
                                                        on_error mode, limits const& limits);

}  // namespace isorow::inline v1

#if ISOROW_HAS_CODE
#include <isorow/pq/detail/pipeline_code.hpp>
#endif
