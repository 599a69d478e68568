#pragma once

/// @file
/// A value whose type is known at run time only: what a dynamic row holds.

#include <isorow/config.hpp>
#include <isorow/error/text.hpp>
#include <isorow/error/value_error.hpp>
#include <isorow/types/bits.hpp>
#include <isorow/types/date_time.hpp>
#include <isorow/types/field.hpp>
#include <isorow/types/hstore.hpp>
#include <isorow/types/network.hpp>
#include <isorow/types/numeric.hpp>
#include <isorow/types/sparsevec.hpp>
#include <isorow/types/uuid.hpp>
#include <isorow/types/vector.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace isorow::inline v1 {

/// NULL as a value: `{"note", null}`.
enum class null_value : std::uint8_t { null };
using enum null_value;

/// A JSON document as its text, for columns of jsonb and json. The server checks that it is one, and prints jsonb in its own form.
struct json_text {
    std::string text{};

    friend bool operator==(json_text const&, json_text const&) = default;
};

template <>
struct mapping<json_text> : detail::maps_to<type_id::jsonb> {
    static constexpr bool accepts(column_type other) { return !other.array && (other.id == type_id::jsonb || other.id == type_id::json); }
};

/// A value of a type that has no kind of its own, as the server prints it: `{"inet", "10.0.0.1"}`, `{"tsvector", "'a' 'b'"}`. Those of
/// isorow's value types (inet, cidr, macaddr, macaddr8, bit, varbit, sparsevec, hstore) are also written, to columns of their types. A
/// numrange's bound of ten bytes may be a text of 147 456 characters: where the server is not trusted, read it as `range<numeric>`, which
/// grows as the bytes do.
struct other_text {
    std::string type{};
    std::string text{};

    friend bool operator==(other_text const&, other_text const&) = default;
};

/// What a dynamic value is, in the order in which it is held.
enum class value_kind : std::uint8_t {
    null,
    boolean,
    integer,
    floating_point,
    numeric,
    text,
    bytes,
    uuid,
    date,
    time,
    timetz,
    timestamp,
    timestamptz,
    interval,
    json,
    vector,
    array,
    other,
};

namespace detail {

/// Whether values of the type are held as an `other_text`, by their types' `parse` and `to_string`.
[[nodiscard]] constexpr bool is_held_as_text(type_id id) noexcept {
    switch (id) {
        case type_id::inet:
        case type_id::cidr:
        case type_id::macaddr:
        case type_id::macaddr8:
        case type_id::bit:
        case type_id::varbit:
        case type_id::sparsevec:
        case type_id::hstore:
            return true;
        default:
            return false;
    }
}

/// How a C++ type stands in a dynamic value. A specialisation holds one or both of
/// - `static auto hold(T const&)`: one of the value's alternatives, or a whole value;
/// - `static T read(dynamic_value const&)`: throws `unrepresentable` where the value is none of T's.
template <class T>
struct dynamic_form;

template <class T>
concept holdable = requires(typename field_traits<T>::value const& value) { dynamic_form<typename field_traits<T>::value>::hold(value); };

}  // namespace detail

/// NULL, or a value of one of the kinds that Postgres' types have: every integer is held as 64 bits, every floating point number as a
/// double, every list but `std::vector<float>` and bytes as an array of dynamic values. Equal where kind and value are.
class dynamic_value {
public:
    /// A list; those of several dimensions are arrays of arrays. One array in another is written `array{dynamic_value(array{…})}`: what a
    /// list of one of its own kind means is not the same to all compilers.
    using array = std::vector<dynamic_value>;
    using storage = std::variant<null_value, bool, std::int64_t, double, isorow::numeric, std::string, std::vector<std::byte>, isorow::uuid,
                                 isorow::date, isorow::time, isorow::timetz, isorow::timestamp, isorow::timestamptz, isorow::interval,
                                 json_text, std::vector<float>, array, other_text>;

