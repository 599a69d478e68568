#include "by_hand.hpp"
#include "measure/measure.hpp"
#include "synchronise.hpp"

#include <isorow/query/query.hpp>
#include <isorow/query/stack.hpp>
#include <isorow/records/store.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

// Documents of about 500 bytes in a table with a key and GIN indexes, beside a bare COPY of the same rows into the same table, and their
// reading by ids.

namespace {

/// The documents of a batch: each goes through the benchmark with new ids, again and again.
constexpr std::size_t batch_size = 20'000;

std::vector<isorow::record> make_records() {
    std::vector<isorow::record> records(batch_size);
    for (std::size_t i = 0; i < records.size(); ++i) {
        auto const number = static_cast<std::int64_t>(i);
        auto const name = "customer " + std::to_string(1'000'000 + i);
        records[i].fields = {
            {"name", name},
            {"email", "customer" + std::to_string(i) + "@example.org"},
            {"age", 18 + number % 70},
            {"balance", 0.25 * static_cast<double>(number)},
            {"active", number % 3 != 0},
            {"tags", {"tag " + std::to_string(number % 50), "tag " + std::to_string(number % 7)}},
            {"address", {{"street", std::to_string(number % 300) + " Main Street"}, {"city", "city " + std::to_string(number % 1000)}}},
            {"note", std::string(230, static_cast<char>('a' + number % 26))}};
        records[i].metadata = {{"source", "import"}, {"version", number % 5}};
    }
    return records;
}

struct Texts {
    std::string fields;
    std::string metadata;
};

/// A COPY of texts that are there already, as one who has them would write it.
void copy_by_hand(std::string const& dsn, std::vector<Texts> const& texts, std::int64_t count) {
    by_hand::copy_in copy(dsn, "COPY records (id, fields, metadata) FROM STDIN (FORMAT binary)");
    char* place = copy.begin();
    auto const put_document = [&place](std::string const& text) {
        by_hand::put32(place, static_cast<std::uint32_t>(text.size() + 1));
        *place++ = 1;  // the version of jsonb's binary format
        std::memcpy(place, text.data(), text.size());
        place += text.size();
    };
    for (std::int64_t i = 0; i < count; ++i) {
        auto const& row = texts[static_cast<std::size_t>(i) % texts.size()];
        place = copy.make_room(place, 2 + 3 * 4 + 16 + 2 + row.fields.size() + row.metadata.size());
        by_hand::put16(place, 3);
        auto const id = isorow::records::detail::new_id();
        by_hand::put32(place, 16);
        std::memcpy(place, id.bytes().data(), 16);
        place += 16;
        put_document(row.fields);
        put_document(row.metadata);
        place = copy.put_when_full(place);
    }
    copy.finish(place);
}

/// The times of two ways in turn, and the median of the rounds' ratios.
template <class First, class Second>
double ratio_of(int rounds, First const& first, Second const& second, std::array<std::vector<double>, 2>& seconds) {
    std::vector<double> ratios;
    for (int round = 0; round < rounds; ++round) {
        for (int turn = 0; turn < 2; ++turn) {
            auto const which = (round + turn) % 2;
            seconds[static_cast<std::size_t>(which)].push_back(which == 0 ? first() : second());
        }
        ratios.push_back(seconds[0].back() / seconds[1].back());
    }
    return median(ratios);
}

}  // namespace

void measure_records(std::string const& dsn, bool quick, std::vector<Figure>& figures) {
    std::int64_t const count = quick ? 60'000 : 1'000'000;
    int const rounds = quick ? 1 : 3;
    isorow::pool db(dsn);
    isorow::execute(db, "DROP TABLE IF EXISTS records");
    isorow::record_store const store(db);
    auto const records = make_records();
    std::vector<Texts> texts;
    for (auto const& one : records) texts.push_back({isorow::to_json_text(one.fields), isorow::to_json_text(one.metadata)});
    std::size_t bytes = 0;
    for (auto const& one : texts) bytes += one.fields.size() + one.metadata.size();
    figures.push_back(
        {"records", "jsonb", "both", "bytes_per_record", static_cast<double>(bytes) / static_cast<double>(texts.size()), "bytes"});

    auto const timed = [&](auto const& work) {
        isorow::execute(db, "TRUNCATE records");
        isorow::execute(db, "CHECKPOINT");
        auto const before = wall_seconds();
        work();
        return wall_seconds() - before;
    };
    std::vector<isorow::uuid> ids;
    auto const by_store = [&] {
        return timed([&] {
            ids.clear();
            for (std::int64_t done = 0; done < count; done += static_cast<std::int64_t>(batch_size)) {
                auto const made = store.create_batch(records);
                ids.insert(ids.end(), made.begin(), made.end());
            }
        });
    };
    auto const by_copy = [&] { return timed([&] { copy_by_hand(dsn, texts, count); }); };
    std::array<std::vector<double>, 2> writing;
    auto const times_copy = ratio_of(rounds, by_store, by_copy, writing);
    figures.push_back({"records", "jsonb", "isorow", "create_seconds", median(writing[0]), "s"});
    figures.push_back({"records", "jsonb", "copy", "create_seconds", median(writing[1]), "s"});
    figures.push_back({"records", "jsonb", "isorow", "times_bare_copy", times_copy, "times", at_most(1.3)});

    // Reading: by a thousand ids, each time others, and as point queries in a pipeline.
    by_store();
    isorow::execute(db, "VACUUM (ANALYZE) records");
    std::vector<isorow::uuid> wanted;
    auto const reads = static_cast<std::size_t>(quick ? 20'000 : 100'000);
    for (std::size_t i = 0; i < reads; ++i) wanted.push_back(ids[i * 7919 % ids.size()]);
    auto const by_read_batch = [&] {
        auto const before = wall_seconds();
        for (std::size_t done = 0; done < wanted.size(); done += 1000)
            for (auto const& one : store.read_batch(std::span(wanted).subspan(done, 1000)))
                if (!one) throw std::runtime_error("a record is missing");
        return wall_seconds() - before;
    };
    auto const by_pipeline = [&] {
        isorow::lease const connection(db);
        auto const before = wall_seconds();
        std::size_t found = 0;
        for (auto const& one : isorow::query_many<isorow::records::detail::stored_row>(
                 *connection, "SELECT id, fields, metadata, created_at, updated_at FROM records WHERE id = $1", wanted))
            found += one.fields.empty() ? 0U : 1U;
        if (found != wanted.size()) throw std::runtime_error("a record is missing");
        return wall_seconds() - before;
    };
    std::array<std::vector<double>, 2> reading;
    auto const times_pipeline = ratio_of(quick ? 1 : 5, by_read_batch, by_pipeline, reading);
    for (std::size_t which = 0; which < 2; ++which)
        figures.push_back({"records", "jsonb", which == 0 ? "isorow" : "pipeline", "reads_per_second",
                           static_cast<double>(reads) / median(reading[which]), "1/s"});
    figures.push_back({"records", "jsonb", "isorow", "times_pipelined_point_query", times_pipeline, "times", at_most(1.2)});
    isorow::execute(db, "DROP TABLE records");
}
