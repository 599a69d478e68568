#pragma once

/// @file
/// How a record store writes.

#include <isorow/records/detail/time_sql.hpp>
#include <isorow/records/store.hpp>

namespace isorow::inline v1 {

namespace records::detail {

[[nodiscard]] inline std::vector<std::string> texts_of(std::span<record const> records, boost::json::object record::* document) {
    std::vector<std::string> texts;
    texts.reserve(records.size());
    for (auto const& one : records) texts.push_back(to_json_text(one.*document));
    return texts;
}

/// Appends a record as a tuple of binary COPY: id, fields, metadata.
inline void encode_record(record const& one, uuid const& id, byte_writer& out) {
    using document = codec<boost::json::object, column_type{type_id::jsonb}>;
    out.put_int16(3);
    encode_with_length<codec<uuid, column_type{type_id::uuid}>>(id, out);
    encode_with_length<document>(one.fields, out);
    encode_with_length<document>(one.metadata, out);
}

/// Whether a merge patch says nothing of what stands in objects below: then the server can apply it by itself.
[[nodiscard]] inline bool is_flat(boost::json::object const& patch) {
    return std::ranges::none_of(patch, [](auto const& member) { return member.value().is_object(); });
}

/// The records' ids, made where they are nil.
[[nodiscard]] inline std::vector<uuid> ids_of(std::span<record const> records) {
    std::vector<uuid> ids;
    ids.reserve(records.size());
    for (auto const& one : records) ids.push_back(one.id == uuid{} ? new_id() : one.id);
    return ids;
}

/// A row of what a batch has written.
struct written_row {
    uuid id;
    bool is_fresh;
};

}  // namespace records::detail

inline std::vector<uuid> record_store<>::create_batch(std::span<record const> added) const {
    records::detail::require_distinct(added);
    auto ids = records::detail::ids_of(added);
    if (added.size() > most_in_arrays) copy(added, ids);
    else if (added.size() > 1) transact([&](record_store<> const& inner) { inner.insert_all(added, ids); });
    else if (!added.empty()) insert_all(added, ids);
    return ids;
}

/// Adds those whose ids are not there, which it returns.
inline std::set<uuid> record_store<>::insert(std::span<record const> added, std::span<uuid const> ids) const {
    auto const made = isorow::query<uuid>(
        where_,
        text("INSERT INTO {} AS r (id, fields, metadata) SELECT u.id, u.fields::jsonb, u.metadata::jsonb"
             " FROM unnest($1::uuid[], $2::text[], $3::text[]) AS u(id, fields, metadata) ON CONFLICT (id) DO NOTHING RETURNING r.id",
             table_),
        std::vector<uuid>(ids.begin(), ids.end()), records::detail::texts_of(added, &record::fields),
        records::detail::texts_of(added, &record::metadata));
    return {made.begin(), made.end()};
}

inline void record_store<>::insert_all(std::span<record const> added, std::span<uuid const> ids) const {
    auto const made = insert(added, ids);
    if (made.size() == ids.size()) return;
    throw record_exists(*std::ranges::find_if_not(ids, [&](uuid const& id) { return made.contains(id); }));
}

inline void record_store<>::copy(std::span<record const> added, std::span<uuid const> ids) const {
    try {
        transact([&](record_store<> const& inner) {
            database_ref::use const connection(inner.where_);
            copy_in copying(*connection, text("COPY {} (id, fields, metadata) FROM STDIN (FORMAT binary)", table_),
                            connection.given_limits());
            copy_format::put_header(copying.buffer());
            for (std::size_t i = 0; i < added.size(); ++i) {
                records::detail::encode_record(added[i], ids[i], copying.buffer());
                copying.flush_if_full();
            }
            copy_format::put_trailer(copying.buffer());
            copying.finish();
        });
    } catch (server_error const& failure) {
        if (failure.sqlstate() != sqlstate::unique_violation) throw;
        // Another unique index than the ids' may have been violated, which is the server's to say.
        auto const there = read_ids(ids);
        auto const first = std::ranges::find_if(ids, [&](uuid const& id) { return there.contains(id); });
        if (first == ids.end()) throw;
        throw record_exists(*first);
    }
}

inline std::set<uuid> record_store<>::read_ids(std::span<uuid const> ids) const {
    auto const there =
        isorow::query<uuid>(where_, text("SELECT id FROM {} WHERE id = ANY($1)", table_), std::vector<uuid>(ids.begin(), ids.end()));
    return {there.begin(), there.end()};
}

inline std::vector<std::optional<record>> record_store<>::read_batch(std::span<uuid const> ids) const {
    auto rows = isorow::query<records::detail::stored_row>(
        reads_, text("SELECT r.id, r.fields, r.metadata, {} FROM {} AS r WHERE r.id = ANY($1)", records::detail::stored_times, table_),
        std::vector<uuid>(ids.begin(), ids.end()));
    std::map<uuid, record> found;
    for (auto& row : rows) {
        auto const id = row.id;
        found.emplace(id, records::detail::as_record(std::move(row)));
    }
    std::vector<std::optional<record>> in_order;
    in_order.reserve(ids.size());
    for (auto const& id : ids) {
        auto const place = found.find(id);
        in_order.push_back(place == found.end() ? std::nullopt : std::optional(place->second));
    }
    return in_order;
}

inline records::outcome record_store<>::write(std::string_view set, uuid const& id, records::version const& expected,
                                              std::string const& fields, std::string const& metadata) const {
    auto const changed = execute(where_,
                                 text("UPDATE {} AS r SET {}, updated_at = {} WHERE r.id = $1"
                                      " AND ($2::timestamptz IS NULL OR {} = $2) AND $3 IS NOT NULL AND $4 IS NOT NULL",
                                      table_, set, records::detail::next_version, records::detail::updated_at_sql),
                                 id, expected, fields, metadata);
    return changed == 1 ? records::outcome::updated : why_not(id, expected);
}

inline records::outcome record_store<>::update(record const& changed, records::version const& expected) const {
    return write("fields = $3::jsonb, metadata = $4::jsonb", changed.id, expected, to_json_text(changed.fields),
                 to_json_text(changed.metadata));
}

inline records::outcome record_store<>::write_members(uuid const& id, records::version const& expected,
                                                      boost::json::object const& members) const {
    boost::json::object set;
    boost::json::array taken_away;
    for (auto const& member : members) {
        if (member.value().is_null()) taken_away.push_back(boost::json::value(member.key()));
        else set.insert_or_assign(member.key(), member.value());
    }
    return write("fields = (r.fields - ARRAY(SELECT jsonb_array_elements_text($4::jsonb))) || $3::jsonb", id, expected, to_json_text(set),
                 to_json_text(taken_away));
}

inline records::outcome record_store<>::patch(uuid const& id, boost::json::object const& fields, records::version const& expected) const {
    if (records::detail::is_flat(fields)) return write_members(id, expected, fields);
    return transact([&](record_store<> const& inner) {
        auto const found = isorow::query_optional<records::detail::stored_row>(
            inner.where_,
            text("SELECT r.id, r.fields, r.metadata, {} FROM {} AS r WHERE r.id = $1 FOR UPDATE", records::detail::stored_times, table_),
            id);
        if (!found) return records::outcome::missing;
        auto changed = found->fields;
        records::merge_patch(changed, fields);
        // The members that the patch does not name are not written.
        auto members = fields;
        for (auto& member : members)
            if (!member.value().is_null()) member.value() = changed.at(member.key());
        return inner.write_members(id, expected, members);
    });
}

inline records::outcome record_store<>::upsert(record const& given) const {
    auto const id = given.id == uuid{} ? records::detail::new_id() : given.id;
    bool const is_fresh = query_one<bool>(
        where_,
        text("INSERT INTO {} AS r (id, fields, metadata) VALUES ($1, $2::text::jsonb, $3::text::jsonb) ON CONFLICT (id) DO UPDATE"
             " SET fields = excluded.fields, metadata = excluded.metadata, updated_at = {} RETURNING xmax = 0",
             table_, records::detail::next_version),
        id, to_json_text(given.fields), to_json_text(given.metadata));
    return is_fresh ? records::outcome::created : records::outcome::updated;
}

inline records::outcome record_store<>::erase(uuid const& id, records::version const& expected) const {
    auto const erased = execute(
        where_,
        text("DELETE FROM {} AS r WHERE r.id = $1 AND ($2::timestamptz IS NULL OR {} = $2)", table_, records::detail::updated_at_sql), id,
        expected);
    return erased == 1 ? records::outcome::erased : why_not(id, expected);
}

template <class Write>
std::vector<records::outcome> record_store<>::in_runs(std::span<record const> given, Write const& write) const {
    std::vector<records::outcome> outcomes;
    if (given.empty()) return outcomes;
    return transact([&](record_store<> const& inner) {
        outcomes.clear();
        outcomes.reserve(given.size());
        for (auto rest = given; !rest.empty();) {
            auto const run = rest.first(records::detail::distinct_prefix(rest, most_in_statement));
            write(inner, run, outcomes);
            rest = rest.subspan(run.size());
        }
        return outcomes;
    });
}

inline std::vector<records::outcome> record_store<>::create_each(std::span<record const> added) const {
    return in_runs(added, [](record_store<> const& inner, std::span<record const> run, std::vector<records::outcome>& outcomes) {
        auto const ids = records::detail::ids_of(run);
        auto const made = inner.insert(run, ids);
        for (auto const& id : ids) outcomes.push_back(made.contains(id) ? records::outcome::created : records::outcome::exists);
    });
}

inline std::vector<records::outcome> record_store<>::update_batch(std::span<record const> changed, records::expect expect) const {
    return in_runs(changed, [&](record_store<> const& inner, std::span<record const> run, std::vector<records::outcome>& outcomes) {
        std::vector<uuid> ids;
        std::vector<records::version> versions;
        for (auto const& one : run) {
            ids.push_back(one.id);
            versions.push_back(records::detail::expected_of(one, expect));
        }
        auto const done = isorow::query<uuid>(
            inner.where_,
            text("UPDATE {} AS r SET fields = u.fields::jsonb, metadata = u.metadata::jsonb, updated_at = {}"
                 " FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[]) AS u(id, fields, metadata, version)"
                 " WHERE r.id = u.id AND (u.version IS NULL OR {} = u.version) RETURNING r.id",
                 table_, records::detail::next_version, records::detail::updated_at_sql),
            ids, records::detail::texts_of(run, &record::fields), records::detail::texts_of(run, &record::metadata), versions);
        std::set<uuid> const updated(done.begin(), done.end());
        auto const there = updated.size() == ids.size() ? std::set<uuid>{} : inner.read_ids(ids);
        for (auto const& id : ids)
            outcomes.push_back(updated.contains(id) ? records::outcome::updated
                               : there.contains(id) ? records::outcome::conflict
                                                    : records::outcome::missing);
    });
}

inline std::vector<records::outcome> record_store<>::upsert_batch(std::span<record const> given) const {
    return in_runs(given, [&](record_store<> const& inner, std::span<record const> run, std::vector<records::outcome>& outcomes) {
        auto const ids = records::detail::ids_of(run);
        auto const rows = isorow::query<records::detail::written_row>(
            inner.where_,
            text("INSERT INTO {} AS r (id, fields, metadata) SELECT u.id, u.fields::jsonb, u.metadata::jsonb"
                 " FROM unnest($1::uuid[], $2::text[], $3::text[]) AS u(id, fields, metadata) ON CONFLICT (id) DO UPDATE"
                 " SET fields = excluded.fields, metadata = excluded.metadata, updated_at = {} RETURNING r.id, xmax = 0 AS is_fresh",
                 table_, records::detail::next_version),
            ids, records::detail::texts_of(run, &record::fields), records::detail::texts_of(run, &record::metadata));
        std::map<uuid, bool> is_fresh;
        for (auto const& row : rows) is_fresh.emplace(row.id, row.is_fresh);
        for (auto const& id : ids) outcomes.push_back(is_fresh.at(id) ? records::outcome::created : records::outcome::updated);
    });
}

inline void record_store<>::restore_batch(std::span<record const> given) const {
    for (auto const& one : given) records::detail::require_id(one);
    static_cast<void>(in_runs(given, [&](record_store<> const& inner, std::span<record const> run, std::vector<records::outcome>&) {
        std::vector<std::chrono::sys_time<std::chrono::microseconds>> created;
        std::vector<std::chrono::sys_time<std::chrono::microseconds>> updated;
        for (auto const& one : run) {
            created.push_back(one.created_at);
            updated.push_back(one.updated_at);
        }
        execute(inner.where_,
                text("INSERT INTO {} AS r (id, fields, metadata, created_at, updated_at) SELECT u.id, u.fields::jsonb, u.metadata::jsonb,"
                     " u.created_at, u.updated_at FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[])"
                     " AS u(id, fields, metadata, created_at, updated_at) ON CONFLICT (id) DO UPDATE SET fields = excluded.fields,"
                     " metadata = excluded.metadata, created_at = excluded.created_at, updated_at = excluded.updated_at",
                     table_),
                records::detail::ids_of(run), records::detail::texts_of(run, &record::fields),
                records::detail::texts_of(run, &record::metadata), created, updated);
    }));
}

inline std::vector<records::outcome> record_store<>::erase_batch(std::span<uuid const> ids) const {
    auto const done = isorow::query<uuid>(where_, text("DELETE FROM {} WHERE id = ANY($1) RETURNING id", table_),
                                          std::vector<uuid>(ids.begin(), ids.end()));
    std::set<uuid> erased(done.begin(), done.end());
    std::vector<records::outcome> outcomes;
    outcomes.reserve(ids.size());
    // Of an id that comes twice the second is missing.
    for (auto const& id : ids) outcomes.push_back(erased.erase(id) == 1 ? records::outcome::erased : records::outcome::missing);
    return outcomes;
}

}  // namespace isorow::inline v1
