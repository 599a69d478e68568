#pragma once

#include <isorow/config.hpp>
#include <isorow/error/connection_error.hpp>
#include <isorow/error/server_error.hpp>
#include <isorow/pq/connection_options.hpp>
#include <isorow/pq/detail/cancel.hpp>
#include <isorow/pq/detail/conninfo.hpp>
#include <isorow/pq/detail/fork.hpp>
#include <isorow/pq/notification.hpp>
#include <isorow/pq/result.hpp>
#include <isorow/pq/statement_cache.hpp>
#include <isorow/pq/type_registry.hpp>
#include <isorow/pq/wait.hpp>

#include <cerrno>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <libpq-fe.h>
#include <sys/socket.h>

namespace isorow::inline v1 {

namespace detail {

/// How long cancelling and ending what is under way may take, behind the caller's own deadline.
inline constexpr std::chrono::milliseconds time_to_end{700};

}  // namespace detail

/// A connection to a server. Always non-blocking underneath: each call waits in one place, with a deadline and a stop token.
/// Move-only, used by one thread at a time.
class connection {
public:
    /// Connects. `dsn`: a URI or `key=value` pairs as libpq takes them; what it does not say comes from libpq's environment variables
    /// and files. Hosts of a list are tried one after another. Throws `connection_error` naming the endpoints and what each said,
    /// `timed_out`, `stopped`, `usage_error` for parameters that are not right.
    explicit connection(std::string_view dsn = {}, connection_options options = {},
                        isorow::limits const& limits = isorow::limits::until_stopped({}));
    explicit connection(connection_parameters const& where, connection_options options = {},
                        isorow::limits const& limits = isorow::limits::until_stopped({}));

    /// Connects to where another connection goes or a pool's connections go.
    connection(std::shared_ptr<detail::conninfo const> where, connection_options options, isorow::limits const& limits);

    /// Uses a connection of the caller's, who keeps it and closes it. Its blocking mode and notice receiver are as before when the borrower
    /// is gone. Throws `usage_error` where it is not connected, or its client_encoding is not UTF8.
    [[nodiscard]] static connection borrow(PGconn* lender, connection_options options = {});

    connection(connection&& other) noexcept;
    connection& operator=(connection&& other) noexcept;
    ~connection();

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
    [[nodiscard]] std::string_view parameter_status(char const* name) const noexcept;

    [[nodiscard]] connection_options const& options() const noexcept { return options_; }
    /// The connection's own limits for a call that begins now.
    [[nodiscard]] isorow::limits default_limits() const { return limits::within(options_.timeout); }

    /// What is known of the database's own types; shared by the connections of a pool.
    [[nodiscard]] type_registry& types() noexcept { return *types_; }
    void share_types(std::shared_ptr<type_registry> types) noexcept { types_ = std::move(types); }

    /// Closes; a borrowed connection is given back instead.
    void close() noexcept;

    /// Where the connection was told to go; null for a borrowed one.
    [[nodiscard]] std::shared_ptr<detail::conninfo const> const& parameters() const noexcept { return where_; }

    /// The statements that are prepared here.
    [[nodiscard]] statement_cache& statements() noexcept {
        if (auto const plans = types_->plans(); plans != plans_) [[unlikely]] {
            plans_ = plans;
            statements_.forget();
        }
        return statements_;
    }
    /// The cache's entry of the statement that ran last, null where that was not prepared. Valid until the next statement.
    [[nodiscard]] statement_cache::entry* last_prepared() const noexcept { return last_prepared_; }
    void set_last_prepared(statement_cache::entry* entry) noexcept { last_prepared_ = entry; }

    /// Room for parameters that is used again and again: empty, and the caller's until `give_room`; null where somebody else has it.
    [[nodiscard]] isorow::parameters* take_room() noexcept { return std::exchange(room_is_taken_, true) ? nullptr : &room_; }
    void give_room() noexcept {
        room_.clear();
        room_is_taken_ = false;
    }

    /// The schema has changed: every connection that shares these types prepares its statements anew.
    void forget_statements() { types_->forget_plans(); }

    /// The next notification that has come, without waiting for one.
    [[nodiscard]] std::optional<notification> take_notification();
    [[nodiscard]] bool has_notification() const noexcept { return !kept_.empty(); }
    /// Takes the notifications that have come out of libpq.
    void keep_notifications();

    /// Reads what has come while nothing is under way: notifications, notices, and the server's farewell, which libpq tells only when it is
    /// asked for a result. Returns whether the connection stands.
    [[nodiscard]] bool take_in();

