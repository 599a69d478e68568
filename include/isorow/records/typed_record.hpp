#pragma once

#include <isorow/error/text.hpp>
#include <isorow/error/value_error.hpp>
#include <isorow/json/value.hpp>
#include <isorow/records/record.hpp>

#include <boost/json/object.hpp>

#include <chrono>
#include <utility>

namespace isorow::inline v1 {

/// A record whose fields are a struct's.
template <class T>
struct typed_record {
    uuid id{};  ///< nil where the store is to make one
    T value{};
    /// What the fields have and T does not, in objects below as well: it is kept as it is, so that programs of different versions may share
    /// a store. What an object in a list has beside its struct is not: which element it belongs to is not known.
    boost::json::object others{};
    boost::json::object metadata{};
    std::chrono::sys_time<std::chrono::microseconds> created_at{};
    std::chrono::sys_time<std::chrono::microseconds> updated_at{};
};

namespace records {

namespace detail {

/// Takes away what a struct's own document has.
inline void remove_known(boost::json::object& from, boost::json::object const& known) {
    for (auto const& member : known) {
        auto* const found = from.if_contains(member.key());
        if (found == nullptr) continue;
        bool const are_objects = found->is_object() && member.value().is_object();
        if (are_objects) remove_known(found->get_object(), member.value().get_object());
        if (!are_objects || found->get_object().empty()) from.erase(member.key());
    }
}

/// Puts it back beside what the struct's document has now.
inline void add_unknown(boost::json::object& to, boost::json::object const& unknown) {
    for (auto const& member : unknown) {
        auto* const found = to.if_contains(member.key());
        if (found == nullptr) to.insert(member);
        else if (found->is_object() && member.value().is_object()) add_unknown(found->get_object(), member.value().get_object());
    }
}

}  // namespace detail

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
    detail::remove_known(typed.others, to_json(typed.value).as_object());
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
    detail::add_unknown(made.fields, from.others);
    return made;
}

}  // namespace records

}  // namespace isorow::inline v1
