#pragma once

#include <isorow/pq/connection.hpp>
#include <isorow/pq/pool.hpp>

#include <memory>
#include <string>
#include <utility>

namespace isorow::inline v1 {

/// Where connections for replication go: to where a pool's go, or a DSN's. Keeps the parameters and refers to nothing: the pool may go.
///
/// Replication needs the server itself: a pooler that stands before it does not pass replication on.
class replication_endpoint {
public:
    replication_endpoint(pool& beside)  // NOLINT(google-explicit-constructor)
        : where_(beside.parameters()), options_(beside.options().connection), types_(beside.types()) {}
    replication_endpoint(std::string const& dsn, connection_options options = {})  // NOLINT(google-explicit-constructor)
        : replication_endpoint(connection_parameters{.dsn = dsn}, std::move(options)) {}
    replication_endpoint(char const* dsn, connection_options options = {})  // NOLINT(google-explicit-constructor)
        : replication_endpoint(std::string(dsn), std::move(options)) {}
    replication_endpoint(connection_parameters const& where, connection_options options = {})  // NOLINT(google-explicit-constructor)
        : where_(std::make_shared<detail::conninfo const>(detail::to_conninfo(where))),
          options_(std::move(options)),
          types_(std::make_shared<type_registry>()) {}

    /// An ordinary connection to the same place. Throws what connecting throws.
    [[nodiscard]] connection connect(limits const& limits) const {
        connection made(where_, options_, limits);
        made.share_types(types_);
        return made;
    }

    /// A connection on which replication commands can be run, and SQL by the simple protocol alone.
    [[nodiscard]] connection connect_for_replication(limits const& limits) const {
        auto parameters = *where_;
        parameters.set("replication", "database");
        connection made(std::make_shared<detail::conninfo const>(std::move(parameters)), options_, limits);
        made.share_types(types_);
        return made;
    }

    /// What each call may take that is given no limits of its own.
    [[nodiscard]] limits default_limits() const { return limits::within(options_.timeout); }

private:
    std::shared_ptr<detail::conninfo const> where_;
    connection_options options_;
    std::shared_ptr<type_registry> types_;
};

}  // namespace isorow::inline v1
