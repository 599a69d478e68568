#include <catch2/catch_test_macros.hpp>

#include <isorow/json.hpp>
#include <isorow/json/notification.hpp>
#include <isorow/pq/listener.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>

#include <string>
#include <vector>

namespace {

struct Changed {
    std::int64_t id;
    std::vector<std::string> fields;
};

struct Settings {
    std::string theme;
    std::int32_t size;
};

struct User {
    std::int32_t id;
    Settings settings;
};

}  // namespace

TEST_CASE("a notification carries a struct as JSON", "[session]") {
    auto connection = test::connect();
    isorow::listener listener(test::dsn(), {"typed"});
    isorow::notify_json(connection, "typed", Changed{7, {"name", "price"}});
    auto const event = listener.next(std::chrono::seconds(10));
    REQUIRE(event);
    auto const changed = isorow::payload_as<Changed>(event->received);
    CHECK(changed.id == 7);
    CHECK(changed.fields.at(1) == "price");
}

TEST_CASE("a payload that is no such document is told with its place") {
    CHECK_THROWS_MATCHES(isorow::payload_as<Changed>({.channel = "c", .payload = R"({"id": "x", "fields": []})"}), isorow::value_error,
                         test::says("$.id"));
    CHECK_THROWS_AS(isorow::payload_as<Changed>({.channel = "c", .payload = "gone"}), isorow::value_error);
}

TEST_CASE("json_serializer and json_deserializer see each document of parameters and rows") {
    auto const replace = [](std::string_view from, std::string_view to) {
        return [=](std::string_view text) {
            std::string changed(text);
            if (auto const place = changed.find(from); place != std::string::npos) changed.replace(place, from.size(), to);
            return changed;
        };
    };
    isorow::connection connection(test::dsn(),
                                  {.json_serializer = replace("dark", "black"), .json_deserializer = replace("black", "night")});
    CHECK(isorow::scalar<std::string>(connection, "SELECT $1::jsonb ->> 'theme'", isorow::jsonb<Settings>(Settings{"dark", 1})) == "black");
    auto const user = isorow::query_one<User>(connection, R"(SELECT 1 AS id, '{"theme": "black", "size": 2}'::jsonb AS settings)");
    CHECK(user.settings.theme == "night");
    CHECK(user.settings.size == 2);
    CHECK(isorow::scalar<isorow::jsonb<Settings>>(connection, R"(SELECT '{"theme": "black", "size": 3}'::jsonb)")->size == 3);
}
