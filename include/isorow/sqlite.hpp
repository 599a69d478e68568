#pragma once

/// @file
/// Records in files of SQLite. Needs libsqlite3 >= 3.35 and what `isorow/records.hpp` does.

#include <isorow/sqlite/error.hpp>
#include <isorow/sqlite/store.hpp>
