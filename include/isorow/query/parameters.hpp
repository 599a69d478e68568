#pragma once

#include <isorow/codec/row.hpp>
#include <isorow/codec/scalars.hpp>
#include <isorow/error/suggest.hpp>
#include <isorow/pq/connection.hpp>
#include <isorow/pq/parameters.hpp>
#include <isorow/query/sql_text.hpp>
#include <isorow/types/field.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

/// An argument with a name, made by `arg`. Refers to its value.
template <class Value>
struct named_argument {
    std::string_view name;
    Value const& value;
};

/// An argument for the parameter `%(name)s` or `:name`: `execute(db, "… where id = :id", arg("id", 7))`.
template <class Value>
[[nodiscard]] named_argument<Value> arg(std::string_view name, Value const& value) noexcept {
    return {name, value};
}

namespace detail {

template <class Argument>
inline constexpr bool is_named_argument = false;
template <class Value>
inline constexpr bool is_named_argument<named_argument<Value>> = true;

/// The OID of a column's type; one of an extension or of the user's is asked for where it is not known yet.
template <column_type Type>
[[nodiscard]] oid oid_on(connection& connection, limits const& limits) {
    if constexpr (Type.oid() != 0) return Type.oid();
    else return connection.types().learn(connection, Type.base(), limits);
}

template <column_type Type>
inline constexpr bool is_json_type = !Type.array && (Type.id == type_id::json || Type.id == type_id::jsonb);

/// Appends a value; of a document the text that the connection's json_serializer makes of it.
template <class Codec, column_type Type, class Value>
void encode_for(connection const& connection, Value const& value, byte_writer& out) {
    if constexpr (is_json_type<Type>) {
        if (auto const& serializer = connection.options().json_serializer) {
            byte_writer own;
            encode<Codec>(value, own);
            byte_reader document(own.bytes());
            if constexpr (Type.id == type_id::jsonb) out.put_int8(document.take_int8());  // the format's version
            out.put_bytes(serializer(document.take_rest_as_text()));
            return;
        }
    }
    encode<Codec>(value, out);
}

template <class Argument>
void bind_one(parameters& bound, connection& connection, limits const& limits, Argument const& argument) {
    if constexpr (std::convertible_to<Argument const&, std::string_view>) {
        using text_codec = codec<std::string_view, column_type{type_id::text}>;
        encode<text_codec>(std::string_view(argument), bound.add(entry_of(type_id::text).oid));
        bound.end();
    } else {
        using traits = field_traits<Argument>;
        static_assert(traits::has_type,
                      "isorow: this argument's type has no Postgres type of its own; docs/types.md lists those that have one");
        auto const oid = oid_on<traits::type>(connection, limits);
        if (!traits::has_value(argument)) return bound.add_null(oid);
        bound.set_types(&connection.types());
        encode_for<codec<typename traits::value, traits::type>, traits::type>(connection, traits::get(argument), bound.add(oid));
        bound.end();
    }
}

/// Binds a struct's field as the value of its column, with the type that the overlay says.
template <class T, std::size_t Place>
void bind_field(parameters& bound, connection& connection, limits const& limits, T const& row) {
    using field = field_codec<T, Place>;
    auto const oid = oid_on<columns_of<T>[Place].type>(connection, limits);
    auto const& stored = reflect::get<Place>(row);
    if (!field::traits::has_value(stored)) return bound.add_null(oid);
    bound.set_types(&connection.types());
    encode_for<typename field::codec, columns_of<T>[Place].type>(connection, field::traits::get(stored), bound.add(oid));
    bound.end();
}

/// Binds the field or column of a name; false where the struct has none.
template <class T>
[[nodiscard]] bool bind_field_named(parameters& bound, connection& connection, limits const& limits, T const& row, std::string_view name) {
    bool done = false;
    reflect::for_each_index<T>([&](auto place) {
        constexpr auto const& column = columns_of<T>[decltype(place)::value];
        if (done || (column.field != name && column.name != name)) return;
        bind_field<T, decltype(place)::value>(bound, connection, limits, row);
        done = true;
    });
    return done;
}

template <class T>
    requires(!is_named_argument<T>)
void bind_names(parameters& bound, connection& connection, limits const& limits, std::span<std::string const> names, T const& row) {
    for (auto const& name : names) {
        try {
            if (!bind_field_named(bound, connection, limits, row, name))
                throw usage_error(text("{} has no field \"{}\" for the parameter of that name{}", type_name<T>(), name,
                                       did_you_mean(name, reflect::field_names<T>)));
        } catch (value_error const& failure) {
            failure.rethrow_at(text("{}.{}", type_name<T>(), name));
        }
    }
}

template <class... Values>
void bind_names(parameters& bound, connection& connection, limits const& limits, std::span<std::string const> names,
                named_argument<Values> const&... arguments) {
    std::array<std::string_view, sizeof...(Values)> const given{arguments.name...};
    for (auto const name : given)
        if (std::find(names.begin(), names.end(), name) == names.end())
            throw usage_error(text("the statement has no parameter named \"{}\"{}", name, did_you_mean(name, names)));
    for (auto const& name : names) {
        bool done = false;
        auto const bind_if = [&](auto const& argument) {
            if (done || argument.name != name) return;
            bind_one(bound, connection, limits, argument.value);
            done = true;
        };
        try {
            (bind_if(arguments), ...);
        } catch (value_error const& failure) {
            failure.rethrow_at(text("parameter {}", name));
        }
        if (!done) throw usage_error(text("no argument is given for the parameter \"{}\"", name));
    }
}

/// Whether the arguments come by name: each made by `arg`, or one struct.
template <class... Arguments>
consteval bool may_be_named() {
    if constexpr (sizeof...(Arguments) > 0 && (is_named_argument<Arguments> && ...)) return true;
    else if constexpr (sizeof...(Arguments) == 1) return (reflect::reflectable<Arguments> && ...);
    else return false;
}
template <class... Arguments>
consteval bool may_be_positional() {
    return (
        (!is_named_argument<Arguments> && (std::convertible_to<Arguments const&, std::string_view> || field_traits<Arguments>::has_type)) &&
        ...);
}

}  // namespace detail

