#pragma once

#include <isorow/error/connection_error.hpp>
#include <isorow/error/server_error.hpp>
#include <isorow/pq/detail/cancel.hpp>
#include <isorow/pq/detail/conninfo.hpp>
#include <isorow/pq/resolve.hpp>
#include <isorow/pq/result.hpp>
#include <isorow/pq/type_registry.hpp>
#include <isorow/pq/wait.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <libpq-fe.h>

namespace isorow::inline v1 {

/// What is said of a connection beside where it goes.
struct connection_options {
    std::chrono::milliseconds connect_timeout = std::chrono::seconds(10);  ///< for names, connecting and authentication together
    std::chrono::milliseconds timeout = std::chrono::minutes(10);          ///< for each later call that is not given limits of its own
    std::function<void(diagnostics const&)> on_notice{};  ///< the server's notices; must not throw. Unset: they are dropped
    isorow::resolver resolve = &resolve_by_system;        ///< how host names become addresses
};

/// A connection to a server. Always non-blocking underneath: each call waits in one place, with a deadline and a stop token.
/// Move-only, used by one thread at a time.
class connection {
public:
    /// Connects. `dsn`: a URI or `key=value` pairs as libpq takes them; what it does not say comes from libpq's environment variables
    /// and files. Throws `connection_error` naming the endpoint, `timed_out`, `stopped`, `usage_error` for a DSN that cannot be read.
    explicit connection(std::string_view dsn = {}, connection_options options = {}, std::stop_token stop = {})
        : options_(std::move(options)) {
        connect(dsn, limits::within(options_.connect_timeout, std::move(stop)));
    }

    /// Uses a connection of the caller's, who keeps it and closes it. Its blocking mode and notice receiver are as before when the borrower
    /// is gone. Throws `usage_error` where it is not connected, or its client_encoding is not UTF8.
    [[nodiscard]] static connection borrow(PGconn* lender, connection_options options = {}) {
        connection borrower(lender, std::move(options));
        return borrower;
    }

    connection(connection&& other) noexcept
        : options_(std::move(other.options_)),
          handle_(std::exchange(other.handle_, nullptr)),
          borrowed_(other.borrowed_),
          broken_(other.broken_),
          depth_(other.depth_),
          types_(std::move(other.types_)) {
        if (handle_ != nullptr) listen_to_notices();
    }
    connection& operator=(connection&& other) noexcept {
        if (this != &other) {
            close();
            std::destroy_at(this);
            std::construct_at(this, std::move(other));
        }
        return *this;
    }
    ~connection() { close(); }

    /// libpq's handle, null once closed. Its state must be as it was when isorow is called again.
    [[nodiscard]] PGconn* native_handle() const noexcept { return handle_; }

    /// Whether statements can be run: connected, and not given up after a failure.
    [[nodiscard]] bool is_open() const noexcept { return handle_ != nullptr && !broken_ && PQstatus(handle_) == CONNECTION_OK; }
    /// Whether it is open, and no transaction and no statement is under way.
    [[nodiscard]] bool is_idle() const noexcept { return is_open() && PQtransactionStatus(handle_) == PQTRANS_IDLE; }
    [[nodiscard]] bool in_transaction() const noexcept {
        auto const status = handle_ == nullptr ? PQTRANS_UNKNOWN : PQtransactionStatus(handle_);
        return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
    }

    [[nodiscard]] int backend_pid() const noexcept { return handle_ == nullptr ? 0 : PQbackendPID(handle_); }
    [[nodiscard]] int server_version() const noexcept { return handle_ == nullptr ? 0 : PQserverVersion(handle_); }
    /// A parameter that the server reports, such as `TimeZone`; empty where it does not.
    [[nodiscard]] std::string_view parameter_status(char const* name) const noexcept {
        auto const* const value = handle_ == nullptr ? nullptr : PQparameterStatus(handle_, name);
        return value == nullptr ? std::string_view{} : std::string_view(value);
    }

    [[nodiscard]] connection_options const& options() const noexcept { return options_; }
    /// The connection's own limits for a call that begins now.
    [[nodiscard]] isorow::limits default_limits() const { return limits::within(options_.timeout); }

    /// What is known of the database's own types; shared by the connections of a pool.
    [[nodiscard]] type_registry& types() noexcept { return *types_; }
    void share_types(std::shared_ptr<type_registry> types) noexcept { types_ = std::move(types); }

    /// Closes; a borrowed connection is given back instead.
    void close() noexcept {
        if (handle_ == nullptr) return;
        if (borrowed_) {
            PQsetnonblocking(handle_, borrowed_->nonblocking);
            PQsetNoticeReceiver(handle_, borrowed_->receiver, borrowed_->argument);
        } else {
            PQfinish(handle_);
        }
        handle_ = nullptr;
    }

    // Steps, for the other files of this folder

    /// Throws `connection_error` where no statement can be run, and `usage_error` where another one is under way.
    void require_ready() const {
        if (!is_open()) throw connection_error("the connection is closed");
        if (PQtransactionStatus(handle_) == PQTRANS_ACTIVE)
            throw usage_error("the connection is busy: a statement, a COPY or a stream of rows is still under way");
    }

