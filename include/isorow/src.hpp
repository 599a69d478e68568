#pragma once

/// @file
/// What has to be compiled, for those who do not link it: include this in exactly one source file of the program. It brings Boost.JSON's
/// code, which `isorow/json.hpp` needs and nothing else does.

#include <boost/json/src.hpp>
