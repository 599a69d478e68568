#pragma once

/// @file
/// Processes that tests start and kill.

#include <atomic>
#include <csignal>
#include <cstdio>
#include <exception>
#include <functional>
#include <new>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace test {

/// A flag that a test and the processes that it has started share.
class shared_flag {
public:
    shared_flag()
        : value_(::new(::mmap(nullptr, sizeof(std::atomic<bool>), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))
                     std::atomic<bool>(false)) {}
    shared_flag(shared_flag const&) = delete;
    shared_flag& operator=(shared_flag const&) = delete;
    ~shared_flag() { ::munmap(value_, sizeof *value_); }

    void set() const noexcept { *value_ = true; }
    [[nodiscard]] bool is_set() const noexcept { return *value_; }

private:
    std::atomic<bool>* value_;
};

/// A child of this process that runs a function, and is killed at the latest when this object goes.
class child {
public:
    explicit child(std::function<void()> const& body) : process_(::fork()) {
        if (process_ != 0) return;
        int code = 0;
        try {
            body();
        } catch (std::exception const& failure) {
            std::fprintf(stderr, "a child of the test failed: %s\n", failure.what());
            code = 2;
        }
        ::_exit(code);
    }
    child(child const&) = delete;
    child& operator=(child const&) = delete;
    ~child() { kill(); }

    /// Kills it by SIGKILL, and waits for its end.
    void kill() {
        if (has_ended()) return;
        ::kill(process_, SIGKILL);
        ::waitpid(process_, &status_, 0);
        is_over_ = true;
    }

    [[nodiscard]] bool has_ended() const {
        if (!is_over_ && ::waitpid(process_, &status_, WNOHANG) == process_) is_over_ = true;
        return is_over_;
    }

    /// Waits for its end. -1 where it was killed.
    [[nodiscard]] int exit_code() {
        if (!is_over_) ::waitpid(process_, &status_, 0);
        is_over_ = true;
        return WIFEXITED(status_) ? WEXITSTATUS(status_) : -1;
    }

private:
    pid_t process_;
    mutable int status_ = 0;
    mutable bool is_over_ = false;
};

}  // namespace test
