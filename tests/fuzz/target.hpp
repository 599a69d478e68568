#pragma once

/// @file
/// What a fuzz target is. Each file of this folder registers those of one kind of decoder; the program runs the one that it is told.

#include <isorow/error/value_error.hpp>

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fuzz {

using bytes = std::vector<std::byte>;
using input = std::span<std::byte const>;

/// One decoder. `run` decodes what it is given, and where that succeeds, checks that what was decoded is kept when it is encoded again. It
/// throws nothing but isorow's errors. `seeds` makes the inputs that its corpus begins with.
struct target {
    std::string name;
    std::function<void(input)> run;
    std::function<std::vector<bytes>()> seeds;
};

/// All targets of the program.
[[nodiscard]] inline std::vector<target>& targets() {
    static std::vector<target> all;
    return all;
}

/// Registers a target when the program starts.
struct registered {
    registered(std::string name, std::function<void(input)> run, std::function<std::vector<bytes>()> seeds) {
        targets().push_back({std::move(name), std::move(run), std::move(seeds)});
    }
};

/// Ends the program, which is what the fuzzer calls a finding, where `holds` is false.
void require(bool holds, std::string_view what);

/// Memory is not counted while one lives: a number's text is longer than what the number is on the wire, and so is meant.
struct uncounted {
    uncounted() noexcept;
    ~uncounted();
    uncounted(uncounted const&) = delete;
    uncounted& operator=(uncounted const&) = delete;

private:
    bool counted_before_;
};

[[nodiscard]] inline bytes bytes_of(input given) { return {given.begin(), given.end()}; }
[[nodiscard]] inline bytes bytes_of(std::string_view text) { return bytes_of(std::as_bytes(std::span(text))); }
[[nodiscard]] inline std::string_view text_of(input given) { return {reinterpret_cast<char const*>(given.data()), given.size()}; }

/// Inputs written as texts.
[[nodiscard]] inline std::function<std::vector<bytes>()> texts(std::vector<std::string_view> list) {
    return [list = std::move(list)] {
        std::vector<bytes> all;
        for (auto const text : list) all.push_back(bytes_of(text));
        return all;
    };
}

/// What decodes may be refused when it is encoded: a server does not send it, and does not take it, such as NaN in a vector. Returns
/// whether `encode` was done.
template <class Encode>
[[nodiscard]] bool is_encoded(Encode&& encode) {
    try {
        encode();
        return true;
    } catch (isorow::unrepresentable const&) {
        return false;
    }
}

}  // namespace fuzz
