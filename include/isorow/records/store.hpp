#pragma once

/// @file
/// Documents with keys in a table of Postgres.

#include <isorow/pq/transact.hpp>
#include <isorow/query/copy.hpp>
#include <isorow/records/configuration.hpp>
#include <isorow/records/detail/batches.hpp>
#include <isorow/records/detail/new_id.hpp>
#include <isorow/records/detail/query_sql.hpp>
#include <isorow/records/detail/store_table.hpp>
#include <isorow/records/detail/stored_rows.hpp>
#include <isorow/records/detail/time_sql.hpp>
#include <isorow/records/found_record.hpp>
#include <isorow/records/merge_patch.hpp>
#include <isorow/records/options.hpp>
#include <isorow/records/outcome.hpp>
#include <isorow/records/query.hpp>
#include <isorow/records/record.hpp>
#include <isorow/records/record_row.hpp>
#include <isorow/records/typed_store.hpp>
#include <isorow/source/source.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

/// The fields of records that are any JSON.
struct any_fields {};

/// Records of a struct in a table of Postgres, as `record_store<>` keeps them.
///
///     isorow::record_store<Person> people{db};
///     auto const id = people.create(Person{.name = "Alice", .age = 30});
///     people.change(id, [](Person& alice) { ++alice.age; });
///     for (auto const& adult : people.search(where<&Person::age>() >= 18)) greet(adult.value);
template <class T = any_fields>
class record_store;

/// Records in a table of Postgres: a `record_backend`.
///
///     isorow::record_store people{db};
///     auto const id = people.create({.fields = {{"name", "Alice"}, {"age", 30}}});
///     auto const adults = people.search(records::query(records::where("age") >= 18).order_by("name").limit(20));
///
/// The table is made where it is not there; one with the same columns that somebody else has made is used as it is. A record's version is
/// its `updated_at`, which each write of a store sets to a time later than the last; who writes to the table otherwise should do so, too.
///
/// A store is a handle, cheap to copy, and refers to the pool or the connection that it was made with. What it does on a pool several
/// threads may do at once; each call commits by itself.
template <>
class record_store<any_fields> {
public:
    /// Makes the table, or looks whether it will do. Throws `mismatch`, `missing_privilege`, and the server's errors.
    explicit record_store(pool& db, records::store_options const& options = {}) : record_store(database_ref(db), options) {}
    explicit record_store(connection& db, records::store_options const& options = {}) : record_store(database_ref(db), options) {}

    /// With a pool of its own, which lives as long as the store and its copies. Throws also what connecting throws.
    explicit record_store(records::configuration const& from) : record_store(std::make_shared<pool>(from.where, from.pool()), from.store) {}

    /// The same records, read from another pool, such as one of a standby, which may be a little behind; they are written as before, and
    /// transactions read where they write.
    [[nodiscard]] record_store reading_from(pool& replicas) const {
        auto other = *this;
        other.reads_ = replicas;
        return other;
    }

    /// The SQL that makes the table, for those who make it by hand.
    [[nodiscard]] static std::string create_sql(records::store_options const& options = {}) {
        return records::detail::create_store_sql(options);
    }

    /// The same records in a transaction of the caller's, which must outlive what is returned.
    [[nodiscard]] record_store within(transaction& open) const {
        auto inner = *this;
        inner.where_ = inner.reads_ = open;
        return inner;
    }

    /// Adds a record and returns its id: its own, or a new UUIDv7 where that is nil. Throws `record_exists`.
    uuid create(record const& added) const { return create_batch({&added, 1}).front(); }

    /// Adds all of them, or none, many by COPY. Throws `record_exists` for an id that is there, or twice in the batch.
    std::vector<uuid> create_batch(std::span<record const> added) const;

    /// Adds those that are not there: `created` or `exists` for each, in its place.
    std::vector<records::outcome> create_each(std::span<record const> added) const;

    [[nodiscard]] std::optional<record> read(uuid const& id) const { return read_batch({&id, 1}).front(); }

    /// Each in its place, by one statement; nothing in the place of one that is not there.
    [[nodiscard]] std::vector<std::optional<record>> read_batch(std::span<uuid const> ids) const;

    /// Replaces fields and metadata: `updated`, `missing` or `conflict`.
    records::outcome update(record const& changed, records::version const& expected = {}) const;

    /// Updates each, in order, and all of them in one transaction. `expect`: that each is still of the version that its `updated_at` says.
    std::vector<records::outcome> update_batch(std::span<record const> changed,
                                               records::expect expect = records::expect::any_version) const;

    /// Changes the fields by a merge patch (RFC 7396): `updated`, `missing` or `conflict`.
    records::outcome patch(uuid const& id, boost::json::object const& fields, records::version const& expected = {}) const;

    /// Replaces the record, or adds it: `updated` or `created`.
    records::outcome upsert(record const& given) const;

    /// Upserts each, in order, and all of them in one transaction.
    std::vector<records::outcome> upsert_batch(std::span<record const> given) const;

