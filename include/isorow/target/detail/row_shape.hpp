#pragma once

#include <isorow/schema/table.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace isorow::inline v1::detail {

/// What the commit needs to know of a table's rows, so that it need not be a template.
struct row_shape {
    table_description table;
    std::span<std::uint16_t const> places;     ///< the columns' places with the key first: the order of the images
    bool keys_compare_as_bytes = true;         ///< false where equal keys may differ as bytes, as numeric's do: the server finds the rows
    bool values_are_stable = true;             ///< false where the server gives back other bytes than it was given, as jsonb does
    std::shared_ptr<void const> kept_alive{};  ///< what `table` and `places` refer to, where that is not constant data

    /// The columns' types in the order of the images.
    [[nodiscard]] std::vector<column_type> types() const {
        std::vector<column_type> all;
        for (auto const place : places) all.push_back(table.columns[place].type);
        return all;
    }
};

}  // namespace isorow::inline v1::detail
