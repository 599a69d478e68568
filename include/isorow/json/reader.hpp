#pragma once

#include <isorow/codec/utf8.hpp>
#include <isorow/json/escape.hpp>
#include <isorow/json/path.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace isorow::inline v1 {

/// What a JSON value is.
enum class json_kind : std::uint8_t { null, boolean, number, string, list, object };

/// Reads JSON text (RFC 8259) front to back, each value once, without building a tree: numbers are given as they are written, so that none
/// is rounded before its field is known, and a member's name that comes twice can be refused. Throws `malformed` where the text
/// is not JSON, and `unrepresentable` where the value is not of the kind asked for, both with the path. Refers to the text, which must
/// outlive it. Not thread-safe.
class json_reader {
public:
    explicit json_reader(std::string_view text) noexcept : text_(text) {}

    /// Where the next value stands. `take_elements` and `take_members` keep it.
    [[nodiscard]] json_path& path() noexcept { return path_; }

    /// What the next value is, by its first character.
    [[nodiscard]] json_kind kind() {
        switch (peek()) {
            case 'n':
                return json_kind::null;
            case 't':
            case 'f':
                return json_kind::boolean;
            case '"':
                return json_kind::string;
            case '[':
                return json_kind::list;
            case '{':
                return json_kind::object;
            case '-':
                return json_kind::number;
            default:
                break;
        }
        if (!is_digit(peek())) fail("no JSON value begins so");
        return json_kind::number;
    }

    void take_null() {
        require(json_kind::null);
        take_word("null");
    }

    [[nodiscard]] bool take_boolean() {
        require(json_kind::boolean);
        bool const value = peek() == 't';
        take_word(value ? "true" : "false");
        return value;
    }

    /// The number as it is written; valid as long as the text.
    [[nodiscard]] std::string_view take_number() {
        require(json_kind::number);
        auto const first = place_;
        if (current() == '-') ++place_;
        if (current() == '0') ++place_;
        else take_digits();
        if (current() == '.') {
            ++place_;
            take_digits();
        }
        if (current() == 'e' || current() == 'E') {
            ++place_;
            if (current() == '+' || current() == '-') ++place_;
            take_digits();
        }
        return text_.substr(first, place_ - first);
    }

    [[nodiscard]] std::string take_string() {
        require(json_kind::string);
        ++place_;
        std::string value;
        for (;;) {
            take_plain_characters(value);
            if (current() == '"') break;
            if (current() != '\\') fail(place_ == text_.size() ? "the text ends within quotes" : "a control character within quotes");
            ++place_;
            take_escape(value);
        }
        ++place_;
        return value;
    }

    /// Calls `take(index)` at each element of a list; it must take the element.
    template <class Take>
    void take_elements(Take&& take) {
        require(json_kind::list);
        ++place_;
        if (take_mark(']')) return;
        for (std::size_t index = 0;; ++index) {
            {
                json_path::step const inside(path_, index);
                take(index);
            }
            if (take_mark(']')) return;
            if (!take_mark(',')) fail("neither , nor ] stands behind an element");
        }
    }

    /// Calls `take(name)` at each member of an object; it must take the member's value.
    template <class Take>
    void take_members(Take&& take) {
        require(json_kind::object);
        ++place_;
        if (take_mark('}')) return;
        for (;;) {
            if (peek() != '"') fail("a member without a name");
            std::string const name = take_string();
            if (!take_mark(':')) fail("no : stands behind a member's name");
            {
                json_path::step const inside(path_, name);
                take(name);
            }
            if (take_mark('}')) return;
            if (!take_mark(',')) fail("neither , nor } stands behind a member");
        }
    }

    /// Takes the next value, whatever it is.
    void skip() {
        switch (kind()) {
            case json_kind::null:
                return take_null();
            case json_kind::boolean:
                return static_cast<void>(take_boolean());
            case json_kind::number:
                return static_cast<void>(take_number());
            case json_kind::string:
                return static_cast<void>(take_string());
            case json_kind::list:
                return take_elements([this](std::size_t) { skip(); });
            case json_kind::object:
                return take_members([this](std::string_view) { skip(); });
        }
    }

    /// Throws `malformed` where more than spaces follows.
    void expect_end() {
        skip_spaces();
        if (place_ != text_.size()) fail("something stands behind the value");
    }

    /// The place in the text, to which `return_to` returns.
    [[nodiscard]] std::size_t place() const noexcept { return place_; }
    void return_to(std::size_t place) noexcept { place_ = place; }

