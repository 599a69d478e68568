#pragma once

/// @file
/// Structs taken apart by C++26's reflection. The fields of base classes come first, in the order of the bases; C arrays are one field.

#include <isorow/reflect/detail/shapes.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <meta>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace isorow::inline v1::reflect {

/// The most fields a struct may have: the most columns that Postgres gives a table (MaxHeapAttributeNumber).
inline constexpr std::size_t field_limit = 1600;

namespace detail {

using std::meta::info;

/// A base class and the place of its first field among those of the struct.
struct base_part {
    info type;
    std::size_t first;
};

/// Takes apart `type`; what is said of bases is said of theirs, too.
struct anatomy {
    std::vector<info> fields{};
    std::vector<base_part> bases{};
    bool has_plain_bases = true;

    consteval void add(info type) {
        auto const everything = std::meta::access_context::unchecked();
        for (auto const base : std::meta::bases_of(type, everything)) add_base(base);
        for (auto const field : std::meta::nonstatic_data_members_of(type, everything)) fields.push_back(field);
    }

private:
    consteval void add_base(info base) {
        auto const type = std::meta::dealias(std::meta::type_of(base));
        for (auto const& other : bases) has_plain_bases = has_plain_bases && other.type != type;
        has_plain_bases =
            has_plain_bases && std::meta::is_aggregate_type(type) && std::meta::is_public(base) && !std::meta::is_virtual(base);
        bases.push_back({type, fields.size()});
        add(type);
    }
};

consteval anatomy anatomy_of(info type) {
    anatomy result;
    result.add(std::meta::remove_cv(type));
    return result;
}

/// Whether a reference to the value of the field can be had, and a name for its column.
consteval bool is_plain_field(info field) {
    return std::meta::has_identifier(field) && !std::meta::is_bit_field(field) && !std::meta::is_reference_type(std::meta::type_of(field));
}

/// The place of an annotation that stands on the struct itself.
inline constexpr std::size_t on_struct = static_cast<std::size_t>(-1);

/// An annotation, by whomever, and the place of its field.
struct placed_annotation {
    info annotation{};
    std::size_t place = on_struct;
};

/// The first fields of a type in order with the annotations of the struct and its fields, taken from the compiler once, and what is asked
/// of all of them. The compiler is slow at loops in constant expressions, and at those over iterators above all: what is done for all
/// fields of all structs is done in few loops, with plain pointers.
struct first_fields {
    static constexpr std::size_t room = 32;

    std::size_t count = 0;             ///< of all fields
    std::size_t annotation_count = 0;  ///< of all annotations
    bool has_bases = false;
    bool has_plain_bases = true;  ///< as `anatomy` says it
    bool has_unnamed = false;     ///< one of them is no plain field
    std::array<info, room> fields{};
    std::array<placed_annotation, room> annotations{};

    consteval explicit first_fields(info alias) {
        auto const type = std::meta::dealias(alias);  // which alone has the annotations
        auto const everything = std::meta::access_context::unchecked();
        add_annotations(std::meta::annotations_of(type), on_struct);
        has_bases = !std::meta::bases_of(type, everything).empty();
        if (has_bases) {
            auto const whole = anatomy_of(type);
            has_plain_bases = whole.has_plain_bases;
            take(whole.fields);
        } else {
            take(std::meta::nonstatic_data_members_of(type, everything));
        }
    }

    [[nodiscard]] consteval bool has_all() const { return count <= room; }
    [[nodiscard]] consteval bool has_all_annotations() const { return annotation_count <= room; }

private:
    consteval void take(std::vector<info> const& all) {
        count = all.size();
        auto const* const first = all.data();
        auto const* const end = first + count;
        auto* next = fields.data();
        for (auto const* field = first; field != end; ++field) {
            if (!is_plain_field(*field)) has_unnamed = true;
            auto const place = static_cast<std::size_t>(field - first);
            if (place < room) *next++ = *field;
            auto const said = std::meta::annotations_of(*field);
            if (said.data() != nullptr) add_annotations(said, place);
        }
    }

