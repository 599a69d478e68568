#pragma once

/// @file
/// Enumerations as text columns with a CHECK that lists the names of their enumerators. Needs magic_enum's header, but
/// for C++26's reflection.

#include <isorow/enums/codec.hpp>
#include <isorow/enums/mapping.hpp>
#include <isorow/enums/names.hpp>
