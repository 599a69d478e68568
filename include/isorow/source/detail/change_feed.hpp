#pragma once

/// @file
/// A table's changes as bytes: everything of `changes<T>` that does not depend on T.

#include <isorow/codec/pgoutput.hpp>
#include <isorow/config.hpp>
#include <isorow/pq/replication.hpp>
#include <isorow/source/change.hpp>
#include <isorow/source/changes_options.hpp>
#include <isorow/source/detail/transaction_spool.hpp>
#include <isorow/source/replication_slot.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace isorow::inline v1::detail {

/// A table that the server has described. Each description has a number of its own.
struct described_relation {
    pgoutput::relation description{};
    std::uint64_t version = 0;
    bool wanted = false;
};

/// An event as bytes, which are valid until the next call.
struct raw_change {
    change_kind kind = change_kind::begin;
    lsn place{};
    described_relation const* relation = nullptr;  ///< of insert, update and remove
    old_row old_kind = old_row::none;
    pgoutput::tuple old{};
    pgoutput::tuple row{};
    pgoutput::message const* message = nullptr;
};

class change_feed {
public:
    /// Looks at what T needs, on an ordinary connection, before the stream begins.
    using look = std::function<void(connection&, limits const&)>;

    /// `on`: the connection of a slot that was just made, null for one that the endpoint makes.
    change_feed(replication_endpoint where, changes_options options, look first, std::unique_ptr<replication_connection> on,
                limits const& limits);

    /// The next event, null when the deadline passes.
    [[nodiscard]] raw_change const* next(limits const& limits);

    /// The transaction of the event that came last.
    [[nodiscard]] replicated_transaction const& transaction() const noexcept { return transaction_; }

    void confirm(lsn place);
    void confirm_delivered() { link_->confirm(delivered_); }
    [[nodiscard]] lsn confirmed() const { return link_->confirmed(); }
    [[nodiscard]] lsn delivered() const noexcept { return delivered_; }
    [[nodiscard]] std::chrono::microseconds delay() const;

    void resume(limits const& limits);
    void close() noexcept;

    /// For what T cannot decode: the stream goes on no more.
    void give_up() noexcept {
        failed_ = true;
        link_->end(limits::within(std::chrono::seconds(2)));
    }

    [[nodiscard]] replication_endpoint const& where() const noexcept { return where_; }
    [[nodiscard]] connection& link() noexcept { return link_->link(); }
    [[nodiscard]] changes_options const& options() const noexcept { return options_; }
    /// The name of a type that the server has told, empty where it has not.
    [[nodiscard]] std::string_view type_name(oid type) const {
        auto const found = types_.find(type);
        return found == types_.end() ? std::string_view{} : std::string_view(found->second);
    }

private:
    void require_set_up(database_ref const& side);
    void require_published(database_ref const& side);
    void start(std::unique_ptr<replication_connection> on, limits const& limits);
    void try_to_start(std::unique_ptr<replication_connection> on, connection& side, limits const& limits);
    [[noreturn]] void explain(server_error const& failure, database_ref const& side);
    [[noreturn]] void explain_on_the_way(server_error const& failure);

    [[nodiscard]] raw_change const* next_event(limits const& limits);
    [[nodiscard]] raw_change const* replay_next();
    [[nodiscard]] raw_change const* take(pgoutput::frame const& frame);
    void spool(pgoutput::wal_data const& data);
    [[nodiscard]] raw_change const* handle(pgoutput::any_message const& message, lsn place);

    [[nodiscard]] raw_change const* on(pgoutput::begin const& message, lsn place);
    [[nodiscard]] raw_change const* on(pgoutput::commit const& message, lsn place);
    [[nodiscard]] raw_change const* on(pgoutput::origin const& message, lsn place);
    [[nodiscard]] raw_change const* on(pgoutput::relation const& message, lsn place);
    [[nodiscard]] raw_change const* on(pgoutput::type const& message, lsn place);
    [[nodiscard]] raw_change const* on(pgoutput::insert const& message, lsn place);
    [[nodiscard]] raw_change const* on(pgoutput::update const& message, lsn place);
    [[nodiscard]] raw_change const* on(pgoutput::remove const& message, lsn place);
    [[nodiscard]] raw_change const* on(pgoutput::truncate const& message, lsn place);
    [[nodiscard]] raw_change const* on(pgoutput::message const& message, lsn place);
    [[nodiscard]] raw_change const* on(pgoutput::stream_start const& message, lsn place);
    [[nodiscard]] raw_change const* on(pgoutput::stream_stop const& message, lsn place);
    [[nodiscard]] raw_change const* on(pgoutput::stream_commit const& message, lsn place);
    [[nodiscard]] raw_change const* on(pgoutput::stream_abort const& message, lsn place);

    [[nodiscard]] described_relation const& relation(oid id) const;
    [[nodiscard]] raw_change const* deliver(raw_change const& event);
    [[nodiscard]] raw_change const* end_transaction(lsn place);
    void note_clock(isorow::timestamptz sent);

    replication_endpoint where_;
    changes_options options_;
    look look_;
    std::unique_ptr<replication_stream> link_{};
    bool failed_ = false;

    std::unordered_map<oid, described_relation> relations_{};
    std::unordered_map<oid, std::string> types_{};
    std::uint64_t versions_ = 0;

    replicated_transaction transaction_{};
    bool in_transaction_ = false;
    bool begun_ = false;     ///< the begin event was delivered
    bool skipped_ = false;   ///< the transaction was dealt with before
    bool answered_ = false;  ///< the event that came last was a commit that is to be confirmed at the next call
    lsn start_{};
    lsn delivered_{};  ///< the end of the transaction that was delivered last

    raw_change event_{};  ///< begin and commit
    raw_change held_{};   ///< the change behind a begin
    bool holds_ = false;
    pgoutput::any_message decoded_{};

    spool_limits spool_limits_{};
    std::unordered_map<std::uint32_t, transaction_spool> spools_{};
    std::uint32_t streaming_ = 0;  ///< the transaction that a part is sent of; 0 outside of parts
    std::optional<transaction_spool> replay_{};

    std::chrono::sys_time<std::chrono::microseconds> server_clock_{};
    std::chrono::steady_clock::time_point clock_read_{};
};

}  // namespace isorow::inline v1::detail

#if ISOROW_HAS_CODE
#include <isorow/source/detail/change_feed_code.hpp>
#endif
