#pragma once

/// @file
/// What keeps a page of docs/ true: each line of code on it stands in a test or an example, and each test that it names is there.

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace test {

/// The texts of all tests and examples.
inline std::vector<std::string> compiled_texts() {
    std::vector<std::string> texts;
    for (auto const* const folder : {"/tests", "/examples"})
        for (auto const& entry : std::filesystem::recursive_directory_iterator(std::string(ISOROW_SOURCE_DIR) + folder)) {
            if (entry.path().extension() != ".cpp" || entry.path().string().find("compile_fail") != std::string::npos) continue;
            std::ifstream in(entry.path());
            texts.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
        }
    return texts;
}

inline std::string trimmed(std::string_view line) {
    auto const first = line.find_first_not_of(' ');
    return first == std::string_view::npos ? std::string() : std::string(line.substr(first, line.find_last_not_of(' ') - first + 1));
}

/// The lines of texts, without the blanks around them.
inline std::set<std::string> lines_of(std::vector<std::string> const& texts) {
    std::set<std::string> lines;
    for (auto const& text : texts) {
        std::istringstream in(text);
        for (std::string line; std::getline(in, line);) lines.insert(trimmed(line));
    }
    return lines;
}

/// Checks a page of docs/. `at_least`: so many lines and names are on it, so that a page that is not read does not pass.
inline void check_page(std::string const& name, int at_least) {
    std::ifstream page(std::string(ISOROW_SOURCE_DIR) + "/docs/" + name);
    REQUIRE(page);
    auto const texts = compiled_texts();
    auto const lines = lines_of(texts);
    int checked = 0;
    bool code = false;
    for (std::string line; std::getline(page, line);) {
        if (line.starts_with("```")) {
            code = !code && line == "```cpp";
            continue;
        }
        if (code && !trimmed(line).empty()) {
            INFO(line);
            CHECK(lines.contains(trimmed(line)));
            ++checked;
        }
        if (code || !line.starts_with('|')) continue;
        // Names of tests are what stands between quotation marks in tables.
        for (auto begin = line.find('"'); begin != std::string::npos;) {
            auto const end = line.find('"', begin + 1);
            REQUIRE(end != std::string::npos);
            auto const named = line.substr(begin, end - begin + 1);
            INFO(named);
            CHECK(std::ranges::any_of(texts, [&](std::string const& text) { return text.find(named) != std::string::npos; }));
            ++checked;
            begin = line.find('"', end + 1);
        }
    }
    CHECK(checked > at_least);
}

}  // namespace test
