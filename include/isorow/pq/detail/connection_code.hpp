#pragma once

#include <isorow/pq/connection.hpp>

namespace isorow::inline v1 {

ISOROW_DECL connection::connection(std::string_view dsn, connection_options options, isorow::limits const& limits)
    : connection(std::make_shared<detail::conninfo const>(detail::to_conninfo({.dsn = std::string(dsn)})), std::move(options), limits) {}

ISOROW_DECL connection::connection(connection_parameters const& where, connection_options options, isorow::limits const& limits)
    : connection(std::make_shared<detail::conninfo const>(detail::to_conninfo(where)), std::move(options), limits) {}

ISOROW_DECL connection::connection(std::shared_ptr<detail::conninfo const> where, connection_options options, isorow::limits const& limits)
    : options_(std::move(options)), where_(std::move(where)), statements_(options_.prepare_threshold, options_.prepared_max) {
    connect(limits);
}

ISOROW_DECL connection::connection(connection&& other) noexcept
    : options_(std::move(other.options_)),
      handle_(std::exchange(other.handle_, nullptr)),
      borrowed_(other.borrowed_),
      broken_(other.broken_),
      depth_(other.depth_),
      where_(std::move(other.where_)),
      forks_(other.forks_),
      pooled_(other.pooled_),
      was_read_in_chunks_(other.was_read_in_chunks_),
      types_(std::move(other.types_)),
      statements_(std::move(other.statements_)),
      plans_(other.plans_),
      kept_(std::move(other.kept_)) {
    statements_.forget_plans();
    if (handle_ != nullptr) listen_to_notices();
}

ISOROW_DECL void connection::abandon() noexcept {
    try {
        auto const end = std::chrono::steady_clock::now() + detail::time_to_end;
        for (;;) {
            if (!is_open()) return give_up();
            detail::cancel(handle_, limits{end, {}});
            try {
                if (!drain(limits{std::min(end, std::chrono::steady_clock::now() + std::chrono::milliseconds(100)), {}})) give_up();
                return;
            } catch (timed_out const&) {
                if (std::chrono::steady_clock::now() >= end) return give_up();
            }
        }
    } catch (std::exception const&) {
        give_up();
    }
}

ISOROW_DECL void connection::raise(result const& failed, std::string_view sql) {
    auto fields = detail::diagnostics_of(failed.native_handle(), sql);
    if (PQstatus(handle_) != CONNECTION_OK) {
        if (fields.sqlstate.empty()) throw connection_lost(text("the connection to {} was lost: {}", endpoint(), fields.message));
    }
    throw_server_error(std::move(fields));
}

ISOROW_DECL std::string connection::endpoint() const {
    if (handle_ == nullptr) return "(closed)";
    return text("{}:{}/{}", detail::or_empty(PQhost(handle_)), detail::or_empty(PQport(handle_)), detail::or_empty(PQdb(handle_)));
}

ISOROW_DECL connection::connection(PGconn* lender, connection_options options)
    : options_(std::move(options)), handle_(lender), statements_(options_.prepare_threshold, options_.prepared_max) {
    if (handle_ == nullptr || PQstatus(handle_) != CONNECTION_OK) {
        handle_ = nullptr;
        throw usage_error("the borrowed connection is not connected");
    }
    std::string_view const encoding = parameter_status("client_encoding");
    if (encoding != "UTF8") {
        auto const found = std::string(encoding);
        handle_ = nullptr;
        throw usage_error(text("the borrowed connection's client_encoding is {}; isorow needs UTF8", found));
    }
    borrowed_ = lender_state{PQisnonblocking(handle_), nullptr, nullptr};
    borrowed_->receiver = PQsetNoticeReceiver(handle_, nullptr, nullptr);
    start();
}

ISOROW_DECL void connection::connect(isorow::limits const& limits) {
    auto const begun = std::chrono::steady_clock::now();
    auto info = *where_;
    if (info.get("service").empty()) detail::add_defaults(info);
    detail::add_settings(info);
    if (options_.secure) detail::make_secure(info);
    if (options_.credentials) {
        auto given = options_.credentials();
        if (!given.user.empty()) info.set("user", std::move(given.user));
        info.set("password", std::move(given.password));
    }
    try {
        connect_to_any(info, limits);
    } catch (...) {
        if (options_.observer) observe_connect(begun, detail::name_of(std::current_exception()));
        throw;
    }
    start();
    if (options_.observer) observe_connect(begun, {});
    warn_of_unverified();
}

ISOROW_DECL void connection::connect_to_any(detail::conninfo info, isorow::limits const& limits) {
    auto entries = detail::endpoint_entries(info);
    detail::order(entries, info.get("load_balance_hosts"));
    info.set("load_balance_hosts", "");
    std::string failures;
    bool only_late = true;
    auto const try_all = [&] {
        for (auto const& entry : entries) {
            try {
                connect_to_one(info, entry, limits);
                return true;
            } catch (timed_out const& late) {
                if (std::chrono::steady_clock::now() >= limits.deadline) throw;
                failures += text("{}{}", failures.empty() ? "" : "; ", late.what());
            } catch (connection_error const& failure) {
                only_late = false;
                failures += text("{}could not connect to {}:{}: {}", failures.empty() ? "" : "; ",
                                 entry.host.empty() ? entry.hostaddr.empty() ? "the default socket" : entry.hostaddr : entry.host,
                                 entry.port.empty() ? "5432" : entry.port, failure.what());
            }
        }
        return false;
    };
    if (info.get("target_session_attrs") == "prefer-standby") {
        info.set("target_session_attrs", "standby");
        if (try_all()) return;
        failures.clear();
        info.set("target_session_attrs", "any");
    }
    if (try_all()) return;
    if (only_late) throw timed_out(failures);
    if (auto const cure = detail::cure_of(failures); !cure.empty()) failures += text(" ({})", cure);
    throw connection_error(failures);
}

ISOROW_DECL void connection::connect_to_one(detail::conninfo const& info, detail::endpoint_entry const& entry,
                                            isorow::limits const& limits) {
    isorow::limits const own{std::min(limits.deadline, isorow::limits::within(connect_timeout(info)).deadline), limits.stop};
    auto const list = detail::attempts(info, entry, options_.resolve, own);
    for (std::size_t i = 0; i < list.size(); ++i) {
        try {
            return connect_as(list[i], own);
        } catch (connection_error const&) {
            if (i + 1 == list.size()) throw;
        }
    }
}

ISOROW_DECL std::chrono::milliseconds connection::connect_timeout(detail::conninfo const& info) const {
    if (options_.connect_timeout) return *options_.connect_timeout;
    auto const said = info.get("connect_timeout");
    if (said.empty()) return std::chrono::seconds(10);
    auto const seconds = detail::number_in("connect_timeout", said, 0, 1'000'000);
    return seconds == 0 ? std::chrono::milliseconds(std::chrono::hours(1)) : std::chrono::seconds(seconds);  // libpq: 0 is for ever
}

ISOROW_DECL void connection::connect_as(detail::conninfo const& info, isorow::limits const& limits) {
    handle_ = PQconnectStartParams(info.keywords().data(), info.values().data(), 0);
    auto const reason = errno;  // libpq has no words for what happened before there was a socket
    if (handle_ == nullptr) throw std::bad_alloc();
    listen_to_notices();
    try {
        auto status = PQstatus(handle_) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
        bool begun = false;
        drive(
            [&] {
                if (std::exchange(begun, true)) status = PQconnectPoll(handle_);
                if (status == PGRES_POLLING_READING) return interest::read;
                return status == PGRES_POLLING_WRITING ? interest::write : interest::none;
            },
            [&] { return PQsocket(handle_); }, limits, text("connecting to {}", info.endpoint()));
        if (status == PGRES_POLLING_FAILED) {
            auto const message = detail::one_line(PQerrorMessage(handle_));
            throw connection_error(message.empty() ? std::generic_category().message(reason) : message);
        }
    } catch (...) {
        PQfinish(std::exchange(handle_, nullptr));
        throw;
    }
}

ISOROW_DECL void connection::observe_connect(std::chrono::steady_clock::time_point begun, std::string const& failure) const {
    operation_event event{.name = "CONNECT", .duration = std::chrono::steady_clock::now() - begun, .error = failure};
    auto const host = where_->get("host");
    auto const port = where_->get("port");
    auto const database = where_->get("dbname");
    event.server_address = handle_ == nullptr ? std::string_view(host) : detail::or_empty(PQhost(handle_));
    event.server_port = handle_ == nullptr ? std::string_view(port) : detail::or_empty(PQport(handle_));
    event.database = handle_ == nullptr ? std::string_view(database) : detail::or_empty(PQdb(handle_));
    options_.observer->on_connect(event);
}

ISOROW_DECL void connection::warn_of_unverified() {
    auto const host = detail::or_empty(PQhost(handle_));
    auto const address = detail::or_empty(PQhostaddr(handle_));
    bool const local = host.empty() || host.front() == '/' || host.front() == '@' || host == "localhost" || address.starts_with("127.") ||
                       address == "::1";
    if (local || where_->get("sslmode") == "verify-full" || options_.secure) return;
    warn("WARNING", text("the connection to {} does not verify its server: sslmode=verify-full does", endpoint()));
}

ISOROW_DECL connection connection::borrow(PGconn* lender, connection_options options) {
    connection borrower(lender, std::move(options));
    return borrower;
}

ISOROW_DECL connection& connection::operator=(connection&& other) noexcept {
    if (this != &other) {
        close();
        std::destroy_at(this);
        std::construct_at(this, std::move(other));
    }
    return *this;
}

ISOROW_DECL connection::~connection() { close(); }

ISOROW_DECL std::string_view connection::parameter_status(char const* name) const noexcept {
    auto const* const value = handle_ == nullptr ? nullptr : PQparameterStatus(handle_, name);
    return value == nullptr ? std::string_view{} : std::string_view(value);
}

ISOROW_DECL void connection::close() noexcept {
    if (handle_ == nullptr) return;
    if (is_forked()) {
        // The parent goes on using it: PQfinish would tell the server goodbye in its name, so that the memory is left instead.
        ::close(PQsocket(handle_));
    } else if (borrowed_) {
        PQsetnonblocking(handle_, borrowed_->nonblocking);
        PQsetNoticeReceiver(handle_, borrowed_->receiver, borrowed_->argument);
    } else {
        PQfinish(handle_);
    }
    handle_ = nullptr;
}

ISOROW_DECL std::optional<notification> connection::take_notification() {
    keep_notifications();
    if (kept_.empty()) return std::nullopt;
    auto first = std::move(kept_.front());
    kept_.pop_front();
    return first;
}

ISOROW_DECL void connection::keep_notifications() {
    while (auto* const received = handle_ == nullptr ? nullptr : PQnotifies(handle_)) {
        kept_.push_back({received->relname, received->extra, received->be_pid});
        PQfreemem(received);
    }
}

ISOROW_DECL bool connection::take_in() {
    if (PQconsumeInput(handle_) == 0) return false;
    keep_notifications();
    if (PQstatus(handle_) != CONNECTION_OK) return false;
    char next = 0;
    return ::recv(PQsocket(handle_), &next, 1, MSG_PEEK | MSG_DONTWAIT) != 0;
}

ISOROW_DECL bool connection::require_ready() const {
    if (!is_open()) throw connection_error("the connection is closed");
    if (is_forked()) throw usage_error("the process was forked: a child makes connections of its own, it must not use its parent's");
    auto const status = PQtransactionStatus(handle_);
    if (PQpipelineStatus(handle_) != PQ_PIPELINE_OFF || status == PQTRANS_ACTIVE)
        throw usage_error("the connection is busy: a statement, a COPY or a stream of rows is still under way");
    return status != PQTRANS_IDLE;
}

ISOROW_DECL PGresult* connection::receive(isorow::limits const& limits, std::string_view doing) {
    bool waited = false;
    wait([&] { return result_step(waited); }, limits, doing);
    return PQgetResult(handle_);
}

ISOROW_DECL bool connection::drain(isorow::limits const& limits) {
    for (;;) {
        bool waited = false;
        drive([&] { return result_step(waited); }, [&] { return PQsocket(handle_); }, limits, "ending a statement");
        result const ended(PQgetResult(handle_));
        if (ended.native_handle() == nullptr) break;
        if (ended.status() == PGRES_COPY_IN && PQputCopyEnd(handle_, "given up by the client") < 0) return false;
        if (ended.status() == PGRES_COPY_OUT && !skip_copy_out(limits)) return false;
    }
    return is_open() && PQtransactionStatus(handle_) != PQTRANS_ACTIVE;
}

ISOROW_DECL void connection::start() {
    pooled_ = options_.pooler == isorow::pooler::transaction;
    PQsetnonblocking(handle_, 1);
    listen_to_notices();
}

ISOROW_DECL void connection::receive_notice(void* self, PGresult const* notice) {
    auto& own = *static_cast<connection*>(self);
    ++own.notices_;
    if (own.options_.on_notice || own.options_.observer) own.tell(detail::diagnostics_of(notice, {}));
}

ISOROW_DECL void connection::tell(diagnostics const& notice) const {
    if (options_.on_notice) options_.on_notice(notice);
    if (options_.observer) options_.observer->on_notice(notice);
}

ISOROW_DECL interest connection::result_step(bool& waited) {
    // A connection that broke is told by PQgetResult.
    if (std::exchange(waited, true) && PQconsumeInput(handle_) == 0) return interest::none;
    if (PQisBusy(handle_) == 0) return interest::none;
    auto const unsent = PQflush(handle_);
    return unsent == 1 ? interest::read_or_write : interest::read;
}

ISOROW_DECL bool connection::skip_copy_out(isorow::limits const& limits) {
    for (;;) {
        char* row = nullptr;
        int size = 0;
        drive(
            [&] {
                size = PQgetCopyData(handle_, &row, 1);
                if (size != 0) return interest::none;
                if (PQconsumeInput(handle_) == 0) {
                    size = -2;
                    return interest::none;
                }
                size = PQgetCopyData(handle_, &row, 1);
                return size == 0 ? interest::read : interest::none;
            },
            [&] { return PQsocket(handle_); }, limits, "ending a COPY");
        PQfreemem(row);
        if (size < 0) return size == -1;
    }
}

ISOROW_DECL void connection::warn(std::string_view severity, std::string message) const {
    if (!options_.on_notice && !options_.observer) return;
    diagnostics notice;
    notice.severity = severity;
    notice.message = std::move(message);
    tell(notice);
}

}  // namespace isorow::inline v1
