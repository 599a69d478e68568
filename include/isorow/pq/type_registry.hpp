#pragma once

#include <isorow/types/column_type.hpp>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace isorow::inline v1 {

class connection;
struct capabilities;
struct limits;

/// The OIDs that this database gave to the types of extensions. Found once and kept; what was not found is asked for again, so that
/// `CREATE EXTENSION` is noticed. Thread-safe; shared by the connections of a pool.
class type_registry {
public:
    /// Tells this database's registry from all others of the process.
    [[nodiscard]] std::uint64_t id() const noexcept { return id_; }

    /// The OID of a type by its name in `pg_type`, where it is known already.
    [[nodiscard]] std::optional<oid> oid_of(std::string_view name) const { return find(name, &oids::type); }
    [[nodiscard]] std::optional<oid> array_oid_of(std::string_view name) const { return find(name, &oids::array); }

    /// The OID of an extension's type, asked for on the connection where it is not known. Throws `usage_error` that says which extension
    /// to create where the database does not have the type.
    oid learn(connection& connection, std::string_view name, limits const& limits);

    /// The name of any type, asked for on the connection, which must be free. Nothing where that fails.
    [[nodiscard]] std::optional<std::string> name_of(connection& connection, oid type) const;

    /// Counts how often statements that were prepared became stale; each connection compares it with what it saw last.
    [[nodiscard]] std::uint64_t plans() const noexcept { return plans_.load(std::memory_order_relaxed); }
    void forget_plans() noexcept { plans_.fetch_add(1, std::memory_order_relaxed); }

    /// Whether a pooler stands before the server, once that is found out.
    [[nodiscard]] std::optional<bool> pooled() const {
        std::lock_guard const lock(mutex_);
        return pooled_;
    }
    void set_pooled(bool pooled) {
        std::lock_guard const lock(mutex_);
        pooled_ = pooled;
    }

    /// What the endpoint can do, where it was asked or told already.
    [[nodiscard]] std::shared_ptr<capabilities const> known_capabilities() const {
        std::lock_guard const lock(mutex_);
        return capabilities_;
    }
    void set_capabilities(std::shared_ptr<capabilities const> found) {
        std::lock_guard const lock(mutex_);
        capabilities_ = std::move(found);
    }

    /// True for the first who asks: what is told once for all connections of a pool.
    [[nodiscard]] bool first_to_tell() noexcept { return !told_.exchange(true, std::memory_order_relaxed); }

    /// Looks the types of pgvector up on a connection that is at rest, and finds out whether a pooler stands between, in one statement.
    void look_around(connection& connection, limits const& limits);

private:
    struct oids {
        oid type = 0;
        oid array = 0;
    };

    [[nodiscard]] std::optional<oid> find(std::string_view name, oid oids::* which) const {
        std::lock_guard const lock(mutex_);
        auto const found = entries_.find(name);
        if (found == entries_.end()) return std::nullopt;
        return found->second.*which;
    }

    [[nodiscard]] static std::uint64_t next_id() noexcept {
        static std::atomic<std::uint64_t> last{0};
        return ++last;
    }

    std::uint64_t const id_ = next_id();
    std::atomic<std::uint64_t> plans_{0};
    std::atomic<bool> told_{false};
    std::optional<bool> pooled_;
    std::shared_ptr<capabilities const> capabilities_;
    mutable std::mutex mutex_;
    std::map<std::string, oids, std::less<>> entries_;
};

}  // namespace isorow::inline v1
