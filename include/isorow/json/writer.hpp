#pragma once

#include <isorow/codec/bytes.hpp>
#include <isorow/codec/utf8.hpp>
#include <isorow/json/escape.hpp>
#include <isorow/json/path.hpp>

#include <array>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace isorow::inline v1 {

/// Which of Postgres' two types a JSON text is for.
enum class json_kind_of_column : std::uint8_t {
    jsonb,  ///< has no negative zero, and no text longer than 268435455 bytes
    json,   ///< keeps the text as it is
};

namespace detail {

/// The order of an object's members in jsonb: shorter names first, then by bytes. Source: jsonb_util.c, lengthCompareJsonbStringValue.
[[nodiscard]] constexpr bool json_name_before(std::string_view a, std::string_view b) noexcept {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
}

}  // namespace detail

/// Appends JSON text as Postgres itself prints jsonb, so that what the server sends back for a value is what was sent. Each `put_…`
/// throws `unrepresentable`, with the path, for what JSON or the column's type does not have. Not thread-safe; refers to `out`.
class json_writer {
public:
    explicit json_writer(byte_writer& out, json_kind_of_column column = json_kind_of_column::jsonb) noexcept : out_(out), column_(column) {}

    /// Where the next value stands. Whoever writes lists and objects keeps it.
    [[nodiscard]] json_path& path() noexcept { return path_; }

    void put_null() { put_raw("null"); }
    void put_boolean(bool value) { put_raw(value ? "true" : "false"); }

    template <std::integral Integer>
    void put_integer(Integer value) {
        std::array<char, 24> digits;
        auto const end = std::to_chars(digits.data(), digits.data() + digits.size(), value);
        put_raw({digits.data(), end.ptr});
    }

    /// The shortest decimal that reads back as the same number, without exponent. Throws for NaN and infinity.
    template <std::floating_point Number>
    void put_floating_point(Number value) {
        if (!std::isfinite(value)) refuse("the number is {}, which JSON does not have", value);
        if (value == 0 && column_ == json_kind_of_column::jsonb) value = 0;
        std::array<char, 64> scientific;
        auto const end = std::to_chars(scientific.data(), scientific.data() + scientific.size(), value, std::chars_format::scientific);
        put_without_exponent({scientific.data(), end.ptr});
    }

    /// A text in quotes. Throws for NUL bytes, which jsonb cannot hold, and for invalid UTF-8.
    void put_string(std::string_view value) {
        require_storable(value);
        put_raw("\"");
        std::size_t first = 0;
        for (std::size_t i = 0; i < value.size(); ++i) {
            if (!detail::needs_json_escape[static_cast<unsigned char>(value[i])]) [[likely]]
                continue;
            put_raw(value.substr(first, i - first));
            put_raw(detail::json_escape_of(value[i]).view());
            first = i + 1;
        }
        put_raw(value.substr(first));
        put_raw("\"");
    }

    /// Text that is JSON already: punctuation, or a number's digits.
    void put_raw(std::string_view text) { out_.put_bytes(text); }

    /// Throws `unrepresentable` with the path in front.
    template <class... Arguments>
    [[noreturn]] void refuse(std::string_view format, Arguments const&... arguments) const {
        throw unrepresentable("{}: {}", path_.to_string(), text(format, arguments...));
    }

private:
    /// Source: jsonb.h, JENTRY_OFFLENMASK.
    static constexpr std::size_t longest_jsonb_string = 0x0fffffff;

    void require_storable(std::string_view value) const {
        if (column_ == json_kind_of_column::jsonb && value.size() > longest_jsonb_string)
            refuse("the text has {} bytes, jsonb takes {}", value.size(), longest_jsonb_string);
        auto const bad = detail::find_unstorable(value);
        if (bad == value.size()) [[likely]]
            return;
        if (value[bad] == '\0') refuse("the text has a NUL byte at byte {}, which Postgres cannot store", bad);
        refuse("the text is not valid UTF-8 at byte {}", bad);
    }

    /// From `-d.ddde±xx` to plain digits, as numeric prints them.
    void put_without_exponent(std::string_view scientific) {
        if (scientific.front() == '-') {
            put_raw("-");
            scientific.remove_prefix(1);
        }
        auto const mark = scientific.find('e');
        auto const* exponent_begin = scientific.data() + mark + (scientific[mark + 1] == '+' ? 2 : 1);
        int exponent = 0;
        std::from_chars(exponent_begin, scientific.data() + scientific.size(), exponent);
        auto const first_digit = scientific.substr(0, 1);
        auto const more_digits = scientific.substr(0, mark).substr(mark > 1 ? 2 : 1);
        if (exponent < 0) {
            put_raw("0.");
            put_zeros(-exponent - 1);
            put_raw(first_digit);
            return put_raw(more_digits);
        }
        auto const whole = static_cast<std::size_t>(exponent);
        put_raw(first_digit);
        put_raw(more_digits.substr(0, whole));
        if (more_digits.size() < whole) return put_zeros(static_cast<int>(whole - more_digits.size()));
        if (more_digits.size() > whole) put_raw(".");
        put_raw(more_digits.substr(whole));
    }

    void put_zeros(int count) {
        for (; count > 0; --count) put_raw("0");
    }

    byte_writer& out_;
    json_path path_;
    json_kind_of_column column_;
};

}  // namespace isorow::inline v1
