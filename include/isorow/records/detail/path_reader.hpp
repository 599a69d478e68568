#pragma once

/// @file
/// Paths as people write them.

#include <isorow/error/error.hpp>
#include <isorow/error/text.hpp>
#include <isorow/records/part.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1::records::detail {

inline constexpr std::size_t no_number = static_cast<std::size_t>(-1);

/// The number of a list's element that a step says, or `no_number` where it can only be a name: no sign, no zero in front, at most nine
/// digits.
[[nodiscard]] inline std::size_t number_of(std::string_view step) noexcept {
    bool const is_number = !step.empty() && step.size() <= 9 && (step.size() == 1 || step.front() != '0') &&
                           std::all_of(step.begin(), step.end(), [](char digit) { return digit >= '0' && digit <= '9'; });
    if (!is_number) return no_number;
    std::size_t number = 0;
    for (char const digit : step) number = number * 10 + static_cast<std::size_t>(digit - '0');
    return number;
}

struct written_path {
    enum part part = part::fields;
    std::vector<std::string> steps{};
    bool is_text = false;
};

/// Reads a path front to back. Throws `usage_error` for what is none.
class path_reader {
public:
    explicit path_reader(std::string_view written) noexcept : whole_(written) {}

    [[nodiscard]] written_path read() {
        auto const written = whole_;
        auto const arrow = written.find_first_of("-#");
        auto const head = trimmed(written.substr(0, arrow));
        bool const is_raw = arrow != std::string_view::npos &&
                            (written.substr(arrow).starts_with("->") || written.substr(arrow).starts_with("#>")) &&
                            (head == "fields" || head == "metadata");
        if (is_raw) read_raw(head, written.substr(arrow));
        else if (written == "id") read_.part = part::id;
        else read_dotted(written);
        return std::move(read_);
    }

private:
    void add(std::string step) { read_.steps.push_back(std::move(step)); }

    void read_dotted(std::string_view rest) {
        bool const is_quoted = rest.starts_with('"');
        add(take_step(rest));
        while (!rest.empty()) {
            rest.remove_prefix(1);  // the dot
            add(take_step(rest));
        }
        if (is_quoted || read_.steps.front() != "metadata") return;
        read_.part = part::metadata;
        read_.steps.erase(read_.steps.begin());
    }

    /// The step up to a dot or the end.
    [[nodiscard]] std::string take_step(std::string_view& rest) const {
        std::string step;
        if (!rest.starts_with('"')) {
            step = rest.substr(0, rest.find('.'));
            if (step.empty()) refuse("a step is empty; in quotes it may be: \"\"");
            rest.remove_prefix(step.size());
            return step;
        }
        step = take_quoted(rest, '"');
        if (!rest.empty() && !rest.starts_with('.')) refuse("a dot is missing behind a step in quotes");
        return step;
    }

    /// A text in quotes, in which they are doubled.
    [[nodiscard]] std::string take_quoted(std::string_view& rest, char quote) const {
        if (!rest.starts_with(quote)) refuse("a text in quotes is missing");
        std::string taken;
        for (std::size_t i = 1; i < rest.size(); ++i) {
            if (rest[i] == quote) {
                if (i + 1 == rest.size() || rest[i + 1] != quote) {
                    rest.remove_prefix(i + 1);
                    return taken;
                }
                ++i;
            }
            taken += rest[i];
        }
        refuse("a quote is not closed");
    }

    /// `->'address'->>'city'`, `->0`, `#>>'{a,b}'`.
    void read_raw(std::string_view head, std::string_view rest) {
        read_.part = head == "metadata" ? part::metadata : part::fields;
        while (!rest.empty()) {
            if (read_.is_text) refuse("nothing can stand behind ->> or #>>, which give a text");
            bool const is_list = rest.front() == '#';
            if (!rest.starts_with(is_list ? "#>" : "->")) refuse("an operator ->, ->>, #> or #>> is missing");
            rest.remove_prefix(2);
            read_.is_text = rest.starts_with('>');
            if (read_.is_text) rest.remove_prefix(1);
            rest = trimmed(rest);
            if (is_list) read_list(take_quoted(rest, '\''));
            else if (rest.starts_with('\'')) add(take_quoted(rest, '\''));
            else add(take_digits(rest));
            rest = trimmed(rest);
        }
    }

    [[nodiscard]] std::string take_digits(std::string_view& rest) const {
        auto const end = std::min(rest.find_first_not_of("0123456789"), rest.size());
        std::string digits(rest.substr(0, end));
        if (number_of(digits) == no_number) refuse("the number of an element, or a name in quotes, is missing");
        rest.remove_prefix(end);
        return digits;
    }

    /// `{a,"b c"}`
    void read_list(std::string_view list) {
        if (!list.starts_with('{') || !list.ends_with('}')) refuse("the list of steps is not in braces");
        list = trimmed(list.substr(1, list.size() - 2));
        while (!list.empty()) {
            std::string step;
            if (list.starts_with('"')) {
                std::size_t i = 1;
                for (; i < list.size() && list[i] != '"'; ++i) {
                    if (list[i] == '\\') ++i;
                    if (i < list.size()) step += list[i];
                }
                if (i >= list.size()) refuse("a quote is not closed");
                list.remove_prefix(i + 1);
            } else {
                step = trimmed(list.substr(0, list.find(',')));
                if (step.empty()) refuse("a step is empty; in quotes it may be: \"\"");
                list.remove_prefix(std::min(list.find(','), list.size()));
            }
            add(std::move(step));
            list = trimmed(list);
            if (list.empty()) break;
            if (!list.starts_with(',')) refuse("a comma is missing between two steps");
            list = trimmed(list.substr(1));
            if (list.empty()) refuse("a step is missing behind a comma");
        }
    }

    [[nodiscard]] static std::string_view trimmed(std::string_view text) noexcept {
        while (text.starts_with(' ')) text.remove_prefix(1);
        while (text.ends_with(' ')) text.remove_suffix(1);
        return text;
    }

    [[noreturn]] void refuse(std::string_view why) const { throw usage_error(text("\"{}\" is no path of a record: {}", whole_, why)); }

    std::string_view whole_;
    written_path read_{};
};

}  // namespace isorow::inline v1::records::detail
