// Random values of every type go to the server and back, many in one statement. What comes back is the same, is what the server makes of
// the value's text, and compares as the codec says.

#include <catch2/catch_test_macros.hpp>

#include <isorow/codec/dynamic_codec.hpp>
#include <isorow/isorow.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>
#include <support/property.hpp>
#include <support/same_value.hpp>
#include <support/value_types.hpp>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace {

using image = std::vector<std::byte>;

image image_of(std::span<std::byte const> bytes) { return {bytes.begin(), bytes.end()}; }

/// A connection to a database that has pgvector, whose texts have the form that isorow's have.
struct server : test::database {
    isorow::connection connection{test::connect(dsn())};

    server() {
        isorow::execute(connection, "CREATE EXTENSION vector");
        isorow::execute(connection, "CREATE EXTENSION hstore");
        isorow::execute(connection, "SET timezone = 'UTC'");
    }
};

template <class T>
image encoded(T const& value) {
    isorow::byte_writer out;
    isorow::encode<isorow::codec<T>>(value, out);
    return image_of(out.bytes());
}

/// The value's text as isorow writes it, in Postgres' form; nothing where isorow has no text for the type.
template <class T>
std::optional<std::string> text_of(T const& value) {
    using namespace std::chrono;
    if constexpr (std::same_as<T, std::string>) return value;
    else if constexpr (std::same_as<T, image>) return test::bytea_text(value);
    else if constexpr (std::is_arithmetic_v<T>) return isorow::text("{}", value);
    else if constexpr (std::same_as<T, sys_days> || std::same_as<T, year_month_day>) return to_string(isorow::date(value));
    else if constexpr (std::same_as<T, local_time<microseconds>>) return to_string(isorow::timestamp(value));
    else if constexpr (std::same_as<T, sys_time<microseconds>>) return to_string(isorow::timestamptz(value));
    else if constexpr (std::same_as<T, microseconds>) return to_string(isorow::interval(value));
    else if constexpr (isorow::json_document<T>) return isorow::to_json_text(value);
    else if constexpr (requires { to_string(value); }) return to_string(value);
    else return std::nullopt;
}

/// Values of one type as they are sent.
struct sent_values {
    isorow::column_type type;
    bool stable;
    bool equal;
    std::vector<image> images{};
    std::vector<std::optional<std::string>> texts{};
    std::function<bool(std::size_t, std::span<std::byte const>)> is_same{};  ///< whether bytes decode to the value at a place

    [[nodiscard]] std::string label(std::size_t place) const {
        return isorow::text("value {} of {}, {}{}", place, to_sql(type), test::bytea_text(images[place]),
                            texts[place] ? ", in words " + *texts[place] : "");
    }
};

/// `SELECT v, v::text::T, form::T FROM (VALUES (0, $1, $2), …)`
std::string echo_sql(sent_values const& sent) {
    std::string values;
    for (std::size_t i = 0; i < sent.images.size(); ++i)
        values += isorow::text("{}({}, ${}, ${})", i == 0 ? "" : ", ", i, 2 * i + 1, 2 * i + 2);
    auto const type = to_sql(sent.type);
    return isorow::text("SELECT v, v::text::{}, form::{} FROM (VALUES {}) AS sent(place, v, form) ORDER BY place", type, type, values);
}

isorow::oid oid_of(isorow::connection& connection, isorow::column_type const& type) {
    if (type.oid() != 0) return type.oid();
    return connection.types().learn(connection, isorow::entry_of(type.id).catalog_name, connection.default_limits());
}

isorow::parameters bound(sent_values const& sent, isorow::oid type) {
    isorow::parameters all;
    for (std::size_t i = 0; i < sent.images.size(); ++i) {
        all.add(type).put_bytes(sent.images[i]);
        all.end();
        if (!sent.texts[i]) {
            all.add_null(isorow::entry_of(isorow::type_id::text).oid);
            continue;
        }
        all.add(isorow::entry_of(isorow::type_id::text).oid).put_bytes(*sent.texts[i]);
        all.end();
    }
    return all;
}

