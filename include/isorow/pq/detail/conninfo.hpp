#pragma once

#include <isorow/error/connection_error.hpp>
#include <isorow/error/text.hpp>
#include <isorow/pq/resolve.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <libpq-fe.h>

namespace isorow::inline v1::detail {

[[nodiscard]] inline std::string_view or_empty(char const* text) noexcept {
    return text == nullptr ? std::string_view{} : std::string_view(text);
}

/// libpq ends its messages with line breaks and puts one attempt on each line.
[[nodiscard]] inline std::string one_line(std::string_view message) {
    std::string line(message);
    while (!line.empty() && line.back() == '\n') line.pop_back();
    for (std::size_t place = line.find('\n'); place != std::string::npos; place = line.find('\n')) line.replace(place, 1, "; ");
    return line;
}

[[nodiscard]] inline std::vector<std::string> split(std::string_view list) {
    std::vector<std::string> parts;
    for (std::size_t start = 0;;) {
        auto const comma = list.find(',', start);
        parts.emplace_back(list.substr(start, comma - start));
        if (comma == std::string_view::npos) return parts;
        start = comma + 1;
    }
}

[[nodiscard]] inline std::string joined(std::vector<std::string> const& parts) {
    std::string list;
    for (std::size_t i = 0; i < parts.size(); ++i) list.append(i == 0 ? "" : ",").append(parts[i]);
    return list;
}

/// Connection parameters as libpq names them.
class conninfo {
public:
    [[nodiscard]] std::string get(std::string_view key) const {
        for (auto const& [name, value] : entries_)
            if (name == key) return value;
        return {};
    }
    void set(std::string_view key, std::string value) {
        for (auto& [name, old] : entries_)
            if (name == key) return void(old = std::move(value));
        entries_.emplace_back(key, std::move(value));
    }

    [[nodiscard]] std::vector<char const*> keywords() const {
        return pointers([](auto const& entry) { return entry.first.c_str(); });
    }
    [[nodiscard]] std::vector<char const*> values() const {
        return pointers([](auto const& entry) { return entry.second.c_str(); });
    }

    /// All parameters as one connection string.
    [[nodiscard]] std::string as_dsn() const {
        std::string dsn;
        for (auto const& [name, value] : entries_) {
            dsn.append(name).append("='");
            for (char const character : value) {
                if (character == '\'' || character == '\\') dsn += '\\';
                dsn += character;
            }
            dsn += "' ";
        }
        return dsn;
    }

    /// Host and port as given, for messages.
    [[nodiscard]] std::string endpoints() const {
        auto const host = get("host").empty() ? get("hostaddr") : get("host");
        return text("{}:{}", host.empty() ? std::string("the default socket") : host,
                    get("port").empty() ? std::string("5432") : get("port"));
    }

private:
    template <class Pick>
    [[nodiscard]] std::vector<char const*> pointers(Pick pick) const {
        std::vector<char const*> list;
        list.reserve(entries_.size() + 1);
        for (auto const& entry : entries_) list.push_back(pick(entry));
        list.push_back(nullptr);
        return list;
    }

    std::vector<std::pair<std::string, std::string>> entries_;
};

struct free_conninfo {
    void operator()(PQconninfoOption* options) const noexcept { PQconninfoFree(options); }
};
using owned_conninfo = std::unique_ptr<PQconninfoOption, free_conninfo>;

/// What the DSN says. libpq's message about one that cannot be read may repeat parts of it, the password too, so it is not shown.
[[nodiscard]] inline conninfo parse_conninfo(std::string_view dsn) {
    char* message = nullptr;
    owned_conninfo const parsed(PQconninfoParse(std::string(dsn).c_str(), &message));
    PQfreemem(message);
    if (!parsed)
        throw usage_error(
            "the connection string cannot be read; it is a URI such as postgresql://user@host:5432/database, or pairs such as host=… "
            "dbname=…");
    conninfo info;
    for (auto const* option = parsed.get(); option->keyword != nullptr; ++option)
        if (option->val != nullptr) info.set(option->keyword, option->val);
    return info;
}

/// Host and port where neither the DSN nor hostaddr says them: libpq's environment, PGSERVICE included.
inline void add_defaults(conninfo& info) {
    owned_conninfo const defaults(PQconndefaults());
    if (!defaults) return;
    for (auto const* option = defaults.get(); option->keyword != nullptr; ++option) {
        std::string_view const keyword = option->keyword;
        bool const concerns_names = keyword == "host" || keyword == "hostaddr" || keyword == "port";
        if (concerns_names && option->val != nullptr && *option->val != '\0' && info.get(keyword).empty()) info.set(keyword, option->val);
    }
}

/// Puts the addresses of each host name beside it as `hostaddr`, a host with several addresses several times, with its port.
inline void resolve_hosts(conninfo& info, resolver const& resolve, limits const& limits) {
    auto const hosts = split(info.get("host"));
    if (!info.get("hostaddr").empty() || std::none_of(hosts.begin(), hosts.end(), &needs_resolving)) return;
    auto const ports = split(info.get("port"));
    if (ports.size() > 1 && ports.size() != hosts.size()) return;  // libpq has the words for that
    std::vector<std::string> new_hosts;
    std::vector<std::string> addresses;
    std::vector<std::string> new_ports;
    for (std::size_t i = 0; i < hosts.size(); ++i) {
        std::vector<std::string> found{std::string{}};
        if (needs_resolving(hosts[i])) found = resolve_within(resolve, hosts[i], limits);
        for (auto const& address : found) {
            new_hosts.push_back(hosts[i]);
            addresses.push_back(address.empty() && !hosts[i].empty() && hosts[i].front() != '/' && hosts[i].front() != '@' ? hosts[i]
                                                                                                                           : address);
            new_ports.push_back(ports[ports.size() > 1 ? i : 0]);
        }
    }
    if (new_hosts.empty()) throw connection_error(text("could not connect to {}: the host's name is not known", info.endpoints()));
    info.set("host", joined(new_hosts));
    info.set("hostaddr", joined(addresses));
    if (ports.size() > 1) info.set("port", joined(new_ports));
}

/// The DSN with names resolved and isorow's own settings.
[[nodiscard]] inline conninfo resolved_conninfo(std::string_view dsn, resolver const& resolve, limits const& limits) {
    auto info = parse_conninfo(dsn);
    if (info.get("service").empty()) add_defaults(info);
    resolve_hosts(info, resolve, limits);
    info.set("client_encoding", "UTF8");
    if (info.get("fallback_application_name").empty()) info.set("fallback_application_name", "isorow");
    return info;
}

}  // namespace isorow::inline v1::detail
