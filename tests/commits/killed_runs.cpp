#include <catch2/catch_test_macros.hpp>

#include <isorow/app/app.hpp>
#include <isorow/isorow.hpp>
#include <support/connect.hpp>
#include <support/faults.hpp>
#include <support/server.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace std::chrono_literals;

namespace {

struct Part {
    std::int32_t id;
    std::string name;
    std::optional<std::int32_t> stock;

    static consteval auto isorow_table() { return isorow::table("parts").primary_key<&Part::id>(); }
};

/// A column more, another type, and an index, which is built after the rows are committed.
struct IndexedPart {
    std::int32_t id;
    std::string name;
    std::optional<std::int64_t> stock;
    std::optional<std::string> colour;

    static consteval auto isorow_table() { return isorow::table("parts").primary_key<&IndexedPart::id>().index<&IndexedPart::name>(); }
};

/// Too wide to be read back: its rows are recorded one by one.
struct Drawing {
    std::int32_t id;
    std::string name;
    isorow::vector<40> embedding;

    static consteval auto isorow_table() { return isorow::table("parts").primary_key<&Drawing::id>(); }
};

constexpr int components = 20;
constexpr int rows_each = 60;

/// What a child of this process has called, for its parent to see after its end.
class shared_counter {
public:
    shared_counter()
        : value_(::new(::mmap(nullptr, sizeof(std::atomic<int>), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))
                     std::atomic<int>(0)) {}
    shared_counter(shared_counter const&) = delete;
    shared_counter& operator=(shared_counter const&) = delete;
    ~shared_counter() { ::munmap(value_, sizeof *value_); }

    void add() const { ++*value_; }
    [[nodiscard]] int get() const { return *value_; }

private:
    std::atomic<int>* value_;
};

/// What is killed: a run that makes the table, one that changes its rows, one that alters it, and a plain target whose rows wait on the
/// server.
enum class work : std::uint8_t { load, change, alter, target };
constexpr std::array all_work{work::load, work::change, work::alter, work::target};

class workshop {
public:
    explicit workshop(work what) : what_(what) {}

    test::database home{};
    shared_counter calls{};
    std::vector<int> called{};  ///< whose function was called in this process

    /// The table as it is before the run that may be killed.
    void prepare() {
        if (what_ == work::load) return;
        if (what_ == work::target) static_cast<void>(synchronise(0));
        else static_cast<void>(run<Part>(0));
    }
    /// The run that may be killed, on connections of its own.
    isorow::report perform() {
        called.clear();
        if (what_ == work::target) return synchronise(1);
        if (what_ == work::alter) return run<IndexedPart>(1);
        return run<Part>(what_ == work::load ? 0 : 1);
    }

    [[nodiscard]] std::string contents() const {
        if (home.sql("SELECT to_regclass('parts') IS NULL") == "t") return "no table";
        return home.sql("SELECT count(*) || ' rows ' || md5(coalesce(string_agg(to_jsonb(p)::text, ',' ORDER BY id), '')) FROM parts p");
    }
    [[nodiscard]] std::string indexes() const {
        return home.sql(
            "SELECT coalesce(string_agg(indexrelid::regclass::text || CASE WHEN indisvalid THEN '' ELSE ' invalid' END, ', ' ORDER BY "
            "indexrelid::regclass::text), '') FROM pg_index WHERE indrelid = to_regclass('parts')");
    }
    [[nodiscard]] std::string written() const {
        return home.sql(
            "SELECT md5(concat_ws(' ', (SELECT string_agg(ctid::text || xmin::text, ',' ORDER BY ctid) FROM parts),"
            " (SELECT string_agg(ctid::text || xmin::text, ',' ORDER BY ctid) FROM isorow.targets),"
            " (SELECT string_agg(ctid::text || xmin::text, ',' ORDER BY ctid) FROM isorow.tracked),"
            " (SELECT string_agg(ctid::text || xmin::text, ',' ORDER BY ctid) FROM isorow.owners),"
            " (SELECT string_agg(ctid::text || xmin::text, ',' ORDER BY ctid) FROM isorow.objects),"
            " (SELECT string_agg(ctid::text || xmin::text, ',' ORDER BY ctid) FROM isorow.apps)))");
    }
    /// What a backend whose client is gone was at has come to its end.
    [[nodiscard]] bool is_quiet() const {
        return test::eventually(20s, [&] {
            return home.sql("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()") == "0";
        });
    }
    [[nodiscard]] std::string temporary_tables() const { return home.sql("SELECT count(*) FROM pg_class WHERE relpersistence = 't'"); }
    [[nodiscard]] std::string kept_outputs() const {
        return home.sql("SELECT to_regclass('isorow.kept_outputs') IS NULL") == "t" ? "0"
                                                                                    : home.sql("SELECT count(*) FROM isorow.kept_outputs");
    }

private:
    /// Some rows of a generation go, some change, some are new in the next.
    template <class Row>
    [[nodiscard]] static std::vector<Row> rows_of(int component, int generation) {
        std::vector<Row> rows;
        for (int i = 0; i < rows_each; ++i) {
            if ((i + generation) % 7 == 0) continue;
            Row row{};
            row.id = component * rows_each + i;
            row.name = "part " + std::to_string(i % 3 == 0 ? generation : 0);
            if constexpr (requires { row.stock; }) row.stock = i;
            if constexpr (requires { row.colour; }) row.colour = "red";
            rows.push_back(row);
        }
        return rows;
    }

