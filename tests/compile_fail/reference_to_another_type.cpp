// expected: isorow: a foreign key refers to a member of another type
// expected: "Order"
// expected: "customer"
// expected: "Customer"
#include <isorow/schema.hpp>

#include <cstdint>
#include <optional>
#include <string>

struct Customer {
    std::int64_t id;
    static constexpr auto isorow_table() { return isorow::table("customers").primary_key<&Customer::id>(); }
};

struct Order {
    std::int64_t id;
#ifdef WRONG
    std::string customer;
#else
    std::optional<std::int64_t> customer;
#endif
    static constexpr auto isorow_table() {
        return isorow::table("orders").primary_key<&Order::id>().foreign_key<&Order::customer>(isorow::references<&Customer::id>());
    }
};

constexpr int checked = (isorow::check<Order>(), 0);
