#include <catch2/catch_test_macros.hpp>

#include <isorow/pq/listener.hpp>
#include <isorow/query/notify.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>

#include <atomic>
#include <chrono>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using isorow::listener;
using isorow::notify;

namespace {

/// A database of its own, as channels are one database's.
struct channels {
    test::database database;
    isorow::connection sender = test::connect(database.dsn());

    static void kill(listener& who) {
        test::sql(test::dsn(), "SELECT pg_terminate_backend(" + std::to_string(who.connection().backend_pid()) + ", 5000)");
    }
    static std::string payload_of(std::optional<isorow::listener_event> const& event) {
        if (!event) return "(nothing)";
        return event->gap ? "(gap)" : event->received.payload;
    }
    /// The next one, where another thread may change channels at this moment.
    static std::optional<isorow::listener_event> next_of(listener& from, std::chrono::milliseconds time) {
        try {
            return from.next(time);
        } catch (isorow::usage_error const&) {
            return std::nullopt;
        }
    }
    static std::string next_payload(listener& from) { return payload_of(from.next(10s)); }
};

}  // namespace

TEST_CASE_METHOD(channels, "a notification comes with its channel, its payload and its sender", "[session]") {
    listener ear(database.dsn(), {"news"});
    notify(sender, "news", "first edition");
    auto const event = ear.next(10s);
    REQUIRE(event);
    CHECK_FALSE(event->gap);
    CHECK(event->received.channel == "news");
    CHECK(event->received.payload == "first edition");
    CHECK(event->received.sender == sender.backend_pid());
}

TEST_CASE_METHOD(channels, "a listener beside a pool goes where the pool goes and takes none of its connections", "[session]") {
    isorow::pool pool(database.dsn(), {.min_size = 1, .max_size = 1});
    listener ear(pool, {"news"});
    auto const lease = pool.acquire();
    notify(*lease, "news", "sent from the pool");
    CHECK(next_payload(ear) == "sent from the pool");
}

TEST_CASE_METHOD(channels, "a notification without a payload is empty", "[session]") {
    listener ear(database.dsn(), {"news"});
    notify(sender, "news");
    CHECK(next_payload(ear).empty());
}

TEST_CASE_METHOD(channels, "nothing is lost between two calls of next, and the order stays", "[session]") {
    listener ear(database.dsn(), {"one", "other"});
    for (int i = 0; i < 1000; ++i) notify(sender, i % 2 == 0 ? "one" : "other", std::to_string(i));
    for (int i = 0; i < 1000; ++i) {
        auto const event = ear.next(10s);
        REQUIRE(event);
        REQUIRE(event->received.payload == std::to_string(i));
        REQUIRE(event->received.channel == (i % 2 == 0 ? "one" : "other"));
    }
    CHECK_FALSE(ear.next(0ms));
}

TEST_CASE_METHOD(channels, "a notification that comes while a channel is added is kept", "[session]") {
    listener ear(database.dsn(), {"news"});
    notify(sender, "news", "before");
    ear.listen("other");
    CHECK(next_payload(ear) == "before");
}

TEST_CASE_METHOD(channels, "when the deadline passes there is nothing", "[session]") {
    listener ear(database.dsn(), {"news"});
    auto const begun = std::chrono::steady_clock::now();
    CHECK_FALSE(ear.next(50ms));
    CHECK(std::chrono::steady_clock::now() - begun >= 50ms);
    notify(sender, "news", "later");
    CHECK(next_payload(ear) == "later");
}

TEST_CASE_METHOD(channels, "waiting ends when it is told to stop, and the listener goes on afterwards", "[session][concurrency]") {
    listener ear(database.dsn(), {"news"});
    std::stop_source source;
    std::jthread const stopper([&] {
        std::this_thread::sleep_for(50ms);
        source.request_stop();
    });
    CHECK_THROWS_AS(ear.next(60s, source.get_token()), isorow::stopped);
    notify(sender, "news", "later");
    CHECK(next_payload(ear) == "later");
}

