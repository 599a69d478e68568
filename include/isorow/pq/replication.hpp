#pragma once

/// @file
/// The replication protocol on top of a connection. Sources: the manual, "Streaming Replication Protocol" and "Logical Streaming
/// Replication Protocol".

#include <isorow/codec/pgoutput.hpp>
#include <isorow/config.hpp>
#include <isorow/pq/replication_endpoint.hpp>
#include <isorow/types/lsn.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace isorow::inline v1 {

/// A slot that is to be made. See the manual, "CREATE_REPLICATION_SLOT".
struct slot_request {
    std::string name{};
    bool temporary = false;       ///< dropped when the connection that made it ends
    bool export_snapshot = true;  ///< for reading the tables as they are where the slot begins
    bool failover = false;        ///< kept in step on standbys; needs Postgres 17
    std::string plugin = "pgoutput";
};

/// A slot that was just made.
struct made_slot {
    std::string name{};
    lsn consistent_point{};  ///< where its changes begin
    std::string snapshot{};  ///< for SET TRANSACTION SNAPSHOT, until the connection's next command; empty where none was asked for
};

/// What is to be sent. See the manual, "START_REPLICATION" and "Logical Streaming Replication Parameters".
struct stream_request {
    std::string slot{};
    lsn start{};  ///< transactions that were committed before it are left out; 0: where the slot was confirmed
    std::vector<std::string> publications{};
    bool binary = true;
    bool streaming = false;  ///< transactions under way are sent as well, when they grow large
    bool messages = false;   ///< what `pg_logical_emit_message` was given
    /// How long the server may leave a question unanswered before it counts as lost; zero: for ever.
    std::chrono::milliseconds silence = std::chrono::seconds(60);
};

namespace detail {

/// A stream that the server feeds, kept alive by a thread of its own: the server ends a connection from which it hears nothing for
/// `wal_sender_timeout`, however long the consumer is busy. libpq's handle is used by both threads, one at a time under a mutex; nobody
/// waits for the network while holding it.
class replication_stream {
public:
    /// Begins. The connection is one for replication. Throws the server's errors by their class.
    replication_stream(connection&& link, stream_request const& request, limits const& limits);
    replication_stream(replication_stream const&) = delete;
    replication_stream& operator=(replication_stream const&) = delete;
    ~replication_stream();

    /// The next frame, whose bytes are valid until the next call; nothing when the deadline passes. Keepalives that ask for an answer have
    /// it. Throws `stopped`, after which it may be called again; the server's error where it ends the stream, and `connection_lost`.
    [[nodiscard]] std::optional<pgoutput::frame> receive(limits const& limits);

    /// Tells the server that everything before `place` has been dealt with. Never goes back.
    void confirm(lsn place);
    [[nodiscard]] lsn confirmed() const;

    /// Ends the stream: the last confirmation is sent, and the slot is free when this returns, or the connection is closed.
    void end(limits const& limits) noexcept;

    /// The connection; libpq's handle of it must not be touched.
    [[nodiscard]] isorow::connection const& link() const noexcept { return link_; }
    [[nodiscard]] isorow::connection& link() noexcept { return link_; }

private:
    using clock = std::chrono::steady_clock;

    void begin(limits const& limits);
    void keep_alive(std::stop_token const& stop);
    [[nodiscard]] interest step(int& size);
    [[nodiscard]] std::optional<pgoutput::frame> taken(int size);
    void send_status(bool asks);
    [[noreturn]] void fail(int size);
    void require_answers() const;
    [[nodiscard]] bool take_end(limits const& limits);

    connection link_;
    std::string sql_{};
    std::chrono::milliseconds silence_;
    std::chrono::milliseconds interval_{std::chrono::seconds(10)};
    mutable std::mutex mutex_{};  ///< for libpq's handle and what follows
    std::condition_variable_any wake_{};
    lsn received_{};
    lsn confirmed_{};
    bool unsent_ = false;  ///< a confirmation waits to be sent
    clock::time_point sent_{};
    std::optional<clock::time_point> asked_{};  ///< since when a question is unanswered
    byte_writer status_{};
    int socket_ = -1;
    char* bytes_ = nullptr;  ///< libpq's, freed at the next frame
    bool streams_ = false;
    std::jthread keeper_{};
};

}  // namespace detail

/// A connection for replication: makes and drops slots. Move-only, used by one thread at a time.
class replication_connection {
public:
    /// Throws what connecting throws: the role needs REPLICATION, and pg_hba.conf must let it in.
    explicit replication_connection(replication_endpoint const& where, std::optional<limits> const& limits = {})
        : link_(where.connect_for_replication(limits ? *limits : where.default_limits())) {}

    /// Makes a logical slot. Throws the server's errors by their class: 42710 where there is one of this name.
    [[nodiscard]] made_slot create_slot(slot_request const& request, limits const& limits);
    [[nodiscard]] made_slot create_slot(slot_request const& request) { return create_slot(request, link_.default_limits()); }

    /// Drops a slot. `wait`: until nobody reads from it any more, else it is an error where somebody does.
    void drop_slot(std::string const& name, bool wait, limits const& limits);

    /// The connection, on which SQL runs by the simple protocol; moved out of here it becomes a stream.
    [[nodiscard]] isorow::connection& connection() noexcept { return link_; }

private:
    isorow::connection link_;
};

}  // namespace isorow::inline v1

#if ISOROW_HAS_CODE
#include <isorow/pq/detail/replication_code.hpp>
#endif
