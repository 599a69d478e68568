// A replication connection and its stream, without structs.

#include <catch2/catch_test_macros.hpp>

#include <isorow/pq/replication.hpp>
#include <isorow/pq/statement.hpp>
#include <support/faults.hpp>
#include <support/matchers.hpp>
#include <support/own_server.hpp>

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <variant>

using namespace std::chrono_literals;
namespace pgoutput = isorow::pgoutput;

namespace {

isorow::limits soon() { return isorow::limits::within(60s); }

/// Takes frames until the limits end it.
void take_all(isorow::detail::replication_stream& stream, isorow::limits const& limits) {
    for (bool comes = true; comes;) comes = stream.receive(limits).has_value();
}

/// A table, a publication and a temporary slot with a stream of it.
struct streamed {
    test::database database{};
    std::unique_ptr<isorow::detail::replication_stream> stream{};

    explicit streamed(std::string const& name) {
        database.sql("CREATE TABLE t (id bigint PRIMARY KEY); CREATE PUBLICATION \"all \"\"'s\" FOR TABLE t");
        isorow::replication_connection connection(database.dsn());
        static_cast<void>(connection.create_slot({.name = name, .temporary = true}, soon()));
        stream = std::make_unique<isorow::detail::replication_stream>(
            std::move(connection.connection()), isorow::stream_request{.slot = name, .publications = {"all \"'s"}}, soon());
    }

    /// The next message that is not a keepalive.
    pgoutput::any_message next() {
        for (;;) {
            auto const frame = stream->receive(soon());
            if (!frame) throw std::runtime_error("nothing came");
            if (auto const* const data = std::get_if<pgoutput::wal_data>(&*frame))
                return pgoutput::decode(isorow::byte_reader(data->message), false);
        }
    }
};

}  // namespace

TEST_CASE("a slot is made with a snapshot that shows the tables as they are where it begins") {
    test::database const database;
    database.sql("CREATE TABLE t AS SELECT 1 AS id");
    isorow::replication_connection connection(database.dsn());
    auto const made = connection.create_slot({.name = "with_snapshot", .temporary = true}, soon());
    CHECK(made.name == "with_snapshot");
    CHECK(made.consistent_point.value > 0);
    database.sql("INSERT INTO t VALUES (2)");

    isorow::connection reader(database.dsn());
    test::run(reader, "BEGIN ISOLATION LEVEL REPEATABLE READ; SET TRANSACTION SNAPSHOT '" + made.snapshot + "'");
    CHECK(test::value(reader, "SELECT count(*) FROM t") == "1");
}

TEST_CASE("a slot that was made is there until it is dropped") {
    test::database const database;
    isorow::replication_connection connection(database.dsn());
    auto const made = connection.create_slot({.name = "to_drop", .export_snapshot = false}, soon());
    CHECK(made.snapshot.empty());
    CHECK(database.sql("SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'to_drop'") == "1");
    connection.drop_slot("to_drop", true, soon());
    CHECK(database.sql("SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'to_drop'") == "0");
}

TEST_CASE("the server's refusals keep their SQLSTATE") {
    test::database const database;
    isorow::replication_connection connection(database.dsn());
    auto const sqlstate_of = [&](isorow::slot_request const& request) {
        return test::outcome_of([&] { static_cast<void>(connection.create_slot(request, soon())); }).sqlstate;
    };
    CHECK(sqlstate_of({.name = "Upper"}) == "42602");
    static_cast<void>(connection.create_slot({.name = "twice", .temporary = true}, soon()));
    CHECK(sqlstate_of({.name = "twice"}) == "42710");

    auto const started = test::outcome_of([&] {
        isorow::replication_connection other(database.dsn());
        isorow::detail::replication_stream const stream(std::move(other.connection()), {.slot = "not_there", .publications = {"none"}},
                                                        soon());
    });
    CHECK(started.sqlstate == "42704");
}

TEST_CASE("a stream gives messages in binary, of publications of any name") {
    streamed one("gives_messages");
    one.database.sql("INSERT INTO t VALUES (7)");
    CHECK(std::holds_alternative<pgoutput::begin>(one.next()));
    CHECK(std::get<pgoutput::relation>(one.next()).name == "t");
    auto const inserted = one.next();
    CHECK((*std::get<pgoutput::insert>(inserted).row.begin()).kind == pgoutput::column_kind::binary);
    CHECK(std::holds_alternative<pgoutput::commit>(one.next()));
}

TEST_CASE("receiving ends at its deadline or by a stop, and goes on") {
    streamed one("goes_on");
    take_all(*one.stream, isorow::limits::within(300ms));
    std::stop_source stop;
    std::jthread const later([&] {
        std::this_thread::sleep_for(100ms);
        stop.request_stop();
    });
    CHECK_THROWS_AS(take_all(*one.stream, isorow::limits::until_stopped(stop.get_token())), isorow::stopped);
    one.database.sql("INSERT INTO t VALUES (7)");
    CHECK(std::holds_alternative<pgoutput::begin>(one.next()));
}

TEST_CASE("a stream that is ended frees its slot") {
    streamed one("is_freed");
    one.stream->end(soon());
    CHECK(one.database.sql("SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'is_freed'") == "0");  // it was temporary
    CHECK_THROWS_AS(static_cast<void>(one.stream->receive(soon())), isorow::usage_error);
}

TEST_CASE("a server that does not answer is told from one that has nothing to say") {
    test::database const database;
    database.sql("CREATE TABLE t (id bigint PRIMARY KEY); CREATE PUBLICATION p FOR TABLE t");
    isorow::replication_connection connection(database.dsn());
    static_cast<void>(connection.create_slot({.name = "frozen", .temporary = true}, soon()));
    auto const pid = connection.connection().backend_pid();
    isorow::detail::replication_stream stream(std::move(connection.connection()), {.slot = "frozen", .publications = {"p"}, .silence = 4s},
                                              soon());
    take_all(stream, isorow::limits::within(6s));  // longer than the silence: it answers
    test::frozen const still(pid);
    auto const ended = test::outcome_of([&] { take_all(stream, soon()); });
    CHECK(ended.how == test::ended::by_loss);
    CHECK(ended.text.find("has not answered for 4000 ms") != std::string::npos);
}
