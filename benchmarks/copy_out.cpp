#include "by_hand.hpp"
#include "contender.hpp"

#if defined(ISOROW_BENCH_PQXX)
#include <pqxx/pqxx>
#endif

namespace {

std::int64_t with_isorow(std::string const& dsn, std::vector<Narrow> const&, std::int64_t count) {
    isorow::connection connection(dsn);
    isorow::copy_reader<Narrow> reader(connection, "public", "narrow_" + std::to_string(count));
    Sum sum;
    for (Narrow row; reader.next(row);) sum.add(row);
    return sum.total != 0 ? sum.rows : 0;
}

/// The same row, whose text refers to the memory of its batch.
struct NarrowView {
    std::int64_t id;
    std::string_view name;
    double value;
    std::chrono::sys_time<std::chrono::microseconds> at;

    static consteval auto isorow_table() { return isorow::table("narrow"); }
};

std::int64_t with_batches(std::string const& dsn, std::vector<Narrow> const&, std::int64_t count) {
    isorow::connection connection(dsn);
    isorow::source<NarrowView> const source(connection, {.table = "narrow_" + std::to_string(count)});
    Sum sum;
    for (auto const& batch : source.batches())
        for (auto const& row : batch) sum.add(row);
    return sum.total != 0 ? sum.rows : 0;
}

/// PQgetCopyData, each length checked, a string built for each row.
std::int64_t with_libpq(std::string const& dsn, std::vector<Narrow> const&, std::int64_t count) {
    auto const connection = by_hand::connect(dsn);
    auto const sql = "COPY (SELECT id, name, value, at FROM narrow_" + std::to_string(count) + ") TO STDOUT (FORMAT binary)";
    by_hand::expect(connection.get(), PQexec(connection.get(), sql.c_str()), PGRES_COPY_OUT);
    Sum sum;
    bool header = true;
    char* data = nullptr;
    for (int size = 0; (size = PQgetCopyData(connection.get(), &data, 0)) > 0; PQfreemem(data)) {
        char const* place = data;
        char const* const end = data + size;
        if (header) {
            if (size < 19 || std::memcmp(place, "PGCOPY\n\377\r\n\0", 11) != 0) throw std::runtime_error("no header");
            place += 19 + by_hand::get32(place + 15);
            header = false;
        }
        auto const need = [&](std::size_t bytes) {
            if (static_cast<std::size_t>(end - place) < bytes) throw std::runtime_error("a row that is cut");
        };
        need(2);
        auto const fields = by_hand::get16(place);
        place += 2;
        if (fields == 0xffff) continue;
        if (fields != 4) throw std::runtime_error("a row of another table");
        auto const field = [&](char const*& value) {
            need(4);
            auto const length = by_hand::get32(place);
            place += 4;
            if (length == 0xffffffff) throw std::runtime_error("NULL");
            need(length);
            value = place;
            place += length;
            return length;
        };
        sum.add(by_hand::narrow_row(field));
    }
    by_hand::expect(connection.get(), PQgetResult(connection.get()), PGRES_COMMAND_OK);
    return sum.total != 0 ? sum.rows : 0;
}

#if defined(ISOROW_BENCH_PQXX)
/// Its stream is a COPY in text; the time is left as text, as libpqxx has no conversion for it.
std::int64_t with_libpqxx(std::string const& dsn, std::vector<Narrow> const&, std::int64_t count) {
    pqxx::connection connection(dsn);
    pqxx::work work(connection);
    std::int64_t rows = 0;
    std::int64_t total = 0;
    for (auto const& [id, name, value, at] :
         work.stream<std::int64_t, std::string, double, std::string>("SELECT id, name, value, at FROM narrow_" + std::to_string(count))) {
        ++rows;
        total += id + static_cast<std::int64_t>(name.size() + at.size()) + static_cast<std::int64_t>(value);
    }
    return total != 0 ? rows : 0;
}
#endif

}  // namespace

void add_copy_out(std::vector<Contender>& contenders) {
    contenders.push_back({"copy_out", "isorow", &with_isorow});
    contenders.push_back({"copy_out", "batches", &with_batches});
    contenders.push_back({"copy_out", "libpq", &with_libpq});
#if defined(ISOROW_BENCH_PQXX)
    contenders.push_back({"copy_out", "libpqxx", &with_libpqxx});
#endif
}
