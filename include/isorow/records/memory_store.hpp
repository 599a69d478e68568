#pragma once

/// @file
/// Records in memory: for tests, caches, and what other stores are held against.

#include <isorow/records/detail/batches.hpp>
#include <isorow/records/detail/new_id.hpp>
#include <isorow/records/detail/ordering.hpp>
#include <isorow/records/merge_patch.hpp>
#include <isorow/records/outcome.hpp>
#include <isorow/records/query.hpp>
#include <isorow/records/record.hpp>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace isorow::inline v1::records {

/// A `record_backend` in memory. Several threads may use it: each call is one step for the others, and so is a transaction as a whole.
class memory_store {
public:
    memory_store() = default;
    memory_store(memory_store const&) = delete;
    memory_store& operator=(memory_store const&) = delete;

    /// Adds a record and returns its id: its own, or a new UUIDv7 where that is nil. Throws `record_exists`, and `unrepresentable` for what
    /// no document can hold.
    uuid create(record const& added) { return create_batch({&added, 1}).front(); }

    /// Adds all of them, or none. Throws `record_exists` for an id that is there, or twice in the batch.
    std::vector<uuid> create_batch(std::span<record const> added) {
        for (auto const& one : added) check(one);
        auto const lock = locked();
        detail::require_distinct(added);
        for (auto const& one : added)
            if (records_.contains(one.id)) throw record_exists(one.id);
        std::vector<uuid> made;
        made.reserve(added.size());
        for (auto const& one : added) made.push_back(insert(one));
        return made;
    }

    /// Adds those that are not there: `created` or `exists` for each, in its place.
    std::vector<outcome> create_each(std::span<record const> added) {
        for (auto const& one : added) check(one);
        auto const lock = locked();
        return for_each(added, [&](record const& one) {
            if (one.id != uuid{} && records_.contains(one.id)) return outcome::exists;
            insert(one);
            return outcome::created;
        });
    }

    [[nodiscard]] std::optional<record> read(uuid const& id) const {
        auto const lock = locked();
        auto const found = records_.find(id);
        return found == records_.end() ? std::nullopt : std::optional(found->second);
    }

    /// Each in its place; nothing in the place of one that is not there.
    [[nodiscard]] std::vector<std::optional<record>> read_batch(std::span<uuid const> ids) const {
        auto const lock = locked();
        std::vector<std::optional<record>> found;
        found.reserve(ids.size());
        for (auto const& id : ids) found.push_back(read(id));
        return found;
    }

    /// Replaces fields and metadata: `updated`, `missing` or `conflict`.
    outcome update(record const& changed, version const& expected = {}) {
        check(changed);
        return write(changed.id, expected, [&](record& kept) {
            kept.fields = changed.fields;
            kept.metadata = changed.metadata;
        });
    }

    /// Updates each, in order. `expect`: that each is still of the version that its `updated_at` says.
    std::vector<outcome> update_batch(std::span<record const> changed, expect expect = expect::any_version) {
        for (auto const& one : changed) check(one);
        auto const lock = locked();
        return for_each(changed, [&](record const& one) { return update(one, detail::expected_of(one, expect)); });
    }

    /// Changes the fields by a merge patch (RFC 7396): `updated`, `missing` or `conflict`.
    outcome patch(uuid const& id, boost::json::object const& fields, version const& expected = {}) {
        check({.fields = fields});
        return write(id, expected, [&](record& kept) { merge_patch(kept.fields, fields); });
    }

    /// Replaces the record, or adds it: `updated` or `created`.
    outcome upsert(record const& given) {
        check(given);
        auto const lock = locked();
        if (given.id != uuid{} && update(given) == outcome::updated) return outcome::updated;
        insert(given);
        return outcome::created;
    }

    /// Upserts each, in order.
    std::vector<outcome> upsert_batch(std::span<record const> given) {
        for (auto const& one : given) check(one);
        auto const lock = locked();
        return for_each(given, [&](record const& one) { return upsert(one); });
    }

    /// Puts records there as they are, with their times, in place of those that have their ids: to move them from another store. Throws
    /// `usage_error` for one without an id.
    void restore_batch(std::span<record const> given) {
        for (auto const& one : given) {
            detail::require_id(one);
            check(one);
        }
        auto const lock = locked();
        for (auto const& one : given) {
            last_moment_ = std::max(last_moment_, one.updated_at);
            records_.insert_or_assign(one.id, one);
        }
    }

