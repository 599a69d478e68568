#pragma once

/// @file
/// The feed of logical replication: the log says which keys were changed, and their rows are read as they are now, so that the source's
/// filter and columns hold, and nothing is missing of values that the log does not have.

#include <isorow/error/unsupported.hpp>
#include <isorow/source/detail/all_rows.hpp>
#include <isorow/source/detail/change_feed.hpp>
#include <isorow/source/detail/event_feed.hpp>
#include <isorow/source/publication.hpp>
#include <isorow/source/replication.hpp>
#include <isorow/source/replication_slot.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_set>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

/// A name for a slot: lower-case letters, digits and underscores. What had others ends with a hash.
[[nodiscard]] inline std::string slot_name_of(std::string_view consumer) {
    std::string name = "isorow_";
    bool is_same = true;
    for (char const character : consumer) {
        bool const will_do = (character >= 'a' && character <= 'z') || (character >= '0' && character <= '9') || character == '_';
        is_same = is_same && will_do;
        name += will_do ? character : '_';
    }
    if (is_same && name.size() <= identifier_limit) return name;
    auto const digits = hash_digits(consumer);
    return name.substr(0, identifier_limit - digits.size() - 1) + "_" + digits;
}

class replication_feed final : public event_feed {
public:
    replication_feed(pool& where, followed_table table, replication const& how, feed_options options)
        : pool_(&where), sql_(std::move(table)), how_(how), options_(std::move(options)) {
        if (how_.slot.empty()) how_.slot = slot_name_of(options_.consumer);
        if (how_.publication.empty()) how_.publication = how_.slot;
        install(positions());
        learn_key_types();
        begin();
    }

    [[nodiscard]] std::optional<feed_batch> next(limits const& limits, row_taker& rows) override {
        for (;;) {
            auto batch = persistently(limits, [&] { return needs_all_rows_ ? read_all(limits, rows) : read_changes(limits, rows); });
            if (batch || !needs_all_rows_) return batch;
        }
    }

    void begin_again() override { begin_anew(false); }

    void save(std::string const& former, saved_position const& position, limits const& limits) override {
        saver_.save(positions(), former, position, limits);
    }

    void saved(saved_position const& position, limits const&) override {
        former_ = position.text;
        if (stream_) stream_->confirm(place_in(position.text));
    }

private:
    [[nodiscard]] database_ref positions() const { return options_.positions ? *options_.positions : database_ref(*pool_); }

    /// The types of the key's columns with those of their arrays.
    void learn_key_types() {
        types_.clear();
        for (auto const& name : sql_.table().key) {
            auto const [type, array] = query_one<std::tuple<std::int64_t, std::int64_t>>(
                database_ref(*pool_),
                "SELECT a.atttypid::bigint, t.typarray::bigint FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = "
                "a.atttypid "
                "WHERE a.attrelid = $1::regclass AND a.attname = $2",
                sql_.table().quoted(), name);
            types_.push_back({name, static_cast<oid>(type), static_cast<oid>(array)});
        }
        clear_keys();
    }

    void begin() {
        auto const found = find_position(positions(), options_.consumer, mechanism);
        former_ = found.value_or(std::string{});
        auto const slot = find_slot({*pool_}, how_.slot);
        if (found && slot && !slot->is_lost()) {
            position_ = place_in(former_);
            needs_all_rows_ = former_.ends_with(rows_mark);
            return;
        }
        begin_anew(!found && options_.from_now);
    }

    /// The slot is there before all rows are read, so that whatever they do not show comes by the log. Where it was there already, some
    /// changes come that they show already.
    void begin_anew(bool without_rows) {
        stream_.reset();
        clear_keys();
        auto const& table = sql_.table();
        create_publication({*pool_}, how_.publication, {{table.schema, table.name}}, {.exists_ok = true});
        if (auto const slot = find_slot({*pool_}, how_.slot); slot && slot->is_lost()) drop_slot({*pool_}, how_.slot);
        auto const slot = create_slot(*pool_, how_.slot, {.exists_ok = true, .export_snapshot = false});
        position_ = slot.is_new() ? slot.begins_at() : find_slot({*pool_}, how_.slot)->confirmed;
        needs_all_rows_ = !without_rows;
        rows_.reset();
        // An interruption before all rows were read must not be taken for a position in another slot's log.
        overwrite_position(positions(), here());
        former_ = here().text;
    }

