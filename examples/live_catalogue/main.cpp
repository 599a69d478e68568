// How soon a write to a table is seen in another one that is derived of it. Writes one row after the other, each in a transaction of its
// own, and waits each time until the derived row is there. Prints the times, and fails where the two tables are not equal in the end.

#include <isorow/isorow.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

using clock_type = std::chrono::steady_clock;

struct Item {
    std::int64_t id;
    std::string name;
    std::int64_t price;

    static consteval auto isorow_table() { return isorow::table("items").schema("live_source").primary_key<&Item::id>(); }
};

struct Label {
    std::int64_t id;
    std::string text;

    static consteval auto isorow_table() { return isorow::table("labels").schema("live_derived").primary_key<&Label::id>(); }
};

std::string text_of(std::string const& name, std::int64_t price) { return name + " for " + std::to_string(price); }

void main_component(isorow::scope root, isorow::source<Item> const& items) {
    auto const labels = root.target<Label>();
    // To wake its readers is the default, but for servers that take prepared transactions, which cannot hold a NOTIFY.
    isorow::changelog const prompt{.notification = {.wakes = true}};
    root.mount_each("item", items, prompt, isorow::version{1},
                    [=](isorow::scope here, Item const& item) { labels.row(here, {item.id, text_of(item.name, item.price)}); });
}

/// Writes, and returns how long each write took to be seen, from the answer to its commit.
std::vector<double> write(isorow::pool& db, int writes) {
    std::vector<double> milliseconds;
    isorow::lease const connection{db};
    for (int i = 0; i < writes; ++i) {
        auto const id = i % 1000 + 1;
        auto const price = 1000 + i;
        isorow::execute(*connection, "update live_source.items set price = $2 where id = $1", id, price);
        auto const committed = clock_type::now();
        auto const seen = [&] {
            return isorow::scalar<bool>(*connection, "select text like '% for ' || $2 from live_derived.labels where id = $1", id,
                                        std::to_string(price));
        };
        while (!seen() && clock_type::now() - committed < std::chrono::seconds(20)) std::this_thread::yield();
        milliseconds.push_back(std::chrono::duration<double, std::milli>(clock_type::now() - committed).count());
    }
    std::sort(milliseconds.begin(), milliseconds.end());
    return milliseconds;
}

int main(int count, char** arguments) {
    int const writes = count > 1 ? std::atoi(arguments[1]) : 200;
    isorow::pool db{std::getenv("DATABASE_URL"), {.max_size = 8}};
    isorow::execute_script(*db.acquire(),
                           "drop schema if exists live_source cascade; create schema live_source; create schema if not exists live_derived;"
                           "create table live_source.items (id bigint primary key, name text not null, price bigint not null);"
                           "insert into live_source.items select g, 'item ' || g, g from generate_series(1, 1000) g",
                           isorow::limits::within(std::chrono::seconds(10)));
    isorow::source<Item> const items{db};
    isorow::app app{isorow::register_db("main_db", db), "live_catalogue"};

    std::stop_source stop;
    std::atomic<bool> has_begun = false;
    std::vector<double> milliseconds;
    std::jthread writer([&] {
        while (!has_begun && !stop.stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        if (!stop.stop_requested()) milliseconds = write(db, writes);
        stop.request_stop();
    });
    try {
        app.follow([&](isorow::scope root) { main_component(std::move(root), items); },
                   {.run = {.stop = stop.get_token()}, .on_commit = [&](isorow::report const&) { has_begun = true; }});
    } catch (...) {
        stop.request_stop();
        throw;
    }
    writer.join();

    auto const at = [&](double share) {
        return milliseconds[static_cast<std::size_t>(share * static_cast<double>(milliseconds.size() - 1))];
    };
    std::cout << writes << " writes were seen after " << at(0.5) << " ms at the median, " << at(0.99) << " ms at the 99th percentile, "
              << milliseconds.back() << " ms at the most\n";
    auto const differ = isorow::scalar<std::int64_t>(
        db,
        "select count(*) from live_source.items i full join live_derived.labels l using (id) where l.text is distinct from i.name || ' "
        "for ' || i.price");
    std::cout << differ << " rows differ\n";
    return differ == 0 ? 0 : 1;
}
