// expected: constant
// expected: the DDL cannot be read
#include <isorow/schema.hpp>
#include <isorow/schema/conforms.hpp>

#include <string>

struct Product {
    std::string name;
};

#ifdef WRONG
static_assert(isorow::conforms<Product>("CREATE TABLE product (name text NOT NULL"));
#else
static_assert(isorow::conforms<Product>("CREATE TABLE product (name text NOT NULL)"));
#endif
