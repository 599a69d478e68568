#pragma once

/// @file
/// What is told of a source that is followed, whatever the mechanism.

#include <isorow/source/keyed.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace isorow::inline v1 {

enum class event_kind : std::uint8_t {
    begin_rows,  ///< all rows of the source are told next, up to `end_rows`: at the beginning, after TRUNCATE, and where changes were
                 ///< missed
    row,         ///< one of these
    end_rows,    ///< they were all: rows known from before that were not among them are gone, unless a later event tells of them
    upserted,    ///< a row was inserted or updated; it is told as it is now
    removed,     ///< a row is gone, or the source's filter does not hold for it any more
};

[[nodiscard]] constexpr std::string_view to_string(event_kind kind) noexcept {
    switch (kind) {
        case event_kind::begin_rows:
            return "begin_rows";
        case event_kind::row:
            return "row";
        case event_kind::end_rows:
            return "end_rows";
        case event_kind::upserted:
            return "upserted";
        case event_kind::removed:
            return "removed";
    }
    return "";
}

/// One thing that has become of a source's rows. Events tell how rows are, not what was done to them: applied twice, or after a later one
/// was told already, they lead to the same.
template <class T>
struct source_event {
    /// The primary key: the type of its field, or a tuple of several; of dynamic rows a dynamic row.
    using key_type = detail::key_or_dynamic<T>;

    event_kind kind{};
    std::optional<key_type> key{};  ///< of `row`, `upserted` and `removed`
    std::optional<T> row{};         ///< of `row` and `upserted`
};

}  // namespace isorow::inline v1
