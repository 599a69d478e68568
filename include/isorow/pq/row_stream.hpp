#pragma once

#include <isorow/pq/statement.hpp>

#include <algorithm>
#include <limits>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

namespace isorow::inline v1 {

/// The rows of one statement as they come, in chunks (`connection_options::chunk_rows`), so that the client never holds them all. Keeps its
/// connection busy until the last chunk was taken or the stream is gone; leaving early cancels the statement. The connection must outlive
/// it. Not thread-safe.
class row_stream {
public:
    /// Sends the statement. `limits` hold for the whole stream; without, each `next` has the connection's own, so that a slow consumer
    /// does not run into a deadline, and `stop` ends its waits. `most_rows`: of a chunk, where that is less than the connection's own.
    row_stream(connection& connection, std::string_view sql, parameters const& parameters, std::optional<limits> limits = {},
               std::stop_token stop = {}, int most_rows = std::numeric_limits<int>::max())
        : connection_(&connection), sql_(detail::checked_sql(sql)), limits_(std::move(limits)), stop_(std::move(stop)) {
        detail::send_statement(connection, sql_, parameters);
#if defined(LIBPQ_HAS_CHUNK_MODE)
        auto const set = PQsetChunkedRowsMode(connection.native_handle(), std::clamp(connection.options().chunk_rows, 1, most_rows));
#else
        static_cast<void>(most_rows);
        auto const set = PQsetSingleRowMode(connection.native_handle());
#endif
        connection.was_read_in_chunks() = true;
        if (set != 1) {
            connection.abandon();
            throw usage_error("libpq did not switch to rows in chunks");
        }
    }
    row_stream(row_stream&& other) noexcept
        : connection_(std::exchange(other.connection_, nullptr)),
          sql_(std::move(other.sql_)),
          limits_(std::move(other.limits_)),
          stop_(std::move(other.stop_)) {}
    row_stream& operator=(row_stream&& other) noexcept {
        std::swap(connection_, other.connection_);
        std::swap(sql_, other.sql_);
        std::swap(limits_, other.limits_);
        std::swap(stop_, other.stop_);
        return *this;
    }
    ~row_stream() {
        if (connection_ != nullptr) connection_->abandon();
    }

    /// The next chunk; nothing after the last. The last chunk may be empty: it shows the columns of a result without rows.
    [[nodiscard]] std::optional<result> next() {
        if (connection_ == nullptr) return std::nullopt;
        try {
            result received(connection_->receive(detail::limits_of_step(*connection_, limits_, stop_), "waiting for rows"));
            if (received.native_handle() == nullptr) {
                connection_ = nullptr;
                return std::nullopt;
            }
            if (received.status() == PGRES_FATAL_ERROR || received.status() == PGRES_BAD_RESPONSE) fail(received);
            return received;
        } catch (timed_out const&) {
            connection_ = nullptr;  // abandoned already
            throw;
        } catch (stopped const&) {
            connection_ = nullptr;
            throw;
        }
    }

private:
    [[noreturn]] void fail(result const& failed) {
        auto& connection = *std::exchange(connection_, nullptr);
        if (PQstatus(connection.native_handle()) == CONNECTION_OK)
            static_cast<void>(connection.drain(limits::within(std::chrono::seconds(2))));
        connection.raise(failed, sql_);
    }

    connection* connection_;
    std::string sql_;
    std::optional<limits> limits_;
    std::stop_token stop_;
};

}  // namespace isorow::inline v1
