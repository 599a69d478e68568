#pragma once

#include <isorow/error/declaration_error.hpp>
#include <isorow/error/replication_error.hpp>
#include <isorow/query/query.hpp>
#include <isorow/schema/identifier.hpp>
#include <isorow/source/detail/change_feed.hpp>
#include <isorow/source/detail/publication_code.hpp>
#include <isorow/source/detail/replication_slot_code.hpp>

#include <algorithm>
#include <thread>

namespace isorow::inline v1::detail {

/// A publication, and a table held against it.
struct publication_of_table {
    bool updates;
    bool removals;
    bool publishes;
    bool exists;
    bool partitioned;
    bool has_identity;
};

/// $1: schema, $2: table, $3: publication.
inline constexpr std::string_view publication_of_table_sql =
    "SELECT p.pubupdate AS updates, p.pubdelete AS removals, EXISTS (SELECT FROM pg_catalog.pg_publication_tables t"
    " WHERE t.pubname = p.pubname AND t.schemaname = $1 AND t.tablename = $2) AS publishes, c.oid IS NOT NULL AS exists,"
    " coalesce(c.relkind = 'p', false) AS partitioned, coalesce(c.relreplident = 'f' OR c.relreplident IN ('d', 'i') AND EXISTS ("
    "SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND CASE c.relreplident WHEN 'd' THEN i.indisprimary"
    " ELSE i.indisreplident END), false) AS has_identity FROM pg_catalog.pg_publication p LEFT JOIN (pg_catalog.pg_class c"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname = $1) ON c.relname = $2 WHERE p.pubname = $3";

ISOROW_DECL change_feed::change_feed(replication_endpoint where, changes_options options, look first,
                                     std::unique_ptr<replication_connection> on, limits const& limits)
    : where_(std::move(where)),
      options_(std::move(options)),
      look_(std::move(first)),
      start_(options_.resume_from),
      spool_limits_{options_.memory, options_.largest_spool, options_.temporary_folder} {
    start(std::move(on), limits);
}

ISOROW_DECL void change_feed::require_published(database_ref const& side) {
    auto const table = quote_identifier(options_.schema, options_.table);
    auto const publication = quote_identifier(options_.publication);
    auto const found =
        query_optional<publication_of_table>(side, publication_of_table_sql, options_.schema, options_.table, options_.publication);
    if (!found)
        throw replication_not_set_up(
            text("there is no publication {}: make it with create_publication, before the slot: a slot knows those alone that were there "
                 "where it is read",
                 publication));
    if (!found->exists) throw replication_not_set_up(text("the table {} does not exist", table));
    if (!found->publishes)
        throw replication_not_set_up(
            found->partitioned
                ? text("the publication {} does not publish {} under its own name, but its partitions: say ALTER PUBLICATION {} SET "
                       "(publish_via_partition_root = true), or ADD TABLE {} where it is not in it",
                       publication, table, publication, table)
                : text("the publication {} does not publish {}: say ALTER PUBLICATION {} ADD TABLE {}", publication, table, publication,
                       table));
    if ((found->updates || found->removals) && !found->has_identity && !found->partitioned)
        throw replication_not_set_up(no_identity_text(table));
}

ISOROW_DECL void change_feed::require_set_up(database_ref const& side) {
    auto const setup = read_replication_setup(side);
    require_logical(setup);
    auto const slot = find_slot(side, options_.slot);
    if (!slot) throw missing_slot(missing_text(options_.slot));
    require_usable(*slot, setup.database);
    require_published(side);
}

ISOROW_DECL void change_feed::start(std::unique_ptr<replication_connection> on, limits const& limits) {
    auto side = where_.connect(limits);
    require_set_up({side, limits});
    look_(side, limits);
    constexpr std::chrono::milliseconds pause{50};
    auto const end = std::chrono::steady_clock::now() + options_.wait_for_slot;
    for (;;) {
        try {
            return try_to_start(std::move(on), side, limits);
        } catch (slot_in_use const&) {
            if (std::chrono::steady_clock::now() >= end) throw;
        }
        pause_for(pause, limits, "waiting for a replication slot to be free");
    }
}

