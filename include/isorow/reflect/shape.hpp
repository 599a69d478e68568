#pragma once

/// @file
/// What can be said of a struct before it is taken apart: whether it is one that reflection can take apart at all. The backend is chosen
/// here: C++26's own reflection where the compiler has it, else Boost.PFR, of which nothing is included then.

#include <isorow/config.hpp>

#if ISOROW_HAS_REFLECTION
#include <isorow/reflect/detail/meta.hpp>
#else
#include <isorow/reflect/detail/pfr.hpp>
#endif

namespace isorow::inline v1::reflect {

/// Whether T can be taken apart: an aggregate, but no std::array, of at most `field_limit` fields. Under C++20 it has no base class and no
/// C array; under C++26 it may have both, where its base classes are aggregates, too.
template <class T>
concept reflectable = shape_of<T>() == shape::plain;

}  // namespace isorow::inline v1::reflect