    /// Puts records there as they are, with their times, in place of those that have their ids: to move them from another store. Throws
    /// `usage_error` for one without an id.
    void restore_batch(std::span<record const> given) const;

    /// `erased`, `missing` or `conflict`.
    records::outcome erase(uuid const& id, records::version const& expected = {}) const;

    /// Erases each, by one statement.
    std::vector<records::outcome> erase_batch(std::span<uuid const> ids) const;

    [[nodiscard]] bool exists(uuid const& id) const {
        return query_one<bool>(reads_, text("SELECT EXISTS (SELECT FROM {} WHERE id = $1)", table_), id);
    }

    /// How many records the condition holds for: the server counts them.
    [[nodiscard]] std::size_t count(records::filter const& condition = {}) const {
        records::detail::statement_builder statement;
        statement << "SELECT count(*) FROM " << table_ << " AS r WHERE " << records::detail::filter_writer(statement)(condition);
        return static_cast<std::size_t>(records::detail::rows_of<std::int64_t>(reads_, statement).front());
    }

    /// Vacuums and analyzes the table: plans know what is in it then, and the GIN indexes have all that was written. Not in a transaction.
    void maintain() const { execute(where_, "VACUUM (ANALYZE) " + table_); }

    /// Erases all; returns how many there were.
    std::size_t clear() const { return static_cast<std::size_t>(execute(where_, "DELETE FROM " + table_)); }

    [[nodiscard]] std::vector<record> search(records::query const& wanted) const {
        records::detail::statement_builder statement;
        records::detail::write_query(statement, wanted, table_);
        std::vector<record> found;
        records::detail::run<records::detail::stored_row>(reads_, statement, [&](records::detail::stored_row&& row) {
            found.push_back(records::detail::projected(records::detail::as_record(std::move(row)), wanted));
        });
        return found;
    }

    /// The records whose texts have these words, the best first: words, `or`, `-` before a word that is not to be there, quotes around
    /// phrases, as the server's `websearch_to_tsquery` reads them. The query's condition has to hold as well; of its rest `limit` (10 where
    /// it has none), `offset` and `only` count. Throws `usage_error` where the store has no `texts`, or the query an order.
    [[nodiscard]] std::vector<records::found_record> search_text(std::string_view words, records::query const& wanted = {}) const;

    /// The records whose vectors are nearest, the nearest first and the equally near in any order, with the query as above. An index of
    /// vectors finds most of the nearest, and may find fewer than there are where the condition leaves few of them. Throws `usage_error`
    /// where the store has no `vector`, or the given one is none to compare with: of another dimension, not finite, or zero for the metric
    /// cosine.
    [[nodiscard]] std::vector<records::found_record> search_nearest(std::span<float const> to, records::query const& wanted = {}) const;

    /// Both, their ranks made one. The condition holds for what either finds.
    [[nodiscard]] std::vector<records::found_record> search_hybrid(std::string_view words, std::span<float const> to,
                                                                   records::query const& wanted = {},
                                                                   records::fusion_options const& fusion = {}) const;

    /// Calls `take(record&&)` for each record that the query finds, in its order, until it returns false, where it returns anything. The
    /// client holds a few hundred records at a time; the connection is busy until the end.
    template <std::invocable<record&&> Take>
    void scan(records::query const& wanted, Take&& take) const {
        records::detail::statement_builder statement;
        records::detail::write_query(statement, wanted, table_);
        records::detail::stream<records::detail::stored_row>(reads_, statement, [&](records::detail::stored_row&& row) {
            return records::detail::goes_on(take, records::detail::projected(records::detail::as_record(std::move(row)), wanted));
        });
    }

    /// The store's rows as a source, to be followed: `follow(people.rows(), changelog{}, {.consumer = "search"})` tells all records and
    /// then what becomes of them. The source refers to what the store refers to.
    [[nodiscard]] source<records::record_row> rows() const {
        return source<records::record_row>(where_, {.table = kept_->table, .schema = kept_->schema, .ordinal_column = "updated_at"});
    }

    /// Runs `work(record_store&)` in a transaction and commits it; what it has written is rolled back where it throws. After a lost race it
    /// is run again (`isorow::transact`). Within another transaction it is a savepoint.
    template <std::invocable<record_store&> Work>
    auto transact(Work work, retry_options const& options = {}) const {
        auto const inside = [&](transaction& open) {
            auto inner = within(open);
            return std::invoke(work, inner);
        };
        if (where_.lender() != nullptr) return isorow::transact(*where_.lender(), inside, options);
        database_ref::use const connection(where_);
        return isorow::transact(*connection, inside, options);
    }

private:
    /// So many records are sent as arrays; more are copied.
    static constexpr std::size_t most_in_arrays = 200;
    /// So many are written by one statement.
    static constexpr std::size_t most_in_statement = 1000;

    /// Writes runs of records of different ids, one behind the other in a transaction: `write(store, run, outcomes)` each.
    template <class Write>
    [[nodiscard]] std::vector<records::outcome> in_runs(std::span<record const> given, Write const& write) const;

