#include "catalogue.hpp"

#include <cstdlib>
#include <iostream>

/// Prints the table's DDL; where DATABASE_URL names a server, keeps the table there too.
int main() {
    std::cout << isorow::ddl<Product>();
    if (auto const* const url = std::getenv("DATABASE_URL"); url != nullptr) {
        isorow::pool db{url};
        std::cout << keep(db, {{1, "lamp"}}) << '\n';
    }
}
