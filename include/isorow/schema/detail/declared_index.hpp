#pragma once

/// @file
/// An index as a struct declares it, held against those that are there.

#include <isorow/schema/ddl_statements.hpp>
#include <isorow/schema/detail/compared_table.hpp>
#include <isorow/schema/detail/sql_index_reader.hpp>

#include <cstddef>
#include <string_view>
#include <vector>

namespace isorow::inline v1::detail {

/// What the index of a compared table is, by its definition; a constraint's, which has none, is a btree.
[[nodiscard]] constexpr index_shape index_shape_of(compared_index const& index) {
    if (!index.definition.empty()) return read_index_shape(index.definition);
    index_shape shape;
    shape.unique = index.unique;
    shape.ordinary = index.plain;
    for (auto const column : index.columns) shape.columns.push_back(text_builder(column));
    shape.classes.resize(index.columns.size());
    return shape;
}

class declared_index {
public:
    constexpr declared_index(table_description const& table, index_description const& index) : table_(&table), index_(&index) {}

    [[nodiscard]] constexpr index_description const& description() const noexcept { return *index_; }
    [[nodiscard]] constexpr column_description const& column(std::size_t i) const { return table_->columns[index_->fields[i]]; }

    /// Whether the columns are these, in this order.
    [[nodiscard]] constexpr bool has_columns(std::vector<std::string_view> const& columns) const {
        if (columns.size() != index_->fields.size()) return false;
        for (std::size_t i = 0; i < columns.size(); ++i)
            if (columns[i] != column(i).name) return false;
        return true;
    }

    [[nodiscard]] constexpr bool is(compared_index const& other) const {
        if (other.primary || !other.valid || (!index_->name.empty() && index_->name != other.name)) return false;
        auto const shape = index_shape_of(other);
        return shape.ordinary && shape.unique == index_->unique && shape.method.view() == method_name(index_->method) &&
               has_columns(other.columns) && has_classes(shape) && has_options(shape);
    }

    /// `UNIQUE INDEX USING btree (label)`
    constexpr void add_words(text_builder& words) const {
        words.add(index_->unique ? "UNIQUE " : "", "INDEX ", index_->name, index_->name.empty() ? "" : " ", "USING ",
                  method_name(index_->method), " (");
        for (std::size_t i = 0; i < index_->fields.size(); ++i) {
            auto const name = class_at(i);
            words.add(i > 0 ? ", " : "", column(i).name, name.empty() ? "" : " ", name.view());
        }
        words.add(")");
        if (index_->method == index_method::hnsw) words.add(" WITH (m = ", index_->m, ", ef_construction = ", index_->ef_construction, ")");
        if (index_->method == index_method::ivfflat) words.add(" WITH (lists = ", index_->lists, ")");
    }

private:
    [[nodiscard]] constexpr std::string_view catalog_name(std::size_t i) const { return entry_of(column(i).type.id).catalog_name; }

    /// Whether a type's operator class is `text_ops` for text: its default has that name.
    [[nodiscard]] constexpr bool is_default(std::size_t i, std::string_view name) const {
        auto const type = catalog_name(i);
        return name.size() == type.size() + 4 && name.starts_with(type) && name.ends_with("_ops");
    }

    /// The operator class without its schema; empty where it is the type's default.
    [[nodiscard]] constexpr text_builder class_at(std::size_t i) const {
        text_builder name;
        bool const is_of_pgvector = index_->method == index_method::hnsw || index_->method == index_method::ivfflat;
        if (index_->operator_class.empty() && is_of_pgvector) {
            name.add(catalog_name(i), metric_suffix(index_->metric));
        } else {
            auto const own = index_->operator_class.substr(index_->operator_class.rfind('.') + 1);
            if (!is_default(i, own)) name += own;
        }
        return name;
    }

    /// Of pgvector's methods only ivfflat has a default class, which `pg_get_indexdef` leaves out.
    [[nodiscard]] constexpr bool has_classes(index_shape const& shape) const {
        for (std::size_t i = 0; i < shape.classes.size(); ++i) {
            auto const expected = class_at(i);
            auto const& found = shape.classes[i];
            bool const is_left_out = found.empty() && index_->method == index_method::ivfflat && expected.view() == "vector_l2_ops";
            bool const is_written_out = expected.empty() && is_default(i, found.view());
            if (expected != found && !is_left_out && !is_written_out) return false;
        }
        return true;
    }

    [[nodiscard]] constexpr bool has_options(index_shape const& shape) const noexcept {
        if (index_->method == index_method::hnsw) return shape.m == index_->m && shape.ef_construction == index_->ef_construction;
        return index_->method != index_method::ivfflat || shape.lists == index_->lists;
    }

    table_description const* table_;
    index_description const* index_;
};

}  // namespace isorow::inline v1::detail
