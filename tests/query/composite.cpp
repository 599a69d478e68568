// Composite types, and arrays of types that each database numbers itself: their values name types by OIDs, which the server checks.

#include <catch2/catch_test_macros.hpp>

#include <isorow/codec/composite.hpp>
#include <isorow/isorow.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>
#include <support/server.hpp>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace {

using isorow::composite;

struct Point {
    double x;
    std::optional<double> y;
    bool operator==(Point const&) const = default;
};

struct Address {
    std::string street;
    std::int32_t number;
    std::optional<std::string> note;
    composite<Point> place;
    std::vector<composite<Point>> doors;
    bool operator==(Address const&) const = default;
    static consteval auto isorow_table() {
        return isorow::table("Postal \"address\"").schema("homes").column<&Address::number>({.name = "house number"});
    }
};

struct Person {
    std::int64_t id;
    composite<Address> home;
    std::optional<composite<Point>> last;
    std::vector<std::optional<composite<Point>>> path;
    bool operator==(Person const&) const = default;
    static consteval auto isorow_table() { return isorow::table("people").primary_key<&Person::id>(); }
};

struct Pictures {
    std::int64_t id;
    std::vector<isorow::vector<2>> embeddings;
    isorow::annotated<std::vector<std::string>, isorow::pg_type<"citext[]">> tags;
    static consteval auto isorow_table() { return isorow::table("pictures").primary_key<&Pictures::id>(); }
};

struct homes : test::database {
    isorow::connection db = test::connect(dsn());

    homes() {
        sql("CREATE SCHEMA homes");
        for (auto const& statement : isorow::ddl_statements(isorow::description_of<Person>)) sql(statement);
    }
};

struct pictures : test::database {
    isorow::connection db = test::connect(dsn());

    pictures() {
        sql("CREATE EXTENSION vector; CREATE EXTENSION citext");
        for (auto const& statement : isorow::ddl_statements(isorow::description_of<Pictures>)) sql(statement);
    }
};

Address const home{"Main, \"Street\"", 7, std::nullopt, Point{1.5, std::nullopt}, {Point{1, 2}, Point{3, std::nullopt}}};
std::vector<Person> const two{{1, home, Point{0, 0}, {Point{1, 1}, std::nullopt}}, {2, Address{"", 0, "x", Point{}, {}}, std::nullopt, {}}};

composite<Point> decoded(std::initializer_list<std::int32_t> words) {
    isorow::byte_writer in;
    for (auto const word : words) in.put_int32(word);
    return isorow::codec<composite<Point>>::decode(isorow::byte_reader(in.bytes()));
}

constexpr std::int32_t float8 = 701;

}  // namespace

TEST_CASE("the DDL makes composite types before those that hold them") {
    auto const statements = isorow::ddl_statements(isorow::description_of<Person>);
    REQUIRE(statements.size() == 4);
    CHECK(statements[0] == "CREATE TYPE \"public\".\"point\" AS (\"x\" double precision, \"y\" double precision)");
    CHECK(statements[1] ==
          "CREATE TYPE \"homes\".\"Postal \"\"address\"\"\" AS (\"street\" text, \"house number\" integer, \"note\" text,"
          " \"place\" \"public\".\"point\", \"doors\" \"public\".\"point\"[])");
    CHECK(statements[2].find("\"home\" \"homes\".\"Postal \"\"address\"\"\" NOT NULL") != std::string::npos);
    CHECK(statements[2].find("\"path\" \"public\".\"point\"[] NOT NULL") != std::string::npos);
}

TEST_CASE_METHOD(homes, "composites are parameters, nested and in arrays, and come back as they went") {
    CHECK(isorow::query_one<std::string>(db, "SELECT $1::text", composite<Point>(Point{1.5, std::nullopt})) == "(1.5,)");
    CHECK(isorow::query_one<composite<Address>>(db, "SELECT $1", composite<Address>(home)) == composite<Address>(home));
    std::vector<std::vector<composite<Point>>> const grid{{Point{1, 2}}, {Point{3, std::nullopt}}};
    CHECK(isorow::query_one<std::vector<std::vector<composite<Point>>>>(db, "SELECT $1", grid) == grid);
    CHECK(isorow::query_one<double>(db, "SELECT ($1).x + ($1).y", composite<Point>(Point{1, 2})) == 3);
}

TEST_CASE_METHOD(homes, "structs with composites are inserted, copied, upserted and read") {
    isorow::execute(db, "INSERT INTO people VALUES (:id, :home, :last, :path)", two[0]);
    {
        isorow::copy_writer<Person> writer(db);
        writer.write(two[1]);
        CHECK(writer.finish() == 1);
    }
    CHECK(isorow::query<Person>(db, "SELECT * FROM people ORDER BY id") == two);
    isorow::copy_reader<Person> reader(db);
    Person read{};
    REQUIRE(reader.next(read));
    CHECK(read == two[0]);
    while (reader.next(read)) continue;
    auto moved = two;
    moved[1].home->number = 8;
    CHECK(isorow::upsert(db, moved).updated == 1);
    CHECK(isorow::query<Person>(db, "SELECT * FROM people ORDER BY id") == moved);
    CHECK(sql("SELECT (home).\"house number\" FROM people WHERE id = 2") == "8");
}

