#pragma once

/// @file
/// Stands between clients and the server like proxy.hpp, and mistreats the bytes: cuts at an offset, cuts into pieces, delays, flips bits.

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <limits>
#include <list>
#include <mutex>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace test {

enum direction : std::size_t { to_server = 0, to_client = 1 };

/// What is done to one connection.
struct fault_plan {
    static constexpr auto never = std::numeric_limits<std::size_t>::max();

    std::array<std::size_t, 2> cut_at{never, never};  ///< after so many bytes of a direction the connection is cut
    std::string trigger{};                            ///< counts of `answer_bytes` begin when the client has sent this text
    std::size_t answer_bytes = never;                 ///< so many bytes of the answer to the trigger pass before the cut
    std::function<void()> before_trigger{};           ///< called when the trigger has come; the connection is cut, and it is not passed on
    bool reset = false;                               ///< cut by RST rather than by FIN
    std::size_t piece = never;                        ///< how many bytes are passed on at once
    std::chrono::microseconds delay{};                ///< before each piece
    std::array<std::size_t, 2> flip_every{never, never};  ///< one bit in so many bytes of a direction is flipped, on average
    std::uint32_t seed = 0;
};

class fault_proxy {
public:
    /// `address`: a URI of the form that test::dsn() has. `at`: the address to listen on.
    explicit fault_proxy(std::string address, std::string at = "127.0.0.1") : address_(std::move(address)), at_(std::move(at)) {
        server_port_ = std::stoi(address_.substr(address_.rfind(':') + 1));
        listening_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        auto place = place_of(at_, 0);
        socklen_t size = sizeof place;
        auto* const plain = reinterpret_cast<sockaddr*>(&place);
        if (::bind(listening_, plain, size) != 0 || ::listen(listening_, 64) != 0 || ::getsockname(listening_, plain, &size) != 0)
            throw std::runtime_error("no port for the proxy");
        port_ = ntohs(place.sin_port);
        accepting_ = std::jthread([this](std::stop_token const& stop) { accept_clients(stop); });
    }
    fault_proxy(fault_proxy const&) = delete;
    fault_proxy& operator=(fault_proxy const&) = delete;
    ~fault_proxy() {
        accepting_.request_stop();
        accepting_.join();
        for (auto& link : links_) link.thread.request_stop();
        {
            std::lock_guard const lock(mutex_);
            for (auto& link : links_)
                if (!link.done) link.cut();
        }
        links_.clear();
        ::close(listening_);
    }

    [[nodiscard]] std::string dsn() const {
        auto result = address_;
        auto const host = result.rfind('@') + 1;
        auto const end = result.find('/', host);
        result.replace(host, end - host, at_ + ":" + std::to_string(port_));
        return result;
    }

    /// What is done to the next connection; later ones are left alone.
    void next(fault_plan plan) {
        std::lock_guard const lock(mutex_);
        next_ = std::move(plan);
    }
    /// What is done to every connection from now.
    void always(fault_plan plan) {
        std::lock_guard const lock(mutex_);
        always_ = std::move(plan);
    }
    /// Whether new connections are closed at once, by RST.
    void refuse(bool whether) { refusing_ = whether; }

    /// How many bytes the connection that was closed last had passed, by direction.
    [[nodiscard]] std::array<std::size_t, 2> passed() const {
        std::lock_guard const lock(mutex_);
        return passed_;
    }
    /// How many connections are open.
    [[nodiscard]] int open() const noexcept { return open_; }

private:
    struct served {
        std::atomic<int> client = -1;
        std::atomic<int> server = -1;
        std::atomic<bool> done = false;
        std::jthread thread{};

        void cut() const {
            ::shutdown(client, SHUT_RDWR);
            ::shutdown(server, SHUT_RDWR);
        }
    };

    /// What is known of one connection while it is served.
    struct progress {
        fault_plan plan;
        std::mt19937 random{plan.seed};
        std::array<std::size_t, 2> passed{};
        std::string sent{};  ///< the end of what the client has sent, where the trigger is looked for
        bool triggered = false;
        bool cut = false;
    };

    static sockaddr_in place_of(std::string const& host, int port) {
        sockaddr_in place{};
        place.sin_family = AF_INET;
        if (::inet_pton(AF_INET, host.c_str(), &place.sin_addr) != 1) throw std::runtime_error("not an address: " + host);
        place.sin_port = htons(static_cast<std::uint16_t>(port));
        return place;
    }

    void accept_clients(std::stop_token const& stop) {
        while (!stop.stop_requested()) {
            pollfd waiting{listening_, POLLIN, 0};
            if (::poll(&waiting, 1, 20) <= 0) continue;
            int const client = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
            if (client < 0) continue;
            if (refusing_) {
                close_by_reset(client);
                continue;
            }
            links_.remove_if([](served const& one) { return one.done.load(); });
            auto& link = links_.emplace_back();
            link.client = client;
            ++open_;
            link.thread = std::jthread([this, &link, plan = take_plan()](std::stop_token const& ended) { serve(link, plan, ended); });
        }
    }