ISOROW_DECL void change_feed::try_to_start(std::unique_ptr<replication_connection> on, connection& side, limits const& limits) {
    if (on == nullptr) on = connect_for_replication(where_, side, limits);
    try {
        link_ = std::make_unique<replication_stream>(std::move(on->connection()),
                                                     stream_request{.slot = options_.slot,
                                                                    .start = start_,
                                                                    .publications = {options_.publication},
                                                                    .streaming = options_.streaming,
                                                                    .messages = options_.messages,
                                                                    .silence = options_.silence},
                                                     limits);
    } catch (server_error const& failure) {
        explain(failure, {side, limits});
    }
}

/// Says what the server's refusal means, as far as the slot's state tells.
ISOROW_DECL void change_feed::explain(server_error const& failure, database_ref const& side) {
    auto const slot = find_slot(side, options_.slot);
    if (!slot) throw missing_slot(missing_text(options_.slot));
    if (slot->is_lost()) throw slot_lost(lost_text(*slot));
    if (failure.sqlstate() == object_in_use) throw in_use(options_.slot, slot->process);
    if (failure.sqlstate() == sqlstate::insufficient_privilege) throw_missing_replication(read_replication_setup(side), failure.message());
    throw_server_error(failure.diagnostics());
}

/// A publication that was made after the slot's position is not there for the server where it reads.
ISOROW_DECL void change_feed::explain_on_the_way(server_error const& failure) {
    if (failure.sqlstate() == undefined_object && failure.message().find(options_.publication) != std::string::npos)
        throw replication_not_set_up(text(
            "{}: not where the slot \"{}\" is read, as the slot is older than it. Drop the slot and make it anew, after the publication",
            failure.message(), options_.slot));
    throw_server_error(failure.diagnostics());
}

ISOROW_DECL void change_feed::resume(limits const& limits) {
    if (link_ != nullptr) {
        start_ = std::max(start_, link_->confirmed());
        link_->end(limits::within(std::chrono::seconds(2)));
    }
    delivered_ = {};
    relations_.clear();
    types_.clear();
    transaction_ = {};
    in_transaction_ = begun_ = skipped_ = answered_ = holds_ = false;
    spools_.clear();
    replay_.reset();
    streaming_ = 0;
    start(nullptr, limits);
    failed_ = false;
}

ISOROW_DECL void change_feed::close() noexcept {
    failed_ = true;
    link_->end(limits::within(std::chrono::seconds(2)));
}

ISOROW_DECL void change_feed::confirm(lsn place) {
    if (place > std::max(delivered_, start_) && place > link_->confirmed())
        throw usage_error(text("{} cannot be confirmed, as nothing behind {} was delivered yet", place.to_string(),
                               std::max(delivered_, start_).to_string()));
    link_->confirm(place);
}

ISOROW_DECL std::chrono::microseconds change_feed::delay() const {
    bool const outstanding = in_transaction_ || delivered_ > link_->confirmed();
    if (!outstanding || transaction_.xid == 0) return {};
    auto const since = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - clock_read_);
    return std::max(server_clock_ + since - transaction_.committed_at, std::chrono::microseconds::zero());
}

ISOROW_DECL raw_change const* change_feed::next(limits const& limits) {
    if (failed_) throw usage_error("this stream of changes has ended; resume() goes on from what was confirmed");
    try {
        if (std::exchange(answered_, false)) confirm_delivered();
        auto const* const event = next_event(limits);
        answered_ = event != nullptr && event->kind == change_kind::commit && options_.confirmation == confirmation::on_next;
        return event;
    } catch (stopped const&) {
        throw;
    } catch (server_error const& failure) {
        give_up();
        explain_on_the_way(failure);
    } catch (...) {
        give_up();
        throw;
    }
}

ISOROW_DECL raw_change const* change_feed::next_event(limits const& limits) {
    if (std::exchange(holds_, false)) return &held_;
    for (;;) {
        raw_change const* event = nullptr;
        if (replay_) {
            event = replay_next();
        } else {
            auto const frame = link_->receive(limits);
            if (!frame) return nullptr;
            event = take(*frame);
        }
        if (event != nullptr) return event;
        // Much may come that is of no interest here.
        if (limits.stop.stop_requested()) throw stopped("stopped while waiting for changes");
    }
}

