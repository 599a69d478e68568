#pragma once

/// @file
/// A plain struct as a JSON object.

#include <isorow/json/format.hpp>
#include <isorow/json/mapping.hpp>
#include <isorow/reflect/fixed_string.hpp>
#include <isorow/schema/table.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace isorow::inline v1 {

/// What to do with a member of an object that the struct has no field for.
enum class unknown_members : std::uint8_t {
    ignore,  ///< passed over, as queries pass over columns; the value loses it when it is written back
    refuse,  ///< an error that names it
};

/// What a struct says of unknown members: `static constexpr auto isorow_unknown_members = isorow::unknown_members::refuse;` in the
/// struct, or a specialisation of this for structs that are not yours. Without either they are passed over.
template <class T>
inline constexpr unknown_members unknown_members_of = [] {
    if constexpr (requires { T::isorow_unknown_members; }) return T::isorow_unknown_members;
    else return unknown_members::ignore;
}();

namespace detail {

/// Prints the message for a field without a form. The compiler shows the template's arguments beside it.
template <fixed_string Struct, fixed_string Field, class Type, bool HasForm>
constexpr void require_json_form() {
    static_assert(HasForm,
                  "isorow: this field of a struct that is stored as JSON has no form in JSON; docs/types.md lists the types that have one; "
                  "specialise isorow::json_format for it");
}

template <class T, std::size_t Place>
constexpr void require_json_form_of_field() {
    using field = reflect::field_type<T, Place>;
    constexpr auto owner = type_name<T>();
    constexpr auto name = reflect::field_names<T>[Place];
    require_json_form<to_fixed_string<owner.size()>(owner), to_fixed_string<name.size()>(name), field, json_formattable<field>>();
}

/// The names of T's members, which are its columns', and their order in jsonb.
template <class T>
struct json_members {
    static constexpr std::size_t count = reflect::field_count<T>;
    static constexpr std::array<std::size_t, count> order = [] {
        std::array<std::size_t, count> places{};
        for (std::size_t i = 0; i < count; ++i) places[i] = i;
        std::sort(places.begin(), places.end(),
                  [](auto a, auto b) { return json_name_before(columns_of<T>[a].name, columns_of<T>[b].name); });
        return places;
    }();
    static constexpr bool are_distinct = [] {
        for (std::size_t i = 1; i < count; ++i)
            if (columns_of<T>[order[i - 1]].name == columns_of<T>[order[i]].name) return false;
        return true;
    }();
    static_assert(are_distinct, "isorow: two fields of this struct have the same name in JSON");

    /// The rank in `order` of a name, which usually is the one after the last; `count` where there is none.
    [[nodiscard]] static std::size_t rank_of(std::string_view name, std::size_t expected) noexcept {
        for (std::size_t i = 0; i < count; ++i) {
            auto const rank = expected + i < count ? expected + i : expected + i - count;
            if (columns_of<T>[order[rank]].name == name) return rank;
        }
        return count;
    }
};

/// What stands before the value of the member of a rank: `{"name": ` or `, "name": `.
template <class T, std::size_t Rank>
struct json_member_prefix {
    static constexpr std::string_view name = columns_of<T>[json_members<T>::order[Rank]].name;
    static constexpr std::string_view opening = Rank == 0 ? "{\"" : ", \"";
    static constexpr std::size_t size = [] {
        std::size_t sum = opening.size() + 3;
        for (char const character : name) sum += std::max<std::size_t>(json_escape_of(character).size, 1);
        return sum;
    }();
    static constexpr std::array<char, size> text = [] {
        std::array<char, size> result{};
        std::size_t place = 0;
        auto const put = [&](std::string_view part) {
            for (char const character : part) result[place++] = character;
        };
        put(opening);
        for (auto const& character : name) {
            auto const escape = json_escape_of(character);
            put(escape.size != 0 ? escape.view() : std::string_view(&character, 1));
        }
        put("\": ");
        return result;
    }();
};

template <class T>
concept json_struct = plain_struct<T> && json_document<T>;

template <class T>
concept empty_struct = std::is_class_v<T> && std::is_aggregate_v<T> && std::is_empty_v<T> && !reflect::detail::is_standard_array<T>;

}  // namespace detail

/// A struct is an object of its fields, by their columns' names: a `.column<&T::field>({.name = "postal code"})` in its overlay counts here
/// too. nullopt is null. When it is read, a member that is absent leaves an optional field as its initialiser says, and is an error for
/// others; an unknown member is passed over unless the struct refuses them; a name that comes twice is an error.
template <detail::json_struct T>
struct json_format<T> {
    static void write(T const& value, json_writer& out) { write_members(value, out, places{}); }

    static T read(json_reader& in) {
        T value{};
        std::array<bool, members::count> seen{};
        std::size_t expected = 0;
        in.take_members([&](std::string_view name) {
            auto const rank = members::rank_of(name, expected);
            if (rank == members::count) return take_unknown(in);
            if (std::exchange(seen[rank], true)) in.refuse("the object has the name twice");
            readers(places{})[rank](value, in);
            expected = rank + 1 == members::count ? 0 : rank + 1;
        });
        for (std::size_t rank = 0; rank < members::count; ++rank)
            if (!seen[rank]) require_optional(rank, in);
        return value;
    }

private:
    using members = detail::json_members<T>;
    using places = std::make_index_sequence<members::count>;
    using reader = void (*)(T&, json_reader&);

    template <std::size_t Rank>
    static void write_member(T const& value, json_writer& out) {
        constexpr auto place = members::order[Rank];
        detail::require_json_form_of_field<T, place>();
        using prefix = detail::json_member_prefix<T, Rank>;
        out.put_raw({prefix::text.data(), prefix::size});
        json_path::step const inside(out.path(), prefix::name);
        if constexpr (json_formattable<reflect::field_type<T, place>>)
            json_format<reflect::field_type<T, place>>::write(reflect::get<place>(value), out);
    }

    template <std::size_t... Rank>
    static void write_members(T const& value, json_writer& out, std::index_sequence<Rank...>) {
        (write_member<Rank>(value, out), ...);
        out.put_raw("}");
    }

    template <std::size_t Rank>
    static void read_member(T& value, json_reader& in) {
        constexpr auto place = members::order[Rank];
        detail::require_json_form_of_field<T, place>();
        if constexpr (json_formattable<reflect::field_type<T, place>>)
            reflect::get<place>(value) = json_format<reflect::field_type<T, place>>::read(in);
    }

    template <std::size_t... Rank>
    static constexpr std::array<reader, sizeof...(Rank)> readers(std::index_sequence<Rank...>) {
        return {&read_member<Rank>...};
    }

    static void take_unknown(json_reader& in) {
        if constexpr (unknown_members_of<T> == unknown_members::refuse) in.refuse("{} has no such field", type_name<T>());
        else in.skip();
    }

    static void require_optional(std::size_t rank, json_reader& in) {
        auto const& column = columns_of<T>[members::order[rank]];
        if (column.nullable) return;
        json_path::step const inside(in.path(), column.name);
        in.refuse("the member is missing; a field that may be is std::optional");
    }
};

/// A struct without fields is an empty object; its use is to be an alternative of a variant.
template <detail::empty_struct T>
struct json_format<T> {
    static void write(T const&, json_writer& out) { out.put_raw("{}"); }
    static T read(json_reader& in) {
        in.take_members([&](std::string_view) {
            if constexpr (unknown_members_of<T> == unknown_members::refuse) in.refuse("{} has no fields", type_name<T>());
            else in.skip();
        });
        return T{};
    }
};

}  // namespace isorow::inline v1
