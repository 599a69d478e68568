#pragma once

/// @file
/// Facts about a column written into the type of its field, for those who want them there rather than in the overlay.

#include <isorow/config.hpp>
#include <isorow/reflect/fixed_string.hpp>
#include <isorow/types/column_type.hpp>
#include <isorow/types/vector_schema.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace isorow::inline v1 {

/// The column's type as SQL writes it: `pg_type<"varchar(32)">`. A type that isorow does not know does not compile. At run time, as an
/// override of a `table_schema`, it is written `pg_type{"varchar(32)"}`.
template <fixed_string Sql = "">
struct pg_type {
    static constexpr bool known = [] {
        column_type ignored;
        return parse_column_type(Sql.view(), ignored);
    }();
    static_assert(known, "isorow: pg_type<\"…\"> names a type that isorow does not know; it knows those of docs/types.md");
    static constexpr column_type type = [] {
        column_type read;
        static_cast<void>(parse_column_type(Sql.view(), read));
        return read;
    }();

    [[nodiscard]] static constexpr std::string_view view() noexcept { return Sql.view(); }
};

/// A type that is known at run time only; whoever takes it checks it.
template <>
struct pg_type<""> {
    std::string sql;
};
pg_type(std::string) -> pg_type<>;

#if ISOROW_HAS_REFLECTION
namespace detail {

/// Stands for a text of so many characters that is a value, not a template argument.
template <std::size_t Size>
consteval fixed_string<Size> unsaid() {
    char const nothing[Size]{};
    return fixed_string<Size>(nothing);
}

}  // namespace detail

/// A type as annotations say it: `[[=isorow::pg_type("integer")]]`. Whoever takes it checks it.
template <fixed_string Sql>
    requires(Sql.view().size() > 0 && Sql.view().front() == '\0')
struct pg_type<Sql> {
    char sql[Sql.view().size() + 1]{};

    consteval explicit(false) pg_type(char const (&text)[Sql.view().size() + 1]) { std::ranges::copy(text, sql); }
    [[nodiscard]] constexpr std::string_view view() const noexcept { return {sql, Sql.view().size()}; }
};
template <std::size_t Size>
    requires(Size > 1)
pg_type(char const (&)[Size]) -> pg_type<detail::unsaid<Size>()>;
#endif

/// A T whose column is described by `Tags`: a `pg_type<…>`, a `vector_schema<…>`, or a type with a constant `vector_schema()`, such as
/// an embedding model. It is a T in all other respects: class types are derived from, scalars converted to and from.
template <class T, class... Tags>
class annotated : public T {
public:
    using T::T;
    using T::operator=;

    annotated() = default;
    annotated(T const& value) : T(value) {}        // NOLINT(google-explicit-constructor): it is a T
    annotated(T&& value) : T(std::move(value)) {}  // NOLINT(google-explicit-constructor)
};

template <class T, class... Tags>
    requires(!std::is_class_v<T>)
class annotated<T, Tags...> {
public:
    constexpr annotated() = default;
    constexpr annotated(T value) : value_(value) {}                  // NOLINT(google-explicit-constructor): it is a T
    constexpr operator T const&() const noexcept { return value_; }  // NOLINT(google-explicit-constructor)
    constexpr operator T&() noexcept { return value_; }              // NOLINT(google-explicit-constructor)

private:
    T value_{};
};

namespace detail {

template <class Tag>
concept names_a_type = requires {
    { Tag::type } -> std::convertible_to<column_type>;
};

/// A tag whose shape is known to the compiler: a `vector_schema<…>`, or a provider whose `vector_schema()` is a constant.
template <class Tag>
concept has_constant_shape = requires { std::integral_constant<std::size_t, Tag::shape().size>{}; } || requires {
    std::integral_constant<std::size_t, Tag::vector_schema().size>{};
} || requires { std::integral_constant<std::size_t, Tag{}.vector_schema().size>{}; };

template <has_constant_shape Tag>
constexpr vector_shape shape_of_tag() {
    if constexpr (requires { Tag::shape(); }) return Tag::shape();
    else if constexpr (requires { std::integral_constant<std::size_t, Tag::vector_schema().size>{}; }) return Tag::vector_schema();
    else return Tag{}.vector_schema();
}

template <class Tag>
constexpr void read_tag(column_type& type, bool& said) {
    static_assert(!std::is_same_v<Tag, pg_type<>> && !std::is_same_v<Tag, vector_schema<>>,
                  "isorow: an annotation says its type or size where it stands: pg_type<\"…\">, vector_schema<N>");
    if constexpr (names_a_type<Tag>) {
        type = Tag::type;
        said = true;
    } else if constexpr (has_constant_shape<Tag>) {
        type = column_type_of(shape_of_tag<Tag>());
        said = true;
    }
}

}  // namespace detail

}  // namespace isorow::inline v1
