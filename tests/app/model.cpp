#include <catch2/catch_test_macros.hpp>

#include <isorow/app/app.hpp>
#include <isorow/isorow.hpp>
#include <support/faults.hpp>
#include <support/run_model.hpp>
#include <support/server.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

using namespace test::model;

namespace {

struct Item {
    std::int32_t id;
    std::string name;

    static consteval auto isorow_table() { return isorow::table("items").primary_key<&Item::id>(); }
};

/// A column more.
struct SizedItem {
    std::int32_t id;
    std::string name;
    std::optional<std::int32_t> size;

    static consteval auto isorow_table() {
        return isorow::table("items").primary_key<&SizedItem::id>().column<&SizedItem::size>({.using_expression = "size::integer"});
    }
};

/// A wider type.
struct WideItem {
    std::int32_t id;
    std::string name;
    std::optional<std::int64_t> size;

    static consteval auto isorow_table() { return isorow::table("items").primary_key<&WideItem::id>(); }
};

/// In a table of the user's, among rows of others.
struct Note {
    std::int32_t id;
    std::string name;

    static consteval auto isorow_table() { return isorow::table("notes").primary_key<&Note::id>(); }
};

/// Too wide to be read back.
struct Document {
    std::int32_t id;
    std::string name;
    isorow::vector<40> embedding;

    static consteval auto isorow_table() { return isorow::table("docs").primary_key<&Document::id>(); }
};

/// Of one owner, and so its own record.
struct Fact {
    std::int32_t id;
    std::string name;

    static consteval auto isorow_table() { return isorow::table("facts").primary_key<&Fact::id>(); }
};

/// The tables of one run.
struct handles {
    std::optional<isorow::table_target<Item>> items{};
    std::optional<isorow::table_target<SizedItem>> sized_items{};
    std::optional<isorow::table_target<WideItem>> wide_items{};
    std::optional<isorow::table_target<Note>> notes{};
    std::optional<isorow::table_target<Document>> docs{};
    std::optional<isorow::table_target<Fact>> facts{};

    handles(isorow::scope const& here, int form, bool is_whole) {
        if (form == 1) items = here.target<Item>();
        else if (form == 2) sized_items = here.target<SizedItem>();
        else wide_items = here.target<WideItem>();
        notes = here.target<Note>({.managed_by = isorow::managed_by::user, .ownership = isorow::ownership::shared});
        docs = here.target<Document>();
        if (is_whole) facts = here.target<Fact>();
    }

    void declare(isorow::scope const& here, declaration const& row) const {
        auto const& [name, size] = row.content;
        if (row.table == test::model::notes) return notes->row(here, {row.key, name});
        if (row.table == test::model::facts) return facts->row(here, {row.key, name});
        if (row.table == test::model::docs) {
            Document made{row.key, name, {}};
            made.embedding[0] = static_cast<float>(name.back());
            return docs->row(here, made);
        }
        if (items) items->row(here, {row.key, name});
        else if (sized_items)
            sized_items->row(here, {row.key, name, size ? std::optional(static_cast<std::int32_t>(*size)) : std::nullopt});
        else wide_items->row(here, {row.key, name, size});
    }
};

/// How a run is carried out; none of it may make a difference.
struct manner {
    bool is_spilled = false;
    std::size_t threads = 1;
    isorow::keep_outputs keep = isorow::keep_outputs::never;
};

/// Where rows are declared and what they are, from one run to the next: a little of it changes each time.
class program {
public:
    explicit program(std::uint32_t seed) : random_(seed) {
        for (auto const* const path : {"/a", "/a/x", "/a/y", "/b", "/b/x", "/c", "/d", "/d/x", "/d/x/p", "/e"})
            components_[path] = {.memoized = chance(60), .mounted = true};
        for (int i = 0; i < 150; ++i) change_row();
        place({items, 0, {"first", 1}}, "");
        place({items, 1, {"first", 1}}, "/a");
        place({facts, 0, {"first"}}, "");
    }

    [[nodiscard]] bool chance(unsigned percent) { return random_() % 100 < percent; }
    [[nodiscard]] std::int32_t number(std::uint32_t below) { return static_cast<std::int32_t>(random_() % below); }

    void change() {
        for (auto& [path, one] : components_) {
            if (chance(4)) one.mounted = !one.mounted, touch(path.substr(0, path.rfind('/')));
            if (chance(4)) one.memoized = !one.memoized;
            if (chance(5)) ++one.version;
        }
        for (auto count = number(8); count > 0; --count) change_row();
    }
    /// Every component has another input.
    void touch_all() {
        for (auto& [path, one] : components_) ++one.salt;
    }

