#pragma once

/// @file
/// What the types of a struct cannot say about its table: names, keys, indexes, constraints, other column types. Only deviations are
/// listed, keyed by member pointer.

#include <isorow/reflect/constant_list.hpp>
#include <isorow/reflect/member.hpp>
#include <isorow/reflect/type_name.hpp>
#include <isorow/schema/constraint.hpp>
#include <isorow/schema/index.hpp>
#include <isorow/types/field.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace isorow::inline v1 {

/// What may be said of one column; what is left empty stays as the field's type says.
struct column_options {
    std::string_view name{};           ///< the column's name where it is not the field's
    std::string_view type{};           ///< the column's type as SQL writes it: "varchar(32)"
    std::string_view default_value{};  ///< an SQL expression: "now()"
    bool unique = false;               ///< no two rows have the same value
    std::string_view renamed_from{};   ///< the column's former name: a table that has that one, and not this, gets it renamed
    /// SQL that makes the new value out of the table's columns, under their new names, when the column's type changes:
    /// "price::numeric(10,2)". May stay afterwards.
    std::string_view using_expression{};
    /// SQL that computes the value out of the row's other columns: "price * amount". The server stores it; the field is only read.
    std::string_view generated{};
    isorow::identity identity = isorow::identity::none;  ///< whether the server numbers the column
    std::string_view check{};                            ///< a condition on the column's values: "price > 0"
    std::string_view collation{};                        ///< as the catalogue names it: "C", "en_US.utf8"
    std::string_view comment{};                          ///< what the catalogue says of the column
};

namespace detail {

/// Which struct something is said of. Each struct has one, which is told from others by its address.
struct struct_identity {
    std::string_view name;
};
template <class T>
inline constexpr struct_identity identity_of{type_name<T>()};

/// A field as a member pointer names it: which struct, and where in it.
struct member {
    struct_identity const* owner = nullptr;
    std::string_view name{};
    std::size_t place = 0;
};

/// Says no place in structs that reflection cannot take apart: `check<T>()` has the words for them.
template <auto Pointer>
consteval member member_of() {
    using owner = reflect::struct_of<Pointer>;
    if constexpr (reflect::reflectable<owner>) return {&identity_of<owner>, reflect::member_name<Pointer>, reflect::index_of<Pointer>};
    else return {&identity_of<owner>, reflect::member_name<Pointer>};
}

/// What `place_of` says of members of other structs.
inline constexpr std::size_t not_a_field = static_cast<std::size_t>(-1);

/// A struct or one of its base classes, and the place of its first field among the struct's.
struct struct_part {
    struct_identity const* identity;
    std::size_t first;
};

template <class T>
constexpr std::size_t count_bases() {
    std::size_t count = 0;
    reflect::for_each_base<T>([&]<class Base>(std::type_identity<Base>, std::size_t) { ++count; });
    return count;
}

/// T itself and its base classes.
template <class T>
inline constexpr auto parts_of = [] {
    constexpr struct_part whole{&identity_of<T>, 0};
    if constexpr (!reflect::has_base<T>()) {
        return std::array{whole};
    } else {
        std::array<struct_part, 1 + count_bases<T>()> parts{whole};
        std::size_t next = 1;
        reflect::for_each_base<T>(
            [&]<class Base>(std::type_identity<Base>, std::size_t first) { parts[next++] = {&identity_of<Base>, first}; });
        return parts;
    }
}();

struct column_overlay {
    detail::member member;
    column_options options;
};

/// Members and what is built over them: an index or a uniqueness.
struct index_overlay {
    std::array<member, index_column_limit> members{};
    std::size_t count = 0;
    index_description description;
};

/// Fills in the names of the table and the columns that a foreign key refers to, once they are asked for.
template <class T>
constexpr void name_reference(foreign_key_description& key, std::array<member, index_column_limit> const& columns);

/// Members and what they refer to.
struct foreign_key_overlay {
    std::array<member, index_column_limit> members{};
    std::size_t count = 0;
    std::array<member, index_column_limit> referenced{};  ///< none where the table has no struct
    std::size_t mistyped = index_column_limit;            ///< the first of them whose type is another than its member's
    foreign_key_description description{};
    void (*name)(foreign_key_description&, std::array<member, index_column_limit> const&) = nullptr;  ///< null: the names are there already
    bool is_own = false;  ///< it refers to the table's own columns: their names are not known where the overlay is made
};

/// What is encoded for the field that a member pointer names, without `std::optional` and annotations.
template <auto Pointer>
using member_value =
    typename field_traits<typename reflect::detail::member_pointer<std::remove_cv_t<decltype(Pointer)>>::field_type>::value;

template <auto First, auto... Others>
inline constexpr bool are_of_one_struct = (std::is_same_v<reflect::struct_of<First>, reflect::struct_of<Others>> && ...);

template <auto First, auto...>
struct first_pointer {
    using owner = reflect::struct_of<First>;
};

template <auto... Pointers, auto... Referenced>
constexpr foreign_key_overlay overlay_of_reference(member_reference<Referenced...> reference) {
    using owner = typename first_pointer<Pointers...>::owner;
    using other = typename first_pointer<Referenced...>::owner;
    foreign_key_overlay key{
        .members = {member_of<Pointers>()...}, .count = sizeof...(Pointers), .referenced = {member_of<Referenced>()...}};
    key.description.options = reference.options;
    constexpr std::array same{std::is_same_v<member_value<Pointers>, member_value<Referenced>>...};
    for (std::size_t i = same.size(); i-- > 0;)
        if (!same[i]) key.mistyped = i;
    key.is_own = std::is_same_v<owner, other>;
    if constexpr (!std::is_same_v<owner, other>) key.name = &name_reference<other>;
    return key;
}

template <auto... Pointers>
constexpr foreign_key_overlay overlay_of_reference(named_reference const& reference) {
    foreign_key_overlay key{.members = {member_of<Pointers>()...}, .count = sizeof...(Pointers)};
    key.description = {.schema = reference.schema, .table = reference.table, .columns = reference.columns, .options = reference.options};
    return key;
}

template <class Element, std::size_t Size>
constexpr std::array<Element, Size + 1> appended(std::array<Element, Size> const& elements, Element const& added) {
    std::array<Element, Size + 1> result{};
    for (std::size_t i = 0; i < Size; ++i) result[i] = elements[i];
    result[Size] = added;
    return result;
}

/// The first thing that is wrong with what annotations say: of which field, or of which name where it is the table's.
struct annotation_fault {
    enum kind : std::uint8_t { none, contradiction, mixed_key_positions, misplaced };

