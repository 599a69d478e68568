#pragma once

/// @file
/// What a careful engineer writes on libpq by hand.

#include "narrow.hpp"

#include <bit>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>

#include <libpq-fe.h>

namespace by_hand {

using owned_connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;
using owned_result = std::unique_ptr<PGresult, decltype(&PQclear)>;

[[nodiscard]] inline owned_connection connect(std::string const& dsn) {
    owned_connection connection(PQconnectdb(dsn.c_str()), &PQfinish);
    if (PQstatus(connection.get()) != CONNECTION_OK) throw std::runtime_error(PQerrorMessage(connection.get()));
    return connection;
}

[[noreturn]] inline void fail(PGconn* connection) { throw std::runtime_error(PQerrorMessage(connection)); }

inline void expect(PGconn* connection, PGresult* result, ExecStatusType status) {
    owned_result const owner(result, &PQclear);
    if (PQresultStatus(result) != status) fail(connection);
}

inline void put16(char*& place, std::uint16_t value) {
    value = __builtin_bswap16(value);
    std::memcpy(place, &value, sizeof value);
    place += sizeof value;
}
inline void put32(char*& place, std::uint32_t value) {
    value = __builtin_bswap32(value);
    std::memcpy(place, &value, sizeof value);
    place += sizeof value;
}
inline void put64(char*& place, std::uint64_t value) {
    value = __builtin_bswap64(value);
    std::memcpy(place, &value, sizeof value);
    place += sizeof value;
}
[[nodiscard]] inline std::uint16_t get16(char const* place) {
    std::uint16_t value;
    std::memcpy(&value, place, sizeof value);
    return __builtin_bswap16(value);
}
[[nodiscard]] inline std::uint32_t get32(char const* place) {
    std::uint32_t value;
    std::memcpy(&value, place, sizeof value);
    return __builtin_bswap32(value);
}
[[nodiscard]] inline std::uint64_t get64(char const* place) {
    std::uint64_t value;
    std::memcpy(&value, place, sizeof value);
    return __builtin_bswap64(value);
}

/// A row of the narrow table. `field(value)` goes to the next column, sets `value` to its bytes and returns their number.
template <class Field>
[[nodiscard]] Narrow narrow_row(Field const& field) {
    char const* value = nullptr;
    Narrow row;
    if (field(value) != 8) throw std::runtime_error("no bigint");
    row.id = static_cast<std::int64_t>(get64(value));
    auto const length = field(value);
    row.name.assign(value, length);
    if (field(value) != 8) throw std::runtime_error("no double");
    row.value = std::bit_cast<double>(get64(value));
    if (field(value) != 8) throw std::runtime_error("no timestamp");
    row.at = decltype(row.at)(std::chrono::microseconds(static_cast<std::int64_t>(get64(value)) + postgres_epoch_microseconds));
    return row;
}

}  // namespace by_hand
