#pragma once

/// @file
/// What the tests of changelogs and positions share: a table of items that is followed.

#include <isorow/source/follow.hpp>
#include <support/followed_copy.hpp>
#include <support/pooled_database.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace test {

struct Item {
    std::int64_t id;
    std::int32_t amount;

    static consteval auto isorow_table() { return isorow::table("items").primary_key<&Item::id>(); }
    friend bool operator==(Item const&, Item const&) = default;
};

inline isorow::changelog const by_changelog{.notification = {.channel = "items"}, .interval = std::chrono::milliseconds(20)};

struct followed_items : pooled_database {
    isorow::source<Item> source{pool};

    followed_items() { run("CREATE TABLE items (id bigint PRIMARY KEY, amount int NOT NULL)"); }

    /// By the name `store`, where the options say no other.
    [[nodiscard]] isorow::followed<Item> follow(isorow::follow_options options = {}) {
        if (options.consumer.empty()) options.consumer = "store";
        return isorow::follow(source, by_changelog, std::move(options));
    }
    /// What a copy has to be.
    [[nodiscard]] std::map<std::int64_t, Item> table() const { return rows_by_key(source); }
    [[nodiscard]] std::string changelog_size() const { return database.sql("SELECT count(*) FROM isorow.items_log"); }
};

}  // namespace test