    /// The next result of what is under way, null at its end. Throws `timed_out` and `stopped`, having cancelled what was under way.
    [[nodiscard]] PGresult* receive(isorow::limits const& limits, std::string_view doing) {
        bool waited = false;
        wait([&] { return result_step(waited); }, limits, doing);
        return PQgetResult(handle_);
    }

    /// Waits as `step` asks. On a deadline or a stop what is under way is cancelled, and the connection closed unless it is idle then.
    template <class Step>
    void wait(Step&& step, isorow::limits const& limits, std::string_view doing) {
        try {
            drive(step, [&] { return PQsocket(handle_); }, limits, doing);
        } catch (...) {
            abandon();
            throw;
        }
    }

    /// Cancels what is under way and takes in its end, within two seconds; a connection that is not proven idle then is closed.
    void abandon() noexcept {
        try {
            if (!is_open()) return give_up();
            auto const brief = limits::within(std::chrono::seconds(2));
            detail::cancel(handle_, brief);
            if (!drain(brief)) give_up();
        } catch (error const&) {
            give_up();
        }
    }

    /// Takes in the rest of what is under way. Returns whether the connection is usable then.
    bool drain(isorow::limits const& limits) {
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

    /// How deep transactions are nested; kept by `transaction`.
    [[nodiscard]] int& transaction_depth() noexcept { return depth_; }

    /// The error of a failed result, thrown as its class; a connection that broke is `connection_lost`.
    [[noreturn]] void raise(result const& failed, std::string_view sql) {
        auto fields = detail::diagnostics_of(failed.native_handle(), sql);
        if (PQstatus(handle_) != CONNECTION_OK) {
            if (fields.sqlstate.empty()) throw connection_lost(text("the connection to {} was lost: {}", endpoint(), fields.message));
        }
        throw_server_error(std::move(fields));
    }

    /// Where the connection goes: `localhost:5432/shop`.
    [[nodiscard]] std::string endpoint() const {
        if (handle_ == nullptr) return "(closed)";
        return text("{}:{}/{}", detail::or_empty(PQhost(handle_)), detail::or_empty(PQport(handle_)), detail::or_empty(PQdb(handle_)));
    }

private:
    struct lender_state {
        int nonblocking;
        PQnoticeReceiver receiver;
        void* argument;
    };

    connection(PGconn* lender, connection_options options) : options_(std::move(options)), handle_(lender) {
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

    void connect(std::string_view dsn, isorow::limits const& limits) {
        auto const info = detail::resolved_conninfo(dsn, options_.resolve, limits);
        handle_ = PQconnectStartParams(info.keywords().data(), info.values().data(), 0);
        if (handle_ == nullptr) throw std::bad_alloc();
        auto const doing = text("connecting to {}", info.endpoints());
        try {
            auto status = PQstatus(handle_) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
            bool begun = false;
            drive(
                [&] {
                    if (std::exchange(begun, true)) status = PQconnectPoll(handle_);
                    if (status == PGRES_POLLING_READING) return interest::read;
                    return status == PGRES_POLLING_WRITING ? interest::write : interest::none;
                },
                [&] { return PQsocket(handle_); }, limits, doing);
            if (status == PGRES_POLLING_FAILED)
                throw connection_error(text("could not connect to {}: {}", info.endpoints(), detail::one_line(PQerrorMessage(handle_))));
        } catch (...) {
            PQfinish(std::exchange(handle_, nullptr));
            throw;
        }
        start();
    }

    void start() {
        PQsetnonblocking(handle_, 1);
        listen_to_notices();
    }

    /// The receiver is told where this object is, so it is set again when it moves.
    void listen_to_notices() noexcept { PQsetNoticeReceiver(handle_, &receive_notice, this); }

    static void receive_notice(void* self, PGresult const* notice) {
        auto& own = *static_cast<connection*>(self);
        ++own.notices_;
        if (own.options_.on_notice) own.options_.on_notice(detail::diagnostics_of(notice, {}));
    }

    /// Sends what is left and takes in what has come, until PQgetResult would not wait.
    interest result_step(bool& waited) {
        // A connection that broke is told by PQgetResult.
        if (std::exchange(waited, true) && PQconsumeInput(handle_) == 0) return interest::none;
        auto const unsent = PQflush(handle_);
        if (PQisBusy(handle_) == 0) return interest::none;
        return unsent == 1 ? interest::read_or_write : interest::read;
    }

    bool skip_copy_out(isorow::limits const& limits) {
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

    void give_up() noexcept {
        if (borrowed_) broken_ = true;
        else close();
    }

public:
    /// How many notices have come; `copy_in` tells an error by its bytes being no notice.
    [[nodiscard]] std::uint64_t notices() const noexcept { return notices_; }

private:
    connection_options options_;
    PGconn* handle_ = nullptr;
    std::optional<lender_state> borrowed_{};
    bool broken_ = false;
    int depth_ = 0;
    std::uint64_t notices_ = 0;
    std::shared_ptr<type_registry> types_ = std::make_shared<type_registry>();
};

}  // namespace isorow::inline v1
