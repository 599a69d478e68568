#pragma once

#include <isorow/pq/connection.hpp>
#include <support/server.hpp>

#include <chrono>

namespace test {

/// A connection to the tests' server whose calls give up before the test does.
[[nodiscard]] inline isorow::connection connect(std::string const& address = dsn()) {
    return isorow::connection(address, {.timeout = std::chrono::seconds(120)});
}

}  // namespace test
