#pragma once

/// @file
/// What the encoders of all kinds of rows share: the table, the order of the image, and how its bytes compare.

#include <isorow/codec/bytes.hpp>
#include <isorow/codec/dynamic_codec.hpp>
#include <isorow/error/error.hpp>
#include <isorow/error/text.hpp>
#include <isorow/schema/identifier.hpp>
#include <isorow/schema/table_schema.hpp>

#include <cstddef>
#include <cstdint>
#include <ranges>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

class row_frame {
public:
    [[nodiscard]] table_schema const& schema() const noexcept { return schema_; }

    /// The places of the schema's columns in the order of the image.
    [[nodiscard]] std::span<std::uint16_t const> places() const noexcept { return places_; }

    /// Whether two keys are equal for the server exactly where their bytes are; not so for numeric, floating point numbers or interval.
    [[nodiscard]] bool keys_compare_as_bytes() const noexcept { return keys_compare_as_bytes_; }

    /// Whether the server gives back the bytes that it was given; not so for jsonb, character(n), or types that are rounded.
    [[nodiscard]] bool values_are_stable() const noexcept { return values_are_stable_; }

protected:
    /// Throws `usage_error` where a place is none of the schema's or stands twice.
    row_frame(table_schema schema, std::span<std::uint16_t const> places)
        : schema_(std::move(schema)), places_(places.begin(), places.end()) {
        std::vector<bool> taken(schema_.columns().size());
        for (auto const place : places_) {
            if (place >= taken.size())
                throw usage_error(text("a row's image has no place {}: the table has {} columns", place, taken.size()));
            if (taken[place]) throw usage_error(text("a row's image has the column \"{}\" twice", column(place).name));
            taken[place] = true;
        }
    }

    [[nodiscard]] column_description const& column(std::size_t place) const noexcept { return schema_.columns()[place]; }
    [[nodiscard]] bool is_key(std::size_t place) const noexcept { return schema_.key().contains(place); }

    void add_codec(std::size_t place, bool stable, bool equal) noexcept {
        bool const rounded = is_rounded(column(place).type);
        if (!stable || rounded) values_are_stable_ = false;
        if (is_key(place) && (!equal || rounded)) keys_compare_as_bytes_ = false;
    }

    /// `the table "shop"."products"`.
    [[nodiscard]] std::string table_name() const {
        return schema_.name().empty() ? std::string("the table") : "the table " + quote_identifier(schema_.schema(), schema_.name());
    }

    /// Why a column cannot do without a value.
    [[nodiscard]] std::string_view requirement(std::size_t place) const noexcept { return is_key(place) ? "of the key" : "NOT NULL"; }

    template <class Columns>
    [[nodiscard]] static auto names_of(Columns const& columns) {
        return columns | std::views::transform(&column_description::name);
    }

    /// Appends the number of columns and each of them by `append`. On an error `out` is as it was, and `label` says where the error is.
    template <class Append, class Label>
    void append_row(byte_writer& out, Append&& append, Label&& label) const {
        auto const start = out.size();
        std::size_t at = 0;
        try {
            out.put_int16(static_cast<std::int16_t>(places_.size()));
            for (; at < places_.size(); ++at) append(at);
        } catch (value_error const& failure) {
            out.truncate(start);
            failure.rethrow_at(label(at));
        } catch (...) {
            out.truncate(start);
            throw;
        }
        if (auto const size = out.size() - start; size > longest_value) {
            out.truncate(start);
            throw unrepresentable("the row takes {} bytes, which is more than Postgres can receive", size);
        }
    }

private:
    table_schema schema_;
    std::vector<std::uint16_t> places_;
    bool keys_compare_as_bytes_ = true;
    bool values_are_stable_ = true;
};

}  // namespace isorow::inline v1::detail
