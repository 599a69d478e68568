#pragma once

/// @file
/// What became of each owner in a run: who is to be compared, who stands, who is gone.

#include <isorow/target/detail/registry.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace isorow::inline v1::detail {

/// What a run means for the rows of an owner.
enum class owner_fate : std::uint8_t {
    ran,      ///< its rows are compared with what it declared
    stands,   ///< its rows stay as they are
    gone,     ///< it was not visited any more: its rows are deleted
    outside,  ///< it is not in the run's extent, or another one's altogether
};

/// The owners of an app as a run leaves them. Refers to the state and the record that it was made of.
class owner_fates {
public:
    owner_fates(app_record const& app, declared_state const& state) : state_(&state) {
        for (auto const& one : state.owners)
            if (one.state == owner_state::stands) standing_.insert(one.path);
        fates_.reserve(app.owners.size() + state.owners.size());
        std::unordered_set<std::string_view> visited;
        for (auto const& one : state.owners) {
            visited.insert(one.path);
            enter(one);
        }
        for (auto const& one : app.owners) {
            if (visited.contains(one.path)) continue;
            auto const fate = fate_of_absent(one.path);
            fates_.emplace(one.id, fate);
            if (fate == owner_fate::gone) gone_.push_back(one.id);
        }
    }

    /// Enters an owner of the state once it has its id.
    void enter(owner const& one) {
        if (one.id != 0) fates_[one.id] = one.state == owner_state::ran ? owner_fate::ran : owner_fate::stands;
    }

    [[nodiscard]] owner_fate of(std::int64_t id) const noexcept {
        auto const found = fates_.find(id);
        return found == fates_.end() ? owner_fate::outside : found->second;
    }
    [[nodiscard]] bool is_compared(std::int64_t id) const noexcept {
        auto const fate = of(id);
        return fate == owner_fate::ran || fate == owner_fate::gone;
    }

    /// Those whose rows are deleted.
    [[nodiscard]] std::vector<std::int64_t> const& gone() const noexcept { return gone_; }

    /// Those whose rows are compared or deleted.
    [[nodiscard]] std::vector<std::int64_t> compared() const {
        auto ids = gone_;
        for (auto const& one : state_->owners)
            if (one.id != 0 && one.state == owner_state::ran) ids.push_back(one.id);
        return ids;
    }
    /// Those whose rows stay as they are.
    [[nodiscard]] std::vector<std::int64_t> standing() const {
        std::vector<std::int64_t> ids;
        for (auto const& [id, fate] : fates_)
            if (fate == owner_fate::stands) ids.push_back(id);
        return ids;
    }
    [[nodiscard]] std::size_t size() const noexcept { return fates_.size(); }

private:
    [[nodiscard]] bool is_below(std::string_view path, std::string_view above) const noexcept {
        return above.empty() || path == above || (path.starts_with(above) && path[above.size()] == '/');
    }

    [[nodiscard]] bool is_in_extent(std::string_view path) const noexcept {
        return state_->extents.empty() ? is_below(path, state_->under)
                                       : std::ranges::any_of(state_->extents, [&](auto const& one) { return is_below(path, one); });
    }

    /// Plain targets list themselves only: other owners are others'. A component below one that stands was not asked for, and stands too.
    [[nodiscard]] owner_fate fate_of_absent(std::string_view path) const noexcept {
        if (state_->app.empty() || !is_in_extent(path)) return owner_fate::outside;
        for (auto end = path.rfind('/'); end != std::string_view::npos; end = end == 0 ? std::string_view::npos : path.rfind('/', end - 1))
            if (standing_.contains(path.substr(0, end))) return owner_fate::stands;
        return owner_fate::gone;
    }

    declared_state const* state_;
    std::unordered_set<std::string_view> standing_{};
    std::unordered_map<std::int64_t, owner_fate> fates_{};
    std::vector<std::int64_t> gone_{};
};

}  // namespace isorow::inline v1::detail