    annotation_fault::kind kind = none;
    std::size_t place = 0;
    std::string_view subject{};
};

/// What is said of a struct's table, whatever its size.
struct table_facts {
    std::string_view table_name{};
    std::string_view schema_name{};
    std::string_view table_comment{};
    constant_list<member> key_members{};
    constant_list<column_overlay> column_overlays{};
    constant_list<index_overlay> index_overlays{};
    constant_list<check_description> checks{};
    constant_list<foreign_key_overlay> foreign_key_overlays{};
    constant_list<struct_part> parts{};        ///< of the struct
    constant_list<std::string_view> fields{};  ///< their names
    annotation_fault fault{};

    /// The place among the struct's fields of a member that it has itself or from a base class.
    [[nodiscard]] constexpr std::size_t place_of(member const& wanted) const {
        for (auto const& part : parts)
            if (wanted.owner == part.identity) return part.first + wanted.place;
        return not_a_field;
    }
};

}  // namespace detail

/// A table's overlay, made by `table("name")` and refined by its members, each of which returns the refined overlay.
template <std::size_t Keys = 0, std::size_t Columns = 0, std::size_t Indexes = 0, std::size_t Checks = 0, std::size_t ForeignKeys = 0>
struct table_overlay {
    std::string_view table_name{};
    std::string_view schema_name{};
    std::array<detail::member, Keys> key_members{};
    std::array<detail::column_overlay, Columns> column_overlays{};
    std::array<detail::index_overlay, Indexes> index_overlays{};
    std::string_view table_comment{};
    std::array<check_description, Checks> checks{};
    std::array<detail::foreign_key_overlay, ForeignKeys> foreign_key_overlays{};

    /// The Postgres schema of the table, `public` where it is not said.
    [[nodiscard]] constexpr table_overlay schema(std::string_view name) const {
        auto result = *this;
        result.schema_name = name;
        return result;
    }

    /// What the catalogue says of the table.
    [[nodiscard]] constexpr table_overlay comment(std::string_view text) const {
        auto result = *this;
        result.table_comment = text;
        return result;
    }

    /// The primary key's columns in their order.
    template <auto... Pointers>
    [[nodiscard]] constexpr table_overlay<sizeof...(Pointers), Columns, Indexes, Checks, ForeignKeys> primary_key() const {
        static_assert(sizeof...(Pointers) > 0 && sizeof...(Pointers) <= index_column_limit, "isorow: a primary key has 1 to 32 columns");
        return with_key<sizeof...(Pointers)>({detail::member_of<Pointers>()...});
    }

    /// What is different about one column.
    template <auto Pointer>
    [[nodiscard]] constexpr table_overlay<Keys, Columns + 1, Indexes, Checks, ForeignKeys> column(column_options const& options) const {
        return with(detail::member_of<Pointer>(), options);
    }