    [[nodiscard]] run_plan plan() {
        run_plan made;
        made.form = form_;
        if (chance(12)) {
            auto const at = std::next(components_.begin(), number(static_cast<std::uint32_t>(components_.size())));
            made.under = at->first;
        } else if (chance(20)) {
            made.form = form_ = 1 + number(3);
        }
        made.root = built(made.under);
        made.keeps_previous = chance(50);
        made.mends = chance(30);
        made.allows_destruction = chance(70);
        if (chance(30)) spoil(made.root, 30);
        if (chance(12)) declare_twice(made.root);
        return made;
    }
    [[nodiscard]] run_plan first_plan() const { return {.root = built("")}; }

    void settle_form(int form) noexcept { form_ = form; }
    [[nodiscard]] manner any_manner() {
        return {.is_spilled = chance(25),
                .threads = chance(25) ? std::size_t{3} : std::size_t{1},
                .keep = chance(30) ? isorow::keep_outputs::always : isorow::keep_outputs::never};
    }

    /// What can be had back after a run that was refused.
    [[nodiscard]] auto state() const { return std::pair(components_, rows_); }
    void restore(auto const& former) { std::tie(components_, rows_) = former; }

private:
    struct component {
        bool memoized = false;
        bool mounted = true;
        std::int64_t version = 1;
        std::int64_t salt = 0;
    };
    struct placed {
        std::string owner;
        value content;
    };
    static constexpr std::uint32_t keys = 40;

    void place(declaration const& row, std::string const& owner) { rows_[{row.table, row.key}] = {owner, row.content}; }

    /// A row appears, goes, moves or changes.
    void change_row() {
        auto const id = static_cast<table_id>(number(table_count));
        auto const key = number(keys);
        auto const found = rows_.find({id, key});
        if (found != rows_.end()) touch(found->second.owner);
        if (chance(25)) {
            rows_.erase({id, key});
            return;
        }
        auto owner = found == rows_.end() || chance(50) ? any_owner() : found->second.owner;
        if (id == facts) owner.clear();
        touch(owner);
        place({id, key, {std::string("n") + std::to_string(number(4)), chance(50) ? std::optional<std::int64_t>(number(4)) : std::nullopt}},
              owner);
    }
    [[nodiscard]] std::string any_owner() {
        auto const place = number(static_cast<std::uint32_t>(components_.size()) + 1);
        return place == 0 ? std::string{} : std::next(components_.begin(), place - 1)->first;
    }

    /// Those above are told of a change most of the time. Where they are not, what is below a memoized one stands with them.
    void touch(std::string path) {
        if (chance(10)) return;
        for (; !path.empty(); path = path.substr(0, path.rfind('/'))) ++components_.at(path).salt;
    }

    [[nodiscard]] node built(std::string const& path) const {
        node made;
        made.name = path.substr(path.rfind('/') + 1);
        if (!path.empty()) {
            auto const& one = components_.at(path);
            made.memoized = one.memoized;
            made.version = one.version;
            made.salt = one.salt;
        }
        for (auto const& [place, row] : rows_)
            if (row.owner == path) made.rows.push_back({static_cast<table_id>(place.first), place.second, row.content});
        for (auto const& [below, one] : components_)
            if (one.mounted && below.size() > path.size() && below.substr(0, below.rfind('/')) == path)
                made.children.push_back(built(below));
        return made;
    }

    void spoil(node& above, unsigned percent) {
        for (auto& one : above.children) {
            if (chance(percent)) one.throws = chance(50) ? node::failure::before_children : node::failure::after_children;
            spoil(one, percent);
        }
    }
    void declare_twice(node& root) {
        if (root.rows.empty() || root.children.empty()) return;
        auto const& row = root.rows.front();
        if (row.table != facts) root.children.front().rows.push_back(row);
    }

    std::mt19937 random_;
    std::map<std::string, component> components_{};
    std::map<std::pair<std::size_t, std::int32_t>, placed> rows_{};
    int form_ = 1;
};

/// The app and its database.
class house {
public:
    house() { home_.sql("CREATE TABLE notes (id integer PRIMARY KEY, name text NOT NULL)"); }

    std::set<std::string> called{};

