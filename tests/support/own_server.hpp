#pragma once

/// @file
/// A server of a test's own, for what would harm the other tests: killing, restarting, freezing, filling it.

#include <support/server.hpp>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <sys/types.h>
#include <unistd.h>

namespace test {

/// Started by script/postgres, stopped and removed at the end.
class own_server {
public:
    /// `settings`: `NAME=VALUE` each. `before`: shell commands for the process that starts the server, such as `ulimit -f 1000`.
    explicit own_server(std::vector<std::string> const& settings = {}, std::string const& before = ":") {
        // What was committed outlives the end of the processes.
        std::string arguments = " start --memory --set synchronous_commit=on";
        for (auto const& setting : settings) arguments += " --set '" + setting + "'";
        auto const command = "{ " + before + "; '" ISOROW_SOURCE_DIR "/script/postgres'" + arguments + "; } 2>/dev/null";
        auto* const output = ::popen(command.c_str(), "r");
        if (output == nullptr) throw std::runtime_error("no process for: " + command);
        std::string folder;
        for (int c = std::getc(output); c != EOF && c != '\n'; c = std::getc(output)) folder += static_cast<char>(c);
        if (::pclose(output) != 0) throw std::runtime_error("failed: " + command);
        folder_ = folder;
        std::getline(std::ifstream(folder_ / "url"), address_);
    }
    own_server(own_server const&) = delete;
    own_server& operator=(own_server const&) = delete;
    ~own_server() {
        try {
            ::kill(postmaster(), SIGCONT);
            shell("'" ISOROW_SOURCE_DIR "/script/postgres' stop '" + folder_.string() + "'");
        } catch (std::exception const&) {
            // Nothing of it is left then, or nothing can be done about it.
        }
    }

    [[nodiscard]] std::string const& dsn() const noexcept { return address_; }
    [[nodiscard]] std::filesystem::path const& folder() const noexcept { return folder_; }
    std::string sql(std::string const& statement) const { return test::sql(address_, statement); }

    /// The first process of the server.
    [[nodiscard]] pid_t postmaster() const {
        std::ifstream file(folder_ / "data" / "postmaster.pid");
        pid_t pid = 0;
        if (!(file >> pid)) throw std::runtime_error("the server does not run");
        return pid;
    }

    /// `mode`: fast or immediate. Returns when it serves again.
    void restart(std::string const& mode) const {
        auto const program = std::filesystem::read_symlink("/proc/" + std::to_string(postmaster()) + "/exe");
        std::string const owner = ::geteuid() == 0 ? "setpriv --reuid=postgres --regid=postgres --init-groups env HOME=/tmp " : "";
        shell("cd / && " + owner + "'" + (program.parent_path() / "pg_ctl").string() + "' --pgdata '" + (folder_ / "data").string() +
              "' --log '" + (folder_ / "server.log").string() + "' --mode " + mode + " --wait --silent restart");
    }

    static void shell(std::string const& command) {
        if (std::system(("{ " + command + "; } >/dev/null 2>&1").c_str()) != 0) throw std::runtime_error("failed: " + command);
    }

private:
    std::filesystem::path folder_;
    std::string address_;
};

/// Stops a process with SIGSTOP and lets it go on at the end.
class frozen {
public:
    explicit frozen(pid_t pid) : pid_(pid) {
        if (::kill(pid_, SIGSTOP) != 0) throw std::runtime_error("the process cannot be stopped");
    }
    frozen(frozen const&) = delete;
    frozen& operator=(frozen const&) = delete;
    ~frozen() { ::kill(pid_, SIGCONT); }

private:
    pid_t pid_;
};

}  // namespace test
