#pragma once

/// @file
/// The stores that the conformance tests run over, each empty at first.

#include <isorow/records/memory_store.hpp>
#include <isorow/records/store.hpp>
#include <support/server.hpp>

#include <catch2/catch_template_test_macros.hpp>

namespace test {

struct memory_records {
    isorow::records::memory_store store{};
};

struct postgres_records {
    test::database database{};
    isorow::pool pool{database.dsn()};
    isorow::record_store store{pool};
};

}  // namespace test

#define RECORD_BACKENDS test::memory_records, test::postgres_records