    /// `erased`, `missing` or `conflict`.
    outcome erase(uuid const& id, version const& expected = {}) {
        auto const lock = locked();
        auto const found = records_.find(id);
        if (found == records_.end()) return outcome::missing;
        if (expected && *expected != found->second.updated_at) return outcome::conflict;
        records_.erase(found);
        return outcome::erased;
    }

    /// Erases each, in order.
    std::vector<outcome> erase_batch(std::span<uuid const> ids) {
        auto const lock = locked();
        return for_each(ids, [&](uuid const& id) { return erase(id); });
    }

    [[nodiscard]] bool exists(uuid const& id) const {
        auto const lock = locked();
        return records_.contains(id);
    }

    /// How many records the condition holds for.
    [[nodiscard]] std::size_t count(filter const& condition = {}) const {
        auto const lock = locked();
        detail::matcher const matches(condition);
        return static_cast<std::size_t>(std::ranges::count_if(records_, [&](auto const& one) { return matches(one.second); }));
    }

    /// Erases all; returns how many there were.
    std::size_t clear() {
        auto const lock = locked();
        auto const count = records_.size();
        records_.clear();
        return count;
    }

    [[nodiscard]] std::vector<record> search(query const& wanted) const {
        auto const lock = locked();
        detail::matcher const matches(wanted.condition());
        std::vector<std::pair<detail::place_in_order, record const*>> found;
        std::optional<detail::place_in_order> last;
        if (wanted.after()) last.emplace(*wanted.after(), wanted);
        for (auto const& [id, one] : records_) {
            if (!matches(one)) continue;
            detail::place_in_order place(one, wanted);
            if (!last || last->is_before(place, wanted)) found.emplace_back(std::move(place), &one);
        }
        std::ranges::sort(found, [&](auto const& left, auto const& right) { return left.first.is_before(right.first, wanted); });
        std::vector<record> page;
        auto const first = std::min(wanted.offset(), found.size());
        auto const end = first + std::min(wanted.limit().value_or(found.size()), found.size() - first);
        for (auto i = first; i < end; ++i) page.push_back(detail::projected(*found[i].second, wanted));
        return page;
    }

    /// Calls `take(record&&)` for each record that the query finds, in its order, until it returns false, where it returns anything.
    template <std::invocable<record&&> Take>
    void scan(query const& wanted, Take&& take) const {
        for (auto& one : search(wanted))
            if (!detail::goes_on(take, std::move(one))) return;
    }

    /// Runs `work(memory_store&)` as one step: what it has written is taken back where it throws. Within another transaction it is a step
    /// of that one.
    template <std::invocable<memory_store&> Work>
    auto transact(Work work) {
        auto const lock = locked();
        auto before = records_;
        try {
            return std::invoke(work, *this);
        } catch (...) {
            records_ = std::move(before);
            throw;
        }
    }

private:
    [[nodiscard]] std::unique_lock<std::recursive_mutex> locked() const { return std::unique_lock(mutex_); }

    /// Throws `unrepresentable` for what Postgres' documents cannot hold: stores are to keep the same.
    static void check(record const& given) {
        static_cast<void>(to_json_text(given.fields));
        static_cast<void>(to_json_text(given.metadata));
    }

    /// A time later than all before.
    [[nodiscard]] moment next_moment() {
        auto const now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
        last_moment_ = std::max(now, last_moment_ + std::chrono::microseconds(1));
        return last_moment_;
    }

    uuid insert(record const& added) {
        auto kept = added;
        if (kept.id == uuid{}) kept.id = detail::new_id();
        kept.created_at = kept.updated_at = next_moment();
        auto const id = kept.id;
        records_.insert_or_assign(id, std::move(kept));
        return id;
    }

    template <class Element, class Work>
    [[nodiscard]] static std::vector<outcome> for_each(std::span<Element const> elements, Work const& work) {
        std::vector<outcome> outcomes;
        outcomes.reserve(elements.size());
        for (auto const& element : elements) outcomes.push_back(work(element));
        return outcomes;
    }

    template <class Change>
    outcome write(uuid const& id, version const& expected, Change const& change) {
        auto const lock = locked();
        auto const found = records_.find(id);
        if (found == records_.end()) return outcome::missing;
        if (expected && *expected != found->second.updated_at) return outcome::conflict;
        change(found->second);
        found->second.updated_at = next_moment();
        return outcome::updated;
    }

    mutable std::recursive_mutex mutex_{};
    std::map<uuid, record> records_{};
    moment last_moment_{};
};

}  // namespace isorow::inline v1::records
