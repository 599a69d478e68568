#include "synchronise.hpp"

#include "measure/measure.hpp"
#include "narrow.hpp"
#include "wide.hpp"

#include <isorow/pq/copy.hpp>
#include <isorow/query/copy.hpp>
#include <isorow/query/query.hpp>
#include <isorow/target/target.hpp>

#include <iostream>
#include <stdexcept>
#include <utility>

namespace {

template <class T>
std::string const columns_with_types = "";
template <>
std::string const columns_with_types<Narrow> =
    "id bigint PRIMARY KEY, name text NOT NULL, value double precision NOT NULL, at timestamptz NOT NULL";
template <>
std::string const columns_with_types<Wide> = "id bigint PRIMARY KEY, name text NOT NULL, embedding vector(384) NOT NULL";

template <class T>
std::string const assignments = "";
template <>
std::string const assignments<Narrow> = "name = excluded.name, value = excluded.value, at = excluded.at";
template <>
std::string const assignments<Wide> = "name = excluded.name, embedding = excluded.embedding";

template <class T>
void create(isorow::pool& db, std::string const& table) {
    isorow::execute(db, "CREATE TABLE " + table + " (" + columns_with_types<T> + ")");
}

template <class T>
Way bare_copy(isorow::pool& db) {
    return {"copy", [&db](std::string const& table) { create<T>(db, table); },
            [&db](std::string const& table, std::int64_t count, std::int64_t state) {
                isorow::copy_writer<T> writer(db, "public", table);
                T row{};
                for (std::int64_t id = 0; id < count; ++id) {
                    set_row(row, id, state);
                    writer.write(row);
                }
                return writer.finish();
            },
            [&db](std::string const& table) { isorow::execute(db, "DROP TABLE " + table); }};
}

/// All rows into a temporary table, and one INSERT of them.
template <class T>
Way upsert_all(isorow::pool& db) {
    auto way = bare_copy<T>(db);
    way.name = "upsert";
    way.write = [&db](std::string const& table, std::int64_t count, std::int64_t state) {
        isorow::database_ref::use const connection{isorow::database_ref(db)};
        isorow::transaction all(*connection);
        isorow::execute(*connection, "CREATE TEMP TABLE staged ON COMMIT DROP AS SELECT * FROM " + table + " LIMIT 0");
        isorow::copy_in staging(*connection, "COPY staged FROM STDIN (FORMAT binary)", {});
        isorow::copy_format::put_header(staging.buffer());
        T row{};
        for (std::int64_t id = 0; id < count; ++id) {
            set_row(row, id, state);
            isorow::encode_row(row, staging.buffer());
            staging.flush_if_full();
        }
        isorow::copy_format::put_trailer(staging.buffer());
        staging.finish();
        auto const written =
            isorow::execute(*connection, "INSERT INTO " + table + " SELECT * FROM staged ON CONFLICT (id) DO UPDATE SET " + assignments<T>);
        all.commit();
        return written;
    };
    return way;
}

template <class T>
std::int64_t declare_and_commit(isorow::pool& db, isorow::target_options options, std::int64_t count, std::int64_t state) {
    isorow::target<T> target(db, std::move(options));
    T row{};
    for (std::int64_t id = 0; id < count; ++id) {
        set_row(row, id, state);
        target.declare(row);
    }
    auto const done = target.commit();
    return done.inserted + done.updated + done.deleted;
}

void forget_and_drop(isorow::pool& db, std::string const& table) {
    isorow::forget(db, "public", table);
    isorow::execute(db, "DROP TABLE " + table);
}

/// A table of isorow's own.
template <class T>
Way exclusive_way(isorow::pool& db) {
    return {"exclusive", [](std::string const&) {},
            [&db](std::string const& table, std::int64_t count, std::int64_t state) {
                return declare_and_commit<T>(db, {.table = table}, count, state);
            },
            [&db](std::string const& table) { forget_and_drop(db, table); }};
}

/// A table of the user's, where others may have rows.
template <class T>
Way shared_way(isorow::pool& db) {
    return {"shared", [&db](std::string const& table) { create<T>(db, table); },
            [&db](std::string const& table, std::int64_t count, std::int64_t state) {
                return declare_and_commit<T>(
                    db, {.table = table, .managed_by = isorow::managed_by::user, .ownership = isorow::ownership::shared}, count, state);
            },
            [&db](std::string const& table) { forget_and_drop(db, table); }};
}

/// What one call of a way has cost.
struct Cost {
    double seconds = 0;
    double client_seconds = 0;
    double wal_bytes = 0;
    double rows = 0;  ///< inserted, updated and deleted in the table, as the server counts
};

double wal_position(isorow::pool& db) {
    return static_cast<double>(isorow::scalar<std::int64_t>(db, "SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint"));
}

double rows_written(isorow::pool& db, std::string const& table) {
    isorow::execute(db, "SELECT pg_stat_force_next_flush()");
    return static_cast<double>(isorow::scalar<std::int64_t>(
        db, "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::bigint FROM pg_stat_user_tables WHERE relname = $1", table));
}

/// Checks what the way says of the rows.
Cost cost(isorow::pool& db, Way const& way, std::string const& table, std::int64_t count, std::int64_t state, std::int64_t expected) {
    isorow::execute(db, "CHECKPOINT");
    auto const rows = rows_written(db, table);
    auto const wal = wal_position(db);
    auto const client = processor_seconds();
    auto const started = wall_seconds();
    auto const written = way.write(table, count, state);
    Cost const spent{wall_seconds() - started, processor_seconds() - client, wal_position(db) - wal, rows_written(db, table) - rows};
    if (written != expected)
        throw std::runtime_error(way.name + " says that it wrote " + std::to_string(written) + " rows, not " + std::to_string(expected));
    return spent;
}

/// What autovacuum would do sooner or later.
void vacuum(isorow::pool& db, std::string const& table) {
    isorow::execute(db, "VACUUM (ANALYZE) " + table);
    isorow::execute(db, "VACUUM (ANALYZE) isorow.tracked");
}

template <class Member>
double median_of(std::vector<Cost> const& costs, Member member) {
    std::vector<double> values;
    for (auto const& one : costs) values.push_back(one.*member);
    return median(std::move(values));
}

/// The median of the rounds' ratios of times.
double ratio(std::vector<Cost> const& over, std::vector<Cost> const& under) {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < over.size(); ++i) ratios.push_back(over[i].seconds / under[i].seconds);
    return median(std::move(ratios));
}

