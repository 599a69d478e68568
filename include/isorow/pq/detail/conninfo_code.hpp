#pragma once

#include <isorow/pq/detail/conninfo.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

ISOROW_DECL std::string one_line(std::string_view message) {
    std::string line(message);
    while (!line.empty() && line.back() == '\n') line.pop_back();
    for (std::size_t place = line.find('\n'); place != std::string::npos; place = line.find('\n')) line.replace(place, 1, "; ");
    return line;
}

ISOROW_DECL std::vector<std::string> split(std::string_view list) {
    std::vector<std::string> parts;
    for (std::size_t start = 0;;) {
        auto const comma = list.find(',', start);
        parts.emplace_back(list.substr(start, comma - start));
        if (comma == std::string_view::npos) return parts;
        start = comma + 1;
    }
}

ISOROW_DECL std::string conninfo::get(std::string_view key) const {
    for (auto const& [name, value] : entries_)
        if (name == key) return value;
    return {};
}

ISOROW_DECL void conninfo::set(std::string_view key, std::string value) {
    for (auto& [name, old] : entries_)
        if (name == key) return void(old = std::move(value));
    entries_.emplace_back(key, std::move(value));
}

ISOROW_DECL void conninfo::set_default(std::string_view key, std::string_view value) {
    if (get(key).empty()) set(key, std::string(value));
}

ISOROW_DECL std::vector<char const*> conninfo::keywords() const {
    return pointers([](auto const& entry) { return entry.first.c_str(); });
}

ISOROW_DECL std::vector<char const*> conninfo::values() const {
    return pointers([](auto const& entry) { return entry.second.c_str(); });
}

ISOROW_DECL std::string conninfo::endpoint() const {
    auto const host = get("host").empty() ? get("hostaddr") : get("host");
    return text("{}:{}", host.empty() ? std::string("the default socket") : host, get("port").empty() ? std::string("5432") : get("port"));
}

ISOROW_DECL std::vector<std::string> known_keywords() {
    std::vector<std::string> keywords;
    owned_conninfo const known(PQconndefaults());
    if (!known) throw std::bad_alloc();
    for (auto const* option = known.get(); option->keyword != nullptr; ++option) keywords.emplace_back(option->keyword);
    return keywords;
}

ISOROW_DECL std::vector<std::string> keywords_used(std::string_view dsn) {
    std::vector<std::string> used;
    if (dsn.starts_with("postgresql://") || dsn.starts_with("postgres://")) {
        auto const behind_user = dsn.rfind('@');
        auto place = dsn.find('?', behind_user == std::string_view::npos ? 0 : behind_user);
        while (place != std::string_view::npos) {
            auto const rest = dsn.substr(place + 1);
            used.emplace_back(rest.substr(0, rest.find_first_of("=&")));
            auto const next = rest.find('&');
            place = next == std::string_view::npos ? next : place + 1 + next;
        }
        return used;
    }
    if (dsn.find("://") != std::string_view::npos) return used;
    std::string word;
    for (std::size_t i = 0; i < dsn.size(); ++i) {
        if (dsn[i] == ' ') {
            if (i + 1 < dsn.size() && dsn[i + 1] != '=' && dsn[i + 1] != ' ') word.clear();
            continue;
        }
        if (dsn[i] != '=') {
            word += dsn[i];
            continue;
        }
        used.push_back(std::exchange(word, {}));
        // The value: to the next blank, or between quotes.
        while (i + 1 < dsn.size() && dsn[i + 1] == ' ') ++i;
        bool const quoted = i + 1 < dsn.size() && dsn[i + 1] == '\'';
        for (i += quoted ? 2 : 1; i < dsn.size() && dsn[i] != (quoted ? '\'' : ' '); ++i)
            if (dsn[i] == '\\') ++i;
    }
    return used;
}

ISOROW_DECL void require_keyword(std::string_view keyword, std::vector<std::string> const& known) {
    if (std::find(known.begin(), known.end(), keyword) != known.end()) return;
    throw usage_error(text("\"{}\" is no connection parameter{}", keyword, did_you_mean(keyword, known)));
}

