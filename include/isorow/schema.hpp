#pragma once

/// @file
/// Structs as tables: reflection, types, the overlay, DDL. Needs neither libpq nor a codec. Beside it stand
/// - `isorow/schema/compatible.hpp`, which holds structs against structs, and `isorow/schema/conforms.hpp`, against DDL that is written,
/// - `isorow/schema/table_schema.hpp`, for tables that are described at run time, and `isorow/schema/ddl_statements.hpp`, their DDL,
/// - `isorow/schema/evolution.hpp`, by which a table that is there becomes the one that is declared.

#include <isorow/schema/check.hpp>
#include <isorow/schema/ddl.hpp>
#include <isorow/schema/facts.hpp>
#include <isorow/schema/identifier.hpp>
#include <isorow/schema/index.hpp>
#include <isorow/schema/overlay.hpp>
#include <isorow/schema/table.hpp>
