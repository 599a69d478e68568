#pragma once

#include <isorow/codec/row.hpp>
#include <isorow/codec/scalars.hpp>
#include <isorow/codec/text_policy.hpp>
#include <isorow/target/detail/reconcile.hpp>
#include <isorow/target/options.hpp>
#include <isorow/target/report.hpp>

#include <cstddef>
#include <ranges>
#include <string>
#include <utility>

namespace isorow::inline v1 {

namespace detail {

template <class T, std::size_t... Place>
consteval bool keys_compare_as_bytes(std::index_sequence<Place...>) {
    return ((!description_of<T>.is_key(Place) || codec_at<T, Place>::bytewise_equal) && ...);
}

template <class Value>
[[nodiscard]] std::string key_part_text(Value const& value) {
    if constexpr (std::is_arithmetic_v<Value> || std::convertible_to<Value const&, std::string_view>) {
        return as_text(value);
    } else if constexpr (requires {
                             { to_string(value) } -> std::convertible_to<std::string>;
                         }) {
        return to_string(value);
    } else {
        return "…";
    }
}

/// `(category, name) = (lamps, desk lamp)`.
template <class T>
[[nodiscard]] std::string key_text(T const& row) {
    std::string names;
    std::string values;
    reflect::for_each_index<T>([&](auto place) {
        if constexpr (description_of<T>.is_key(place)) {
            using traits = typename field_codec<T, place>::traits;
            names.append(names.empty() ? "" : ", ").append(columns_of<T>[place].name);
            values.append(values.empty() ? "" : ", ").append(key_part_text(traits::get(reflect::get<place>(row))));
        }
    });
    return text("({}) = ({})", names, values);
}

}  // namespace detail

/// Declares the rows that a table should have, and makes it have them.
///
/// Each `declare` keeps the row's image; nothing is sent. `commit` makes the table equal to what was declared since the last commit, in
/// one transaction: new rows are inserted, changed ones updated, undeclared ones that this target owns deleted, unchanged ones not
/// written. On an error the table is as before and the declared rows are kept.
///
/// Refers to the pool, connection or transaction that it was made with, which must outlive it. Not thread-safe.
template <class T>
class target {
public:
    /// Nothing is sent yet. Throws `usage_error` for names that Postgres cannot take.
    explicit target(database_ref const& where, target_options options = {}) : where_(where), options_(std::move(options)) {
        check_keyed<T>();
        static_cast<void>(quote_identifier(table().schema, table().name));
    }

    /// Declares one row. Throws `unrepresentable` with struct, field and row number for a value that its column cannot hold, and
    /// `duplicate_key` where a row with this key was declared; what was declared before stands in both cases.
    void declare(T const& row) {
        image_.clear();
        try {
            encode(row);
        } catch (value_error const& failure) {
            failure.rethrow_at(text("row {}", declared_.size() + 1));
        }
        auto const image = image_.bytes();
        if (auto const first = declared_.add(image, detail::end_of_key(image, description_of<T>.key.size())))
            throw duplicate_key(text("two declared rows of {} have the key {}: row {} and row {}",
                                     quote_identifier(table().schema, table().name), detail::key_text(row), *first + 1,
                                     declared_.size() + 1));
    }

    /// Declares each row of a range.
    template <std::ranges::input_range Rows>
    void declare_all(Rows&& rows) {
        for (auto&& row : rows) declare(row);
    }

    /// How many rows are declared.
    [[nodiscard]] std::size_t size() const noexcept { return declared_.size(); }

    /// Makes the table equal to the declared rows and forgets these. Throws `not_owned` for a table that isorow did not make and may not
    /// adopt, `mismatch` where the table does not fit T, `untracked_key` where a declared key is somebody else's row, `missing_privilege`
    /// with the SQL to ask for, and the server's errors.
    report commit() {
        auto done = reconcile(false);
        declared_ = {};
        return done;
    }

    /// What `commit` would do. Writes nothing: all happens in a transaction that is rolled back.
    [[nodiscard]] report plan() { return reconcile(true); }

private:
    void encode(T const& row) {
        if (options_.text == text_policy::refuse) encode_row<T, row_order::key_first>(row, image_);
        else encode_row<T, row_order::key_first>(cleaned_row(row, options_.text), image_);
    }

    [[nodiscard]] table_description table() const noexcept {
        auto description = description_of<T>;
        if (!options_.table.empty()) description.name = options_.table;
        if (!options_.schema.empty()) description.schema = options_.schema;
        return description;
    }

    report reconcile(bool dry_run) {
        database_ref::use const connection(where_);
        constexpr auto fields = std::make_index_sequence<reflect::field_count<T>>{};
        detail::row_shape shape{table(), places_of<T, row_order::key_first>, detail::keys_compare_as_bytes<T>(fields)};
        transaction whole(*connection);
        install(*connection);
        auto done = detail::reconciliation(*connection, connection.given_limits(), shape, options_, declared_, dry_run).run();
        if (dry_run) whole.rollback();
        else whole.commit();
        return done;
    }

    database_ref where_;
    target_options options_;
    detail::declared_rows declared_;
    byte_writer image_;
};

/// Makes the table equal to a range of rows, in one transaction: see `target<T>`.
template <std::ranges::input_range Rows>
report synchronise(database_ref const& where, Rows&& rows, target_options options = {}) {
    target<std::ranges::range_value_t<Rows>> all(where, std::move(options));
    all.declare_all(rows);
    return all.commit();
}

/// Drops isorow's record of a table, not the table: it is then one that isorow does not know. Returns whether there was a record.
inline bool forget(database_ref const& where, std::string_view schema, std::string_view table) {
    auto const installed = query_one<std::optional<std::string>>(where, "SELECT pg_catalog.to_regclass('isorow.targets')::text");
    return installed && execute(where, "DELETE FROM isorow.targets WHERE schema_name = $1 AND table_name = $2", schema, table) > 0;
}

}  // namespace isorow::inline v1