    record_store(std::shared_ptr<pool> own, records::store_options const& options) : record_store(*own, options) { own_ = std::move(own); }
    record_store(database_ref const& where, records::store_options const& options)
        : where_(where), reads_(where), table_(records::detail::table_sql(options)) {
        auto extension = records::detail::prepare_store(where_, options);
        kept_ = std::make_shared<kept const>(kept{options.schema, options.table, options.texts, options.vector, std::move(extension)});
    }

    /// What copies share: the table's names, what searches look at, and where pgvector is.
    struct kept {
        std::string schema;
        std::string table;
        std::optional<records::text_field> texts{};
        std::optional<records::vector_field> vector{};
        records::detail::vector_extension extension{};
    };

    [[nodiscard]] std::string write_text_search(records::detail::statement_builder& statement, std::string_view words,
                                                records::query const& wanted) const;
    [[nodiscard]] std::string write_vector_search(records::detail::statement_builder& statement, std::span<float const> to,
                                                  records::query const& wanted) const;
    [[nodiscard]] std::vector<records::found_record> ranked(std::string_view ranks, records::detail::statement_builder& statement,
                                                            records::query const& wanted, records::direction best_first) const;

    [[nodiscard]] std::set<uuid> insert(std::span<record const> added, std::span<uuid const> ids) const;
    void insert_all(std::span<record const> added, std::span<uuid const> ids) const;
    void copy(std::span<record const> added, std::span<uuid const> ids) const;
    [[nodiscard]] std::set<uuid> read_ids(std::span<uuid const> ids) const;

    /// Changes a record by `set`, in which $3 and $4 are texts, and gives it a new version.
    records::outcome write(std::string_view set, uuid const& id, records::version const& expected, std::string const& fields,
                           std::string const& metadata) const;

    /// Sets members of the fields; those that are null go.
    records::outcome write_members(uuid const& id, records::version const& expected, boost::json::object const& members) const;

    /// What became of a write that found no record: there is none, or it has another version than was expected.
    [[nodiscard]] records::outcome why_not(uuid const& id, records::version const& expected) const {
        return !expected || read_ids({&id, 1}).empty() ? records::outcome::missing : records::outcome::conflict;
    }

    std::shared_ptr<pool> own_{};
    database_ref where_;
    database_ref reads_;
    std::string table_;  ///< with its schema, quoted
    std::shared_ptr<kept const> kept_{};
};

template <class T>
class record_store : public records::typed_store<T, record_store<>> {
public:
    /// As the constructors of `record_store<>`.
    explicit record_store(pool& db, records::store_options const& options = {}) : record_store(record_store<>(db, options)) {}
    explicit record_store(connection& db, records::store_options const& options = {}) : record_store(record_store<>(db, options)) {}
    explicit record_store(records::configuration const& from) : record_store(record_store<>(from)) {}
    /// Of records that are kept already.
    explicit record_store(record_store<> documents) : records::typed_store<T, record_store<>>(std::move(documents)) {}

    [[nodiscard]] record_store reading_from(pool& replicas) const { return record_store(this->documents().reading_from(replicas)); }
    [[nodiscard]] record_store within(transaction& open) const { return record_store(this->documents().within(open)); }

    [[nodiscard]] std::vector<records::found<typed_record<T>>> search_text(std::string_view words,
                                                                           records::query const& wanted = {}) const {
        return typed(this->documents().search_text(words, wanted));
    }
    [[nodiscard]] std::vector<records::found<typed_record<T>>> search_nearest(std::span<float const> to,
                                                                              records::query const& wanted = {}) const {
        return typed(this->documents().search_nearest(to, wanted));
    }
    [[nodiscard]] std::vector<records::found<typed_record<T>>> search_hybrid(std::string_view words, std::span<float const> to,
                                                                             records::query const& wanted = {},
                                                                             records::fusion_options const& fusion = {}) const {
        return typed(this->documents().search_hybrid(words, to, wanted, fusion));
    }

    /// Runs `work(record_store<T>&)` in a transaction, as `record_store<>::transact`.
    template <std::invocable<record_store&> Work>
    auto transact(Work work, retry_options const& options = {}) const {
        auto const inside = [&](record_store<>& documents) {
            record_store typed(documents);
            return std::invoke(work, typed);
        };
        return this->documents().transact(inside, options);
    }

private:
    [[nodiscard]] static std::vector<records::found<typed_record<T>>> typed(std::vector<records::found_record>&& found) {
        std::vector<records::found<typed_record<T>>> all;
        all.reserve(found.size());
        for (auto& one : found) all.push_back({records::as_typed<T>(std::move(one.record)), one.score});
        return all;
    }
};

record_store(pool&) -> record_store<>;
record_store(pool&, records::store_options const&) -> record_store<>;
record_store(connection&) -> record_store<>;
record_store(connection&, records::store_options const&) -> record_store<>;
record_store(records::configuration const&) -> record_store<>;

}  // namespace isorow::inline v1

#include <isorow/records/detail/store_searches.hpp>
#include <isorow/records/detail/store_writes.hpp>
