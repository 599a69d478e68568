#pragma once

#include <isorow/source/detail/batch_queue.hpp>
#include <isorow/source/detail/block_ranges.hpp>
#include <isorow/source/detail/read_transaction.hpp>
#include <isorow/source/detail/statement_rows.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

/// Begins the transaction whose snapshot all readers share.
[[nodiscard]] inline std::unique_ptr<read_transaction> begin_shared_reading(database_ref const& where) {
    return std::make_unique<read_transaction>(where, transaction_options{.isolation = isolation::repeatable_read, .read_only = true});
}

/// Batches that several connections read, each on a thread of its own, range by range of the table's blocks, under one snapshot. The first
/// connection is there from the start, and keeps the snapshot and the lock on the table; the others come as the pool lends them.
template <class Row>
class parallel_batches final : public batch_reader<Row> {
public:
    /// `first`: begun by `begin_shared_reading`. Throws `mismatch`.
    parallel_batches(std::unique_ptr<batch_request const> request, std::unique_ptr<read_transaction> first, std::int64_t blocks,
                     std::size_t connections)
        : request_(std::move(request)),
          first_(std::move(first)),
          statement_(**first_, *request_, first_->use().limits()),
          snapshot_(export_snapshot(**first_, first_->use().limits())),
          ranges_(blocks, connections),
          readers_(static_cast<std::size_t>(std::min(static_cast<std::int64_t>(connections), ranges_.count()))),
          queue_(2 * readers_, readers_) {}
    parallel_batches(parallel_batches const&) = delete;
    parallel_batches& operator=(parallel_batches const&) = delete;
    ~parallel_batches() override { leave(); }

    bool next(row_batch<Row>& batch) override {
        auto const given = request_->where.given_limits();
        if (given && given->stop.stop_requested()) throw stopped("stopped while several connections read");
        start();
        using outcome = typename batch_queue<Row>::outcome;
        auto const found = queue_.take(batch, given ? *given : limits::until_stopped({}));
        if (found == outcome::batch) return true;
        leave();
        if (found == outcome::failure) std::rethrow_exception(queue_.take_failure());
        return false;
    }

private:
    void start() {
        while (threads_.size() < readers_) {
            bool const is_first = threads_.empty();
            threads_.emplace_back([this, is_first] { read(is_first); });
        }
    }

    /// Ends what is under way, and gives the connections back.
    void leave() noexcept {
        reading_.request_stop();
        joining_.request_stop();
        for (auto& thread : threads_) thread.join();
        threads_.clear();
        first_.reset();
    }

    void read(bool is_first) noexcept {
        std::exception_ptr failure;
        try {
            if (is_first) read_ranges(**first_);
            else join_and_read();
        } catch (...) {
            failure = std::current_exception();
            reading_.request_stop();
            joining_.request_stop();
        }
        queue_.end(std::move(failure));
    }

    /// Reads with one more connection, if the pool lends one while there is something left to read.
    void join_and_read() {
        auto const lent = acquire();
        if (!lent || ranges_.empty()) return;
        auto const limits = limits_of_step(**lent, step().whole, step().stop);
        transaction const mine(**lent, {.isolation = isolation::repeatable_read, .read_only = true, .limits = limits});
        use_snapshot(**lent, snapshot_, limits);
        read_ranges(**lent);
    }

    /// A connection; nothing where the pool has none left before all is given out. The others go on then, and where the time of the whole
    /// has passed, they say so.
    [[nodiscard]] std::optional<lease> acquire() const {
        auto& pool = *request_->where.lender();
        auto const given = request_->where.given_limits();
        auto within = given ? *given : limits::within(pool.options().timeout);
        within.stop = joining_.get_token();
        try {
            return std::optional<lease>(std::in_place, pool, within);
        } catch (timed_out const&) {
            return std::nullopt;
        } catch (too_many_requests const&) {
            return std::nullopt;
        } catch (stopped const&) {
            return std::nullopt;
        }
    }

    void read_ranges(connection& connection) {
        auto const limits = step();
        while (auto const range = ranges_.take()) {
            if (ranges_.empty()) joining_.request_stop();
            auto const sql = text("{} {} {}", request_->ready.sql, request_->has_conditions ? "AND" : "WHERE", *range);
            typename statement_rows<Row>::reading rows(statement_, connection, sql, limits);
            for (bool more = true; more;) {
                auto batch = queue_.spare();
                more = rows.fill(batch);
                if (!batch.empty()) queue_.put(std::move(batch), limits.stop);
            }
        }
    }

    [[nodiscard]] step_limits step() const {
        step_limits all{request_->where.given_limits(), reading_.get_token()};
        if (all.whole) all.whole->stop = all.stop;
        return all;
    }

    std::unique_ptr<batch_request const> request_;
    std::unique_ptr<read_transaction> first_;
    statement_rows<Row> statement_;
    std::string snapshot_;
    block_ranges ranges_;
    std::size_t readers_;
    batch_queue<Row> queue_;
    std::stop_source reading_{};
    std::stop_source joining_{};  ///< for those who wait for a connection
    std::vector<std::thread> threads_{};
};

}  // namespace isorow::inline v1::detail
