#pragma once

/// @file
/// Tables that are kept as their rows are declared, beside what one would do without: a bare COPY, and an upsert of all rows.

#include "figures.hpp"

#include <isorow/pq/pool.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

/// One way to make a table have the rows 0 to `count - 1` of a state, as `set_row` makes them.
struct Way {
    std::string name;
    std::function<void(std::string const& table)> create;  ///< what has to be there before the first load
    std::function<std::int64_t(std::string const& table, std::int64_t count, std::int64_t state)> write;  ///< how many rows it wrote
    std::function<void(std::string const& table)> drop;
};

/// How much of a bare COPY's time a first load may take, and how many times as fast as an upsert of all rows the others have to be.
struct Limits {
    double first_load;
    double unchanged;
    double changed;
};

/// So many rows, and for how many seconds rounds are repeated.
struct Size {
    std::int64_t rows;
    double seconds;
};

/// One session, so that what it has written can be counted.
[[nodiscard]] isorow::pool_options one_session();

/// The rows of several components of an app.
[[nodiscard]] Way scopes_way(isorow::pool& db);

void measure_narrow(std::string const& dsn, Size size, std::vector<Figure>& figures);
void measure_wide(std::string const& dsn, Size size, std::vector<Figure>& figures);

/// Runs the program anew for it, so that the memory is that of this alone.
void measure_many(std::string const& program, std::int64_t rows, std::vector<Figure>& figures);
/// What that program does.
void keep_many(std::string const& dsn, std::int64_t rows);

/// What a changelog costs those who write, and how soon and how fast its events are read.
void measure_following(std::string const& dsn, bool quick, std::vector<Figure>& figures);
void measure_memoized(std::string const& dsn, std::int64_t inputs, int rounds, std::vector<Figure>& figures);

/// What documents cost, beside a bare COPY of them and point queries.
void measure_records(std::string const& dsn, bool quick, std::vector<Figure>& figures);
