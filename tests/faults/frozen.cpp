#include <catch2/catch_test_macros.hpp>

#include <isorow/pq/copy.hpp>
#include <isorow/pq/row_stream.hpp>
#include <support/connect.hpp>
#include <support/faults.hpp>
#include <support/listener.hpp>
#include <support/own_server.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace std::chrono_literals;

namespace {

constexpr auto deadline = 500ms;

std::span<std::byte const> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

/// A call on a connection whose backend has been stopped: it ends by the client's own deadline, and the connection is given up.
void check_frozen(std::string const& address, std::function<void(isorow::connection&, std::function<void()> const&)> const& call) {
    std::ptrdiff_t before = 0;
    for (int i = 0; i < test::rounds(1, 50); ++i) {
        {
            isorow::connection connection(address, {.timeout = deadline});
            std::optional<test::frozen> frozen;
            auto const freeze = [&] { frozen.emplace(connection.backend_pid()); };
            auto const told = test::outcome_of([&] { call(connection, freeze); });
            INFO(told);
            CHECK(told.how == test::ended::by_deadline);
            CHECK(told.took < deadline + test::grace);
            CHECK_FALSE(connection.is_open());
        }
        if (before == 0) before = test::open_descriptors();
        CHECK(test::no_leak(before));
    }
}

/// Takes each connection and does with it as it is told, on a thread of its own.
class rude_listener {
public:
    explicit rude_listener(std::function<void(int)> manners) : manners_(std::move(manners)), socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in place{};
        place.sin_family = AF_INET;
        place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof place;
        auto* const plain = reinterpret_cast<sockaddr*>(&place);
        if (::bind(socket_, plain, size) != 0 || ::listen(socket_, 64) != 0 || ::getsockname(socket_, plain, &size) != 0)
            throw std::runtime_error("no port to listen on");
        port_ = ntohs(place.sin_port);
        thread_ = std::jthread([this](std::stop_token const& stop) {
            while (!stop.stop_requested()) {
                pollfd waiting{socket_, POLLIN, 0};
                if (::poll(&waiting, 1, 20) > 0) manners_(::accept(socket_, nullptr, nullptr));
            }
        });
    }
    ~rude_listener() {
        thread_.request_stop();
        thread_.join();
        ::close(socket_);
    }
    rude_listener(rude_listener const&) = delete;
    rude_listener& operator=(rude_listener const&) = delete;

    [[nodiscard]] std::string dsn(std::string const& more = "sslmode=disable") const {
        return "host=127.0.0.1 dbname=x user=x port=" + std::to_string(port_) + " " + more;
    }

private:
    std::function<void(int)> manners_;
    int socket_;
    int port_ = 0;
    std::jthread thread_{};
};

void close_by_reset(int socket) {
    linger const now{1, 0};
    ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    ::close(socket);
}

}  // namespace

TEST_CASE("a frozen backend does not hold a statement beyond the client's deadline") {
    test::database const database;
    check_frozen(database.dsn(), [](isorow::connection& connection, auto const& freeze) {
        freeze();
        test::run(connection, "SELECT 1");
    });
}

TEST_CASE("a frozen backend does not hold a COPY IN beyond the client's deadline, and no row of it stays") {
    test::database const database;
    database.sql("CREATE TABLE t (id int, name text)");
    check_frozen(database.dsn(), [](isorow::connection& connection, auto const& freeze) {
        isorow::copy_in copy(connection, "COPY t FROM STDIN");
        freeze();
        std::string const row = "1\t" + std::string(1000, 'x') + "\n";
        for (int i = 0; i < 1'000'000; ++i) copy.write(bytes(row));
    });
    CHECK(test::eventually(5s, [&] { return database.sql("SELECT count(*) FROM pg_stat_progress_copy") == "0"; }));
    CHECK(database.sql("SELECT count(*) FROM t") == "0");
}