    isorow::report run(run_plan const& plan, manner const& how) {
        called.clear();
        isorow::run_options options;
        options.commit.allow = plan.allows_destruction ? isorow::allow::destructive : isorow::allow::safe;
        options.commit.drift = plan.mends ? isorow::drift::mend : isorow::drift::ignore;
        if (how.is_spilled) options.commit.memory = 1;
        options.on_failure = plan.keeps_previous ? isorow::on_failure::keep_previous : isorow::on_failure::fail;
        options.threads = how.threads;
        options.keep_outputs = how.keep;
        auto const main = [&](isorow::scope here) {
            perform(here, plan.root, plan.under, std::make_shared<handles const>(here, plan.form, plan.under.empty()));
        };
        return plan.under.empty() ? app_.run(main, options) : app_.run_under(isorow::scope_path::parse(plan.under), main, options);
    }

    [[nodiscard]] std::string contents(std::string const& table) const {
        return home_.sql(
            "SELECT coalesce(string_agg(id || '=' || name || coalesce(':' || (to_jsonb(t) ->> 'size'), ''), ' ' ORDER BY id), '') FROM " +
            table + " t");
    }
    /// Each row and all that isorow has written down, by the transactions that wrote them.
    [[nodiscard]] std::string written() const {
        std::string parts;
        for (auto const* const table : {"items", "notes", "docs", "facts", "isorow.apps", "isorow.owners", "isorow.targets",
                                        "isorow.tracked", "isorow.columns", "isorow.objects"})
            parts += std::string(parts.empty() ? "" : ", ") + "(SELECT '" + table +
                     " ' || string_agg(ctid::text || xmin::text, ',' ORDER BY ctid) FROM " + table + ")";
        return home_.sql("SELECT concat_ws(' | ', " + parts + ")");
    }
    std::string sql(std::string const& statement) const { return home_.sql(statement); }

private:
    void perform(isorow::scope const& here, node const& one, std::string const& path, std::shared_ptr<handles const> const& tables) {
        {
            std::lock_guard const lock(mutex_);
            called.insert(path);
        }
        for (auto const& row : one.rows) tables->declare(here, row);
        if (one.throws == node::failure::before_children) throw std::runtime_error("no answer");
        for (auto const& child : one.children) {
            auto const below = path + "/" + child.name;
            auto const work = [this, &child, below, tables](isorow::scope inner) { perform(inner, child, below, tables); };
            if (!child.memoized) here.mount({child.name}, work);
            else
                here.mount({child.name}, isorow::version{child.version}, child.input(),
                           [work](isorow::scope inner, std::string const&) { work(std::move(inner)); });
        }
        if (one.throws == node::failure::after_children) throw std::runtime_error("no answer");
    }

