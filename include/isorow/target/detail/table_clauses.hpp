#pragma once

/// @file
/// The pieces of SQL that speak of one table and of rows that are to be compared with it, `t` and `s`.

#include <isorow/query/query.hpp>
#include <isorow/schema/ddl_statements.hpp>
#include <isorow/target/detail/declared_state.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace isorow::inline v1::detail {

class table_clauses {
public:
    explicit table_clauses(row_shape const& shape) : shape_(&shape) {}

    /// `"public"."products"`.
    [[nodiscard]] std::string name() const { return quote_identifier(shape_->table.schema, shape_->table.name); }

    /// The columns in the order of the images, the key's first.
    [[nodiscard]] std::string columns(std::string_view prefix = {}) const { return list(shape_->places, prefix); }
    [[nodiscard]] std::string key_columns(std::string_view prefix = {}) const { return list(key_places(), prefix); }

    [[nodiscard]] std::span<std::uint16_t const> key_places() const noexcept { return shape_->places.first(shape_->table.key.size()); }
    [[nodiscard]] std::span<std::uint16_t const> value_places() const noexcept { return shape_->places.subspan(shape_->table.key.size()); }

    /// `t."id" = s."id" AND …`.
    [[nodiscard]] std::string key_join() const {
        return for_each(key_places(), " AND ", [](std::string const& column) { return text("t.{} = s.{}", column, column); });
    }

    /// `"price" = s."price", …`.
    [[nodiscard]] std::string assignments() const {
        return for_each(value_places(), ", ", [](std::string const& column) { return text("{} = s.{}", column, column); });
    }

    /// The stored image against the one that would be stored, byte for byte; cast to records, as SQL compares written rows column by
    /// column. `false` where all columns are the key's.
    [[nodiscard]] std::string difference() const {
        if (value_places().empty()) return "false";
        return text("ROW({})::record OPERATOR(pg_catalog.*<>) ROW({})::record", list(value_places(), "t."), list(value_places(), "s."));
    }

    /// The key's columns as text, as errors and plans show them: `(lamps,"desk lamp")`.
    [[nodiscard]] std::string key_text(std::string_view prefix) const { return text("ROW({})::text", key_columns(prefix)); }

private:
    template <class Item>
    [[nodiscard]] std::string for_each(std::span<std::uint16_t const> places, std::string_view separator, Item&& item) const {
        std::string all;
        for (auto const place : places)
            all.append(all.empty() ? "" : separator).append(item(quote_identifier(shape_->table.columns[place].name)));
        return all;
    }
    [[nodiscard]] std::string list(std::span<std::uint16_t const> places, std::string_view prefix) const {
        return for_each(places, ", ", [&](std::string const& column) { return std::string(prefix) + column; });
    }

    row_shape const* shape_;
};

/// The keys of a table's rows and the transactions that wrote them.
[[nodiscard]] inline std::string writers_sql(std::string_view table, std::string_view key_columns) {
    return text("SELECT {}, xmin FROM {}", key_columns, table);
}
/// Calls `take(key, writer)` with a tuple of `writers_sql`.
template <class Take>
void take_writer(std::span<std::byte const> tuple, std::size_t key_columns, Take&& take) {
    auto const end = end_of_key(tuple, key_columns);
    take(tuple.subspan(sizeof(std::int16_t), end - sizeof(std::int16_t)),
         load_word<std::uint32_t>(tuple.data() + end + sizeof(std::int32_t)));
}

/// SQL that makes the image of a stored row's key, as `isorow.tracked` has it: each column's length and bytes. The functions that
/// send the types are those of the catalogue.
[[nodiscard]] inline std::string key_image_sql(database_ref const& where, std::int64_t relation,
                                               std::vector<std::string> const& key_columns, std::string_view prefix) {
    auto const senders = query<std::string>(
        where,
        "SELECT quote_ident(n.nspname) || '.' || quote_ident(p.proname) FROM pg_catalog.unnest($2::text[]) WITH ORDINALITY k (name, place)"
        " JOIN pg_catalog.pg_attribute a ON a.attrelid = $1::bigint::oid AND a.attname = k.name AND NOT a.attisdropped"
        " JOIN pg_catalog.pg_type t ON t.oid = a.atttypid JOIN pg_catalog.pg_proc p ON p.oid = t.typsend"
        " JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace ORDER BY k.place",
        relation, key_columns);
    if (senders.size() != key_columns.size()) return {};
    std::string image;
    for (std::size_t i = 0; i < senders.size(); ++i) {
        auto const sent = text("{}({}{})", senders[i], prefix, quote_identifier(key_columns[i]));
        image.append(image.empty() ? "" : " || ").append(text("pg_catalog.int4send(pg_catalog.octet_length({})) || {}", sent, sent));
    }
    return image;
}

}  // namespace isorow::inline v1::detail