    [[nodiscard]] feed_batch read_all(limits const& limits, row_taker& rows) {
        feed_step const step(*pool_, limits);
        if (!rows_) rows_.emplace(sql_, options_.batch);
        feed_batch batch{.begins = !rows_->has_begun(), .former = former_};
        rows_->next(*step.connection, step.limits, rows);
        batch.ends = rows_->ended();
        if (!batch.ends) return batch;
        rows_.reset();
        needs_all_rows_ = false;
        batch.position = here();
        return batch;
    }

    /// Takes changes until a transaction has ended and nothing else has come, or until there are enough. Nothing when the deadline passes,
    /// or all rows are to be read.
    [[nodiscard]] std::optional<feed_batch> read_changes(limits const& limits, row_taker& rows) {
        try {
            if (!stream_) open();
            collect(limits);
        } catch (slot_lost const&) {
            begin_anew(false);
        } catch (missing_slot const&) {
            begin_anew(false);
        } catch (...) {
            // It goes on from the last batch, on another connection.
            stream_.reset();
            clear_keys();
            throw;
        }
        if (needs_all_rows_ || known_.empty()) return std::nullopt;
        feed_batch batch{.former = former_};
        read_rows(limits, rows);
        // In the midst of a transaction there is no place to go on from but its beginning.
        if (ended_) {
            position_ = *ended_;
            batch.position = here();
        }
        clear_keys();
        return batch;
    }

    void open() {
        auto const& table = sql_.table();
        changes_options options{.slot = how_.slot,
                                .publication = how_.publication,
                                .table = table.name,
                                .schema = table.schema,
                                .resume_from = position_,
                                .streaming = how_.streaming};
        stream_ =
            std::make_unique<change_feed>(replication_endpoint(*pool_), std::move(options), change_feed::look([](auto&, auto const&) {}),
                                          nullptr, isorow::limits::within(pool_->options().connection.timeout));
    }

    void collect(limits const& limits) {
        auto wait = limits;
        if (ended_) wait.deadline = std::chrono::steady_clock::now();
        while (known_.size() < options_.batch) {
            auto const* const change = stream_->next(wait);
            if (change == nullptr) return;
            switch (change->kind) {
                case change_kind::commit:
                    ended_ = stream_->transaction().end;
                    if (is_truncated_) return read_all_next();
                    // What has come already is taken as well.
                    wait.deadline = std::chrono::steady_clock::now();
                    break;
                case change_kind::truncate:
                    is_truncated_ = true;
                    break;
                case change_kind::insert:
                case change_kind::update:
                case change_kind::remove:
                    ended_.reset();
                    if (!is_truncated_) add_keys(*change);
                    break;
                default:
                    break;
            }
        }
    }

    /// A transaction that has truncated the table has ended: what all rows show from now on need not be told besides.
    void read_all_next() {
        position_ = *ended_;
        clear_keys();
        needs_all_rows_ = true;
        overwrite_position(positions(), here());
        former_ = here().text;
    }

    /// An update of a key changes two rows.
    void add_keys(raw_change const& change) {
        if (change.old_kind != pgoutput::old_row::none) add_key(*change.relation, change.old, {});
        if (change.kind != change_kind::remove) add_key(*change.relation, change.row, change.old);
    }

