#pragma once

/// @file
/// A copy of a source that is kept by what is told of it: equal to the source when all was told.

#include <isorow/source/follow.hpp>

#include <chrono>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>

namespace test {

/// A dynamic row as text, by which it can be ordered and compared.
[[nodiscard]] inline std::string shown(isorow::dynamic_row const& row) {
    std::ostringstream out;
    out << row;
    return out.str();
}

/// Follows events as a consumer does that has nothing but them.
template <class T>
class followed_copy {
    static constexpr bool is_dynamic = std::is_same_v<T, isorow::dynamic_row>;
    using own_key = typename isorow::source_event<T>::key_type;

public:
    using key_type = std::conditional_t<is_dynamic, std::string, own_key>;

    void apply(isorow::source_event<T> const& event) {
        using enum isorow::event_kind;
        switch (event.kind) {
            case begin_rows:
                told_.clear();
                reads_all_ = true;
                break;
            case row:
            case upserted:
                rows_.insert_or_assign(name(*event.key), *event.row);
                told_.insert(name(*event.key));
                break;
            case end_rows:
                std::erase_if(rows_, [&](auto const& one) { return !told_.contains(one.first); });
                reads_all_ = false;
                break;
            case removed:
                rows_.erase(name(*event.key));
                break;
        }
    }
    void apply(isorow::event_batch<T>& batch) {
        for (auto const& event : batch) apply(event);
    }

    [[nodiscard]] std::map<key_type, T> const& rows() const noexcept { return rows_; }
    [[nodiscard]] bool reads_all() const noexcept { return reads_all_; }

private:
    [[nodiscard]] static key_type name(own_key const& key) {
        if constexpr (is_dynamic) return shown(key);
        else return key;
    }

    std::map<key_type, T> rows_;
    std::set<key_type> told_;
    bool reads_all_ = false;
};

/// Applies what comes until nothing comes any more.
template <class T>
void catch_up(isorow::followed<T>& events, followed_copy<T>& copy) {
    while (auto batch = events.next(std::chrono::milliseconds(0))) copy.apply(*batch);
}

/// The rows of a source by their keys: what a copy has to be.
template <class T>
[[nodiscard]] std::map<isorow::key_of<T>, T> rows_by_key(isorow::source<T> const& from) {
    std::map<isorow::key_of<T>, T> rows;
    for (auto [key, row] : from.template keyed_rows<isorow::key_of<T>, T>()) rows.emplace(std::move(key), std::move(row));
    return rows;
}

/// The kinds of a batch's events, in their order.
template <class T>
[[nodiscard]] std::string kinds(isorow::event_batch<T> const& batch) {
    std::string all;
    for (auto const& event : batch.events()) all.append(all.empty() ? "" : " ").append(to_string(event.kind));
    return all;
}

}  // namespace test
