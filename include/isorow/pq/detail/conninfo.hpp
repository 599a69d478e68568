#pragma once

/// @file
/// Connection strings and parameters: read, checked, completed and taken apart into the endpoints that are tried one after another.

#include <isorow/config.hpp>
#include <isorow/error/connection_error.hpp>
#include <isorow/error/suggest.hpp>
#include <isorow/error/text.hpp>
#include <isorow/pq/connection_parameters.hpp>
#include <isorow/pq/detail/chance.hpp>
#include <isorow/pq/resolve.hpp>

#include <array>
#include <cstdint>
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
[[nodiscard]] std::string one_line(std::string_view message);

[[nodiscard]] std::vector<std::string> split(std::string_view list);

/// Connection parameters as libpq names them.
class conninfo {
public:
    [[nodiscard]] std::string get(std::string_view key) const;
    void set(std::string_view key, std::string value);
    void set_default(std::string_view key, std::string_view value);
    [[nodiscard]] std::vector<char const*> keywords() const;
    [[nodiscard]] std::vector<char const*> values() const;
    [[nodiscard]] std::vector<std::pair<std::string, std::string>> const& entries() const noexcept { return entries_; }

    /// Host and port, for messages.
    [[nodiscard]] std::string endpoint() const;

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

/// The keywords that this libpq knows.
[[nodiscard]] std::vector<std::string> known_keywords();

/// The keywords that a connection string seems to use, read without its values, which may be secret: those behind `?` and `&` of a URI, and
/// words right before `=` of pairs.
[[nodiscard]] std::vector<std::string> keywords_used(std::string_view dsn);

void require_keyword(std::string_view keyword, std::vector<std::string> const& known);

/// What a connection string says. libpq's message about one that cannot be read may repeat parts of it, the password too, so it is not
/// shown.
[[nodiscard]] conninfo parse_conninfo(std::string_view dsn);

/// The values that a keyword may have.
struct allowed_values {
    std::string_view keyword;
    std::array<std::string_view, 6> values;
};
inline constexpr allowed_values value_lists[] = {
    {"sslmode", {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}},
    {"target_session_attrs", {"any", "read-write", "read-only", "primary", "standby", "prefer-standby"}},
    {"load_balance_hosts", {"disable", "random"}},
    {"channel_binding", {"disable", "prefer", "require"}},
    {"gssencmode", {"disable", "prefer", "require"}},
};

std::int64_t number_in(std::string_view keyword, std::string_view value, std::int64_t least, std::int64_t most);

/// Throws `usage_error` for a value that libpq would refuse at the first connection.
void require_valid(conninfo const& info);

/// The parameters as libpq's keywords, checked.
[[nodiscard]] conninfo to_conninfo(connection_parameters const& given);

/// Host, port and the rest where neither the DSN nor hostaddr says them: libpq's environment, PGSERVICE included.
void add_defaults(conninfo& info);

/// isorow's own settings, where nothing else is said. A peer that is gone is noticed within half a minute: libpq's own default never
/// notices it while it waits.
void add_settings(conninfo& info);

/// Demands a verified server, an encrypted connection bound to it, and no authentication that gives the password away.
void make_secure(conninfo& info);

/// A host's entry of a list: what one attempt to connect is made with.
struct endpoint_entry {
    std::string host;
    std::string hostaddr;
    std::string port;
};

[[nodiscard]] std::vector<endpoint_entry> endpoint_entries(conninfo const& info);

/// The order in which hosts are tried: as given, or shuffled where the load is to be balanced.
void order(std::vector<endpoint_entry>& entries, std::string_view load_balance_hosts);

/// The parameters of attempts at one endpoint, its name resolved: one for each address.
[[nodiscard]] std::vector<conninfo> attempts(conninfo const& info, endpoint_entry const& entry, resolver const& resolve,
                                             limits const& limits);

/// What helps where libpq's or the server's words tell a known trouble.
[[nodiscard]] std::string_view cure_of(std::string_view message);

}  // namespace isorow::inline v1::detail

#if ISOROW_HAS_CODE
#include <isorow/pq/detail/conninfo_code.hpp>
#endif
