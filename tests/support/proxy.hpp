#pragma once

/// @file
/// Stands between a client and the server, on a port of 127.0.0.1, and cuts a connection where a test says.

#include <atomic>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace test {

/// Passes bytes on between each client and the server. Threads end with the object.
class proxy {
public:
    /// `address`: a URI of the form that test::dsn() has.
    explicit proxy(std::string address) : address_(std::move(address)) {
        auto const colon = address_.rfind(':');
        server_port_ = std::stoi(address_.substr(colon + 1));
        listening_ = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in place = loopback(0);
        socklen_t size = sizeof place;
        auto* const plain = reinterpret_cast<sockaddr*>(&place);
        if (::bind(listening_, plain, size) != 0 || ::listen(listening_, 16) != 0 || ::getsockname(listening_, plain, &size) != 0)
            throw std::runtime_error("no port for the proxy");
        port_ = ntohs(place.sin_port);
        accepting_ = std::jthread([this](std::stop_token const& stop) { accept_clients(stop); });
    }
    proxy(proxy const&) = delete;
    proxy& operator=(proxy const&) = delete;
    ~proxy() {
        accepting_.request_stop();
        accepting_.join();
        for (auto& client : clients_) client.request_stop();
        clients_.clear();
        ::close(listening_);
    }

    [[nodiscard]] std::string dsn() const {
        auto result = address_;
        auto const colon = result.rfind(':');
        result.replace(colon + 1, std::to_string(server_port_).size(), std::to_string(port_));
        return result;
    }

    /// The next connection that sends this text is cut once: before the text is passed on, or when the server's answer to it comes.
    void cut_before(std::string_view text) { arm(text, true); }
    void cut_answer_to(std::string_view text) { arm(text, false); }

private:
    static sockaddr_in loopback(int port) {
        sockaddr_in place{};
        place.sin_family = AF_INET;
        place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        place.sin_port = htons(static_cast<std::uint16_t>(port));
        return place;
    }

    void arm(std::string_view text, bool before) {
        std::lock_guard const lock(mutex_);
        wanted_ = text;
        before_ = before;
    }

    /// Whether these bytes hold the text that is waited for; `before`: whether to cut now rather than at the answer.
    bool is_wanted(std::string_view bytes, bool& before) {
        std::lock_guard const lock(mutex_);
        if (wanted_.empty() || bytes.find(wanted_) == std::string_view::npos) return false;
        wanted_.clear();
        before = before_;
        return true;
    }

    void accept_clients(std::stop_token const& stop) {
        while (!stop.stop_requested()) {
            pollfd waiting{listening_, POLLIN, 0};
            if (::poll(&waiting, 1, 20) <= 0) continue;
            int const client = ::accept(listening_, nullptr, nullptr);
            clients_.emplace_back([this, client](std::stop_token const& ended) { serve(client, ended); });
        }
    }

    void serve(int client, std::stop_token const& stop) {
        int const server = ::socket(AF_INET, SOCK_STREAM, 0);
        auto place = loopback(server_port_);
        bool open = ::connect(server, reinterpret_cast<sockaddr*>(&place), sizeof place) == 0;
        bool cut_at_answer = false;
        std::vector<char> buffer(1 << 16);
        while (open && !stop.stop_requested()) {
            pollfd both[2]{{client, POLLIN, 0}, {server, POLLIN, 0}};
            if (::poll(both, 2, 20) <= 0) continue;
            for (int side = 0; open && side < 2; ++side) {
                if (both[side].revents == 0) continue;
                auto const size = ::recv(both[side].fd, buffer.data(), buffer.size(), 0);
                bool cut_now = size <= 0 || (side == 1 && cut_at_answer);
                bool before = false;
                if (!cut_now && side == 0 && is_wanted({buffer.data(), static_cast<std::size_t>(size)}, before))
                    (before ? cut_now : cut_at_answer) = true;
                open = !cut_now && ::send(both[1 - side].fd, buffer.data(), static_cast<std::size_t>(size), MSG_NOSIGNAL) == size;
            }
        }
        ::close(client);
        ::close(server);
    }

    std::string address_;
    int server_port_ = 0;
    int port_ = 0;
    int listening_ = -1;
    std::mutex mutex_;
    std::string wanted_;
    bool before_ = false;
    std::vector<std::jthread> clients_;
    std::jthread accepting_;
};

}  // namespace test
