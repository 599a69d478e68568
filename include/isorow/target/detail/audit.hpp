#pragma once

/// @file
/// What somebody else has done to the rows that isorow keeps, found without knowing what would be declared now.

#include <isorow/codec/dynamic_codec.hpp>
#include <isorow/target/detail/dropped_tables.hpp>
#include <isorow/target/drift_report.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

namespace isorow::inline v1::detail {

/// One table's audit.
class table_audit {
public:
    table_audit(connection& connection, limits const& limits, target_record const& record)
        : here_(connection, limits), record_(record), name_(quote_identifier(record.schema_name, record.table_name)) {}

    [[nodiscard]] table_drift run() {
        drift_.table = name_;
        auto const live = read_table(here_, record_.schema_name, record_.table_name);
        if (!live) {
            drift_.missing = record_.row_count.value_or(0);
            drift_.table_is_missing = true;
            drift_.owners = owners_of_rows(here_, record_);
            return drift_;
        }
        if (record_.tracks_rows()) audit_record(*live);
        else audit_table();
        return drift_;
    }

private:
    static constexpr std::size_t sample_size = 5;

    /// Each recorded row against the one that is there: who wrote it, and whether it is there at all.
    void audit_record(live_table const& live) {
        auto const image = key_image_sql(here_, static_cast<std::int64_t>(live.relation), record_.key_columns, "t.");
        if (image.empty()) throw usage_error(text("the key's columns of {} are no longer there", name_));
        auto const found = query<std::tuple<std::int64_t, std::int64_t, std::int64_t, std::vector<std::vector<std::byte>>>>(
            here_,
            text("SELECT k.owner, count(*) FILTER (WHERE t.key IS NULL), count(*) FILTER (WHERE t.key IS NOT NULL),"
                 " (pg_catalog.array_agg(k.key))[1:{}] FROM {} k LEFT JOIN (SELECT {} AS key, t.xmin AS writer FROM {} t) t"
                 " ON t.key = k.key WHERE k.target = {} AND (t.key IS NULL OR (k.version <> '0' AND t.writer::text <> k.version::text))"
                 " GROUP BY k.owner",
                 sample_size, unpacked(), image, name_, record_.id));
        for (auto const& [owner, missing, changed, keys] : found) {
            drift_.missing += missing;
            drift_.changed += changed;
            drift_.owners.push_back(owner);
            for (auto const& key : keys)
                if (drift_.sample_keys.size() < sample_size) drift_.sample_keys.push_back(readable(live, key));
        }
        if (record_.ownership != "exclusive") return;
        drift_.added = query_one<std::int64_t>(
            here_, text("SELECT count(*) FROM {} t WHERE NOT EXISTS (SELECT FROM {} k WHERE k.target = {} AND k.key = {})", name_,
                        unpacked(), record_.id, image));
    }

    /// A table that is its own record: its rows were written by transactions that are written down, and counted.
    void audit_table() {
        auto const condition =
            record_.is_of_this_catalog ? std::string("NOT t.xmin::text::bigint = ANY ($1::bigint[])") : std::string("$1::bigint[] IS NULL");
        auto [all, foreign] = count_foreign(here_, name_, record_);
        if (!record_.is_of_this_catalog) foreign = 0;
        drift_.changed = foreign;
        if (record_.row_count) drift_.missing = std::max<std::int64_t>(0, *record_.row_count - (all - foreign) - foreign);
        if (record_.row_count && all > *record_.row_count) drift_.added = std::min(foreign, all - *record_.row_count);
        drift_.changed -= drift_.added;
        if (foreign == 0 && drift_.missing == 0) return;
        if (record_.owner) drift_.owners.push_back(*record_.owner);
        std::string key;
        for (auto const& column : record_.key_columns) key.append(key.empty() ? "" : ", ").append("t." + quote_identifier(column));
        if (!key.empty())
            drift_.sample_keys = query<std::string>(
                here_, text("SELECT ROW({})::text FROM {} t WHERE {} LIMIT {}", key, name_, condition, sample_size), record_.writers);
    }

    [[nodiscard]] std::string readable(live_table const& live, std::vector<std::byte> const& key) const {
        std::string values;
        byte_reader in(key);
        for (auto const& name : record_.key_columns) {
            auto const bytes = in.take_bytes(static_cast<std::size_t>(in.take_int32()));
            auto const* const column = live.find(name);
            column_type type;
            bool const known = column != nullptr && detail::parse_dynamic_type(column->type, type);
            values.append(values.empty() ? "" : ", ").append(known ? to_string(decode_value(type, bytes)) : std::string("…"));
        }
        return "(" + values + ")";
    }

    database_ref here_;
    target_record const& record_;
    std::string name_;
    table_drift drift_{};
};

/// The tables of an app whose rows somebody else has changed, deleted or added to.
[[nodiscard]] inline std::vector<table_drift> audit_state(connection& connection, limits const& limits, app_record const& app) {
    std::vector<table_drift> drifted;
    for (auto const& record : read_targets(database_ref(connection, limits), app.id)) {
        auto one = table_audit(connection, limits, record).run();
        if (one.drifted()) drifted.push_back(std::move(one));
    }
    return drifted;
}

}  // namespace isorow::inline v1::detail
