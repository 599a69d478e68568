#pragma once

/// @file
/// Which column of a result each part of a row comes from, proved by OID once per statement.

#include <isorow/codec/row.hpp>
#include <isorow/codec/scalars.hpp>
#include <isorow/error/mismatch.hpp>
#include <isorow/pq/connection.hpp>
#include <isorow/pq/result.hpp>

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

/// The catalogue's entry of an OID, or null for one that is not Postgres' own.
[[nodiscard]] inline type_entry const* find_entry(oid type, bool& array) noexcept {
    for (auto const& entry : type_catalog) {
        if (entry.oid == 0) continue;
        if (entry.oid == type || entry.array_oid == type) {
            array = entry.array_oid == type;
            return &entry;
        }
    }
    return nullptr;
}

/// The type's name for a report; types that only the database knows are looked up on the connection where it is free to answer.
[[nodiscard]] inline std::string name_of_type(connection& connection, oid type) {
    bool array = false;
    if (auto const* const entry = find_entry(type, array)) return std::string(entry->sql_name) + (array ? "[]" : "");
    if (auto name = connection.types().name_of(connection, type)) return *name;
    return text("a type with the OID {}", type);
}

/// Whether a column of type `found` can be decoded by the codec of `Value` as `As`.
template <class Value, column_type As>
[[nodiscard]] bool can_read(connection& connection, oid found) {
    if (As.oid() != 0 && found == As.oid()) return true;
    if constexpr (As.oid() == 0)
        if (connection.types().known_oid_of(As.base()) == found) return true;
    using codec = isorow::codec<Value, As>;
    if constexpr (requires { codec::reads(type_id::text); }) {
        bool array = false;
        auto const* const other = find_entry(found, array);
        if (other != nullptr) return array == As.array && codec::reads(other->id);
        for (auto const& extension_type : type_catalog)
            if (extension_type.oid == 0 && codec::reads(extension_type.id) &&
                connection.types().oid_of(extension_type.catalog_name) == found)
                return !As.array;
    }
    return false;
}

/// Asks for the types of T's columns whose OIDs differ from database to database: of extensions, and of the user's. They have to be known
/// before a result comes, and before values are written within which they stand.
template <class T>
void learn_types(connection& connection, limits const& limits) {
    constexpr bool needed = [] {
        for (auto const& column : columns_of<T>)
            if (column.type.oid() == 0) return true;
        return false;
    }();
    if constexpr (needed)
        for (auto const& column : columns_of<T>)
            if (column.type.oid() == 0) static_cast<void>(connection.types().learn(connection, column.type.base(), limits));
}

/// The types that T's values name, for who writes them; null where they name none of those.
template <class T>
[[nodiscard]] type_oids const* learn_types_within(connection& connection, limits const& limits) {
    for (auto const& column : columns_of<T>) {
        if (!has_oids_within(column.type)) continue;
        learn_types<T>(connection, limits);
        return &connection.types();
    }
    return nullptr;
}

/// A document as the connection's json_deserializer makes it of what came; other values as they are.
class incoming {
public:
    explicit incoming(connection const& connection) noexcept
        : deserializer_(connection.options().json_deserializer ? &connection.options().json_deserializer : nullptr) {}

    /// Calls `decode` with the bytes that are to be decoded.
    template <column_type Type, class Decode>
    auto take(std::span<std::byte const> value, Decode&& decode) const {
        if constexpr (is_document(Type)) return take(Type, value, decode);
        else return decode(value);
    }
    /// The same where the type is known at run time only.
    template <class Decode>
    auto take(column_type const& type, std::span<std::byte const> value, Decode&& decode) const {
        if (deserializer_ == nullptr || value.data() == nullptr || !is_document(type)) return decode(value);
        byte_reader document(value);
        std::string own;
        if (type.id == type_id::jsonb) own += static_cast<char>(document.take_int8());  // the format's version
        own += (*deserializer_)(document.take_rest_as_text());
        return decode(std::as_bytes(std::span(own)));
    }

private:
    [[nodiscard]] static constexpr bool is_document(column_type const& type) noexcept {
        return !type.array && (type.id == type_id::json || type.id == type_id::jsonb);
    }

    std::function<std::string(std::string_view)> const* deserializer_;
};

/// How a Row is made of a result's columns: a struct by their names, a tuple and a single value by their places.
template <class Row>
class row_plan;

template <class T>
    requires reflect::reflectable<T>
class row_plan<T> {
    static constexpr std::size_t count = reflect::field_count<T>;

public:
    static void prepare(connection& connection, limits const& limits) { learn_types<T>(connection, limits); }

    /// Throws `mismatch` with every column that is missing or of a type that its field cannot read. Where `wanted` is not empty, only the
    /// columns that it names are looked for; the other fields keep their default initialisers.
    row_plan(connection& connection, result const& result, std::vector<std::string> const& wanted = {}) : incoming_(connection) {
        std::vector<difference> differences;
        reflect::for_each_index<T>([&](auto place) { find_column<place>(connection, result, wanted, differences); });
        if (!differences.empty()) throw mismatch(type_name<T>(), "the query's result", std::move(differences));
    }

    /// Decodes the row's fields into `into`. Throws `malformed` or `unrepresentable` with struct and field.
    void decode(result const& result, int row, T& into) const {
        decode_from([&](int column) { return result.value(row, column); }, into);
    }

    /// The same of values that stand elsewhere: `value_at(column)` gives their bytes.
    template <class Values>
    void decode_from(Values const& value_at, T& into) const {
        std::size_t place = 0;
        try {
            decode_fields(value_at, into, place, std::make_index_sequence<count>{});
        } catch (value_error const& failure) {
            failure.rethrow_at(field_label<T>(place));
        }
    }

