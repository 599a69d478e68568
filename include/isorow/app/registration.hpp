#pragma once

#include <isorow/config.hpp>
#include <isorow/error/error.hpp>
#include <isorow/error/text.hpp>
#include <isorow/pq/pool.hpp>
#include <isorow/query/database_ref.hpp>
#include <isorow/types/utf8.hpp>

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace isorow::inline v1 {

namespace detail {

/// The keys that are registered in this process.
class registered_keys {
public:
    [[nodiscard]] static registered_keys& instance() {
        static registered_keys one;
        return one;
    }

    /// Returns whether the key was free.
    [[nodiscard]] bool add(std::string const& key);
    void remove(std::string const& key);

private:
    std::mutex mutex_;
    std::set<std::string> keys_;
};

/// Throws `usage_error` for what cannot be the name of a database or an app.
void check_stable_name(std::string_view name, std::string_view what);

/// A key that is taken for as long as this object lives.
class registration {
public:
    registration(std::string key, isorow::pool& pool);
    registration(registration const&) = delete;
    registration& operator=(registration const&) = delete;
    ~registration() { registered_keys::instance().remove(key_); }

    [[nodiscard]] std::string const& key() const noexcept { return key_; }
    [[nodiscard]] isorow::pool& pool() const noexcept { return *pool_; }

private:
    std::string key_;
    isorow::pool* pool_;
};

}  // namespace detail

/// A database under a stable key, by which isorow recognises it when its address, user or password are others. Made by `register_db`.
/// Move-only; the key is free again when this object, and the apps that were made with it, are gone. All of isorow's calls take it as the
/// place where they run. The pool must outlive it.
class database {
public:
    [[nodiscard]] std::string const& key() const noexcept { return registered_->key(); }
    [[nodiscard]] isorow::pool& pool() const noexcept { return registered_->pool(); }
    operator database_ref() const noexcept { return {registered_->pool()}; }  // NOLINT(google-explicit-constructor): it is one

    database(database&&) noexcept = default;
    database& operator=(database&&) noexcept = default;
    database(database const&) = delete;
    database& operator=(database const&) = delete;
    ~database() = default;

private:
    friend database register_db(std::string key, isorow::pool& pool);
    friend class app;
    explicit database(std::shared_ptr<detail::registration> registered) : registered_(std::move(registered)) {}

    std::shared_ptr<detail::registration> registered_;
};

/// Registers a database under a key: `"main_db"`. Connects to nothing. Throws `usage_error` where the key is registered in this process
/// already.
[[nodiscard]] database register_db(std::string key, isorow::pool& pool);

#if ISOROW_HAS_CODE

namespace detail {

ISOROW_DECL bool registered_keys::add(std::string const& key) {
    std::lock_guard const lock(mutex_);
    return keys_.insert(key).second;
}

ISOROW_DECL void registered_keys::remove(std::string const& key) {
    std::lock_guard const lock(mutex_);
    keys_.erase(key);
}

ISOROW_DECL void check_stable_name(std::string_view name, std::string_view what) {
    if (name.empty()) throw usage_error(text("{} has a name", what));
    if (name.find('\0') != std::string_view::npos || !is_valid_utf8(name))
        throw usage_error(text("{}'s name is not UTF-8, or has a NUL byte", what));
    if (name.size() > 500) throw usage_error(text("{}'s name has at most 500 bytes, not {}", what, name.size()));
}

ISOROW_DECL registration::registration(std::string key, isorow::pool& pool) : key_(std::move(key)), pool_(&pool) {
    check_stable_name(key_, "a database");
    if (!registered_keys::instance().add(key_))
        throw usage_error(
            text("a database is registered as \"{}\" already; a key is free again when the handle, and the apps that were made with it, "
                 "are gone",
                 key_));
}

}  // namespace detail

ISOROW_DECL database register_db(std::string key, isorow::pool& pool) {
    return database(std::make_shared<detail::registration>(std::move(key), pool));
}

#endif

}  // namespace isorow::inline v1
