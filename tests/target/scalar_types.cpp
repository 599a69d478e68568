// Tables of integers without sign, addresses, bits, sparse vectors and hstore are made equal to what is declared.

#include <catch2/catch_test_macros.hpp>

#include <isorow/isorow.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

using isorow::bit;
using isorow::cidr;
using isorow::dynamic_row;
using isorow::hstore;
using isorow::inet;
using isorow::macaddr;
using isorow::macaddr8;
using isorow::sparsevec;
using isorow::varbit;

namespace {

struct Host {
    inet address;
    macaddr card;
    std::uint16_t port;
    std::uint32_t requests;
    isorow::annotated<std::uint64_t, isorow::pg_type<"numeric(20,0)">> bytes_sent;
    isorow::annotated<std::uint64_t, isorow::pg_type<"bigint">> bytes_received;
    isorow::annotated<std::uint8_t, isorow::pg_type<"smallint">> priority;
    std::optional<cidr> network;
    std::optional<macaddr8> long_card;
    bit<11> flags;
    varbit history;
    isorow::annotated<varbit, isorow::pg_type<"varbit(4)">> recent;
    sparsevec<1000> embedding;
    std::optional<hstore> labels;
    std::vector<inet> routes;
    std::vector<std::optional<bit<3>>> modes;

    static consteval auto isorow_table() {
        return isorow::table("hosts")
            .primary_key<&Host::address, &Host::card>()
            .index<&Host::flags>(isorow::hnsw{.metric = isorow::hamming})
            .index<&Host::embedding>(isorow::hnsw{.metric = isorow::l2});
    }
    friend bool operator==(Host const&, Host const&) = default;
};

template <class Value>
Value read(std::string_view text) {
    return Value::parse(text).value();
}

std::vector<Host> hosts() {
    return {{.address = read<inet>("10.0.0.1/8"),
             .card = read<macaddr>("08:00:2b:01:02:03"),
             .port = 65'535,
             .requests = 4'294'967'295,
             .bytes_sent = std::numeric_limits<std::uint64_t>::max(),
             .bytes_received = 9'223'372'036'854'775'807u,
             .priority = 255,
             .network = read<cidr>("10.0.0.0/8"),
             .long_card = read<macaddr8>("08:00:2b:01:02:03:04:05"),
             .flags = read<bit<11>>("10000000001"),
             .history = read<varbit>("010"),
             .recent = read<varbit>("0101"),
             .embedding = {{0, 1.5f}, {999, -2}},
             .labels = hstore{{"rack", "7"}, {"owner", std::nullopt}},
             .routes = {read<inet>("10.0.0.254"), read<inet>("fe80::1/64")},
             .modes = {read<bit<3>>("101"), std::nullopt}},
            {.address = read<inet>("2001:db8::1"),
             .card = macaddr{},
             .port = 0,
             .requests = 0,
             .bytes_sent = 0u,
             .bytes_received = 0u,
             .priority = 0,
             .network = std::nullopt,
             .long_card = std::nullopt,
             .flags = {},
             .history = {},
             .recent = {},
             .embedding = {},
             .labels = std::nullopt,
             .routes = {},
             .modes = {}}};
}

struct network_house {
    test::database database;
    isorow::pool pool{database.dsn()};

    network_house() { database.sql("CREATE EXTENSION vector; CREATE EXTENSION hstore"); }

    std::string synchronised(std::vector<Host> const& rows) { return to_string(isorow::synchronise(pool, rows)); }
    std::vector<Host> stored() { return isorow::query<Host>(pool, "SELECT * FROM hosts ORDER BY address, card"); }
};

isorow::table_schema described() {
    return isorow::table_schema{{{"address", {"inet", isorow::not_null}},
                                 {"card", {"macaddr"}},
                                 {"network", {"cidr"}},
                                 {"flags", {"bit(3)"}},
                                 {"history", {"varbit(5)"}},
                                 {"embedding", {"sparsevec(5)"}},
                                 {"labels", {"hstore"}},
                                 {"routes", {"inet[]"}}},
                                isorow::primary_key{"address"}};
}

dynamic_row described_row(std::string const& address, std::string const& flags = "010") {
    return {{"address", address},        {"card", "08002b010203"},
            {"network", "10.0.0.0/8"},   {"flags", flags},
            {"history", "01"},           {"embedding", "{1:0.5}/5"},
            {"labels", "b=>1, a=>NULL"}, {"routes", isorow::dynamic_value::array{"10.0.0.1", isorow::null}}};
}

}  // namespace

