#pragma once

#include <isorow/isorow.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

/// The narrow table: four columns, none of them NULL.
struct Narrow {
    std::int64_t id;
    std::string name;
    double value;
    std::chrono::sys_time<std::chrono::microseconds> at;

    static consteval auto isorow_table() { return isorow::table("narrow").primary_key<&Narrow::id>(); }
};

/// The seconds from 1970 to Postgres' epoch.
inline constexpr std::int64_t postgres_epoch_microseconds = 946'684'800'000'000;

[[nodiscard]] inline std::vector<Narrow> make_rows(std::int64_t count) {
    std::vector<Narrow> rows;
    rows.reserve(static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count; ++i)
        rows.push_back({i, "name of " + std::to_string(1'000'000 + i), 0.5 * static_cast<double>(i),
                        std::chrono::sys_time<std::chrono::microseconds>(std::chrono::microseconds(1'700'000'000'000'000 + i))});
    return rows;
}

/// Makes the row the one with this number, as it is in a state of the table: each hundredth row is another in each state.
inline void set_row(Narrow& row, std::int64_t id, std::int64_t state) {
    row.id = id;
    row.name.assign("name of ").append(std::to_string(1'000'000 + id));
    row.value = id % 100 == 0 ? static_cast<double>(state) : 0.5 * static_cast<double>(id);
    row.at = std::chrono::sys_time<std::chrono::microseconds>(std::chrono::microseconds(1'700'000'000'000'000 + id));
}

/// What a reader makes of the rows, so that none is optimised away.
struct Sum {
    std::int64_t rows = 0;
    std::int64_t total = 0;

    template <class Row>
    void add(Row const& row) {
        ++rows;
        total += row.id + static_cast<std::int64_t>(row.name.size()) + static_cast<std::int64_t>(row.value) +
                 row.at.time_since_epoch().count() % 7;
    }
};