    /// The column of each field; -1 for one that is not read.
    [[nodiscard]] std::array<int, count> const& columns() const noexcept { return columns_; }

private:
    template <std::size_t Place>
    void find_column(connection& connection, result const& result, std::vector<std::string> const& wanted,
                     std::vector<difference>& differences) {
        using field = field_codec<T, Place>;
        constexpr auto const& column = columns_of<T>[Place];
        columns_[Place] = -1;
        if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), column.name) == wanted.end()) return;
        for (int i = 0; i < result.columns() && columns_[Place] < 0; ++i)
            if (result.column_name(i) == column.name) columns_[Place] = i;
        auto const report = [&](std::string found) {
            differences.push_back({field_label<T>(Place), std::string(column.name), to_sql(column.type.base()), std::move(found)});
        };
        if (columns_[Place] < 0) return report("no such column");
        auto const type = result.column_type(columns_[Place]);
        if (!can_read<typename field::value, column.type>(connection, type)) report(name_of_type(connection, type));
    }

    template <class Values, std::size_t... I>
    void decode_fields(Values const& value_at, T& into, std::size_t& place, std::index_sequence<I...>) const {
        auto const one = [&]<std::size_t Place>(std::integral_constant<std::size_t, Place>) {
            auto const column = columns_[Place];
            if (column < 0) return;
            place = Place;
            auto const value = value_at(column);
            incoming_.take<columns_of<T>[Place].type>(
                value, [&](std::span<std::byte const> taken) { decode_field<Place>(into, taken.data(), taken.size()); });
        };
        (one(std::integral_constant<std::size_t, I>{}), ...);
    }

    incoming incoming_;
    std::array<int, count> columns_{};
};

/// A value that stands alone: one column, of a type that is mapped.
template <class Value>
struct alone {
    using traits = field_traits<Value>;
    using value = typename traits::value;
    static constexpr column_type type = traits::type;
    using codec = isorow::codec<value, type>;

    static Value decode(incoming const& incoming, result const& result, int row, int column) {
        auto const received = result.value(row, column);
        if (received.data() == nullptr) {
            if constexpr (traits::nullable) return Value{};
            else
                throw unrepresentable("the column \"{}\" is NULL, and the value asked for is not std::optional",
                                      result.column_name(column));
        }
        return incoming.template take<type>(received,
                                            [](std::span<std::byte const> bytes) { return Value(codec::decode(byte_reader(bytes))); });
    }

    static void learn(connection& connection, limits const& limits) {
        if constexpr (type.oid() == 0) static_cast<void>(connection.types().learn(connection, type.base(), limits));
    }

    static void check(connection& connection, result const& result, int column, std::vector<difference>& differences) {
        if (column >= result.columns()) {
            differences.push_back({text("value {}", column + 1), "", to_sql(type), "no such column"});
        } else if (!can_read<value, type>(connection, result.column_type(column))) {
            differences.push_back({text("value {}", column + 1), std::string(result.column_name(column)), to_sql(type.base()),
                                   name_of_type(connection, result.column_type(column))});
        }
    }
};

template <class Value>
    requires(!reflect::reflectable<Value> && field_traits<Value>::has_type)
class row_plan<Value> {
public:
    static void prepare(connection& connection, limits const& limits) { alone<Value>::learn(connection, limits); }

    row_plan(connection& connection, result const& result, std::vector<std::string> const& = {}) : incoming_(connection) {
        std::vector<difference> differences;
        alone<Value>::check(connection, result, 0, differences);
        if (!differences.empty()) throw mismatch(type_name<Value>(), "the query's result", std::move(differences));
    }

    void decode(result const& result, int row, Value& into) const { into = alone<Value>::decode(incoming_, result, row, 0); }

private:
    incoming incoming_;
};

template <class... Values>
class row_plan<std::tuple<Values...>> {
public:
    static void prepare(connection& connection, limits const& limits) { (alone<Values>::learn(connection, limits), ...); }

    row_plan(connection& connection, result const& result, std::vector<std::string> const& = {}) : incoming_(connection) {
        std::vector<difference> differences;
        int column = 0;
        (alone<Values>::check(connection, result, column++, differences), ...);
        if (!differences.empty()) throw mismatch("tuple", "the query's result", std::move(differences));
    }

    void decode(result const& result, int row, std::tuple<Values...>& into) const {
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            ((std::get<I>(into) = alone<Values>::decode(incoming_, result, row, static_cast<int>(I))), ...);
        }(std::index_sequence_for<Values...>{});
    }

private:
    incoming incoming_;
};

/// Tells the plans of one kind of row from those of others.
template <class Row>
inline constexpr char plan_tag = 0;

/// The plan of an answer that has just come. That of a prepared statement is kept with it: the server refuses to run one whose columns
/// have changed.
template <class Row>
class plan_for {
public:
    plan_for(connection& connection, result const& answer) {
        auto* const statement = connection.last_prepared();
        if (statement == nullptr) {
            plan_ = &own_.emplace(connection, answer);
            return;
        }
        if (statement->plan_of != &plan_tag<Row>) {
            statement->plan = std::make_shared<row_plan<Row> const>(connection, answer);
            statement->plan_of = &plan_tag<Row>;
        }
        plan_ = static_cast<row_plan<Row> const*>(statement->plan.get());
    }
    plan_for(plan_for const&) = delete;
    plan_for& operator=(plan_for const&) = delete;
    ~plan_for() = default;

    [[nodiscard]] row_plan<Row> const* operator->() const noexcept { return plan_; }

private:
    std::optional<row_plan<Row>> own_;
    row_plan<Row> const* plan_;
};

}  // namespace isorow::inline v1::detail