ISOROW_DECL raw_change const* change_feed::take(pgoutput::frame const& frame) {
    if (auto const* const keepalive = std::get_if<pgoutput::keepalive>(&frame)) {
        note_clock(keepalive->sent);
        // The slot need not hold what was of no interest. What is still sent in parts is kept by the server until it has ended.
        if (!in_transaction_ && delivered_ <= link_->confirmed()) link_->confirm(keepalive->server_end);
        return nullptr;
    }
    auto const& data = std::get<pgoutput::wal_data>(frame);
    if (streaming_ != 0) {
        spool(data);
        return nullptr;
    }
    decoded_ = pgoutput::decode(byte_reader(data.message), false);
    auto const* const event = handle(decoded_, data.start);
    // The clock is not looked at for each row.
    if (event == nullptr || event->kind == change_kind::commit) note_clock(data.sent);
    return event;
}

/// Keeps a message of a transaction under way. Also what seems of no interest, as that is known in the order of commits only.
ISOROW_DECL void change_feed::spool(pgoutput::wal_data const& data) {
    decoded_ = pgoutput::decode(byte_reader(data.message), true);
    if (std::holds_alternative<pgoutput::stream_stop>(decoded_)) {
        streaming_ = 0;
        return;
    }
    auto const xid = std::visit(
        [&](auto const& message) {
            if constexpr (requires { message.xid; }) return message.xid;
            else return streaming_;
        },
        decoded_);
    spools_.try_emplace(streaming_, spool_limits_).first->second.add(xid, data.start, data.message);
}

ISOROW_DECL raw_change const* change_feed::replay_next() {
    transaction_spool::record head;
    std::span<std::byte const> bytes;
    while (replay_->next(head, bytes)) {
        decoded_ = pgoutput::decode(byte_reader(bytes), true);
        // What a table looks like was said once for the whole transaction, perhaps in a part of it that was rolled back.
        bool const describes = std::holds_alternative<pgoutput::relation>(decoded_) || std::holds_alternative<pgoutput::type>(decoded_);
        if (!describes && replay_->is_aborted(head.xid)) continue;
        if (auto const* const event = handle(decoded_, head.place)) return event;
    }
    replay_.reset();
    return end_transaction(transaction_.commit);
}

ISOROW_DECL raw_change const* change_feed::handle(pgoutput::any_message const& message, lsn place) {
    return std::visit([&](auto const& one) { return on(one, place); }, message);
}

ISOROW_DECL raw_change const* change_feed::on(pgoutput::begin const& message, lsn) {
    transaction_ = {.xid = message.xid, .commit = message.commit, .committed_at = message.commit_time.to_sys_time()};
    in_transaction_ = true;
    begun_ = false;
    skipped_ = message.commit < start_;
    return nullptr;
}

ISOROW_DECL raw_change const* change_feed::on(pgoutput::commit const& message, lsn) {
    transaction_.end = message.end;
    return end_transaction(message.commit_at);
}

ISOROW_DECL raw_change const* change_feed::on(pgoutput::stream_commit const& message, lsn) {
    transaction_ = {.xid = message.xid,
                    .commit = message.commit_at,
                    .end = message.end,
                    .committed_at = message.commit_time.to_sys_time(),
                    .streamed = true};
    in_transaction_ = true;
    begun_ = false;
    skipped_ = message.commit_at < start_;
    auto const kept = spools_.find(message.xid);
    if (kept == spools_.end()) return end_transaction(message.commit_at);
    replay_.emplace(std::move(kept->second));
    spools_.erase(kept);
    return nullptr;
}

ISOROW_DECL raw_change const* change_feed::end_transaction(lsn place) {
    in_transaction_ = false;
    if (!begun_) {
        // Nothing of it was of interest: it need not be confirmed by the caller.
        if (delivered_ <= link_->confirmed()) link_->confirm(transaction_.end);
        return nullptr;
    }
    begun_ = false;
    delivered_ = transaction_.end;
    event_ = {.kind = change_kind::commit, .place = place};
    return &event_;
}

