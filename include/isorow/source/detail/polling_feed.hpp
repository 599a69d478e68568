#pragma once

/// @file
/// The feed of a table that is asked again and again.

#include <isorow/pq/lease.hpp>
#include <isorow/source/detail/all_rows.hpp>
#include <isorow/source/detail/event_feed.hpp>
#include <isorow/source/detail/ordinal_watermark.hpp>
#include <isorow/source/polling.hpp>
#include <isorow/types/hexadecimal.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

class polling_feed final : public event_feed {
public:
    polling_feed(pool& where, followed_table table, polling const& how, feed_options options)
        : pool_(&where), sql_(std::move(table)), how_(how), options_(std::move(options)) {
        install(positions());
        begin();
    }

    [[nodiscard]] std::optional<feed_batch> next(limits const& limits, row_taker& rows) override {
        for (;;) {
            if (!is_looking_ && std::chrono::steady_clock::now() >= next_look_) begin_look(limits);
            while (is_looking_)
                if (auto batch = persistently(limits, [&] { return read(limits, rows); })) return batch;
            auto const end = std::min(limits.deadline, next_look_);
            auto const time = std::max(end - std::chrono::steady_clock::now(), std::chrono::steady_clock::duration::zero());
            pause_for(time, isorow::limits::until_stopped(limits.stop), "waiting for the next look at a source");
            if (std::chrono::steady_clock::now() >= limits.deadline) return std::nullopt;
        }
    }

    void begin_again() override {
        watermark_ = {};
        told_.clear();
        rows_.reset();
        is_looking_ = false;
        next_look_ = {};
    }

    void save(std::string const& former, saved_position const& position, limits const& limits) override {
        saver_.save(positions(), former, position, limits);
    }
    void saved(saved_position const& position, limits const&) override { former_ = position.text; }

private:
    [[nodiscard]] bool has_ordinal() const noexcept { return !sql_.table().ordinal.empty(); }

    [[nodiscard]] database_ref positions() const { return options_.positions ? *options_.positions : database_ref(*pool_); }

    /// Goes on from where the consumer was, or begins.
    void begin() {
        auto const found = find_position(positions(), options_.consumer, mechanism);
        former_ = found.value_or(std::string{});
        lease const connection(*pool_);
        auto const limits = connection->default_limits();
        if (has_ordinal() && read_position(former_, type_of_ordinal(*connection, limits))) return;
        if (!options_.from_now || found) return;
        // What is there now is not told; without an ordinal there is no way to tell it from what will be.
        if (!has_ordinal())
            throw usage_error("without an ordinal column each look tells all rows: a consumer cannot begin with what changes from now on");
        if (auto const greatest = ask_greatest(*connection, limits)) watermark_ = ordinal_watermark(*greatest);
        last_sweep_ = std::chrono::system_clock::now();
        if (auto const position = here(); !position.text.empty()) {
            overwrite_position(positions(), position);
            former_ = position.text;
        }
    }

    /// Begins a look at what has changed, or at all rows where that is due.
    void begin_look(limits const& limits) {
        persistently(limits, [&] { look_around(limits); });
        is_looking_ = true;
        next_look_ = std::chrono::steady_clock::now() + how_.interval;
        begun_ = std::chrono::system_clock::now();
        if (has_ordinal() && watermark_.value() && begun_ - last_sweep_ < how_.sweep_interval) return;
        rows_.emplace(sql_, options_.batch);
        begins_ = true;
    }

    /// Lists who is writing. All rows are read at once where nobody has been for longer than a moment: else again at the next look, as long
    /// as it takes until those who wrote then have ended.
    void look_around(limits const& limits) {
        if (!has_ordinal()) return;
        feed_step const step(*pool_, limits);
        behind_.clear();
        // What is seen by this was committed before the list is made.
        if (!watermark_.has_seen())
            if (auto const greatest = ask_greatest(*step.connection, step.limits)) watermark_.see(*greatest);
        watermark_.begin_look(list_running(*step.connection, step.limits));
        for (int times = 0; times < 50 && watermark_.has_seen() && !watermark_.value() && !watermark_.moves(); ++times) {
            pause_for(std::chrono::milliseconds(20), isorow::limits::until_stopped(limits.stop), "waiting for those who write to a source");
            watermark_.begin_look(list_running(*step.connection, step.limits));
        }
    }

