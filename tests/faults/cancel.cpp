#include <catch2/catch_test_macros.hpp>

#include <isorow/pq/copy.hpp>
#include <isorow/pq/row_stream.hpp>
#include <support/connect.hpp>
#include <support/faults.hpp>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <random>
#include <stop_token>
#include <string>
#include <thread>

using namespace std::chrono_literals;

namespace {

/// Fires stop tokens a given time after it was told to, on a thread of its own, so that a race costs no thread.
class stopper {
public:
    stopper() : thread_([this](std::stop_token const& ended) { work(ended); }) {}

    std::stop_token after(std::chrono::microseconds delay) {
        std::lock_guard const lock(mutex_);
        source_ = std::stop_source();
        due_ = std::chrono::steady_clock::now() + delay;
        changed_.notify_one();
        return source_->get_token();
    }

private:
    void work(std::stop_token const& ended) {
        std::unique_lock lock(mutex_);
        while (!ended.stop_requested()) {
            changed_.wait(lock, ended, [&] { return source_.has_value(); });
            if (!source_) continue;
            auto const source = *source_;
            auto const due = due_;
            lock.unlock();
            while (std::chrono::steady_clock::now() < due) std::this_thread::yield();
            lock.lock();
            if (source == *source_) source_.reset();
            lock.unlock();
            auto firing = source;
            firing.request_stop();
            lock.lock();
        }
    }

    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::optional<std::stop_source> source_{};
    std::chrono::steady_clock::time_point due_{};
    std::jthread thread_;
};

isorow::limits stopped_by(std::stop_token token) { return isorow::limits::within(20s, std::move(token)); }

/// Runs `call` with tokens that fire at random moments about when it would end by itself. Each next statement must have its own answer.
template <class Call>
void race(int times, Call&& call) {
    stopper stopper;
    std::mt19937 random(7);
    auto connection = test::connect();
    int const left_alone = 20;
    auto const started = std::chrono::steady_clock::now();
    for (int i = 0; i < left_alone; ++i) call(connection, stopped_by({}));
    auto const usual = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - started) / left_alone;
    std::uniform_int_distribution<long> moment(0, 2 * usual.count());
    int stopped = 0;
    int replaced = 0;
    int wrong = 0;
    std::chrono::milliseconds longest{};
    std::string first_wrong;
    for (int i = 0; i < times; ++i) {
        auto const limits = stopped_by(stopper.after(std::chrono::microseconds(moment(random))));
        auto const told = test::outcome_of([&] { call(connection, limits); });
        longest = std::max(longest, told.took);
        if (told.how == test::ended::by_stop) ++stopped;
        bool right = told.well() || told.how == test::ended::by_stop;
        if (!connection.is_open()) {
            ++replaced;
            connection = test::connect();
        }
        std::string answer;
        auto const next = test::outcome_of([&] { answer = test::value(connection, "SELECT " + std::to_string(i)); });
        right = right && next.well() && answer == std::to_string(i);
        if (right) continue;
        if (++wrong == 1) first_wrong = told.text + "; next: " + next.text + ", answered " + answer;
        if (!connection.is_open()) connection = test::connect();
    }
    INFO(times << " races, " << stopped << " stopped, " << replaced << " connections replaced, the longest took " << longest.count()
               << " ms; the first that went wrong: " << first_wrong);
    CHECK(wrong == 0);
    CHECK(stopped > 0);
    CHECK(stopped < times);
    CHECK(longest < test::grace);
}

}  // namespace

TEST_CASE("a stop that races a statement's end never cancels the next statement") {
    race(test::rounds(1000, 10'000), [](isorow::connection& connection, isorow::limits const& limits) {
        isorow::execute_script(connection, "SELECT pg_sleep(0.001)", limits);
    });
}

TEST_CASE("a stop that races a short statement never cancels the next statement") {
    race(test::rounds(1000, 10'000), [](isorow::connection& connection, isorow::limits const& limits) {
        isorow::execute_statement(connection, "SELECT sum(g) FROM generate_series(1, 100) g", {}, limits);
    });
}

TEST_CASE("a stop that races the end of a stream never cancels the next statement") {
    race(test::rounds(300, 3000), [](isorow::connection& connection, isorow::limits const& limits) {
        isorow::row_stream rows(connection, "SELECT generate_series(1, 20000)", {}, limits);
        while (rows.next()) {
        }
    });
}

TEST_CASE("a stop that races the end of a COPY never cancels the next statement") {
    race(test::rounds(300, 3000), [](isorow::connection& connection, isorow::limits const& limits) {
        isorow::copy_out copy(connection, "COPY (SELECT generate_series(1, 5000)) TO STDOUT", limits);
        while (copy.next().data() != nullptr) {
        }
    });
}

TEST_CASE("a deadline that races a statement's end never cancels the next statement") {
    auto connection = test::connect();
    std::mt19937 random(11);
    int late = 0;
    int const times = test::rounds(300, 3000);
    for (int i = 0; i < times; ++i) {
        auto const limits = isorow::limits::within(std::chrono::microseconds(random() % 6000));
        auto const told = test::outcome_of([&] { isorow::execute_script(connection, "SELECT pg_sleep(0.002)", limits); });
        if (told.how == test::ended::by_deadline) ++late;
        else CHECK(told.well());
        if (!connection.is_open()) connection = test::connect();
        CHECK(test::value(connection, "SELECT " + std::to_string(i)) == std::to_string(i));
    }
    INFO(late << " of " << times << " were late");
    CHECK(late > 0);
    CHECK(late < times);
}

TEST_CASE("a token that was stopped before costs no statement, and the connection goes on") {
    auto connection = test::connect();
    std::stop_source source;
    source.request_stop();
    for (int i = 0; i < test::rounds(50, 1000); ++i) {
        auto const told =
            test::outcome_of([&] { isorow::execute_script(connection, "SELECT pg_sleep(20)", stopped_by(source.get_token())); });
        INFO(told);
        CHECK(told.how == test::ended::by_stop);
        CHECK(told.took < test::grace);
        if (!connection.is_open()) connection = test::connect();
        CHECK(test::value(connection, "SELECT 7") == "7");
    }
}