ISOROW_DECL raw_change const* change_feed::on(pgoutput::origin const& message, lsn) {
    transaction_.origin = message.name;
    return nullptr;
}

ISOROW_DECL raw_change const* change_feed::on(pgoutput::relation const& message, lsn) {
    bool const wanted = message.schema == options_.schema && message.name == options_.table;
    auto& known = relations_[message.id];
    if (known.wanted && !wanted)
        throw replication_error(
            text("the table {} was renamed to {}: say the new name in changes_options, and go on from what was confirmed",
                 quote_identifier(options_.schema, options_.table), quote_identifier(message.schema, message.name)));
    known = {message, ++versions_, wanted};
    return nullptr;
}

ISOROW_DECL raw_change const* change_feed::on(pgoutput::type const& message, lsn) {
    types_.insert_or_assign(message.id, std::string(message.name));
    return nullptr;
}

ISOROW_DECL described_relation const& change_feed::relation(oid id) const {
    auto const found = relations_.find(id);
    if (found == relations_.end()) throw malformed("a change of a table that was not described, with the OID {}", id);
    return found->second;
}

ISOROW_DECL raw_change const* change_feed::on(pgoutput::insert const& message, lsn place) {
    auto const& of = relation(message.relation);
    if (!of.wanted) return nullptr;
    return deliver({.kind = change_kind::insert, .place = place, .relation = &of, .row = message.row});
}

ISOROW_DECL raw_change const* change_feed::on(pgoutput::update const& message, lsn place) {
    auto const& of = relation(message.relation);
    if (!of.wanted) return nullptr;
    return deliver({.kind = change_kind::update,
                    .place = place,
                    .relation = &of,
                    .old_kind = message.old_kind,
                    .old = message.old,
                    .row = message.row});
}

ISOROW_DECL raw_change const* change_feed::on(pgoutput::remove const& message, lsn place) {
    auto const& of = relation(message.relation);
    if (!of.wanted) return nullptr;
    return deliver({.kind = change_kind::remove, .place = place, .relation = &of, .old_kind = message.old_kind, .old = message.old});
}

ISOROW_DECL raw_change const* change_feed::on(pgoutput::truncate const& message, lsn place) {
    for (std::size_t i = 0; i < message.size(); ++i)
        if (relation(message.relation(i)).wanted) return deliver({.kind = change_kind::truncate, .place = place});
    return nullptr;
}

ISOROW_DECL raw_change const* change_feed::on(pgoutput::message const& message, lsn) {
    raw_change const event{.kind = change_kind::message, .place = message.place, .message = &message};
    if (message.transactional) return deliver(event);
    // It is of no transaction, and comes in between.
    if (message.place < start_) return nullptr;
    event_ = event;
    return &event_;
}

/// A change, behind the beginning of its transaction where that was not delivered yet.
ISOROW_DECL raw_change const* change_feed::deliver(raw_change const& event) {
    if (skipped_) return nullptr;
    if (!in_transaction_) throw malformed("a change outside of a transaction");
    held_ = event;
    if (std::exchange(begun_, true)) return &held_;
    holds_ = true;
    event_ = {.kind = change_kind::begin, .place = event.place};
    return &event_;
}

ISOROW_DECL raw_change const* change_feed::on(pgoutput::stream_start const& message, lsn) {
    if (message.xid == 0) throw malformed("a part of a transaction without a number");
    streaming_ = message.xid;
    if (message.first) spools_.erase(message.xid);
    return nullptr;
}

ISOROW_DECL raw_change const* change_feed::on(pgoutput::stream_stop const&, lsn) {
    throw malformed("the end of a part of a transaction that has not begun");
}

ISOROW_DECL raw_change const* change_feed::on(pgoutput::stream_abort const& message, lsn) {
    if (message.xid == message.subtransaction) spools_.erase(message.xid);
    else if (auto const kept = spools_.find(message.xid); kept != spools_.end()) kept->second.abort(message.subtransaction);
    return nullptr;
}

ISOROW_DECL void change_feed::note_clock(isorow::timestamptz sent) {
    server_clock_ = sent.to_sys_time();
    clock_read_ = std::chrono::steady_clock::now();
}

}  // namespace isorow::inline v1::detail
