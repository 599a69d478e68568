#pragma once

#include <isorow/records/outcome.hpp>
#include <isorow/records/query.hpp>
#include <isorow/records/record.hpp>

#include <boost/json/object.hpp>

#include <concepts>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace isorow::inline v1 {

/// A store of records. What each call does is said at `record_store`; all of them pass the same tests, so that a program may change its
/// store without noticing.
template <class Store>
concept record_backend = requires(Store& store, Store const& reader, record const& one, std::span<record const> many, uuid const& id,
                                  std::span<uuid const> ids, boost::json::object const& fields, records::version const& version,
                                  records::filter const& condition, records::query const& wanted) {
    { store.create(one) } -> std::same_as<uuid>;
    { store.create_batch(many) } -> std::same_as<std::vector<uuid>>;
    { store.create_each(many) } -> std::same_as<std::vector<records::outcome>>;
    { reader.read(id) } -> std::same_as<std::optional<record>>;
    { reader.read_batch(ids) } -> std::same_as<std::vector<std::optional<record>>>;
    { store.update(one, version) } -> std::same_as<records::outcome>;
    { store.update_batch(many, records::expect::own_version) } -> std::same_as<std::vector<records::outcome>>;
    { store.patch(id, fields, version) } -> std::same_as<records::outcome>;
    { store.upsert(one) } -> std::same_as<records::outcome>;
    { store.upsert_batch(many) } -> std::same_as<std::vector<records::outcome>>;
    { store.erase(id, version) } -> std::same_as<records::outcome>;
    { store.erase_batch(ids) } -> std::same_as<std::vector<records::outcome>>;
    { reader.exists(id) } -> std::same_as<bool>;
    { reader.count(condition) } -> std::same_as<std::size_t>;
    { store.clear() } -> std::same_as<std::size_t>;
    { reader.search(wanted) } -> std::same_as<std::vector<record>>;
    reader.scan(wanted, [](record&&) {});
    store.transact([](auto&) {});
};

}  // namespace isorow::inline v1
