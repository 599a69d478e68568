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

std::int64_t with_libpq(std::string const& dsn, std::vector<Narrow> const& rows, std::int64_t count) {
    by_hand::copy_in copy(dsn, "COPY narrow_in (id, name, value, at) FROM STDIN (FORMAT binary)");
    char* place = copy.begin();
    for (std::int64_t i = 0; i < count; ++i) {
        auto const& row = rows[static_cast<std::size_t>(i)];
        place = copy.make_room(place, 2 + 4 * 4 + 3 * 8 + row.name.size());
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
        place = copy.put_when_full(place);
    }
    return copy.finish(place);
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
