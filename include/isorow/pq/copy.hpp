#pragma once

/// @file
/// COPY as streams of bytes.

#include <isorow/codec/bytes.hpp>
#include <isorow/pq/statement.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <poll.h>
#include <sys/socket.h>

namespace isorow::inline v1 {

namespace detail {

/// Sends a COPY and waits for the server to agree to it.
inline void begin_copy(connection& connection, std::string const& sql, ExecStatusType direction, limits const& limits) {
    connection.require_ready();
    // By the simple protocol: the extended one has a Sync under way, and a COPY that fails before it reads would answer that one, too.
    require_no_session_state(connection, sql);
    require_sent(connection, PQsendQuery(connection.native_handle(), sql.c_str()));
    result const agreed(connection.receive(limits, "beginning a COPY"));
    if (agreed.status() == direction) return;
    bool const failed = agreed.status() == PGRES_FATAL_ERROR || agreed.native_handle() == nullptr;
    if (PQstatus(connection.native_handle()) == CONNECTION_OK) {
        if (failed) static_cast<void>(connection.drain(limits::within(std::chrono::seconds(2))));
        else connection.abandon();
    }
    if (failed) connection.raise(agreed, sql);
    throw usage_error(text("this is not a COPY in the direction that was asked for: {}", sql));
}

/// What the bytes that wait on a connection's socket are.
enum class ahead : std::uint8_t { error, no_error, unknown };

/// Looks at the messages that wait to be read, without reading them: type and length, which counts itself. Source: the manual, "Message
/// Formats". What is encrypted, or begins in the midst of a message, is unknown.
[[nodiscard]] inline ahead look_ahead(PGconn* handle) noexcept {
    if (PQsslInUse(handle) != 0 || PQgssEncInUse(handle) != 0) return ahead::unknown;
    std::byte waiting[16 * 1024];
    auto const size = ::recv(PQsocket(handle), waiting, sizeof waiting, MSG_PEEK | MSG_DONTWAIT);
    for (std::ptrdiff_t at = 0; at < size;) {
        if (size - at < 5) return ahead::unknown;
        auto const type = static_cast<char>(waiting[at]);
        std::uint32_t length = 0;
        for (int i = 1; i <= 4; ++i) length = length << 8 | static_cast<std::uint32_t>(waiting[at + i]);
        bool const is_known = type == 'E' || type == 'N' || type == 'S' || type == 'A';
        if (!is_known || length < 4 || length >= (1U << 24)) return ahead::unknown;
        if (type == 'E') return ahead::error;
        at += 1 + static_cast<std::ptrdiff_t>(length);
        if (at > size) return ahead::unknown;
    }
    return size > 0 ? ahead::no_error : ahead::unknown;
}

/// Takes in the results behind a COPY's data. Returns the number of rows, or throws the first error.
[[nodiscard]] inline std::int64_t end_copy(connection& connection, std::string_view sql, limits const& limits) {
    return collect(connection, sql, limits).affected_rows();
}

/// A COPY is told to the observer as a whole: here only where it was refused.
inline void begin_observed_copy(connection& connection, std::string const& sql, ExecStatusType direction, limits const& limits) {
    auto const begun = std::chrono::steady_clock::now();
    try {
        begin_copy(connection, sql, direction, limits);
    } catch (...) {
        auto const& watching = connection.options().observer;
        auto const failure = watching ? name_of(std::current_exception()) : std::string{};
        if (watching) tell(connection, &observer::on_copy, {.name = "COPY", .sql = sql, .error = failure}, begun);
        throw;
    }
}
inline std::int64_t end_observed_copy(connection& connection, std::string_view sql, limits const& limits,
                                      std::chrono::steady_clock::time_point begun) {
    return observed(
        connection, &observer::on_copy, [&] { return operation_event{.name = "COPY", .sql = sql}; },
        [&] { return end_copy(connection, sql, limits); }, begun);
}

}  // namespace detail

/// Sends data to `COPY … FROM STDIN`. Data gather in a buffer and go out in puts of about 64 KiB, each flushed whole before the next, as
/// libpq would otherwise move what is left at each partial send. An error of the server is noticed between puts. Without `finish` the COPY
/// fails on the server, and nothing of it stays. Keeps its connection busy; the connection must outlive it. Not thread-safe.
class copy_in {
public:
    /// How many bytes gather before they are sent.
    static constexpr std::size_t put_size = std::size_t{64} * 1024;

    /// Begins the COPY. `limits` hold for the whole of it; without, each put has the connection's own.
    copy_in(connection& connection, std::string_view sql, std::optional<limits> limits = {})
        : connection_(&connection), sql_(detail::checked_sql(sql)), limits_(std::move(limits)) {
        detail::begin_observed_copy(connection, sql_, PGRES_COPY_IN, now());
        buffer_.reserve(put_size + put_size / 8);
    }
    copy_in(copy_in&& other) noexcept
        : connection_(std::exchange(other.connection_, nullptr)),
          sql_(std::move(other.sql_)),
          limits_(std::move(other.limits_)),
          begun_(other.begun_),
          buffer_(std::move(other.buffer_)) {}
    copy_in& operator=(copy_in&&) = delete;
    ~copy_in() {
        if (connection_ != nullptr) give_up();
    }

