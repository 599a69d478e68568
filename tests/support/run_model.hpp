#pragma once

/// @file
/// What an app's runs mean, in memory and in few words: plans of runs, and a model of the tables, the owners and the record of both that
/// says what a run will do. It knows nothing of isorow.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace test::model {

enum table_id : std::size_t { items, notes, docs, facts };
inline constexpr std::size_t table_count = 4;

struct value {
    std::string name;
    std::optional<std::int64_t> size{};  ///< items alone have it, and not in their first form
    friend bool operator==(value const&, value const&) = default;
};

struct declaration {
    table_id table;
    std::int32_t key;
    value content;
};

/// One component of a run, with all below it.
struct node {
    enum class failure : std::uint8_t { none, before_children, after_children };

    std::string name{};
    bool memoized = false;
    std::int64_t version = 1;
    std::int64_t salt = 0;
    failure throws = failure::none;
    std::vector<declaration> rows{};
    std::vector<node> children{};

    /// All that its function reads.
    [[nodiscard]] std::string input() const {
        std::string all = std::to_string(salt);
        for (auto const& row : rows)
            all += ";" + std::to_string(row.table) + "," + std::to_string(row.key) + "," + row.content.name + "," +
                   (row.content.size ? std::to_string(*row.content.size) : "-");
        return all;
    }
    [[nodiscard]] std::string memo() const { return std::to_string(version) + ":" + input(); }
};

/// One run: its root, and what is said of it.
struct run_plan {
    std::string under{};  ///< the root's path: of the component that is run as a part, or empty
    node root{};
    int form = 1;  ///< of items: 1 without size, 2 with an integer, 3 with a bigint
    bool keeps_previous = false;
    bool mends = false;
    bool allows_destruction = false;
};

struct counts {
    std::int64_t inserted = 0;
    std::int64_t updated = 0;
    std::int64_t deleted = 0;
    std::int64_t unchanged = 0;
    std::int64_t moved = 0;
};

/// What a run does, or why it is refused.
struct outcome {
    std::set<std::string> refusals{};  ///< any of them may be the one that is told
    counts rows{};
    bool alters = false;
    std::set<std::string> called{};
    std::set<std::string> failed{};
    std::int64_t ran = 0;
    std::int64_t unchanged = 0;
    std::int64_t removed = 0;
};

class world {
public:
    static constexpr int lost = -1;

    struct record {
        std::string owner;
        value content;
        int form = 1;  ///< under which it was declared, as the same number is another value in a wider type; or lost
    };
    struct table {
        std::map<std::int32_t, value> stored{};
        std::map<std::int32_t, record> recorded{};  ///< of facts nothing: the table is its own record
    };

    std::map<std::size_t, table> tables{};
    std::map<std::string, std::optional<std::string>> owners{};  ///< the components that were entered, and what memoized ones ran with
    int form = 0;                                                ///< of items; 0 before they are made

    /// Does the run, or nothing where it is refused.
    outcome run(run_plan const& plan) {
        world next = *this;
        auto const done = step(next, plan).take();
        if (done.refusals.empty()) *this = next;
        return done;
    }

private:
    enum class fate : std::uint8_t { ran, stands };

    class step {
    public:
        step(world& all, run_plan const& plan) : all_(all), plan_(plan) {}

        outcome take() {
            refuse_loss();
            static_cast<void>(visit(plan_.root, plan_.under, true));
            if (all_.form != plan_.form) done_.alters = true;
            for (auto const& [path, memo] : all_.owners)
                if (is_in_extent(path) && !fates_.contains(path) && !stands_below(path)) gone_.insert(path);
            alter();
            collect();
            for (auto const id : {items, notes, docs}) settle(id);
            if (plan_.under.empty()) settle_facts();
            for (auto const& path : gone_) all_.owners.erase(path);
            for (auto const& [path, how] : fates_)
                if (how == fate::ran) all_.owners[path] = memos_[path];
            done_.removed = static_cast<std::int64_t>(gone_.size());
            return done_;
        }

    private:
        /// Columns and values are dropped by the user's word only.
        void refuse_loss() {
            if (plan_.form < all_.form && !plan_.allows_destruction) done_.refusals.insert("destructive");
        }

        /// Returns whether it, or one below it, failed.
        bool visit(node const& one, std::string const& path, bool is_root = false) {
            std::optional<std::string> memo;
            if (one.memoized && !is_root) memo = one.memo();
            auto const known = all_.owners.find(path);
            if (memo && known != all_.owners.end() && known->second == memo) {
                fates_[path] = fate::stands;
                ++done_.unchanged;
                return false;
            }
            done_.called.insert(path);
            fates_[path] = fate::ran;
            if (one.throws == node::failure::before_children) return fail(path);
            bool failed_below = false;
            for (auto const& child : one.children) failed_below = visit(child, path + "/" + child.name) || failed_below;
            if (one.throws == node::failure::after_children) return fail(path);
            ++done_.ran;
            if (failed_below) memo.reset();
            memos_[path] = memo;
            rows_[path] = &one;
            return failed_below;
        }