    template <class Row>
    isorow::report run(int generation) {
        isorow::pool pool(home.dsn(), test::pool_of(1));
        isorow::app app(isorow::register_db(home.name(), pool), "workshop");
        isorow::run_options options;
        options.keep_outputs = isorow::keep_outputs::always;
        return app.run(
            [&](isorow::scope root) {
                auto const table = root.target<Row>();
                for (int i = 0; i < components; ++i)
                    root.mount({"component", i}, isorow::version{generation}, i, [&, table](isorow::scope here, int number) {
                        calls.add();
                        called.push_back(number);
                        std::this_thread::sleep_for(2ms);
                        table.rows(here, rows_of<Row>(number, generation));
                    });
            },
            options);
    }

    isorow::report synchronise(int generation) {
        auto connection = test::connect(home.dsn());
        isorow::target_options options;
        options.commit.memory = 20'000;
        isorow::target<Drawing> target(connection, options);
        for (int i = 0; i < components; ++i) target.declare_all(rows_of<Drawing>(i, generation));
        return target.commit();
    }

    work what_;
};

/// Begins `body` in a child of this process and kills it after a while. Returns whether it had ended before.
bool killed_after(std::chrono::microseconds delay, std::function<void()> const& body) {
    auto const child = ::fork();
    if (child == 0) {
        int code = 1;
        try {
            body();
            code = 0;
        } catch (...) {
            code = 2;
        }
        ::_exit(code);
    }
    std::this_thread::sleep_for(delay);
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    if (WIFEXITED(status)) CHECK(WEXITSTATUS(status) == 0);
    return WIFEXITED(status);
}

/// A run that nobody has disturbed.
struct reference {
    std::string before{};
    std::string after{};
    std::string indexes_before{};
    std::string indexes{};
    isorow::row_counts rows{};
    std::chrono::microseconds took{};

    explicit reference(work what) {
        workshop undisturbed(what);
        undisturbed.prepare();
        before = undisturbed.contents();
        indexes_before = undisturbed.indexes();
        auto const started = std::chrono::steady_clock::now();
        rows = undisturbed.perform();
        took = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - started);
        after = undisturbed.contents();
        indexes = undisturbed.indexes();
    }
};

}  // namespace

TEST_CASE("a run that is killed leaves the table as it was or as it is to be, and the next one brings it there") {
    std::mt19937 random(7);
    auto const points = test::rounds(8, 100) / static_cast<int>(all_work.size());
    int committed = 0;
    int ended = 0;
    int kept = 0;
    for (auto const what : all_work) {
        reference const expected(what);
        REQUIRE(expected.before != expected.after);
        for (int point = 0; point < points; ++point) {
            auto const delay =
                std::chrono::microseconds(std::uniform_int_distribution<std::int64_t>(0, expected.took.count() * 5 / 4)(random));
            CAPTURE(static_cast<int>(what), point, delay.count(), expected.took.count());
            workshop killed(what);
            killed.prepare();
            auto const called_before = killed.calls.get();
            if (killed_after(delay, [&] { killed.perform(); })) ++ended;
            auto const called_by_child = killed.calls.get() - called_before;
            REQUIRE(killed.is_quiet());
            auto const found = killed.contents();
            bool const was_committed = found == expected.after;
            committed += was_committed ? 1 : 0;
            REQUIRE((was_committed || found == expected.before));
            CHECK(killed.temporary_tables() == "0");
            if (!was_committed) CHECK(killed.indexes() == expected.indexes_before);

            auto const done = killed.perform();
            CHECK(killed.contents() == expected.after);
            CHECK(killed.indexes() == expected.indexes);
            CHECK(killed.kept_outputs() == "0");
            if (was_committed) CHECK_FALSE(done.row_counts::changed());
            else CHECK(static_cast<isorow::row_counts const&>(done) == expected.rows);
            // The one that was at work when the child died may not have been kept.
            for (auto const number : killed.called) CHECK(number >= called_by_child - 1);
            kept += static_cast<int>(done.components.kept);
            CHECK(killed.home.sql("SELECT count(*) FROM isorow.objects WHERE pending") == "0");

            auto const written = killed.written();
            auto const again = killed.perform();
            CHECK_FALSE(again.changed());
            CHECK(again.unchanged == expected.rows.inserted + expected.rows.updated + expected.rows.unchanged);
            CHECK(killed.called.empty());
            CHECK(killed.written() == written);
            REQUIRE(killed.is_quiet());
            CHECK(killed.temporary_tables() == "0");
        }
    }
    INFO("committed: " << committed << ", ended by themselves: " << ended << ", outputs kept: " << kept << ", of " << points * 4);
    CHECK(committed < points * 4);
}