    void add_key(described_relation const& relation, pgoutput::tuple const& tuple, pgoutput::tuple const& before) {
        std::vector<std::span<std::byte const>> key(types_.size());
        auto const& columns = relation.description.columns;
        for (std::size_t place = 0; place < types_.size(); ++place) {
            auto const found = std::ranges::find(columns, types_[place].name, &pgoutput::relation_column::name);
            if (found == columns.end())
                throw usage_error(text("the table {} has no column \"{}\" any more, which was of its primary key: follow it anew",
                                       sql_.table().quoted(), types_[place].name));
            auto const number = found - columns.begin();
            auto value = std::ranges::next(tuple.begin(), number, tuple.end());
            // Of a key that is stored outside of the row and stays as it is, the row before has the value.
            if ((*value).kind == pgoutput::column_kind::unchanged && before.size() != 0)
                value = std::ranges::next(before.begin(), number, before.end());
            if ((*value).kind != pgoutput::column_kind::binary)
                throw unsupported(text("following by replication a table whose key's column \"{}\" has no binary form", found->name),
                                  "PostgreSQL", "follow it by its changelog");
            key[place] = (*value).value;
        }
        std::string image;
        for (auto const& value : key) {
            image += std::to_string(value.size()) + ':';
            image.append(reinterpret_cast<char const*>(value.data()), value.size());
        }
        if (!known_.insert(std::move(image)).second) return;
        for (std::size_t place = 0; place < key.size(); ++place) {
            elements_[place].put_int32(static_cast<std::int32_t>(key[place].size()));
            elements_[place].put_bytes(key[place]);
        }
    }

    void clear_keys() {
        known_.clear();
        elements_.assign(types_.size(), {});
        is_truncated_ = false;
        ended_.reset();
    }

    void read_rows(limits const& limits, row_taker& rows) {
        feed_step const step(*pool_, limits);
        parameters values;
        sql_.bind_filter(values, *step.connection, step.limits);
        std::string arrays;
        for (std::size_t place = 0; place < types_.size(); ++place) {
            arrays += text("{}pg_catalog.unnest(${})", place == 0 ? "" : ", ", values.size() + 1);
            auto& out = values.add(types_[place].array);
            out.put_int32(1);  // dimensions
            out.put_int32(0);  // no NULLs
            out.put_uint32(types_[place].element);
            out.put_int32(static_cast<std::int32_t>(known_.size()));
            out.put_int32(1);  // the first index
            out.put_bytes(elements_[place].bytes());
            values.end();
        }
        auto const sql = text("SELECT {} FROM ROWS FROM ({}) AS isorow_k ({}){}", sql_.list_by_key(), arrays,
                              notification_objects::key_names(types_.size()), sql_.by_key());
        rows.take(*step.connection, execute_statement(*step.connection, sql, values, step.limits), false);
    }

    /// A place in the log, and `rows` behind it where all rows are to be read first.
    [[nodiscard]] saved_position here() const {
        auto text = position_.to_string();
        if (needs_all_rows_) text += rows_mark;
        return {options_.consumer, std::string(mechanism), std::nullopt, std::move(text), std::nullopt};
    }
    [[nodiscard]] static lsn place_in(std::string_view position) { return lsn::parse(position.substr(0, position.find(' '))); }

    static constexpr std::string_view mechanism = "replication";
    static constexpr std::string_view rows_mark = " rows";

    struct key_type {
        std::string name;
        oid element;
        oid array;
    };

    pool* pool_;
    followed_sql sql_;
    replication how_;
    feed_options options_;
    std::vector<key_type> types_{};
    std::unique_ptr<change_feed> stream_{};
    lsn position_{};  ///< the end of the last transaction of which all was handed out
    std::string former_{};
    position_saver saver_{};
    std::optional<all_rows> rows_{};
    bool needs_all_rows_ = false;
    std::unordered_set<std::string> known_{};  ///< the keys that were taken and not yet read
    std::vector<byte_writer> elements_{};      ///< the same as elements of an array for each column
    bool is_truncated_ = false;                ///< by the transaction that is being taken
    std::optional<lsn> ended_{};               ///< the end of the transaction with which they end
};

}  // namespace isorow::inline v1::detail
