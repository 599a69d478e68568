#pragma once

/// @file
/// What a job carries as columns of its queue's table: a struct's fields, or one value in the column `payload`.

#include <isorow/query/detail/row_plan.hpp>
#include <isorow/query/parameters.hpp>
#include <isorow/queue/detail/statements.hpp>
#include <isorow/schema/check.hpp>

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

/// Whether the payload is a row of columns. A struct is, also where it could be one value as a document.
template <class T>
inline constexpr bool is_row_payload = reflect::reflectable<T>;

template <class T>
constexpr bool has_queue_column() {
    for (auto const& column : columns_of<T>)
        if (column.name.starts_with(queue_prefix)) return true;
    return false;
}

/// Stops the compiler where T cannot be a payload.
template <class T>
constexpr void check_payload() {
    if constexpr (std::is_class_v<T> && (is_row_payload<T> || !field_traits<T>::has_type)) {
        check_owning<T>();
        if constexpr (mappable<T>)
            static_assert(!has_queue_column<T>(),
                          "isorow: a column of this struct begins with isorow_, as the columns of the queue itself do; rename it: "
                          ".column<&T::field>({.name = \"…\"})");
    } else {
        static_assert(field_traits<T>::has_type,
                      "isorow: this payload's type has no Postgres type; docs/types.md lists those that have one");
    }
}

template <class T>
[[nodiscard]] std::vector<column_description> payload_columns_of() {
    check_payload<T>();
    if constexpr (is_row_payload<T>) {
        return {columns_of<T>.begin(), columns_of<T>.end()};
    } else {
        using traits = field_traits<T>;
        return {{.field = "payload", .name = "payload", .type = traits::type, .nullable = traits::nullable}};
    }
}

/// Binds the payload's values in the order of its columns. Throws `unrepresentable` with the field.
template <class T>
void bind_payload(parameters& bound, connection& connection, limits const& limits, T const& payload) {
    std::size_t place = 0;
    try {
        if constexpr (is_row_payload<T>)
            reflect::for_each_index<T>([&](auto index) {
                place = index;
                bind_field<T, index>(bound, connection, limits, payload);
            });
        else bind_one(bound, connection, limits, payload);
    } catch (value_error const& failure) {
        if constexpr (is_row_payload<T>) failure.rethrow_at(field_label<T>(place));
        else failure.rethrow_at("payload");
    }
}

/// How a payload is made of a result's columns.
template <class T>
class payload_plan {
public:
    static void prepare(connection& connection, limits const& limits) { row_plan<T>::prepare(connection, limits); }

    payload_plan(connection& connection, result const& result) : row_(connection, result) {}
    void decode(result const& result, int row, T& into) const { row_.decode(result, row, into); }

private:
    row_plan<T> row_;
};

template <class T>
    requires(!is_row_payload<T>)
class payload_plan<T> {
public:
    static void prepare(connection& connection, limits const& limits) { alone<T>::learn(connection, limits); }

    /// The payload is the last column.
    payload_plan(connection& connection, result const& result) : incoming_(connection), place_(result.columns() - 1) {
        std::vector<difference> differences;
        alone<T>::check(connection, result, place_, differences);
        if (!differences.empty()) throw mismatch(type_name<T>(), "the queue's column \"payload\"", std::move(differences));
    }

    void decode(result const& result, int row, T& into) const {
        try {
            into = alone<T>::decode(incoming_, result, row, place_);
        } catch (value_error const& failure) {
            failure.rethrow_at("payload");
        }
    }

private:
    incoming incoming_;
    int place_;
};

}  // namespace isorow::inline v1::detail
