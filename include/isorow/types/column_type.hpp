#pragma once

/// @file
/// Postgres' types as flat data: the catalogue of those that isorow knows, and a column's type with its modifiers.

#include <isorow/error/error.hpp>
#include <isorow/error/text.hpp>
#include <isorow/reflect/constant_list.hpp>
#include <isorow/schema/identifier.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace isorow::inline v1 {

/// Postgres' object identifier of a type.
using oid = std::uint32_t;

/// The types that isorow knows, by their names in `pg_type`.
enum class type_id : std::uint8_t {
    boolean,
    int2,
    int4,
    int8,
    float4,
    float8,
    numeric,
    text,
    varchar,
    bpchar,
    name,
    citext,
    xml,
    json,
    jsonb,
    bytea,
    uuid,
    date,
    time,
    timetz,
    timestamp,
    timestamptz,
    interval,
    vector,
    halfvec,
    sparsevec,
    bit,
    varbit,
    inet,
    cidr,
    macaddr,
    macaddr8,
    hstore,
    int4range,
    int8range,
    numrange,
    daterange,
    tsrange,
    tstzrange,
    int4multirange,
    int8multirange,
    nummultirange,
    datemultirange,
    tsmultirange,
    tstzmultirange,
    user,  ///< a type that the user has made in the database: `column_type::user` says which
};

/// What the catalogue says of a type.
struct type_entry {
    type_id id;
    std::string_view catalog_name;  ///< `pg_type.typname`
    std::string_view sql_name;      ///< as `format_type` prints it
    isorow::oid oid;                ///< 0 for the types of extensions, which each database numbers itself
    isorow::oid array_oid;
    std::string_view extension;  ///< the extension that brings the type, empty for Postgres' own
};

/// One entry per `type_id`, in its order. Source: src/include/catalog/pg_type.dat, whose OIDs never change.
inline constexpr std::array type_catalog{
    type_entry{type_id::boolean, "bool", "boolean", 16, 1000, {}},
    type_entry{type_id::int2, "int2", "smallint", 21, 1005, {}},
    type_entry{type_id::int4, "int4", "integer", 23, 1007, {}},
    type_entry{type_id::int8, "int8", "bigint", 20, 1016, {}},
    type_entry{type_id::float4, "float4", "real", 700, 1021, {}},
    type_entry{type_id::float8, "float8", "double precision", 701, 1022, {}},
    type_entry{type_id::numeric, "numeric", "numeric", 1700, 1231, {}},
    type_entry{type_id::text, "text", "text", 25, 1009, {}},
    type_entry{type_id::varchar, "varchar", "character varying", 1043, 1015, {}},
    type_entry{type_id::bpchar, "bpchar", "character", 1042, 1014, {}},
    type_entry{type_id::name, "name", "name", 19, 1003, {}},
    type_entry{type_id::citext, "citext", "citext", 0, 0, "citext"},
    type_entry{type_id::xml, "xml", "xml", 142, 143, {}},
    type_entry{type_id::json, "json", "json", 114, 199, {}},
    type_entry{type_id::jsonb, "jsonb", "jsonb", 3802, 3807, {}},
    type_entry{type_id::bytea, "bytea", "bytea", 17, 1001, {}},
    type_entry{type_id::uuid, "uuid", "uuid", 2950, 2951, {}},
    type_entry{type_id::date, "date", "date", 1082, 1182, {}},
    type_entry{type_id::time, "time", "time without time zone", 1083, 1183, {}},
    type_entry{type_id::timetz, "timetz", "time with time zone", 1266, 1270, {}},
    type_entry{type_id::timestamp, "timestamp", "timestamp without time zone", 1114, 1115, {}},
    type_entry{type_id::timestamptz, "timestamptz", "timestamp with time zone", 1184, 1185, {}},
    type_entry{type_id::interval, "interval", "interval", 1186, 1187, {}},
    type_entry{type_id::vector, "vector", "vector", 0, 0, "vector"},
    type_entry{type_id::halfvec, "halfvec", "halfvec", 0, 0, "vector"},
    type_entry{type_id::sparsevec, "sparsevec", "sparsevec", 0, 0, "vector"},
    type_entry{type_id::bit, "bit", "bit", 1560, 1561, {}},
    type_entry{type_id::varbit, "varbit", "bit varying", 1562, 1563, {}},
    type_entry{type_id::inet, "inet", "inet", 869, 1041, {}},
    type_entry{type_id::cidr, "cidr", "cidr", 650, 651, {}},
    type_entry{type_id::macaddr, "macaddr", "macaddr", 829, 1040, {}},
    type_entry{type_id::macaddr8, "macaddr8", "macaddr8", 774, 775, {}},
    type_entry{type_id::hstore, "hstore", "hstore", 0, 0, "hstore"},
    type_entry{type_id::int4range, "int4range", "int4range", 3904, 3905, {}},
    type_entry{type_id::int8range, "int8range", "int8range", 3926, 3927, {}},
    type_entry{type_id::numrange, "numrange", "numrange", 3906, 3907, {}},
    type_entry{type_id::daterange, "daterange", "daterange", 3912, 3913, {}},
    type_entry{type_id::tsrange, "tsrange", "tsrange", 3908, 3909, {}},
    type_entry{type_id::tstzrange, "tstzrange", "tstzrange", 3910, 3911, {}},
    type_entry{type_id::int4multirange, "int4multirange", "int4multirange", 4451, 6150, {}},
    type_entry{type_id::int8multirange, "int8multirange", "int8multirange", 4536, 6157, {}},
    type_entry{type_id::nummultirange, "nummultirange", "nummultirange", 4532, 6151, {}},
    type_entry{type_id::datemultirange, "datemultirange", "datemultirange", 4535, 6155, {}},
    type_entry{type_id::tsmultirange, "tsmultirange", "tsmultirange", 4533, 6152, {}},
    type_entry{type_id::tstzmultirange, "tstzmultirange", "tstzmultirange", 4534, 6153, {}},
    type_entry{type_id::user, {}, {}, 0, 0, {}},
};

