#pragma once

/// @file
/// boost::uuids::uuid as a field. Needs Boost.UUID's headers.

#include <isorow/uuid/codec.hpp>
