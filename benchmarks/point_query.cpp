#include "by_hand.hpp"
#include "contender.hpp"

#include <isorow/query/stack.hpp>

#include <poll.h>

#include <numeric>

// Rows by key, one query each, over the Unix socket: each waited for before the next, and many in a pipeline.

namespace {

constexpr auto sql = "SELECT id, name, value, at FROM narrow_keyed WHERE id = $1";

/// Keys spread over the table.
std::int64_t key_of(std::int64_t i) { return i * 7919 % point_query_rows; }

std::string socket_dsn(std::string const& dsn) {
    isorow::connection connection(dsn);
    auto const folder = isorow::scalar<std::string>(connection, "SELECT split_part(current_setting('unix_socket_directories'), ',', 1)");
    auto const port = isorow::scalar<std::string>(connection, "SELECT current_setting('port')");
    return "host=" + folder + " port=" + port + " user=postgres dbname=postgres";
}

std::int64_t serial_isorow(std::string const& dsn, std::vector<Narrow> const&, std::int64_t count) {
    isorow::connection connection(socket_dsn(dsn));
    Sum sum;
    for (std::int64_t i = 0; i < count; ++i)
        sum.add(isorow::query_one<Narrow>(connection, "SELECT id, name, value, at FROM narrow_keyed WHERE id = $1", key_of(i)));
    return sum.rows;
}

/// The answer's columns as a struct, each value's length and NULL checked.
void add_answer(PGresult* answer, Sum& sum) {
    for (int column = 0; column < 4; ++column)
        if (PQgetisnull(answer, 0, column) != 0) throw std::runtime_error("NULL");
    Narrow row;
    if (PQgetlength(answer, 0, 0) != 8 || PQgetlength(answer, 0, 2) != 8 || PQgetlength(answer, 0, 3) != 8)
        throw std::runtime_error("another type");
    row.id = static_cast<std::int64_t>(by_hand::get64(PQgetvalue(answer, 0, 0)));
    row.name.assign(PQgetvalue(answer, 0, 1), static_cast<std::size_t>(PQgetlength(answer, 0, 1)));
    row.value = std::bit_cast<double>(by_hand::get64(PQgetvalue(answer, 0, 2)));
    row.at = decltype(row.at)(
        std::chrono::microseconds(static_cast<std::int64_t>(by_hand::get64(PQgetvalue(answer, 0, 3))) + postgres_epoch_microseconds));
    sum.add(row);
}

struct Key {
    explicit Key(std::int64_t value) {
        char* place = bytes;
        by_hand::put64(place, static_cast<std::uint64_t>(value));
    }
    char bytes[8];
    char const* values[1] = {bytes};
    int const lengths[1] = {8};
    int const formats[1] = {1};
};

by_hand::owned_connection connect_and_prepare(std::string const& dsn) {
    auto connection = by_hand::connect(socket_dsn(dsn));
    Oid const type = 20;
    by_hand::expect(connection.get(), PQprepare(connection.get(), "point", sql, 1, &type), PGRES_COMMAND_OK);
    return connection;
}

/// Prepared, binary, with a deadline of its own for each wait, as the socket is polled by hand.
std::int64_t serial_libpq(std::string const& dsn, std::vector<Narrow> const&, std::int64_t count) {
    auto const owner = connect_and_prepare(dsn);
    auto* const connection = owner.get();
    PQsetnonblocking(connection, 1);
    Sum sum;
    for (std::int64_t i = 0; i < count; ++i) {
        Key const key(key_of(i));
        if (PQsendQueryPrepared(connection, "point", 1, key.values, key.lengths, key.formats, 1) != 1) by_hand::fail(connection);
        auto const deadline = std::chrono::steady_clock::now() + std::chrono::minutes(10);
        for (;;) {
            if (PQflush(connection) < 0) by_hand::fail(connection);
            if (PQisBusy(connection) == 0) break;
            auto const left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
            pollfd ready{PQsocket(connection), POLLIN, 0};
            if (::poll(&ready, 1, static_cast<int>(left)) <= 0) throw std::runtime_error("late");
            if (PQconsumeInput(connection) == 0) by_hand::fail(connection);
        }
        by_hand::owned_result const answer(PQgetResult(connection), &PQclear);
        if (PQresultStatus(answer.get()) != PGRES_TUPLES_OK || PQntuples(answer.get()) != 1) by_hand::fail(connection);
        add_answer(answer.get(), sum);
        while (auto* const rest = PQgetResult(connection)) PQclear(rest);
    }
    return sum.rows;
}

std::int64_t pipelined_isorow(std::string const& dsn, std::vector<Narrow> const&, std::int64_t count) {
    isorow::connection connection(socket_dsn(dsn));
    std::vector<std::int64_t> keys(static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count; ++i) keys[static_cast<std::size_t>(i)] = key_of(i);
    Sum sum;
    for (auto const& row : isorow::query_many<Narrow>(connection, "SELECT id, name, value, at FROM narrow_keyed WHERE id = $1", keys))
        sum.add(row);
    return sum.rows;
}

/// Pipelines of 1024 queries each.
std::int64_t pipelined_libpq(std::string const& dsn, std::vector<Narrow> const&, std::int64_t count) {
    auto const owner = connect_and_prepare(dsn);
    auto* const connection = owner.get();
    if (PQenterPipelineMode(connection) != 1) by_hand::fail(connection);
    Sum sum;
    for (std::int64_t done = 0; done < count;) {
        auto const end = std::min<std::int64_t>(count, done + 1024);
        for (auto i = done; i < end; ++i) {
            Key const key(key_of(i));
            if (PQsendQueryPrepared(connection, "point", 1, key.values, key.lengths, key.formats, 1) != 1) by_hand::fail(connection);
        }
        if (PQpipelineSync(connection) != 1) by_hand::fail(connection);
        for (; done < end; ++done) {
            by_hand::owned_result const answer(PQgetResult(connection), &PQclear);
            if (PQresultStatus(answer.get()) != PGRES_TUPLES_OK) by_hand::fail(connection);
            add_answer(answer.get(), sum);
            if (PQgetResult(connection) != nullptr) by_hand::fail(connection);
        }
        by_hand::expect(connection, PQgetResult(connection), PGRES_PIPELINE_SYNC);
    }
    return sum.rows;
}

}  // namespace

void make_point_query_table(std::string const& dsn) {
    isorow::connection connection(dsn);
    isorow::execute(connection, "DROP TABLE IF EXISTS narrow_keyed");
    isorow::execute(
        connection,
        "CREATE UNLOGGED TABLE narrow_keyed AS SELECT g::bigint AS id, 'name of ' || (1000000 + g) AS name, 0.5::float8 * g AS value,"
        " '2023-11-14 22:13:20+00'::timestamptz + g * interval '1 microsecond' AS at FROM generate_series(0, $1 - 1) g",
        point_query_rows);
    isorow::execute(connection, "CREATE UNIQUE INDEX ON narrow_keyed (id)");
    isorow::execute(connection, "ANALYZE narrow_keyed");
}

void add_point_query(std::vector<Contender>& contenders) {
    contenders.push_back({"point", "isorow", &serial_isorow});
    contenders.push_back({"point", "libpq", &serial_libpq});
    contenders.push_back({"pipeline", "isorow", &pipelined_isorow});
    contenders.push_back({"pipeline", "libpq", &pipelined_libpq});
}