    test::database home_{};
    isorow::pool pool_{home_.dsn(), {.min_size = 1, .connection = {.timeout = std::chrono::seconds(120)}}};
    isorow::database main_ = isorow::register_db(home_.name(), pool_);
    isorow::app app_{main_, "catalogue"};
    std::mutex mutex_{};
};

constexpr char const* names[] = {"items", "notes", "docs", "facts"};

[[nodiscard]] std::string shown(world::table const& table) {
    std::string all;
    for (auto const& [key, content] : table.stored)
        all +=
            (all.empty() ? "" : " ") + std::to_string(key) + "=" + content.name + (content.size ? ":" + std::to_string(*content.size) : "");
    return all;
}

/// Somebody else writes to the tables, and to the model.
void meddle(program& chances, house& home, world& model) {
    for (auto count = chances.number(4); count > 0; --count) {
        auto const id = static_cast<table_id>(chances.number(table_count));
        auto& stored = model.tables[id].stored;
        std::string const table = names[id];
        auto const what = chances.number(3);
        if (what == 0) {
            auto const key = chances.chance(15) ? chances.number(40) : 500 + chances.number(20);
            if (!stored.emplace(key, value{"theirs"}).second) continue;
            home.sql("INSERT INTO " + table + " (id, name" + (id == docs ? ", embedding" : "") + ") VALUES (" + std::to_string(key) +
                     ", 'theirs'" + (id == docs ? ", array_fill(0, ARRAY[40])::vector" : "") + ")");
        } else if (!stored.empty()) {
            auto const row = std::next(stored.begin(), chances.number(static_cast<std::uint32_t>(stored.size())));
            auto const where = " WHERE id = " + std::to_string(row->first);
            if (what == 1) {
                home.sql("UPDATE " + table + " SET name = 'theirs'" + where);
                row->second.name = "theirs";
            } else {
                home.sql("DELETE FROM " + table + where);
                stored.erase(row);
            }
        }
    }
    if (!chances.chance(30)) return;
    // Keys that are in the way of declared ones are given free.
    home.sql("DELETE FROM notes WHERE name = 'theirs' AND id < 40");
    std::erase_if(model.tables[notes].stored, [](auto const& row) { return row.second.name == "theirs" && row.first < 40; });
}

/// The reason for which a run was refused, in the model's words.
template <class Run>
[[nodiscard]] std::string refusal_of(Run&& run) {
    try {
        run();
        return {};
    } catch (isorow::component_failed const&) {
        return "failed";
    } catch (std::runtime_error const& failure) {
        if (std::string_view(failure.what()) == "no answer") return "failed";
        if (dynamic_cast<isorow::duplicate_key const*>(&failure) != nullptr) return "duplicate";
        if (dynamic_cast<isorow::destructive_change const*>(&failure) != nullptr) return "destructive";
        if (dynamic_cast<isorow::untracked_key const*>(&failure) == nullptr) return failure.what();
        return std::string_view(failure.what()).find("kept by") != std::string_view::npos ? "kept" : "theirs";
    }
}

/// What a run did, for the messages of tests that fail.
[[nodiscard]] std::string described(isorow::report const& done) {
    std::string all;
    for (auto const& table : done.tables) all += table.table + ": " + to_string(table.rows) + "; ";
    for (auto const& statement : done.ddl) all += statement + "; ";
    return all;
}

void check_contents(house const& home, world& model) {
    for (auto const id : {items, notes, docs, facts}) {
        INFO(names[id]);
        REQUIRE(home.contents(names[id]) == shown(model.tables[id]));
    }
}

void check_report(isorow::report const& done, outcome const& expected, house const& home, manner const& how) {
    CHECK(done.inserted == expected.rows.inserted);
    CHECK(done.updated == expected.rows.updated);
    CHECK(done.deleted == expected.rows.deleted);
    CHECK(done.unchanged == expected.rows.unchanged);
    std::int64_t moved = 0;
    for (auto const& table : done.tables) moved += table.moved;
    CHECK(moved == expected.rows.moved);
    CHECK(done.ddl.empty() != expected.alters);
    CHECK(done.components.ran == expected.ran);
    CHECK(done.components.unchanged == expected.unchanged);
    CHECK(done.components.removed == expected.removed);
    CHECK(done.components.failed == static_cast<std::int64_t>(expected.failed.size()));
    if (how.keep == isorow::keep_outputs::never) CHECK(home.called == expected.called);
    // What an earlier run had kept is not called.
    else CHECK(std::ranges::includes(expected.called, home.called));
    CHECK(static_cast<std::int64_t>(home.called.size()) + done.components.kept == static_cast<std::int64_t>(expected.called.size()));
}

}  // namespace

