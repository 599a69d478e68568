#pragma once

/// @file
/// A source followed live: its rows, then what becomes of them.
///
///     auto products = follow(source, changelog{}, {.consumer = "prices"});
///     for (event_batch<Product>& batch : products)
///         transact(db, [&](transaction& work) {
///             for (source_event<Product> const& event : batch) apply(work, event);
///             batch.save(work);                                // exactly once: with what was done
///         });

#include <isorow/query/detail/row_plan.hpp>
#include <isorow/query/detail/single_pass_iterator.hpp>
#include <isorow/source/changelog.hpp>
#include <isorow/source/detail/feeds.hpp>
#include <isorow/source/event.hpp>
#include <isorow/source/listening.hpp>
#include <isorow/source/polling.hpp>
#include <isorow/source/replication.hpp>
#include <isorow/source/source.hpp>

#include <chrono>
#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

/// Where a consumer that has not followed before begins.
enum class begin_with : std::uint8_t {
    all_rows,  ///< those that are there are told first
    changes,   ///< only what changes from now on is told
};

struct follow_options {
    /// The consumer's name, by which it goes on where it was, in other processes too. Unlike the names of all other consumers of the
    /// database. Two that follow under one name at a time are told (`position_moved`).
    std::string consumer{};
    std::size_t batch = 1000;  ///< how many rows or changed keys are read at a time, so that memory is bounded
    begin_with begin = begin_with::all_rows;
    /// Where the position is kept: the database that is written to, so that it is saved with what is written. Nothing: that of the source.
    std::optional<database_ref> positions{};
    std::stop_token stop{};  ///< ends the range, and the waits within
};

namespace detail {

[[nodiscard]] inline feed_options to_feed_options(follow_options const& options) {
    if (options.consumer.empty())
        throw usage_error("who follows a source has a name, by which it goes on where it was: follow_options::consumer");
    if (options.batch == 0) throw usage_error("a batch has at least one row");
    return {options.consumer, options.batch, options.begin == begin_with::changes, options.positions};
}

}  // namespace detail

/// Events that come together. Move-only.
template <class T>
class event_batch {
public:
    /// The events in their order; each may be moved from.
    [[nodiscard]] std::vector<source_event<T>>& events() noexcept { return events_; }
    [[nodiscard]] std::vector<source_event<T>> const& events() const noexcept { return events_; }
    [[nodiscard]] auto begin() noexcept { return events_.begin(); }
    [[nodiscard]] auto end() noexcept { return events_.end(); }
    [[nodiscard]] std::size_t size() const noexcept { return events_.size(); }
    [[nodiscard]] bool empty() const noexcept { return events_.empty(); }

    /// Whether the position behind the batch is the one that is saved: then it was applied, though the commit's answer may have been lost.
    [[nodiscard]] bool is_saved_in(database_ref const& where) const {
        return !raw_.position.text.empty() &&
               detail::find_position(where, raw_.position.consumer, raw_.position.mechanism) == raw_.position.text;
    }

    /// The position behind the batch, in the mechanism's own form; empty in the midst of all rows, which begin anew after an interruption.
    [[nodiscard]] std::string const& position() const noexcept { return raw_.position.text; }

    /// Saves the position where the consumer keeps it: `where` is the transaction in which the events are applied, so that both are
    /// committed or neither; where it is rolled back and tried again, save again. Throws `position_moved` where another consumer of the
    /// name was faster. A batch that its user does not save is saved when the next one is asked for.
    void save(database_ref const& where) {
        if (raw_.position.text.empty()) return;
        detail::save_position(where, raw_.former, raw_.position);
        *is_saved_ = true;
    }

private:
    template <class>
    friend class followed;

    detail::feed_batch raw_{};
    std::vector<source_event<T>> events_{};
    std::shared_ptr<bool> is_saved_ = std::make_shared<bool>(false);
};

namespace detail {

/// Makes events of a feed's rows.
template <class T>
class event_maker final : public row_taker {
    static constexpr bool is_dynamic = std::is_same_v<T, dynamic_row>;

public:
    event_maker(followed_table const& table, std::vector<source_event<T>>& into) : table_(&table), into_(&into) {}

    using row_taker::take;
    void take(connection& connection, result const& answer, bool of_all_rows, std::vector<bool> const& skipped) override {
        auto const columns = static_cast<int>(table_->columns.size());
        auto const holds = [&](int row, int column) { return byte_reader(answer.value(row, column)).take_int8() != 0; };
        auto const whole = plan(connection, answer);
        auto const of_key = key_plan(connection, answer);
        into_->reserve(into_->size() + static_cast<std::size_t>(answer.rows()) + 2);
        for (int row = 0; row < answer.rows(); ++row) {
            if ((!of_all_rows && !holds(row, columns + 1)) || (!skipped.empty() && skipped[static_cast<std::size_t>(row)])) continue;
            bool const is_there = of_all_rows || holds(row, columns);
            T read{};
            if (is_there) whole.decode(answer, row, read);
            else of_key.decode(answer, row, read);
            auto& event = into_->emplace_back();
            event.kind = of_all_rows ? event_kind::row : is_there ? event_kind::upserted : event_kind::removed;
            event.key = key_of_row(read);
            if (is_there) event.row = std::move(read);
        }
    }

private:
    [[nodiscard]] auto plan(connection& connection, result const& answer) const {
        if constexpr (is_dynamic) return row_plan<T>(connection, answer, table_->other_types, static_cast<int>(table_->columns.size()));
        else return row_plan<T>(connection, answer, table_->columns);
    }
    /// Of a row that is gone only the key is told.
    [[nodiscard]] auto key_plan(connection& connection, result const& answer) const {
        if constexpr (is_dynamic) return plan(connection, answer);
        else return row_plan<T>(connection, answer, table_->key);
    }
    [[nodiscard]] typename source_event<T>::key_type key_of_row(T const& row) const {
        if constexpr (is_dynamic) return take_apart(row, table_->key).key;
        else return detail::take<typename source_event<T>::key_type, true>(row);
    }

