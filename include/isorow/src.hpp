#pragma once

/// @file
/// What is compiled once: include this in exactly one source file of the program, before any other header of isorow.
///
/// It brings isorow's own code where the program is compiled with `ISOROW_SEPARATE_COMPILATION`, and Boost.JSON's, which `isorow/json.hpp`
/// needs, unless the program links Boost.JSON and says so with `ISOROW_LINKS_BOOST_JSON`. CMake's targets say it by themselves.

#if defined(ISOROW_SEPARATE_COMPILATION)
#define ISOROW_SOURCE
#endif
#include <isorow/isorow.hpp>

#if !defined(ISOROW_LINKS_BOOST_JSON) && __has_include(<boost/json/src.hpp>)
#include <boost/json/src.hpp>
#endif