    /// Where the next data are appended; call `flush_if_full` after each row.
    [[nodiscard]] byte_writer& buffer() noexcept { return buffer_; }
    void flush_if_full() {
        if (buffer_.size() >= put_size) [[unlikely]]
            flush();
    }

    /// Appends data and sends what has gathered where that is enough. Throws the server's error where it has refused earlier data.
    void write(std::span<std::byte const> data) {
        while (!data.empty()) {
            auto const part = data.first(std::min(data.size(), put_size));
            buffer_.put_bytes(part);
            data = data.subspan(part.size());
            flush_if_full();
        }
    }

    /// Sends what has gathered.
    void flush() {
        require_open();
        auto const bytes = buffer_.bytes();
        for (std::size_t sent = 0; sent < bytes.size(); sent += put_size) put(bytes.subspan(sent, std::min(put_size, bytes.size() - sent)));
        buffer_.clear();
    }

    /// Ends the COPY. Returns the number of rows that the server took; throws its error where it refused them.
    std::int64_t finish() {
        flush();
        end(nullptr);
        auto& connection = *std::exchange(connection_, nullptr);
        return detail::end_observed_copy(connection, sql_, now_of(connection), begun_);
    }

private:
    /// How long the next part of a notice may take.
    static constexpr std::chrono::milliseconds rest_of_notice{500};

    void require_open() const {
        if (connection_ == nullptr) throw usage_error("this COPY has ended");
    }
    [[nodiscard]] limits now() const { return now_of(*connection_); }
    [[nodiscard]] limits now_of(connection const& connection) const { return limits_ ? *limits_ : connection.default_limits(); }

    /// Waits until the socket takes data, gives libpq the part and sends it whole. A socket that is writable has room for a put, so that
    /// libpq seldom has a rest to move. The server speaks during a COPY only to refuse it, or with a notice.
    void put(std::span<std::byte const> part) {
        auto* const handle = connection_->native_handle();
        auto const limits = now();
        bool refused = false;
        bool given = false;
        try {
            drive(
                [&] {
                    refused = spoke();
                    if (!refused && !given && is_writable()) {
                        given = true;
                        refused = PQputCopyData(handle, reinterpret_cast<char const*>(part.data()), static_cast<int>(part.size())) < 0;
                    }
                    if (refused) return interest::none;
                    auto const unsent = PQflush(handle);
                    refused = unsent < 0;
                    return !refused && (unsent == 1 || !given) ? interest::read_or_write : interest::none;
                },
                [&] { return PQsocket(handle); }, limits, "sending rows to COPY");
        } catch (...) {
            std::exchange(connection_, nullptr)->abandon();
            throw;
        }
        if (refused) fail();
    }

    [[nodiscard]] bool is_ready(short events, std::chrono::milliseconds wait = {}) const {
        pollfd socket{PQsocket(connection_->native_handle()), events, 0};
        return ::poll(&socket, 1, static_cast<int>(wait.count())) > 0;
    }
    [[nodiscard]] bool is_writable() const { return is_ready(POLLOUT); }

    /// Reads what has come, and gives notices to the connection. Returns false where the connection broke.
    [[nodiscard]] bool take_notices() {
        auto* const handle = connection_->native_handle();
        if (PQconsumeInput(handle) == 0) return false;
        static_cast<void>(PQisBusy(handle));  // reads messages; notifications stay for whoever waits for them
        return true;
    }

    /// Whether the server has refused the data. It speaks during a COPY to do that, or with a notice. libpq keeps the error to itself until
    /// the COPY is ended, so it is told by its bytes: by their type where they can be seen, else by a read that completes no notice. Such a
    /// read may be a part of a long notice, but then the rest follows at once, and nothing follows an error.
    [[nodiscard]] bool spoke() {
        while (is_ready(POLLIN)) {
            auto seen = detail::look_ahead(connection_->native_handle());
            if (seen == detail::ahead::no_error) {
                // An error often follows a notice at once. Read together with it, unseen, it would be hidden in libpq.
                std::this_thread::sleep_for(std::chrono::microseconds(300));
                seen = detail::look_ahead(connection_->native_handle());
            }
            auto const before = connection_->notices();
            if (!take_notices() || seen == detail::ahead::error) return true;
            if (seen == detail::ahead::no_error || connection_->notices() != before || is_ready(POLLIN, rest_of_notice)) continue;
            if (!take_notices() || connection_->notices() == before) return true;  // TLS may hold a rest that the socket does not show
        }
        return false;
    }

    void end(char const* failure) {
        if (PQputCopyEnd(connection_->native_handle(), failure) < 0 && failure == nullptr) return fail();
    }

