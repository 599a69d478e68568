// JSON as a real server reads and prints it. The bytes that are compared are taken by plain libpq.

#include <catch2/catch_test_macros.hpp>

#include <isorow/isorow.hpp>
#include <json/structs.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>
#include <support/server.hpp>

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>

namespace {

constexpr isorow::column_type jsonb_type{isorow::type_id::jsonb};
constexpr isorow::column_type json_type{isorow::type_id::json};

class libpq_server {
public:
    /// Sends a value of a type in binary and returns the bytes of what comes back of it.
    std::string back(isorow::oid type, std::string_view bytes) {
        Oid const types[] = {type};
        char const* const values[] = {bytes.data()};
        int const lengths[] = {static_cast<int>(bytes.size())};
        int const formats[] = {1};
        std::unique_ptr<PGresult, decltype(&PQclear)> const result(
            PQexecParams(connection_.get(), "SELECT $1", 1, types, values, lengths, formats, 1), &PQclear);
        if (PQresultStatus(result.get()) != PGRES_TUPLES_OK) throw std::runtime_error(PQerrorMessage(connection_.get()));
        return {PQgetvalue(result.get(), 0, 0), static_cast<std::size_t>(PQgetlength(result.get(), 0, 0))};
    }

private:
    std::unique_ptr<PGconn, decltype(&PQfinish)> connection_{PQconnectdb(test::dsn().c_str()), &PQfinish};
};

template <isorow::column_type As = jsonb_type, class T>
std::string encoded(T const& value) {
    isorow::byte_writer written;
    isorow::codec<T, As>::encode(value, written);
    return {reinterpret_cast<char const*>(written.bytes().data()), written.size()};
}

class random_values {
public:
    test::Everything everything() {
        test::Everything all;
        all.tiny = static_cast<std::int8_t>(bits());
        all.large = bits();
        all.whole = static_cast<std::int64_t>(bits());
        all.single = floating_point<float>(static_cast<std::uint32_t>(bits()));
        all.real = floating_point<double>(bits());
        all.flag = below(2) == 0;
        all.text = text();
        if (below(2) == 0) all.maybe = text();
        all.colour = static_cast<test::Colour>(below(1000));
        repeat([&] { all.numbers.push_back(below(3) == 0 ? std::nullopt : std::optional(floating_point<double>(bits()))); });
        for (bool& bit : all.bits) bit = below(2) == 0;
        repeat([&] { all.addresses[text()] = address(); });
        repeat([&] { all.lists[text()] = {1, static_cast<std::int32_t>(bits())}; });
        repeat([&] { all.shapes.push_back(shape()); });
        all.tree = tree(4);
        repeat([&] { all.words.value.push_back(text()); });
        all.anything = value(4);
        return all;
    }

    boost::json::value value(int depth) {
        switch (below(depth == 0 ? 6 : 8)) {
            case 0:
                return nullptr;
            case 1:
                return below(2) == 0;
            case 2:
                return static_cast<std::int64_t>(bits());
            case 3:
                return bits() | (std::uint64_t{1} << 63);
            case 4:
                return 0.5 / (1.0 + std::abs(floating_point<double>(bits())));
            case 5:
                return boost::json::string(text());
            case 6: {
                boost::json::array list;
                repeat([&] { list.push_back(value(depth - 1)); });
                return list;
            }
            default: {
                boost::json::object object;
                repeat([&] { object[text()] = value(depth - 1); });
                return object;
            }
        }
    }

private:
    std::uint64_t bits() { return random_() >> below(64); }
    std::size_t below(std::size_t limit) { return static_cast<std::size_t>(random_() % limit); }

    template <class Action>
    void repeat(Action&& action) {
        for (auto count = below(5); count > 0; --count) action();
    }

    template <class Number, class Word>
    Number floating_point(Word word) {
        if (below(2) == 0) return static_cast<Number>(static_cast<std::int32_t>(word)) / 100;
        auto const value = std::bit_cast<Number>(static_cast<Word>(word ^ static_cast<Word>(random_())));
        return std::isfinite(value) ? value : Number{0.5};
    }

    std::string text() {
        static constexpr std::array<std::string_view, 16> parts{"a",  "b",  "Z",    "_",    " ",    "\"", "\\", "/",
                                                                "\n", "\t", "\x01", "\x1f", "\x7f", "ä",  "€",  "𝄞"};
        std::string result;
        for (auto count = below(9); count > 0; --count) result += parts[below(parts.size())];
        return result;
    }