/// The catalogue's entry of a type.
[[nodiscard]] constexpr type_entry const& entry_of(type_id id) noexcept { return type_catalog[static_cast<std::size_t>(id)]; }

struct user_type;

/// The type of a column: what stands behind its name in `CREATE TABLE`.
struct column_type {
    type_id id = type_id::text;
    bool array = false;                 ///< an array of `id`
    std::int32_t first_modifier = -1;   ///< length, precision or dimension; -1 where none is written
    std::int32_t second_modifier = -1;  ///< numeric's scale; -1 where none is written
    user_type const* user = nullptr;    ///< which type of the user's, where `id` says so: constant data

    /// The type without its modifiers: what a value of it looks like.
    [[nodiscard]] constexpr column_type base() const noexcept { return {id, array, -1, -1, user}; }

    /// The OID, or 0 where each database has its own.
    [[nodiscard]] constexpr isorow::oid oid() const noexcept { return array ? entry_of(id).array_oid : entry_of(id).oid; }

    friend constexpr bool operator==(column_type const&, column_type const&) = default;
};

/// What a type is that the user has made in the database.
enum class user_type_kind : std::uint8_t {
    enumeration,  ///< `CREATE TYPE … AS ENUM`
    composite,    ///< `CREATE TYPE … AS (…)`
};

/// One part of a composite type.
struct user_attribute {
    std::string_view name;
    column_type type;
};

/// A type that the user has made in the database, by its schema and name. Refers to constant data.
struct user_type {
    user_type_kind kind = user_type_kind::enumeration;
    std::string_view schema{};
    std::string_view name{};
    constant_list<std::string_view> labels{};    ///< of an enumeration, in their order
    constant_list<user_attribute> attributes{};  ///< of a composite type, in their order
};

