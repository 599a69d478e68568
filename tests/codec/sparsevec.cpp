// Sparse vectors go to the server in binary, are printed there, and come back in binary.

#include <catch2/catch_test_macros.hpp>

#include <isorow/codec/sparsevec.hpp>
#include <support/codec_bytes.hpp>
#include <support/matchers.hpp>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

using isorow::sparse_element;
using isorow::sparsevec;

namespace {

/// In a database that has pgvector.
struct sparse_server : test::database, test::value_server {
    sparse_server() : value_server(dsn()) { isorow::execute(connection, "CREATE EXTENSION vector"); }
};

}  // namespace

TEST_CASE("a sparse vector has its elements in order, from index 0, without zeros") {
    sparsevec<5> const values{{3, -2.0f}, {0, 0.5f}, {1, 0.0f}, {4, -0.0f}};
    CHECK(values.elements() == std::vector<sparse_element>{{0, 0.5f}, {3, -2.0f}});
    CHECK(values[0] == 0.5f);
    CHECK(values[1] == 0.0f);
    CHECK(values[3] == -2.0f);
    CHECK(to_string(values) == "{1:0.5,4:-2}/5");
    CHECK(to_string(sparsevec<5>{}) == "{}/5");
    CHECK(sparsevec<5>::parse("{4:-2,1:0.5}/5") == values);
    CHECK(sparsevec<5>::parse("{}/5") == sparsevec<5>{});
}

TEST_CASE("a sparse vector is made of all values, and gives them") {
    std::vector<float> const dense{0, 1.5f, 0, 0, -3};
    auto const values = sparsevec<5>::from_dense(dense);
    CHECK(values.elements().size() == 2);
    CHECK(values.to_dense() == dense);
    CHECK_THROWS_MATCHES(sparsevec<4>::from_dense(dense), isorow::unrepresentable, test::says("the vector has 5 dimensions, not 4"));
}

