#pragma once

/// @file
/// The database objects that write down which rows of a table were changed, and wake those who follow it.
///
/// Statement-level triggers write the keys to a changelog, a table of schema `isorow`, in the writer's own transaction; NOTIFY says only
/// that there is something to read. So nothing is lost with a connection, and no payload can be too long.

#include <isorow/config.hpp>
#include <isorow/query/catalog.hpp>
#include <isorow/schema/identifier.hpp>
#include <isorow/target/detail/local_setting.hpp>
#include <isorow/target/install.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

/// How a table tells of its changes.
struct notification_options {
    /// The channel, which also names what is made: the function `{channel}_n` and the changelog `{channel}_log` in schema `isorow`, the
    /// trigger `{channel}_t` on the table with its sisters `{channel}_t_update`, `{channel}_t_delete` and `{channel}_t_truncate`. At most
    /// 52 bytes. Empty: `{consumer}__{table}__{suffix}`, shortened where it would be longer. Consumers of one channel share all of it.
    std::string channel{};
    std::string suffix = "isorow";  ///< of the channel that is not given
    /// A role to own the function, which runs with its rights: one that may not log in, and may INSERT into the changelog and nothing else,
    /// as it is granted here. It must exist, and the role that sets this up be a member of it. Empty: the role that sets this up.
    std::string writer_role{};
    /// Whether writers wake the readers by NOTIFY. Not said: unless the server takes prepared transactions (`max_prepared_transactions`),
    /// as a transaction with a NOTIFY cannot be prepared; readers find what is new by their interval then.
    std::optional<bool> wakes{};
    std::chrono::milliseconds lock_timeout = std::chrono::seconds(5);  ///< how long making the triggers waits for writers of the table
};

namespace detail {

inline constexpr std::string_view longest_trigger_suffix = "_t_truncate";
inline constexpr std::size_t longest_channel = identifier_limit - longest_trigger_suffix.size();

/// The channel's name: as given, or `{consumer}__{table}__{suffix}`, which, where it is too long, ends with a hash of itself.
[[nodiscard]] std::string channel_of(notification_options const& options, std::string_view consumer, std::string_view table);

/// A column of a table's primary key, and how a copy of it is kept: without a length, which may grow, and without a domain's conditions,
/// which old rows need not satisfy.
struct key_column {
    std::string name;
    std::int64_t declared_type;  ///< the OID of the type of the table's column
    std::string type;
    std::string collation;  ///< empty where it is the type's own
    bool is_exact;          ///< equal values are the same; else there may be several forms of one value, such as 1.0 and 1.00
};

/// The columns of the primary key, in their order.
[[nodiscard]] std::vector<key_column> read_key_columns(database_ref const& where, std::int64_t relation);

/// A table of those that have the triggers: the followed one, its partitions, and what inherits from it.
struct notifying_table {
    std::string name;  ///< quoted
    bool is_foreign;
};

[[nodiscard]] std::vector<notifying_table> read_notifying_tables(database_ref const& where, std::int64_t relation);

/// A changelog as it is when it was just made.
struct made_changelog {
    std::int64_t oid;
    std::string name;  ///< with its schema, as the server quotes it
};

/// The names and the SQL of what one channel is made of.
class notification_objects {
public:
    notification_objects(std::string channel, std::string schema, std::string table)
        : channel_(std::move(channel)), schema_(std::move(schema)), table_(std::move(table)) {}

    [[nodiscard]] std::string const& channel() const noexcept { return channel_; }
    [[nodiscard]] std::string const& schema() const noexcept { return schema_; }
    [[nodiscard]] std::string const& table() const noexcept { return table_; }
    [[nodiscard]] std::string table_name() const { return quote_identifier(schema_, table_); }
    [[nodiscard]] std::string changelog() const { return quote_identifier("isorow", channel_ + "_log"); }
    [[nodiscard]] std::string function() const { return quote_identifier("isorow", channel_ + "_n") + "()"; }

    /// The changelog's columns for a key's: `isorow_key_1` and so on, as the table's own names may be anything.
    [[nodiscard]] static std::string key_name(std::size_t place) { return text("isorow_key_{}", place + 1); }
    [[nodiscard]] static std::string key_names(std::size_t count);

    /// What tells equal values apart that are not the same, as 1.0 and 1.00 are. A cast to text would not: it takes trailing blanks away.
    [[nodiscard]] static std::string form_of(std::string_view value);
    [[nodiscard]] static std::string form_name(std::size_t place) { return text("isorow_form_{}", place + 1); }

    [[nodiscard]] std::string create_changelog_sql(std::vector<key_column> const& key) const;

