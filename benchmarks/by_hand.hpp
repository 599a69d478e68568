#pragma once

/// @file
/// What a careful engineer writes on libpq by hand.

#include "narrow.hpp"

#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

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

/// A COPY IN in binary: big-endian stores into one buffer, a put at 64 KiB. Where the next value goes is the caller's own variable, which
/// the compiler keeps in a register.
class copy_in {
public:
    copy_in(std::string const& dsn, char const* command) : connection_(connect(dsn)) {
        expect(connection_.get(), PQexec(connection_.get(), command), PGRES_COPY_IN);
    }

    [[nodiscard]] char* begin() {
        std::memcpy(buffer_.data(), "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
        return buffer_.data() + 19;
    }
    /// Before a row of so many bytes.
    [[nodiscard]] char* make_room(char* place, std::size_t needed) {
        if (filled(place) + needed <= buffer_.size()) return place;
        place = put(place);
        if (needed > buffer_.size()) {
            buffer_.resize(needed);
            place = buffer_.data();
        }
        return place;
    }
    /// Behind a row.
    [[nodiscard]] char* put_when_full(char* place) { return filled(place) >= full ? put(place) : place; }

    /// Returns how many rows the server has taken.
    std::int64_t finish(char* place) {
        put16(place, 0xffff);
        put(place);
        if (PQputCopyEnd(connection_.get(), nullptr) != 1) fail(connection_.get());
        owned_result const end(PQgetResult(connection_.get()), &PQclear);
        if (PQresultStatus(end.get()) != PGRES_COMMAND_OK) fail(connection_.get());
        return std::stoll(PQcmdTuples(end.get()));
    }

private:
    static constexpr std::size_t full = 64 * 1024;

    [[nodiscard]] std::size_t filled(char const* place) const { return static_cast<std::size_t>(place - buffer_.data()); }
    char* put(char const* place) {
        if (PQputCopyData(connection_.get(), buffer_.data(), static_cast<int>(filled(place))) != 1) fail(connection_.get());
        return buffer_.data();
    }

    owned_connection connection_;
    std::vector<char> buffer_ = std::vector<char>(2 * full);
};

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