/// What is wrong with the answer; empty where nothing is.
std::string check_echo(isorow::connection& connection, sent_values const& sent) {
    auto const answer =
        isorow::execute_statement(connection, echo_sql(sent), bound(sent, oid_of(connection, sent.type)), connection.default_limits());
    if (answer.rows() != static_cast<int>(sent.images.size())) return "not as many rows as were sent";
    for (std::size_t place = 0; place < sent.images.size(); ++place) {
        auto const row = static_cast<int>(place);
        auto const back = answer.value(row, 0);
        auto const hex = [](std::span<std::byte const> bytes) { return test::bytea_text(bytes); };
        if (!sent.is_same(place, back)) return sent.label(place) + ": came back as another value, " + hex(back);
        if (sent.stable && image_of(back) != sent.images[place]) return sent.label(place) + ": came back in other bytes, " + hex(back);
        if (image_of(answer.value(row, 1)) != image_of(back))
            return sent.label(place) + ": the server makes of its own text " + hex(answer.value(row, 1));
        if (sent.texts[place] && image_of(answer.value(row, 2)) != image_of(back))
            return sent.label(place) + ": the server makes of isorow's text " + hex(answer.value(row, 2));
    }
    return {};
}

/// Each pair of values: equal for the server exactly where their bytes are.
std::string check_equality(isorow::connection& connection, sent_values const& sent) {
    std::string values;
    isorow::parameters all;
    auto const type = oid_of(connection, sent.type);
    for (std::size_t i = 0; i < sent.images.size(); ++i) {
        values += isorow::text("{}({}, ${})", i == 0 ? "" : ", ", i, i + 1);
        all.add(type).put_bytes(sent.images[i]);
        all.end();
    }
    auto const answer = isorow::execute_statement(
        connection,
        isorow::text("WITH sent(place, v) AS (VALUES {}) SELECT a.place, b.place, a.v = b.v FROM sent a, sent b WHERE a.place < b.place",
                     values),
        all, connection.default_limits());
    for (int row = 0; row < answer.rows(); ++row) {
        auto const place = [&](int column) {
            return static_cast<std::size_t>(isorow::codec<std::int32_t>::decode(isorow::byte_reader(answer.value(row, column))));
        };
        auto const equal = isorow::codec<bool>::decode(isorow::byte_reader(answer.value(row, 2)));
        if (equal != (sent.images[place(0)] == sent.images[place(1)]))
            return sent.label(place(0)) + (equal ? " is equal to " : " is not equal to ") + sent.label(place(1)) + ", unlike their bytes";
    }
    return {};
}

template <class T>
sent_values sent_of(std::vector<T> const& values) {
    sent_values sent{isorow::default_type<T>, isorow::codec<T>::bytewise_stable, isorow::codec<T>::bytewise_equal};
    for (auto const& value : values) {
        sent.images.push_back(encoded(value));
        sent.texts.push_back(text_of(value));
    }
    sent.is_same = [&values](std::size_t place, std::span<std::byte const> bytes) {
        return test::same<T>(isorow::codec<T>::decode(isorow::byte_reader(bytes)), values[place]);
    };
    return sent;
}

/// So many values go in one statement.
constexpr int batch = 25;

template <class T>
void check_type(isorow::connection& connection, std::string const& name, rc::Gen<T> const& values, int count) {
    test::check_property(name, count / batch, [&] {
        std::vector<T> drawn;
        for (int i = 0; i < batch; ++i) drawn.push_back(*values);
        drawn.push_back(drawn.front());
        auto const sent = sent_of(drawn);
        auto wrong = check_echo(connection, sent);
        if (wrong.empty() && sent.equal) wrong = check_equality(connection, sent);
        if (!wrong.empty()) RC_FAIL(wrong);
    });
}

/// Whether a T may be an element of an array with NULLs.
template <class T>
concept array_element = isorow::mapped<std::vector<std::optional<T>>> && isorow::mapping<std::vector<std::optional<T>>>::type.array &&
                        isorow::mapping<std::vector<std::optional<T>>>::type.oid() != 0;

}  // namespace

