#pragma once

/// @file
/// What the tests of faults have in common: how a call ended and when, descriptors, pools that come back, SQL from outside.

#include <isorow/pq/pool.hpp>
#include <isorow/pq/transaction.hpp>
#include <support/server.hpp>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <ostream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace test {

/// Whether the faults are injected in full numbers, which takes minutes, rather than in those of an everyday run.
[[nodiscard]] inline bool long_form() { return std::getenv("ISOROW_LONG") != nullptr; }
[[nodiscard]] inline int rounds(int brief, int full) { return long_form() ? full : brief; }

/// How a call ended. Which of isorow's errors it was is what the tests ask; the texts are shown where a test fails.
enum class ended : std::uint8_t { well, by_server, by_loss, by_refusal, by_deadline, by_stop, in_doubt, by_misuse, by_error, otherwise };

struct outcome {
    ended how = ended::well;
    std::string sqlstate{};
    std::string text{};
    std::chrono::milliseconds took{};

    [[nodiscard]] bool well() const noexcept { return how == ended::well; }
    [[nodiscard]] bool lost_or(std::string_view code) const noexcept {
        return how == ended::by_loss || (how == ended::by_server && sqlstate == code);
    }

    friend std::ostream& operator<<(std::ostream& out, outcome const& shown) {
        return out << "kind " << static_cast<int>(shown.how) << ", SQLSTATE '" << shown.sqlstate << "', after " << shown.took.count()
                   << " ms: " << shown.text;
    }
};

/// Runs `call` and says how it ended. No exception leaves it.
template <class Call>
[[nodiscard]] outcome outcome_of(Call&& call) {
    outcome result;
    auto const started = std::chrono::steady_clock::now();
    auto const note = [&](ended how, std::exception const& failure) {
        result.how = how;
        result.text = failure.what();
    };
    try {
        call();
    } catch (isorow::server_error const& failure) {
        note(ended::by_server, failure);
        result.sqlstate = failure.sqlstate();
    } catch (isorow::connection_lost const& failure) {
        note(ended::by_loss, failure);
    } catch (isorow::connection_error const& failure) {
        note(ended::by_refusal, failure);
    } catch (isorow::timed_out const& failure) {
        note(ended::by_deadline, failure);
    } catch (isorow::stopped const& failure) {
        note(ended::by_stop, failure);
    } catch (isorow::commit_unknown const& failure) {
        note(ended::in_doubt, failure);
    } catch (isorow::usage_error const& failure) {
        note(ended::by_misuse, failure);
    } catch (isorow::error const& failure) {
        note(ended::by_error, failure);
    } catch (std::exception const& failure) {
        note(ended::otherwise, failure);
    }
    result.took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - started);
    return result;
}

/// What every call is given beyond its deadline before its outcome must be known: a second, and more in the short form, which busy machines
/// run.
inline auto const grace = std::chrono::seconds(long_form() ? 1 : 5);

[[nodiscard]] inline std::ptrdiff_t open_descriptors() {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
}

/// Asks until the answer is yes or the time is up.
inline bool eventually(std::chrono::milliseconds time, std::function<bool()> const& holds) {
    auto const end = std::chrono::steady_clock::now() + time;
    while (!holds()) {
        if (std::chrono::steady_clock::now() >= end) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return true;
}

/// Whether no descriptor stays open that was not before; a pool's workers are given a moment.
inline bool no_leak(std::ptrdiff_t before) {
    return eventually(std::chrono::seconds(3), [&] { return open_descriptors() <= before; });
}

inline isorow::result run(isorow::connection& connection, std::string const& sql) {
    return isorow::execute_script(connection, sql, connection.default_limits());
}

/// The first value of the statement's rows, as text.
inline std::string value(isorow::connection& connection, std::string const& sql) {
    auto const answer = run(connection, sql);
    auto const bytes = answer.value(0, 0);
    return std::string(reinterpret_cast<char const*>(bytes.data()), bytes.size());
}

inline void terminate(int pid, std::string const& address = dsn()) {
    sql(address, "SELECT pg_terminate_backend(" + std::to_string(pid) + ")");
}

/// A pool of at most `size` connections, each call of which ends after `timeout`.
template <class Options = isorow::pool_options>
[[nodiscard]] Options pool_of(std::size_t size, std::chrono::milliseconds timeout = std::chrono::seconds(20)) {
    Options options;
    if constexpr (requires { options.max_size; }) {
        options.min_size = size;
        options.max_size = size;
        options.timeout = timeout;
    } else {
        options.size = size;
        options.acquire_timeout = timeout;
    }
    options.connection.timeout = timeout;
    return options;
}

/// Whether the pool lends its full number at once, each of them usable. Broken connections may be met on the way: they must be replaced.
inline bool serves(isorow::pool& pool, std::size_t size) {
    try {
        std::vector<isorow::lease> lent;
        for (std::size_t i = 0; i < size; ++i) {
            lent.push_back(pool.acquire(isorow::limits::within(std::chrono::seconds(1))));
            if (value(*lent.back(), "SELECT 7") != "7") return false;
        }
        return true;
    } catch (isorow::error const&) {
        return false;
    }
}
inline bool recovers(isorow::pool& pool, std::size_t size, std::chrono::milliseconds time = std::chrono::seconds(5)) {
    return eventually(time, [&] { return serves(pool, size); });
}

/// What a sanitizer holds on to beside the program's own memory, in KiB: freed blocks, to find who uses them.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr long sanitizer_kilobytes = 512 * 1024;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr long sanitizer_kilobytes = 512 * 1024;
#else
inline constexpr long sanitizer_kilobytes = 0;
#endif
#else
inline constexpr long sanitizer_kilobytes = 0;
#endif

/// The most that the process has held in memory since `forget_peak`, in KiB.
[[nodiscard]] inline long peak_kilobytes() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("VmHWM:")) return std::stol(line.substr(6));
    return 0;
}
inline void forget_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }

}  // namespace test
