#pragma once

#include "narrow.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

/// One way to do a workload. `run` moves so many rows between the client and the tables `narrow` and `narrow_in`, which exist; it returns
/// how many it moved.
struct Contender {
    std::string workload;
    std::string name;
    std::function<std::int64_t(std::string const& dsn, std::vector<Narrow> const& rows, std::int64_t count)> run;
};

void add_copy_in(std::vector<Contender>& contenders);
void add_copy_out(std::vector<Contender>& contenders);
void add_select(std::vector<Contender>& contenders);
void add_point_query(std::vector<Contender>& contenders);
void add_replication(std::vector<Contender>& contenders);

/// The table that point queries read.
inline constexpr std::int64_t point_query_rows = 100'000;
void make_point_query_table(std::string const& dsn);

/// Tables of so many rows, each with a slot that has the transaction that made them.
void make_replicated_tables(std::string const& dsn, std::vector<std::int64_t> const& sizes);
void drop_replicated_tables(std::string const& dsn, std::vector<std::int64_t> const& sizes);
