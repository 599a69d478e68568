#pragma once

#include <isorow/config.hpp>
#include <isorow/query/query.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace isorow::inline v1::detail {

/// A setting of the server that has another value until it is restored, or the transaction ends.
class local_setting {
public:
    local_setting(connection& connection, limits const& limits, std::string name, std::string_view value);
    local_setting(local_setting const&) = delete;
    local_setting& operator=(local_setting const&) = delete;
    ~local_setting() = default;

    /// For what follows in the same transaction.
    void restore() { set(former_); }

private:
    void set(std::string_view value);

    database_ref where_;
    std::string name_;
    std::string former_{};
};

#if ISOROW_HAS_CODE

ISOROW_DECL local_setting::local_setting(connection& connection, limits const& limits, std::string name, std::string_view value)
    : where_(connection, limits), name_(std::move(name)) {
    former_ = query_one<std::string>(where_, "SELECT pg_catalog.current_setting($1)", name_);
    set(value);
}

ISOROW_DECL void local_setting::set(std::string_view value) {
    static_cast<void>(query_one<std::string>(where_, "SELECT pg_catalog.set_config($1, $2, true)", name_, value));
}

#endif

}  // namespace isorow::inline v1::detail
