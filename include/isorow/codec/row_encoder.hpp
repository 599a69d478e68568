#pragma once

/// @file
/// Rows of any kind as images for a table that is described at run time: structs, other structs with the same columns, dynamic rows.

#include <isorow/codec/detail/field_writer.hpp>
#include <isorow/codec/detail/row_frame.hpp>
#include <isorow/codec/dynamic_row.hpp>
#include <isorow/codec/row.hpp>
#include <isorow/config.hpp>
#include <isorow/error/mismatch.hpp>
#include <isorow/error/suggest.hpp>
#include <isorow/schema/table_schema.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

/// Encodes rows as tuples of binary COPY for a table that is described at run time. Row is
/// - a struct, whether the schema was made from it or not: its fields are found by the names of their columns, once, in the constructor. A
///   nullable column without a field is NULL; any other one without a field is an error. A struct may have more fields than the table has
///   columns, or fewer, but not both: then one may be a misspelling of the other;
/// - `dynamic_row`: each row's values are found by their names. A nullable column that the row does not have is NULL; any other one is an
///   error, and so is a name that is no column's.
///
/// Thread-safe. Copies share the schema.
template <class Row>
class row_encoder : public detail::row_frame {
    static_assert(reflect::reflectable<Row>, "isorow: rows are plain structs, or isorow::dynamic_row");

public:
    /// `places`: the places of the schema's columns in the order of the image. Throws `mismatch` with every column that Row has no field
    /// for, and every field whose values its column cannot hold.
    row_encoder(table_schema schema, std::span<std::uint16_t const> places) : row_frame(std::move(schema), places) {
        is_own_ = is_own_table();
        find_fields();
    }
    /// The same with the key's columns first.
    explicit row_encoder(table_schema const& schema) : row_encoder(schema, places_key_first(schema.description())) {}

    /// Appends the image of a row. Throws `unrepresentable`, naming struct and field, for a value that its column cannot hold, and then
    /// leaves `out` as it was.
    void encode(Row const& row, byte_writer& out) const {
        if constexpr (mappable<Row>)
            if (is_own_) return encode_row<Row, row_order::key_first>(row, out);
        auto const fields = addresses_of(row, std::make_index_sequence<field_count>{});
        append_row(out, [&](std::size_t at) { append(columns_[at], fields, out); }, [&](std::size_t at) { return label(columns_[at]); });
    }

private:
    static constexpr std::size_t field_count = reflect::field_count<Row>;
    using addresses = std::array<void const*, field_count>;

    /// One column of the image.
    struct image_column {
        void (*append)(void const*, byte_writer&) = nullptr;  ///< null where the column is NULL in all rows
        std::uint16_t place = 0;                              ///< in the schema
        std::uint16_t field = 0;
        column_type type{};
        bool has_bounds = false;
        bool refuses_null = false;
    };

    template <std::size_t... Index>
    [[nodiscard]] static addresses addresses_of(Row const& row, std::index_sequence<Index...>) noexcept {
        return {static_cast<void const*>(std::addressof(reflect::get<Index>(row)))...};
    }

    static void append(image_column const& column, addresses const& fields, byte_writer& out) {
        if (column.append == nullptr) return encode_null(out);
        auto const start = out.size();
        column.append(fields[column.field], out);
        if (!column.has_bounds && !column.refuses_null) return;
        auto value = byte_reader(out.bytes().subspan(start));
        if (value.take_int32() >= 0) {
            if (column.has_bounds) detail::check_bounds(column.type, value);
        } else if (column.refuses_null) {
            throw unrepresentable("the field is NULL, and the column is NOT NULL");
        }
    }

    [[nodiscard]] std::string label(image_column const& column) const {
        return column.append != nullptr ? detail::field_label<Row>(column.field) : text("column \"{}\"", this->column(column.place).name);
    }

    // What the constructor finds out

    /// Whether the schema is Row's own table, whose codecs check all that its columns ask for.
    [[nodiscard]] bool is_own_table() const noexcept {
        if constexpr (!mappable<Row>) return false;
        else
            return std::ranges::equal(places(), places_of<Row, row_order::key_first>) &&
                   std::ranges::equal(schema().columns(), columns_of<Row>, [](auto const& column, auto const& own) {
                       bool const is_checked = column.type.id != type_id::name && column.type.id != type_id::numeric;
                       return column.name == own.name && column.type == own.type && (column.nullable || !own.nullable) &&
                              (is_checked || !detail::has_bounds(column.type));
                   });
    }

    void find_fields() {
        std::vector<difference> differences;
        bool lacks_field = false;
        for (auto const place : places()) {
            auto const field = field_of(column(place).name);
            lacks_field = lacks_field || field == field_count;
            columns_.push_back(field == field_count ? without_field(place, differences) : with_field(place, field, differences));
        }
        if (lacks_field) refuse_other_fields(differences);
        if (!differences.empty()) throw mismatch(type_name<Row>(), table_name(), std::move(differences));
    }

    [[nodiscard]] static std::size_t field_of(std::string_view column) noexcept {
        return static_cast<std::size_t>(std::ranges::find(columns_of<Row>, column, &column_description::name) - columns_of<Row>.begin());
    }

    [[nodiscard]] image_column without_field(std::uint16_t place, std::vector<difference>& differences) const {
        auto const& missing = column(place);
        if (!missing.nullable)
            differences.push_back({std::string(type_name<Row>()), std::string(missing.name),
                                   text("a field for it, as it is {}", requirement(place)),
                                   "no such field" + detail::did_you_mean(missing.name, names_of(columns_of<Row>))});
        return {.place = place, .type = missing.type};
    }

