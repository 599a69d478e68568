#pragma once

#include <isorow/codec/type_oids.hpp>
#include <isorow/config.hpp>
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

/// The OIDs that this database gave to the types of extensions and to the user's own. Found once and kept; what was not found is asked for
/// again, so that `CREATE EXTENSION` is noticed. Thread-safe; shared by the connections of a pool.
class type_registry final : public type_oids {
public:
    /// Tells this database's registry from all others of the process.
    [[nodiscard]] std::uint64_t id() const noexcept { return id_; }

    /// The OID of a type by its name in `pg_type`, where it is known already.
    [[nodiscard]] std::optional<oid> oid_of(std::string_view name) const { return find(name, &oids::type); }
    [[nodiscard]] std::optional<oid> array_oid_of(std::string_view name) const { return find(name, &oids::array); }

    /// The OID of any type, where it is known already; nothing where it has to be learned first.
    [[nodiscard]] std::optional<oid> known_oid_of(column_type const& type) const;

    /// The same. Throws `usage_error` where it is not known.
    [[nodiscard]] oid oid_of(column_type const& type) const override;

    /// The OID of any type, asked for on the connection where it is not known, and with it those of the types that stand within its values.
    /// Throws `usage_error` that says what to create where the database does not have a type.
    oid learn(connection& connection, column_type const& type, limits const& limits);

    /// Forgets a type, and those that stand within its values: what was learned of one that was made in a transaction which is rolled back.
    void forget(column_type const& type);

    /// The OID of an extension's type, asked for on the connection where it is not known. Throws `usage_error` that says which extension
    /// to create where the database does not have the type.
    oid learn(connection& connection, std::string_view name, limits const& limits);

    /// The name of any type, asked for on the connection, which must be free. Nothing where that fails.
    [[nodiscard]] std::optional<std::string> name_of(connection& connection, oid type) const;

    /// Counts how often statements that were prepared became stale; each connection compares it with what it saw last.
    [[nodiscard]] std::uint64_t plans() const noexcept { return plans_.load(std::memory_order_relaxed); }
    void forget_plans() noexcept { plans_.fetch_add(1, std::memory_order_relaxed); }

    /// Whether a pooler stands before the server, once that is found out.
    [[nodiscard]] std::optional<bool> pooled() const;
    void set_pooled(bool pooled);

    /// What the endpoint can do, where it was asked or told already.
    [[nodiscard]] std::shared_ptr<capabilities const> known_capabilities() const;
    void set_capabilities(std::shared_ptr<capabilities const> found);

    /// True for the first who asks: what is told once for all connections of a pool.
    [[nodiscard]] bool first_to_tell() noexcept { return !told_.exchange(true, std::memory_order_relaxed); }

    /// Looks the types of pgvector up on a connection that is at rest, and finds out whether a pooler stands between, in one statement.
    void look_around(connection& connection, limits const& limits);

private:
    struct oids {
        oid type = 0;
        oid array = 0;
    };

    [[nodiscard]] std::optional<oid> find(std::string_view name, oid oids::* which) const;

    /// Under what a type is kept: an extension's under its name, one of the user's with its schema, both quoted.
    [[nodiscard]] static std::string key_of(column_type const& type);

    /// Asks for the type of the user's that has no entry.
    void ask_for(connection& connection, user_type const& type, limits const& limits);

    [[nodiscard]] static std::uint64_t next_id() noexcept;

    std::uint64_t const id_ = next_id();
    std::atomic<std::uint64_t> plans_{0};
    std::atomic<bool> told_{false};
    std::optional<bool> pooled_;
    std::shared_ptr<capabilities const> capabilities_;
    mutable std::mutex mutex_;
    std::map<std::string, oids, std::less<>> entries_;
};

#if ISOROW_HAS_CODE

ISOROW_DECL std::optional<oid> type_registry::known_oid_of(column_type const& type) const {
    if (type.oid() != 0) return type.oid();
    return find(key_of(type), type.array ? &oids::array : &oids::type);
}

ISOROW_DECL oid type_registry::oid_of(column_type const& type) const {
    if (auto const known = known_oid_of(type)) return *known;
    throw usage_error(text("the OID of the type {} has not been asked of the database", to_sql(type)));
}

ISOROW_DECL void type_registry::forget(column_type const& type) {
    if (type.user != nullptr)
        for (auto const& attribute : type.user->attributes) forget(attribute.type);
    if (type.oid() != 0) return;
    std::lock_guard const lock(mutex_);
    entries_.erase(key_of(type));
}

ISOROW_DECL std::optional<bool> type_registry::pooled() const {
    std::lock_guard const lock(mutex_);
    return pooled_;
}

ISOROW_DECL void type_registry::set_pooled(bool pooled) {
    std::lock_guard const lock(mutex_);
    pooled_ = pooled;
}

ISOROW_DECL std::shared_ptr<capabilities const> type_registry::known_capabilities() const {
    std::lock_guard const lock(mutex_);
    return capabilities_;
}

ISOROW_DECL void type_registry::set_capabilities(std::shared_ptr<capabilities const> found) {
    std::lock_guard const lock(mutex_);
    capabilities_ = std::move(found);
}

ISOROW_DECL std::optional<oid> type_registry::find(std::string_view name, oid oids::* which) const {
    std::lock_guard const lock(mutex_);
    auto const found = entries_.find(name);
    if (found == entries_.end()) return std::nullopt;
    return found->second.*which;
}

ISOROW_DECL std::string type_registry::key_of(column_type const& type) {
    return type.user == nullptr ? std::string(entry_of(type.id).catalog_name) : quote_identifier(type.user->schema, type.user->name);
}

ISOROW_DECL std::uint64_t type_registry::next_id() noexcept {
    static std::atomic<std::uint64_t> last{0};
    return ++last;
}

#endif

}  // namespace isorow::inline v1
