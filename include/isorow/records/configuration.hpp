#pragma once

#include <isorow/error/error.hpp>
#include <isorow/error/suggest.hpp>
#include <isorow/json/value.hpp>
#include <isorow/pq/connection_parameters.hpp>
#include <isorow/pq/pool_options.hpp>
#include <isorow/records/options.hpp>

#include <boost/json/object.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace isorow::inline v1::records {

/// Where a store's database is, how many connections it has, and what its table is called, as configuration files say it.
struct configuration {
    connection_parameters where{};
    std::size_t pool_size = 10;     ///< so many connections are kept ready
    std::size_t max_overflow = 20;  ///< so many more may be made where they are needed
    store_options store{};

    /// Reads an object with the members `host`, `port`, `database`, `user`, `password`, `pool_size`, `max_overflow`, `table`, `schema`,
    /// `sslmode`, `sslrootcert`, `sslcert`, `sslkey`, `connect_timeout` (seconds), `application_name` and `url`; what is left out is as
    /// here, or as libpq's environment says it. Throws `usage_error` for a member that is none, with the nearest that is one, and for one
    /// whose value is of another kind or out of range; never with the value.
    [[nodiscard]] static configuration read(boost::json::object const& from) {
        configuration made;
        for (auto const& member : from) made.set(member.key(), member.value());
        return made;
    }

    [[nodiscard]] pool_options pool() const {
        pool_options options;
        options.min_size = pool_size;
        options.max_size = std::max<std::size_t>(pool_size + max_overflow, 1);
        return options;
    }

private:
    void set(std::string_view name, boost::json::value const& value) {
        static constexpr std::array<std::string_view, 16> names{
            "host",   "port",    "database",    "user",    "password", "pool_size",       "max_overflow",     "table",
            "schema", "sslmode", "sslrootcert", "sslcert", "sslkey",   "connect_timeout", "application_name", "url"};
        if (name == "host") where.host = text_of(name, value);
        else if (name == "port") where.port = port_list(number_of(name, value, 1, 65535));
        else if (name == "database") where.dbname = text_of(name, value);
        else if (name == "user") where.user = text_of(name, value);
        else if (name == "password") where.password = text_of(name, value);
        else if (name == "pool_size") pool_size = number_of(name, value, 0, 10'000);
        else if (name == "max_overflow") max_overflow = number_of(name, value, 0, 10'000);
        else if (name == "table") store.table = text_of(name, value);
        else if (name == "schema") store.schema = text_of(name, value);
        else if (name == "sslmode") where.sslmode = text_of(name, value);
        else if (name == "sslrootcert") where.sslrootcert = text_of(name, value);
        else if (name == "sslcert") where.sslcert = text_of(name, value);
        else if (name == "sslkey") where.sslkey = text_of(name, value);
        else if (name == "connect_timeout") where.connect_timeout = std::chrono::seconds(number_of(name, value, 0, 86'400));
        else if (name == "application_name") where.application_name = text_of(name, value);
        else if (name == "url") where.dsn = text_of(name, value);
        else
            throw usage_error(text("the configuration of a record store has no \"{}\"{}", name, isorow::detail::did_you_mean(name, names)));
    }

    [[nodiscard]] static std::string text_of(std::string_view name, boost::json::value const& value) {
        if (!value.is_string()) throw usage_error(text("\"{}\" in the configuration of a record store is a text", name));
        return std::string(value.get_string());
    }

    [[nodiscard]] static std::size_t number_of(std::string_view name, boost::json::value const& value, std::int64_t least,
                                               std::int64_t greatest) {
        boost::system::error_code failure;
        auto const number = value.is_double() ? least - 1 : value.to_number<std::int64_t>(failure);
        if (failure || number < least || number > greatest)
            throw usage_error(text("\"{}\" in the configuration of a record store is a whole number from {} to {}", name, least, greatest));
        return static_cast<std::size_t>(number);
    }
};

}  // namespace isorow::inline v1::records
