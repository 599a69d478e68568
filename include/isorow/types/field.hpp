#pragma once

/// @file
/// A field's type taken apart: the value that is encoded, whether it may be NULL, and what an annotation says of its column.

#include <isorow/types/annotated.hpp>
#include <isorow/types/c_array.hpp>
#include <isorow/types/mapping.hpp>

#include <optional>
#include <type_traits>

namespace isorow::inline v1 {

/// What a field's type says of its column. `value` is what codecs see: without `std::optional` and without annotations.
template <class Field>
struct field_traits {
    using value = Field;
    static constexpr bool nullable = false;
    static constexpr bool has_type = mapped<Field>;  ///< whether the column's type is known without the overlay
    static constexpr column_type type = [] {
        if constexpr (mapped<Field>) return mapping<Field>::type;
        else return column_type{};
    }();

    [[nodiscard]] static constexpr bool has_value(Field const&) noexcept { return true; }
    [[nodiscard]] static constexpr Field const& get(Field const& field) noexcept { return field; }
};

template <class T>
struct field_traits<std::optional<T>> : field_traits<T> {
    static constexpr bool nullable = true;

    [[nodiscard]] static constexpr bool has_value(std::optional<T> const& field) noexcept { return field.has_value(); }
    [[nodiscard]] static constexpr auto const& get(std::optional<T> const& field) noexcept { return field_traits<T>::get(*field); }
};

template <class T, class... Tags>
struct field_traits<annotated<T, Tags...>> : field_traits<T> {
private:
    struct said {
        column_type type = field_traits<T>::type;
        bool has_type = field_traits<T>::has_type;
    };
    static constexpr said tags = [] {
        said found;
        (detail::read_tag<Tags>(found.type, found.has_type), ...);
        return found;
    }();

public:
    static constexpr bool has_type = tags.has_type;
    static constexpr column_type type = tags.type;

    [[nodiscard]] static constexpr bool has_value(annotated<T, Tags...> const& field) noexcept {
        return field_traits<T>::has_value(static_cast<T const&>(field));
    }
    [[nodiscard]] static constexpr auto const& get(annotated<T, Tags...> const& field) noexcept {
        return field_traits<T>::get(static_cast<T const&>(field));
    }
};

}  // namespace isorow::inline v1