TEST_CASE("a frozen backend does not hold the end of a COPY IN beyond the client's deadline") {
    test::database const database;
    database.sql("CREATE TABLE t (id int, name text)");
    check_frozen(database.dsn(), [](isorow::connection& connection, auto const& freeze) {
        isorow::copy_in copy(connection, "COPY t FROM STDIN");
        copy.write(bytes("1\ta\n"));
        freeze();
        copy.finish();
    });
}

TEST_CASE("a frozen backend does not hold a COPY OUT beyond the client's deadline") {
    test::database const database;
    check_frozen(database.dsn(), [](isorow::connection& connection, auto const& freeze) {
        isorow::copy_out copy(connection, "COPY (SELECT generate_series(1, 100000000), repeat('x', 1000)) TO STDOUT");
        static_cast<void>(copy.next());
        freeze();
        while (copy.next().data() != nullptr) {
        }
    });
}

TEST_CASE("a frozen backend does not hold a stream of rows beyond the client's deadline") {
    test::database const database;
    check_frozen(database.dsn(), [](isorow::connection& connection, auto const& freeze) {
        isorow::row_stream rows(connection, "SELECT generate_series(1, 100000000), repeat('x', 1000)", {});
        static_cast<void>(rows.next());
        freeze();
        while (rows.next()) {
        }
    });
}

TEST_CASE("a stream that is left early while its backend is frozen is given up in a short time") {
    isorow::connection connection(test::dsn(), {.timeout = deadline});
    test::outcome told;
    {
        std::optional<isorow::row_stream> rows;
        rows.emplace(connection, "SELECT generate_series(1, 100000000), repeat('x', 1000)", isorow::parameters{});
        static_cast<void>(rows->next());
        test::frozen const frozen(connection.backend_pid());
        told = test::outcome_of([&] { rows.reset(); });
    }
    INFO(told);
    CHECK(told.took < 2s + test::grace);
    CHECK_FALSE(connection.is_open());
}

TEST_CASE("a pool whose backends are frozen makes others, and serves within five seconds") {
    constexpr std::size_t size = 2;
    test::database const database;
    isorow::pool pool(database.dsn(), test::pool_of(size, deadline));
    REQUIRE(test::recovers(pool, size));
    auto const before = test::open_descriptors();
    std::vector<int> pids;
    {
        std::vector<isorow::lease> lent;
        for (std::size_t i = 0; i < size; ++i) pids.push_back((lent.emplace_back(pool.acquire()))->backend_pid());
    }
    {
        std::vector<std::unique_ptr<test::frozen>> frozen;
        for (auto const pid : pids) frozen.push_back(std::make_unique<test::frozen>(pid));
        CHECK(test::recovers(pool, size, 5s));
    }
    CHECK(test::no_leak(before));
}

TEST_CASE("a frozen postmaster does not hold a client that connects beyond its deadline") {
    test::own_server const server;
    std::ptrdiff_t before = 0;
    for (int i = 0; i < test::rounds(3, 50); ++i) {
        {
            test::frozen const frozen(server.postmaster());
            auto const told = test::outcome_of([&] { isorow::connection const late(server.dsn(), {.connect_timeout = deadline}); });
            INFO(told);
            CHECK(told.how == test::ended::by_deadline);
            CHECK(told.took < deadline + test::grace);
        }
        isorow::connection connection(server.dsn(), {.connect_timeout = 10s});
        CHECK(test::value(connection, "SELECT 1") == "1");
        if (before == 0) before = test::open_descriptors();
        CHECK(test::no_leak(before));
    }
}

TEST_CASE("a statement that is too late while the postmaster is frozen ends in time, though it cannot be cancelled") {
    test::own_server const server;
    isorow::connection connection(server.dsn(), {.timeout = deadline});
    test::outcome told;
    {
        test::frozen const frozen(server.postmaster());
        told = test::outcome_of([&] { test::run(connection, "SELECT pg_sleep(60)"); });
    }
    INFO(told);
    CHECK(told.how == test::ended::by_deadline);
    CHECK(told.took < deadline + test::grace);
    CHECK_FALSE(connection.is_open());
}

