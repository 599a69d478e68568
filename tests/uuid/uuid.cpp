#include <catch2/catch_test_macros.hpp>

#include <isorow/query/query.hpp>
#include <isorow/uuid.hpp>
#include <support/connect.hpp>

#include <boost/uuid/string_generator.hpp>
#include <boost/uuid/uuid_io.hpp>

#include <string>

TEST_CASE("Boost's uuids go to the server and back") {
    auto connection = test::connect();
    auto const value = boost::uuids::string_generator()("550e8400-e29b-41d4-a716-446655440000");
    CHECK(isorow::query_one<boost::uuids::uuid>(connection, "SELECT $1", value) == value);
    CHECK(isorow::query_one<std::string>(connection, "SELECT $1::text", value) == boost::uuids::to_string(value));
}
