#include "by_hand.hpp"
#include "contender.hpp"

namespace {

std::string slot_of(std::int64_t count) { return "bench_" + std::to_string(count); }
std::string table_of(std::int64_t count) { return "replicated_" + std::to_string(count); }

/// Nothing is confirmed, so that the slot gives the same changes again.
std::int64_t with_isorow(std::string const& dsn, std::vector<Narrow> const&, std::int64_t count) {
    isorow::changes<Narrow> stream(dsn, {.slot = slot_of(count), .publication = "bench", .table = table_of(count)});
    auto const limits = isorow::limits::within(std::chrono::minutes(10));
    Sum sum;
    while (auto const* const event = stream.next(limits)) {
        if (event->kind == isorow::change_kind::insert) sum.add(event->row);
        if (event->kind == isorow::change_kind::commit) break;
    }
    return sum.total != 0 ? sum.rows : 0;
}

/// An insert of the narrow table: relation, N, four columns in binary. Each length is checked, a string built for each row.
void add_insert(char const* place, char const* end, Sum& sum) {
    auto const need = [&](std::size_t bytes) {
        if (static_cast<std::size_t>(end - place) < bytes) throw std::runtime_error("a change that is cut");
    };
    need(7);
    if (place[4] != 'N' || by_hand::get16(place + 5) != 4) throw std::runtime_error("a change of another table");
    place += 7;
    auto const field = [&](char const*& value) {
        need(5);
        if (*place != 'b') throw std::runtime_error("a value that is not binary");
        auto const length = by_hand::get32(place + 1);
        place += 5;
        need(length);
        value = place;
        place += length;
        return length;
    };
    sum.add(by_hand::narrow_row(field));
}

/// PQgetCopyData and no more: it answers no keepalive, knows one table, and is told nothing of what a column is.
std::int64_t with_libpq(std::string const& dsn, std::vector<Narrow> const&, std::int64_t count) {
    auto const connection = by_hand::connect(dsn + (dsn.find('?') == std::string::npos ? "?" : "&") + "replication=database");
    auto const sql =
        "START_REPLICATION SLOT " + slot_of(count) + " LOGICAL 0/0 (proto_version '1', publication_names 'bench', binary 'true')";
    by_hand::expect(connection.get(), PQexec(connection.get(), sql.c_str()), PGRES_COPY_BOTH);
    constexpr int header = 25;  // w and three numbers
    Sum sum;
    bool ended = false;
    char* data = nullptr;
    for (int size = 0; !ended && (size = PQgetCopyData(connection.get(), &data, 0)) > 0; PQfreemem(data)) {
        if (data[0] != 'w') continue;
        if (size <= header) throw std::runtime_error("a frame that is cut");
        if (data[header] == 'I') add_insert(data + header + 1, data + size, sum);
        ended = data[header] == 'C';
    }
    PQputCopyEnd(connection.get(), nullptr);
    PQflush(connection.get());
    while (PQgetCopyData(connection.get(), &data, 0) > 0) PQfreemem(data);
    while (auto* const last = PQgetResult(connection.get())) PQclear(last);
    return sum.total != 0 ? sum.rows : 0;
}

}  // namespace

void add_replication(std::vector<Contender>& contenders) {
    contenders.push_back({"replication", "isorow", &with_isorow});
    contenders.push_back({"replication", "libpq", &with_libpq});
}

void make_replicated_tables(std::string const& dsn, std::vector<std::int64_t> const& sizes) {
    isorow::pool db(dsn);
    std::vector<isorow::published_table> tables;
    for (auto const size : sizes) {
        auto const name = table_of(size);
        isorow::execute(db, "DROP TABLE IF EXISTS " + name);
        isorow::execute(db, "CREATE TABLE " + name +
                                " (id bigint PRIMARY KEY, name text NOT NULL, value double precision NOT NULL, at timestamptz NOT NULL)");
        tables.push_back({"public", name});
    }
    isorow::drop_publication(db, "bench", true);
    isorow::create_publication(db, "bench", tables);
    for (auto const size : sizes) {
        isorow::drop_slot(db, slot_of(size), {.missing_ok = true});
        static_cast<void>(isorow::create_slot(db, slot_of(size)));
        isorow::execute(db,
                        "INSERT INTO " + table_of(size) +
                            " SELECT g, 'name of ' || (1000000 + g), 0.5 * g, '2023-11-14 22:13:20+00'::timestamptz + g * interval '1 "
                            "microsecond' FROM generate_series(0, $1 - 1) g",
                        size);
    }
}

void drop_replicated_tables(std::string const& dsn, std::vector<std::int64_t> const& sizes) {
    isorow::pool db(dsn);
    isorow::drop_publication(db, "bench", true);
    for (auto const size : sizes) {
        isorow::drop_slot(db, slot_of(size), {.missing_ok = true});
        isorow::execute(db, "DROP TABLE IF EXISTS " + table_of(size));
    }
}
