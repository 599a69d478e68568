#pragma once

/// @file
/// Nested structs, maps, variants, lists of these, `jsonb<T>` and Boost.JSON's values as jsonb columns. `isorow/json/codec.hpp` alone is
/// the same without Boost.JSON.

#include <isorow/json/codec.hpp>
#include <isorow/json/value.hpp>
#include <isorow/types/jsonb.hpp>
