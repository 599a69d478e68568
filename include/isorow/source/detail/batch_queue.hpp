#pragma once

#include <isorow/pq/wait.hpp>
#include <isorow/source/batch.hpp>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <mutex>
#include <stop_token>
#include <utility>
#include <vector>

#include <unistd.h>

namespace isorow::inline v1::detail {

/// Batches on their way from the threads that read to the one that takes. Holds no more than it was told: those who read wait then.
/// Thread-safe; one thread takes.
template <class Row>
class batch_queue {
public:
    /// What `take` found.
    enum class outcome : std::uint8_t { batch, end, failure };

    batch_queue(std::size_t most, std::size_t readers) : most_(most), readers_(readers) {}

    /// An empty batch, with memory that was used before where there is some.
    [[nodiscard]] row_batch<Row> spare() {
        std::lock_guard const lock(mutex_);
        if (spare_.empty()) return {};
        auto one = std::move(spare_.back());
        spare_.pop_back();
        return one;
    }

    /// Appends a batch once there is room. Throws `stopped`.
    void put(row_batch<Row> batch, std::stop_token const& stop) {
        std::unique_lock lock(mutex_);
        if (!room_.wait(lock, stop, [this] { return batches_.size() < most_; }))
            throw stopped("stopped while waiting for who takes the rows");
        batches_.push_back(std::move(batch));
        wake();
    }

    /// A reader has come to its end: `failure` is null where that is no error. The first failure is what counts.
    void end(std::exception_ptr failure) {
        std::lock_guard const lock(mutex_);
        --readers_;
        if (failure && !failure_) failure_ = std::move(failure);
        wake();
    }

    /// Replaces `batch` by the next, waiting for it within the limits. Where a reader has failed, batches that wait are not taken any more.
    [[nodiscard]] outcome take(row_batch<Row>& batch, limits const& within) {
        for (;;) {
            {
                std::lock_guard const lock(mutex_);
                if (failure_) return outcome::failure;
                if (!batches_.empty()) {
                    std::swap(batch, batches_.front());
                    keep(std::move(batches_.front()));
                    batches_.pop_front();
                    room_.notify_one();
                    return outcome::batch;
                }
                if (readers_ == 0) return outcome::end;
                is_waited_for_ = true;
            }
            wait_for_socket(woken_.descriptor(), interest::read, within, "waiting for rows that several connections read");
            char taken[16];
            static_cast<void>(!::read(woken_.descriptor(), taken, sizeof taken));
        }
    }

    /// The failure, once no reader is left.
    [[nodiscard]] std::exception_ptr take_failure() {
        std::lock_guard const lock(mutex_);
        return std::exchange(failure_, nullptr);
    }

private:
    /// With the mutex held.
    void wake() noexcept {
        if (std::exchange(is_waited_for_, false)) woken_.wake();
    }
    void keep(row_batch<Row> used) {
        if (spare_.size() < most_) spare_.push_back(std::move(used));
    }

    std::size_t const most_;
    std::mutex mutex_{};
    std::condition_variable_any room_{};
    waker woken_{};
    std::deque<row_batch<Row>> batches_{};
    std::vector<row_batch<Row>> spare_{};
    std::exception_ptr failure_{};
    std::size_t readers_;
    bool is_waited_for_ = false;
};

}  // namespace isorow::inline v1::detail
