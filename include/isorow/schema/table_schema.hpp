#pragma once

/// @file
/// Tables that are described at run time: by a list of columns, or by a struct and what is said about it when the program runs.

#include <isorow/config.hpp>
#include <isorow/error/error.hpp>
#include <isorow/reflect/constant_list.hpp>
#include <isorow/schema/check.hpp>
#include <isorow/schema/column_overrides.hpp>
#include <isorow/schema/detail/schema_state.hpp>
#include <isorow/schema/index.hpp>
#include <isorow/schema/table.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

/// Whether a column may hold NULL.
enum class nullability : std::uint8_t { nullable, not_null };
inline constexpr nullability not_null = nullability::not_null;

/// A column as it is described at run time, with what `column_options` can say: `column{"text", not_null}`, `column{.type = "numeric",
/// .default_value = "0"}`.
struct column {
    std::string type;  ///< as SQL writes it: "varchar(32)", "vector(384)"
    isorow::nullability nullability = isorow::nullability::nullable;
    std::string default_value{};     ///< an SQL expression: "now()"
    bool unique = false;             ///< no two rows have the same value
    std::string renamed_from{};      ///< the column's former name: a table that has that one, and not this, gets it renamed
    std::string using_expression{};  ///< SQL that makes the new value out of the table's columns when the column's type changes
    std::string generated{};         ///< SQL by which the server computes the value: "price * amount"
    isorow::identity identity = isorow::identity::none;  ///< whether the server numbers the column
    std::string check{};                                 ///< a condition on the column's values: "price > 0"
    std::string collation{};                             ///< as the catalogue names it: "C"
    std::string comment{};                               ///< what the catalogue says of the column
};

/// A column behind its name.
struct named_column {
    std::string name;
    column definition;
};

/// The names of some columns, in order.
class column_names {
public:
    column_names() = default;
    template <std::convertible_to<std::string_view>... Names>
        requires(sizeof...(Names) > 0)
    column_names(Names const&... names)  // NOLINT(google-explicit-constructor): a list of names stands for them
        : names_{std::string(std::string_view(names))...} {}
    explicit column_names(std::vector<std::string> names) : names_(std::move(names)) {}

    [[nodiscard]] std::vector<std::string> const& names() const noexcept { return names_; }

private:
    std::vector<std::string> names_;
};

/// The primary key's columns in their order: `primary_key{"category", "name"}`. Where `isorow/annotations.hpp` is included, its annotation
/// has this name, and a list is written `primary_key("category", "name")`.
class primary_key : public column_names {
public:
    using column_names::column_names;
};

/// What is said at run time of a struct's table.
struct schema_options {
    class isorow::primary_key primary_key{};      ///< the key's columns; the overlay's where none are named
    isorow::column_overrides column_overrides{};  ///< by column; beat annotations and the overlay
    std::string table{};                          ///< the table's name; the struct's own where it is empty
    std::string schema{};                         ///< the table's schema; the struct's own (`public`) where it is empty
};

/// A table as it is described at run time. It never changes: members that say more return a new one. Copies share what they describe, and
/// may be read by several threads.
///
/// All constructors throw `usage_error` that lists everything that is wrong.
class table_schema {
public:
    /// A table of these columns, which may be NULL unless they are `not_null`:
    /// @code
    /// isorow::table_schema products{{{"category", column{"text", not_null}},
    ///                                {"name", column{"text", not_null}},
    ///                                {"price", column{"numeric"}},
    ///                                {"embedding", column{"vector(384)"}}},
    ///                               primary_key{"category", "name"}};
    /// @endcode
    explicit table_schema(std::vector<named_column> const& columns, class primary_key const& key = {});

    /// The table of a struct. Fields whose types say no column type need an override.
    template <class T>
    [[nodiscard]] static table_schema of(schema_options const& options = {}) {
        check_struct<T>();
        auto draft = detail::schema_state::of(description_of<T>);
        if (!options.table.empty()) draft.name = options.table;
        if (!options.schema.empty()) draft.schema = options.schema;
        apply(draft, options.column_overrides);
        draft.check_stored_types(detail::storable_types<T>);
        return table_schema(std::move(draft), options.primary_key.names());
    }

    /// The same table under other names.
    [[nodiscard]] table_schema named(std::string_view schema, std::string_view table) const;

    /// The same table with an index over these columns: `.index({"embedding"}, hnsw{.metric = cosine})`, btree where no method is said.
    template <class Method = btree>
    [[nodiscard]] table_schema index(column_names const& columns, Method const& method = {}) const {
        auto draft = state_->copy();
        draft.add_index(columns.names(), detail::describe(field_list{}, method));
        return table_schema(std::move(draft), {});
    }

    /// The same table with a condition that every row satisfies.
    [[nodiscard]] table_schema check(std::string_view constraint, std::string_view condition) const;

    /// The same table with a foreign key: `.foreign_key({"customer"}, references("customers", {"id"}, {.on_delete = cascade}))`.
    [[nodiscard]] table_schema foreign_key(column_names const& columns, named_reference const& reference) const;

    /// The same table with what the catalogue says of it.
    [[nodiscard]] table_schema comment(std::string_view text) const;

    /// The description as the floors above read it. What it refers to lives as long as any copy of this schema.
    [[nodiscard]] table_description description() const noexcept { return state_->description(); }

    [[nodiscard]] constant_list<column_description> columns() const noexcept { return state_->columns; }
    [[nodiscard]] field_list const& key() const noexcept { return state_->key; }
    /// The table's name and its schema; the name is empty where none was said.
    [[nodiscard]] std::string const& name() const noexcept { return state_->name; }
    [[nodiscard]] std::string const& schema() const noexcept { return state_->schema; }

    /// The place of a column, or nothing.
    [[nodiscard]] std::optional<std::size_t> find(std::string_view name) const noexcept { return state_->find(name); }

private:
    table_schema(detail::schema_state draft, std::vector<std::string> const& key) { finish(std::move(draft), key); }

    void finish(detail::schema_state draft, std::vector<std::string> const& key);
    static void add(detail::schema_state& draft, named_column const& column);
    static void apply(detail::schema_state& draft, column_overrides const& overrides);

    /// What no override can mend is left to the compiler.
    template <class T>
    static constexpr void check_struct() {
        if constexpr (!reflect::reflectable<T>) check<T>();
        else
            static_assert(detail::find_member_problem(detail::facts_of<T>).problem == detail::problem::none,
                          "isorow: the overlay names a member of another struct; use pointers to members of this one");
    }

    std::shared_ptr<detail::schema_state const> state_;
};

/// The places of a table's columns with the key's first, without those that the server computes: the order of the columns in a row's image.
[[nodiscard]] inline std::vector<std::uint16_t> places_key_first(table_description const& table) {
    std::vector<std::uint16_t> places(table.key.begin(), table.key.end());
    for (std::size_t place = 0; place < table.columns.size(); ++place)
        if (!table.is_key(place) && table.columns[place].is_written()) places.push_back(static_cast<std::uint16_t>(place));
    return places;
}

}  // namespace isorow::inline v1

#if ISOROW_HAS_CODE
#include <isorow/schema/detail/table_schema_code.hpp>
#endif