/// Rounds of pairs until the time is over: at least one, at most nine. Each second one is in the opposite order.
template <class Round>
void repeat(double seconds, Round&& round) {
    auto const started = wall_seconds();
    for (int i = 0; i < 9 && (i == 0 || wall_seconds() - started < seconds); ++i) round(i);
}

/// One way beside a bare COPY and an upsert of all, for one table.
class Comparison {
public:
    Comparison(isorow::pool& db, std::string table, Way ours, Way copy, Way upsert, Limits limits, Size size, std::vector<Figure>& figures)
        : db_(db),
          name_(std::move(table)),
          ours_(std::move(ours)),
          copy_(std::move(copy)),
          upsert_(std::move(upsert)),
          limits_(limits),
          size_(size),
          figures_(figures) {}

    void run() {
        std::cerr << "measuring " << name_ << ", " << ours_.name << '\n';
        install();
        first_loads();
        later_ones();
        ours_.drop(kept_);
        copy_.drop(copied_);
    }

private:
    /// What isorow makes in a database once is no table's.
    void install() {
        ours_.create("installed");
        ours_.write("installed", 1, 0);
        ours_.drop("installed");
        // The first who writes so much has the server make the files of its WAL, which the next ones use again.
        copy_.create("warm");
        copy_.write("warm", size_.rows, 0);
        copy_.drop("warm");
    }

    void first_loads() {
        std::vector<Cost> ours;
        std::vector<Cost> copy;
        auto const load = [&](Way const& way, std::string const& table, std::vector<Cost>& costs) {
            way.create(table);
            costs.push_back(cost(db_, way, table, size_.rows, state_, size_.rows));
        };
        repeat(size_.seconds / 3, [&](int round) {
            if (round != 0) {
                ours_.drop(kept_);
                copy_.drop(copied_);
                isorow::execute(db_, "VACUUM isorow.tracked");
            }
            kept_ = name_ + "_kept_" + std::to_string(round);
            copied_ = name_ + "_copied_" + std::to_string(round);
            if (round % 2 == 0) load(ours_, kept_, ours);
            load(copy_, copied_, copy);
            if (round % 2 != 0) load(ours_, kept_, ours);
        });
        tell("first_load", ours_.name, ours);
        tell("first_load", copy_.name, copy);
        limit("first_load", "times_bare_copy", ratio(ours, copy), "", at_most(limits_.first_load));
    }

    /// Nothing changed, and each hundredth row: the upsert, which writes all rows in both, stands between them in time.
    void later_ones() {
        std::vector<Cost> unchanged;
        std::vector<Cost> changed;
        std::vector<Cost> upsert;
        auto const hundredth = (size_.rows + 99) / 100;
        vacuum(db_, kept_);
        vacuum(db_, copied_);
        repeat(2 * size_.seconds / 3, [&](int round) {
            for (int step = 0; step < 3; ++step) switch (round % 2 == 0 ? step : 2 - step) {
                    case 0:
                        unchanged.push_back(cost(db_, ours_, kept_, size_.rows, state_, 0));
                        break;
                    case 1:
                        upsert.push_back(cost(db_, upsert_, copied_, size_.rows, state_ + 1, size_.rows));
                        vacuum(db_, copied_);
                        break;
                    default:
                        changed.push_back(cost(db_, ours_, kept_, size_.rows, ++state_, hundredth));
                        vacuum(db_, kept_);
                }
        });
        tell("upsert_all", upsert_.name, upsert);
        tell("unchanged", ours_.name, unchanged);
        tell("changed_1%", ours_.name, changed);
        limit("unchanged", "times_as_fast", ratio(upsert, unchanged), "", at_least(limits_.unchanged));
        limit("unchanged", "wal_kib", median_of(unchanged, &Cost::wal_bytes) / 1024, "KiB", at_most(256));
        limit("unchanged", "rows_written", median_of(unchanged, &Cost::rows), "rows", exactly(0));
        limit("changed_1%", "times_as_fast", ratio(upsert, changed), "", at_least(limits_.changed));
        limit("changed_1%", "rows_written", median_of(changed, &Cost::rows), "rows", exactly(static_cast<double>(hundredth)));
    }

