#pragma once

/// @file
/// What a `record_backend` is over anything that keeps records by their ids: `memory_store` and `sqlite_store` do the same.

#include <isorow/records/detail/batches.hpp>
#include <isorow/records/detail/new_id.hpp>
#include <isorow/records/detail/ordering.hpp>
#include <isorow/records/detail/store_lock.hpp>
#include <isorow/records/merge_patch.hpp>
#include <isorow/records/outcome.hpp>
#include <isorow/records/query.hpp>
#include <isorow/records/record.hpp>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace isorow::inline v1::records::detail {

/// What keeps records for one caller at a time. `step` runs work whose writes all stay or, where it throws, all go; steps stand in each
/// other. What `reading` runs sees the records of one moment, and returns something. `each` calls with the records behind an id, in the
/// order of ids, until it returns false.
template <class Table>
concept record_table = requires(Table& table, Table const& reader, uuid const& id, record const& one, bool (*take)(record const&)) {
    { reader.find(id) } -> std::same_as<std::optional<record>>;
    { reader.contains(id) } -> std::same_as<bool>;
    { reader.size() } -> std::same_as<std::size_t>;
    table.put(one);
    table.erase(id);
    table.clear();
    reader.each(id, take);
    {
        reader.reading([] { return 0; })
    } -> std::same_as<int>;
    table.step([] {});
};

/// The operations of a store, which are said at `record_store`. Several threads and coroutines may use it: each call is one step for the
/// others, and so is a transaction as a whole, also while it waits for something else. `Store` is the class that derives from it.
template <class Store, record_table Table>
class keyed_records {
public:
    /// Adds a record and returns its id: its own, or a new UUIDv7 where that is nil. Throws `record_exists`, and `unrepresentable` for what
    /// no document can hold.
    uuid create(record const& added) { return create_batch({&added, 1}).front(); }

    /// Adds all of them, or none. Throws `record_exists` for an id that is there, or twice in the batch.
    std::vector<uuid> create_batch(std::span<record const> added) {
        check(added);
        return step([&] {
            require_distinct(added);
            for (auto const& one : added)
                if (one.id != uuid{} && table_.contains(one.id)) throw record_exists(one.id);
            std::vector<uuid> made;
            made.reserve(added.size());
            for (auto const& one : added) made.push_back(insert(one));
            return made;
        });
    }

    /// Adds those that are not there: `created` or `exists` for each, in its place.
    std::vector<outcome> create_each(std::span<record const> added) {
        check(added);
        return for_each(added, [&](record const& one) {
            if (one.id != uuid{} && table_.contains(one.id)) return outcome::exists;
            insert(one);
            return outcome::created;
        });
    }

    [[nodiscard]] std::optional<record> read(uuid const& id) const {
        auto const lock = locked();
        return table_.find(id);
    }

    /// Each in its place; nothing in the place of one that is not there.
    [[nodiscard]] std::vector<std::optional<record>> read_batch(std::span<uuid const> ids) const {
        auto const lock = locked();
        return table_.reading([&] {
            std::vector<std::optional<record>> found;
            found.reserve(ids.size());
            for (auto const& id : ids) found.push_back(table_.find(id));
            return found;
        });
    }

    /// Replaces fields and metadata: `updated`, `missing` or `conflict`.
    outcome update(record const& changed, version const& expected = {}) {
        check({&changed, 1});
        return step([&] { return replace(changed, expected); });
    }

    /// Updates each, in order. `expect`: that each is still of the version that its `updated_at` says.
    std::vector<outcome> update_batch(std::span<record const> changed, expect expect = expect::any_version) {
        check(changed);
        return for_each(changed, [&](record const& one) { return replace(one, expected_of(one, expect)); });
    }

    /// Changes the fields by a merge patch (RFC 7396): `updated`, `missing` or `conflict`.
    outcome patch(uuid const& id, boost::json::object const& fields, version const& expected = {}) {
        static_cast<void>(to_json_text(fields));
        return step([&] { return write(id, expected, [&](record& kept) { merge_patch(kept.fields, fields); }); });
    }