    /// No two rows have the same values in these columns together.
    template <auto... Pointers>
    [[nodiscard]] constexpr table_overlay<Keys, Columns, Indexes + 1, Checks, ForeignKeys> unique(std::string_view name = {}) const {
        return index<Pointers...>(btree{.name = name, .unique = true});
    }

    /// An index over these columns; btree where no method is said.
    template <auto... Pointers, class Method = btree>
    [[nodiscard]] constexpr table_overlay<Keys, Columns, Indexes + 1, Checks, ForeignKeys> index(Method const& method = {}) const {
        static_assert(sizeof...(Pointers) > 0 && sizeof...(Pointers) <= index_column_limit, "isorow: an index has 1 to 32 columns");
        return with(detail::index_overlay{{detail::member_of<Pointers>()...}, sizeof...(Pointers), detail::describe(field_list{}, method)});
    }

    /// A condition that every row satisfies: `.check("bookings_in_order", "starts < ends")`.
    [[nodiscard]] constexpr table_overlay<Keys, Columns, Indexes, Checks + 1, ForeignKeys> check(std::string_view name,
                                                                                                 std::string_view condition) const {
        return {table_name,
                schema_name,
                key_members,
                column_overlays,
                index_overlays,
                table_comment,
                detail::appended(checks, check_description{name, condition}),
                foreign_key_overlays};
    }

    /// A foreign key: `.foreign_key<&Order::customer>(references<&Customer::id>({.on_delete = cascade}))`, or of a table that has no
    /// struct, `.foreign_key<&Order::country>(references("geo.countries", {"code"}))`.
    template <auto... Pointers, auto... Referenced>
    [[nodiscard]] constexpr table_overlay<Keys, Columns, Indexes, Checks, ForeignKeys + 1> foreign_key(
        member_reference<Referenced...> reference) const {
        static_assert(sizeof...(Pointers) == sizeof...(Referenced), "isorow: a foreign key refers to as many columns as it has");
        static_assert(detail::are_of_one_struct<Referenced...>, "isorow: a foreign key refers to columns of one table");
        return with(detail::overlay_of_reference<Pointers...>(reference));
    }
    template <auto... Pointers>
    [[nodiscard]] constexpr table_overlay<Keys, Columns, Indexes, Checks, ForeignKeys + 1> foreign_key(
        named_reference const& reference) const {
        static_assert(sizeof...(Pointers) > 0 && sizeof...(Pointers) <= index_column_limit, "isorow: a foreign key has 1 to 32 columns");
        auto key = detail::overlay_of_reference<Pointers...>(reference);
        if (reference.count != sizeof...(Pointers)) key.mistyped = 0;
        return with(key);
    }

    /// For the library's own use: what is said, of a struct of these parts and fields.
    [[nodiscard]] constexpr detail::table_facts facts(constant_list<detail::struct_part> parts,
                                                      constant_list<std::string_view> fields) const {
        return {table_name,     schema_name, table_comment,        key_members, column_overlays,
                index_overlays, checks,      foreign_key_overlays, parts,       fields};
    }

private:
    // The same for all structs whose overlays say as much, which is why the templates above only hand over to them.
    template <std::size_t Size>
    [[nodiscard]] constexpr table_overlay<Size, Columns, Indexes, Checks, ForeignKeys> with_key(
        std::array<detail::member, Size> const& key) const {
        return {table_name, schema_name, key, column_overlays, index_overlays, table_comment, checks, foreign_key_overlays};
    }
    [[nodiscard]] constexpr table_overlay<Keys, Columns + 1, Indexes, Checks, ForeignKeys> with(detail::member const& member,
                                                                                                column_options const& options) const {
        return {table_name,     schema_name,   key_members, detail::appended(column_overlays, detail::column_overlay{member, options}),
                index_overlays, table_comment, checks,      foreign_key_overlays};
    }
    [[nodiscard]] constexpr table_overlay<Keys, Columns, Indexes + 1, Checks, ForeignKeys> with(detail::index_overlay const& added) const {
        return {table_name,    schema_name, key_members,         column_overlays, detail::appended(index_overlays, added),
                table_comment, checks,      foreign_key_overlays};
    }
    [[nodiscard]] constexpr table_overlay<Keys, Columns, Indexes, Checks, ForeignKeys + 1> with(
        detail::foreign_key_overlay const& added) const {
        return {table_name,     schema_name,   key_members, column_overlays,
                index_overlays, table_comment, checks,      detail::appended(foreign_key_overlays, added)};
    }
};

/// Begins the overlay of a table of this name.
[[nodiscard]] constexpr table_overlay<> table(std::string_view name) { return {.table_name = name}; }

}  // namespace isorow::inline v1