    followed_table const* table_;
    std::vector<source_event<T>>* into_;
};

}  // namespace detail

/// A source that is followed: a range of batches, walked once, which waits for changes and ends when its stop token says so. Nothing is
/// read ahead: a consumer that is slow is waited for. Not thread-safe; the pool of the source must outlive it. Made by `follow`.
///
/// Where connections are lost, it goes on as soon as the server is there again.
template <class T>
class followed {
    struct state;

public:
    /// `feed`: where the changes of the table come from. `own`: a pool to be kept for it.
    followed(std::shared_ptr<pool> own, std::unique_ptr<detail::event_feed> feed, detail::followed_table table, follow_options options)
        : state_(std::make_unique<state>(std::move(own), std::move(feed), std::move(table), std::move(options))) {}

    /// The next batch; nothing when the deadline passes before there is one. The batch before it is saved, unless its user has done so.
    /// Throws `stopped`, and what reading throws that does not pass by itself.
    [[nodiscard]] std::optional<event_batch<T>> next(limits const& limits) { return state_->next(limits); }
    /// All rows are told next, whatever was told before.
    void begin_again() {
        state_->last.reset();
        state_->feed->begin_again();
    }

    template <class Rep, class Period>
    [[nodiscard]] std::optional<event_batch<T>> next(std::chrono::duration<Rep, Period> time) {
        return next(limits::within(time, state_->options.stop));
    }

    using iterator = detail::single_pass_iterator<state>;

    /// Waits for the first batch.
    [[nodiscard]] iterator begin() {
        state_->advance();
        return iterator(*state_);
    }
    [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

private:
    struct state {
        using value_type = event_batch<T>;

        state(std::shared_ptr<pool> kept, std::unique_ptr<detail::event_feed> from, detail::followed_table what, follow_options how)
            : own(std::move(kept)), feed(std::move(from)), table(std::move(what)), options(std::move(how)) {}

        /// The batch before: its user is through with it. Where this fails, it is tried again.
        void settle(limits const& limits) {
            if (last && !last->position.text.empty()) {
                if (!*last_is_saved && last->position.text != last->former) feed->save(last->former, last->position, limits);
                *last_is_saved = true;
                feed->saved(last->position, limits);
            }
            last.reset();
        }

        [[nodiscard]] std::optional<event_batch<T>> next(limits const& limits) {
            settle(limits);
            std::optional<event_batch<T>> batch(std::in_place);
            detail::event_maker<T> events(table, batch->events_);
            auto raw = feed->next(limits, events);
            if (!raw) return std::nullopt;
            auto const mark = [&](bool is_so, event_kind kind, bool at_end) {
                if (is_so) batch->events_.insert(at_end ? batch->events_.end() : batch->events_.begin(), source_event<T>{.kind = kind});
            };
            mark(raw->begins, event_kind::begin_rows, false);
            mark(raw->ends, event_kind::end_rows, true);
            batch->raw_ = *raw;
            last = std::move(*raw);
            last_is_saved = batch->is_saved_;
            return batch;
        }

        /// To the next batch; none at the end.
        void advance() {
            at.reset();
            try {
                // What was done with the last batch is saved all the same.
                if (options.stop.stop_requested()) return settle(limits::within(std::chrono::seconds(10)));
                at = next(limits::until_stopped(options.stop));
            } catch (stopped const&) {
                if (!options.stop.stop_requested()) throw;
            }
        }
        [[nodiscard]] event_batch<T>& current() noexcept { return *at; }
        [[nodiscard]] bool has_ended() const noexcept { return !at; }

        std::shared_ptr<pool> own;
        std::unique_ptr<detail::event_feed> feed;
        detail::followed_table table;
        follow_options options;
        std::optional<detail::feed_batch> last{};
        std::shared_ptr<bool> last_is_saved{};
        std::optional<event_batch<T>> at{};  ///< the batch that the range is at
    };

    std::unique_ptr<state> state_;
};

namespace detail {

template <class T, class How>
[[nodiscard]] followed<T> follow_by(source<T> const& from, How const& how, follow_options options) {
    auto table = source_access::followed(from);
    auto feed = make_feed(source_access::pool_of(from), table, how, to_feed_options(options));
    return {source_access::own_pool_of(from), std::move(feed), std::move(table), std::move(options)};
}

}  // namespace detail

/// Follows a table by its changelog, whose objects are made in the database where they are not there yet. The consumer gets all rows first,
/// then each row that is inserted, updated or deleted, as it is when it is read: of several changes that come together only the last.
/// Throws `usage_error` where the source is no table of a pool with a primary key.
template <class T>
[[nodiscard]] followed<T> follow(source<T> const& from, changelog const& how, follow_options options) {
    return detail::follow_by(from, how, std::move(options));
}

/// The same by looking again and again: see `polling`.
template <class T>
[[nodiscard]] followed<T> follow(source<T> const& from, polling const& how, follow_options options) {
    return detail::follow_by(from, how, std::move(options));
}

/// The same by the server's log: see `replication`.
template <class T>
[[nodiscard]] followed<T> follow(source<T> const& from, replication const& how, follow_options options) {
    return detail::follow_by(from, how, std::move(options));
}

/// The same by notifications that somebody else sends: see `listening`.
template <class T>
[[nodiscard]] followed<T> follow(source<T> const& from, listening const& how, follow_options options) {
    return detail::follow_by(from, how, std::move(options));
}

}  // namespace isorow::inline v1
