#pragma once

/// @file
/// The feed of each mechanism.

#include <isorow/config.hpp>
#include <isorow/source/changelog.hpp>
#include <isorow/source/detail/event_feed.hpp>
#include <isorow/source/detail/followed_table.hpp>
#include <isorow/source/listening.hpp>
#include <isorow/source/polling.hpp>
#include <isorow/source/replication.hpp>

#include <memory>

namespace isorow::inline v1::detail {

[[nodiscard]] std::unique_ptr<event_feed> make_feed(pool& where, followed_table table, changelog const& how, feed_options options);
[[nodiscard]] std::unique_ptr<event_feed> make_feed(pool& where, followed_table table, polling const& how, feed_options options);
[[nodiscard]] std::unique_ptr<event_feed> make_feed(pool& where, followed_table table, replication const& how, feed_options options);
[[nodiscard]] std::unique_ptr<event_feed> make_feed(pool& where, followed_table table, listening const& how, feed_options options);

}  // namespace isorow::inline v1::detail

#if ISOROW_HAS_CODE
#include <isorow/source/detail/feeds_code.hpp>
#endif