    [[nodiscard]] std::string create_triggers_sql(made_changelog const& made, std::vector<key_column> const& key,
                                                  std::vector<notifying_table> const& tables, notification_options const& options) const;

    [[nodiscard]] std::string cleanup_sql() const;

    /// An SQL condition on a row `l` of isorow.changelogs: all that was made for the channel is there and does what it is meant to: the
    /// changelog is the one that was made, not one that came with a restore, and may be written; the key has the same columns, and they
    /// their types; and the table and all its partitions have the triggers.
    [[nodiscard]] std::string is_whole_sql() const;

    /// The changelog's OID, or NULL.
    [[nodiscard]] std::string changelog_sql() const;

    /// The OIDs of the table and its partitions.
    [[nodiscard]] std::string relations_sql() const;

    /// Two arrays: the names of the key's columns, and the OIDs of their types and collations.
    [[nodiscard]] std::string key_sql() const;

private:
    struct trigger_kind {
        std::string_view event;
        std::string_view suffix;
        std::string_view transition;
    };
    static constexpr std::array triggers{
        trigger_kind{"INSERT", "", " REFERENCING NEW TABLE AS isorow_new"},
        trigger_kind{"UPDATE", "_update", " REFERENCING OLD TABLE AS isorow_old NEW TABLE AS isorow_new"},
        trigger_kind{"DELETE", "_delete", " REFERENCING OLD TABLE AS isorow_old"},
        trigger_kind{"TRUNCATE", "_truncate", ""},
    };

    [[nodiscard]] std::string trigger(std::string_view suffix) const { return quote_identifier(text("{}_t{}", channel_, suffix)); }

    [[nodiscard]] std::string table_sql() const { return text("pg_catalog.to_regclass({})::pg_catalog.oid", quote_literal(table_name())); }

    /// The function runs as its owner, so that whoever writes to the table needs no right to the changelog. What the writer's statement did
    /// must not fail for a key that is not what it was when the changelog was made, or for a changelog that is gone: so this is asked
    /// first, in a form that plpgsql evaluates without a query but for the columns. A block that catches exceptions would be a
    /// subtransaction with a number of its own, for each statement: there is one only where it is not as it was, to tell the reader to read
    /// all rows again.
    [[nodiscard]] std::string function_sql(made_changelog const& made, std::vector<key_column> const& key, std::optional<bool> wakes) const;

    std::string channel_;
    std::string schema_;
    std::string table_;
};

/// What the database has of a channel.
struct channel_record {
    std::string schema_name;
    std::string table_name;
    std::vector<std::string> key_columns;
    bool is_whole;             ///< see `is_whole_sql`
    std::int64_t changelog{};  ///< the changelog's OID; 0 where there is none
};

[[nodiscard]] std::optional<channel_record> find_channel(database_ref const& where, notification_objects const& objects);

/// Throws `usage_error` where a table cannot be followed by its changelog.
void require_followable(live_table const& live, std::string_view name);

}  // namespace detail

/// Makes what a table needs to tell of its changes, where it is not there yet: function, triggers and changelog, and schema `isorow`. Made
/// anew where the table's key or its partitions have changed, or after a restore: consumers then begin with all rows. Waits for
/// transactions that are writing to the table. Returns the channel. Throws `usage_error` where the channel is another table's, and where
/// the table is a view, a foreign table, or has no primary key.
///
/// Asks for USAGE and CREATE on schema `isorow`, SELECT on `isorow.version`, SELECT, INSERT and UPDATE on `isorow.changelogs`, and for the
/// table's owner, as only that may say that triggers are to fire always. Where all is there, these do to follow: USAGE on schema `isorow`;
/// SELECT on `isorow.version` and `isorow.changelogs`; SELECT, INSERT, UPDATE and DELETE on `isorow.positions`; SELECT and DELETE on the
/// changelog; SELECT on the table. Who writes to the table needs none of it.
std::string create_notification(database_ref const& where, std::string_view schema, std::string_view table, std::string_view consumer,
                                notification_options const& options = {});

/// The SQL that takes away what `create_notification` makes for a channel.
[[nodiscard]] std::string notification_cleanup_sql(std::string_view schema, std::string_view table, std::string_view channel);

/// Runs that SQL, in one transaction. Consumers of the channel begin with all rows should they follow again.
void remove_notification(database_ref const& where, std::string_view schema, std::string_view table, std::string_view channel);

}  // namespace isorow::inline v1

#if ISOROW_HAS_CODE
#include <isorow/source/detail/notification_code.hpp>
#endif
