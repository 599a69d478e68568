#pragma once

#include <stdexcept>
#include <string>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

namespace test {

/// A port of 127.0.0.1 that takes connections and says nothing.
class listener {
public:
    listener() : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* const plain = reinterpret_cast<sockaddr*>(&address);
        if (::bind(socket_, plain, size) != 0 || ::listen(socket_, 64) != 0 || ::getsockname(socket_, plain, &size) != 0)
            throw std::runtime_error("no port to listen on");
        port_ = ntohs(address.sin_port);
    }
    listener(listener const&) = delete;
    listener& operator=(listener const&) = delete;
    ~listener() { ::close(socket_); }

    [[nodiscard]] std::string dsn() const { return "host=127.0.0.1 dbname=x user=x sslmode=disable port=" + std::to_string(port_); }

private:
    int socket_;
    int port_ = 0;
};

}  // namespace test
