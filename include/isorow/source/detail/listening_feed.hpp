#pragma once

/// @file
/// The feed of notifications that somebody else sends.

#include <isorow/pq/listener.hpp>
#include <isorow/query/parameters.hpp>
#include <isorow/source/detail/all_rows.hpp>
#include <isorow/source/detail/event_feed.hpp>
#include <isorow/source/listening.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

class listening_feed final : public event_feed {
public:
    listening_feed(pool& where, followed_table table, listening const& how, feed_options options)
        : pool_(&where),
          sql_(std::move(table)),
          how_(how),
          options_(std::move(options)),
          listener_(where, std::vector{how.channel}),
          needs_all_rows_(!options_.from_now) {}

    [[nodiscard]] std::optional<feed_batch> next(limits const& limits, row_taker& rows) override {
        for (;;) {
            if (needs_all_rows_) return persistently(limits, [&] { return read_all(limits, rows); });
            collect(std::chrono::steady_clock::now(), limits);
            if (!needs_all_rows_ && payloads_.empty()) collect(limits.deadline, limits);
            if (needs_all_rows_) continue;
            if (payloads_.empty()) return std::nullopt;
            auto batch = persistently(limits, [&] { return read_keys(limits, rows); });
            payloads_.clear();
            if (batch) return batch;
            needs_all_rows_ = true;
        }
    }

    void begin_again() override {
        rows_.reset();
        needs_all_rows_ = true;
    }

    void save(std::string const&, saved_position const&, limits const&) override {}
    void saved(saved_position const&, limits const&) override {}

private:
    /// Takes what has come, or waits for one.
    void collect(std::chrono::steady_clock::time_point deadline, limits const& limits) {
        while (payloads_.size() < options_.batch) {
            auto const event = listener_.next(isorow::limits{deadline, limits.stop});
            if (!event) return;
            deadline = std::chrono::steady_clock::now();
            if (event->gap) needs_all_rows_ = true;
            else payloads_.push_back(event->received.payload);
        }
    }

    [[nodiscard]] feed_batch read_all(limits const& limits, row_taker& rows) {
        feed_step const step(*pool_, limits);
        if (!rows_) {
            // What these tell is seen by what is read now.
            payloads_.clear();
            rows_.emplace(sql_, options_.batch);
        }
        feed_batch batch{.begins = !rows_->has_begun()};
        rows_->next(*step.connection, step.limits, rows);
        batch.ends = rows_->ended();
        if (!batch.ends) return batch;
        rows_.reset();
        needs_all_rows_ = false;
        return batch;
    }

    /// The rows that the payloads tell of. Nothing where one of them tells of none.
    [[nodiscard]] std::optional<feed_batch> read_keys(limits const& limits, row_taker& rows) {
        feed_step const step(*pool_, limits);
        parameters values;
        sql_.bind_filter(values, *step.connection, step.limits);
        auto const place = values.size() + 1;
        bind_one(values, *step.connection, step.limits, payloads_);
        try {
            auto const answer = execute_statement(*step.connection, keys_sql(place), values, step.limits);
            if (byte_reader(answer.value(0, answer.columns() - 1)).take_int8() == 0) return std::nullopt;
            rows.take(*step.connection, answer, false);
            return feed_batch{};
        } catch (data_exception const&) {
            return std::nullopt;  // no JSON, or no values of the key's types
        }
    }

    [[nodiscard]] std::string keys_sql(std::size_t place) const {
        std::string members;
        std::string named;
        std::string whole;
        for (std::size_t i = 0; i < sql_.keys(); ++i) {
            auto const& column = sql_.table().key[i];
            members += text("{}{}, o.object -> {}", i == 0 ? "" : ", ", quote_literal(column), quote_literal(column));
            named += text("{}(r.row).{} AS {}", i == 0 ? "" : ", ", quote_identifier(column), notification_objects::key_name(i));
            whole += text("{}{} IS NOT NULL", i == 0 ? "" : " AND ", notification_objects::key_name(i));
        }
        auto const names = notification_objects::key_names(sql_.keys());
        return text(
            "WITH isorow_objects AS (SELECT {} AS object FROM pg_catalog.unnest(${}) p(payload) CROSS JOIN LATERAL "
            "pg_catalog.jsonb_array_elements(CASE pg_catalog.jsonb_typeof(p.payload::jsonb) WHEN 'array' THEN p.payload::jsonb ELSE "
            "pg_catalog.jsonb_build_array(p.payload::jsonb) END) e(one)),"
            " isorow_all AS MATERIALIZED (SELECT {} FROM isorow_objects o CROSS JOIN LATERAL (SELECT "
            "pg_catalog.jsonb_populate_record(NULL::{}, CASE WHEN pg_catalog.jsonb_typeof(o.object) = 'object' THEN "
            "pg_catalog.jsonb_build_object({}) ELSE pg_catalog.jsonb_build_object() END) AS row) r),"
            " isorow_end AS (SELECT coalesce(pg_catalog.bool_and({}), true) AS is_whole FROM isorow_all),"
            " isorow_keys AS (SELECT DISTINCT {} FROM isorow_all)"
            " SELECT {}, e.is_whole FROM isorow_end e LEFT JOIN isorow_keys isorow_k ON e.is_whole{}",
            how_.member.empty() ? "e.one" : text("e.one -> {}", quote_literal(how_.member)), place, named, sql_.table().quoted(), members,
            whole, names, sql_.list_by_key(), sql_.by_key());
    }

    pool* pool_;
    followed_sql sql_;
    listening how_;
    feed_options options_;
    listener listener_;
    bool needs_all_rows_;
    std::vector<std::string> payloads_{};
    std::optional<all_rows> rows_{};
};

}  // namespace isorow::inline v1::detail