    consteval void add_annotations(std::vector<info> const& said, std::size_t place) {
        for (auto const annotation : said) {
            if (annotation_count < room) annotations[annotation_count] = {annotation, place};
            ++annotation_count;
        }
    }
};

template <class T>
inline constexpr first_fields first_fields_of{^^std::remove_cv_t<T>};

/// Whether the fields of T are those that it declares itself: then nothing needs to be gathered.
template <class T>
inline constexpr bool has_own_fields_alone = !first_fields_of<T>.has_bases;

/// All fields of T, for structs of many.
template <class T>
inline constexpr auto gathered_fields = [] {
    std::array<info, first_fields_of<T>.count> fields{};
    std::ranges::copy(anatomy_of(^^T).fields, fields.begin());
    return fields;
}();

/// The fields of T in order.
template <class T>
inline constexpr std::span<info const> fields_of = gathered_fields<T>;
template <class T>
    requires(first_fields_of<T>.has_all())
inline constexpr std::span<info const> fields_of<T>{first_fields_of<T>.fields.data(), first_fields_of<T>.count};

/// All annotations of T and its fields, for structs of many.
template <class T>
inline constexpr auto gathered_annotations = [] {
    std::array<placed_annotation, first_fields_of<T>.annotation_count> annotations{};
    auto* next = annotations.data();
    for (auto const annotation : std::meta::annotations_of(^^T)) *next++ = {annotation, on_struct};
    std::size_t place = 0;
    for (auto const field : fields_of<T>) {
        for (auto const annotation : std::meta::annotations_of(field)) *next++ = {annotation, place};
        ++place;
    }
    return annotations;
}();

/// The annotations of T and its fields in order.
template <class T>
inline constexpr std::span<placed_annotation const> annotations_of = gathered_annotations<T>;
template <class T>
    requires(first_fields_of<T>.has_all_annotations())
inline constexpr std::span<placed_annotation const> annotations_of<T>{first_fields_of<T>.annotations.data(),
                                                                      first_fields_of<T>.annotation_count};

template <class T>
inline constexpr std::span<base_part const> bases_of = [] {
    if constexpr (has_own_fields_alone<T>) return std::span<base_part const>{};
    else return std::define_static_array(anatomy_of(^^T).bases);
}();

}  // namespace detail

/// Whether T has a base class.
template <class T>
consteval bool has_base() {
    return !detail::has_own_fields_alone<T>;
}

/// The number of fields of T and its base classes.
template <class T>
inline constexpr std::size_t flat_field_count = detail::first_fields_of<T>.count;

/// The place of the first C array among the fields of T, or the number of its fields where it has none.
template <class T>
consteval std::size_t first_array() {
    std::size_t place = 0;
    for (auto const field : detail::fields_of<T>) {
        if (std::meta::is_array_type(std::meta::type_of(field))) break;
        ++place;
    }
    return place;
}

/// What T is to reflection.
template <class T>
consteval shape shape_of() {
    if constexpr (!std::is_class_v<T> || !std::is_aggregate_v<T> || detail::is_standard_array<T>) {
        return shape::no_aggregate;
    } else {
        constexpr auto const& fields = detail::first_fields_of<T>;
        if (!fields.has_plain_bases) return shape::has_base;
        if (fields.count == 0) return shape::no_fields;
        if (fields.count > field_limit) return shape::too_many_fields;
        return fields.has_unnamed ? shape::has_unnamed : shape::plain;
    }
}

/// Calls `function(std::type_identity<Base>{}, first)` for each base class of T, those of its bases included, with the place of the base's
/// first field among T's.
template <class T, class Function>
constexpr void for_each_base(Function&& function) {
    [&]<std::size_t... Index>(std::index_sequence<Index...>) {
        (function(std::type_identity<typename[:detail::bases_of<T>[Index].type:]>{},
                  std::integral_constant<std::size_t, detail::bases_of<T>[Index].first>::value),
         ...);
    }(std::make_index_sequence<detail::bases_of<T>.size()>{});
}

namespace detail {

template <class T, std::size_t Index>
using declared_field = typename[:std::meta::type_of(fields_of<T>[Index]):];

template <std::size_t Count>
consteval std::array<std::string_view, Count> names_of(info const* field) {
    std::array<std::string_view, Count> names{};
    auto* const end = names.data() + Count;
    for (auto* name = names.data(); name != end; ++name) *name = std::meta::identifier_of(*field++);
    return names;
}
template <class T>
consteval auto names_of_fields() {
    return names_of<first_fields_of<T>.count>(fields_of<T>.data());
}

template <std::size_t Index, class T>
constexpr decltype(auto) field_at(T& value) noexcept {
    return (value.[:fields_of<std::remove_const_t<T>>[Index]:]);
}

}  // namespace detail

}  // namespace isorow::inline v1::reflect