    /// NULL.
    dynamic_value() = default;
    dynamic_value(null_value) noexcept {}  // NOLINT(google-explicit-constructor): a value of any kind stands for itself
    dynamic_value(array elements);         // NOLINT(google-explicit-constructor)
    dynamic_value(dynamic_value const& other);
    dynamic_value(dynamic_value&& other) noexcept;
    dynamic_value& operator=(dynamic_value const& other);
    dynamic_value& operator=(dynamic_value&& other) noexcept;
    ~dynamic_value();

    /// A value of a type of docs/types.md, of `std::optional` of one, or of an unsigned integer: one beyond 64 bits with sign is a numeric.
    template <detail::holdable T>
    dynamic_value(T const& value) {  // NOLINT(google-explicit-constructor)
        using traits = field_traits<T>;
        if (traits::has_value(value)) set(detail::dynamic_form<typename traits::value>::hold(traits::get(value)));
    }
    dynamic_value(char const* text) : storage_(std::string(text)) {}  // NOLINT(google-explicit-constructor)
    dynamic_value(std::nullptr_t) = delete;                           // NULL is written `null`

    [[nodiscard]] value_kind kind() const noexcept { return static_cast<value_kind>(storage_.index()); }
    [[nodiscard]] bool is_null() const noexcept { return kind() == value_kind::null; }

    /// The value as a T: exactly the same value in another type, or, for floating point numbers out of a numeric, the nearest. NULL is
    /// read as an empty `std::optional`. Throws `unrepresentable` where T does not have the value.
    template <class T>
    [[nodiscard]] T as() const {
        static_assert(
            requires { detail::dynamic_form<T>::read(*this); },
            "isorow: a dynamic value cannot be read as this type; docs/types.md lists the types that it can be read as");
        return detail::dynamic_form<T>::read(*this);
    }

    /// The value as it is held, or null where it is of another kind.
    template <class Held>
    [[nodiscard]] Held const* get_if() const noexcept {
        return std::get_if<Held>(&storage_);
    }
    template <class Held>
    [[nodiscard]] Held* get_if() noexcept {
        return std::get_if<Held>(&storage_);
    }

    /// Calls `visitor` with the value as it is held.
    template <class Visitor>
    decltype(auto) visit(Visitor&& visitor) const {
        return std::visit(std::forward<Visitor>(visitor), storage_);
    }

    /// What it is, in an error's words: `text`, `a numeric`.
    [[nodiscard]] std::string kind_name() const;

    // Not visible but for dynamic values: what converts to one must not be compared as one.
    friend bool operator==(dynamic_value const& left, dynamic_value const& right) { return left.equals(right); }

private:
    [[nodiscard]] bool equals(dynamic_value const& other) const;

    template <class Value>
    void set(Value&& value) {
        using plain = std::remove_cvref_t<Value>;
        if constexpr (std::same_as<plain, dynamic_value>) *this = std::forward<Value>(value);
        else storage_.template emplace<plain>(std::forward<Value>(value));
    }

    storage storage_{};
};

#if ISOROW_HAS_CODE
ISOROW_DECL dynamic_value::dynamic_value(array elements) : storage_(std::move(elements)) {}
ISOROW_DECL dynamic_value::dynamic_value(dynamic_value const& other) = default;
ISOROW_DECL dynamic_value::dynamic_value(dynamic_value&& other) noexcept = default;
ISOROW_DECL dynamic_value& dynamic_value::operator=(dynamic_value const& other) = default;
ISOROW_DECL dynamic_value& dynamic_value::operator=(dynamic_value&& other) noexcept = default;
ISOROW_DECL dynamic_value::~dynamic_value() = default;
ISOROW_DECL bool dynamic_value::equals(dynamic_value const& other) const { return storage_ == other.storage_; }
#endif

/// The value for people: texts as they are, `NULL`, `{1, NULL}`, `[0.5, 1]`, bytes as `\x…`. A template, so that nothing is converted.
template <std::same_as<dynamic_value> Value>
[[nodiscard]] std::string to_string(Value const& value);
template <std::same_as<dynamic_value> Value>
std::ostream& operator<<(std::ostream& out, Value const& value) {
    return out << to_string(value);
}

}  // namespace isorow::inline v1

#include <isorow/codec/detail/dynamic_form.hpp>
