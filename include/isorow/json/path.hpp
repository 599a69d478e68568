#pragma once

#include <isorow/error/value_error.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace isorow::inline v1 {

/// How deeply lists and objects may stand in each other, in what is read and what is written: each level takes stack.
inline constexpr std::size_t json_depth_limit = 256;

/// Where in a JSON value the reader or the writer is, for error texts: `$.address.lines[2]`. It is a chain of steps on the stack, so
/// that it costs next to nothing while nothing goes wrong.
class json_path {
    struct node {
        node const* parent;
        std::string_view member;
        std::size_t index;
    };

public:
    /// One step down, for the object's lifetime. Throws `unrepresentable` below `json_depth_limit`.
    class step {
    public:
        /// `member` must outlive the step.
        step(json_path& path, std::string_view member) : step(path, node{path.last_, member, no_index}) {}
        step(json_path& path, std::size_t index) : step(path, node{path.last_, {}, index}) {}
        step(step const&) = delete;
        step& operator=(step const&) = delete;
        ~step() {
            path_.last_ = here_.parent;
            --path_.depth_;
        }

    private:
        step(json_path& path, node here) : path_(path), here_(here) {
            if (path.depth_ >= json_depth_limit) throw unrepresentable("the JSON value is nested deeper than {} levels", json_depth_limit);
            path.last_ = &here_;
            ++path.depth_;
        }

        json_path& path_;
        node here_;
    };

    json_path() = default;
    json_path(json_path const&) = delete;
    json_path& operator=(json_path const&) = delete;

    /// The path as SQL/JSON writes it: `$.address.lines[2]`, `$."postal code"`. Long names are cut.
    [[nodiscard]] std::string to_string() const { return "$" + to_string(last_); }

private:
    static constexpr std::size_t no_index = static_cast<std::size_t>(-1);
    static constexpr std::size_t longest_name = 64;

    [[nodiscard]] static bool is_plain(std::string_view name) noexcept {
        for (char const character : name)
            if (character != '_' && !(character >= 'a' && character <= 'z') && !(character >= 'A' && character <= 'Z') &&
                !(character >= '0' && character <= '9'))
                return false;
        return !name.empty();
    }

    /// Not within a character of several bytes.
    [[nodiscard]] static std::size_t cut_of(std::string_view name) noexcept {
        auto cut = longest_name;
        while (cut > 0 && (static_cast<unsigned char>(name[cut]) & 0xc0) == 0x80) --cut;
        return cut;
    }

    [[nodiscard]] static std::string to_string(node const* here) {
        if (here == nullptr) return {};
        auto const before = to_string(here->parent);
        if (here->index != no_index) return before + text("[{}]", here->index);
        if (here->member.size() > longest_name) return before + text(".\"{}…\"", here->member.substr(0, cut_of(here->member)));
        return before + text(is_plain(here->member) ? ".{}" : ".\"{}\"", here->member);
    }

    node const* last_ = nullptr;
    std::size_t depth_ = 0;
};

}  // namespace isorow::inline v1