ISOROW_DECL conninfo parse_conninfo(std::string_view dsn) {
    char* message = nullptr;
    owned_conninfo const parsed(PQconninfoParse(std::string(dsn).c_str(), &message));
    PQfreemem(message);
    if (!parsed) {
        auto const known = known_keywords();
        // Only what is nearly a keyword is shown: all else may be part of a password.
        for (auto const& keyword : keywords_used(dsn))
            if (!did_you_mean(keyword, known).empty()) require_keyword(keyword, known);
        throw usage_error(
            "the connection string cannot be read; it is a URI such as postgresql://user@host:5432/database, or pairs such as host=… "
            "dbname=…");
    }
    conninfo info;
    for (auto const* option = parsed.get(); option->keyword != nullptr; ++option)
        if (option->val != nullptr) info.set(option->keyword, option->val);
    return info;
}

ISOROW_DECL std::int64_t number_in(std::string_view keyword, std::string_view value, std::int64_t least, std::int64_t most) {
    std::int64_t number = 0;
    auto const end = std::from_chars(value.data(), value.data() + value.size(), number);
    // A value that is no number is not shown: where a password is not escaped in a URI, it may be a part of it.
    if (end.ec != std::errc{} || end.ptr != value.data() + value.size())
        throw usage_error(text("{} is a number from {} to {}, which is not what is given", keyword, least, most));
    if (number < least || number > most) throw usage_error(text("{} is a number from {} to {}, not {}", keyword, least, most, number));
    return number;
}

ISOROW_DECL void require_valid(conninfo const& info) {
    for (auto const& list : value_lists) {
        auto const value = info.get(list.keyword);
        if (value.empty() || std::find(list.values.begin(), list.values.end(), value) != list.values.end()) continue;
        std::string all;
        for (auto const one : list.values)
            if (!one.empty()) all.append(all.empty() ? "" : ", ").append(one);
        throw usage_error(text("{} is one of {}, not \"{}\"{}", list.keyword, all, value, did_you_mean(value, list.values)));
    }
    for (auto const& port : split(info.get("port")))
        if (!port.empty()) number_in("port", port, 1, 65535);
    if (auto const value = info.get("connect_timeout"); !value.empty()) number_in("connect_timeout", value, 0, 1'000'000);
    auto const hosts = split(info.get("host")).size();
    auto const ports = split(info.get("port")).size();
    if (ports > 1 && !info.get("host").empty() && ports != hosts)
        throw usage_error(text("{} ports for {} hosts: give one port, or one for each host", ports, hosts));
    auto const addresses = split(info.get("hostaddr")).size();
    if (!info.get("host").empty() && !info.get("hostaddr").empty() && addresses != hosts)
        throw usage_error(text("{} addresses in hostaddr for {} hosts: give one for each host", addresses, hosts));
}

ISOROW_DECL conninfo to_conninfo(connection_parameters const& given) {
    auto info = parse_conninfo(given.dsn);
    auto const set = [&](std::string_view keyword, std::string const& value) {
        if (!value.empty()) info.set(keyword, value);
    };
    set("host", given.host);
    set("hostaddr", given.hostaddr);
    set("port", given.port.text());
    set("user", given.user);
    set("password", given.password);
    set("dbname", given.dbname);
    set("sslmode", given.sslmode);
    set("sslcert", given.sslcert);
    set("sslkey", given.sslkey);
    set("sslrootcert", given.sslrootcert);
    if (given.connect_timeout) set("connect_timeout", std::to_string(given.connect_timeout->count()));
    set("options", given.options);
    set("application_name", given.application_name);
    set("target_session_attrs", given.target_session_attrs);
    set("load_balance_hosts", given.load_balance_hosts);
    if (!given.more.empty()) {
        auto const known = known_keywords();
        for (auto const& [keyword, value] : given.more) {
            require_keyword(keyword, known);
            set(keyword, value);
        }
    }
    require_valid(info);
    return info;
}

