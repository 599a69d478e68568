#include <catch2/catch_test_macros.hpp>

#include <isorow/reflect/enumerators.hpp>
#include <isorow/reflect/fields.hpp>
#include <isorow/reflect/member.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#ifdef BOOST_PFR_CORE_HPP
#error Boost.PFR is included
#endif

namespace reflect = isorow::reflect;

namespace {

struct Key {
    std::int64_t id;
};
struct Stamp {
    std::string by;
};
struct Stamped : Key, Stamp {
    std::int32_t version;
};
struct Product : Stamped {
    char name[16];
    double prices[2];
};

struct Closed {
    explicit Closed(int) {}
    int inside = 0;
};
struct WithClosedBase : Closed {
    int own;
};
struct Left : Key {};
struct Right : Key {};
struct Diamond : Left, Right {
    int last;
};
struct WithBits {
    int small : 3;
    int whole;
};
struct WithReference {
    int& elsewhere;
};
struct WithAnonymousUnion {
    union {
        int number;
        float real;
    };
};
struct Empty {};
struct OnlyInherited : Key, Empty {};

enum class Mood : std::int64_t { sad = -1'000'000'000'000, ok = 0, happy = 400, glad = 400 };
enum class Nothing {};

}  // namespace

TEST_CASE("the fields of base classes come first, in the order of the bases") {
    STATIC_CHECK(reflect::field_names<Product> == std::array<std::string_view, 5>{"id", "by", "version", "name", "prices"});
    STATIC_CHECK(std::is_same_v<reflect::field_type<Product, 1>, std::string>);
    STATIC_CHECK(reflect::field_count<OnlyInherited> == 1);
}

TEST_CASE("inherited fields and C arrays are reached by their place") {
    Product product{};
    reflect::get<0>(product) = 7;
    reflect::get<1>(product) = "me";
    reflect::get<3>(product)[15] = 'x';
    CHECK(product.id == 7);
    CHECK(product.by == "me");
    CHECK(product.name[15] == 'x');
    STATIC_CHECK(std::is_same_v<reflect::field_type<Product, 3>, char[16]>);
    STATIC_CHECK(std::is_same_v<decltype(reflect::get<4>(std::declval<Product const&>())), double const(&)[2]>);
}

TEST_CASE("a member pointer to an array tells its place") {
    STATIC_CHECK(reflect::index_of<&Product::name> == 3);
    STATIC_CHECK(reflect::index_of<&Product::prices> == 4);
}

TEST_CASE("C arrays are assigned element by element") {
    Product from{};
    from.prices[1] = 2.5;
    Product to{};
    reflect::assign(to.prices, from.prices);
    CHECK(to.prices[1] == 2.5);
}

TEST_CASE("structs whose fields cannot all be reached are refused, each for its reason") {
    STATIC_CHECK(reflect::shape_of<WithClosedBase>() == reflect::shape::has_base);
    STATIC_CHECK(reflect::shape_of<Diamond>() == reflect::shape::has_base);
    STATIC_CHECK(reflect::shape_of<WithBits>() == reflect::shape::has_unnamed);
    STATIC_CHECK(reflect::shape_of<WithReference>() == reflect::shape::has_unnamed);
    STATIC_CHECK(reflect::shape_of<WithAnonymousUnion>() == reflect::shape::has_unnamed);
    STATIC_CHECK(reflect::shape_of<Empty>() == reflect::shape::no_fields);
    STATIC_CHECK_FALSE(reflect::reflectable<std::array<int, 3>>);
}

TEST_CASE("an enumeration's values and names are those that it declares, whatever their range") {
    STATIC_CHECK(reflect::enumerators_of<Mood>.size() == 4);
    STATIC_CHECK(reflect::enumerators_of<Mood>[0].value == Mood::sad);
    STATIC_CHECK(reflect::enumerators_of<Mood>[0].name == "sad");
    STATIC_CHECK(reflect::enumerators_of<Nothing>.empty());
}

TEST_CASE("a value's name is its first; a value that is not declared has none") {
    STATIC_CHECK(reflect::enumerator_name(Mood::glad) == "happy");
    STATIC_CHECK(reflect::enumerator_name(static_cast<Mood>(3)).empty());
}
