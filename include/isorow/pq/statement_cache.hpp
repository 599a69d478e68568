#pragma once

#include <isorow/config.hpp>
#include <isorow/pq/parameters.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

/// Which statements of a connection are prepared on the server. A statement, told apart by its text and its parameters' types, is prepared
/// when it is run more often than the threshold; at most `maximum` are remembered, and those that were not used for longest go first.
class statement_cache {
public:
    struct entry {
        std::string sql;
        std::vector<oid> types;
        std::string name;  ///< on the server; never used twice on a connection
        int uses = 0;
        bool prepared = false;
        /// What the floor above found out of the statement's columns, which do not change while it is prepared; and what for.
        void const* plan_of = nullptr;
        std::shared_ptr<void const> plan{};
    };

    /// `threshold`: how often a statement is run before it is prepared; nothing: never.
    statement_cache(std::optional<int> threshold, std::size_t maximum) : threshold_(threshold), maximum_(maximum) {}

    /// Counts a use. Returns the statement's entry where it is to be run prepared, which the caller then does if it is not yet; else null.
    /// The entry is valid until the next call.
    [[nodiscard]] entry* use(std::string_view sql, parameters const& parameters);

    /// Forgets all statements: they are to be prepared anew, under other names. The server's are closed when there is time.
    void forget();

    /// Gives a statement that could not be prepared another name: a pooler takes the first one for used.
    void rename(entry& failed) { failed.name = "isorow_" + std::to_string(++made_); }

    /// Forgets the plans, which refer to the connection: it has moved.
    void forget_plans() noexcept;

    /// Prepares nothing any more: what stands between here and the server loses statements.
    void disable();

    /// The names that the server may close; they are the caller's now.
    [[nodiscard]] std::vector<std::string> take_unwanted() noexcept { return std::exchange(unwanted_, {}); }
    [[nodiscard]] bool has_unwanted() const noexcept { return !unwanted_.empty(); }

    /// How many statements are remembered, and how many of them are prepared.
    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
    [[nodiscard]] std::size_t prepared() const noexcept {
        return static_cast<std::size_t>(std::count_if(entries_.begin(), entries_.end(), [](entry const& one) { return one.prepared; }));
    }

private:
    [[nodiscard]] entry* counted(entry& used) noexcept {
        if (used.uses <= *threshold_) ++used.uses;
        return used.uses > *threshold_ ? &used : nullptr;
    }

    struct key {
        std::string_view sql;
        std::span<oid const> types;

        friend bool operator==(key const& left, key const& right) noexcept {
            return left.sql == right.sql && std::equal(left.types.begin(), left.types.end(), right.types.begin(), right.types.end());
        }
    };
    struct hash {
        std::size_t operator()(key const& one) const noexcept {
            auto value = std::hash<std::string_view>{}(one.sql);
            for (auto const type : one.types) value = value * 31 + type;
            return value;
        }
    };

    void make_room();

    std::optional<int> threshold_;
    std::size_t maximum_;
    std::uint64_t made_ = 0;
    std::list<entry> entries_;
    std::unordered_map<key, std::list<entry>::iterator, hash> index_;
    std::vector<std::string> unwanted_;
};

#if ISOROW_HAS_CODE

ISOROW_DECL statement_cache::entry* statement_cache::use(std::string_view sql, parameters const& parameters) {
    if (!threshold_ || maximum_ == 0) return nullptr;
    std::span<oid const> const types(parameters.types(), parameters.size());
    // The statement that ran last runs again, most of the time.
    if (!entries_.empty() && key{entries_.front().sql, entries_.front().types} == key{sql, types}) return counted(entries_.front());
    auto const found = index_.find(key{sql, types});
    if (found != index_.end()) {
        entries_.splice(entries_.begin(), entries_, found->second);
    } else {
        make_room();
        entries_.push_front({std::string(sql), {types.begin(), types.end()}, "isorow_" + std::to_string(++made_)});
        index_.emplace(key{entries_.front().sql, entries_.front().types}, entries_.begin());
    }
    return counted(entries_.front());
}

ISOROW_DECL void statement_cache::forget() {
    for (auto const& one : entries_)
        if (one.prepared) unwanted_.push_back(one.name);
    index_.clear();
    entries_.clear();
}

ISOROW_DECL void statement_cache::forget_plans() noexcept {
    for (auto& one : entries_) {
        one.plan_of = nullptr;
        one.plan.reset();
    }
}

ISOROW_DECL void statement_cache::disable() {
    forget();
    unwanted_.clear();
    threshold_.reset();
}

ISOROW_DECL void statement_cache::make_room() {
    while (entries_.size() >= maximum_) {
        auto const& oldest = entries_.back();
        if (oldest.prepared) unwanted_.push_back(oldest.name);
        index_.erase(key{oldest.sql, oldest.types});
        entries_.pop_back();
    }
}

#endif

}  // namespace isorow::inline v1