    /// The server's reason for refusing the data.
    void fail() {
        auto& connection = *std::exchange(connection_, nullptr);
        static_cast<void>(PQputCopyEnd(connection.native_handle(), "the client noticed that the COPY had failed"));
        static_cast<void>(detail::end_observed_copy(connection, sql_, now_of(connection), begun_));
        throw connection_lost(text("COPY ended early, in: {}", sql_));
    }

    void give_up() noexcept {
        auto& connection = *std::exchange(connection_, nullptr);
        try {
            if (connection.is_open() && PQputCopyEnd(connection.native_handle(), "given up by the client") >= 0 &&
                connection.drain(limits::within(std::chrono::seconds(2))))
                return;
            connection.close();
        } catch (error const&) {
            connection.close();
        }
    }

    connection* connection_;
    std::string sql_;
    std::optional<limits> limits_;
    std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
    byte_writer buffer_;
};

/// Receives the data of `COPY … TO STDOUT`, one message at a time: in binary and text format one row each, the first in binary with the
/// header before it. Leaving early cancels the COPY. Keeps its connection busy; the connection must outlive it. Not thread-safe.
class copy_out {
public:
    /// Begins the COPY. `limits` hold for the whole of it; without, each `next` has the connection's own, and `stop` ends its waits.
    copy_out(connection& connection, std::string_view sql, std::optional<limits> limits = {}, std::stop_token stop = {})
        : connection_(&connection), sql_(detail::checked_sql(sql)), limits_(std::move(limits)), stop_(std::move(stop)) {
        detail::begin_observed_copy(connection, sql_, PGRES_COPY_OUT, now(connection));
    }
    copy_out(copy_out&& other) noexcept
        : connection_(std::exchange(other.connection_, nullptr)),
          sql_(std::move(other.sql_)),
          limits_(std::move(other.limits_)),
          stop_(std::move(other.stop_)),
          begun_(other.begun_),
          row_(std::exchange(other.row_, nullptr)) {}
    copy_out& operator=(copy_out&&) = delete;
    ~copy_out() {
        PQfreemem(row_);
        if (connection_ != nullptr) connection_->abandon();
    }

    /// The next message, valid until the next call; at the end a span whose `data()` is null.
    [[nodiscard]] std::span<std::byte const> next() {
        if (row_ != nullptr) PQfreemem(std::exchange(row_, nullptr));
        if (connection_ == nullptr) [[unlikely]]
            return {};
        auto const get = [this] { return PQgetCopyData(connection_->native_handle(), &row_, 1); };
        int size = get();
        if (size <= 0) [[unlikely]]
            size = wait_or_end(size, get);
        return {reinterpret_cast<std::byte const*>(row_), static_cast<std::size_t>(size)};
    }

    /// Copies the next message, or what of it has room, straight to where the caller wants it, which saves the memory that `next` gets and
    /// frees for each message. Returns the number of bytes, 0 at the end. Where that is all the room, more of the message may come at the
    /// next call; not mixed with `next`.
    [[nodiscard]] ISOROW_ALWAYS_INLINE std::size_t read(std::span<std::byte> room) {
        if (connection_ == nullptr) [[unlikely]]
            return 0;
        auto const get = [this, place = reinterpret_cast<char*>(room.data()),
                          size = static_cast<int>(std::min(room.size(), longest_value))] {
            return PQgetlineAsync(connection_->native_handle(), place, size);
        };
        int size = get();
        if (size <= 0) [[unlikely]]
            size = wait_or_end(size, get);
        return static_cast<std::size_t>(size);
    }

private:
    [[nodiscard]] limits now(connection const& connection) const { return detail::limits_of_step(connection, limits_, stop_); }

    /// Waits for the next message where there is none yet, and takes in the end of the COPY: 0 then.
    template <class Get>
    int wait_or_end(int size, Get const& get) {
        if (size == 0) size = wait_for_data(get);
        if (size > 0) return size;
        auto& connection = *std::exchange(connection_, nullptr);
        static_cast<void>(detail::end_observed_copy(connection, sql_, now(connection), begun_));
        if (size < -1) throw connection_lost(text("COPY ended early, in: {}", sql_));
        return 0;
    }

    template <class Get>
    int wait_for_data(Get const& get) {
        auto* const handle = connection_->native_handle();
        int size = 0;
        bool waited = false;
        try {
            connection_->wait(
                [&] {
                    if (std::exchange(waited, true) && PQconsumeInput(handle) == 0) {
                        size = -2;
                        return interest::none;
                    }
                    size = get();
                    return size == 0 ? interest::read : interest::none;
                },
                now(*connection_), "waiting for rows of COPY");
        } catch (...) {
            connection_ = nullptr;
            throw;
        }
        return size;
    }

    connection* connection_;
    std::string sql_;
    std::optional<limits> limits_;
    std::stop_token stop_;
    std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
    char* row_ = nullptr;  ///< libpq's, freed at the next message
};

}  // namespace isorow::inline v1