    /// Replaces the record, or adds it: `updated` or `created`.
    outcome upsert(record const& given) { return upsert_batch({&given, 1}).front(); }

    /// Upserts each, in order.
    std::vector<outcome> upsert_batch(std::span<record const> given) {
        check(given);
        return for_each(given, [&](record const& one) {
            if (one.id != uuid{} && replace(one, {}) == outcome::updated) return outcome::updated;
            insert(one);
            return outcome::created;
        });
    }

    /// Puts records there as they are, with their times, in place of those that have their ids: to move them from another store. Throws
    /// `usage_error` for one without an id.
    void restore_batch(std::span<record const> given) {
        for (auto const& one : given) require_id(one);
        check(given);
        step([&] {
            for (auto const& one : given) table_.put(one);
        });
    }

    /// `erased`, `missing` or `conflict`.
    outcome erase(uuid const& id, version const& expected = {}) {
        return step([&] { return remove(id, expected); });
    }

    /// Erases each, in order.
    std::vector<outcome> erase_batch(std::span<uuid const> ids) {
        return for_each(ids, [&](uuid const& id) { return remove(id, {}); });
    }

    [[nodiscard]] bool exists(uuid const& id) const {
        auto const lock = locked();
        return table_.contains(id);
    }

    /// How many records the condition holds for.
    [[nodiscard]] std::size_t count(filter const& condition = {}) const {
        auto const lock = locked();
        if (condition.empty()) return table_.size();
        matcher const matches(condition);
        std::size_t count = 0;
        table_.each({}, [&](record const& one) {
            count += matches(one) ? 1U : 0U;
            return true;
        });
        return count;
    }

    /// Erases all; returns how many there were.
    std::size_t clear() {
        return step([&] {
            auto const count = table_.size();
            table_.clear();
            return count;
        });
    }

    [[nodiscard]] std::vector<record> search(query const& wanted) const {
        auto const lock = locked();
        return table_.reading([&] {
            std::vector<record> page;
            scan(wanted, [&](record&& one) { page.push_back(std::move(one)); });
            return page;
        });
    }

    /// Calls `take(record&&)` for each record that the query finds, in its order, until it returns false, where it returns anything. A few
    /// hundred records are held at a time, and of a query with an order each record's place in it. What is written meanwhile is found or
    /// not.
    template <std::invocable<record&&> Take>
    void scan(query const& wanted, Take&& take) const {
        auto left = wanted.limit().value_or(std::numeric_limits<std::size_t>::max());
        auto skipped = wanted.offset();
        auto const deliver = [&](std::vector<record>& found) {
            for (auto& one : found) {
                if (skipped > 0) --skipped;
                else if (left == 0 || !goes_on(take, projected(std::move(one), wanted))) return false;
                else --left;
            }
            return left > 0;
        };
        if (wanted.order().empty()) scan_by_id(wanted, deliver);
        else scan_in_order(wanted, deliver);
    }

    /// Runs `work(Store&)` as one step: what it has written is taken back where it throws. Within another transaction it is a step of that
    /// one.
    template <std::invocable<Store&> Work>
    auto transact(Work work) {
        return step([&] { return std::invoke(work, static_cast<Store&>(*this)); });
    }

private:
    friend Store;

    template <class... Arguments>
    explicit keyed_records(Arguments&&... arguments) : table_(std::forward<Arguments>(arguments)...) {}
    keyed_records(keyed_records const&) = delete;
    keyed_records& operator=(keyed_records const&) = delete;
    ~keyed_records() = default;

    /// So many records are found, or brought, before the caller gets them.
    static constexpr std::size_t chunk_size = 500;

    [[nodiscard]] store_lock::hold locked() const { return store_lock::hold(lock_); }

    template <class Work>
    auto step(Work const& work) {
        auto const lock = locked();
        return table_.step(work);
    }

    /// Throws `unrepresentable` for what Postgres' documents cannot hold: stores are to keep the same.
    static void check(std::span<record const> given) {
        for (auto const& one : given) {
            static_cast<void>(to_json_text(one.fields));
            static_cast<void>(to_json_text(one.metadata));
        }
    }

