#include "catalogue.hpp"

isorow::report keep(isorow::pool& db, std::vector<Product> const& products) { return isorow::synchronise(db, products); }
