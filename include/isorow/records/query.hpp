#pragma once

#include <isorow/records/filter.hpp>
#include <isorow/records/record.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace isorow::inline v1::records {

enum class direction : std::uint8_t { ascending, descending };
inline constexpr direction ascending = direction::ascending;
inline constexpr direction descending = direction::descending;

/// A place whose values order the records: null, texts by their bytes, numbers, booleans, lists, objects, as Postgres orders jsonb.
/// Records without a value come last in both directions.
struct sort_key {
    path place;
    enum direction direction = ascending;
};

/// Which records, in which order, and what of them. Made in steps: `query().where(…).order_by("name").limit(20)`.
class query {
public:
    query() = default;
    query(filter condition) : condition_(std::move(condition)) {}  // NOLINT(google-explicit-constructor): a condition is a query for it

    /// Also this has to hold.
    query& where(filter condition) & {
        condition_ = std::move(condition_) && std::move(condition);
        return *this;
    }
    /// By this place after those said before. What is equal is ordered by the records' ids.
    query& order_by(path place, direction direction = ascending) & {
        order_.push_back({std::move(place), direction});
        return *this;
    }
    /// At most so many records.
    query& limit(std::size_t count) & {
        limit_ = count;
        return *this;
    }
    /// Without the first so many. Large offsets are slow, and records that come or go meanwhile move the pages: see `after`.
    query& offset(std::size_t count) & {
        offset_ = count;
        return *this;
    }
    /// The page behind this record, which was the last of the page before and has all places that the query orders by. The record need not
    /// be there any more.
    query& after(record const& last) & {
        after_ = last;
        return *this;
    }
    /// Only these fields, each with what is below it; the metadata only where paths name it. Texts of values are no places.
    query& only(std::vector<path> places) & {
        only_ = std::move(places);
        return *this;
    }

    query&& where(filter condition) && { return std::move(where(std::move(condition))); }
    query&& order_by(path place, direction direction = ascending) && { return std::move(order_by(std::move(place), direction)); }
    query&& limit(std::size_t count) && { return std::move(limit(count)); }
    query&& offset(std::size_t count) && { return std::move(offset(count)); }
    query&& after(record const& last) && { return std::move(after(last)); }
    query&& only(std::vector<path> places) && { return std::move(only(std::move(places))); }

    [[nodiscard]] filter const& condition() const noexcept { return condition_; }
    [[nodiscard]] std::vector<sort_key> const& order() const noexcept { return order_; }
    [[nodiscard]] std::optional<std::size_t> limit() const noexcept { return limit_; }
    [[nodiscard]] std::size_t offset() const noexcept { return offset_; }
    [[nodiscard]] std::optional<record> const& after() const noexcept { return after_; }
    [[nodiscard]] std::vector<path> const& only() const noexcept { return only_; }

private:
    filter condition_{};
    std::vector<sort_key> order_{};
    std::optional<std::size_t> limit_{};
    std::size_t offset_ = 0;
    std::optional<record> after_{};
    std::vector<path> only_{};
};

}  // namespace isorow::inline v1::records
