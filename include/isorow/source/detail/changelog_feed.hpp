#pragma once

/// @file
/// The feed of a changelog.
///
/// What a consumer has not seen yet is what its snapshot of the last pass did not see: transactions that commit late and out of order are
/// neither lost nor told twice. Entries are read in the order of their numbers; as a transaction has its number before it draws those of
/// its entries, all entries up to the greatest one of a pass belong to transactions that had begun by then, so that once these have ended,
/// and another pass has read them, the next ones begin behind that number, and the changelog is kept for the consumer from there only.
/// Source: the manual, "pg_snapshot Components".

#include <isorow/pq/capabilities.hpp>
#include <isorow/pq/listener.hpp>
#include <isorow/source/changelog.hpp>
#include <isorow/source/detail/all_rows.hpp>
#include <isorow/source/detail/event_feed.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

/// How far a changelog was read.
struct changelog_position {
    std::int64_t changelog = 0;   ///< the table's OID: another one after a restore, and where it was made anew
    std::int64_t consumed = 0;    ///< all entries up to this number were read
    std::string seen{};           ///< the snapshot whose entries were all read
    std::string reading{};        ///< the snapshot whose entries are being read; empty between passes
    std::int64_t number = 0;      ///< of these, those up to this number were read
    bool needs_all_rows = false;  ///< nothing was read yet

    /// `42 100 10:20:10,14 - 0`, and `rows` behind it where all rows are to be read.
    [[nodiscard]] std::string text() const {
        return isorow::text("{} {} {} {} {}{}", changelog, consumed, seen.empty() ? "-" : seen, reading.empty() ? "-" : reading, number,
                            needs_all_rows ? " rows" : "");
    }

    /// Nothing for what is no position.
    [[nodiscard]] static std::optional<changelog_position> parse(std::string_view text) {
        changelog_position read;
        auto const word = [&] {
            auto const end = std::min(text.find(' '), text.size());
            auto const one = text.substr(0, end);
            text.remove_prefix(std::min(end + 1, text.size()));
            return one;
        };
        auto const number = [&](std::int64_t& into) {
            auto const digits = word();
            return !digits.empty() &&
                   std::from_chars(digits.data(), digits.data() + digits.size(), into).ptr == digits.data() + digits.size();
        };
        auto const snapshot = [&](std::string& into) {
            auto const one = word();
            if (one != "-") into = one;
            return !one.empty();
        };
        if (!number(read.changelog) || !number(read.consumed) || !snapshot(read.seen) || !snapshot(read.reading) || !number(read.number))
            return std::nullopt;
        read.needs_all_rows = word() == "rows";
        return read;
    }
};

class changelog_feed final : public event_feed {
public:
    changelog_feed(pool& where, followed_table table, changelog const& how, feed_options options)
        : pool_(&where), sql_(std::move(table)), how_(how), options_(std::move(options)) {
        set_up();
        begin();
    }

    [[nodiscard]] std::optional<feed_batch> next(limits const& limits, row_taker& rows) override {
        for (;;) {
            if (auto batch = persistently(limits, [&] { return read(limits, rows); })) return batch;
            if (!wait(limits)) return std::nullopt;
        }
    }

    void begin_again() override { begin_anew(false); }

    void save(std::string const& former, saved_position const& position, limits const& limits) override {
        saver_.save(positions(), former, position, limits);
    }

    void saved(saved_position const& position, limits const& limits) override {
        former_ = position.text;
        release(limits);
    }

private:
    [[nodiscard]] database_ref positions() const { return options_.positions ? *options_.positions : database_ref(*pool_); }

    /// Makes what the table needs to tell of its changes, and begins to listen.
    void set_up() {
        auto const& table = sql_.table();
        auto const channel = create_notification({*pool_}, table.schema, table.name, options_.consumer, how_.notification);
        objects_.emplace(channel, table.schema, table.name);
        auto const found = find_channel({*pool_}, *objects_);
        if (!found || found->key_columns != table.key)
            throw usage_error(text("the primary key of {} is not what it was when it began to be followed", table.quoted()));
        changelog_ = found->changelog;
        lease const one(*pool_);
        inexact_.clear();
        auto const key = read_key_columns({*one}, live_relation(*one));
        for (std::size_t i = 0; i < key.size(); ++i)
            if (!key[i].is_exact) inexact_.push_back(i);
        if (capabilities_of(*one, one->default_limits())->listen) listener_ = std::make_unique<listener>(*pool_, std::vector{channel});
    }