TEST_CASE("random runs of an app agree with a model, and a second one of each writes nothing and calls no memoized component again") {
    auto const rounds = test::rounds(30, 3000);
    program chances(20'24);
    house home;
    world model;
    int committed = 0;
    std::map<std::string, int> refused;
    for (int round = 0; round < rounds; ++round) {
        auto const former = chances.state();
        auto const form = model.form;
        if (round > 0) {
            chances.change();
            meddle(chances, home, model);
        }
        auto const plan = round > 0 ? chances.plan() : chances.first_plan();
        auto const how = round > 0 ? chances.any_manner() : manner{};
        CAPTURE(round, plan.under, plan.form, plan.keeps_previous, plan.mends, plan.allows_destruction, how.is_spilled, how.threads,
                how.keep == isorow::keep_outputs::always);
        auto const expected = model.run(plan);
        auto const before = round > 0 ? home.written() : std::string{};
        std::optional<isorow::report> done;
        auto const refusal = refusal_of([&] { done = home.run(plan, how); });
        if (!expected.refusals.empty()) {
            CAPTURE(expected.refusals, refusal);
            REQUIRE(expected.refusals.contains(refusal));
            REQUIRE(home.written() == before);
            ++refused[refusal];
            chances.restore(former);
            chances.settle_form(form);
            if (chances.chance(20)) chances.touch_all();
            continue;
        }
        REQUIRE(refusal == "");
        ++committed;
        check_contents(home, model);
        check_report(*done, expected, home, how);
        REQUIRE(home.sql("SELECT count(*) FROM isorow.kept_outputs") == "0");

        auto const after = home.written();
        auto const again = model.run(plan);
        auto const second = home.run(plan, how);
        CAPTURE(described(*done), described(second));
        REQUIRE_FALSE(second.changed());
        REQUIRE(home.written() == after);
        check_report(second, again, home, how);
    }
    INFO("committed " << committed << ", refused for a failure " << refused["failed"] << ", a key twice " << refused["duplicate"]
                      << ", a key of one that stands " << refused["kept"] << ", a key of others " << refused["theirs"] << ", a loss "
                      << refused["destructive"]);
    CHECK(committed > rounds / 3);
    CHECK(refused["failed"] > 0);
    CHECK(refused["duplicate"] > 0);
    CHECK(home.sql("SELECT count(*) FROM pg_class WHERE relpersistence = 't'") == "0");
}

namespace {

/// An app whose components declare facts.
struct small_house {
    test::database home{};
    isorow::pool pool{home.dsn(), {.min_size = 1, .connection = {.timeout = std::chrono::seconds(120)}}};
    isorow::database main = isorow::register_db(home.name(), pool);
    isorow::app app{main, "catalogue"};
    isorow::run_options options{};

    small_house() { options.commit.allow = isorow::destructive; }

    /// A memoized component that declares the table and one row.
    static void mount(isorow::scope const& root, std::int32_t id, std::string const& name) {
        root.mount({"of", id}, isorow::version{1}, name,
                   [id](isorow::scope here, std::string const& in) { here.target<Fact>().row(here, {id, in}); });
    }
    [[nodiscard]] std::string stored() const {
        if (home.sql("SELECT to_regclass('facts') IS NULL") == "t") return "no table";
        return home.sql("SELECT coalesce(string_agg(id || '=' || name, ' ' ORDER BY id), '') FROM facts");
    }
};

}  // namespace

TEST_CASE_METHOD(small_house, "a table that a component which stands declares is not dropped when others declare it no longer") {
    for (auto const* const name : {"first", "second", ""}) {
        app.run(
            [&](isorow::scope root) {
                if (*name != '\0') mount(root, 1, name);
                mount(root, 2, "stands");
            },
            options);
    }
    CHECK(stored() == "2=stands");
}

TEST_CASE_METHOD(small_house, "rows of a component that is gone are deleted, also where only one that stands declares their table") {
    for (bool const is_there : {true, false})
        app.run(
            [&](isorow::scope root) {
                if (is_there) mount(root, 1, "goes");
                mount(root, 2, "stands");
            },
            options);
    CHECK(stored() == "2=stands");
}

TEST_CASE_METHOD(small_house, "a memoized component whose table was dropped runs again when the table is declared anew") {
    for (bool const is_declared : {true, false, true})
        app.run(
            [&](isorow::scope root) {
                std::optional<isorow::table_target<Fact>> table;
                if (is_declared) table = root.target<Fact>();
                root.mount("memoized", isorow::version{1}, 7, [&](isorow::scope here, int) {
                    if (table) table->row(here, {1, "memoized"});
                });
            },
            options);
    CHECK(stored() == "1=memoized");
}

TEST_CASE_METHOD(small_house, "rows that stand are counted where others wait on the server") {
    options.commit.memory = 1;
    for (auto const* const name : {"first", "second"}) {
        auto const done = app.run(
            [&](isorow::scope root) {
                mount(root, 1, "stands");
                mount(root, 2, name);
            },
            options);
        CHECK(done.unchanged == (std::string_view(name) == "first" ? 0 : 1));
    }
}

TEST_CASE_METHOD(small_house, "an unchanged row that goes from one component to another is moved where memory is short, too") {
    options.commit.memory = 1;
    for (auto const* const owner : {"one", "other"}) {
        auto const done = app.run(
            [&](isorow::scope root) {
                auto const table = root.target<Fact>();
                root.mount({"of", owner}, [=](isorow::scope here) { table.row(here, {1, "same"}); });
                root.mount({"of", "third"}, [=](isorow::scope here) { table.row(here, {2, "third"}); });
            },
            options);
        REQUIRE(done.tables.size() == 1);
        CHECK(done.tables[0].moved == (std::string_view(owner) == "one" ? 0 : 1));
    }
    CHECK(stored() == "1=same 2=third");
}
