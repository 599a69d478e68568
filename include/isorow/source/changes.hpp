#pragma once

/// @file
/// The changes of a table, by logical replication.

#include <isorow/query/catalog.hpp>
#include <isorow/schema/check.hpp>
#include <isorow/source/change.hpp>
#include <isorow/source/changes_options.hpp>
#include <isorow/source/detail/change_feed.hpp>
#include <isorow/source/detail/change_plan.hpp>
#include <isorow/source/publication.hpp>
#include <isorow/source/replication_slot.hpp>

#include <chrono>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <stop_token>
#include <utility>

namespace isorow::inline v1 {

/// What happens to T's table, transaction by transaction in the order of their commits, from where its slot begins: nothing is missed, also
/// while nobody reads. Only what was committed comes.
///
/// The server keeps all WAL behind what was confirmed: confirm what was dealt with, or its disk fills. What was delivered and not confirmed
/// comes again when the stream begins anew.
///
/// Keeps a connection and a thread of its own, which answers the server in time however long the caller is busy. Move-only; used by one
/// thread at a time.
template <class T>
class changes {
public:
    /// Begins to read a slot. What T needs is looked at first. Throws
    /// - `missing_slot`, `slot_lost`, `slot_in_use`;
    /// - `replication_not_set_up`, `missing_privilege`, each with the cure;
    /// - `mismatch` with all columns that do not fit T, `usage_error` for options that contradict each other;
    /// - what connecting throws.
    explicit changes(replication_endpoint const& where, changes_options options, std::optional<limits> const& limits = {})
        : feed_(begin(where, std::move(options), nullptr, limits)) {}

    /// Begins to read a slot that was just made, on the connection that made it: so that it may be temporary. Its snapshot cannot be taken
    /// up any more.
    changes(replication_endpoint const& where, new_slot&& slot, changes_options options, std::optional<limits> const& limits = {})
        : feed_(begin(where, named(std::move(options), slot), slot.take_connection(), limits)) {}

    /// The next event; null when the deadline passes. It is one object, which the next call overwrites. A deadline that is over takes what
    /// has come already. Throws
    /// - `stopped`, after which it may be called again;
    /// - `mismatch` where the table was altered and T does not fit it any more, `malformed` and `unrepresentable` for a value that a field
    ///   does not have, with struct and field;
    /// - `connection_lost`, and the server's error where it ended the stream: 57P01 for a process that was terminated;
    /// - `spool_error`.
    /// After all but the first the stream has ended; `resume` goes on from what was confirmed.
    [[nodiscard]] change<T>* next(limits const& limits) {
        auto const* const event = feed_->next(limits);
        if (event == nullptr) return nullptr;
        try {
            decode(*event);
        } catch (...) {
            feed_->give_up();
            throw;
        }
        return &current_;
    }
    template <class Rep, class Period>
    [[nodiscard]] change<T>* next(std::chrono::duration<Rep, Period> time, std::stop_token stop = {}) {
        return next(limits::within(time, std::move(stop)));
    }

    class iterator {
    public:
        using value_type = change<T>;
        using difference_type = std::ptrdiff_t;
        using iterator_concept = std::input_iterator_tag;

        iterator() = default;
        iterator(changes& from, isorow::limits const& limits) : from_(&from), limits_(limits) { ++*this; }

        [[nodiscard]] change<T>& operator*() const noexcept { return *event_; }
        iterator& operator++() {
            event_ = from_->next(limits_);
            return *this;
        }
        void operator++(int) { ++*this; }
        friend bool operator==(iterator const& it, std::default_sentinel_t) noexcept { return it.event_ == nullptr; }

    private:
        changes* from_ = nullptr;
        isorow::limits limits_{};
        change<T>* event_ = nullptr;
    };

    /// The events until the deadline passes, as a range that is walked once. Several may follow each other.
    [[nodiscard]] auto until(limits const& limits) { return std::ranges::subrange(iterator(*this, limits), std::default_sentinel); }

    /// Says that everything up to `place`, the `end` of a transaction that was delivered, has been dealt with for good. The server learns
    /// it at once or within moments, and forgets what is behind. Throws `usage_error` for a place that was not delivered.
    void confirm(lsn place) { feed_->confirm(place); }
    /// Confirms the transactions whose commit was delivered.
    void confirm_delivered() { feed_->confirm_delivered(); }

