#pragma once

#include <isorow/pq/replication.hpp>
#include <isorow/pq/statement.hpp>
#include <isorow/schema/identifier.hpp>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

namespace isorow::inline v1 {

namespace detail {

/// A string of the replication grammar, which knows no backslashes. Source: src/backend/replication/repl_scanner.l.
[[nodiscard]] inline std::string quote_for_replication(std::string_view text) {
    if (text.find('\0') != std::string_view::npos) throw usage_error("the text has a NUL byte");
    std::string quoted = "'";
    for (char const character : text) {
        if (character == '\'') quoted += character;
        quoted += character;
    }
    return quoted += '\'';
}

[[nodiscard]] inline std::string text_of(result const& answer, int column) {
    auto const bytes = answer.value(0, column);
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

[[nodiscard]] inline std::string start_sql(stream_request const& request) {
    std::string names;
    for (auto const& publication : request.publications) names.append(names.empty() ? "" : ",").append(quote_identifier(publication));
    auto sql = text("START_REPLICATION SLOT {} LOGICAL {} (proto_version '{}', publication_names {}", quote_identifier(request.slot),
                    request.start.to_string(), request.streaming ? 2 : 1, quote_for_replication(names));
    if (request.binary) sql += ", binary 'true'";
    if (request.streaming) sql += ", streaming 'on'";
    if (request.messages) sql += ", messages 'true'";
    return sql += ")";
}

ISOROW_DECL replication_stream::replication_stream(connection&& link, stream_request const& request, limits const& limits)
    : link_(std::move(link)), sql_(start_sql(request)), silence_(request.silence), confirmed_(request.start) {
    begin(limits);
    keeper_ = std::jthread([this](std::stop_token const& stop) { keep_alive(stop); });
}

ISOROW_DECL replication_stream::~replication_stream() { end(limits::within(std::chrono::seconds(2))); }

ISOROW_DECL void replication_stream::begin(limits const& limits) {
    auto const setting = execute_script(link_, "SELECT setting FROM pg_catalog.pg_settings WHERE name = 'wal_sender_timeout'", limits);
    auto const digits = setting.rows() > 0 ? text_of(setting, 0) : std::string{};
    std::int64_t timeout = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), timeout);
    if (timeout > 0) interval_ = std::clamp(std::chrono::milliseconds(timeout / 3), std::chrono::milliseconds(10), interval_);
    link_.require_ready();
    require_sent(link_, PQsendQuery(link_.native_handle(), sql_.c_str()));
    result const agreed(link_.receive(limits, "starting replication"));
    if (agreed.status() != PGRES_COPY_BOTH) {
        if (PQstatus(link_.native_handle()) == CONNECTION_OK) static_cast<void>(link_.drain(limits::within(std::chrono::seconds(2))));
        link_.raise(agreed, sql_);
    }
    socket_ = PQsocket(link_.native_handle());
    streams_ = true;
    sent_ = clock::now();
}

/// The server needs an answer within wal_sender_timeout, whether it has asked or not; three come in that time. Each asks the server in
/// turn, so that one that is gone is noticed.
ISOROW_DECL void replication_stream::keep_alive(std::stop_token const& stop) {
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
        auto const due = sent_ + interval_;
        if (clock::now() >= due) send_status(true);
        wake_.wait_until(lock, stop, std::max(due, clock::now() + std::chrono::milliseconds(1)), [] { return false; });
    }
}

/// What cannot be sent at once goes with the next flush; a connection that broke is noticed by who reads.
ISOROW_DECL void replication_stream::send_status(bool asks) {
    status_.clear();
    pgoutput::encode({.received = std::max(received_, confirmed_),
                      .stored = confirmed_,
                      .applied = confirmed_,
                      .sent = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()),
                      .asks_for_answer = asks},
                     status_);
    sent_ = clock::now();
    if (asks && !asked_) asked_ = sent_;
    unsent_ = false;
    auto* const handle = link_.native_handle();
    if (PQputCopyData(handle, reinterpret_cast<char const*>(status_.bytes().data()), static_cast<int>(status_.size())) == 1)
        static_cast<void>(PQflush(handle));
}

ISOROW_DECL void replication_stream::confirm(lsn place) {
    // One answer in ten milliseconds is enough: what is confirmed in between goes when `receive` waits.
    constexpr std::chrono::milliseconds at_least{10};
    std::lock_guard const lock(mutex_);
    if (place <= confirmed_) return;
    confirmed_ = place;
    if (!streams_) return;
    unsent_ = true;
    if (clock::now() - sent_ >= at_least) send_status(false);
}

ISOROW_DECL lsn replication_stream::confirmed() const {
    std::lock_guard const lock(mutex_);
    return confirmed_;
}

/// Takes a frame that is there, or reads what has come. `size`: as of PQgetCopyData.
ISOROW_DECL interest replication_stream::step(int& size) {
    auto* const handle = link_.native_handle();
    size = PQgetCopyData(handle, &bytes_, 1);
    if (size != 0) return interest::none;
    bool const stands = PQconsumeInput(handle) != 0;
    size = PQgetCopyData(handle, &bytes_, 1);  // the server's last words may have come with its end
    if (size == 0 && !stands) size = -2;
    if (size != 0) return interest::none;
    if (unsent_) send_status(false);
    return PQflush(handle) == 1 ? interest::read_or_write : interest::read;
}