    [[nodiscard]] std::int64_t live_relation(connection& connection) const {
        return query_one<std::int64_t>(connection, text("SELECT {}::regclass::oid::bigint", quote_literal(sql_.table().quoted())));
    }

    /// Goes on from where the consumer was, or begins.
    void begin() {
        if (options_.positions) install(*options_.positions);
        auto const found = find_position(positions(), options_.consumer, mechanism);
        former_ = found.value_or(std::string{});
        auto const known = changelog_position::parse(former_);
        if (known && known->changelog == changelog_ && is_possible(*known)) return void(position_ = *known);
        begin_anew(!found && options_.from_now);
    }

    /// A position that the database has not come to yet is that of another history: after a restore to an earlier time.
    [[nodiscard]] bool is_possible(changelog_position const& known) {
        try {
            return query_one<bool>(
                database_ref(*pool_),
                "SELECT greatest(pg_catalog.pg_snapshot_xmax($1::text::pg_snapshot), pg_catalog.pg_snapshot_xmax($2::text::"
                "pg_snapshot)) <= pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())",
                known.seen, known.reading.empty() ? known.seen : known.reading);
        } catch (data_exception const&) {
            return false;  // no snapshot
        }
    }

    /// From now on the changelog is kept for the consumer. All rows are read after this, so that whatever it does not see comes by the
    /// changelog.
    void begin_anew(bool without_rows) {
        // The first time so that nothing is deleted any more of what the snapshot of the second time does not see.
        for (int i = 0; i < 2; ++i) {
            position_ = {.changelog = changelog_,
                         .seen = query_one<std::string>(database_ref(*pool_), "SELECT pg_catalog.pg_current_snapshot()::text"),
                         .needs_all_rows = !without_rows};
            overwrite_position({*pool_}, here());
        }
        if (options_.positions) overwrite_position(positions(), here());
        former_ = position_.text();
        rows_.reset();
        pending_.reset();
        greatest_ = 0;
        released_ = 0;
    }

    [[nodiscard]] bool is_whole() const {
        auto const found = find_channel({*pool_}, *objects_);
        return found && found->is_whole && found->changelog == changelog_;
    }

    enum class finding : std::uint8_t {
        nothing,
        truncation,  ///< of the table, or of one of its partitions
        loss,        ///< not all is there any more that the table needs to tell of its changes, or it could not tell of some
    };

    [[nodiscard]] std::optional<feed_batch> read(limits const& limits, row_taker& rows) {
        std::exception_ptr failure;
        auto found = finding::nothing;
        try {
            if (auto batch = read_with_one(limits, rows, found)) return batch;
        } catch (syntax_error_or_access_rule_violation const&) {
            failure = std::current_exception();
        } catch (mismatch const&) {
            failure = std::current_exception();
        }
        // Now that no connection is held: the pool may have but one.
        if (failure && is_whole()) std::rethrow_exception(failure);
        if (!failure && found == finding::nothing) {
            release(limits);
            return std::nullopt;
        }
        if (found != finding::truncation) set_up();
        begin_anew(false);
        return read_with_one(limits, rows, found);
    }

    /// `found`: set where all rows are to be read again.
    [[nodiscard]] std::optional<feed_batch> read_with_one(limits const& limits, row_taker& rows, finding& found) {
        feed_step const step(*pool_, limits);
        if (position_.needs_all_rows) return read_all(*step.connection, step.limits, rows);
        return read_changes(*step.connection, step.limits, rows, found);
    }

    [[nodiscard]] feed_batch read_all(connection& connection, limits const& limits, row_taker& rows) {
        if (!rows_) rows_.emplace(sql_, options_.batch);
        feed_batch batch{.begins = !rows_->has_begun(), .former = former_};
        rows_->next(connection, limits, rows);
        if (!rows_->ended()) return batch;
        rows_.reset();
        batch.ends = true;
        position_.needs_all_rows = false;
        batch.position = here();
        return batch;
    }

