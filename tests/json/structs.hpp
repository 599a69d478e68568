#pragma once

/// @file
/// The structs that the tests of JSON store, and what a text read into one of them says.

#include <isorow/json.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

namespace test {

struct Street {
    std::string name;
    std::optional<std::int32_t> number;

    friend bool operator==(Street const&, Street const&) = default;
};

struct Address {
    Street street;
    std::string city;
    bool is_home = false;

    friend bool operator==(Address const&, Address const&) = default;
};

struct Circle {
    double radius = 0;
    friend bool operator==(Circle const&, Circle const&) = default;
};
struct Square {
    double side = 0;
    static constexpr std::string_view isorow_json_name = "square";
    friend bool operator==(Square const&, Square const&) = default;
};
struct Nowhere {
    friend bool operator==(Nowhere const&, Nowhere const&) = default;
};
using Shape = std::variant<Circle, Square, Nowhere, std::monostate, std::string>;

struct Tree {
    std::string name;
    std::vector<Tree> children;
    friend bool operator==(Tree const&, Tree const&) = default;
};

enum class Colour : std::int16_t { red = 1, green = 2 };

/// Everything that has a form.
struct Everything {
    std::int8_t tiny = 0;
    std::uint64_t large = 0;
    std::int64_t whole = 0;
    float single = 0;
    double real = 0;
    bool flag = false;
    std::string text;
    std::optional<std::string> maybe;
    Colour colour = Colour::red;
    std::vector<std::optional<double>> numbers;
    std::array<bool, 3> bits{};
    std::map<std::string, Address> addresses;
    std::unordered_map<std::string, std::vector<std::int32_t>> lists;
    std::vector<Shape> shapes;
    Tree tree;
    isorow::jsonb<std::vector<std::string>> words;
    boost::json::value anything;

    friend bool operator==(Everything const&, Everything const&) = default;
};

}  // namespace test
