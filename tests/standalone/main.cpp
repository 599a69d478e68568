#include <isorow/isorow.hpp>

#include "product.hpp"

int main() { return isorow::ddl<Product>() == ddl_as_the_other_file_sees_it() ? 0 : 1; }