TEST_CASE_METHOD(homes, "random composites come back as they went") {
    std::mt19937_64 random(5);
    for (int i = 0; i < 60; ++i) {
        auto const number = [&] { return static_cast<double>(static_cast<std::int32_t>(random())) / 8; };
        auto const point = [&] { return Point{number(), random() % 2 == 0 ? std::nullopt : std::optional(number())}; };
        Address address{std::string(random() % 9, '"'), static_cast<std::int32_t>(random()), std::nullopt, point(), {}};
        for (auto count = random() % 4; count > 0; --count) address.doors.emplace_back(point());
        if (random() % 2 == 0) address.note = std::string(random() % 3, '\\');
        CHECK(isorow::query_one<composite<Address>>(db, "SELECT $1", composite<Address>(address)) == composite<Address>(address));
    }
}

TEST_CASE_METHOD(homes, "errors in a composite name its struct and field") {
    auto wrong = home;
    wrong.street = std::string("a\0b", 3);
    CHECK_THROWS_MATCHES(isorow::query_one<composite<Address>>(db, "SELECT $1", composite<Address>(wrong)), isorow::unrepresentable,
                         test::says("parameter $1: Address.street: the text has a NUL byte"));
    CHECK_THROWS_MATCHES(isorow::query_one<composite<Point>>(db, "SELECT ROW(NULL, 1)::point"), isorow::error, test::says("point"));
    CHECK_THROWS_MATCHES(isorow::query_one<composite<Point>>(db, "SELECT ROW(NULL, 1)::public.point"), isorow::unrepresentable,
                         test::says("Point.x: the column is NULL"));
    auto row = two[0];
    row.home->street = "\xff";
    isorow::copy_writer<Person> writer(db);
    CHECK_THROWS_MATCHES(writer.write(row), isorow::unrepresentable, test::says("row 1: Person.home: Address.street: "));
}

TEST_CASE_METHOD(homes, "a type that has other attributes is refused, and a missing one is told with what makes it") {
    sql("ALTER TYPE public.point ADD ATTRIBUTE z double precision CASCADE");
    CHECK_THROWS_MATCHES(isorow::query_one<composite<Point>>(db, "SELECT ROW(1, 2, 3)::public.point"), isorow::malformed,
                         test::says("a composite value of 3 attributes, Point has 2 fields"));
    struct Nowhere {
        std::int32_t a;
    };
    CHECK_THROWS_MATCHES(isorow::query_one<composite<Nowhere>>(db, "SELECT $1", composite<Nowhere>(Nowhere{1})), isorow::usage_error,
                         test::says("the database has no type \"public\".\"nowhere\"; to make it: CREATE TYPE \"public\".\"nowhere\" AS "
                                    "(\"a\" integer)"));
}

TEST_CASE("bytes that are no composite are refused") {
    CHECK_THROWS_AS(decoded({}), isorow::malformed);
    CHECK(decoded({2, float8, 8, 0, 0, float8, -1}) == composite<Point>(Point{0, std::nullopt}));
    CHECK_THROWS_AS(decoded({1, float8, 8, 0, 0}), isorow::malformed);
    CHECK_THROWS_AS(decoded({0x7fffffff, float8, 8, 0, 0}), isorow::malformed);
    CHECK_THROWS_AS(decoded({-1, float8, 8, 0, 0}), isorow::malformed);
    CHECK_THROWS_MATCHES(decoded({2, 25, 8, 0, 0, float8, -1}), isorow::malformed, test::says("Point.x: an attribute of type 25"));
    CHECK_THROWS_AS(decoded({2, float8, 8, 0, 0, float8, -2}), isorow::malformed);
    CHECK_THROWS_AS(decoded({2, float8, 1000, 0, 0, float8, -1}), isorow::malformed);
    CHECK_THROWS_AS(decoded({2, float8, 8, 0, 0, float8, -1, 0}), isorow::malformed);
    CHECK_THROWS_AS(decoded({2, float8, 8, 0, 0}), isorow::malformed);
}

TEST_CASE_METHOD(pictures, "arrays of extensions' types are parameters, copied and read") {
    Pictures const one{1, {{1, 2}, {3, 4}}, std::vector<std::string>{"a", "B"}};
    isorow::execute(db, "INSERT INTO pictures VALUES (:id, :embeddings, :tags)", one);
    CHECK(sql("SELECT concat_ws(' ', embeddings, tags, 'b' = ANY(tags)) FROM pictures") == "{\"[1,2]\",\"[3,4]\"} {a,B} t");
    {
        isorow::copy_writer<Pictures> writer(db);
        writer.write({2, {}, {}});
        CHECK(writer.finish() == 1);
    }
    auto const rows = isorow::query<Pictures>(db, "SELECT * FROM pictures ORDER BY id");
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].embeddings == one.embeddings);
    CHECK(rows[0].tags == std::vector<std::string>{"a", "B"});
    CHECK(rows[1].embeddings.empty());
}
