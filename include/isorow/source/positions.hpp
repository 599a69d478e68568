#pragma once

/// @file
/// How far consumers have followed their sources: named positions in schema `isorow`, which are saved in the transaction of what was done
/// with the changes.

#include <isorow/config.hpp>
#include <isorow/query/query.hpp>
#include <isorow/target/install.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace isorow::inline v1 {

/// Somebody else has followed the source under the same consumer's name, and saved how far. Nothing of the batch may be applied: roll back,
/// and follow again from where the other one is, if that one has gone.
class position_moved final : public error {
public:
    using error::error;
};

/// How far a consumer has come.
struct consumer_position {
    std::string consumer{};
    std::string mechanism{};  ///< `changelog`, `polling`, `replication`
    std::string position{};   ///< in the mechanism's own form
    double age_seconds = 0;   ///< since it was saved

    friend bool operator==(consumer_position const&, consumer_position const&) = default;
};

/// The positions that a database has.
[[nodiscard]] std::vector<consumer_position> positions(database_ref const& where);

/// Forgets a consumer, so that its changelog is not kept for it any longer; it begins with all rows should it follow again. Returns whether
/// there was one.
bool forget_position(database_ref const& where, std::string_view consumer);

namespace detail {

/// A position as it is saved.
struct saved_position {
    std::string consumer{};
    std::string mechanism{};
    std::optional<std::string> channel{};    ///< of the changelog that is kept for the consumer
    std::string text{};                      ///< in the mechanism's own form
    std::optional<std::int64_t> consumed{};  ///< the number up to which the consumer needs the changelog no more
};

[[nodiscard]] std::optional<std::string> find_position(database_ref const& where, std::string_view consumer, std::string_view mechanism);

/// Saves a position in place of the one before it. Throws `position_moved` where another one is there.
void save_position(database_ref const& where, std::string_view former, saved_position const& now);

/// Says up to which number a consumer needs its changelog no more, unless its position is another one by now, or is being changed.
void say_consumed_up_to(database_ref const& where, std::string_view consumer, std::string_view mechanism, std::string_view position,
                        std::int64_t consumed);

/// Saves a position whatever was there.
void overwrite_position(database_ref const& where, saved_position const& now);

}  // namespace detail

#if ISOROW_HAS_CODE

ISOROW_DECL std::vector<consumer_position> positions(database_ref const& where) {
    database_ref::use connection(where);
    if (detail::installed_version(*connection) < tracking_version) return {};
    return query<consumer_position>(
        database_ref(*connection),
        "SELECT consumer, mechanism, position, extract(epoch FROM pg_catalog.clock_timestamp() - saved)::float8 "
        "AS age_seconds FROM isorow.positions ORDER BY consumer");
}

ISOROW_DECL bool forget_position(database_ref const& where, std::string_view consumer) {
    database_ref::use connection(where);
    return detail::installed_version(*connection) == tracking_version &&
           execute(database_ref(*connection), "DELETE FROM isorow.positions WHERE consumer = $1", consumer) > 0;
}

namespace detail {

ISOROW_DECL std::optional<std::string> find_position(database_ref const& where, std::string_view consumer, std::string_view mechanism) {
    auto const found = query_optional<std::tuple<std::string, std::string>>(
        where, "SELECT mechanism, position FROM isorow.positions WHERE consumer = $1", consumer);
    if (!found) return std::nullopt;
    if (std::get<0>(*found) != mechanism)
        throw usage_error(text("the consumer \"{}\" has followed by another mechanism, {}: take another name, or forget_position", consumer,
                               std::get<0>(*found)));
    return std::get<1>(*found);
}

ISOROW_DECL void save_position(database_ref const& where, std::string_view former, saved_position const& now) {
    auto const count =
        former.empty()
            ? execute(where,
                      "INSERT INTO isorow.positions (consumer, mechanism, channel, position, consumed) VALUES ($1, $2, $3, $4, $5) ON "
                      "CONFLICT DO NOTHING",
                      now.consumer, now.mechanism, now.channel, now.text, now.consumed)
            : execute(
                  where,
                  "UPDATE isorow.positions SET position = $3, consumed = $4, saved = pg_catalog.now() WHERE consumer = $1 AND mechanism = "
                  "$2 AND position = $5",
                  now.consumer, now.mechanism, now.text, now.consumed, former);
    if (count == 1) return;
    throw position_moved(
        text("somebody else follows the source as the consumer \"{}\": its position is not the one from which this batch went on",
             now.consumer));
}

ISOROW_DECL void say_consumed_up_to(database_ref const& where, std::string_view consumer, std::string_view mechanism,
                                    std::string_view position, std::int64_t consumed) {
    execute(where,
            "UPDATE isorow.positions SET consumed = $4 WHERE consumer IN (SELECT consumer FROM isorow.positions WHERE consumer = $1 AND "
            "mechanism = $2 AND position = $3 AND coalesce(consumed, 0) < $4 FOR UPDATE SKIP LOCKED)",
            consumer, mechanism, position, consumed);
}

ISOROW_DECL void overwrite_position(database_ref const& where, saved_position const& now) {
    execute(where,
            "INSERT INTO isorow.positions AS p (consumer, mechanism, channel, position, consumed) VALUES ($1, $2, $3, $4, $5) ON CONFLICT "
            "(consumer) DO UPDATE SET channel = excluded.channel, position = excluded.position, consumed = excluded.consumed, saved = "
            "pg_catalog.now() WHERE (p.position, p.consumed) IS DISTINCT FROM (excluded.position, excluded.consumed)",
            now.consumer, now.mechanism, now.channel, now.text, now.consumed);
}

}  // namespace detail

#endif

}  // namespace isorow::inline v1