    fault_plan take_plan() {
        std::lock_guard const lock(mutex_);
        if (!next_) return always_;
        auto plan = std::move(*next_);
        next_.reset();
        return plan;
    }

    static void close_by_reset(int socket) {
        linger const now{1, 0};
        ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        ::close(socket);
    }
    static void send_at_once(int socket) {
        int const yes = 1;
        ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    }

    void serve(served& link, fault_plan const& plan, std::stop_token const& stop) {
        int const client = link.client;
        int const server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        link.server = server;
        auto place = place_of("127.0.0.1", server_port_);
        progress state{.plan = plan};
        send_at_once(client);
        send_at_once(server);
        if (::connect(server, reinterpret_cast<sockaddr*>(&place), sizeof place) == 0) pass_on(client, server, state, stop);
        std::lock_guard const lock(mutex_);
        passed_ = state.passed;
        if (state.cut && plan.reset) close_by_reset(client);
        else ::close(client);
        ::close(server);
        --open_;
        link.done = true;
    }

    void pass_on(int client, int server, progress& state, std::stop_token const& stop) {
        std::vector<char> buffer(1 << 16);
        while (!state.cut && !stop.stop_requested()) {
            for (auto const way : {to_server, to_client})
                if (state.passed[way] >= state.plan.cut_at[way]) state.cut = true;
            if (state.triggered && state.plan.answer_bytes == 0) state.cut = wait_for_answer(server);
            if (state.cut) return;
            pollfd both[2]{{client, POLLIN, 0}, {server, POLLIN, 0}};
            if (::poll(both, 2, 20) <= 0) continue;
            for (auto const way : {to_server, to_client}) {
                if (both[way].revents == 0) continue;
                auto const size = ::recv(both[way].fd, buffer.data(), buffer.size(), 0);
                if (size <= 0) return end(both[1 - way].fd);
                if (!pass(both[1 - way].fd, way, {buffer.data(), static_cast<std::size_t>(size)}, state)) return;
            }
        }
    }

    /// Waits until the server has answered, so that what was asked has happened.
    static bool wait_for_answer(int server) {
        pollfd answer{server, POLLIN, 0};
        ::poll(&answer, 1, 5000);
        return true;
    }

    /// One side has closed: the other is told, and what it has been sent already is left to arrive.
    static void end(int other) {
        ::shutdown(other, SHUT_WR);
        char rest[4096];
        pollfd waiting{other, POLLIN, 0};
        while (::poll(&waiting, 1, 1000) > 0)
            if (::recv(other, rest, sizeof rest, 0) <= 0) return;
    }

    /// Passes bytes on as the plan says. False where the connection ends.
    static bool pass(int socket, direction way, std::string bytes, progress& state) {
        auto const& plan = state.plan;
        flip_bits(bytes, way, state);
        if (way == to_client && state.triggered && plan.answer_bytes != fault_plan::never) {
            state.cut = bytes.size() >= plan.answer_bytes;
            bytes.resize(std::min(bytes.size(), plan.answer_bytes));
            state.plan.answer_bytes -= bytes.size();
        }
        auto const left = plan.cut_at[way] - state.passed[way];
        if (bytes.size() >= left) {
            bytes.resize(left);
            state.cut = true;
        }
        if (way == to_server && !plan.trigger.empty() && !state.triggered) {
            state.sent += bytes;
            state.triggered = state.sent.find(plan.trigger) != std::string::npos;
            if (state.triggered && plan.before_trigger) {
                plan.before_trigger();
                state.cut = true;
                return false;
            }
        }
        for (std::size_t at = 0; at < bytes.size();) {
            auto const size = std::min(plan.piece, bytes.size() - at);
            if (plan.delay.count() > 0) std::this_thread::sleep_for(plan.delay);
            auto const sent = ::send(socket, bytes.data() + at, size, MSG_NOSIGNAL);
            if (sent <= 0) return false;
            at += static_cast<std::size_t>(sent);
            state.passed[way] += static_cast<std::size_t>(sent);
        }
        return !state.cut;
    }

    static void flip_bits(std::string& bytes, direction way, progress& state) {
        auto const every = state.plan.flip_every[way];
        if (every == fault_plan::never) return;
        std::uniform_int_distribution<std::size_t> hit(0, every - 1);
        std::uniform_int_distribution<int> bit(0, 7);
        for (auto& byte : bytes)
            if (hit(state.random) == 0) byte = static_cast<char>(static_cast<unsigned char>(byte) ^ (1U << bit(state.random)));
    }

    std::string address_;
    std::string at_;
    int server_port_ = 0;
    int port_ = 0;
    int listening_ = -1;
    std::atomic<bool> refusing_ = false;
    std::atomic<int> open_ = 0;
    mutable std::mutex mutex_;
    std::optional<fault_plan> next_{};
    fault_plan always_{};
    std::array<std::size_t, 2> passed_{};
    std::list<served> links_{};
    std::jthread accepting_{};
};

}  // namespace test
