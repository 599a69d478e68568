#pragma once

/// @file
/// Structs as tables: reflection, types, the overlay, DDL. Needs neither libpq nor a codec.

#include <isorow/schema/check.hpp>
#include <isorow/schema/ddl.hpp>
#include <isorow/schema/evolution.hpp>
#include <isorow/schema/identifier.hpp>
#include <isorow/schema/index.hpp>
#include <isorow/schema/overlay.hpp>
#include <isorow/schema/table.hpp>
#include <isorow/schema/table_schema.hpp>
