#include "by_hand.hpp"
#include "contender.hpp"

#if defined(ISOROW_BENCH_PQXX)
#include <pqxx/pqxx>
#endif

namespace {

std::int64_t with_isorow(std::string const& dsn, std::vector<Narrow> const& rows, std::int64_t count) {
    isorow::connection connection(dsn);
    isorow::copy_writer<Narrow> writer(connection, "public", "narrow_in");
    for (std::int64_t i = 0; i < count; ++i) writer.write(rows[static_cast<std::size_t>(i)]);
    return writer.finish();
}

/// One buffer, big-endian stores, a put at 64 KiB.
std::int64_t with_libpq(std::string const& dsn, std::vector<Narrow> const& rows, std::int64_t count) {
    auto const connection = by_hand::connect(dsn);
    by_hand::expect(connection.get(), PQexec(connection.get(), "COPY narrow_in (id, name, value, at) FROM STDIN (FORMAT binary)"),
                    PGRES_COPY_IN);
    constexpr std::size_t full = 64 * 1024;
    std::vector<char> buffer(2 * full);
    char* place = buffer.data();
    std::memcpy(place, "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
    place += 19;
    auto const flush = [&] {
        if (PQputCopyData(connection.get(), buffer.data(), static_cast<int>(place - buffer.data())) != 1) by_hand::fail(connection.get());
        place = buffer.data();
    };
    for (std::int64_t i = 0; i < count; ++i) {
        auto const& row = rows[static_cast<std::size_t>(i)];
        auto const needed = 2 + 4 * 4 + 3 * 8 + row.name.size();
        if (static_cast<std::size_t>(place - buffer.data()) + needed > buffer.size()) {
            flush();
            if (needed > buffer.size()) {
                buffer.resize(needed);
                place = buffer.data();
            }
        }
        by_hand::put16(place, 4);
        by_hand::put32(place, 8);
        by_hand::put64(place, static_cast<std::uint64_t>(row.id));
        by_hand::put32(place, static_cast<std::uint32_t>(row.name.size()));
        std::memcpy(place, row.name.data(), row.name.size());
        place += row.name.size();
        by_hand::put32(place, 8);
        by_hand::put64(place, std::bit_cast<std::uint64_t>(row.value));
        by_hand::put32(place, 8);
        by_hand::put64(place, static_cast<std::uint64_t>(row.at.time_since_epoch().count() - postgres_epoch_microseconds));
        if (static_cast<std::size_t>(place - buffer.data()) >= full) flush();
    }
    by_hand::put16(place, 0xffff);
    flush();
    if (PQputCopyEnd(connection.get(), nullptr) != 1) by_hand::fail(connection.get());
    by_hand::owned_result const end(PQgetResult(connection.get()), &PQclear);
    if (PQresultStatus(end.get()) != PGRES_COMMAND_OK) by_hand::fail(connection.get());
    return std::stoll(PQcmdTuples(end.get()));
}

#if defined(ISOROW_BENCH_PQXX)
/// Its stream writes text; times go as the text that the server reads.
std::int64_t with_libpqxx(std::string const& dsn, std::vector<Narrow> const& rows, std::int64_t count) {
    pqxx::connection connection(dsn);
    pqxx::work work(connection);
    auto stream = pqxx::stream_to::table(work, {"narrow_in"}, {"id", "name", "value", "at"});
    for (std::int64_t i = 0; i < count; ++i) {
        auto const& row = rows[static_cast<std::size_t>(i)];
        stream.write_values(row.id, row.name, row.value, to_string(isorow::timestamptz(row.at)));
    }
    stream.complete();
    work.commit();
    return count;
}
#endif

}  // namespace

void add_copy_in(std::vector<Contender>& contenders) {
    contenders.push_back({"copy_in", "isorow", &with_isorow});
    contenders.push_back({"copy_in", "libpq", &with_libpq});
#if defined(ISOROW_BENCH_PQXX)
    contenders.push_back({"copy_in", "libpqxx", &with_libpqxx});
#endif
}
