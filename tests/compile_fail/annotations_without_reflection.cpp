// expected: isorow/annotations.hpp needs C++26 reflection
#ifdef WRONG
#include <isorow/annotations.hpp>
#endif
#include <isorow/schema.hpp>
