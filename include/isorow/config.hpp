#pragma once

#include <version>

/// @file
/// How isorow is compiled. By default all of it is inline: there is nothing to build. A program of many source files compiles faster where
/// each of them is compiled with `ISOROW_SEPARATE_COMPILATION` defined, which leaves out the code that does not depend on its structs, and
/// exactly one includes `isorow/src.hpp`, which brings that code. CMake's `isorow::compiled` does both.

#if defined(ISOROW_SEPARATE_COMPILATION)
#define ISOROW_DECL
#else
#define ISOROW_DECL inline
#endif

#if defined(ISOROW_SEPARATE_COMPILATION) && !defined(ISOROW_SOURCE)
#define ISOROW_HAS_CODE 0
#else
#define ISOROW_HAS_CODE 1
#endif

/// Whether structs are taken apart by C++26's reflection rather than by Boost.PFR: where the compiler has it turned on (g++ 16 with
/// `-std=c++26 -freflection`). The files of a program that share a struct are all compiled in one of these ways.
#if defined(__cpp_impl_reflection) && defined(__cpp_lib_reflection)
#define ISOROW_HAS_REFLECTION 1
#else
#define ISOROW_HAS_REFLECTION 0
#endif
