/// @file
/// Compiled by the test only: the structs against what pg_dump has written.

#include "structs.hpp"

#include <isorow/schema/conforms.hpp>

#include <dump.sql.hpp>

static_assert(isorow::check_conforms<dump::Product, dump_sql>());
static_assert(isorow::check_conforms<dump::Scalars, dump_sql>());
static_assert(isorow::check_conforms<dump::Optionals, dump_sql>());
static_assert(isorow::check_conforms<dump::Modified, dump_sql>());
static_assert(isorow::check_conforms<dump::Named, dump_sql>());
static_assert(isorow::check_conforms<dump::Defaults, dump_sql>());
static_assert(isorow::check_conforms<dump::Indexed, dump_sql>());
