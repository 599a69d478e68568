#pragma once

/// @file
/// All codecs that need nothing but the standard library.

#include <isorow/codec/array.hpp>
#include <isorow/codec/bits.hpp>
#include <isorow/codec/boolean.hpp>
#include <isorow/codec/bytea.hpp>
#include <isorow/codec/c_array.hpp>
#include <isorow/codec/date_time.hpp>
#include <isorow/codec/floating_point.hpp>
#include <isorow/codec/hstore.hpp>
#include <isorow/codec/integer.hpp>
#include <isorow/codec/network.hpp>
#include <isorow/codec/numeric.hpp>
#include <isorow/codec/range.hpp>
#include <isorow/codec/sparsevec.hpp>
#include <isorow/codec/text.hpp>
#include <isorow/codec/uuid.hpp>
#include <isorow/codec/vector.hpp>
