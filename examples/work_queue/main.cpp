// A shop that puts its orders into a queue in the transaction that books them, and three workers that send them out.

#include <isorow/queue/work_queue.hpp>

#include <iostream>
#include <sstream>
#include <syncstream>

using namespace std::chrono_literals;

struct Order {
    std::int64_t id;
    std::string customer;
    double amount;
};

/// Sends one order out. What it writes and that the job is done are committed together, so an order is never sent out twice.
void send_out(isorow::pool& db, isorow::queue_job<Order>& job) {
    auto const& order = job.payload();
    if (order.amount < 0) return job.bury("an amount below zero");
    isorow::transaction transaction(db);
    isorow::execute(transaction, "insert into sent (id, customer) values ($1, $2)", order.id, order.customer);
    job.ack(transaction);
    transaction.commit();
    std::osyncstream(std::cout) << "order " << order.id << " goes to " << order.customer << '\n';
}

int main() {
    isorow::pool db{std::getenv("DATABASE_URL")};
    isorow::execute(db, "create table if not exists sent (id bigint primary key, customer text not null)");
    isorow::execute(db, "truncate sent");
    isorow::work_queue<Order> orders{db, "orders"};
    orders.install();

    std::vector<std::jthread> workers;
    for (int i = 0; i < 3; ++i)
        workers.emplace_back([&](std::stop_token const& stop) {
            while (auto job = orders.take(1h, stop)) send_out(db, *job);
        });

    isorow::transaction booking(db);
    orders.push(booking, {1, "Ada", 10.0}, {.priority = 1});
    orders.push_many(booking, std::vector<Order>{{2, "Bob", 20.0}, {3, "Eve", -5.0}, {4, "Dan", 7.5}});
    booking.commit();  // only now the workers see the orders, and are woken

    while (orders.pending() + orders.leased() > 0) std::this_thread::sleep_for(10ms);
    for (auto const& [id, order, attempts, error] : orders.dead()) {
        std::cout << "order " << order.id << " is dead: " << error << '\n';
        orders.discard(id);
    }
}
