#pragma once

/// @file
/// Records of a range written into a store, in batches.

#include <isorow/error/error.hpp>
#include <isorow/records/backend.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <ranges>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace isorow::inline v1::records {

/// What is done with a record whose id the store has.
enum class on_conflict : std::uint8_t {
    fail,     ///< it is a failure of that record
    replace,  ///< it takes the place of the one that is there
    skip,     ///< the one that is there stays
};

/// A record that could not be written.
struct write_failure {
    std::size_t place = 0;  ///< in the range, from 0
    uuid id{};
    std::string reason{};
};

/// What was written so far.
struct write_result {
    std::size_t processed = 0;  ///< of the range
    std::size_t created = 0;
    std::size_t replaced = 0;
    std::size_t skipped = 0;
    std::size_t failed = 0;
    std::vector<write_failure> failures{};  ///< the first `write_options::kept_failures`
    std::chrono::steady_clock::duration duration{};
};

struct write_options {
    std::size_t batch_size = 1000;
    enum on_conflict on_conflict = on_conflict::fail;
    /// Asked for each record that could not be written; where it returns false, or there is none, the error is thrown, and what the batches
    /// before have written stays.
    std::function<bool(record const&, error const&)> on_error{};
    std::function<void(write_result const&)> on_progress{};  ///< called behind each batch
    std::size_t kept_failures = 100;
};

namespace detail {

/// Writes batches: as a whole first, and record by record where that fails.
template <record_backend Store>
class batch_writer {
public:
    batch_writer(Store& store, write_options const& options) : store_(&store), options_(&options) {}

    void write(std::span<record const> batch) {
        try {
            count(store_->transact([&](auto& inner) { return write_whole(inner, batch); }));
        } catch (error const& failure) {
            if (!options_->on_error || failure.retryable()) throw;
            for (auto const& one : batch) write_one(one);
        }
        result_.duration = std::chrono::steady_clock::now() - begun_;
        if (options_->on_progress) options_->on_progress(result_);
    }

    [[nodiscard]] write_result&& result() && { return std::move(result_); }

private:
    template <class Inner>
    [[nodiscard]] std::vector<outcome> write_whole(Inner& inner, std::span<record const> batch) const {
        if (options_->on_conflict == on_conflict::replace) return inner.upsert_batch(batch);
        if (options_->on_conflict == on_conflict::skip) return inner.create_each(batch);
        inner.create_batch(batch);
        return std::vector<outcome>(batch.size(), outcome::created);
    }

    void write_one(record const& one) {
        try {
            // In a transaction of its own, or a savepoint of the caller's: what fails leaves the others as they are.
            count(store_->transact([&](auto& inner) { return write_whole(inner, {&one, 1}); }));
        } catch (error const& failure) {
            if (failure.retryable() || !options_->on_error(one, failure)) throw;
            if (result_.failures.size() < options_->kept_failures) result_.failures.push_back({result_.processed, one.id, failure.what()});
            ++result_.failed;
            ++result_.processed;
        }
    }

    void count(std::vector<outcome> const& outcomes) {
        for (auto const outcome : outcomes) {
            ++result_.processed;
            if (outcome == outcome::created) ++result_.created;
            else if (outcome == outcome::updated) ++result_.replaced;
            else ++result_.skipped;
        }
    }

    Store* store_;
    write_options const* options_;
    write_result result_{};
    std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

}  // namespace detail

/// Writes all records of a range, a batch at a time; the store holds no more of them. A batch that fails is written again record by record,
/// where `on_error` says what becomes of those that cannot be. Throws `usage_error` for a batch size of 0, and the store's errors.
template <record_backend Store, std::ranges::input_range Records>
    requires std::convertible_to<std::ranges::range_reference_t<Records>, record>
write_result write(Store& store, Records&& given, write_options const& options = {}) {
    if (options.batch_size == 0) throw usage_error("a batch has at least one record");
    detail::batch_writer<Store> writer(store, options);
    std::vector<record> batch;
    for (auto&& one : given) {
        batch.push_back(std::forward<decltype(one)>(one));
        if (batch.size() < options.batch_size) continue;
        writer.write(batch);
        batch.clear();
    }
    if (!batch.empty()) writer.write(batch);
    return std::move(writer).result();
}

}  // namespace isorow::inline v1::records
