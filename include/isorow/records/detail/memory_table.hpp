#pragma once

#include <isorow/records/record.hpp>

#include <cstddef>
#include <map>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace isorow::inline v1::records::detail {

/// Records by their ids, in memory. What a step has changed is written down, to be taken back where it throws.
class memory_table {
public:
    [[nodiscard]] std::optional<record> find(uuid const& id) const {
        auto const found = records_.find(id);
        return found == records_.end() ? std::nullopt : std::optional(found->second);
    }
    [[nodiscard]] bool contains(uuid const& id) const { return records_.contains(id); }
    [[nodiscard]] std::size_t size() const noexcept { return records_.size(); }

    void put(record const& one) {
        auto const found = records_.find(one.id);
        remember(one.id, found == records_.end() ? nullptr : &found->second);
        records_.insert_or_assign(one.id, one);
    }
    void erase(uuid const& id) {
        auto const found = records_.find(id);
        if (found == records_.end()) return;
        remember(id, &found->second);
        records_.erase(found);
    }
    void clear() {
        for (auto& [id, one] : records_) remember(id, &one);
        records_.clear();
    }

    template <class Take>
    void each(uuid const& behind, Take const& take) const {
        for (auto next = records_.upper_bound(behind); next != records_.end(); ++next)
            if (!take(next->second)) return;
    }

    template <class Work>
    std::invoke_result_t<Work const&> reading(Work const& work) const {
        return work();
    }

    /// Whether the step that is open has changed anything.
    [[nodiscard]] bool has_changed() const noexcept { return !changes_.empty(); }

    template <class Work>
    std::invoke_result_t<Work const&> step(Work const& work) {
        writing const open(*this);
        try {
            return work();
        } catch (...) {
            take_back(open.first());
            throw;
        }
    }

private:
    struct change {
        uuid id{};
        std::optional<record> before{};
    };

    /// What is written down is wanted until the outermost step ends.
    class writing {
    public:
        explicit writing(memory_table& table) : table_(table), first_(table.changes_.size()) { ++table_.depth_; }
        writing(writing const&) = delete;
        writing& operator=(writing const&) = delete;
        ~writing() {
            if (--table_.depth_ == 0) table_.changes_.clear();
        }
        [[nodiscard]] std::size_t first() const noexcept { return first_; }

    private:
        memory_table& table_;
        std::size_t first_;
    };

    /// Takes what was there, once there is a place for it.
    void remember(uuid const& id, record* before) {
        auto& one = changes_.emplace_back();
        one.id = id;
        if (before != nullptr) one.before = std::move(*before);
    }

    void take_back(std::size_t first) {
        for (; changes_.size() > first; changes_.pop_back()) {
            auto& [id, before] = changes_.back();
            if (before) records_.insert_or_assign(id, std::move(*before));
            else records_.erase(id);
        }
    }

    std::map<uuid, record> records_{};
    std::vector<change> changes_{};
    int depth_ = 0;
};

}  // namespace isorow::inline v1::records::detail