TEST_CASE_METHOD(network_house, "a table with columns of all these types is made, read back and left alone when nothing changes") {
    CHECK(synchronised(hosts()) == "2 inserted, 0 updated, 0 deleted, 0 unchanged");
    CHECK(stored() == hosts());
    CHECK(synchronised(hosts()) == "0 inserted, 0 updated, 0 deleted, 2 unchanged");
    CHECK(database.sql("SELECT string_agg(format_type(atttypid, atttypmod), ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = "
                       "'hosts'::regclass AND attnum > 0") ==
          "inet, macaddr, integer, bigint, numeric(20,0), bigint, smallint, cidr, macaddr8, bit(11), bit varying, bit varying(4), "
          "sparsevec(1000), hstore, inet[], bit(3)[]");
    CHECK(database.sql("SELECT count(*) FROM pg_indexes WHERE indexdef LIKE '%bit_hamming_ops%' OR indexdef LIKE '%sparsevec_l2_ops%'") ==
          "2");
}

TEST_CASE_METHOD(network_house, "each column's change is an update, and keys are told apart") {
    synchronised(hosts());
    auto const changed = [&](auto&& change) {
        auto rows = hosts();
        change(rows[0]);
        auto const done = synchronised(rows);
        CHECK(stored().front() == rows[0]);
        synchronised(hosts());
        return done;
    };
    auto const update = "0 inserted, 1 updated, 0 deleted, 1 unchanged";
    CHECK(changed([](Host& host) { host.port = 1; }) == update);
    CHECK(changed([](Host& host) { host.requests = 1; }) == update);
    CHECK(changed([](Host& host) { host.bytes_sent = 10'000u; }) == update);
    CHECK(changed([](Host& host) { host.bytes_received = 1u; }) == update);
    CHECK(changed([](Host& host) { host.priority = std::uint8_t{1}; }) == update);
    CHECK(changed([](Host& host) { host.network = read<cidr>("10.0.0.0/9"); }) == update);
    CHECK(changed([](Host& host) { host.long_card = std::nullopt; }) == update);
    CHECK(changed([](Host& host) { host.flags.set(1); }) == update);
    CHECK(changed([](Host& host) { host.history.push_back(false); }) == update);
    CHECK(changed([](Host& host) { host.embedding = {{1, 1.5f}}; }) == update);
    CHECK(changed([](Host& host) { host.labels->erase("rack"); }) == update);
    CHECK(changed([](Host& host) { host.routes.pop_back(); }) == update);
    CHECK(changed([](Host& host) { host.modes.emplace_back(); }) == update);
    CHECK(changed([](Host& host) { host.address = read<inet>("10.0.0.1/9"); }) == "1 inserted, 0 updated, 1 deleted, 1 unchanged");
    CHECK(changed([](Host& host) { host.card = read<macaddr>("08002b010204"); }) == "1 inserted, 0 updated, 1 deleted, 1 unchanged");
}

TEST_CASE_METHOD(network_house, "what a column does not take is refused with the field's name before anything is sent") {
    auto rows = hosts();
    rows[1].bytes_received = 9'223'372'036'854'775'808u;
    CHECK_THROWS_MATCHES(synchronised(rows), isorow::unrepresentable, test::says("Host.bytes_received"));
    rows = hosts();
    rows[1].recent = read<varbit>("01010");
    CHECK_THROWS_MATCHES(synchronised(rows), isorow::unrepresentable, test::says("Host.recent"));
}

TEST_CASE_METHOD(network_house, "rows are copied into a table and streamed out of it") {
    isorow::execute(pool, isorow::create_table_sql(isorow::description_of<Host>));
    isorow::copy_writer<Host> writer(pool);
    for (auto const& host : hosts()) writer.write(host);
    CHECK(writer.finish() == 2);
    std::vector<Host> read_back;
    for (auto const& host : isorow::source<Host>(pool, {.table = "hosts"}).rows()) read_back.push_back(host);
    std::sort(read_back.begin(), read_back.end(), [](Host const& a, Host const& b) { return a.address < b.address; });
    CHECK(read_back == hosts());
    CHECK(isorow::query_one<Host>(pool, "SELECT * FROM hosts WHERE address = $1 AND card = $2 AND flags = $3 AND labels = $4",
                                  hosts()[0].address, hosts()[0].card, hosts()[0].flags, hosts()[0].labels) == hosts()[0]);
}

TEST_CASE_METHOD(network_house, "dynamic rows write these types by their texts, and are read as the texts that the server prints") {
    isorow::app app{isorow::register_db("network_house_" + database.name(), pool), "hosts"};
    std::vector<dynamic_row> rows{described_row("10.0.0.1/8"), described_row("::1")};
    auto const run = [&] {
        return to_string(static_cast<isorow::row_counts const&>(app.run([&](isorow::scope root) {
            auto const table = root.target(described(), {.table = "described"});
            for (auto const& row : rows) table.row(root, row);
        })));
    };
    CHECK(run() == "2 inserted, 0 updated, 0 deleted, 0 unchanged");
    CHECK(run() == "0 inserted, 0 updated, 0 deleted, 2 unchanged");
    rows[0] = described_row("10.0.0.1/8", "011");
    CHECK(run() == "0 inserted, 1 updated, 0 deleted, 1 unchanged");
    auto const read_back = isorow::query<dynamic_row>(pool, "SELECT * FROM described ORDER BY address");
    using isorow::other_text;
    REQUIRE(read_back.size() == 2);
    CHECK(read_back[0] == dynamic_row{{"address", other_text{"inet", "10.0.0.1/8"}},
                                      {"card", other_text{"macaddr", "08:00:2b:01:02:03"}},
                                      {"network", other_text{"cidr", "10.0.0.0/8"}},
                                      {"flags", other_text{"bit", "011"}},
                                      {"history", other_text{"bit varying", "01"}},
                                      {"embedding", other_text{"sparsevec", "{1:0.5}/5"}},
                                      {"labels", other_text{"hstore", "\"a\"=>NULL, \"b\"=>\"1\""}},
                                      {"routes", isorow::dynamic_value::array{other_text{"inet", "10.0.0.1"}, isorow::null}}});
    // What was read is written again, and nothing changes.
    rows = read_back;
    CHECK(run() == "0 inserted, 0 updated, 0 deleted, 2 unchanged");
    CHECK(isorow::source<dynamic_row>(pool, {.table = "described"}).fetch_all().size() == 2);
}

TEST_CASE_METHOD(network_house, "a text that is no value of its column is refused by the column's name") {
    auto const refused = [&](std::string const& column, isorow::dynamic_value value) {
        auto const schema = described();
        isorow::row_encoder<dynamic_row> const encoder(schema);
        std::vector<isorow::named_value> values;
        for (auto const& [name, held] : described_row("::1")) values.push_back({name, name == column ? value : held});
        isorow::byte_writer out;
        try {
            encoder.encode(dynamic_row(std::move(values)), out);
        } catch (isorow::unrepresentable const& failure) {
            return std::string(failure.what());
        }
        return std::string();
    };
    CHECK(refused("address", "10.0.0") == "column \"address\": the text is not one of type inet");
    CHECK(refused("address", 7) == "column \"address\": an integer cannot be stored as inet");
    CHECK(refused("network", "10.0.0.1/8") ==
          "column \"network\": 10.0.0.1/8 is no network: the bits 0.0.0.1 are set behind its prefix of 8 bits");
    CHECK(refused("card", isorow::other_text{"inet", "::1"}) == "column \"card\": the text is not one of type macaddr");
    CHECK(refused("flags", "0101") == "column \"flags\": the string has 4 bits, the column takes 3");
    CHECK(refused("flags", "01x") == "column \"flags\": the text is not one of type bit");
    CHECK(refused("history", "010101") == "column \"history\": the string has 6 bits, the column takes 5");
    CHECK(refused("embedding", "{1:0.5}/6") == "column \"embedding\": sparsevec has 6 dimensions, the column has 5");
    CHECK(refused("embedding", "{9:1}/5") == "column \"embedding\": the text is not one of type sparsevec");
    CHECK(refused("labels", "a=>") == "column \"labels\": the text is not one of type hstore");
    CHECK(refused("routes", isorow::dynamic_value::array{"::1", "x"}) == "column \"routes\": element 1: the text is not one of type inet");
    CHECK(refused("labels", isorow::null).empty());
}

TEST_CASE_METHOD(network_house,
                 "a change of type that is said to keep values does, and one that is said to keep their bytes rewrites no table") {
    struct change {
        std::string from;
        std::string to;
        std::string value;
    };
    for (auto const& [from, to, value] : std::vector<change>{{"bit varying(5)", "bit varying(9)", "01"},
                                                             {"bit varying(5)", "bit varying", "01"},
                                                             {"bit(5)", "bit varying", "01010"},
                                                             {"bit(5)", "bit varying(5)", "01010"},
                                                             {"sparsevec(5)", "sparsevec", "{1:1.5}/5"},
                                                             {"sparsevec(5)", "vector(5)", "{1:1.5}/5"},
                                                             {"cidr", "inet", "10.0.0.0/8"}}) {
        CAPTURE(from, to);
        isorow::column_type left;
        isorow::column_type right;
        REQUIRE(isorow::read_live_type(from, left));
        REQUIRE(isorow::read_live_type(to, right));
        auto const said = isorow::change_of_type(left, right);
        database.sql(
            isorow::text("DROP TABLE IF EXISTS changed; CREATE TABLE changed (c {}); INSERT INTO changed VALUES ('{}')", from, value));
        auto const before = database.sql("SELECT pg_relation_filenode('changed')");
        database.sql(isorow::text("ALTER TABLE changed ALTER COLUMN c TYPE {} USING c::{}", to, to));
        if (said == isorow::type_change::keeps) CHECK(database.sql("SELECT pg_relation_filenode('changed')") == before);
        else CHECK(said == isorow::type_change::rewrites);
        CHECK(database.sql(isorow::text("SELECT format('%s', c::{}) FROM changed", from)) == value);
    }
}

TEST_CASE("values of these types stand in dynamic values as texts, and are read out of them") {
    auto const check = [](auto const& value, std::string const& type) {
        isorow::dynamic_value const held(value);
        CHECK(held == isorow::other_text{type, to_string(value)});
        CHECK(held.as<std::remove_cvref_t<decltype(value)>>() == value);
        CHECK(isorow::dynamic_value(to_string(value)).as<std::remove_cvref_t<decltype(value)>>() == value);
    };
    check(hosts()[0].address, "inet");
    check(*hosts()[0].network, "cidr");
    check(hosts()[0].card, "macaddr");
    check(*hosts()[0].long_card, "macaddr8");
    check(hosts()[0].flags, "bit");
    check(hosts()[0].history, "bit varying");
    check(hosts()[0].embedding, "sparsevec");
    check(*hosts()[0].labels, "hstore");
    CHECK(isorow::dynamic_value(hosts()[0].routes).as<std::vector<inet>>() == hosts()[0].routes);
    CHECK_THROWS_MATCHES(isorow::dynamic_value("x").as<inet>(), isorow::unrepresentable, test::says("the text is not one of type inet"));
    CHECK_THROWS_MATCHES(isorow::dynamic_value(1.5).as<inet>(), isorow::unrepresentable,
                         test::says("the value is a floating point number, not inet"));
}
