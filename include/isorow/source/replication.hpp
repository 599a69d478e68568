#pragma once

#include <string>

namespace isorow::inline v1 {

/// Follow by the server's own log: nothing is added to the table, and writers pay nothing. Needs `wal_level = logical`, and a role with
/// REPLICATION that may publish the table (its owner, with CREATE on the database), unless slot and publication are there already. The slot
/// has the server keep its log for the consumer, whether it reads or not: forget a consumer by `drop_slot` and `drop_publication`, too.
///
/// A slot that was given up by the server, or is gone, has all rows be read again.
struct replication {
    std::string slot{};         ///< made where it is not there; empty: named after the consumer
    std::string publication{};  ///< likewise
    bool streaming = false;     ///< whether large transactions are sent while they are under way: see `changes_options::streaming`
};

}  // namespace isorow::inline v1
