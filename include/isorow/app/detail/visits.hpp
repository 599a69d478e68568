#pragma once

/// @file
/// The components of a run by their paths: those that earlier runs entered, and those that this one has visited.

#include <isorow/app/scope_path.hpp>
#include <isorow/error/error.hpp>
#include <isorow/target/detail/registry.hpp>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace isorow::inline v1::detail {

/// Finds components by their paths, in constant time and without an allocation for each. Thread-safe.
class visits {
public:
    /// Refers to both, which must outlive it; `owners` is where the visited are listed.
    visits(std::vector<recorded_owner> const& recorded, std::vector<owner>& owners) : recorded_(&recorded), owners_(&owners) {
        std::size_t slots = 64;
        while (slots < 4 * recorded.size()) slots *= 2;
        slots_.resize(slots);
        entries_.reserve(recorded.size());
        for (std::uint32_t i = 0; i < recorded.size(); ++i) {
            entries_.push_back({.recorded = i});
            place(static_cast<std::uint32_t>(entries_.size() - 1), hash_of(recorded[i].path));
        }
    }

    /// What a visit has found.
    struct visit {
        std::uint32_t number = 0;  ///< the component's, among the owners
        bool stands = false;       ///< nothing has changed since the last run: it need not run
    };

    /// Enters a component. Throws `usage_error` where the path was visited before.
    visit enter(std::string_view path, std::optional<fingerprint> const& memo) {
        std::lock_guard const lock(mutex_);
        auto const hash = hash_of(path);
        auto* found = find(path, hash);
        if (found == nullptr) found = &add(hash);
        if (found->number != none)
            throw usage_error(text("the component {} is mounted twice in one run: each has a path of its own", shown_path(path)));
        recorded_owner const* const before = found->recorded == none ? nullptr : &(*recorded_)[found->recorded];
        bool const stands = memo && before != nullptr && !found->must_run && before->memo == memo;
        found->number = static_cast<std::uint32_t>(owners_->size());
        owners_->push_back({.path = std::string(path),
                            .id = before == nullptr ? 0 : before->id,
                            .state = stands ? owner_state::stands : owner_state::ran,
                            .memo = stands ? std::nullopt : memo});
        return {found->number, stands};
    }

    /// These owners, and all above them, run whatever their input: a change of a table, or of its rows, asks for it. Throws `usage_error`
    /// where one of them was found unchanged already. `reason` completes its text.
    void require(std::span<std::int64_t const> ids, std::string_view reason) {
        if (ids.empty()) return;
        std::lock_guard const lock(mutex_);
        std::unordered_set<std::int64_t> const wanted(ids.begin(), ids.end());
        for (auto const& one : *recorded_)
            if (wanted.contains(one.id)) require_all_above(one.path, reason);
    }

    /// What the component declared before stands, and what it ran with is not remembered.
    void let_stand(std::uint32_t number) {
        std::lock_guard const lock(mutex_);
        (*owners_)[number].state = owner_state::stands;
        (*owners_)[number].memo.reset();
    }
    /// The component runs again in the next run, whatever its input.
    void forget_memo(std::uint32_t number) {
        std::lock_guard const lock(mutex_);
        (*owners_)[number].memo.reset();
    }

    [[nodiscard]] std::string path_of(std::uint32_t number) {
        std::lock_guard const lock(mutex_);
        return (*owners_)[number].path;
    }

private:
    static constexpr std::uint32_t none = UINT32_MAX;

    struct entry {
        std::uint32_t recorded = none;  ///< its place in the record
        std::uint32_t number = none;    ///< its place among the owners, once it was visited
        bool must_run = false;
    };
    /// Entries count from 1; 0 is a free slot.
    struct slot {
        std::uint32_t tag = 0;
        std::uint32_t entry = 0;
    };

    [[nodiscard]] static std::uint64_t hash_of(std::string_view path) noexcept { return XXH3_64bits(path.data(), path.size()); }
    [[nodiscard]] static std::uint32_t tag_of(std::uint64_t hash) noexcept { return static_cast<std::uint32_t>(hash >> 32); }

    [[nodiscard]] std::string_view path_of(entry const& one) const noexcept {
        return one.recorded != none ? std::string_view((*recorded_)[one.recorded].path) : std::string_view((*owners_)[one.number].path);
    }

    [[nodiscard]] entry* find(std::string_view path, std::uint64_t hash) noexcept {
        auto const mask = slots_.size() - 1;
        for (auto at = static_cast<std::size_t>(hash) & mask; slots_[at].entry != 0; at = (at + 1) & mask) {
            auto& one = entries_[slots_[at].entry - 1];
            if (slots_[at].tag == tag_of(hash) && path_of(one) == path) return &one;
        }
        return nullptr;
    }

    /// Adds an entry whose path is that of the owner that is entered next.
    [[nodiscard]] entry& add(std::uint64_t hash) {
        if (2 * (entries_.size() + 1) > slots_.size()) grow();
        entries_.emplace_back();
        place(static_cast<std::uint32_t>(entries_.size() - 1), hash);
        return entries_.back();
    }
    void place(std::uint32_t which, std::uint64_t hash) noexcept {
        auto const mask = slots_.size() - 1;
        auto at = static_cast<std::size_t>(hash) & mask;
        while (slots_[at].entry != 0) at = (at + 1) & mask;
        slots_[at] = {tag_of(hash), which + 1};
    }
    void grow() {
        slots_.assign(2 * slots_.size(), slot{});
        for (std::uint32_t i = 0; i < entries_.size(); ++i) place(i, hash_of(path_of(entries_[i])));
    }

    void require_all_above(std::string_view path, std::string_view reason) {
        for (;;) {
            if (auto* const one = find(path, hash_of(path))) {
                if (one->number != none && (*owners_)[one->number].state == owner_state::stands)
                    throw usage_error(
                        text("the component {} was found unchanged before it was known that it has to run: {}", shown_path(path), reason));
                one->must_run = true;
            }
            if (path.empty()) return;
            path = path.substr(0, path.rfind('/'));
        }
    }

    std::mutex mutex_;
    std::vector<recorded_owner> const* recorded_;
    std::vector<owner>* owners_;
    std::vector<entry> entries_{};
    std::vector<slot> slots_{};
};

}  // namespace isorow::inline v1::detail