ISOROW_DECL void add_defaults(conninfo& info) {
    owned_conninfo const defaults(PQconndefaults());
    if (!defaults) return;
    for (auto const* option = defaults.get(); option->keyword != nullptr; ++option) {
        std::string_view const keyword = option->keyword;
        bool const concerns_us = keyword == "host" || keyword == "hostaddr" || keyword == "port" || keyword == "connect_timeout" ||
                                 keyword == "target_session_attrs" || keyword == "load_balance_hosts";
        if (concerns_us && option->val != nullptr && *option->val != '\0') info.set_default(keyword, option->val);
    }
}

ISOROW_DECL void add_settings(conninfo& info) {
    info.set("client_encoding", "UTF8");
    info.set_default("fallback_application_name", "isorow");
    info.set_default("keepalives_idle", "10");
    info.set_default("keepalives_interval", "5");
    info.set_default("keepalives_count", "3");
    // Linux goes by it alone where it is set, so that it must not be longer than what the keepalives say.
    auto const number = [&](char const* keyword) { return std::atol(info.get(keyword).c_str()); };
    info.set_default("tcp_user_timeout",
                     std::to_string(1000 * (number("keepalives_idle") + number("keepalives_interval") * number("keepalives_count"))));
}

ISOROW_DECL void make_secure(conninfo& info) {
    auto const demand = [&](std::string_view keyword, std::string_view value) {
        auto const said = info.get(keyword);
        if (!said.empty() && said != value)
            throw usage_error(text("a secure connection has {}={}, but the parameters say {}", keyword, value, said));
        info.set(keyword, std::string(value));
    };
    demand("sslmode", "verify-full");
    demand("channel_binding", "require");
    demand("gssencmode", "disable");
    auto const known = known_keywords();
    if (std::find(known.begin(), known.end(), "require_auth") != known.end()) demand("require_auth", "scram-sha-256");
    info.set_default("ssl_min_protocol_version", "TLSv1.2");
    info.set_default("sslrootcert", "system");
}

ISOROW_DECL std::vector<endpoint_entry> endpoint_entries(conninfo const& info) {
    auto const hosts = split(info.get("host"));
    auto const addresses = split(info.get("hostaddr"));
    auto const ports = split(info.get("port"));
    auto const count = std::max(hosts.size(), addresses.size());
    std::vector<endpoint_entry> entries;
    entries.reserve(count);
    for (std::size_t i = 0; i < count; ++i)
        entries.push_back({i < hosts.size() ? hosts[i] : std::string{}, i < addresses.size() ? addresses[i] : std::string{},
                           ports.size() > 1 && i < ports.size() ? ports[i] : ports.front()});
    return entries;
}

ISOROW_DECL void order(std::vector<endpoint_entry>& entries, std::string_view load_balance_hosts) {
    if (load_balance_hosts != "random") return;
    std::shuffle(entries.begin(), entries.end(), chance());
}

ISOROW_DECL std::vector<conninfo> attempts(conninfo const& info, endpoint_entry const& entry, resolver const& resolve,
                                           limits const& limits) {
    std::vector<std::string> addresses{entry.hostaddr};
    if (entry.hostaddr.empty() && needs_resolving(entry.host)) {
        addresses = resolve_within(resolve, entry.host, limits);
        if (addresses.empty()) throw connection_error("the host's name is not known");
    }
    std::vector<conninfo> list;
    for (auto const& address : addresses) {
        auto one = info;
        one.set("host", entry.host);
        one.set("hostaddr", address);
        one.set("port", entry.port);
        list.push_back(std::move(one));
    }
    return list;
}

ISOROW_DECL std::string_view cure_of(std::string_view message) {
    auto const says = [&](std::string_view part) { return message.find(part) != std::string_view::npos; };
    if (says("no encryption") || says("SSL off")) return "the server asks for TLS: sslmode=require, or verify-full with sslrootcert";
    if (says("does not support SSL")) return "turn ssl on at the server, or say sslmode=prefer where the network is trusted";
    if (says("root certificate file")) return "sslrootcert names the file of the authority that signed the server's certificate";
    if (says("Connection refused") || says("No such file or directory"))
        return "is the server running, and does it listen there (listen_addresses, pg_isready)?";
    return {};
}

}  // namespace isorow::inline v1::detail