    [[nodiscard]] std::optional<feed_batch> read(limits const& limits, row_taker& rows) {
        feed_step const step(*pool_, limits);
        if (rows_) return read_all(*step.connection, step.limits, rows);
        return read_changes(*step.connection, step.limits, rows);
    }

    [[nodiscard]] feed_batch read_all(connection& connection, limits const& limits, row_taker& rows) {
        rows_->next(connection, limits, rows);
        feed_batch batch{.begins = std::exchange(begins_, false), .former = former_};
        if (!rows_->ended()) return batch;
        rows_.reset();
        batch.ends = true;
        last_sweep_ = begun_;
        // Rows that came since the list was made may have been read, or not: with an ordinal they are looked for next.
        is_looking_ = has_ordinal();
        watermark_.end_look();
        batch.position = here();
        return batch;
    }

    [[nodiscard]] std::optional<feed_batch> read_changes(connection& connection, limits const& limits, row_taker& rows) {
        if (!watermark_.value()) return end_look();  // all rows are read until there is one
        parameters values;
        sql_.bind_filter(values, connection, limits);
        auto const filter_values = values.size();
        bool const is_behind = !behind_.empty();
        if (!is_behind) bind(values, *watermark_.value());
        for (auto const& value : behind_) bind(values, value);
        auto const answer = execute_statement(connection, sql_.chunk_by_ordinal(is_behind, options_.batch, filter_values), values, limits);
        auto const skipped = skip_told(answer);
        rows.take(connection, answer, false, skipped);
        bool const ended = static_cast<std::size_t>(answer.rows()) < options_.batch;
        if (!ended) remember(answer);
        feed_batch batch{.former = former_};
        if (ended) static_cast<void>(end_look());
        if (std::ranges::all_of(skipped, [](bool is_told) { return is_told; })) return std::nullopt;
        batch.position = here();
        return batch;
    }

    std::optional<feed_batch> end_look() {
        is_looking_ = false;
        watermark_.end_look();
        std::erase_if(told_, [&](auto const& one) { return watermark_.value() && !(*watermark_.value() < one.second); });
        return std::nullopt;
    }

    /// Of the rows that are read at each look until the watermark has passed them, those that were told with the same ordinal.
    [[nodiscard]] std::vector<bool> skip_told(result const& answer) {
        std::vector<bool> skipped(static_cast<std::size_t>(answer.rows()));
        if (told_.size() > most_remembered) told_.clear();
        for (int row = 0; row < answer.rows(); ++row) {
            auto ordinal = value_at(answer, row, answer.columns() - 1);
            watermark_.see(ordinal);
            std::string key;
            for (std::size_t i = 0; i < sql_.keys(); ++i) {
                auto const value = answer.value(row, key_column(answer, i));
                key += std::to_string(value.size()) + ':';
                key.append(reinterpret_cast<char const*>(value.data()), value.size());
            }
            // Whether the filter holds is a matter of the row, whose ordinal moves with it.
            auto const [told, is_new] = told_.try_emplace(std::move(key), ordinal);
            skipped[static_cast<std::size_t>(row)] = !is_new && told->second == ordinal;
            told->second = std::move(ordinal);
        }
        return skipped;
    }

    void remember(result const& answer) {
        auto const row = answer.rows() - 1;
        behind_.assign(1, value_at(answer, row, answer.columns() - 1));
        for (std::size_t i = 0; i < sql_.keys(); ++i) behind_.push_back(value_at(answer, row, key_column(answer, i)));
    }

    [[nodiscard]] int key_column(result const& answer, std::size_t place) const {
        return answer.columns() - 1 - static_cast<int>(sql_.keys() - place);
    }
    [[nodiscard]] static ordinal_value value_at(result const& answer, int row, int column) {
        auto const value = answer.value(row, column);
        return {answer.column_type(column), {value.begin(), value.end()}};
    }
    static void bind(parameters& values, ordinal_value const& value) {
        values.add(value.type).put_bytes(std::span(value.bytes));
        values.end();
    }

