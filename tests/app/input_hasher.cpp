#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>

#include <isorow/app/input_hasher.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

namespace {

template <class T>
isorow::detail::fingerprint of(T const& value) {
    isorow::input_hasher hasher;
    return hasher.add(value).result();
}

enum class color : std::uint8_t { red, green };

struct Inner {
    std::string name;
    std::optional<double> price;
};

struct Everything {
    bool flag = true;
    std::int64_t id = 7;
    color shade = color::green;
    std::string text = "text";
    std::optional<std::int32_t> maybe = 3;
    std::vector<Inner> inner{{"a", 1.0}, {"b", std::nullopt}};
    std::map<std::string, std::int32_t> counts{{"x", 1}};
    std::variant<std::int32_t, std::string> either = "other";
    std::tuple<std::int32_t, bool> both{1, true};
    std::chrono::sys_days day{std::chrono::year{2026} / 11 / 21};
    std::chrono::milliseconds time{250};
    isorow::uuid uuid{};
    isorow::numeric amount{12};
    isorow::vector<3> embedding{1.0F, 2.0F, 3.0F};
    isorow::date date = isorow::date::infinity();
    isorow::interval interval{1, 2, 3};
    isorow::annotated<std::int64_t, isorow::pg_type<"integer">> number = 5;
    isorow::annotated<std::string, isorow::pg_type<"varchar(9)">> short_text{"s"};
    isorow::jsonb<std::vector<std::string>> list{{"a"}};
};

struct Input {
    std::string name;
    std::optional<double> price;
    std::vector<std::int32_t> numbers;
    isorow::uuid id;
    isorow::numeric amount;
};

/// Not an aggregate, and with a part that does not count.
class Cached {
public:
    explicit Cached(std::int32_t value) : value_(value) {}
    void fill() { cache_ = value_ * 2; }

private:
    friend void isorow_fingerprint(Cached const& cached, isorow::input_hasher& hasher) { hasher.add(cached.value_); }
    std::int32_t value_;
    std::int32_t cache_ = 0;
};

}  // namespace

TEST_CASE("equal values have equal fingerprints") {
    CHECK(of(Everything{}) == of(Everything{}));
    CHECK(of(std::string("text")) == of(std::string_view("text")));
    CHECK(of(std::string("text")) == of("text"));
    CHECK(of(std::vector<std::int32_t>{1, 2}) == of(std::array<std::int32_t, 2>{1, 2}));
}

TEST_CASE("a struct's fingerprint is another one when any field is") {
    auto const before = of(Everything{});
    std::set<std::pair<std::uint64_t, std::uint64_t>> seen{{before.high, before.low}};
    auto const add = [&](auto change) {
        Everything one;
        change(one);
        auto const print = of(one);
        seen.emplace(print.high, print.low);
    };
    add([](auto& one) { one.flag = false; });
    add([](auto& one) { one.id = 8; });
    add([](auto& one) { one.shade = color::red; });
    add([](auto& one) { one.text = "Text"; });
    add([](auto& one) { one.maybe.reset(); });
    add([](auto& one) { one.inner[1].price = 0; });
    add([](auto& one) { one.inner.pop_back(); });
    add([](auto& one) { one.counts["x"] = 2; });
    add([](auto& one) { one.either = 1; });
    add([](auto& one) { std::get<1>(one.both) = false; });
    add([](auto& one) { one.day += std::chrono::days(1); });
    add([](auto& one) { one.time += std::chrono::milliseconds(1); });
    add([](auto& one) { one.uuid = *isorow::uuid::parse("00000000-0000-0000-0000-000000000001"); });
    add([](auto& one) { one.amount = isorow::numeric(13); });
    add([](auto& one) { one.embedding[2] = 4.0F; });
    add([](auto& one) { one.date = isorow::date::minus_infinity(); });
    add([](auto& one) { one.interval.days = 9; });
    add([](auto& one) { one.number = 6; });
    add([](auto& one) { one.short_text = "t"; });
    add([](auto& one) { one.list->push_back("b"); });
    CHECK(seen.size() == 21);
}

TEST_CASE("parts that only together have the same bytes are told apart") {
    using texts = std::vector<std::string>;
    CHECK(of(texts{"ab", "c"}) != of(texts{"a", "bc"}));
    CHECK(of(texts{"abc"}) != of(texts{"abc", ""}));
    CHECK(of(texts{}) != of(texts{""}));
    CHECK(of(std::tuple<std::string, std::string>{"ab", "c"}) != of(std::tuple<std::string, std::string>{"a", "bc"}));
    CHECK(of(std::vector<std::vector<std::int32_t>>{{1}, {2}}) != of(std::vector<std::vector<std::int32_t>>{{1, 2}, {}}));
    CHECK(of(std::optional<std::int32_t>{}) != of(std::optional<std::int32_t>{0}));
    CHECK(of(std::optional<std::optional<std::int32_t>>{std::optional<std::int32_t>{}}) !=
          of(std::optional<std::optional<std::int32_t>>{}));
    using same_twice = std::variant<std::int32_t, std::int32_t>;
    CHECK(of(same_twice(std::in_place_index<0>, 5)) != of(same_twice(std::in_place_index<1>, 5)));
    CHECK(of(std::int32_t{1}) != of(std::int64_t{1}));
    CHECK(of(std::int64_t{0}) != of(0.0));
    CHECK(of(std::string("1")) != of(1));
    CHECK(of(std::chrono::seconds(60)) != of(std::chrono::minutes(60)));
    CHECK(of(false) != of(std::uint8_t{0}));
}

