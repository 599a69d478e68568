#pragma once

#include <isorow/pq/pool.hpp>
#include <isorow/pq/transaction.hpp>
#include <support/server.hpp>

#include <string>

namespace test {

/// A database of a test's own, with a pool of connections to it.
struct pooled_database {
    test::database database{};
    isorow::pool pool;

    explicit pooled_database(isorow::pool_options const& options = {.min_size = 1}) : pool(database.dsn(), options) {}

    /// Runs statements on one of the pool's connections.
    void run(std::string const& script) {
        isorow::lease const connection(pool);
        isorow::execute_script(*connection, script, connection->default_limits());
    }
};

}  // namespace test
