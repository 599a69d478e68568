#pragma once

#include <isorow/query/query.hpp>

#include <string_view>

namespace isorow::inline v1 {

/// Sends a notification to who listens to a channel: when the transaction commits, or at once outside of one. `payload`: less than 8000
/// bytes. Throws `usage_error` for a longer one or a channel's name of more than 63 bytes.
inline void notify(database_ref const& where, std::string_view channel, std::string_view payload = {}) {
    if (channel.empty() || channel.size() > 63) throw usage_error(text("a channel's name has 1 to 63 bytes, not {}", channel.size()));
    if (payload.size() >= 8000) throw usage_error(text("a notification's payload has less than 8000 bytes, not {}", payload.size()));
    execute(where, "SELECT pg_catalog.pg_notify($1, $2)", channel, payload);
}

}  // namespace isorow::inline v1