TEST_CASE("a deaf listener does not hold a pool's client beyond the deadline") {
    test::listener const deaf;
    auto options = test::pool_of(2, deadline);
    options.connection.connect_timeout = deadline;
    isorow::pool pool(deaf.dsn(), options);
    auto const told = test::outcome_of([&] { static_cast<void>(pool.acquire()); });
    INFO(told);
    CHECK((told.how == test::ended::by_deadline || told.how == test::ended::by_refusal));
    CHECK(told.took < deadline + test::grace);
}

TEST_CASE("a handshake that gets stuck after any step ends at the deadline") {
    // The server says so much and then no more: that it has no TLS, that no password is asked for, its parameters.
    std::string const no_tls = "N";
    std::string const authenticated("R\0\0\0\x08\0\0\0\0", 9);
    std::string const parameter("S\0\0\0\x19server_version\00017.0\0", 25);
    std::vector<std::pair<std::string, std::string>> const steps{{"sslmode=prefer", no_tls},
                                                                 {"sslmode=disable", authenticated},
                                                                 {"sslmode=disable", authenticated.substr(0, 3)},
                                                                 {"sslmode=disable", authenticated + parameter},
                                                                 {"sslmode=prefer", no_tls + authenticated}};
    for (auto const& [mode, speech] : steps) {
        std::vector<int> held;
        {
            rude_listener const stuck([&held, &words = speech](int socket) {
                static_cast<void>(::send(socket, words.data(), words.size(), MSG_NOSIGNAL));
                held.push_back(socket);
            });
            auto const told = test::outcome_of(
                [&, &tls = mode] { isorow::connection const late(stuck.dsn(tls + " gssencmode=disable"), {.connect_timeout = deadline}); });
            INFO(told);
            CHECK((told.how == test::ended::by_deadline || told.how == test::ended::by_refusal));
            CHECK(told.took < deadline + test::grace);
        }
        for (int const socket : held) ::close(socket);
    }
}

TEST_CASE("a connection that is reset when it is accepted is a connection_error, and leaves no descriptor") {
    rude_listener const rude(&close_by_reset);
    auto const before = test::open_descriptors();
    for (int i = 0; i < test::rounds(20, 200); ++i) {
        auto const told = test::outcome_of([&] { isorow::connection const refused(rude.dsn(), {.connect_timeout = 5s}); });
        INFO(told);
        CHECK((told.how == test::ended::by_refusal || told.how == test::ended::by_loss));
        CHECK(told.text.find("127.0.0.1") != std::string::npos);
        CHECK(told.took < 5s + test::grace);
    }
    CHECK(test::no_leak(before));
}

TEST_CASE("slow DNS does not hold a client beyond its deadline, alone and through a pool") {
    std::atomic<int> asked = 0;
    auto const slow = [&](std::string const&) {
        ++asked;
        std::this_thread::sleep_for(2s);
        return std::vector<std::string>{"127.0.0.1"};
    };
    for (int i = 0; i < test::rounds(2, 20); ++i) {
        auto const told =
            test::outcome_of([&] { isorow::connection const late("host=db.example", {.connect_timeout = 200ms, .resolve = slow}); });
        INFO(told);
        CHECK(told.how == test::ended::by_deadline);
        CHECK(told.took < 200ms + test::grace);
    }
    auto options = test::pool_of(1, 200ms);
    options.connection.resolve = slow;
    {
        isorow::pool pool("host=db.example", options);
        auto const told = test::outcome_of([&] { static_cast<void>(pool.acquire()); });
        INFO(told);
        CHECK((told.how == test::ended::by_deadline || told.how == test::ended::by_refusal));
        CHECK(told.took < 200ms + test::grace);
    }
    CHECK(asked >= 3);
    std::this_thread::sleep_for(2200ms);  // the resolvers' threads use this frame's variables
}
