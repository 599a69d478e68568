#pragma once

/// @file
/// `std::variant` as a JSON object: {"type": "Circle", "value": {"radius": 1}}.

#include <isorow/json/structure.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace isorow::inline v1 {

/// The alternative that stands for nothing is null.
template <>
struct json_format<std::monostate> {
    static constexpr bool has_null = true;
    static constexpr std::string_view name = "null";
    static void write(std::monostate, json_writer& out) { out.put_null(); }
    static std::monostate read(json_reader& in) {
        in.take_null();
        return {};
    }
};

namespace detail {

/// The name of an alternative; empty where it has none that all compilers agree on.
template <class T>
constexpr std::string_view json_alternative_name() {
    if constexpr (requires { std::string_view(T::isorow_json_name); }) return T::isorow_json_name;
    else if constexpr (requires { std::string_view(json_format<T>::name); }) return json_format<T>::name;
    else if constexpr (json_has_null<T> || type_name<T>().find('<') != std::string_view::npos) return {};
    else return type_name<T>();
}

template <class... Alternatives>
struct json_alternatives {
    static constexpr std::size_t count = sizeof...(Alternatives);
    static constexpr std::array<std::string_view, count> names{json_alternative_name<Alternatives>()...};
    static constexpr bool are_named = [] {
        for (std::size_t i = 0; i < count; ++i) {
            if (names[i].empty()) return false;
            for (std::size_t j = 0; j < i; ++j)
                if (names[i] == names[j]) return false;
        }
        return true;
    }();

    [[nodiscard]] static std::size_t find(std::string_view name) noexcept {
        std::size_t index = 0;
        while (index < count && names[index] != name) ++index;
        return index;
    }
};

}  // namespace detail

/// A variant is an object of two members, "type" and "value". The type is
/// - the alternative's name, where each has one and no two are the same: what a struct says by `static constexpr std::string_view
///   isorow_json_name`, else the struct's name without namespaces, or "boolean", "integer", "number", "string", "list", "object" and so on;
/// - its index otherwise, as for `std::variant<int, long>`.
///
/// Structs may be renamed, and alternatives added, as long as these names stay; a type that is not known is an error when it is read.
template <json_formattable... Alternatives>
struct json_format<std::variant<Alternatives...>> {
    using variant = std::variant<Alternatives...>;

    static void write(variant const& value, json_writer& out) {
        if (value.valueless_by_exception()) out.refuse("the variant has no value");
        out.put_raw("{\"type\": ");
        if constexpr (alternatives::are_named) out.put_string(alternatives::names[value.index()]);
        else out.put_integer(value.index());
        out.put_raw(", \"value\": ");
        json_path::step const inside(out.path(), "value");
        std::visit([&]<class Alternative>(Alternative const& held) { json_format<Alternative>::write(held, out); }, value);
        out.put_raw("}");
    }

    static variant read(json_reader& in) {
        constexpr std::size_t nowhere = static_cast<std::size_t>(-1);
        std::optional<std::size_t> index;
        std::optional<variant> value;
        std::size_t early = nowhere;  // a value that stands before its type, as json columns may have it
        in.take_members([&](std::string_view name) {
            if (name == "type" && !index) {
                index = take_type(in);
            } else if (name == "value" && !value && early == nowhere) {
                if (index) return void(value = read_alternative(*index, in));
                early = in.place();
                in.skip();
            } else {
                in.refuse("a variant has one member type and one member value, and no others");
            }
        });
        if (!index || (!value && early == nowhere)) in.refuse("the variant has no member {}", index ? "value" : "type");
        if (!value) value = read_earlier(*index, early, in);
        return *std::move(value);
    }

private:
    using alternatives = detail::json_alternatives<Alternatives...>;
    using reader = variant (*)(json_reader&);

    template <std::size_t Index>
    static variant read_at(json_reader& in) {
        return variant(std::in_place_index<Index>, json_format<std::variant_alternative_t<Index, variant>>::read(in));
    }

    [[nodiscard]] static variant read_alternative(std::size_t index, json_reader& in) {
        constexpr auto readers = []<std::size_t... Index>(std::index_sequence<Index...>) {
            return std::array<reader, sizeof...(Index)>{&read_at<Index>...};
        }(std::index_sequence_for<Alternatives...>{});
        return readers[index](in);
    }

    [[nodiscard]] static variant read_earlier(std::size_t index, std::size_t place, json_reader& in) {
        auto const end = in.place();
        in.return_to(place);
        json_path::step const inside(in.path(), "value");
        auto value = read_alternative(index, in);
        in.return_to(end);
        return value;
    }

    [[nodiscard]] static std::size_t take_type(json_reader& in) {
        std::size_t index = alternatives::count;
        if constexpr (alternatives::are_named) index = alternatives::find(in.take_string());
        else index = json_format<std::size_t>::read(in);
        if (index >= alternatives::count) in.refuse("the variant has no such alternative");
        return index;
    }
};

}  // namespace isorow::inline v1