    /// A time later than all that the store has made, and than `before`, which may be a restored one: far ahead, and no reason for the
    /// times of other records to be so.
    [[nodiscard]] moment next_moment(moment before = {}) {
        constexpr std::chrono::microseconds tick(1);
        auto const now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
        last_moment_ = std::max(now, last_moment_ + tick);
        return std::max(last_moment_, before + tick);
    }

    uuid insert(record const& added) {
        auto kept = added;
        if (kept.id == uuid{}) kept.id = new_id();
        kept.created_at = kept.updated_at = next_moment();
        table_.put(kept);
        return kept.id;
    }

    template <class Element, class Work>
    [[nodiscard]] std::vector<outcome> for_each(std::span<Element const> elements, Work const& work) {
        return step([&] {
            std::vector<outcome> outcomes;
            outcomes.reserve(elements.size());
            for (auto const& element : elements) outcomes.push_back(work(element));
            return outcomes;
        });
    }

    template <class Change>
    outcome write(uuid const& id, version const& expected, Change const& change) {
        auto found = table_.find(id);
        if (!found) return outcome::missing;
        if (expected && *expected != found->updated_at) return outcome::conflict;
        change(*found);
        found->updated_at = next_moment(found->updated_at);
        table_.put(*found);
        return outcome::updated;
    }

    outcome replace(record const& changed, version const& expected) {
        return write(changed.id, expected, [&](record& kept) {
            kept.fields = changed.fields;
            kept.metadata = changed.metadata;
        });
    }

    outcome remove(uuid const& id, version const& expected) {
        if (!table_.contains(id)) return outcome::missing;
        if (expected && *expected != table_.find(id)->updated_at) return outcome::conflict;
        table_.erase(id);
        return outcome::erased;
    }

    /// No more than the query asks for.
    [[nodiscard]] static std::size_t chunk_of(query const& wanted) {
        auto const limit = std::min(wanted.limit().value_or(chunk_size), chunk_size);
        return std::clamp<std::size_t>(std::min(wanted.offset(), chunk_size) + limit, 1, chunk_size);
    }

    template <class Deliver>
    void scan_by_id(query const& wanted, Deliver const& deliver) const {
        matcher const matches(wanted.condition());
        auto last = wanted.after() ? wanted.after()->id : uuid{};  // no record has the nil one
        std::vector<record> found;
        bool is_more = true;
        while (is_more) {
            found.clear();
            is_more = false;
            {
                auto const lock = locked();
                table_.each(last, [&](record const& one) {
                    last = one.id;
                    if (matches(one)) found.push_back(one);
                    is_more = found.size() == chunk_of(wanted);
                    return !is_more;
                });
            }
            if (!deliver(found)) return;
        }
    }

    template <class Deliver>
    void scan_in_order(query const& wanted, Deliver const& deliver) const {
        matcher const matches(wanted.condition());
        std::optional<place_in_order> last;
        if (wanted.after()) last.emplace(*wanted.after(), wanted);
        std::vector<place_in_order> places;
        {
            auto const lock = locked();
            table_.each({}, [&](record const& one) {
                if (!matches(one)) return true;
                place_in_order place(one, wanted);
                if (!last || last->is_before(place, wanted)) places.push_back(std::move(place));
                return true;
            });
        }
        std::ranges::sort(places, [&](auto const& left, auto const& right) { return left.is_before(right, wanted); });
        std::vector<record> found;
        for (std::size_t done = 0; done < places.size();) {
            found.clear();
            {
                auto const lock = locked();
                for (; done < places.size() && found.size() < chunk_of(wanted); ++done)
                    if (auto one = table_.find(places[done].id); one && matches(*one)) found.push_back(std::move(*one));
            }
            if (!deliver(found)) return;
        }
    }

    mutable store_lock lock_{};
    Table table_;
    moment last_moment_{};
};

}  // namespace isorow::inline v1::records::detail
