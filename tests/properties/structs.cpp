// Structs of all types with random values, through each way in and out: COPY, SELECT, synchronise.

#include <catch2/catch_test_macros.hpp>

#include <isorow/isorow.hpp>
#include <isorow/json.hpp>
#include <support/connect.hpp>
#include <support/property.hpp>
#include <support/same_value.hpp>
#include <support/value_types.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using std::optional;
using std::vector;
using local_time = std::chrono::local_time<std::chrono::microseconds>;
using sys_time = std::chrono::sys_time<std::chrono::microseconds>;

/// All fields are of fixed size and never NULL.
struct Numbers {
    std::int64_t id;
    bool flag;
    std::int16_t narrow;
    std::int32_t plain;
    std::int64_t wide;
    float single;
    double real;
    isorow::uuid key;

    static consteval auto isorow_table() { return isorow::table("numbers").primary_key<&Numbers::id>(); }
};

struct Texts {
    std::string name;
    std::int64_t id;
    optional<std::string> note;
    vector<std::byte> image;
    optional<vector<std::byte>> thumbnail;
    isorow::numeric price;
    optional<isorow::numeric> discount;
    vector<std::string> tags;
    vector<optional<std::string>> labels;
    isorow::annotated<std::string, isorow::pg_type<"varchar">> code;

    static consteval auto isorow_table() { return isorow::table("texts").primary_key<&Texts::id>(); }
};

struct Times {
    std::int64_t id;
    std::chrono::year_month_day calendar;
    optional<std::chrono::sys_days> day;
    isorow::date date;
    isorow::time time;
    optional<isorow::timetz> with_offset;
    local_time local;
    optional<isorow::timestamp> stamp;
    sys_time moment;
    isorow::timestamptz whole;
    optional<std::chrono::microseconds> duration;
    isorow::interval span;

    static consteval auto isorow_table() { return isorow::table("times").primary_key<&Times::id>(); }
};

struct Lists {
    std::int64_t id;
    vector<bool> flags;
    vector<optional<bool>> answers;
    vector<std::int16_t> narrow;
    optional<vector<std::int64_t>> wide;
    vector<optional<double>> reals;
    vector<isorow::numeric> prices;
    vector<isorow::uuid> keys;
    vector<optional<isorow::date>> days;
    optional<vector<isorow::interval>> spans;

    static consteval auto isorow_table() { return isorow::table("lists").primary_key<&Lists::id>(); }
};

struct Documents {
    optional<test::address> home;
    std::int64_t id;
    test::address work;
    isorow::jsonb<vector<std::string>> words;
    isorow::vector<2> embedding;
    optional<isorow::halfvec<2>> half;

    static consteval auto isorow_table() { return isorow::table("documents").primary_key<&Documents::id>(); }
};

template <class Row>
rc::Gen<Row> random_rows() {
    return rc::gen::exec([] {
        Row row{};
        isorow::reflect::for_each_index<Row>(
            [&](auto place) { isorow::reflect::get<place>(row) = *test::random_field<isorow::reflect::field_type<Row, place>>::any(); });
        return row;
    });
}

/// The fields of a row that are another's; empty where none are.
template <class Row>
std::string differences(vector<Row> const& sent, vector<Row> const& back) {
    if (sent.size() != back.size()) return isorow::text("{} rows of {} came back", back.size(), sent.size());
    for (std::size_t i = 0; i < sent.size(); ++i) {
        if (test::same_row(sent[i], back[i])) continue;
        isorow::byte_writer left;
        isorow::byte_writer right;
        isorow::encode_row(sent[i], left);
        isorow::encode_row(back[i], right);
        return isorow::text("row {}: {} came back as {}", i, test::bytea_text(left.bytes()), test::bytea_text(right.bytes()));
    }
    return {};
}

template <class Row>
vector<Row> copied_out(isorow::connection& connection) {
    vector<Row> rows;
    isorow::copy_reader<Row> reader(connection);
    for (Row row{}; reader.next(row);) rows.push_back(row);
    std::ranges::sort(rows, {}, &Row::id);
    return rows;
}

template <class Row>
vector<Row> selected(isorow::connection& connection) {
    return isorow::query<Row>(connection, isorow::text("SELECT * FROM {} ORDER BY id", isorow::description_of<Row>.name));
}

void expect(std::string const& wrong, char const* way) {
    if (!wrong.empty()) RC_FAIL(std::string(way) + ": " + wrong);
}

/// How many rows go at once; there are five such batches at least.
int batch_size() { return test::random_values() >= 10'000 ? 400 : 40; }

template <class Row>
void check_struct() {
    test::database const database;
    auto connection = test::connect(database.dsn());
    isorow::execute(connection, "CREATE EXTENSION vector");
    isorow::execute(connection, "CREATE EXTENSION hstore");
    std::string const name(isorow::description_of<Row>.name);
    isorow::synchronise(connection, vector<Row>{});  // makes the table
    int const batch = batch_size();
    test::check_property(name, test::random_values() / batch, [&] {
        vector<Row> rows;
        for (std::int64_t id = 1; id <= batch; ++id) rows.push_back(*random_rows<Row>());
        for (std::size_t i = 0; i < rows.size(); ++i) rows[i].id = static_cast<std::int64_t>(i) - 20;

        isorow::execute(connection, isorow::text("DELETE FROM {}", name));
        isorow::copy_writer<Row> writer(connection);
        for (auto const& row : rows) writer.write(row);
        RC_ASSERT(writer.finish() == batch);
        expect(differences(rows, selected<Row>(connection)), "COPY in and SELECT");
        expect(differences(rows, copied_out<Row>(connection)), "COPY in and out");

        isorow::execute(connection, isorow::text("DELETE FROM {} WHERE id % 2 = 0", name));
        auto const half = isorow::synchronise(connection, rows);
        RC_ASSERT(half.inserted == batch / 2);
        RC_ASSERT(half.updated == 0);
        expect(differences(rows, selected<Row>(connection)), "synchronise");
        auto const again = isorow::synchronise(connection, rows);
        RC_ASSERT(again.unchanged == batch);

        auto const id = rows.front().id;
        rows.front() = *random_rows<Row>();
        rows.front().id = id;
        isorow::synchronise(connection, rows);
        expect(differences(rows, selected<Row>(connection)), "synchronise of another row");
    });
}

}  // namespace

TEST_CASE("random structs of numbers come back the same by COPY, SELECT and synchronise") { check_struct<Numbers>(); }
TEST_CASE("random structs of texts and bytes come back the same by COPY, SELECT and synchronise") { check_struct<Texts>(); }
TEST_CASE("random structs of dates and times come back the same by COPY, SELECT and synchronise") { check_struct<Times>(); }
TEST_CASE("random structs of arrays come back the same by COPY, SELECT and synchronise") { check_struct<Lists>(); }
TEST_CASE("random structs of documents and vectors come back the same by COPY, SELECT and synchronise") { check_struct<Documents>(); }
