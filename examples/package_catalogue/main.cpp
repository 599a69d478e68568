// The machine's package catalogue becomes a table, and stays equal to it: a first load, a run without changes, a run with some, and a
// search by similarity. DATABASE_URL says where; the table lives in a schema of its own.
//
//   package_catalogue [--rows N] [FILE]
//
//   FILE        packages in the form of `apt-cache dumpavail`; this machine's own where it is not given
//   --rows N    only the first N of them

#include "catalogue.hpp"
#include "console.hpp"

#include <isorow/isorow.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

void require(bool holds, char const* what) {
    if (!holds) throw std::runtime_error(what);
}

/// What a run announced, done and timed.
struct Step {
    isorow::report report;
    double seconds = 0;
};

Step load(isorow::pool& db, std::vector<Package> const& packages) {
    Stopwatch const watch;
    ProgressBar bar;
    auto const show = [&](isorow::progress const& now) {
        bool const is_comparing = now.phase == isorow::progress_phase::comparing;
        bar.show(is_comparing ? "comparing" : "writing", now.rows, now.expected_rows);
    };
    isorow::target<Package> target(db, {.commit = {.progress = show}});
    target.declare_all(packages);
    auto const report = target.commit();
    bar.finish();
    auto const seconds = watch.seconds();
    auto const rows_per_second = static_cast<double>(packages.size()) / seconds;
    std::cout << "   " << report << "\n   " << fixed(seconds, 2) << " s, " << fixed(rows_per_second, 0) << " rows/s\n";
    return {report, seconds};
}

void embed(Package& package) { package.embedding = Embedder()(package.name + " " + package.description); }

/// Some packages get another version, some vanish, some come. Returns what a synchronisation has to report.
isorow::report change(std::vector<Package>& packages) {
    isorow::report expected;
    std::vector<Package> changed;
    for (std::size_t i = 0; i < packages.size(); ++i) {
        if (i % 250 == 7) {
            ++expected.deleted;
            continue;
        }
        changed.push_back(std::move(packages[i]));
        if (i % 100 == 3) {
            changed.back().version += "+demo1";
            ++expected.updated;
        } else {
            ++expected.unchanged;
        }
    }
    for (int i = 1; i <= 25; ++i) {
        Package package;
        package.name = "isorow-demo-" + std::to_string(i);
        package.architecture = "all";
        package.version = "1.0";
        package.section = "demo";
        package.description = "A package that exists only in this demonstration";
        embed(package);
        changed.push_back(std::move(package));
        ++expected.inserted;
    }
    packages = std::move(changed);
    return expected;
}

struct Hit {
    std::string name;
    std::string section;
    double distance;
    std::string description;
};

/// Prints the packages that are nearest to a text; returns how many seconds the query took.
double search(isorow::pool& db, std::string const& text) {
    auto const wanted = Embedder()(text);
    Stopwatch const watch;
    auto const hits = isorow::query<Hit>(db,
                                         "SELECT name, section, embedding <=> $1 AS distance,"
                                         " split_part(description, E'\\n', 1) AS description"
                                         " FROM isorow_demo.packages ORDER BY embedding <=> $1, name LIMIT 8",
                                         isorow::vector<Embedder::dimensions>{std::span<float const, Embedder::dimensions>(wanted)});
    auto const seconds = watch.seconds();
    require(!hits.empty(), "the search found nothing");
    Table table({"package", "section", "distance", "description"});
    for (auto const& hit : hits) table.add({hit.name, hit.section, fixed(hit.distance, 3), hit.description});
    std::cout << table << "   " << fixed(seconds * 1000, 0) << " ms\n";
    return seconds;
}

/// What the command line says.
struct Arguments {
    std::string file;
    std::size_t rows = std::numeric_limits<std::size_t>::max();
};

Arguments read_arguments(std::span<char* const> words) {
    static constexpr auto usage = "usage: package_catalogue [--rows N] [FILE]";
    Arguments arguments;
    for (std::size_t i = 0; i < words.size(); ++i) {
        std::string_view const word = words[i];
        if (word == "--rows") {
            require(++i < words.size(), usage);
            std::string_view const count = words[i];
            auto const read = std::from_chars(count.data(), count.data() + count.size(), arguments.rows);
            require(read.ec == std::errc{} && read.ptr == count.data() + count.size() && arguments.rows > 0, usage);
        } else {
            require(!word.starts_with('-') && arguments.file.empty(), usage);
            arguments.file = word;
        }
    }
    return arguments;
}

/// The packages and their embeddings; says what was read from where, and how long it took.
std::vector<Package> read_packages(Arguments const& arguments) {
    Stopwatch const reading;
    std::string origin = arguments.file;
    auto catalogue = origin.empty() ? read_catalogue_of_this_machine(origin) : read_catalogue(origin);
    auto packages = std::move(catalogue.packages);
    require(!packages.empty(), "the catalogue has no packages");
    packages.resize(std::min(packages.size(), arguments.rows));
    std::cout << "== " << packages.size() << " packages from " << origin << " read in " << fixed(reading.seconds(), 2) << " s ("
              << catalogue.repeated << " repeated stanzas passed over)\n";
    Stopwatch const embedding;
    for (auto& package : packages) embed(package);
    std::cout << "== embedded in " << fixed(embedding.seconds(), 2) << " s\n";
    return packages;
}

void run(Arguments const& arguments) {
    auto const* const url = std::getenv("DATABASE_URL");
    require(url != nullptr, "DATABASE_URL is not set; script/demo sets it");
    isorow::pool db{url};
    isorow::execute(db, "DROP SCHEMA IF EXISTS isorow_demo CASCADE");
    isorow::execute(db, "CREATE SCHEMA isorow_demo");
    isorow::forget(db, "isorow_demo", "packages");

    Stopwatch const whole;
    auto packages = read_packages(arguments);
    auto const reading = whole.seconds();

    std::cout << "== first run: the table is made and loaded\n";
    auto const first = load(db, packages);
    require(first.report.inserted == static_cast<std::int64_t>(packages.size()), "the first run did not insert all packages");

    std::cout << "== second run: nothing has changed\n";
    auto const second = load(db, packages);
    require(!second.report.changed(), "the second run wrote something");

    auto const announced = change(packages);
    std::cout << "== third run, announced: " << announced << "\n";
    auto const third = load(db, packages);
    require(to_string(third.report) == to_string(announced), "the third run did not do what was announced");

    std::cout << "== packages that are near \"read and write PNG images\"\n";
    auto const searching = search(db, "read and write PNG images");

    std::cout << "== done in " << fixed(whole.seconds(), 1) << " s\n";
    Table table({"step", "seconds", "outcome"});
    table.add({"read and embed", fixed(reading, 2), std::to_string(first.report.inserted) + " packages"});
    table.add({"first run", fixed(first.seconds, 2), to_string(first.report)});
    table.add({"second run", fixed(second.seconds, 2), to_string(second.report)});
    table.add({"third run", fixed(third.seconds, 2), to_string(third.report)});
    table.add({"search", fixed(searching, 2), "the nearest packages"});
    std::cout << table;
}

}  // namespace

int main(int argument_count, char** arguments) {
    try {
        run(read_arguments(std::span(arguments, static_cast<std::size_t>(argument_count)).subspan(1)));
    } catch (std::exception const& failure) {
        std::cerr << "package_catalogue: " << failure.what() << '\n';
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
