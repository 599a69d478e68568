#include "by_hand.hpp"
#include "contender.hpp"

#if defined(ISOROW_BENCH_PQXX)
#include <pqxx/pqxx>
#endif

namespace {

std::string sql(std::int64_t count) { return "SELECT id, name, value, at FROM narrow_" + std::to_string(count); }

std::int64_t with_isorow(std::string const& dsn, std::vector<Narrow> const&, std::int64_t count) {
    isorow::connection connection(dsn);
    Sum sum;
    for (Narrow const& row : isorow::stream<Narrow>(connection, sql(count))) sum.add(row);
    return sum.total != 0 ? sum.rows : 0;
}

/// Chunks of 256 rows in binary, each value's length and NULL checked, a string built for each row.
std::int64_t with_libpq(std::string const& dsn, std::vector<Narrow> const&, std::int64_t count) {
    auto const connection = by_hand::connect(dsn);
    if (PQsendQueryParams(connection.get(), sql(count).c_str(), 0, nullptr, nullptr, nullptr, nullptr, 1) != 1)
        by_hand::fail(connection.get());
    if (PQsetChunkedRowsMode(connection.get(), 256) != 1) by_hand::fail(connection.get());
    Sum sum;
    while (auto* const next = PQgetResult(connection.get())) {
        by_hand::owned_result const chunk(next, &PQclear);
        if (PQresultStatus(next) != PGRES_TUPLES_CHUNK && PQresultStatus(next) != PGRES_TUPLES_OK) by_hand::fail(connection.get());
        int const rows = PQntuples(next);
        for (int i = 0; i < rows; ++i) {
            for (int column = 0; column < 4; ++column)
                if (PQgetisnull(next, i, column) != 0) throw std::runtime_error("NULL");
            Narrow row;
            if (PQgetlength(next, i, 0) != 8) throw std::runtime_error("no bigint");
            row.id = static_cast<std::int64_t>(by_hand::get64(PQgetvalue(next, i, 0)));
            row.name.assign(PQgetvalue(next, i, 1), static_cast<std::size_t>(PQgetlength(next, i, 1)));
            if (PQgetlength(next, i, 2) != 8) throw std::runtime_error("no double");
            row.value = std::bit_cast<double>(by_hand::get64(PQgetvalue(next, i, 2)));
            if (PQgetlength(next, i, 3) != 8) throw std::runtime_error("no timestamp");
            row.at = decltype(row.at)(
                std::chrono::microseconds(static_cast<std::int64_t>(by_hand::get64(PQgetvalue(next, i, 3))) + postgres_epoch_microseconds));
            sum.add(row);
        }
    }
    return sum.total != 0 ? sum.rows : 0;
}

#if defined(ISOROW_BENCH_PQXX)
/// The whole result in text, as its query() gives it.
std::int64_t with_libpqxx(std::string const& dsn, std::vector<Narrow> const&, std::int64_t count) {
    pqxx::connection connection(dsn);
    pqxx::work work(connection);
    std::int64_t rows = 0;
    std::int64_t total = 0;
    for (auto const& [id, name, value, at] : work.query<std::int64_t, std::string, double, std::string>(sql(count))) {
        ++rows;
        total += id + static_cast<std::int64_t>(name.size() + at.size()) + static_cast<std::int64_t>(value);
    }
    return total != 0 ? rows : 0;
}
#endif

}  // namespace

void add_select(std::vector<Contender>& contenders) {
    contenders.push_back({"select", "isorow", &with_isorow});
    contenders.push_back({"select", "libpq", &with_libpq});
#if defined(ISOROW_BENCH_PQXX)
    contenders.push_back({"select", "libpqxx", &with_libpqxx});
#endif
}
