#pragma once

#include <isorow/error/value_error.hpp>
#include <isorow/json/value.hpp>
#include <isorow/records/record.hpp>
#include <isorow/schema/table.hpp>

#include <chrono>
#include <utility>

namespace isorow::inline v1 {

/// A record whose fields are a struct's.
template <class T>
struct typed_record {
    uuid id{};  ///< nil where the store is to make one
    T value{};
    /// The fields that T does not have: they are kept as they are, so that programs of different versions may share a store.
    boost::json::object others{};
    boost::json::object metadata{};
    std::chrono::sys_time<std::chrono::microseconds> created_at{};
    std::chrono::sys_time<std::chrono::microseconds> updated_at{};
};

namespace records {

/// The record as one of T. Throws `unrepresentable`, with the record's id and the path, where its fields are not those of a T.
template <class T>
[[nodiscard]] typed_record<T> as_typed(record&& from) {
    typed_record<T> typed{.id = from.id,
                          .others = std::move(from.fields),
                          .metadata = std::move(from.metadata),
                          .created_at = from.created_at,
                          .updated_at = from.updated_at};
    try {
        typed.value = from_json<T>(typed.others);
    } catch (value_error const& failure) {
        failure.rethrow_at(text("record {}", to_string(typed.id)));
    }
    for (auto const& column : columns_of<T>) typed.others.erase(column.name);
    return typed;
}

/// The record that a store keeps: the struct's fields, and the others beside them.
template <class T>
[[nodiscard]] record as_record(typed_record<T> const& from) {
    record made{.id = from.id,
                .fields = to_json(from.value).as_object(),
                .metadata = from.metadata,
                .created_at = from.created_at,
                .updated_at = from.updated_at};
    for (auto const& other : from.others) made.fields.insert(other);
    return made;
}

}  // namespace records

}  // namespace isorow::inline v1
