#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace isorow::inline v1 {

/// How a queue works. What is said here holds for the object that it is given to: other programs may use the same queue with others.
struct queue_options {
    std::string schema = "isorow";  ///< where its table is
    std::string table{};            ///< its table's name; empty: `queue_` and the queue's name
    /// For how long a job is lent: who has it is taken for dead then, and the job is given to another. Choose it longer than a job takes,
    /// or say `extend` while it is handled.
    std::chrono::milliseconds lease = std::chrono::minutes(1);
    std::int32_t max_attempts = 5;  ///< how often a job is tried before it is dead, unless its push says otherwise
    /// How long a job rests after a failed attempt where `nack` does not say: doubled after each, up to the longest.
    std::chrono::milliseconds first_pause = std::chrono::seconds(1);
    std::chrono::milliseconds longest_pause = std::chrono::minutes(10);
    /// How long one who waits for a job sleeps at most before looking again, where notifications wake it. A job that falls due is known
    /// before and waited for; this is for the job of a worker that died, which nobody tells of.
    std::chrono::milliseconds longest_sleep = std::chrono::seconds(10);
    /// Likewise where no notifications come: behind PgBouncer in transaction mode, and while the listener cannot connect.
    std::chrono::milliseconds poll_interval = std::chrono::seconds(1);
};

/// What is said of a job beside its payload.
struct push_options {
    std::int32_t priority = 0;                                                     ///< higher ones are taken first
    std::chrono::milliseconds delay{0};                                            ///< it may be taken so long after the push
    std::optional<std::chrono::sys_time<std::chrono::microseconds>> not_before{};  ///< or from this time on; not both
    std::optional<std::int32_t> max_attempts{};                                    ///< else the queue's
    /// Where a job with this key waits or is being handled, nothing is pushed. A dead job keeps nobody from pushing. At most 2000 bytes.
    std::optional<std::string> dedupe_key{};
};

}  // namespace isorow::inline v1
