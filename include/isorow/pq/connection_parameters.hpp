#pragma once

#include <chrono>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

/// A port, or one for each host of a list: `5432`, `"5432,5433"`.
class port_list {
public:
    port_list() = default;
    template <std::integral Number>
    port_list(Number port) : text_(std::to_string(port)) {}             // NOLINT(google-explicit-constructor)
    port_list(char const* ports) : text_(ports) {}                      // NOLINT(google-explicit-constructor)
    port_list(std::string ports) noexcept : text_(std::move(ports)) {}  // NOLINT(google-explicit-constructor)

    [[nodiscard]] std::string const& text() const noexcept { return text_; }

private:
    std::string text_;
};

/// Where a connection goes, in parameters by the names of libpq (the manual, "Parameter Key Words"). What is left empty comes from `dsn`,
/// then from libpq's environment variables and files. Checked when a connection or a pool is made from it: an unknown keyword or value is
/// a `usage_error` that offers the nearest known one.
struct connection_parameters {
    std::string dsn{};       ///< a URI or `key=value` pairs
    std::string host{};      ///< a name, an address, a socket's directory, or a list of them: `"a,b,c"`
    std::string hostaddr{};  ///< addresses in numbers, where names shall not be resolved
    port_list port{};
    std::string user{};
    std::string password{};
    std::string dbname{};
    std::string sslmode{};  ///< disable, allow, prefer, require, verify-ca, verify-full
    std::string sslcert{};
    std::string sslkey{};
    std::string sslrootcert{};
    std::optional<std::chrono::seconds> connect_timeout{};  ///< for each host; 10 s where nothing says otherwise
    std::string options{};                                  ///< settings of the server: `-c statement_timeout=30000`
    std::string application_name{};
    std::string target_session_attrs{};                       ///< any, read-write, read-only, primary, standby, prefer-standby
    std::string load_balance_hosts{};                         ///< disable, random
    std::vector<std::pair<std::string, std::string>> more{};  ///< any other keyword of libpq
};

/// A name and a password, made when a connection is made; an empty name leaves the one that the parameters say.
struct credentials {
    std::string user{};
    std::string password{};
};

}  // namespace isorow::inline v1
