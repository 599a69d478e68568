// Whole transfers of the narrow table, isorow beside libpq by hand and libpqxx; and tables that are kept as their rows are declared, beside
// a bare COPY and an upsert of all rows.
//
//   isorow_bench [--quick] [--json FILE] [--only PART]...    the parts are those of script/bench, but for compile
//   isorow_bench --once WORKLOAD CONTENDER ROWS              one transfer, for counting its instructions
//   isorow_bench --many ROWS                                 a table of so many rows, for its memory

#include "contender.hpp"
#include "figures.hpp"
#include "measure/measure.hpp"
#include "synchronise.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>

namespace {

std::vector<Contender> all_contenders() {
    std::vector<Contender> contenders;
    add_copy_in(contenders);
    add_select(contenders);
    add_copy_out(contenders);
    add_point_query(contenders);
    add_replication(contenders);
    return contenders;
}

/// The table that is read has its number of rows in its name, so that one process may read tables of several sizes.
void make_tables(std::string const& dsn, std::vector<std::int64_t> const& sizes) {
    isorow::pool db(dsn);
    for (auto const size : sizes) {
        auto const name = "narrow_" + std::to_string(size);
        isorow::execute(db, "DROP TABLE IF EXISTS " + name);
        isorow::execute(db, "CREATE UNLOGGED TABLE " + name +
                                " (id bigint NOT NULL, name text NOT NULL, value double precision NOT NULL, at timestamptz NOT NULL)");
        isorow::execute(db,
                        "INSERT INTO " + name +
                            " SELECT g, 'name of ' || (1000000 + g), 0.5 * g, '2023-11-14 22:13:20+00'::timestamptz + g * interval '1 "
                            "microsecond' FROM generate_series(0, $1 - 1) g",
                        size);
    }
    isorow::execute(db, "DROP TABLE IF EXISTS narrow_in");
    isorow::execute(db,
                    "CREATE UNLOGGED TABLE narrow_in (id bigint NOT NULL, name text NOT NULL, value double precision NOT NULL, at "
                    "timestamptz NOT NULL)");
}

void empty_table(std::string const& dsn) {
    isorow::connection connection(dsn);
    isorow::execute(connection, "TRUNCATE narrow_in");
}

void transfer(Contender const& contender, std::string const& dsn, std::vector<Narrow> const& rows, std::int64_t count) {
    if (auto const moved = contender.run(dsn, rows, count); moved != count)
        throw std::runtime_error(contender.name + " moved " + std::to_string(moved) + " rows");
}

/// Rounds in turn, A B C C B A, so that a machine that gets slower is slower for all.
void measure_times(std::vector<Contender> const& contenders, std::string const& dsn, std::int64_t count, int rounds,
                   std::vector<Figure>& figures) {
    auto const rows = make_rows(count);
    std::map<std::string, std::vector<double>> processor;
    std::map<std::string, std::vector<double>> wall;
    for (int round = 0; round < rounds; ++round) {
        for (std::size_t i = 0; i < contenders.size(); ++i) {
            auto const& contender = contenders[round % 2 == 0 ? i : contenders.size() - 1 - i];
            if (contender.workload == "copy_in") empty_table(dsn);
            auto const processor_before = processor_seconds();
            auto const wall_before = wall_seconds();
            transfer(contender, dsn, rows, count);
            wall[contender.name].push_back(wall_seconds() - wall_before);
            processor[contender.name].push_back(processor_seconds() - processor_before);
        }
    }
    for (auto const& contender : contenders) {
        figures.push_back({contender.workload, "narrow", contender.name, "client_cpu_ns_per_row",
                           1e9 * median(processor[contender.name]) / static_cast<double>(count), "ns"});
        figures.push_back({contender.workload, "narrow", contender.name, "rows_per_second",
                           static_cast<double>(count) / median(wall[contender.name]), "1/s"});
    }
}

/// The difference of two sizes leaves start-up and connecting out.
void count_instructions(Contender const& contender, std::string const& program, std::string const& dsn, std::int64_t count,
                        std::vector<Figure>& figures) {
    auto const of = [&](std::int64_t size) {
        if (contender.workload == "copy_in") empty_table(dsn);
        return instructions_of(program + " --once " + contender.workload + " " + contender.name + " " + std::to_string(size));
    };
    auto const few = of(count);
    auto const many = of(2 * count);
    if (!few || !many) throw std::runtime_error("valgrind did not count the instructions of " + contender.name);
    figures.push_back({contender.workload, "narrow", contender.name, "instructions_per_row", (*many - *few) / static_cast<double>(count),
                       "instructions"});
}

bool has_valgrind() {
    static bool const installed = [] {
        bool const runs = std::system("valgrind --version >/dev/null 2>&1") == 0;
        if (!runs) std::cout << "valgrind is not installed: instructions are not counted\n";
        return runs;
    }();
    return installed;
}

double find(std::vector<Figure> const& figures, std::string const& workload, std::string const& contender, std::string const& metric) {
    for (auto const& figure : figures)
        if (figure.workload == workload && figure.contender == contender && figure.metric == metric) return figure.value;
    return 0;
}

/// What batches are to cost beside a hand-written loop that builds strings.
void limit_batches(std::vector<Figure>& figures) {
    auto const batches = find(figures, "copy_out", "batches", "instructions_per_row");
    auto const by_hand = find(figures, "copy_out", "libpq", "instructions_per_row");
    if (by_hand != 0)
        figures.push_back({"copy_out", "narrow", "batches", "instructions_vs_libpq", batches / by_hand, "times", at_most(0.8)});
}

void print_ratios(std::vector<Figure> const& figures) {
    std::cout << "\nisorow / libpq:\n";
    for (std::string const workload : {"copy_in", "select", "copy_out", "point", "pipeline", "replication"})
        for (std::string const metric : {"instructions_per_row", "client_cpu_ns_per_row"})
            if (auto const libpq = find(figures, workload, "libpq", metric); libpq != 0)
                std::cout << std::left << std::setw(10) << workload << std::setw(24) << metric << std::setprecision(3)
                          << find(figures, workload, "isorow", metric) / libpq << '\n';
    if (auto const serial = find(figures, "point", "isorow", "rows_per_second"); serial != 0)
        std::cout << "\npipelined / serial point queries a second: " << find(figures, "pipeline", "isorow", "rows_per_second") / serial
                  << '\n';
}

int once(char** arguments, std::string const& dsn) {
    auto const count = std::stoll(arguments[2]);
    for (auto const& contender : all_contenders()) {
        if (contender.workload != arguments[0] || contender.name != arguments[1]) continue;
        transfer(contender, dsn, contender.workload == "copy_in" ? make_rows(200'000) : std::vector<Narrow>{}, count);
        return EXIT_SUCCESS;
    }
    throw std::runtime_error("no such workload and contender");
}

/// The workload's contenders in turn: their instructions where they can be counted, and their times.
void measure_workload(std::string const& workload, std::string const& program, std::string const& dsn, std::int64_t counted,
                      std::int64_t timed, int rounds, std::vector<Figure>& figures) {
    std::cerr << "measuring " << workload << '\n';
    auto contenders = all_contenders();
    std::erase_if(contenders, [&](Contender const& contender) { return contender.workload != workload; });
    if (has_valgrind())
        for (auto const& contender : contenders) count_instructions(contender, program, dsn, counted, figures);
    measure_times(contenders, dsn, timed, rounds, figures);
}

void measure_replication(std::string const& program, std::string const& dsn, bool quick, std::vector<Figure>& figures) {
    std::int64_t const timed = quick ? 100'000 : 500'000;
    std::int64_t const counted = quick ? 20'000 : 100'000;
    std::vector<std::int64_t> const sizes{counted, 2 * counted, timed};
    make_replicated_tables(dsn, sizes);
    measure_workload("replication", program, dsn, counted, timed, quick ? 3 : 7, figures);
    drop_replicated_tables(dsn, sizes);
}

void measure_transfers(std::string const& program, std::string const& dsn, bool quick, std::vector<Figure>& figures) {
    std::int64_t const timed = quick ? 300'000 : 1'000'000;
    std::int64_t const counted = quick ? 20'000 : 100'000;
    make_tables(dsn, {counted, 2 * counted, timed});
    make_point_query_table(dsn);
    for (std::string const workload : {"copy_in", "select", "copy_out", "point", "pipeline"}) {
        bool const is_query = workload == "point" || workload == "pipeline";  // a row is a query there
        measure_workload(workload, program, dsn, is_query ? counted / 20 : counted, is_query ? timed / 20 : timed, quick ? 3 : 7, figures);
    }
}

struct Arguments {
    bool quick = false;
    std::string json{};
    std::vector<std::string> only{};

    [[nodiscard]] bool has(std::string const& part) const {
        return only.empty() || std::find(only.begin(), only.end(), part) != only.end();
    }
};

Arguments read_arguments(int argument_count, char** arguments) {
    constexpr std::array<std::string_view, 8> parts{"transfers", "replication", "narrow",    "wide",
                                                    "many",      "memoized",    "following", "records"};
    Arguments read;
    for (int i = 1; i < argument_count; ++i) {
        if (std::strcmp(arguments[i], "--quick") == 0) read.quick = true;
        else if (std::strcmp(arguments[i], "--json") == 0 && i + 1 < argument_count) read.json = arguments[++i];
        else if (std::strcmp(arguments[i], "--only") == 0 && i + 1 < argument_count) read.only.emplace_back(arguments[++i]);
        else throw std::runtime_error("usage: isorow_bench [--quick] [--json FILE] [--only PART]...");
    }
    for (auto const& part : read.only)
        if (std::find(parts.begin(), parts.end(), part) == parts.end()) throw std::runtime_error("there is no part " + part);
    return read;
}

int run(int argument_count, char** arguments) {
    auto const* const url = std::getenv("DATABASE_URL");
    if (url == nullptr) throw std::runtime_error("DATABASE_URL is not set; script/bench sets it");
    if (argument_count == 5 && std::strcmp(arguments[1], "--once") == 0) return once(arguments + 2, url);
    if (argument_count == 3 && std::strcmp(arguments[1], "--many") == 0) {
        keep_many(url, std::stoll(arguments[2]));
        return EXIT_SUCCESS;
    }
    auto const asked = read_arguments(argument_count, arguments);
    std::vector<Figure> figures;
    if (asked.has("transfers")) {
        measure_transfers(arguments[0], url, asked.quick, figures);
        limit_batches(figures);
    }
    if (asked.has("replication")) measure_replication(arguments[0], url, asked.quick, figures);
    if (asked.has("narrow")) measure_narrow(url, asked.quick ? Size{100'000, 3} : Size{1'000'000, 60}, figures);
    if (asked.has("wide")) measure_wide(url, asked.quick ? Size{20'000, 3} : Size{1'000'000, 1}, figures);
    if (asked.has("many")) measure_many(arguments[0], asked.quick ? 2'000'000 : 10'000'000, figures);
    if (asked.has("memoized")) measure_memoized(url, 100'000, asked.quick ? 3 : 7, figures);
    if (asked.has("following")) measure_following(url, asked.quick, figures);
    if (asked.has("records")) measure_records(url, asked.quick, figures);
    print_figures(std::cout, figures);
    if (asked.has("transfers") || asked.has("replication")) print_ratios(figures);
    std::cout << '\n';
    print_limits(std::cout, figures);
    if (!asked.json.empty()) {
        std::ofstream file(asked.json);
        write_json(file, figures);
        if (!file.flush()) throw std::runtime_error("could not write " + asked.json);
    }
    return EXIT_SUCCESS;
}

}  // namespace

int main(int argument_count, char** arguments) {
    try {
        return run(argument_count, arguments);
    } catch (std::exception const& failure) {
        std::cerr << "isorow_bench: " << failure.what() << '\n';
        return EXIT_FAILURE;
    }
}
