#pragma once

#include <isorow/source/notification.hpp>

#include <chrono>

namespace isorow::inline v1 {

/// Follow by the table's changelog: triggers write the keys of changed rows to it in the writer's own transaction, and wake the reader.
/// Loses nothing, whatever happens to connections, and needs neither a superuser nor a replication slot. See `notification_options` for
/// what is made in the database, and `create_notification` for the rights that it asks for.
///
/// Partitions are followed, too, also those that are written to by their own names; where one comes or goes, all rows are read again.
/// Triggers, changelog or rights that are taken away are noticed within `interval`, and made again; what was written while they were
/// missing is only missed where they are given back before anybody looks. Not told is what a logical replication subscription writes to
/// the table, as that fires no triggers of statements.
///
/// The changelog is trimmed as its consumers go on. It is kept from the oldest transaction on that is running on the server, in whichever
/// database.
struct changelog {
    notification_options notification{};
    /// How often to look without being woken: notifications may be lost, and behind a pooler, or where the server takes prepared
    /// transactions, there are none.
    std::chrono::milliseconds interval = std::chrono::seconds(1);
};

}  // namespace isorow::inline v1