TEST_CASE_METHOD(channels, "a channel is listened to from when listen returns", "[session]") {
    listener ear(database.dsn());
    CHECK(ear.channels().empty());
    ear.listen("news");
    notify(sender, "news", "heard");
    CHECK(next_payload(ear) == "heard");
    CHECK(ear.channels() == std::vector<std::string>{"news"});
}

TEST_CASE_METHOD(channels, "after unlisten nothing more comes", "[session]") {
    listener ear(database.dsn(), {"news", "other"});
    ear.unlisten("news");
    notify(sender, "news", "unheard");
    notify(sender, "other", "heard");
    CHECK(next_payload(ear) == "heard");
    CHECK(ear.channels() == std::vector<std::string>{"other"});
}

TEST_CASE_METHOD(channels, "channels are added and left by another thread while next waits", "[session][concurrency]") {
    listener ear(database.dsn(), {"first"});
    std::jthread const other([&] {
        std::this_thread::sleep_for(50ms);
        ear.listen("second");
        ear.unlisten("first");
        notify(sender, "first", "unheard");
        notify(sender, "second", "heard");
    });
    auto const event = ear.next(10s);
    CHECK(payload_of(event) == "heard");
    CHECK(ear.channels() == std::vector<std::string>{"second"});
}

TEST_CASE_METHOD(channels, "listen returns also where it meets the end of a next", "[session][concurrency]") {
    listener ear(database.dsn(), {}, {.connection = {.timeout = 2s}});
    for (int round = 0; round < 300; ++round) {
        std::jthread const waits([&] {
            try {
                static_cast<void>(ear.next(std::chrono::microseconds(200 + round % 50 * 10)));
            } catch (isorow::usage_error const&) {
                // The test after this one is about that.
            }
        });
        std::this_thread::sleep_for(std::chrono::microseconds(150 + round % 70 * 10));
        REQUIRE_NOTHROW(ear.listen("channel" + std::to_string(round % 3)));
    }
}

TEST_CASE_METHOD(channels, "a next that begins while another thread adds a channel is no error", "[session][concurrency]") {
    listener ear(database.dsn());
    std::atomic<int> refused{0};
    {
        std::jthread adds([&](std::stop_token const& stop) {
            while (!stop.stop_requested()) ear.listen("news");
        });
        for (int i = 0; i < 100; ++i) {
            std::this_thread::sleep_for(1ms);
            try {
                static_cast<void>(ear.next(100us));
            } catch (isorow::usage_error const&) {
                ++refused;
            }
        }
        adds.request_stop();
        // Whoever adds a channel just now may need somebody to wait.
        for (int i = 0; i < 20; ++i) {
            try {
                static_cast<void>(ear.next(10ms));
            } catch (isorow::usage_error const&) {
                ++refused;
            }
        }
    }
    CHECK(refused == 0);
}

TEST_CASE_METHOD(channels, "a channel's name is taken as it is", "[session]") {
    std::string long_name = R"(It's "quoted" ; -- $1 %s ü)";
    long_name.append(63 - long_name.size(), 'x');
    listener ear(database.dsn(), {"UPPER", "with \"quotes\" and 'apostrophes'"});
    ear.listen(long_name);
    notify(sender, "UPPER", "1");
    notify(sender, "upper", "unheard");
    notify(sender, "with \"quotes\" and 'apostrophes'", "2");
    notify(sender, long_name, "3");
    CHECK(next_payload(ear) == "1");
    CHECK(next_payload(ear) == "2");
    auto const event = ear.next(10s);
    REQUIRE(event);
    CHECK(event->received.channel == long_name);
}