    /// Throws `unrepresentable` with the path in front.
    template <class... Arguments>
    [[noreturn]] void refuse(std::string_view format, Arguments const&... arguments) const {
        throw unrepresentable("{}: {}", path_.to_string(), isorow::text(format, arguments...));
    }

private:
    [[nodiscard]] static bool is_digit(char character) noexcept { return character >= '0' && character <= '9'; }

    [[noreturn]] void fail(std::string_view what) const {
        if (place_ == text_.size()) what = "it ends too early";
        throw malformed("{}: at byte {} of the JSON text: {}", path_.to_string(), place_, what);
    }

    void require(json_kind wanted) {
        static constexpr std::array<std::string_view, 6> names{"null", "a boolean", "a number", "a string", "a list", "an object"};
        if (auto const found = kind(); found != wanted)
            refuse("the value is {}, not {}", names[static_cast<std::size_t>(found)], names[static_cast<std::size_t>(wanted)]);
    }

    /// The character at the place, NUL at the end: no JSON has one.
    [[nodiscard]] char current() const noexcept { return place_ < text_.size() ? text_[place_] : '\0'; }

    void skip_spaces() noexcept {
        while (current() == ' ' || current() == '\n' || current() == '\t' || current() == '\r') ++place_;
    }

    [[nodiscard]] char peek() {
        skip_spaces();
        if (place_ == text_.size()) fail("");
        return text_[place_];
    }

    [[nodiscard]] bool take_mark(char mark) {
        if (peek() != mark) return false;
        ++place_;
        return true;
    }

    void take_word(std::string_view word) {
        if (!text_.substr(place_).starts_with(word)) {
            if (word.starts_with(text_.substr(place_))) place_ = text_.size();
            fail("a word that is not null, true or false");
        }
        place_ += word.size();
    }

    void take_digits() {
        if (!is_digit(current())) fail("a digit is missing");
        while (is_digit(current())) ++place_;
    }

    void take_plain_characters(std::string& value) {
        auto const first = place_;
        while (place_ < text_.size() && !detail::needs_json_escape[static_cast<unsigned char>(text_[place_])]) ++place_;
        auto const characters = text_.substr(first, place_ - first);
        if (auto const bad = detail::find_unstorable(characters); bad != characters.size()) [[unlikely]] {
            place_ = first + bad;
            fail("it is not valid UTF-8");
        }
        value += characters;
    }

    void take_escape(std::string& value) {
        static constexpr std::string_view marks = "\"\\/bfnrt";
        static constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
        if (current() == 'u') {
            ++place_;
            return append_utf8(take_code_point(), value);
        }
        auto const which = place_ < text_.size() ? marks.find(current()) : std::string_view::npos;
        if (which == std::string_view::npos) fail("an unknown escape");
        value += meanings[which];
        ++place_;
    }

    [[nodiscard]] std::uint32_t take_four_digits() {
        std::uint32_t number = 0;
        for (int i = 0; i < 4; ++i, ++place_) {
            auto const which = place_ < text_.size() ? std::string_view("0123456789abcdefABCDEF").find(current()) : std::string_view::npos;
            if (which == std::string_view::npos) fail("\\u without four hexadecimal digits");
            number = number * 16 + static_cast<std::uint32_t>(which < 16 ? which : which - 6);
        }
        return number;
    }

    /// Characters beyond U+FFFF are written as two surrogates. Text has no halves of such pairs.
    [[nodiscard]] std::uint32_t take_code_point() {
        auto const first = take_four_digits();
        if (first < 0xd800 || first > 0xdfff) return first;
        if (first <= 0xdbff && text_.substr(place_).starts_with("\\u")) {
            place_ += 2;
            auto const second = take_four_digits();
            if (second >= 0xdc00 && second <= 0xdfff) return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        } else if (place_ == text_.size()) {
            fail("");
        }
        refuse("the text has one half of a surrogate pair, which UTF-8 does not have");
    }

    static void append_utf8(std::uint32_t code, std::string& value) {
        auto const put = [&](std::uint32_t byte) { value += static_cast<char>(byte); };
        auto const put_tail = [&](unsigned shift) { put(0x80 | ((code >> shift) & 0x3f)); };
        if (code < 0x80) return put(code);
        if (code < 0x800) {
            put(0xc0 | (code >> 6));
        } else if (code < 0x10000) {
            put(0xe0 | (code >> 12));
            put_tail(6);
        } else {
            put(0xf0 | (code >> 18));
            put_tail(12);
            put_tail(6);
        }
        put_tail(0);
    }

    std::string_view text_;
    std::size_t place_ = 0;
    json_path path_;
};

}  // namespace isorow::inline v1