    /// Whether a pooler stands between here and the server; see `isorow::pooler`.
    [[nodiscard]] bool is_pooled() const noexcept { return pooled_; }
    void set_pooled(bool pooled) noexcept { pooled_ = pooled; }

    // Steps, for the other files of this folder

    /// Throws `connection_error` where no statement can be run, and `usage_error` where another one is under way. Returns whether a
    /// transaction is open.
    bool require_ready() const;

    /// The next result of what is under way, null at its end. Throws `timed_out` and `stopped`, having cancelled what was under way.
    [[nodiscard]] PGresult* receive(isorow::limits const& limits, std::string_view doing);

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

    /// Cancels what is under way and takes in its end, within 700 ms; a connection that is not proven idle then is closed. The request is
    /// repeated: one that overtakes its statement finds nothing to cancel.
    void abandon() noexcept;

    /// Takes in the rest of what is under way. Returns whether the connection is usable then.
    bool drain(isorow::limits const& limits);

    /// Whether the last statement outside of a pipeline was read in chunks: libpq 17 then reads the first of a pipeline in chunks, too,
    /// unless a synchronisation comes before it.
    [[nodiscard]] bool& was_read_in_chunks() noexcept { return was_read_in_chunks_; }

    /// How deep transactions are nested; kept by `transaction`.
    [[nodiscard]] int& transaction_depth() noexcept { return depth_; }

    /// The error of a failed result, thrown as its class; a connection that broke is `connection_lost`.
    [[noreturn]] void raise(result const& failed, std::string_view sql);

    /// Where the connection goes: `localhost:5432/shop`.
    [[nodiscard]] std::string endpoint() const;

private:
    struct lender_state {
        int nonblocking;
        PQnoticeReceiver receiver;
        void* argument;
    };

    connection(PGconn* lender, connection_options options);

    void connect(isorow::limits const& limits);

    /// Tries the hosts in their order, those of prefer-standby twice.
    void connect_to_any(detail::conninfo info, isorow::limits const& limits);

    /// Tries each address of a host within the time that one host has.
    void connect_to_one(detail::conninfo const& info, detail::endpoint_entry const& entry, isorow::limits const& limits);

    [[nodiscard]] std::chrono::milliseconds connect_timeout(detail::conninfo const& info) const;

    void connect_as(detail::conninfo const& info, isorow::limits const& limits);

    void observe_connect(std::chrono::steady_clock::time_point begun, std::string const& failure) const;

    /// A server elsewhere that did not prove who it is may be anybody.
    void warn_of_unverified();

    void start();

    /// The receiver is told where this object is, so it is set again when it moves.
    void listen_to_notices() noexcept { PQsetNoticeReceiver(handle_, &receive_notice, this); }

    static void receive_notice(void* self, PGresult const* notice);
    void tell(diagnostics const& notice) const;

    /// Sends what is left and takes in what has come, until PQgetResult would not wait.
    interest result_step(bool& waited);
    bool skip_copy_out(isorow::limits const& limits);

    [[nodiscard]] bool is_forked() const noexcept { return forks_ != detail::fork_count(); }

    void give_up() noexcept {
        if (borrowed_) broken_ = true;
        else close();
    }

public:
    /// A message of isorow's own, given where the server's notices go. `severity`: WARNING or DEBUG.
    void warn(std::string_view severity, std::string message) const;

    /// How many notices have come; `copy_in` tells an error by its bytes being no notice.
    [[nodiscard]] std::uint64_t notices() const noexcept { return notices_; }

private:
    connection_options options_;
    PGconn* handle_ = nullptr;
    std::optional<lender_state> borrowed_{};
    bool broken_ = false;
    int depth_ = 0;
    std::uint64_t notices_ = 0;
    std::shared_ptr<detail::conninfo const> where_{};
    unsigned forks_ = detail::fork_count();
    bool pooled_ = false;
    bool was_read_in_chunks_ = false;
    std::shared_ptr<type_registry> types_ = std::make_shared<type_registry>();
    statement_cache statements_;
    std::uint64_t plans_ = 0;
    statement_cache::entry* last_prepared_ = nullptr;
    isorow::parameters room_{};
    bool room_is_taken_ = false;
    std::deque<notification> kept_{};
};

}  // namespace isorow::inline v1

#if ISOROW_HAS_CODE
#include <isorow/pq/detail/connection_code.hpp>
#endif