TEST_CASE("floating point numbers are taken by their bytes") {
    auto const nan = std::numeric_limits<double>::quiet_NaN();
    CHECK(of(nan) == of(nan));
    CHECK(of(0.0) != of(-0.0));
    CHECK(of(std::vector<double>{0.0}) != of(std::vector<double>{-0.0}));
    CHECK(of(1.0F) != of(1.0));
}

TEST_CASE("a range has the same fingerprint whatever holds its elements") {
    std::vector<Inner> const vector{{"a", 1.0}, {"b", std::nullopt}};
    CHECK(of(vector) == of(std::list<Inner>(vector.begin(), vector.end())));
    CHECK(of(vector) == of(std::deque<Inner>(vector.begin(), vector.end())));
    CHECK(of(std::vector<bool>{true, false}) != of(std::vector<bool>{false, true}));
    CHECK(of(std::vector<std::byte>{std::byte{1}}) != of(std::vector<std::byte>{std::byte{2}}));
}

TEST_CASE("the order of an unordered container says nothing") {
    std::unordered_map<std::string, std::int32_t> first;
    std::unordered_map<std::string, std::int32_t> second(512);
    for (std::int32_t i = 0; i < 100; ++i) first["key " + std::to_string(i)] = i;
    for (std::int32_t i = 99; i >= 0; --i) second["key " + std::to_string(i)] = i;
    CHECK(of(first) == of(second));
    second["key 7"] = 8;
    CHECK(of(first) != of(second));
    CHECK(of(std::unordered_multiset<std::int32_t>{1, 1}) != of(std::unordered_multiset<std::int32_t>{1}));
}

TEST_CASE("a pointer stands for what it points to") {
    CHECK(of(std::make_shared<std::string>("x")) == of(std::make_unique<std::string>("x")));
    CHECK(of(std::shared_ptr<std::string>()) != of(std::make_shared<std::string>()));
    std::string const text = "x";
    CHECK(of(std::ref(text)) == of(text));
    CHECK(of(std::tie(text)) == of(std::tuple<std::string>(text)));
}

TEST_CASE("a path of the file system is a text") { CHECK(of(std::filesystem::path("/a/b")) == of(std::string("/a/b"))); }

TEST_CASE("a type may say itself what makes its values") {
    Cached one(1);
    Cached other(1);
    other.fill();
    CHECK(of(one) == of(other));
    CHECK(of(one) != of(Cached(2)));
    CHECK(of(std::vector{one}) == of(std::vector{other}));
}

TEST_CASE("a long input has the same fingerprint in one piece and in many") {
    for (std::size_t size : {0U, 1U, 500U, 511U, 512U, 513U, 1000U, 100'000U}) {
        std::string const text(size, 'x');
        std::vector<std::string> const once{text, text};
        CHECK(of(once) == of(std::list<std::string>{text, text}));
        auto other = once;
        if (size > 0) {
            other[1].back() = 'y';
            CHECK(of(once) != of(other));
        }
    }
    isorow::input_hasher hasher;
    for (int i = 0; i < 1000; ++i) hasher.add(i);
    auto const whole = hasher.result();
    CHECK(hasher.result() == whole);
    CHECK(hasher.add(1).result() != whole);
}

TEST_CASE("version and input make the memo") {
    using isorow::detail::memo_of;
    CHECK(memo_of(1, std::string("a")) == memo_of(1, std::string("a")));
    CHECK(memo_of(1, std::string("a")) != memo_of(2, std::string("a")));
    CHECK(memo_of(1, std::string("a")) != memo_of(1, std::string("b")));
}

TEST_CASE("fingerprints stay what they are from one release to the next, and from one compiler to the other") {
    // A change here lets every memoized component of every app run once more: it asks for another memo_format, and a note in the changelog.
    using isorow::detail::fingerprint;
    using isorow::detail::memo_of;
    CHECK(memo_of(2, std::tuple<std::int64_t, std::string>{17, "lamp"}) == fingerprint{0x1b530cc9f56c0a91, 0x519b3ed9f43796a8});
    CHECK(memo_of(1, Input{"lamp", 1.5, {1, 2, 3}, {}, isorow::numeric(12)}) == fingerprint{0xce90aaf70e66f406, 0x2bd343f5d2078df8});
}

TEST_CASE("dynamic rows are told apart by names, kinds and values") {
    using isorow::dynamic_row;
    dynamic_row const row{{"id", 1}, {"name", "lamp"}, {"note", isorow::null}};
    CHECK(of(row) == of(dynamic_row{{"id", 1}, {"name", "lamp"}, {"note", isorow::null}}));
    CHECK(of(row) != of(dynamic_row{{"id", 1}, {"name", "lamp"}, {"note", ""}}));
    CHECK(of(row) != of(dynamic_row{{"id", 1.0}, {"name", "lamp"}, {"note", isorow::null}}));
    CHECK(of(row) != of(dynamic_row{{"id", 1}, {"names", "lamp"}, {"note", isorow::null}}));
    CHECK(of(dynamic_row{{"a", isorow::dynamic_value::array{1, 2}}}) != of(dynamic_row{{"a", isorow::dynamic_value::array{2, 1}}}));
}