/// Appends the arguments of a statement in binary, each with its type's OID, for `$1`, `$2` and so on. Throws `unrepresentable`, with the
/// parameter's number, for a value that its type cannot hold.
template <class... Arguments>
void bind_parameters(parameters& bound, connection& connection, limits const& limits, Arguments const&... arguments) {
    [[maybe_unused]] int number = 0;
    [[maybe_unused]] auto const bind_next = [&](auto const& argument) {
        ++number;
        try {
            detail::bind_one(bound, connection, limits, argument);
        } catch (value_error const& failure) {
            failure.rethrow_at(text("parameter ${}", number));
        }
    };
    (bind_next(arguments), ...);
}

namespace detail {

/// The connection's room for parameters, or one of its own where that is in use.
class parameter_room {
public:
    explicit parameter_room(connection& connection) : connection_(&connection), place_(connection.take_room()) {
        if (place_ == nullptr) place_ = &own_.emplace();
    }
    parameter_room(parameter_room const&) = delete;
    parameter_room& operator=(parameter_room const&) = delete;
    ~parameter_room() {
        if (!own_) connection_->give_room();
    }

    [[nodiscard]] parameters& operator*() noexcept { return *place_; }
    [[nodiscard]] parameters const& operator*() const noexcept { return *place_; }

private:
    connection* connection_;
    std::optional<parameters> own_{};
    parameters* place_;
};

}  // namespace detail

/// A statement with its arguments bound, ready to be sent. The text that it was made from must outlive it.
class bound_statement {
public:
    /// Throws `usage_error` where arguments and parameters do not fit, and what `bind_parameters` throws.
    template <class... Arguments>
    bound_statement(connection& connection, limits const& limits, sql_text const& sql, Arguments const&... arguments)
        : text_(sql, sizeof...(Arguments), by_name<Arguments...>(sql)), values_(connection) {
        constexpr bool named = detail::may_be_named<Arguments...>();
        constexpr bool positional = detail::may_be_positional<Arguments...>();
        if constexpr (named) {
            if (!positional || by_name<Arguments...>(sql)) {
                detail::bind_names(*values_, connection, limits, text_.names(), arguments...);
                return;
            }
        }
        if constexpr (positional || !named) bind_parameters(*values_, connection, limits, arguments...);
    }

    [[nodiscard]] std::string_view sql() const noexcept { return text_.text(); }
    [[nodiscard]] parameters const& values() const noexcept { return *values_; }
    /// The names of its parameters in the order of their numbers; empty where they have none.
    [[nodiscard]] std::vector<std::string> const& names() const noexcept { return text_.names(); }

private:
    /// A struct with a type of its own (as a document) is one value, unless the statement names its parameters.
    template <class... Arguments>
    [[nodiscard]] static bool by_name(sql_text const& sql) {
        if constexpr (!detail::may_be_named<Arguments...>()) return false;
        else if constexpr (!detail::may_be_positional<Arguments...>()) return true;
        else {
            auto const style = (sql.has_shape() ? sql.shape() : detail::shape_of(sql.text())).style;
            return style == parameter_style::pyformat || style == parameter_style::colon;
        }
    }

    detail::prepared_text text_;
    detail::parameter_room values_;
};

}  // namespace isorow::inline v1
