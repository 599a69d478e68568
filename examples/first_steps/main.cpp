#include <isorow/isorow.hpp>

#include <iostream>

struct Product {
    std::string category;
    std::string name;
    std::optional<double> price;
    isorow::vector<3> embedding;

    static consteval auto isorow_table() { return isorow::table("products").primary_key<&Product::category, &Product::name>(); }
};

int main() {
    isorow::pool db{std::getenv("DATABASE_URL")};
    std::vector<Product> const products{{"lamps", "desk lamp", 39.5, {1, 0, 0}}, {"lamps", "torch", {}, {0, 1, 0}}};
    std::cout << isorow::synchronise(db, products) << '\n';
    for (auto const& product : isorow::query<Product>(db, "select * from products where price < $1", 50.0))
        std::cout << product.name << " costs " << *product.price << '\n';
}