    /// What was confirmed; by itself it goes on where nothing of the table happens.
    [[nodiscard]] lsn confirmed() const { return feed_->confirmed(); }
    /// The end of the transaction whose commit was delivered last.
    [[nodiscard]] lsn delivered() const noexcept { return feed_->delivered(); }
    /// How long ago by the server's clock the transaction was committed that was delivered last; zero where all was confirmed.
    [[nodiscard]] std::chrono::microseconds delay() const { return feed_->delay(); }

    /// The slot as the server sees it, with its lag in bytes, asked for on a connection of its own.
    [[nodiscard]] std::optional<slot_status> slot(std::optional<limits> const& limits = {}) const {
        auto side = feed_->where().connect(limits ? *limits : feed_->where().default_limits());
        return find_slot(side, feed_->options().slot);
    }

    /// Begins the stream anew from what was confirmed, on a new connection: after an error, or to have what was not confirmed again. Throws
    /// what the constructor throws.
    void resume(std::optional<limits> const& limits = {}) {
        plan_.reset();
        feed_->resume(limits ? *limits : feed_->where().default_limits());
    }

    /// Ends the stream: what was confirmed is told to the server, and the slot is free for others, but for a server that does not answer
    /// within two seconds. The destructor does the same.
    void close() noexcept { feed_->close(); }

private:
    static changes_options named(changes_options options, new_slot const& slot) {
        if (options.slot.empty()) options.slot = slot.name();
        if (options.slot != slot.name())
            throw usage_error(text("the options name the slot \"{}\", and \"{}\" was given", options.slot, slot.name()));
        return options;
    }

    static std::unique_ptr<detail::change_feed> begin(replication_endpoint const& where, changes_options options,
                                                      std::unique_ptr<replication_connection> on, std::optional<limits> const& limits) {
        check<T>();
        if (options.slot.empty()) throw usage_error("changes_options.slot names no slot");
        if (options.publication.empty()) throw usage_error("changes_options.publication names no publication");
        if (options.table.empty()) options.table = description_of<T>.name;
        if (options.schema.empty()) options.schema = description_of<T>.schema;
        auto const within = limits ? *limits : where.default_limits();
        auto look = [schema = options.schema, table = options.table](connection& side, isorow::limits const& time) {
            auto description = description_of<T>;
            description.schema = schema;
            description.name = table;
            require_columns({side, time}, description, table_use::reading, {}, &reads_type_of<T>);
            detail::learn_types<T>(side, time);
        };
        return std::make_unique<detail::change_feed>(where, std::move(options), std::move(look), std::move(on), within);
    }

    void decode(detail::raw_change const& event) {
        current_.kind = event.kind;
        current_.position = event.place;
        switch (event.kind) {
            case change_kind::begin:
            case change_kind::commit:
                current_.transaction = feed_->transaction();
                break;
            case change_kind::message:
                current_.prefix = event.message->prefix;
                current_.content.assign(event.message->content.begin(), event.message->content.end());
                if (!event.message->transactional) current_.transaction = {};
                break;
            case change_kind::truncate:
                break;
            default:
                decode_rows(event);
        }
    }

    void decode_rows(detail::raw_change const& event) {
        if (!plan_ || !plan_->is_of(*event.relation)) plan_.emplace(*feed_, *event.relation);
        current_.old_kind = event.old_kind;
        current_.unchanged.clear();
        if (event.old_kind != old_row::none) plan_->decode_old(event.old, current_.old, event.old_kind == old_row::whole);
        if (event.kind == change_kind::remove) return;
        plan_->decode_row(event.row, current_.row, current_.unchanged);
        if (event.old_kind == old_row::whole) take_unchanged();
    }

    /// What was not sent is what it was before.
    void take_unchanged() {
        if (current_.unchanged.empty()) return;
        reflect::for_each_index<T>([&](auto place) {
            if (std::ranges::find(current_.unchanged, std::size_t{place}) != current_.unchanged.end())
                reflect::assign(reflect::get<place>(current_.row), reflect::get<place>(current_.old));
        });
        current_.unchanged.clear();
    }

    std::unique_ptr<detail::change_feed> feed_;
    std::optional<detail::change_plan<T>> plan_{};
    change<T> current_{};
};

}  // namespace isorow::inline v1