    [[nodiscard]] std::optional<feed_batch> read_changes(connection& connection, limits const& limits, row_taker& rows, finding& found) {
        parameters values;
        sql_.bind_filter(values, connection, limits);
        auto const first = values.size();
        bind_text(values, position_.seen);
        bind_text(values, position_.reading);
        values.add(int8_oid).put_int64(std::max(position_.consumed, position_.number));
        values.end();
        auto const started = std::chrono::steady_clock::now();
        bool const checks = started - last_check_ >= how_.interval;
        for (bool const flag : {!pending_, greatest_ > position_.consumed, checks}) {
            values.add(bool_oid).put_int8(flag ? 1 : 0);
            values.end();
        }
        auto const answer = execute_statement(connection, changes_sql(first), values, limits);
        // The last columns are the same in each row.
        auto const columns = answer.columns();
        auto const number_at = [&](int back) { return byte_reader(answer.value(0, columns - back)).take_int64(); };
        auto const has = [&](int back) { return byte_reader(answer.value(0, columns - back)).take_int8() != 0; };
        if (has(4)) found = finding::loss;
        else if (has(5)) found = finding::truncation;
        if (found != finding::nothing) return std::nullopt;
        if (checks) last_check_ = started;
        auto const count = number_at(6);
        std::string snapshot(byte_reader(answer.value(0, columns - 1)).take_rest_as_text());
        if (count == 0) {
            bool const was_reading = !position_.reading.empty();
            end_pass(std::move(snapshot), number_at(3), number_at(2));
            if (was_reading) return read_changes(connection, limits, rows, found);  // as time has passed since the snapshot
            return std::nullopt;
        }
        feed_batch batch{.former = former_};
        rows.take(connection, answer, false);
        position_.number = number_at(7);
        greatest_ = std::max(greatest_, position_.number);
        if (static_cast<std::size_t>(count) < options_.batch) end_pass(std::move(snapshot), number_at(3), number_at(2));
        else position_.reading = std::move(snapshot);
        batch.position = here();
        return batch;
    }

    /// All that the snapshot sees was read. `oldest_running`: all transactions before it had ended when the snapshot was taken.
    /// `transaction`: one that began after it, or 0.
    void end_pass(std::string snapshot, std::int64_t oldest_running, std::int64_t transaction) {
        if (pending_ && oldest_running >= pending_->transaction) {
            position_.consumed = std::max(position_.consumed, pending_->number);
            pending_.reset();
        }
        if (!pending_ && transaction != 0 && greatest_ > position_.consumed) pending_ = pending{transaction, greatest_};
        position_.seen = std::move(snapshot);
        position_.reading.clear();
        position_.number = 0;
    }

    static void bind_text(parameters& values, std::string_view characters) {
        values.add(text_oid).put_bytes(characters);
        values.end();
    }

    /// One statement: what has changed since the last pass, each row as it is now, and how far that is. `$first + 1`: the snapshot whose
    /// entries were read, `+ 2`: the one that is being read, or empty, `+ 3`: the number to go on behind; `+ 4`: whether to draw the number
    /// of a transaction at the end of a pass, `+ 5`: even where nothing has changed; `+ 6`: whether to look if all is there that the table
    /// needs, which is looked for where nothing has changed, too. A snapshot's own greatest number would not do: those
    /// that are running may have greater ones.
    [[nodiscard]] std::string changes_sql(std::size_t first) const {
        auto const keys = notification_objects::key_names(sql_.keys());
        std::string forms;
        for (auto const i : inexact_)
            forms +=
                text(", {} AS {}", notification_objects::form_of(notification_objects::key_name(i)), notification_objects::form_name(i));
        return text(
            "WITH isorow_now AS (SELECT coalesce(nullif(${}, '')::pg_catalog.pg_snapshot, pg_catalog.pg_current_snapshot()) AS reading),"
            " isorow_some AS MATERIALIZED (SELECT number, kind, {} FROM {} WHERE number > ${} AND NOT "
            "pg_catalog.pg_visible_in_snapshot(transaction, ${}::pg_catalog.pg_snapshot) AND "
            "pg_catalog.pg_visible_in_snapshot(transaction, (SELECT reading FROM isorow_now)) ORDER BY number LIMIT {}),"
            " isorow_counts AS (SELECT coalesce(max(s.number), 0) AS last, count(*) AS count, coalesce(pg_catalog.bool_or(s.kind = 't'), "
            "false) AS is_cleared, coalesce(pg_catalog.bool_or(s.kind = 'r'), false) AS is_lost FROM isorow_some s),"
            " isorow_end AS (SELECT c.last AS isorow_last, c.count AS isorow_count, c.is_cleared AS isorow_is_cleared, c.is_lost OR {} IS "
            "DISTINCT FROM {} OR ((c.count = 0 OR ${}) AND NOT coalesce((SELECT {} FROM isorow.changelogs l WHERE l.channel = {}), false)) "
            "AS "
            "isorow_is_lost, CASE WHEN c.count < {} AND ${} AND (c.count > 0 OR ${}) THEN pg_catalog.pg_current_xact_id()::text::bigint "
            "ELSE 0 END AS isorow_transaction FROM isorow_counts c),"
            " isorow_keys AS (SELECT DISTINCT {}{} FROM isorow_some WHERE kind IN ('i', 'u', 'd'))"
            " SELECT {}, isorow_last, isorow_count, isorow_is_cleared, isorow_is_lost, "
            "pg_catalog.pg_snapshot_xmin(isorow_now.reading)::text::bigint "
            "AS isorow_oldest, isorow_transaction, isorow_now.reading::text AS isorow_reading FROM isorow_end CROSS JOIN isorow_now LEFT "
            "JOIN "
            "isorow_keys isorow_k ON true{}{}",
            first + 2, keys, objects_->changelog(), first + 3, first + 1, options_.batch, objects_->changelog_sql(), changelog_, first + 6,
            objects_->is_whole_sql(), quote_literal(objects_->channel()), options_.batch, first + 4, first + 5, keys, forms,
            sql_.list_by_key(), sql_.by_key(inexact_),
            // What is gone comes before what is there under an equal key.
            inexact_.empty() ? "" : " ORDER BY isorow_is_present");
    }