    [[nodiscard]] image_column with_field(std::uint16_t place, std::size_t field, std::vector<difference>& differences) {
        auto const& target = column(place);
        auto const& own = columns_of<Row>[field];
        auto const refuse = [&](std::string expected, std::string found) {
            differences.push_back({detail::field_label<Row>(field), std::string(target.name), std::move(expected), std::move(found)});
        };
        auto const writer = writer_of(field, target.type, std::make_index_sequence<field_count>{});
        if (!writer)
            refuse(text("a field that can be stored as {}", to_sql(target.type)),
                   own.has_type ? to_sql(own.type) : "a field without a column type");
        if (own.nullable && is_key(place)) refuse("a field that is never NULL, as the column is of the key", "std::optional");
        if (!writer) return {};
        add_codec(place, writer->stable, writer->equal);
        return {writer->append,
                place,
                static_cast<std::uint16_t>(field),
                target.type,
                detail::has_bounds(target.type),
                own.nullable && !target.nullable};
    }

    template <std::size_t... Index>
    [[nodiscard]] static std::optional<detail::field_writer> writer_of(std::size_t field, column_type const& type,
                                                                       std::index_sequence<Index...>) {
        using finder = std::optional<detail::field_writer> (*)(column_type const&);
        static constexpr std::array<finder, field_count> finders{&detail::writer_for<reflect::field_type<Row, Index>>...};
        return finders[field](type);
    }

    void refuse_other_fields(std::vector<difference>& differences) const {
        for (std::size_t field = 0; field < field_count; ++field) {
            auto const& own = columns_of<Row>[field];
            if (schema().find(own.name)) continue;
            differences.push_back({detail::field_label<Row>(field), std::string(own.name),
                                   "a column of the table, as other columns have no field",
                                   "no such column" + detail::did_you_mean(own.name, names_of(schema().columns()))});
        }
    }

    std::vector<image_column> columns_;
    bool is_own_ = false;
};

template <>
class row_encoder<dynamic_row> : public detail::row_frame {
public:
    row_encoder(table_schema schema, std::span<std::uint16_t const> places);
    explicit row_encoder(table_schema const& schema) : row_encoder(schema, places_key_first(schema.description())) {}

    /// Appends the image of a row. Throws `unrepresentable`, naming the column, for a value that the column cannot hold, for a missing
    /// column that cannot be NULL, and for a name that is no column's, and then leaves `out` as it was.
    void encode(dynamic_row const& row, byte_writer& out) const {
        auto const values = values_of(row);
        append_row(
            out, [&](std::size_t at) { append(places()[at], values[places()[at]], out); },
            [&](std::size_t at) { return text("column \"{}\"", column(places()[at]).name); });
    }

private:
    struct place_of_name {
        std::string_view name;
        std::uint16_t place;
    };

    /// The row's values by the places of their columns, null for those that it does not have.
    [[nodiscard]] std::vector<dynamic_value const*> values_of(dynamic_row const& row) const {
        std::vector<dynamic_value const*> values(schema().columns().size());
        std::size_t next = 0;
        for (auto const& [name, value] : row) {
            // Most rows have the table's order.
            auto const place = next < values.size() && column(next).name == name ? next : place_of(name);
            values[place] = &value;
            next = place + 1;
        }
        return values;
    }

    [[nodiscard]] std::size_t place_of(std::string_view name) const;

    void append(std::size_t place, dynamic_value const* value, byte_writer& out) const {
        if (value != nullptr && !value->is_null()) return encode_value_with_length(*value, column(place).type, out);
        if (column(place).nullable) return encode_null(out);
        throw unrepresentable("{}, and the column is {}", value == nullptr ? "the row has no value for it" : "the value is NULL",
                              requirement(place));
    }

    std::vector<place_of_name> by_name_;
};

/// `(category, name) = (lamps, desk lamp)`: the key of a row's image whose columns begin with the key's.
[[nodiscard]] std::string key_text(table_description const& table, std::span<std::byte const> image);

#if ISOROW_HAS_CODE

ISOROW_DECL row_encoder<dynamic_row>::row_encoder(table_schema schema, std::span<std::uint16_t const> places)
    : row_frame(std::move(schema), places) {
    for (auto const place : this->places())
        add_codec(place, detail::is_bytewise_stable(column(place).type), detail::is_bytewise_equal(column(place).type));
    for (auto const& column : this->schema().columns()) by_name_.push_back({column.name, static_cast<std::uint16_t>(by_name_.size())});
    std::ranges::sort(by_name_, {}, &place_of_name::name);
}

ISOROW_DECL std::size_t row_encoder<dynamic_row>::place_of(std::string_view name) const {
    auto const found = std::ranges::lower_bound(by_name_, name, {}, &place_of_name::name);
    if (found == by_name_.end() || found->name != name)
        throw unrepresentable("column \"{}\" of the row is none of {}{}", name, table_name(),
                              detail::did_you_mean(name, names_of(schema().columns())));
    return found->place;
}

ISOROW_DECL std::string key_text(table_description const& table, std::span<std::byte const> image) {
    std::string names;
    std::string values;
    byte_reader in(image);
    static_cast<void>(in.take_int16());
    for (auto const place : table.key) {
        auto const length = in.take_int32();
        if (length < 0) throw malformed("a key column with the length {}", length);
        auto const value = decode_value(table.columns[place].type, in.take_bytes(static_cast<std::size_t>(length)));
        names.append(names.empty() ? "" : ", ").append(table.columns[place].name);
        values.append(values.empty() ? "" : ", ").append(to_string(value));
    }
    return text("({}) = ({})", names, values);
}

#endif

}  // namespace isorow::inline v1
