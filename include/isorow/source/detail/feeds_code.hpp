#pragma once

#include <isorow/source/detail/changelog_feed.hpp>
#include <isorow/source/detail/feeds.hpp>
#include <isorow/source/detail/listening_feed.hpp>
#include <isorow/source/detail/polling_feed.hpp>
#include <isorow/source/detail/replication_feed.hpp>

#include <memory>
#include <utility>

namespace isorow::inline v1::detail {

ISOROW_DECL std::unique_ptr<event_feed> make_feed(pool& where, followed_table table, changelog const& how, feed_options options) {
    return std::make_unique<changelog_feed>(where, std::move(table), how, std::move(options));
}

ISOROW_DECL std::unique_ptr<event_feed> make_feed(pool& where, followed_table table, polling const& how, feed_options options) {
    return std::make_unique<polling_feed>(where, std::move(table), how, std::move(options));
}

ISOROW_DECL std::unique_ptr<event_feed> make_feed(pool& where, followed_table table, replication const& how, feed_options options) {
    return std::make_unique<replication_feed>(where, std::move(table), how, std::move(options));
}

ISOROW_DECL std::unique_ptr<event_feed> make_feed(pool& where, followed_table table, listening const& how, feed_options options) {
    return std::make_unique<listening_feed>(where, std::move(table), how, std::move(options));
}

}  // namespace isorow::inline v1::detail