    [[nodiscard]] saved_position here() const {
        return {options_.consumer, std::string(mechanism), objects_->channel(), position_.text(), position_.consumed};
    }

    /// Waits until there may be something to read; false when the deadline passes.
    [[nodiscard]] bool wait(limits const& limits) {
        auto const end = std::min(limits.deadline, std::chrono::steady_clock::now() + how_.interval);
        if (listener_) {
            // Those that came meanwhile say the same.
            if (listener_->next(isorow::limits{end, limits.stop}))
                while (listener_->next(isorow::limits{std::chrono::steady_clock::now(), limits.stop})) {
                }
        } else {
            auto const time = std::max(end - std::chrono::steady_clock::now(), std::chrono::steady_clock::duration::zero());
            pause_for(time, isorow::limits::until_stopped(limits.stop), "waiting for changes");
        }
        return std::chrono::steady_clock::now() < limits.deadline;
    }

    /// Now and then says how far the consumer does not need the changelog any more, and deletes what none needs: also when nothing changes,
    /// which may be for long after a burst.
    void release(limits const& limits) {
        auto const now = std::chrono::steady_clock::now();
        if ((position_.consumed <= released_ && !has_more_to_delete_) || now - last_release_ < std::chrono::seconds(1)) return;
        persistently(limits, [&] {
            say_consumed();
            has_more_to_delete_ = trim() == trimmed_at_a_time;
        });
        last_release_ = now;
        released_ = position_.consumed;
    }

    /// Only beside a position that is saved: what is saved in a transaction of the consumer's may not be committed yet, which is not waited
    /// for, or never.
    void say_consumed() {
        if (!options_.positions) return say_consumed_up_to({*pool_}, options_.consumer, mechanism, former_, position_.consumed);
        auto position = here();
        if (find_position(positions(), options_.consumer, mechanism) != former_) return;
        position.text = former_;
        overwrite_position({*pool_}, position);
    }

    [[nodiscard]] std::int64_t trim() {
        return execute(database_ref(*pool_),
                       text("DELETE FROM {} WHERE number IN (SELECT number FROM {} WHERE number <= (SELECT min(coalesce(consumed, 0)) FROM "
                            "isorow.positions WHERE channel = $1) ORDER BY number LIMIT {})",
                            objects_->changelog(), objects_->changelog(), trimmed_at_a_time),
                       objects_->channel());
    }

    static constexpr std::string_view mechanism = "changelog";
    static constexpr std::int64_t trimmed_at_a_time = 100'000;
    static constexpr oid bool_oid = 16;
    static constexpr oid int8_oid = 20;
    static constexpr oid text_oid = 25;

    /// When all transactions before this one have ended, all entries up to the number are read by the next pass.
    struct pending {
        std::int64_t transaction;
        std::int64_t number;
    };

    pool* pool_;
    followed_sql sql_;
    changelog how_;
    feed_options options_;
    std::optional<notification_objects> objects_{};
    std::int64_t changelog_ = 0;
    std::unique_ptr<listener> listener_{};
    changelog_position position_{};
    std::string former_{};
    std::optional<all_rows> rows_{};
    std::optional<pending> pending_{};
    position_saver saver_{};
    std::vector<std::size_t> inexact_{};  ///< the places of key columns that have several forms of equal values
    std::int64_t greatest_ = 0;           ///< number that was read
    std::int64_t released_ = 0;           ///< what was said to be consumed
    bool has_more_to_delete_ = false;
    std::chrono::steady_clock::time_point last_release_{};
    std::chrono::steady_clock::time_point last_check_{};
};

}  // namespace isorow::inline v1::detail
