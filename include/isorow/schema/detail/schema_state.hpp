#pragma once

/// @file
/// What a `table_schema` holds: the description of a table and the texts that it refers to. Filled step by step, then checked as a whole,
/// so that one error tells of everything that is wrong.

#include <isorow/config.hpp>
#include <isorow/error/error.hpp>
#include <isorow/error/suggest.hpp>
#include <isorow/error/text.hpp>
#include <isorow/reflect/constant_list.hpp>
#include <isorow/schema/check.hpp>
#include <isorow/schema/identifier.hpp>
#include <isorow/schema/index.hpp>
#include <isorow/schema/table.hpp>
#include <isorow/types/bits.hpp>
#include <isorow/types/mapping.hpp>
#include <isorow/types/sparsevec.hpp>
#include <isorow/types/vector.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <ranges>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

/// The most columns of a table: Postgres' MaxHeapAttributeNumber.
inline constexpr std::size_t table_column_limit = 1600;

/// Whether a field's values can be stored in a column of a type.
using storable_type = bool (*)(column_type);

template <class T>
inline constexpr auto storable_types = []<std::size_t... Index>(std::index_sequence<Index...>) {
    return std::array<storable_type, sizeof...(Index)>{&accepts<typename field_traits<reflect::field_type<T, Index>>::value>...};
}(std::make_index_sequence<reflect::field_count<T>>{});

/// The numbers that a type may have in parentheses, the least and the greatest; none where it takes none. Source: the input functions of
/// the types' modifiers, such as anychar_typmodin; pgvector's VECTOR_MAX_DIM.
struct modifier_range {
    std::int32_t least = 0;
    std::int32_t greatest = -1;
};
[[nodiscard]] constexpr modifier_range modifiers_of(type_id id) noexcept {
    switch (id) {
        case type_id::varchar:
        case type_id::bpchar:
            return {1, 10'485'760};
        case type_id::numeric:
            return {1, 1000};
        case type_id::time:
        case type_id::timetz:
        case type_id::timestamp:
        case type_id::timestamptz:
        case type_id::interval:
            return {0, 6};
        case type_id::vector:
        case type_id::halfvec:
            return {1, static_cast<std::int32_t>(vector_dimension_limit)};
        case type_id::sparsevec:
            return {1, static_cast<std::int32_t>(sparsevec_dimension_limit)};
        case type_id::bit:
        case type_id::varbit:
            return {1, static_cast<std::int32_t>(bit_length_limit)};
        default:
            return {};
    }
}

/// Why Postgres has no column of the type, or isorow cannot fill one; empty where all is well.
[[nodiscard]] std::string type_problem(column_type const& type);

/// What is wrong with a name; empty where it is an identifier.
[[nodiscard]] std::string identifier_problem(std::string_view name);

struct schema_state {
    std::string struct_name{};  ///< empty for a table that is described by its columns
    std::string schema = "public";
    std::string name{};  ///< empty while none is said
    std::vector<column_description> columns{};
    field_list key{};
    std::vector<index_description> indexes{};
    std::vector<check_description> checks{};
    std::vector<foreign_key_description> foreign_keys{};
    std::string comment{};
    std::deque<std::string> texts{};            ///< what the descriptions refer to: a deque, as it never moves what it has
    std::vector<std::string> problems{};        ///< what is wrong, line by line
    std::set<std::size_t> places_without_type;  ///< the columns whose type was reported already

    [[nodiscard]] static schema_state of(table_description const& table);

    /// The same with texts of its own.
    [[nodiscard]] schema_state copy() const;

    [[nodiscard]] table_description description() const noexcept {
        return {.struct_name = !struct_name.empty() ? std::string_view(struct_name)
                               : !name.empty()      ? std::string_view(name)
                                                    : "table_schema",
                .schema = schema,
                .name = name,
                .columns = columns,
                .key = key,
                .indexes = indexes,
                .checks = checks,
                .foreign_keys = foreign_keys,
                .comment = comment};
    }

    [[nodiscard]] std::string_view keep(std::string_view text) { return text.empty() ? std::string_view{} : texts.emplace_back(text); }

    [[nodiscard]] std::optional<std::size_t> find(std::string_view column) const noexcept {
        auto const found = std::ranges::find(columns, column, &column_description::name);
        if (found == columns.end()) return std::nullopt;
        return static_cast<std::size_t>(found - columns.begin());
    }

    // What is said of the table

    void set_type(std::size_t place, std::string_view sql);

    void set_key(std::vector<std::string> const& names) { key = places_of("the primary key", names); }

    void add_index(std::vector<std::string> const& names, index_description index);
    void add_foreign_key(std::vector<std::string> const& names, named_reference const& reference);

    // What is wrong with it

    void report(std::string problem) { problems.push_back(std::move(problem)); }
    void report(std::size_t place, std::string_view problem) { report(text("{}: {}", label(place), problem)); }

    /// `Product.price`, or `column "price"`.
    [[nodiscard]] std::string label(std::size_t place) const;

    /// What may have been meant by a name that is no column's.
    [[nodiscard]] std::string suggestion(std::string_view wrong) const;

    [[nodiscard]] std::string subject() const { return struct_name.empty() ? std::string("the table") : struct_name; }

    void check_stored_types(constant_list<storable_type> storable);

    /// Throws `usage_error` with all that is wrong.
    void check();

private:
    void keep_texts();
    void keep(foreign_key_description& one);
    [[nodiscard]] static std::string type_suggestion(std::string_view sql);
    [[nodiscard]] field_list places_of(std::string_view what, std::vector<std::string> const& names);
    void check_names();
    void check_columns();

    /// Where a column's values come from, and how they are compared.
    void check_origin(std::size_t place);
    void check_constraints();
    void check_index(index_description const& index);

    [[nodiscard]] static constexpr bool has_vector_index(type_id id) noexcept {
        return id == type_id::vector || id == type_id::halfvec || id == type_id::sparsevec || id == type_id::bit;
    }
};

}  // namespace isorow::inline v1::detail

#if ISOROW_HAS_CODE
#include <isorow/schema/detail/schema_state_code.hpp>
#endif