    void tell(std::string const& workload, std::string const& contender, std::vector<Cost> const& costs) {
        auto const count = static_cast<double>(size_.rows);
        figures_.push_back({workload, name_, contender, "milliseconds", 1e3 * median_of(costs, &Cost::seconds), "ms"});
        figures_.push_back(
            {workload, name_, contender, "client_cpu_ns_per_row", 1e9 * median_of(costs, &Cost::client_seconds) / count, "ns"});
        figures_.push_back({workload, name_, contender, "wal_mib", median_of(costs, &Cost::wal_bytes) / 1024 / 1024, "MiB"});
        figures_.push_back({workload, name_, contender, "rounds", static_cast<double>(costs.size()), ""});
    }

    void limit(std::string const& workload, std::string const& metric, double value, std::string const& unit, Limit const& limit) {
        figures_.push_back({workload, name_, ours_.name, metric, value, unit, limit});
    }

    isorow::pool& db_;
    std::string name_;
    Way ours_;
    Way copy_;
    Way upsert_;
    Limits limits_;
    Size size_;
    std::vector<Figure>& figures_;
    std::string kept_{};
    std::string copied_{};
    std::int64_t state_ = 0;
};

template <class T>
void compare(isorow::pool& db, std::string const& table, Way ours, Limits limits, Size size, std::vector<Figure>& figures) {
    Comparison(db, table, std::move(ours), bare_copy<T>(db), upsert_all<T>(db), limits, size, figures).run();
}

/// The most memory that this program has had, in MiB. Not of getrusage, which goes on from before the program was started.
double peak_memory() {
    double kib = 0;
    if (std::FILE* const file = std::fopen("/proc/self/status", "r"); file != nullptr) {
        char line[256];
        while (std::fgets(line, sizeof line, file) != nullptr)
            if (std::string_view(line).starts_with("VmHWM:")) kib = std::strtod(line + 6, nullptr);
        std::fclose(file);
    }
    if (kib == 0) throw std::runtime_error("the system does not tell the peak of memory");
    return kib / 1024;
}

}  // namespace

isorow::pool_options one_session() { return {.min_size = 1, .max_size = 1}; }

void measure_narrow(std::string const& dsn, Size size, std::vector<Figure>& figures) {
    isorow::pool db(dsn, one_session());
    compare<Narrow>(db, "narrow", exclusive_way<Narrow>(db), {1.4, 12, 6}, size, figures);
    compare<Narrow>(db, "narrow", shared_way<Narrow>(db), {2.5, 5, 5}, size, figures);
    compare<Narrow>(db, "narrow", scopes_way(db), {2.5, 5, 5}, size, figures);
}

void measure_wide(std::string const& dsn, Size size, std::vector<Figure>& figures) {
    {
        isorow::connection connection(dsn);
        isorow::execute(connection, "CREATE EXTENSION IF NOT EXISTS vector");
    }
    isorow::pool db(dsn, one_session());
    compare<Wide>(db, "wide", exclusive_way<Wide>(db), {1.4, 6, 4}, size, figures);
    compare<Wide>(db, "wide", shared_way<Wide>(db), {2.5, 6, 4}, size, figures);
}

void keep_many(std::string const& dsn, std::int64_t rows) {
    isorow::pool db(dsn, one_session());
    auto const way = exclusive_way<Narrow>(db);
    for (std::string const workload : {"first_load", "unchanged"}) {
        auto const spent = cost(db, way, "narrow_many", rows, 0, workload == "first_load" ? rows : 0);
        std::cout << workload << ' ' << 1e3 * spent.seconds << ' ' << peak_memory() << '\n';
    }
    way.drop("narrow_many");
}

void measure_many(std::string const& program, std::int64_t rows, std::vector<Figure>& figures) {
    std::cerr << "measuring " << rows << " rows\n";
    auto const label = std::to_string(rows / 1'000'000) + "M";
    std::FILE* const output = ::popen((program + " --many " + std::to_string(rows)).c_str(), "r");
    if (output == nullptr) throw std::runtime_error("the program could not be started anew");
    char workload[32];
    double milliseconds = 0;
    double memory = 0;
    std::vector<Figure> told;
    while (std::fscanf(output, "%31s %lf %lf", workload, &milliseconds, &memory) == 3) {
        told.push_back({workload, label, "exclusive", "milliseconds", milliseconds, "ms"});
        told.push_back({workload, label, "exclusive", "peak_memory_mib", memory, "MiB", at_most(128)});
    }
    if (::pclose(output) != 0 || told.size() != 4) throw std::runtime_error("the program that keeps many rows failed");
    figures.insert(figures.end(), told.begin(), told.end());
}
