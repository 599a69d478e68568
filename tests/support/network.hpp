#pragma once

/// @file
/// A second network, whose cable can be pulled: a network namespace with one link to the machine's own. For root.

#include <support/own_server.hpp>

#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

namespace test {

/// Gone, with its links, at the end.
class network {
public:
    network() : home_(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)) {
        auto const number = ::getpid() % 60'000;
        name_ = "isorow" + std::to_string(number);
        // A network of two addresses, of those that are for measuring networks (RFC 2544).
        auto const third = std::to_string(number / 64 % 256);
        auto const base = number % 64 * 4;
        near_ = "198.18." + third + "." + std::to_string(base + 1);
        auto const far = "198.18." + third + "." + std::to_string(base + 2);
        try {
            run("ip netns add " + name_);
            run("ip link add " + link() + " type veth peer name far netns " + name_);
            run("ip addr add " + near_ + "/30 dev " + link());
            run("ip link set " + link() + " up");
            run("ip -n " + name_ + " addr add " + far + "/30 dev far");
            run("ip -n " + name_ + " link set far up");
            run("ip -n " + name_ + " link set lo up");
        } catch (...) {
            remove();
            throw;
        }
    }
    network(network const&) = delete;
    network& operator=(network const&) = delete;
    ~network() {
        remove();
        ::close(home_);
    }

    /// The machine's own address on the link.
    [[nodiscard]] std::string const& near() const noexcept { return near_; }

    /// From now on nothing passes, and neither side is told. To be called from either network.
    void pull() const { at_home("ip link set " + link() + " down"); }
    void plug() const { at_home("ip link set " + link() + " up"); }

    /// Runs `work` on a thread whose sockets are those of the other network. Not for assertions: they belong on the test's thread.
    [[nodiscard]] std::jthread inside(std::function<void()> work) const {
        return std::jthread([this, work = std::move(work)] {
            int const space = ::open(("/run/netns/" + name_).c_str(), O_RDONLY | O_CLOEXEC);
            bool const entered = space >= 0 && ::setns(space, CLONE_NEWNET) == 0;
            ::close(space);
            if (entered) work();
        });
    }

private:
    [[nodiscard]] std::string link() const { return name_; }

    /// Runs a command on the machine's own network.
    void at_home(std::string const& command) const {
        bool done = false;
        std::thread([&] {
            if (::setns(home_, CLONE_NEWNET) != 0) return;
            try {
                run(command);
                done = true;
            } catch (std::exception const&) {
                // Told by `done`.
            }
        }).join();
        if (!done) throw std::runtime_error("failed: " + command);
    }
    static void run(std::string const& command) { own_server::shell(command); }
    void remove() const noexcept {
        try {
            run("ip link del " + link() + "; ip netns del " + name_ + "; true");
        } catch (std::exception const&) {
            // There is none then.
        }
    }

    int home_;
    std::string name_{};
    std::string near_{};
};

}  // namespace test
