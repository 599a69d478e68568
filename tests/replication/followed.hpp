#pragma once

/// @file
/// A database with a table that is followed by a slot of its own.

#include <catch2/catch_test_macros.hpp>

#include <isorow/isorow.hpp>
#include <support/faults.hpp>
#include <support/server.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace test {

struct Item {
    std::int64_t id = 0;
    std::optional<std::string> name{};
    double price = 0;

    static consteval auto isorow_table() { return isorow::table("items").primary_key<&Item::id>(); }
    friend bool operator==(Item const&, Item const&) = default;
};

inline constexpr auto items_ddl = "CREATE TABLE items (id bigint PRIMARY KEY, name text, price float8 NOT NULL)";

[[nodiscard]] inline isorow::limits soon() { return isorow::limits::within(std::chrono::seconds(120)); }

/// Copies of the events up to the end of so many transactions. Throws where nothing comes.
template <class T>
std::vector<isorow::change<T>> take(isorow::changes<T>& stream, int transactions = 1) {
    std::vector<isorow::change<T>> taken;
    while (transactions > 0) {
        auto const* const event = stream.next(soon());
        if (event == nullptr) throw std::runtime_error("nothing came");
        taken.push_back(*event);
        if (event->kind == isorow::change_kind::commit) --transactions;
    }
    return taken;
}

template <class T>
std::vector<isorow::change_kind> kinds(std::vector<isorow::change<T>> const& events) {
    std::vector<isorow::change_kind> all;
    for (auto const& event : events) all.push_back(event.kind);
    return all;
}

/// The rows of inserts.
template <class T>
std::vector<T> inserted(std::vector<isorow::change<T>> const& events) {
    std::vector<T> rows;
    for (auto const& event : events)
        if (event.kind == isorow::change_kind::insert) rows.push_back(event.row);
    return rows;
}

inline std::vector<std::int64_t> inserted_ids(std::vector<isorow::change<Item>> const& events) {
    std::vector<std::int64_t> ids;
    for (auto const& row : inserted(events)) ids.push_back(row.id);
    return ids;
}

/// Drops a slot at the end of a test, where it is there. Stands behind the slot's database, which cannot go before it.
class slot_guard {
public:
    explicit slot_guard(std::string slot) : slot_(std::move(slot)) {}
    slot_guard(slot_guard const&) = delete;
    slot_guard& operator=(slot_guard const&) = delete;
    ~slot_guard() {
        try {
            isorow::connection db(test::dsn());
            isorow::drop_slot(db, slot_, {.missing_ok = true});
        } catch (std::exception const& failure) {
            WARN(failure.what());
        }
    }

private:
    std::string slot_;
};

/// A database with T's table, a publication `p` of it and a slot, which goes at the end.
template <class T = Item>
struct followed {
    std::string slot;
    test::database database{};
    std::string dsn = database.dsn();
    slot_guard guard{slot};

    explicit followed(std::string name, std::string const& ddl = items_ddl, isorow::publication_options const& publication = {})
        : slot(std::move(name)) {
        database.sql(ddl);
        isorow::connection db(dsn);
        isorow::create_publication<T>(db, "p", publication);
        static_cast<void>(isorow::create_slot(dsn, slot));
    }

    std::string sql(std::string const& statement) const { return database.sql(statement); }

    [[nodiscard]] isorow::changes_options options() const { return {.slot = slot, .publication = "p"}; }
    [[nodiscard]] isorow::changes<T> changes() const { return isorow::changes<T>(dsn, options()); }
    template <class Set>
    [[nodiscard]] isorow::changes<T> changes(Set&& set) const {
        auto own = options();
        set(own);
        return isorow::changes<T>(dsn, own);
    }

    [[nodiscard]] isorow::slot_status status() const {
        isorow::connection db(dsn);
        return isorow::find_slot(db, slot).value();
    }
};

}  // namespace test
