// expected: isorow: a foreign key refers to as many columns as it has
// expected: "Order"
// expected: "customer"
#include <isorow/schema.hpp>

#include <cstdint>

struct Order {
    std::int64_t id;
    std::int64_t customer;
    static constexpr auto isorow_table() {
#ifdef WRONG
        constexpr auto other = isorow::references("crm.customers", {"country", "id"});
#else
        constexpr auto other = isorow::references("crm.customers", {"id"});
#endif
        return isorow::table("orders").primary_key<&Order::id>().foreign_key<&Order::customer>(other);
    }
};

constexpr int checked = (isorow::check<Order>(), 0);