namespace detail {

/// The spellings of types that are no entry's own name.
struct type_alias {
    std::string_view spelling;
    type_id id;
};
inline constexpr std::array type_aliases{
    type_alias{"int", type_id::int4},
    type_alias{"decimal", type_id::numeric},
    type_alias{"char", type_id::bpchar},
    type_alias{"time with time zone", type_id::timetz},
    type_alias{"timestamp without time zone", type_id::timestamp},
};

[[nodiscard]] constexpr std::string_view trimmed(std::string_view text) noexcept {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return text;
}

/// Reads a number of at most ten digits and removes it, with the spaces around, from `text`. -1 where there is none, or it is too large.
[[nodiscard]] constexpr std::int32_t take_number(std::string_view& text) noexcept {
    text = trimmed(text);
    std::int64_t number = 0;
    std::size_t digits = 0;
    for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9' && digits < 10; ++digits)
        number = number * 10 + (text[digits] - '0');
    text = trimmed(text.substr(digits));
    return digits == 0 || number > 2'147'483'647 ? -1 : static_cast<std::int32_t>(number);
}

[[nodiscard]] constexpr bool find_type(std::string_view spelling, type_id& found) noexcept {
    if (spelling.empty()) return false;
    for (auto const& entry : type_catalog)
        if (spelling == entry.catalog_name || spelling == entry.sql_name) return found = entry.id, true;
    for (auto const& alias : type_aliases)
        if (spelling == alias.spelling) return found = alias.id, true;
    return false;
}

/// Of a spelling with modifiers in its middle.
[[nodiscard]] constexpr bool find_type(std::string_view front, std::string_view behind, type_id& found) noexcept {
    for (auto const& entry : type_catalog)
        if (entry.sql_name.size() == front.size() + 1 + behind.size() && entry.sql_name.starts_with(front) &&
            entry.sql_name[front.size()] == ' ' && entry.sql_name.ends_with(behind))
            return found = entry.id, true;
    return false;
}

}  // namespace detail

/// Reads a type as SQL writes it: `integer`, `numeric(10, 2)`, `varchar(32)`, `timestamp(3) with time zone`, `real[]`, `vector(384)`.
/// Returns false, with `type` as it was, where the type is not one that isorow knows or its modifiers are not numbers.
[[nodiscard]] constexpr bool parse_column_type(std::string_view sql, column_type& type) noexcept {
    column_type read;
    sql = detail::trimmed(sql);
    if (sql.ends_with("[]")) {
        read.array = true;
        sql = detail::trimmed(sql.substr(0, sql.size() - 2));
    }
    std::string_view behind;  // timestamp(3) with time zone
    if (auto const open = sql.find('('); open != std::string_view::npos) {
        auto const close = sql.find(')', open);
        if (close == std::string_view::npos) return false;
        auto modifiers = sql.substr(open + 1, close - open - 1);
        read.first_modifier = detail::take_number(modifiers);
        if (read.first_modifier < 0) return false;
        if (modifiers.starts_with(',')) {
            modifiers.remove_prefix(1);
            read.second_modifier = detail::take_number(modifiers);
            if (read.second_modifier < 0) return false;
        }
        if (!modifiers.empty()) return false;
        behind = detail::trimmed(sql.substr(close + 1));
        sql = detail::trimmed(sql.substr(0, open));
    }
    if (!(behind.empty() ? detail::find_type(sql, read.id) : detail::find_type(sql, behind, read.id))) return false;
    type = read;
    return true;
}

namespace detail {

/// Appends a type as `to_sql` writes it, to any text, in constant expressions too.
template <class Text>
constexpr void append_sql(Text& text, column_type const& type) {
    if (type.user != nullptr) {
        append_quoted(text, type.user->schema);
        text += '.';
        append_quoted(text, type.user->name);
    }
    auto const name = entry_of(type.id).sql_name;
    // Postgres writes the precision of times in the middle: timestamp(3) without time zone.
    bool const is_split = name.starts_with("time") && name.find(' ') != std::string_view::npos;
    auto const place = is_split ? name.find(' ') : name.size();
    text += name.substr(0, place);
    if (type.first_modifier >= 0) {
        text += '(';
        append_number(text, type.first_modifier);
        if (type.second_modifier >= 0) {
            text += ',';
            append_number(text, type.second_modifier);
        }
        text += ')';
    }
    text += name.substr(place);
    if (type.array) text += std::string_view("[]");
}

}  // namespace detail

/// The type as SQL writes it, in the words of `format_type`: `vector(384)`, `numeric(10,2)`, `text[]`; one of the user's with its schema,
/// both quoted.
[[nodiscard]] inline std::string to_sql(column_type const& type) {
    std::string sql;
    detail::append_sql(sql, type);
    return sql;
}

}  // namespace isorow::inline v1