ISOROW_DECL std::optional<pgoutput::frame> replication_stream::receive(limits const& limits) {
    for (;;) {
        int size = 0;
        auto what = interest::none;
        auto until = limits.deadline;
        {
            std::lock_guard const lock(mutex_);
            if (!streams_) throw usage_error("this stream of changes has ended");
            if (bytes_ != nullptr) PQfreemem(std::exchange(bytes_, nullptr));
            what = step(size);
            if (size > 0) return taken(size);
            if (size == 0) {
                require_answers();
                if (silence_.count() > 0) until = std::min(until, asked_ ? *asked_ + silence_ : clock::now() + silence_);
            }
        }
        if (size < 0) fail(size);
        auto const ready = wait_until_ready(socket_, what, {until, limits.stop}, "waiting for changes");
        if (ready == interest::none && clock::now() >= limits.deadline) return std::nullopt;
    }
}

ISOROW_DECL std::optional<pgoutput::frame> replication_stream::taken(int size) {
    auto const frame = pgoutput::decode_frame(byte_reader(bytes_, static_cast<std::size_t>(size)));
    asked_.reset();
    if (auto const* const data = std::get_if<pgoutput::wal_data>(&frame)) {
        received_ = std::max({received_, data->start, data->server_end});
    } else {
        auto const& keepalive = std::get<pgoutput::keepalive>(frame);
        received_ = std::max(received_, keepalive.server_end);
        if (keepalive.asks_for_answer) send_status(false);
    }
    return frame;
}

ISOROW_DECL void replication_stream::require_answers() const {
    if (silence_.count() == 0 || !asked_ || clock::now() - *asked_ < silence_) return;
    throw connection_lost(text("the connection to {} was lost: the server has not answered for {} ms", link_.endpoint(), silence_.count()));
}

/// Throws what ended the stream.
ISOROW_DECL void replication_stream::fail(int size) {
    keeper_ = {};  // nobody else uses the handle then
    streams_ = false;
    auto* const handle = link_.native_handle();
    auto const words = one_line(PQerrorMessage(handle));
    if (size == -1) {
        while (auto* const received = link_.receive(limits::within(std::chrono::seconds(2)), "taking in the end of replication")) {
            result const last(received);
            if (last.status() == PGRES_FATAL_ERROR) link_.raise(last, sql_);
            if (PQstatus(handle) != CONNECTION_OK) break;
        }
        throw connection_lost(text("the server at {} ended the stream of changes", link_.endpoint()));
    }
    auto const where = link_.endpoint();
    link_.close();
    throw connection_lost(text("the connection to {} was lost: {}", where, words));
}

/// Reads and drops what comes until the server agrees to the end. Returns false where it does not within the limits.
ISOROW_DECL bool replication_stream::take_end(limits const& limits) {
    int size = 0;
    drive(
        [&] {
            for (;;) {
                if (bytes_ != nullptr) PQfreemem(std::exchange(bytes_, nullptr));
                auto const what = step(size);
                if (size <= 0) return size < 0 ? interest::none : what;
                if (clock::now() >= limits.deadline) return interest::none;
            }
        },
        [&] { return socket_; }, limits, "ending replication");
    return size == -1 && link_.drain(limits);
}

ISOROW_DECL void replication_stream::end(limits const& limits) noexcept {
    try {
        keeper_ = {};
        if (streams_ && link_.is_open()) {
            streams_ = false;
            send_status(false);
            if (PQputCopyEnd(link_.native_handle(), nullptr) == 1) static_cast<void>(take_end(limits));
        }
    } catch (std::exception const&) {  // NOLINT(bugprone-empty-catch)
        // Below: the server notices that the connection is closed.
    }
    streams_ = false;
    if (bytes_ != nullptr) PQfreemem(std::exchange(bytes_, nullptr));
    link_.close();
}

}  // namespace detail

ISOROW_DECL made_slot replication_connection::create_slot(slot_request const& request, limits const& limits) {
    // The older grammar, which all servers take, unless the newer one is needed.
    auto sql = text("CREATE_REPLICATION_SLOT {}{} LOGICAL {} ", quote_identifier(request.name), request.temporary ? " TEMPORARY" : "",
                    quote_identifier(request.plugin));
    if (request.failover) sql += text("(SNAPSHOT '{}', FAILOVER)", request.export_snapshot ? "export" : "nothing");
    else sql += request.export_snapshot ? "EXPORT_SNAPSHOT" : "NOEXPORT_SNAPSHOT";
    auto const answer = execute_script(link_, sql, limits);
    if (answer.rows() != 1 || answer.columns() < 3) throw malformed("the answer to CREATE_REPLICATION_SLOT has no slot");
    return {detail::text_of(answer, 0), lsn::parse(detail::text_of(answer, 1)), detail::text_of(answer, 2)};
}

ISOROW_DECL void replication_connection::drop_slot(std::string const& name, bool wait, limits const& limits) {
    static_cast<void>(execute_script(link_, text("DROP_REPLICATION_SLOT {}{}", quote_identifier(name), wait ? " WAIT" : ""), limits));
}

}  // namespace isorow::inline v1
