#pragma once

/// @file
/// The stores that the conformance tests run over, each empty at first.

#include <isorow/records/file_store.hpp>
#include <isorow/records/memory_store.hpp>
#include <isorow/records/store.hpp>
#include <isorow/sqlite.hpp>
#include <support/server.hpp>

#include <catch2/catch_template_test_macros.hpp>

#include <atomic>
#include <filesystem>
#include <string>

#include <unistd.h>

namespace test {

struct memory_records {
    isorow::records::memory_store store{};
};

/// A folder of its own for a test, removed at its end.
class folder {
public:
    folder() : path_(std::filesystem::temp_directory_path() / ("isorow_" + std::to_string(::getpid()) + "_" + std::to_string(next()))) {
        std::filesystem::create_directories(path_);
    }
    folder(folder const&) = delete;
    folder& operator=(folder const&) = delete;
    ~folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    [[nodiscard]] std::filesystem::path operator/(std::string const& name) const { return path_ / name; }

private:
    static int next() {
        static std::atomic<int> last{0};
        return ++last;
    }

    std::filesystem::path path_;
};

struct file_records {
    test::folder folder{};
    isorow::records::file_store store{folder / "records.json"};
};

struct lines_records {
    test::folder folder{};
    isorow::records::file_store store{folder / "records.jsonl"};
};

struct sqlite_records {
    test::folder folder{};
    isorow::records::sqlite_store store{folder / "records.sqlite"};
};

struct postgres_records {
    test::database database{};
    isorow::pool pool{database.dsn()};
    isorow::record_store<> store{pool};
};

}  // namespace test

#define RECORD_BACKENDS test::memory_records, test::file_records, test::lines_records, test::sqlite_records, test::postgres_records