        bool fail(std::string const& path) {
            if (!plan_.keeps_previous || path == plan_.under) done_.refusals.insert("failed");
            done_.failed.insert(path);
            for (auto& [visited, how] : fates_)
                if (visited == path || visited.starts_with(path + "/")) how = fate::stands;
            return true;
        }

        [[nodiscard]] bool is_in_extent(std::string const& path) const {
            return plan_.under.empty() || path == plan_.under || path.starts_with(plan_.under + "/");
        }
        [[nodiscard]] bool stands_below(std::string path) const {
            while (!path.empty()) {
                path = path.substr(0, path.rfind('/'));
                auto const found = fates_.find(path);
                if (found != fates_.end() && found->second == fate::stands) return true;
            }
            return false;
        }
        [[nodiscard]] bool is_compared(std::string const& path) const {
            auto const found = fates_.find(path);
            return gone_.contains(path) || (found != fates_.end() && found->second == fate::ran);
        }

        void alter() {
            for (auto& [key, content] : all_.tables[items].stored)
                if (plan_.form == 1) content.size.reset();
            // What a component that stands declared is there no longer, should it be declared again.
            for (auto& [key, row] : all_.tables[items].recorded)
                if (plan_.form < all_.form && !is_compared(row.owner)) row.form = lost;
            all_.form = plan_.form;
        }

        void collect() {
            for (auto const& [path, one] : rows_) {
                if (fates_.at(path) != fate::ran) continue;
                for (auto const& row : one->rows) {
                    auto content = row.content;
                    if (row.table != items || plan_.form == 1) content.size.reset();
                    if (!declared_[row.table].emplace(row.key, record{path, content, content.size ? plan_.form : 0}).second)
                        done_.refusals.insert("duplicate");
                }
            }
        }

        void settle(table_id id) {
            auto& table = all_.tables[id];
            auto const& declared = declared_[id];
            std::map<std::int32_t, record> kept;
            for (auto const& [key, former] : table.recorded) {
                auto const found = declared.find(key);
                if (is_compared(former.owner)) {
                    if (found == declared.end()) done_.rows.deleted += static_cast<std::int64_t>(table.stored.erase(key));
                    else if (found->second.owner != former.owner) ++done_.rows.moved;
                    continue;
                }
                kept.emplace(key, former);
                if (found != declared.end()) done_.refusals.insert("kept");
                if (is_in_extent(former.owner)) ++done_.rows.unchanged;
            }
            if (plan_.mends && plan_.under.empty() && id != notes) delete_others(table, declared);
            for (auto const& [key, row] : declared) {
                auto const former = table.recorded.find(key);
                if (former == table.recorded.end()) write(id, key, row, id == notes && table.stored.contains(key));
                else if (is_compared(former->second.owner)) rewrite(id, key, row, former->second);
            }
            for (auto const& [key, row] : declared) kept.insert_or_assign(key, row);
            table.recorded = std::move(kept);
        }

        /// In a table that is the app's alone nobody else is to have rows.
        void delete_others(table& table, std::map<std::int32_t, record> const& declared) {
            done_.rows.deleted += static_cast<std::int64_t>(std::erase_if(
                table.stored, [&](auto const& row) { return !table.recorded.contains(row.first) && !declared.contains(row.first); }));
        }

        /// A row that was declared before is written if it is declared otherwise, or is looked at by the user's wish.
        void rewrite(table_id id, std::int32_t key, record const& row, record const& former) {
            bool const is_equal = former.content == row.content && former.form == row.form;
            if (is_equal && !plan_.mends) ++done_.rows.unchanged;
            else write(id, key, row, false);
        }

        void write(table_id id, std::int32_t key, record const& row, bool is_theirs) {
            if (is_theirs) done_.refusals.insert("theirs");
            auto& stored = all_.tables[id].stored;
            auto const there = stored.find(key);
            ++(there == stored.end() ? done_.rows.inserted : there->second == row.content ? done_.rows.unchanged : done_.rows.updated);
            stored.insert_or_assign(key, row.content);
        }

        /// The root's alone, and its own record: whatever others did is undone.
        void settle_facts() {
            auto& stored = all_.tables[facts].stored;
            for (auto row = stored.begin(); row != stored.end();) {
                if (declared_[facts].contains(row->first)) {
                    ++row;
                } else {
                    row = stored.erase(row);
                    ++done_.rows.deleted;
                }
            }
            for (auto const& [key, row] : declared_[facts]) write(facts, key, row, false);
        }

        world& all_;
        run_plan const& plan_;
        outcome done_{};
        std::map<std::string, fate> fates_{};
        std::map<std::string, std::optional<std::string>> memos_{};
        std::map<std::string, node const*> rows_{};
        std::set<std::string> gone_{};
        std::map<std::size_t, std::map<std::int32_t, record>> declared_{};
    };
};

}  // namespace test::model