    test::Address address() {
        return {{text(), below(2) == 0 ? std::nullopt : std::optional(static_cast<std::int32_t>(bits()))}, text(), below(2) == 0};
    }

    test::Shape shape() {
        switch (below(5)) {
            case 0:
                return test::Circle{floating_point<double>(bits())};
            case 1:
                return test::Square{floating_point<double>(bits())};
            case 2:
                return test::Nowhere{};
            case 3:
                return std::monostate{};
            default:
                return text();
        }
    }

    test::Tree tree(int depth) {
        test::Tree result{text(), {}};
        if (depth > 0) repeat([&] { result.children.push_back(tree(depth - 1)); });
        return result;
    }

    std::mt19937_64 random_{20261120};
};

std::size_t random_count() { return std::getenv("ISOROW_LONG") != nullptr ? 10'000 : 200; }

struct Person {
    std::int64_t id;
    test::Address address;
    std::vector<test::Street> streets;
    std::optional<test::Tree> tree;
    std::map<std::string, double> scores;
    test::Shape shape;
    boost::json::object notes;
    isorow::jsonb<std::vector<std::int32_t>> list;
    isorow::jsonb<std::optional<std::int32_t>> inner;
    isorow::annotated<test::Address, isorow::pg_type<"json">> verbatim;
    std::vector<std::int32_t> plain;

    static consteval auto isorow_table() { return isorow::table("persons").primary_key<&Person::id>(); }
    friend bool operator==(Person const&, Person const&) = default;
};

Person person() {
    return {.id = 1,
            .address = {{"Main", 5}, "Berlin", true},
            .streets = {{"a", 1}, {"b", std::nullopt}},
            .tree = std::nullopt,
            .scores = {{"x", 0.1}, {"longer", -1e300}},
            .shape = test::Square{2},
            .notes = {{"k", {1, nullptr}}},
            .list = {{1, 2, 3}},
            .inner = std::optional<std::int32_t>(),
            .verbatim = test::Address{{"Side", std::nullopt}, "Paris", false},
            .plain = {1, 2}};
}

}  // namespace

TEST_CASE("the bytes that are sent for random values are those that the server sends back") {
    libpq_server server;
    random_values random;
    for (std::size_t i = 0; i < random_count(); ++i) {
        auto const value = random.everything();
        auto const sent = encoded(value);
        auto const back = server.back(3802, sent);
        CAPTURE(i);
        REQUIRE(back == sent);
        REQUIRE(isorow::codec<test::Everything, jsonb_type>::decode(isorow::byte_reader(back.data(), back.size())) == value);
    }
}

TEST_CASE("the bytes that are sent for Boost.JSON's random values are those that the server sends back") {
    libpq_server server;
    random_values random;
    for (std::size_t i = 0; i < random_count(); ++i) {
        auto const value = random.value(6);
        auto const sent = encoded(value);
        CAPTURE(i);
        REQUIRE(server.back(3802, sent) == sent);
    }
}

TEST_CASE("a json column gives back the bytes that it was given, negative zero included") {
    libpq_server server;
    auto const sent = encoded<json_type>(isorow::jsonb<std::vector<double>>(std::vector{-0.0, 1.5}));
    CHECK(sent == "[-0, 1.5]");
    auto const back = server.back(114, sent);
    CHECK(back == sent);
    CHECK(std::signbit(
        isorow::codec<isorow::jsonb<std::vector<double>>, json_type>::decode(isorow::byte_reader(back.data(), back.size()))->front()));
}

TEST_CASE("numbers at the edges are printed by the server as they were sent") {
    libpq_server server;
    std::vector<double> const edges{0.0,
                                    std::numeric_limits<double>::max(),
                                    std::numeric_limits<double>::min(),
                                    std::numeric_limits<double>::denorm_min(),
                                    0.1,
                                    1e15,
                                    1e16,
                                    123456789012345680.0,
                                    5e-324,
                                    -1e-7,
                                    1e22,
                                    4.35,
                                    0.000001};
    auto const sent = encoded(isorow::jsonb<std::vector<double>>(edges));
    CHECK(server.back(3802, sent) == sent);
}

TEST_CASE("other writers' numbers are read, though they do not compare equal as bytes") {
    auto connection = test::connect();
    auto const numbers = isorow::query_one<isorow::jsonb<std::vector<double>>>(connection, "SELECT '[1.50, 1e2, -0.0]'::jsonb");
    CHECK(*numbers == std::vector{1.5, 100.0, 0.0});
}

TEST_CASE("an exact number is what the server computes with") {
    auto connection = test::connect();
    isorow::jsonb<isorow::numeric> const number = *isorow::numeric::parse("12345678901234567890.10");
    CHECK(isorow::query_one<std::string>(connection, "SELECT (($1)::numeric + 0.01)::text", number) == "12345678901234567890.11");
}

TEST_CASE("a struct's documents are created, stored and read") {
    test::database const database;
    auto connection = test::connect(database.dsn());
    CHECK(to_string(isorow::synchronise(connection, std::vector{person()})) == "1 inserted, 0 updated, 0 deleted, 0 unchanged");

    CHECK(isorow::query_one<Person>(connection, "SELECT * FROM persons") == person());
    CHECK(isorow::query_one<std::string>(connection, "SELECT address #>> '{street,name}' FROM persons") == "Main");
    CHECK(isorow::query_one<bool>(connection, "SELECT tree IS NULL AND jsonb_typeof(\"inner\") = 'null' FROM persons"));
}

TEST_CASE("documents that did not change are not written again, and those that did are") {
    test::database const database;
    auto connection = test::connect(database.dsn());
    auto rows = std::vector{person()};
    isorow::synchronise(connection, rows);
    CHECK(to_string(isorow::synchronise(connection, rows)) == "0 inserted, 0 updated, 0 deleted, 1 unchanged");
    rows[0].address.street.name = "Other";
    CHECK(to_string(isorow::synchronise(connection, rows)) == "0 inserted, 1 updated, 0 deleted, 0 unchanged");
    CHECK(isorow::query_one<Person>(connection, "SELECT * FROM persons") == rows[0]);
}

TEST_CASE("the server's own documents are read by their members") {
    auto connection = test::connect();
    auto const street = isorow::query_one<std::vector<test::Street>>(
        connection, "SELECT jsonb_agg(to_jsonb(s)) FROM (VALUES ('a', 1), ('b', NULL)) AS s(name, number)");
    CHECK(street == std::vector<test::Street>{{"a", 1}, {"b", std::nullopt}});
    isorow::execute(connection, "SET timezone = 'Asia/Kolkata'");
    auto const moment = isorow::query_one<isorow::jsonb<std::chrono::sys_time<std::chrono::microseconds>>>(
        connection, "SELECT to_jsonb('2026-11-20 22:10:00.25+00'::timestamptz)");
    CHECK(isorow::to_json_text(moment) == R"("2026-11-20T22:10:00.25+00:00")");
}

TEST_CASE("the server's order of names is ours, also for names beyond ASCII") {
    auto connection = test::connect();
    auto const value = isorow::query_one<boost::json::value>(connection, "SELECT '{\"ä\": 1, \"zz\": 2, \"a\": 3, \"é\": 4}'::jsonb");
    CHECK(isorow::to_json_text(value) == isorow::query_one<std::string>(connection, "SELECT ($1)::text", value));
}

TEST_CASE("a document that does not fit is refused with field and path") {
    auto connection = test::connect();
    CHECK_THROWS_MATCHES(isorow::query<Person>(connection,
                                               "SELECT 1::int8 AS id, '{}'::jsonb AS address, '[]'::jsonb AS streets, NULL::jsonb AS tree, "
                                               "'{}'::jsonb AS scores, '{}'::jsonb AS shape, '{}'::jsonb AS notes, '[]'::jsonb AS list, "
                                               "'null'::jsonb AS \"inner\", '{}'::json AS verbatim, '{}'::int[] AS plain"),
                         isorow::unrepresentable, test::says("Person.address: $.city: the member is missing"));
}

TEST_CASE("json text from elsewhere is read, and its duplicates are refused") {
    using as_json = isorow::codec<test::Street, json_type>;
    auto const decode = [](std::string_view json) { return as_json::decode(isorow::byte_reader(json.data(), json.size())); };
    libpq_server server;
    CHECK(decode(server.back(114, "{\"number\" : 1.0 , \"name\":\"\\u00e4\"}")).name == "ä");
    CHECK_THROWS_MATCHES(decode(server.back(114, "{\"name\": \"a\", \"name\": \"b\"}")), isorow::unrepresentable,
                         test::says("$.name: the object has the name twice"));
}