TEST_CASE_METHOD(channels, "a channel's name that Postgres does not take is refused", "[session]") {
    listener ear(database.dsn());
    CHECK_THROWS_AS(ear.listen(std::string(64, 'x')), isorow::error);
    CHECK_THROWS_AS(ear.listen(""), isorow::error);
    CHECK_THROWS_AS(listener(database.dsn(), {std::string(64, 'x')}), isorow::error);
    CHECK(ear.channels().empty());
    CHECK_THROWS_AS(notify(sender, std::string(64, 'x')), isorow::usage_error);
    CHECK_THROWS_AS(notify(sender, ""), isorow::usage_error);
}

TEST_CASE_METHOD(channels, "when the connection is lost there is a gap, and then all channels go on", "[session]") {
    listener ear(database.dsn(), {"one"});
    ear.listen("other");
    kill(ear);
    auto const event = ear.next(10s);
    REQUIRE(event);
    CHECK(event->gap);
    CHECK(event->received.payload.empty());
    notify(sender, "one", "1");
    notify(sender, "other", "2");
    CHECK(next_payload(ear) == "1");
    CHECK(next_payload(ear) == "2");
    CHECK_FALSE(ear.next(0ms));
}

TEST_CASE_METHOD(channels, "a connection that is lost while next waits is made again", "[session][concurrency]") {
    listener ear(database.dsn(), {"news"});
    int const pid = ear.connection().backend_pid();
    std::jthread const killer([&] {
        std::this_thread::sleep_for(50ms);
        test::sql(test::dsn(), "SELECT pg_terminate_backend(" + std::to_string(pid) + ", 5000)");
    });
    CHECK(next_payload(ear) == "(gap)");
    notify(sender, "news", "after");
    CHECK(next_payload(ear) == "after");
    CHECK(ear.connection().backend_pid() != pid);
}

TEST_CASE_METHOD(channels, "what came before the loss is handed out, before or instead of nothing", "[session]") {
    listener ear(database.dsn(), {"news"});
    notify(sender, "news", "kept");
    notify(sender, "news", "kept too");
    CHECK(next_payload(ear) == "kept");
    kill(ear);
    auto const second = next_payload(ear);
    CHECK((second == "kept too" || second == "(gap)"));
    if (second == "kept too") CHECK(next_payload(ear) == "(gap)");
}

TEST_CASE_METHOD(channels, "a channel that is added after a loss is listened to on the new connection", "[session]") {
    listener ear(database.dsn(), {"one"});
    kill(ear);
    try {
        ear.listen("other");
    } catch (isorow::error const& lost) {
        CHECK(lost.retryable());
    }
    CHECK(ear.channels() == std::vector<std::string>{"one", "other"});
    CHECK(next_payload(ear) == "(gap)");
    notify(sender, "other", "heard");
    CHECK(next_payload(ear) == "heard");
}

TEST_CASE_METHOD(channels, "while the server cannot be reached next ends at its deadline, and later goes on", "[session]") {
    listener ear(database.dsn(), {"news"}, {.first_pause = 10ms, .longest_pause = 50ms});
    test::sql(test::dsn(), "ALTER DATABASE " + database.name() + " ALLOW_CONNECTIONS false");
    kill(ear);
    bool ended = false;
    try {
        ended = !ear.next(300ms).has_value();
    } catch (isorow::error const& failure) {
        ended = failure.retryable();
    }
    CHECK(ended);
    test::sql(test::dsn(), "ALTER DATABASE " + database.name() + " ALLOW_CONNECTIONS true");
    CHECK(next_payload(ear) == "(gap)");
    notify(sender, "news", "after");
    CHECK(next_payload(ear) == "after");
}

TEST_CASE_METHOD(channels, "listen does not wait for a next that nobody calls any more", "[session][concurrency]") {
    listener ear(database.dsn(), {"news"}, {.connection = {.timeout = 5s}, .first_pause = 10ms, .longest_pause = 50ms});
    test::sql(test::dsn(), "ALTER DATABASE " + database.name() + " ALLOW_CONNECTIONS false");
    kill(ear);
    std::jthread const waits([&] { static_cast<void>(ear.next(400ms)); });
    std::this_thread::sleep_for(100ms);
    auto const begun = std::chrono::steady_clock::now();
    try {
        ear.listen("other");
    } catch (isorow::error const& failure) {
        CHECK(failure.retryable());
    }
    CHECK(std::chrono::steady_clock::now() - begun < 3s);
    test::sql(test::dsn(), "ALTER DATABASE " + database.name() + " ALLOW_CONNECTIONS true");
}

