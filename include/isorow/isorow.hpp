#pragma once

/// @file
/// The whole of isorow but its optional headers: needs Boost.PFR, xxHash's header and libpq.

#include <isorow/codec/scalars.hpp>
#include <isorow/query/copy.hpp>
#include <isorow/query/query.hpp>
#include <isorow/query/stream.hpp>
#include <isorow/schema.hpp>
#include <isorow/source/source.hpp>
#include <isorow/target/target.hpp>
