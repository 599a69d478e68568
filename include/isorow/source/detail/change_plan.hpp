#pragma once

/// @file
/// Which column of a published table each field of a struct comes from, proved by OID once per description of the table.

#include <isorow/codec/pgoutput.hpp>
#include <isorow/error/mismatch.hpp>
#include <isorow/query/detail/row_plan.hpp>
#include <isorow/schema/identifier.hpp>
#include <isorow/source/detail/change_feed.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

/// The plan of a struct for one description of its table.
template <class T>
class change_plan {
    static constexpr std::size_t count = reflect::field_count<T>;
    static constexpr std::int32_t no_field = -1;

public:
    /// Throws `mismatch` with every column that is missing or of a type that its field cannot read, and `replication_not_set_up` where the
    /// replica identity leaves out a column of T's key.
    change_plan(change_feed& feed, described_relation const& of)
        : version_(of.version), incoming_(feed.link()), fields_(of.description.columns.size(), no_field) {
        std::vector<difference> differences;
        reflect::for_each_index<T>([&](auto place) { find_column<place>(feed, of.description, differences); });
        auto const table = quote_identifier(of.description.schema, of.description.name);
        if (!differences.empty()) throw mismatch(type_name<T>(), text("the table {} as it is replicated", table), std::move(differences));
        require_identity(of.description, table);
    }

    [[nodiscard]] bool is_of(described_relation const& one) const noexcept { return version_ == one.version; }

    /// Decodes a new row. `unchanged`: gets the places of the fields whose values were not sent. Throws `malformed` or `unrepresentable`
    /// with struct and field.
    void decode_row(pgoutput::tuple const& row, T& into, std::vector<std::size_t>& unchanged) const {
        unchanged.clear();
        decode(row, into, [&](std::size_t place) { unchanged.push_back(place); }, false);
    }

    /// Decodes an old row whole, or its identity alone: the other fields then have their default initialisers.
    void decode_old(pgoutput::tuple const& row, T& into, bool whole) const {
        if (!whole) into = T{};
        decode(row, into, [](std::size_t) { throw malformed("the value was not sent with the row as it was before"); }, !whole);
    }

private:
    template <std::size_t Place>
    void find_column(change_feed& feed, pgoutput::relation const& of, std::vector<difference>& differences) {
        using field = field_codec<T, Place>;
        constexpr auto const& column = columns_of<T>[Place];
        auto const report = [&](std::string found) {
            differences.push_back({field_label<T>(Place), std::string(column.name), to_sql(column.type.base()), std::move(found)});
        };
        for (std::size_t i = 0; i < of.columns.size(); ++i) {
            if (of.columns[i].name != column.name) continue;
            fields_[i] = static_cast<std::int32_t>(Place);
            of_identity_[Place] = of.columns[i].of_identity;
            if (!can_read<typename field::value, column.type>(feed.link(), of.columns[i].type))
                report(name_found(feed, of.columns[i].type));
            return;
        }
        report("no such column");
    }

    /// The stream's own connection is busy, so another one is asked where the server has not told the name.
    [[nodiscard]] static std::string name_found(change_feed& feed, oid type) {
        if (auto const told = feed.type_name(type); !told.empty()) return std::string(told);
        bool array = false;
        if (auto const* const entry = find_entry(type, array)) return std::string(entry->sql_name) + (array ? "[]" : "");
        try {
            auto side = feed.where().connect(limits::within(std::chrono::seconds(5)));
            return name_of_type(side, type);
        } catch (error const&) {
            return text("a type with the OID {}", type);
        }
    }

    /// Without the key's columns nobody could tell which row an update or delete was of.
    void require_identity(pgoutput::relation const& of, std::string const& table) const {
        bool any = false;
        for (auto const& column : of.columns) any = any || column.of_identity;
        if (!any) return;  // inserts alone are published
        for (auto const place : description_of<T>.key)
            if (!of_identity_[place])
                throw replication_not_set_up(text(
                    "the replica identity of {} leaves out the column \"{}\" of the key of {}, so that updates and deletes do not tell "
                    "which row they are of: say ALTER TABLE {} REPLICA IDENTITY DEFAULT where that is its primary key, else FULL",
                    table, columns_of<T>[place].name, type_name<T>(), table));
    }

    template <class Unchanged>
    void decode(pgoutput::tuple const& row, T& into, Unchanged&& not_sent, bool identity_alone) const {
        if (row.size() != fields_.size()) throw malformed("a row of {} columns, of a table that has {}", row.size(), fields_.size());
        std::array<pgoutput::column, count> columns{};
        auto field = fields_.begin();
        for (auto const& column : row) {
            if (*field != no_field) columns[static_cast<std::size_t>(*field)] = column;
            ++field;
        }
        std::size_t place = 0;
        try {
            decode_fields(columns, into, place, not_sent, identity_alone, std::make_index_sequence<count>{});
        } catch (value_error const& failure) {
            failure.rethrow_at(field_label<T>(place));
        }
    }

    template <class Unchanged, std::size_t... I>
    void decode_fields(std::array<pgoutput::column, count> const& columns, T& into, std::size_t& place, Unchanged& not_sent,
                       bool identity_alone, std::index_sequence<I...>) const {
        auto const one = [&]<std::size_t Place>(std::integral_constant<std::size_t, Place>) {
            if (identity_alone && !of_identity_[Place]) return;
            place = Place;
            decode_column<Place>(columns[Place], into, not_sent);
        };
        (one(std::integral_constant<std::size_t, I>{}), ...);
    }

    template <std::size_t Place, class Unchanged>
    void decode_column(pgoutput::column const& column, T& into, Unchanged& not_sent) const {
        if (column.kind == pgoutput::column_kind::unchanged) [[unlikely]] {
            static T const unset{};
            reflect::assign(reflect::get<Place>(into), reflect::get<Place>(unset));
            return not_sent(Place);
        }
        constexpr auto type = columns_of<T>[Place].type;
        if constexpr (type.array || !is_character_type(type.id))
            if (column.kind == pgoutput::column_kind::text) [[unlikely]]
                throw malformed("the value came as text, as its type has no binary form");
        auto const* const bytes = column.kind == pgoutput::column_kind::null ? nullptr : column.value.data();
        incoming_.take<type>(std::span(bytes, column.value.size()),
                             [&](std::span<std::byte const> taken) { decode_field<Place>(into, taken.data(), taken.size()); });
    }

    std::uint64_t version_;
    incoming incoming_;
    std::vector<std::int32_t> fields_;  ///< of each column
    std::array<bool, count> of_identity_{};
};

}  // namespace isorow::inline v1::detail
