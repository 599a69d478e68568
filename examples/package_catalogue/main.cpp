// The machine's package catalogue becomes a table, and stays equal to it: a first load, a run without changes, a run with some, and a
// search by similarity. DATABASE_URL says where; the table lives in a schema of its own.
//
//   package_catalogue [FILE]     FILE: packages in the form of `apt-cache dumpavail`; this machine's own where it is not given

#include "catalogue.hpp"
#include "console.hpp"

#include <isorow/isorow.hpp>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <stdexcept>

namespace {

/// What a run announced, done and timed.
struct Step {
    isorow::report report;
    double seconds = 0;
};

Step load(isorow::pool& db, std::vector<Package> const& packages) {
    Stopwatch const watch;
    ProgressBar bar;
    isorow::target<Package> target(db, {.progress = [&](isorow::progress const& now) {
                                            bar.show(now.phase == isorow::progress_phase::comparing ? "comparing" : "writing", now.rows, now.expected_rows);
                                        }});
    target.declare_all(packages);
    auto const report = target.commit();
    bar.finish();
    auto const seconds = watch.seconds();
    std::cout << "   " << report << "\n   " << fixed(seconds, 2) << " s, " << static_cast<std::int64_t>(static_cast<double>(packages.size()) / seconds) << " rows/s\n";
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
        Package package{.name = "isorow-demo-" + std::to_string(i), .architecture = "all", .version = "1.0", .section = "demo", .installed_kilobytes = {}, .download_bytes = {}, .dependencies = {},
                        .description = "A package that exists only in this demonstration", .embedding = {}};
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

void search(isorow::pool& db, std::string const& text) {
    auto const wanted = Embedder()(text);
    Stopwatch const watch;
    auto const hits = isorow::query<Hit>(db,
                                         "SELECT name, section, embedding <=> $1 AS distance, split_part(description, E'\\n', 1) AS description"
                                         " FROM isorow_demo.packages ORDER BY embedding <=> $1, name LIMIT 8",
                                         isorow::vector<Embedder::dimensions>(std::span<float const, Embedder::dimensions>(wanted)));
    Table table({"package", "section", "distance", "description"});
    for (auto const& hit : hits) table.add({hit.name, hit.section, fixed(hit.distance, 3), hit.description});
    std::cout << table << "   " << fixed(watch.seconds() * 1000, 0) << " ms\n";
    if (hits.empty()) throw std::runtime_error("the search found nothing");
}

void require(bool holds, char const* what) {
    if (!holds) throw std::runtime_error(what);
}

void run(int argument_count, char** arguments) {
    auto const* const url = std::getenv("DATABASE_URL");
    require(url != nullptr, "DATABASE_URL is not set; script/demo sets it");
    isorow::pool db{url};
    isorow::execute(db, "DROP SCHEMA IF EXISTS isorow_demo CASCADE");
    isorow::execute(db, "CREATE SCHEMA isorow_demo");
    isorow::forget(db, "isorow_demo", "packages");

    Stopwatch const whole;
    std::string origin = argument_count > 1 ? arguments[1] : "";
    std::ifstream file(origin);
    auto catalogue = origin.empty() ? read_catalogue_of_this_machine(origin) : read_catalogue(file);
    auto& packages = catalogue.packages;
    require(!packages.empty(), "the catalogue has no packages");
    for (auto& package : packages) embed(package);
    std::cout << "== " << packages.size() << " packages from " << origin << " read and embedded in " << fixed(whole.seconds(), 1) << " s (" << catalogue.repeated
              << " repeated stanzas passed over)\n";

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
    search(db, "read and write PNG images");

    std::cout << "== done: " << first.report.inserted << " loaded in " << fixed(first.seconds, 2) << " s, compared in " << fixed(second.seconds, 2) << " s, " << third.report << " in "
              << fixed(third.seconds, 2) << " s; " << fixed(whole.seconds(), 1) << " s in all\n";
}

}  // namespace

int main(int argument_count, char** arguments) {
    try {
        run(argument_count, arguments);
    } catch (std::exception const& failure) {
        std::cerr << "package_catalogue: " << failure.what() << '\n';
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