TEST_CASE_METHOD(channels, "two threads in next are an error", "[session][concurrency]") {
    listener ear(database.dsn(), {"news"});
    std::stop_source source;
    std::jthread const waits([&] {
        try {
            static_cast<void>(ear.next(30s, source.get_token()));
        } catch (isorow::stopped const&) {
        }
    });
    std::this_thread::sleep_for(100ms);
    CHECK_THROWS_MATCHES(ear.next(1s), isorow::usage_error, test::says("by another thread already"));
    source.request_stop();
}

TEST_CASE_METHOD(channels, "a notification in a transaction comes when it is committed, not before", "[session]") {
    listener ear(database.dsn(), {"news"});
    {
        isorow::transaction work(sender);
        notify(work, "news", "committed");
        CHECK_FALSE(ear.next(100ms));
        work.commit();
    }
    CHECK(next_payload(ear) == "committed");
    {
        isorow::transaction const work(sender);
        notify(sender, "news", "rolled back");
    }
    CHECK_FALSE(ear.next(100ms));
}

TEST_CASE_METHOD(channels, "a payload may have almost 8000 bytes, and not one more", "[session]") {
    listener ear(database.dsn(), {"news"});
    std::string const longest(7999, 'x');
    notify(sender, "news", longest);
    CHECK(next_payload(ear) == longest);
    CHECK_THROWS_MATCHES(notify(sender, "news", longest + "x"), isorow::usage_error, test::says("less than 8000 bytes, not 8000"));
    CHECK(sender.is_idle());
}

TEST_CASE_METHOD(channels, "a payload may hold any text", "[session]") {
    listener ear(database.dsn(), {"news"});
    std::string const odd = "line\nbreak, 'quotes', \"more\", \\ and ü 🐘";
    notify(sender, "news", odd);
    CHECK(next_payload(ear) == odd);
}

TEST_CASE_METHOD(channels, "notifications on a connection that does not listen by a listener are kept for it", "[session]") {
    isorow::execute(sender, "LISTEN own");
    notify(sender, "own", "to myself");
    isorow::execute(sender, "SELECT 1");
    auto const received = sender.take_notification();
    REQUIRE(received);
    CHECK(received->payload == "to myself");
    CHECK_FALSE(sender.take_notification());
}

TEST_CASE_METHOD(channels, "many senders are all heard while channels come and go", "[session][concurrency]") {
    listener ear(database.dsn(), {"steady"});
    {
        std::vector<std::jthread> threads;
        for (int sender_number = 0; sender_number < 4; ++sender_number) {
            threads.emplace_back([&, sender_number] {
                auto own = test::connect(database.dsn());
                for (int i = 0; i < 100; ++i) notify(own, "steady", std::to_string(sender_number * 100 + i));
            });
        }
        threads.emplace_back([&] {
            for (int i = 0; i < 50; ++i) {
                ear.listen("passing");
                ear.unlisten("passing");
            }
        });
        std::set<std::string> heard;
        for (auto const end = std::chrono::steady_clock::now() + 60s; heard.size() < 400 && std::chrono::steady_clock::now() < end;)
            if (auto const event = next_of(ear, 1s)) heard.insert(event->received.payload);
        CHECK(heard.size() == 400);
        // Whoever adds channels may need somebody to wait.
        for (int i = 0; i < 20; ++i) static_cast<void>(next_of(ear, 10ms));
    }
    CHECK(ear.channels() == std::vector<std::string>{"steady"});
}
