#pragma once

/// @file
/// Documents with keys: records, the conditions and queries that find them, and the stores that keep them. Needs Boost.JSON compiled, as
/// `isorow/json.hpp` does, and the headers of Boost.UUID and Boost.Regex.

#include <isorow/records/backend.hpp>
#include <isorow/records/configuration.hpp>
#include <isorow/records/ensure_database.hpp>
#include <isorow/records/file_store.hpp>
#include <isorow/records/filter.hpp>
#include <isorow/records/found_record.hpp>
#include <isorow/records/memory_store.hpp>
#include <isorow/records/merge_patch.hpp>
#include <isorow/records/migrate.hpp>
#include <isorow/records/operation.hpp>
#include <isorow/records/options.hpp>
#include <isorow/records/outcome.hpp>
#include <isorow/records/path.hpp>
#include <isorow/records/query.hpp>
#include <isorow/records/record.hpp>
#include <isorow/records/record_row.hpp>
#include <isorow/records/store.hpp>
#include <isorow/records/typed_record.hpp>
#include <isorow/records/typed_store.hpp>
#include <isorow/records/write.hpp>
