#include <isorow/isorow.hpp>

#include "product.hpp"

std::string ddl_as_the_other_file_sees_it() { return isorow::ddl<Product>(); }
