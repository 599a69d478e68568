#pragma once

#include <isorow/error/value_error.hpp>
#include <isorow/json/value.hpp>
#include <isorow/records/record.hpp>
#include <isorow/schema/identifier.hpp>
#include <isorow/sqlite/detail/database.hpp>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace isorow::inline v1::detail {

/// Records in a table of SQLite: ids and documents as texts, times as microseconds since 1970. Texts of ids have the order of ids.
class sqlite_table {
public:
    sqlite_table(std::filesystem::path const& path, std::string_view table, std::chrono::milliseconds patience)
        : name_(quote_identifier(table)), database_(opened(path, name_, patience)) {}

    [[nodiscard]] std::optional<record> find(uuid const& id) const {
        auto const key = to_string(id);
        sqlite_statement::run found(find_, key);
        return found.next() ? std::optional(record_of(found)) : std::nullopt;
    }
    [[nodiscard]] bool contains(uuid const& id) const {
        auto const key = to_string(id);
        return sqlite_statement::run(contains_, key).next();
    }
    [[nodiscard]] std::size_t size() const {
        sqlite_statement::run counted(size_);
        counted.next();
        return static_cast<std::size_t>(counted.integer(0));
    }

    void put(record const& one) {
        auto const key = to_string(one.id);
        auto const fields = to_json_text(one.fields);
        auto const metadata = to_json_text(one.metadata);
        sqlite_statement::run(put_, key, fields, metadata, ticks(one.created_at), ticks(one.updated_at)).next();
    }
    void erase(uuid const& id) {
        auto const key = to_string(id);
        sqlite_statement::run(erase_, key).next();
    }
    void clear() { sqlite_statement::run(clear_).next(); }

    template <class Take>
    void each(uuid const& behind, Take const& take) const {
        auto const key = to_string(behind);
        sqlite_statement::run rows(each_, key);
        while (rows.next())
            if (!take(record_of(rows))) return;
    }

    /// A transaction that only reads, or nothing within another: other processes' writes are seen all or not.
    template <class Work>
    std::invoke_result_t<Work const&> reading(Work const& work) const {
        require_open();
        if (database_.is_in_transaction()) return work();
        snapshot const open(database_);
        return work();
    }

    /// A transaction, or a savepoint within one.
    template <class Work>
    std::invoke_result_t<Work const&> step(Work const& work) {
        level inner(*this);
        if constexpr (std::is_void_v<std::invoke_result_t<Work const&>>) {
            work();
            inner.commit();
        } else {
            auto result = work();
            inner.commit();
            return result;
        }
    }

private:
    using moment = decltype(record::created_at);

    /// A transaction that only reads, and so has nothing to keep.
    class snapshot {
    public:
        explicit snapshot(sqlite_database const& database) : database_(database) { database.execute("BEGIN"); }
        snapshot(snapshot const&) = delete;
        snapshot& operator=(snapshot const&) = delete;
        ~snapshot() {
            try {
                if (database_.is_in_transaction()) database_.execute("ROLLBACK");
            } catch (sqlite_error const&) {  // NOLINT(bugprone-empty-catch): closing the file rolls back
            }
        }

    private:
        sqlite_database const& database_;
    };

    class level {
    public:
        explicit level(sqlite_table& table) : table_(table), name_(text("isorow_{}", table.depth_)) {
            table_.require_open();
            // A transaction that is to write takes the lock at once: two that have read could not both write.
            table_.database_.execute(table_.depth_ == 0 ? std::string("BEGIN IMMEDIATE") : "SAVEPOINT " + name_);
            ++table_.depth_;
        }
        level(level const&) = delete;
        level& operator=(level const&) = delete;
        ~level() {
            --table_.depth_;
            if (is_done_ || !table_.database_.is_in_transaction()) return;
            try {
                table_.database_.execute(table_.depth_ == 0 ? std::string("ROLLBACK") : text("ROLLBACK TO {}; RELEASE {}", name_, name_));
            } catch (sqlite_error const&) {  // NOLINT(bugprone-empty-catch): closing the file rolls back; the first error is on its way
            }
        }
        void commit() {
            table_.require_open();
            table_.database_.execute(table_.depth_ == 1 ? std::string("COMMIT") : "RELEASE " + name_);
            is_done_ = true;
        }

    private:
        sqlite_table& table_;
        std::string name_;
        bool is_done_ = false;
    };

    /// With its table, which the statements are prepared for.
    [[nodiscard]] static sqlite_database opened(std::filesystem::path const& path, std::string const& table,
                                                std::chrono::milliseconds patience) {
        sqlite_database database(path, patience);
        database.execute(
            text("CREATE TABLE IF NOT EXISTS {} (id text PRIMARY KEY, fields text NOT NULL, metadata text, "
                 "created_at integer NOT NULL, updated_at integer NOT NULL) WITHOUT ROWID",
                 table));
        return database;
    }

    /// Throws `sqlite_error` within a transaction that SQLite itself has rolled back, as on a full disk: what came behind would stay alone.
    void require_open() const {
        if (depth_ > 0 && !database_.is_in_transaction())
            throw sqlite_error("SQLite has rolled the transaction back after an error; nothing of it is kept", SQLITE_ABORT_ROLLBACK);
    }

    [[nodiscard]] sqlite_statement prepare(std::string_view sql) const {
        try {
            return database_.prepare(text(sql, name_));
        } catch (sqlite_error const& failure) {
            if (failure.code() != SQLITE_ERROR) throw;
            throw sqlite_error(text("the table {} is none of records, which has the primary key id, and the columns fields, metadata, "
                                    "created_at and updated_at: {}",
                                    name_, failure.what()),
                               failure.code());
        }
    }

    [[nodiscard]] static std::int64_t ticks(moment time) noexcept { return time.time_since_epoch().count(); }

    [[nodiscard]] static record record_of(sqlite_statement::run const& row) {
        record one{.created_at = moment(moment::duration(row.integer(3))), .updated_at = moment(moment::duration(row.integer(4)))};
        auto const id = uuid::parse(row.text(0));
        if (!id) throw malformed("\"{}\" is no id of a record", row.text(0));
        one.id = *id;
        try {
            one.fields = from_json_text<boost::json::object>(row.text(1));
            if (auto const metadata = row.text(2); !metadata.empty()) one.metadata = from_json_text<boost::json::object>(metadata);
        } catch (value_error const& failure) {
            failure.rethrow_at(text("record {}", row.text(0)));
        }
        return one;
    }

    std::string name_;
    sqlite_database database_;
    int depth_ = 0;
    mutable sqlite_statement find_ = prepare("SELECT id, fields, metadata, created_at, updated_at FROM {} WHERE id = ?1");
    mutable sqlite_statement contains_ = prepare("SELECT 1 FROM {} WHERE id = ?1");
    mutable sqlite_statement size_ = prepare("SELECT count(*) FROM {}");
    mutable sqlite_statement each_ = prepare("SELECT id, fields, metadata, created_at, updated_at FROM {} WHERE id > ?1 ORDER BY id");
    sqlite_statement put_ = prepare(
        "INSERT INTO {} (id, fields, metadata, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (id) DO UPDATE SET "
        "fields = excluded.fields, metadata = excluded.metadata, created_at = excluded.created_at, updated_at = excluded.updated_at");
    sqlite_statement erase_ = prepare("DELETE FROM {} WHERE id = ?1");
    sqlite_statement clear_ = prepare("DELETE FROM {}");
};

}  // namespace isorow::inline v1::detail
