#pragma once

/// @file
/// Host names are resolved here and not in libpq, whose `PQconnectStart` blocks in the resolver whatever its timeout says.

#include <isorow/config.hpp>
#include <isorow/error/connection_error.hpp>
#include <isorow/pq/wait.hpp>

#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

namespace isorow::inline v1 {

/// Turns a host's name into its addresses in their numeric form; nothing where the name is not known. May block; is called on a thread of
/// its own, which outlives the caller's deadline.
using resolver = std::function<std::vector<std::string>(std::string const& host)>;

/// The system's resolver, by getaddrinfo.
[[nodiscard]] std::vector<std::string> resolve_by_system(std::string const& host);

namespace detail {

/// A socket's directory, an abstract socket's name, or an address in numbers: nothing to resolve.
[[nodiscard]] bool needs_resolving(std::string const& host);

/// Runs the resolver on a thread of its own and waits no longer than the limits allow; the thread then ends by itself.
[[nodiscard]] std::vector<std::string> resolve_within(resolver const& resolve, std::string const& host, limits const& limits);

}  // namespace detail

#if ISOROW_HAS_CODE

ISOROW_DECL std::vector<std::string> resolve_by_system(std::string const& host) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    std::vector<std::string> addresses;
    if (::getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return addresses;
    std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> const owner(found, &::freeaddrinfo);
    for (auto const* entry = found; entry != nullptr; entry = entry->ai_next) {
        char numeric[NI_MAXHOST];
        if (::getnameinfo(entry->ai_addr, entry->ai_addrlen, numeric, sizeof numeric, nullptr, 0, NI_NUMERICHOST) == 0)
            addresses.emplace_back(numeric);
    }
    return addresses;
}

namespace detail {

ISOROW_DECL bool needs_resolving(std::string const& host) {
    if (host.empty() || host.front() == '/' || host.front() == '@') return false;
    unsigned char address[sizeof(in6_addr)];
    return ::inet_pton(AF_INET, host.c_str(), address) != 1 && ::inet_pton(AF_INET6, host.c_str(), address) != 1;
}

ISOROW_DECL std::vector<std::string> resolve_within(resolver const& resolve, std::string const& host, limits const& limits) {
    struct answer {
        waker arrived;
        std::atomic<bool> done{false};
        std::vector<std::string> addresses;
        std::exception_ptr failure;
    };
    auto const shared = std::make_shared<answer>();
    std::thread([shared, resolve, host] {
        try {
            shared->addresses = resolve(host);
        } catch (...) {
            shared->failure = std::current_exception();
        }
        shared->done = true;
        shared->arrived.wake();
    }).detach();
    auto const doing = text("resolving the name of the host {}", host);
    while (!shared->done) wait_for_socket(shared->arrived.descriptor(), interest::read, limits, doing);
    if (shared->failure) std::rethrow_exception(shared->failure);
    return std::move(shared->addresses);
}

}  // namespace detail

#endif

}  // namespace isorow::inline v1