    /// Sessions of other databases are left aside; sessions that nobody may look at are not.
    [[nodiscard]] static running_transactions list_running(connection& connection, limits const& limits) {
        auto const running = query<std::string>(
            database_ref(connection, limits),
            "SELECT l.virtualxid FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid WHERE l.locktype = "
            "'virtualxid' AND l.granted AND l.pid <> pg_catalog.pg_backend_pid() AND coalesce(a.datname = pg_catalog.current_database(), "
            "true) "
            "UNION ALL SELECT 'prepared ' || transaction::text FROM pg_catalog.pg_prepared_xacts WHERE database = "
            "pg_catalog.current_database()");
        return {running.begin(), running.end()};
    }

    [[nodiscard]] std::optional<ordinal_value> ask_greatest(connection& connection, limits const& limits) const {
        auto const answer = execute_statement(
            connection, text("SELECT max({}) FROM {}", sql_.own(sql_.table().ordinal), sql_.table().quoted()), {}, limits);
        if (answer.value(0, 0).data() == nullptr) return std::nullopt;
        return value_at(answer, 0, 0);
    }

    [[nodiscard]] oid type_of_ordinal(connection& connection, limits const& limits) const {
        return execute_statement(connection, text("SELECT {} FROM {} LIMIT 0", sql_.own(sql_.table().ordinal), sql_.table().quoted()), {},
                                 limits)
            .column_type(0);
    }

    // Positions: the ordinal's type, its bytes as hexadecimal digits, and when all rows were read last, in seconds since 1970

    [[nodiscard]] saved_position here() const {
        if (!has_ordinal() || !watermark_.value()) return {};
        auto const seconds = std::chrono::duration_cast<std::chrono::seconds>(last_sweep_.time_since_epoch()).count();
        auto const& [type, bytes] = *watermark_.value();
        return {options_.consumer, std::string(mechanism), std::nullopt, text("{} {} {}", type, hexadecimal(bytes), seconds), std::nullopt};
    }

    /// Returns false for what is no position, or that of a column of another type.
    [[nodiscard]] bool read_position(std::string_view saved, oid type) {
        ordinal_value ordinal;
        std::int64_t seconds = 0;
        auto const first = saved.find(' ');
        auto const second = first == std::string_view::npos ? first : saved.find(' ', first + 1);
        if (second == std::string_view::npos) return false;
        auto const number = [](std::string_view digits, auto& into, int base) {
            return std::from_chars(digits.data(), digits.data() + digits.size(), into, base).ptr == digits.data() + digits.size();
        };
        if (!number(saved.substr(0, first), ordinal.type, 10) || !number(saved.substr(second + 1), seconds, 10)) return false;
        auto const digits = saved.substr(first + 1, second - first - 1);
        for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
            unsigned byte = 0;
            if (!number(digits.substr(i, 2), byte, 16)) return false;
            ordinal.bytes.push_back(static_cast<std::byte>(byte));
        }
        if (ordinal.bytes.empty() || ordinal.type != type) return false;
        watermark_ = ordinal_watermark(std::move(ordinal));
        last_sweep_ = std::chrono::system_clock::time_point(std::chrono::seconds(seconds));
        return true;
    }

    static constexpr std::string_view mechanism = "polling";
    /// More rows than these are told again rather than remembered.
    static constexpr std::size_t most_remembered = 1'000'000;

    pool* pool_;
    followed_sql sql_;
    polling how_;
    feed_options options_;
    ordinal_watermark watermark_{};
    std::unordered_map<std::string, ordinal_value> told_{};  ///< keys of rows behind the watermark with their ordinals
    std::vector<ordinal_value> behind_{};                    ///< ordinal and key of the last row of a look that goes on
    std::optional<all_rows> rows_{};
    bool is_looking_ = false;
    bool begins_ = false;
    std::string former_{};
    position_saver saver_{};
    std::chrono::steady_clock::time_point next_look_{};
    std::chrono::system_clock::time_point last_sweep_{};
    std::chrono::system_clock::time_point begun_{};
};

}  // namespace isorow::inline v1::detail
