#pragma once

/// @file
/// Records of a struct, in any store.

#include <isorow/records/backend.hpp>
#include <isorow/records/detail/batches.hpp>
#include <isorow/records/typed_record.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace isorow::inline v1::records {

/// A store's records as those of a struct: T's fields are the JSON fields, by the names of their columns. Fields that T does not have are
/// kept. What each call does is said at `record_store`; reading one throws `unrepresentable` where a record is not a T. Numbers are those
/// of Boost.JSON: integers of more than 64 bits are refused, and a `numeric` comes back as the nearest double.
///
/// `Store` is a backend, or a reference to one that must outlive this. Threads may share it as they may share the backend.
template <class T, class Store>
    requires record_backend<std::remove_reference_t<Store>> && json_formattable<T>
class typed_store {
public:
    using value_type = T;

    explicit typed_store(Store store) : store_(std::forward<Store>(store)) {}

    /// The same records with all their fields, as JSON.
    [[nodiscard]] std::remove_reference_t<Store>& documents() noexcept { return store_; }
    [[nodiscard]] std::remove_reference_t<Store> const& documents() const noexcept { return store_; }

    uuid create(T const& value) { return store_.create({.fields = to_json(value).as_object()}); }
    uuid create(typed_record<T> const& added) { return store_.create(as_record(added)); }
    std::vector<uuid> create_batch(std::span<T const> values) {
        return store_.create_batch(each(values, [](T const& value) { return record{.fields = to_json(value).as_object()}; }));
    }
    std::vector<uuid> create_batch(std::span<typed_record<T> const> added) { return store_.create_batch(as_records(added)); }
    std::vector<outcome> create_each(std::span<typed_record<T> const> added) { return store_.create_each(as_records(added)); }

    [[nodiscard]] std::optional<typed_record<T>> read(uuid const& id) const { return as_typed_if(store_.read(id)); }
    [[nodiscard]] std::vector<std::optional<typed_record<T>>> read_batch(std::span<uuid const> ids) const {
        std::vector<std::optional<typed_record<T>>> typed;
        typed.reserve(ids.size());
        for (auto& found : store_.read_batch(ids)) typed.push_back(as_typed_if(std::move(found)));
        return typed;
    }

    /// Replaces all fields, the others too, and the metadata: `updated`, `missing` or `conflict`.
    outcome update(typed_record<T> const& changed, version const& expected = {}) { return store_.update(as_record(changed), expected); }
    std::vector<outcome> update_batch(std::span<typed_record<T> const> changed, expect expect = expect::any_version) {
        return store_.update_batch(as_records(changed), expect);
    }

    /// Calls `change(T&)` with the value as it is, and writes what it becomes; all else of the record stays. Where somebody else writes the
    /// record meanwhile it is called again, with the newer value. `updated` or `missing`.
    template <std::invocable<T&> Change>
    outcome change(uuid const& id, Change change) {
        // In a transaction, as that reads where it writes, and not a standby that is behind.
        auto const attempt = [&](auto& inner) {
            auto found = as_typed_if(inner.read(id));
            if (!found) return outcome::missing;
            std::invoke(change, found->value);
            return inner.update(as_record(*found), found->updated_at);
        };
        while (true)
            if (auto const done = store_.transact(attempt); done != outcome::conflict) return done;
    }

    /// Changes the fields by a merge patch (RFC 7396): `updated`, `missing` or `conflict`.
    outcome patch(uuid const& id, boost::json::object const& fields, version const& expected = {}) {
        return store_.patch(id, fields, expected);
    }

    outcome upsert(typed_record<T> const& given) { return store_.upsert(as_record(given)); }
    std::vector<outcome> upsert_batch(std::span<typed_record<T> const> given) { return store_.upsert_batch(as_records(given)); }
    outcome erase(uuid const& id, version const& expected = {}) { return store_.erase(id, expected); }
    std::vector<outcome> erase_batch(std::span<uuid const> ids) { return store_.erase_batch(ids); }
    [[nodiscard]] bool exists(uuid const& id) const { return store_.exists(id); }
    [[nodiscard]] std::size_t count(filter const& condition = {}) const { return store_.count(condition); }
    std::size_t clear() { return store_.clear(); }

    /// Of a query with `only`, T has the fields that are left out as optional ones.
    [[nodiscard]] std::vector<typed_record<T>> search(query const& wanted) const {
        std::vector<typed_record<T>> typed;
        for (auto& found : store_.search(wanted)) typed.push_back(as_typed<T>(std::move(found)));
        return typed;
    }
    template <std::invocable<typed_record<T>&&> Take>
    void scan(query const& wanted, Take take) const {
        store_.scan(wanted, [&](record&& found) { return detail::goes_on(take, as_typed<T>(std::move(found))); });
    }

    /// Runs `work(typed_store<T, …>&)` in a transaction of the store's.
    template <class Work>
    auto transact(Work work) {
        return store_.transact([&](auto& inner) {
            typed_store<T, decltype(inner)> typed(inner);
            return std::invoke(work, typed);
        });
    }

private:
    template <class Element, class Make>
    [[nodiscard]] static std::vector<record> each(std::span<Element const> elements, Make const& make) {
        std::vector<record> records;
        records.reserve(elements.size());
        for (auto const& element : elements) records.push_back(make(element));
        return records;
    }
    [[nodiscard]] static std::vector<record> as_records(std::span<typed_record<T> const> given) { return each(given, &as_record<T>); }
    [[nodiscard]] static std::optional<typed_record<T>> as_typed_if(std::optional<record>&& found) {
        return found ? std::optional(as_typed<T>(std::move(*found))) : std::nullopt;
    }

    Store store_;
};

/// `typed<Person>(memory).search(where<&Person::age>() > 18)`: refers to the store.
template <class T, record_backend Store>
[[nodiscard]] typed_store<T, Store&> typed(Store& store) {
    return typed_store<T, Store&>(store);
}

}  // namespace isorow::inline v1::records
