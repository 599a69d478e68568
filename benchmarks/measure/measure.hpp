#pragma once

/// @file
/// How the benchmarks measure: processor time and wall time of a call, and the instructions of a process by valgrind.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

/// The processor time of this process so far, in seconds: the client's share, as the server has processes of its own.
[[nodiscard]] inline double processor_seconds() {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    auto const seconds = [](timeval const& time) { return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec); };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

[[nodiscard]] inline double wall_seconds() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

[[nodiscard]] inline double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

/// The instructions that a command executes in user space, counted by callgrind; nothing where valgrind is not installed.
[[nodiscard]] inline std::optional<double> instructions_of(std::string const& command) {
    auto const output = "/tmp/isorow-bench-" + std::to_string(::getpid());
    auto const line = "valgrind --tool=callgrind --callgrind-out-file=/dev/null " + command + " >" + output + " 2>&1";
    bool const succeeded = std::system(line.c_str()) == 0;
    std::optional<double> instructions;
    if (std::FILE* const file = std::fopen(output.c_str(), "r"); file != nullptr) {
        char text[512];
        while (std::fgets(text, sizeof text, file) != nullptr) {
            std::string const read = text;
            if (auto const place = read.find("Collected : "); succeeded && place != std::string::npos)
                instructions = std::strtod(read.c_str() + place + 12, nullptr);
        }
        std::fclose(file);
    }
    std::remove(output.c_str());
    return instructions;
}