TEST_CASE("what pgvector refuses in a sparse vector is refused when it is made") {
    CHECK_THROWS_MATCHES((sparsevec<5>{{5, 1}}), isorow::unrepresentable, test::says("sparsevec element 5 is beyond its 5 dimensions"));
    CHECK_THROWS_AS((sparsevec<5>{{-1, 1}}), isorow::unrepresentable);
    CHECK_THROWS_MATCHES((sparsevec<5>{{1, 1}, {2, 1}, {1, 2}}), isorow::unrepresentable, test::says("has element 1 twice"));
    CHECK_THROWS_MATCHES((sparsevec<5>{{2, std::numeric_limits<float>::quiet_NaN()}}), isorow::unrepresentable,
                         test::says("sparsevec element 2 is nan"));
    CHECK_THROWS_AS((sparsevec<5>{{2, std::numeric_limits<float>::infinity()}}), isorow::unrepresentable);
    std::vector<sparse_element> many;
    for (std::int32_t i = 0; i < 16'001; ++i) many.push_back({i, 1});
    CHECK_THROWS_MATCHES(sparsevec<20'000>(many), isorow::unrepresentable, test::says("16001 elements that are not zero"));
    many.pop_back();
    CHECK(sparsevec<20'000>(many).elements().size() == 16'000);
}

TEST_CASE("texts that are no sparse vector of the dimension are not read") {
    for (auto const* const text :
         {"",         "{}",    "{}/4",   "{}/",    "{}/5x",   "{1:1/5",    "1:1}/5",     "{0:1}/5",     "{6:1}/5", "{1:1,}/5", "{,}/5",
          "{1:1 }/5", "{1}/5", "{1:}/5", "{:1}/5", "{1:x}/5", "{1:nan}/5", "{1:1e39}/5", "{1:1,1:2}/5", "{}/-5",   "{}/5}/5"}) {
        INFO(text);
        CHECK_FALSE(sparsevec<5>::parse(text));
    }
}

TEST_CASE_METHOD(sparse_server, "sparse vectors go to the server and back, and print as the server prints them") {
    check(sparsevec<5>{}, "{}/5", "sparsevec", "sparsevec");
    check(sparsevec<5>{{0, 1.5f}, {4, -1e-30f}}, "{1:1.5,5:-1e-30}/5", "sparsevec", "sparsevec");
    check(sparsevec<1'000'000'000>{{999'999'999, 1e6f}}, "{1000000000:1e+06}/1000000000", "sparsevec", "sparsevec");
    std::mt19937 random(11);
    for (std::size_t i = 0; i < test::random_count(); ++i) {
        std::map<std::int32_t, float> elements;
        for (auto count = random() % 20; count > 0; --count) {
            auto const value = random() % 2 == 0 ? std::bit_cast<float>(static_cast<std::uint32_t>(random()))
                                                 : static_cast<float>(random() % 2'000'000) / static_cast<float>(1 + random() % 1000);
            if (std::isfinite(value)) elements[static_cast<std::int32_t>(random() % 1000)] = value;
        }
        std::vector<sparse_element> list;
        for (auto const& [index, value] : elements) list.push_back({index, value});
        check(sparsevec<1000>(list), "sparsevec", "sparsevec");
    }
}

TEST_CASE_METHOD(sparse_server, "a float between which and the next a short number lies is written as Postgres writes it") {
    // 3e10 lies between the two; so do others, found by a search for short numbers that are no floats.
    for (float const value : {30'000'001'024.0f, 29'999'998'976.0f, 9'007'199'254'740'992.0f, 16'777'216.0f, 1e10f, 8.5e9f, 0.0001f,
                              0.00001f, 100'000.0f, 999'999.9f, 1'000'000.0f, 123'456.79f, std::numeric_limits<float>::max(),
                              std::numeric_limits<float>::min(), std::numeric_limits<float>::denorm_min()})
        check(sparsevec<1>{{0, value}}, "sparsevec", "sparsevec");
}

TEST_CASE_METHOD(sparse_server, "a dense vector is what the server makes of a sparse one") {
    sparsevec<4> const values{{1, 2.5f}, {3, -1}};
    CHECK(isorow::query_one<std::vector<double>>(connection, "SELECT $1::vector::real[]::float8[]", values) ==
          std::vector<double>{0, 2.5, 0, -1});
    CHECK(isorow::query_one<sparsevec<4>>(connection, "SELECT $1::sparsevec", isorow::vector<4>{0, 2.5f, 0, -1}) == values);
    CHECK_THROWS_MATCHES(isorow::query_one<sparsevec<3>>(connection, "SELECT $1", values), isorow::malformed,
                         test::says("sparsevec has 4 dimensions, the field has 3"));
}

TEST_CASE("sparse vectors that are cut, too long or claim what cannot be are malformed") {
    using test::decoded;
    using test::words;
    test::refuse_cut_and_longer(sparsevec<5>{{0, 1}, {3, 2}});
    auto const refuse = [](std::vector<std::byte> const& bytes, std::string const& message) {
        CHECK_THROWS_MATCHES(decoded<sparsevec<5>>(bytes), isorow::malformed, test::says(message));
    };
    CHECK(decoded<sparsevec<5>>(words({5, 2, 0, 0, 4}, {1.0f, 2.0f})) == sparsevec<5>{{0, 1}, {4, 2}});
    refuse(words({0, 0, 0}), "a sparsevec of 0 dimensions");
    refuse(words({-5, 0, 0}), "a sparsevec of -5 dimensions");
    refuse(words({1'000'000'001, 0, 0}), "a sparsevec of 1000000001 dimensions");
    refuse(words({5, -1, 0}), "a sparsevec of -1 elements");
    refuse(words({5, 6, 0}), "a sparsevec of 6 elements in 5 dimensions");
    refuse(words({1'000'000, 1'000'000, 0}), "a sparsevec of 1000000 elements");
    refuse(words({5, 3, 0, 0, 4}, {1.0f, 2.0f}), "a sparsevec of 3 elements has 24 bytes, not 16");
    refuse(words({5, 0, 1}), "a sparsevec with 1 where 0 stands");
    refuse(words({5, 2, 0, 4, 0}, {1.0f, 2.0f}), "element 0 where one of 5 to 4 stands");
    refuse(words({5, 2, 0, 1, 1}, {1.0f, 2.0f}), "element 1 where one of 2 to 4 stands");
    refuse(words({5, 1, 0, -1}, {1.0f}), "element -1");
    refuse(words({5, 1, 0, 5}, {1.0f}), "element 5");
    refuse(words({5, 1, 0, 2}, {0.0f}), "sparsevec element 2 is 0");
    refuse(words({5, 1, 0, 2}, {-std::numeric_limits<float>::infinity()}), "sparsevec element 2 is -inf");
    refuse(words({6, 0, 0}), "sparsevec has 6 dimensions, the field has 5");
}
