#include <catch2/catch_test_macros.hpp>

#include <isorow/reflect/fields.hpp>
#include <isorow/reflect/member.hpp>
#include <isorow/reflect/shape.hpp>
#include <isorow/reflect/type_name.hpp>

#include <any>
#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

namespace reflect = isorow::reflect;

namespace shop {

struct Product {
    std::string category;
    std::string name;
    std::optional<double> price;
    std::array<int, 3> sizes;
    std::int64_t const weight = 7;
};

struct Generic {
    std::variant<int, std::string> either;
    std::map<std::string, int> counts;
    std::unique_ptr<int> owned;
    std::chrono::year_month_day day;
    std::chrono::sys_time<std::chrono::microseconds> at;
};

}  // namespace shop

/// Called like what names are read by.
namespace nowhere {

struct detail {};
template <class T>
struct value {
    std::remove_reference_t<T>* nowhere;
    int größe;
    int value;
    int _1;
};

}  // namespace nowhere

namespace {

/// A type without linkage, and one that is made of it in its constant constructor.
enum class Hidden : std::uint8_t { one, two };
struct WithHidden {
    Hidden given;
    std::optional<Hidden> maybe;
};

struct NeedsArgument {
    explicit NeedsArgument(int) {}
};
struct WithNonDefault {
    int id;
    NeedsArgument other;
    double last;
};
struct Base {
    int inherited;
};
struct Derived : Base {
    int own;
};
struct ArrayFirst {
    char code[16];
    int id;
};
struct ArrayBehindNonDefault {
    int id;
    NeedsArgument other;
    double values[2];
    int last;
};
struct Constructed {
    Constructed() {}
    int id = 0;
};

}  // namespace

TEST_CASE("fields are counted, and named in the order of their declaration") {
    STATIC_CHECK(reflect::field_count<shop::Product> == 5);
    STATIC_CHECK(reflect::field_names<shop::Product> == std::array<std::string_view, 5>{"category", "name", "price", "sizes", "weight"});
}

TEST_CASE("a field's type is the declared one without const") {
    STATIC_CHECK(std::is_same_v<reflect::field_type<shop::Product, 2>, std::optional<double>>);
    STATIC_CHECK(std::is_same_v<reflect::field_type<shop::Product, 4>, std::int64_t>);
}

TEST_CASE("a field is reached by its place, for reading and for writing") {
    shop::Product product{};
    reflect::get<1>(product) = "lamp";
    CHECK(product.name == "lamp");
    CHECK(reflect::get<4>(product) == 7);
}

TEST_CASE("all fields are visited in order") {
    std::string visited;
    reflect::for_each_index<shop::Product>([&](auto index) { visited += reflect::field_names<shop::Product>[index]; });
    CHECK(visited == "categorynamepricesizesweight");
}

TEST_CASE("a member pointer tells the field's place, among fields of the same type too") {
    STATIC_CHECK(reflect::index_of<&shop::Product::category> == 0);
    STATIC_CHECK(reflect::index_of<&shop::Product::name> == 1);
    STATIC_CHECK(reflect::index_of<&shop::Product::weight> == 4);
}

TEST_CASE("structs of anonymous namespaces and of functions are reflected") {
    struct Local {
        int first;
        int second;
    };
    STATIC_CHECK(reflect::field_names<Local>[1] == "second");
    STATIC_CHECK(reflect::index_of<&Local::second> == 1);
    STATIC_CHECK(reflect::field_names<WithNonDefault>[2] == "last");
    STATIC_CHECK(reflect::field_count<WithHidden> == 2);
}

TEST_CASE("types that initialise in unusual ways are one field each") {
    STATIC_CHECK(reflect::field_count<shop::Generic> == 5);
    STATIC_CHECK(reflect::reflectable<WithNonDefault>);
}

TEST_CASE("fields whose types are made of everything are one field each, in structs that are copied and that are moved only") {
    struct Copied {
        std::any anything;
        std::function<void()> call;
        std::optional<std::chrono::sys_days> day;
        std::any other;
    };
    struct Moved {
        std::any anything;
        std::unique_ptr<int> owned;
        std::optional<std::unique_ptr<int>> other;
    };
    STATIC_CHECK(reflect::field_names<Copied> == std::array<std::string_view, 4>{"anything", "call", "day", "other"});
    STATIC_CHECK(reflect::field_names<Moved> == std::array<std::string_view, 3>{"anything", "owned", "other"});
}

TEST_CASE("structs of small and of large fields are counted exactly") {
    struct Small {
        bool a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t;
    };
    struct Large {
        std::array<char, 4096> bytes;
    };
    STATIC_CHECK(reflect::field_count<Small> == 20);
    STATIC_CHECK(reflect::field_names<Small>[19] == "t");
    STATIC_CHECK(reflect::field_count<Large> == 1);
}

TEST_CASE("names are read whatever struct, namespace and fields are called") {
    STATIC_CHECK(reflect::field_names<nowhere::value<nowhere::detail&>> ==
                 std::array<std::string_view, 4>{"nowhere", "größe", "value", "_1"});
    STATIC_CHECK(reflect::index_of<&nowhere::value<nowhere::detail&>::größe> == 1);
}

TEST_CASE("a base class is noticed") {
    STATIC_CHECK(reflect::has_base<Derived>());
    STATIC_CHECK_FALSE(reflect::has_base<Base>());
    STATIC_CHECK(reflect::reflectable<Derived> == bool{ISOROW_HAS_REFLECTION});
}

TEST_CASE("a C array is noticed and its place told") {
    STATIC_CHECK(reflect::first_array<ArrayFirst>() == 0);
    STATIC_CHECK(reflect::first_array<ArrayBehindNonDefault>() == 2);
    STATIC_CHECK(reflect::reflectable<ArrayFirst> == bool{ISOROW_HAS_REFLECTION});
}

TEST_CASE("types that are no plain structs are not reflectable") {
    STATIC_CHECK_FALSE(reflect::reflectable<Constructed>);
    STATIC_CHECK_FALSE(reflect::reflectable<int>);
    STATIC_CHECK_FALSE(reflect::reflectable<std::string>);
}

TEST_CASE("a type's name comes without namespaces") {
    struct Local {};
    STATIC_CHECK(isorow::type_name<shop::Product>() == "Product");
    STATIC_CHECK(isorow::type_name<Base>() == "Base");
    STATIC_CHECK(isorow::type_name<Local>() == "Local");
    STATIC_CHECK(isorow::type_name<int>() == "int");
}
