#pragma once

/// @file
/// Records moved from one store to another.

#include <isorow/records/backend.hpp>
#include <isorow/records/detail/document.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace isorow::inline v1::records {

/// How far a migration has come.
struct migrate_result {
    std::size_t read = 0;           ///< records of the first store
    std::size_t written = 0;        ///< to the second
    std::size_t left_out = 0;       ///< by the transformation
    uuid last{};                    ///< the last that is written or left out: where it may go on
    std::vector<uuid> differing{};  ///< what a verification found: not there, or not the same
    std::chrono::steady_clock::duration duration{};
};

struct migrate_options {
    filter condition{};  ///< which records; all where it is empty
    /// What becomes of a record on its way: another one, or nothing, where it is left out. Called in the order of ids; a record that keeps
    /// its id can be verified.
    std::function<std::optional<record>(record)> transform{};
    /// Only records behind this one: to go on where an earlier migration ended, with its `migrate_result::last`.
    uuid after{};
    std::size_t batch_size = 1000;
    std::function<void(migrate_result const&)> on_progress{};  ///< called behind each batch that is written
    bool verify = false;                                       ///< read each batch back, and list what is not as it was written
};

namespace detail {

template <record_backend To>
class migration {
public:
    migration(To& to, migrate_options const& options) : to_(&to), options_(&options) { result_.last = options.after; }

    void take(record&& one) {
        ++result_.read;
        last_read_ = one.id;
        auto wanted = options_->transform ? options_->transform(std::move(one)) : std::optional(std::move(one));
        if (wanted) batch_.push_back(std::move(*wanted));
        else ++left_out_;
        if (batch_.size() >= options_->batch_size) write();
    }

    void write() {
        if (!batch_.empty()) {
            to_->restore_batch(batch_);
            if (options_->verify) verify();
        }
        result_.written += batch_.size();
        result_.left_out += std::exchange(left_out_, 0);
        result_.last = last_read_;
        result_.duration = std::chrono::steady_clock::now() - begun_;
        batch_.clear();
        if (options_->on_progress) options_->on_progress(result_);
    }

    [[nodiscard]] migrate_result finish() && {
        if (result_.read != result_.written + result_.left_out) write();
        return std::move(result_);
    }

private:
    void verify() {
        std::vector<uuid> ids;
        ids.reserve(batch_.size());
        for (auto const& one : batch_) ids.push_back(one.id);
        auto const found = to_->read_batch(ids);
        for (std::size_t i = 0; i < ids.size(); ++i)
            if (!found[i] || !is_same(*found[i], batch_[i])) result_.differing.push_back(ids[i]);
    }

    [[nodiscard]] static bool is_same(record const& left, record const& right) {
        return are_equal(left.fields, right.fields) && are_equal(left.metadata, right.metadata) && left.created_at == right.created_at &&
               left.updated_at == right.updated_at;
    }

    To* to_;
    migrate_options const* options_;
    std::vector<record> batch_{};
    std::size_t left_out_ = 0;
    uuid last_read_{};
    migrate_result result_{};
    std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

}  // namespace detail

/// Copies records with their ids, times and metadata from one store to another, in the order of their ids and a batch at a time; those that
/// are there already are replaced, so that a migration may be done again. The stores must not be on one connection. Where an error is
/// thrown the batches before are written, and `on_progress` was told how far it came.
template <record_backend From, record_backend To>
migrate_result migrate(From const& from, To& to, migrate_options const& options = {}) {
    if (options.batch_size == 0) throw usage_error("a batch has at least one record");
    detail::migration<To> migration(to, options);
    query wanted(options.condition);
    if (options.after != uuid{}) wanted.where(where("id") > to_string(options.after));
    from.scan(wanted, [&](record&& one) { migration.take(std::move(one)); });
    return std::move(migration).finish();
}

}  // namespace isorow::inline v1::records