TEST_CASE_METHOD(server, "random values of every type come back the same, as the server reads their text, equal as their bytes") {
    test::for_each_value_type([&]<class T>(test::value_type<T> const& type) {
        check_type<T>(connection, std::string(type.name), type.values, test::random_values());
    });
}

TEST_CASE_METHOD(server, "random arrays of every type come back the same, with their NULLs") {
    test::for_each_value_type([&]<class T>(test::value_type<T> const& type) {
        if constexpr (array_element<T>) {
            using nullable = std::vector<std::optional<T>>;
            check_type<nullable>(connection, std::string(type.name) + "[]", test::random_field<nullable>::any(), test::random_values());
        }
    });
}

TEST_CASE_METHOD(server, "a text of every character of UTF-8 but NUL comes back the same") {
    std::string all;
    for (std::uint32_t code = 1; code <= 0x10ffff; ++code)
        if (code < 0xd800 || code > 0xdfff) all += test::random::character(code);
    CHECK(all.size() == 0x7f + 2 * 0x780 + 3 * (0x10000 - 0x800 - 0x800) + 4 * 0x100000);
    CHECK(isorow::query_one<std::string>(connection, "SELECT $1", all) == all);
    CHECK(isorow::query_one<std::int32_t>(connection, "SELECT char_length($1)", all) == 0x10ffff - 0x800);
}

TEST_CASE_METHOD(server, "every image of NaN, and the least count of an interval, which has no text, come back the same") {
    std::mt19937_64 random(20261127);
    for (int i = 0; i < 50; ++i) {
        auto const wide = std::bit_cast<double>(random() | 0x7ff8'0000'0000'0000u);
        auto const narrow = std::bit_cast<float>(static_cast<std::uint32_t>(random()) | 0x7fc0'0000u);
        CHECK(test::same(isorow::query_one<double>(connection, "SELECT $1", wide), wide));
        CHECK(test::same(isorow::query_one<float>(connection, "SELECT $1", narrow), narrow));
    }
    isorow::interval const least(0, 0, std::numeric_limits<std::int64_t>::min());
    CHECK(isorow::query_one<isorow::interval>(connection, "SELECT $1", least) == least);
}

TEST_CASE_METHOD(server, "a date after the last year of chrono's calendar is refused by it, and held by the other types") {
    using namespace std::chrono;
    auto const read = [&]<class T>(std::string_view text, T) { return isorow::query_one<T>(connection, "SELECT $1::text::date", text); };
    CHECK(read("32767-12-31", year_month_day()) == year_month_day(year::max() / 12 / 31));
    CHECK_THROWS_MATCHES(read("32768-01-01", year_month_day()), isorow::unrepresentable, test::says("use isorow::date"));
    CHECK_THROWS_AS(isorow::dynamic_value(read("99999-01-01", isorow::date())).as<year_month_day>(), isorow::unrepresentable);
    CHECK(isorow::date(read("99999-01-01", sys_days())) == read("99999-01-01", isorow::date()));
    CHECK(to_string(read("99999-01-01", isorow::date())) == "99999-01-01");
}

TEST_CASE("what a value of a type says of itself is the same for the typed codec and for dynamic values") {
    test::for_each_value_type([]<class T>(test::value_type<T> const& type) {
        constexpr auto as = isorow::default_type<T>;
        if (!isorow::detail::has_dynamic_form(as)) return;
        INFO(type.name);
        CHECK(isorow::detail::is_bytewise_stable(as) == isorow::codec<T>::bytewise_stable);
        CHECK(isorow::detail::is_bytewise_equal(as) == isorow::codec<T>::bytewise_equal);
        isorow::byte_writer out;
        isorow::encode<isorow::codec<T>>(type.value, out);
        isorow::byte_writer again;
        isorow::encode_value(isorow::decode_value(as, out.bytes()), as, again);
        CHECK(image_of(again.bytes()) == image_of(out.bytes()));
    });
}
