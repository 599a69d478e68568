#pragma once

/// @file
/// SQL with places for parameters, written as `$1`, `%s`, `%(name)s` or `:name`, translated to the `$1` that the server knows.

#include <isorow/config.hpp>
#include <isorow/error/error.hpp>
#include <isorow/error/text.hpp>
#include <isorow/reflect/fixed_string.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <vector>

namespace isorow::inline v1 {

/// How a statement writes the places of its parameters.
enum class parameter_style : std::uint8_t {
    none,        ///< it has none
    numbered,    ///< `$1`, `$2` …
    positional,  ///< `%s`, one argument each in their order; `%%` is a percent sign
    pyformat,    ///< `%(name)s`, by name; `%%` is a percent sign
    colon,       ///< `:name`, by name
};

namespace detail {

[[nodiscard]] constexpr bool is_digit(char character) noexcept { return character >= '0' && character <= '9'; }
[[nodiscard]] constexpr bool begins_name(char character) noexcept {
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') || character == '_' ||
           static_cast<unsigned char>(character) >= 0x80;
}
[[nodiscard]] constexpr bool continues_name(char character) noexcept { return begins_name(character) || is_digit(character); }

/// A piece of SQL: text that stands as it is, or the place of a parameter.
struct sql_piece {
    std::string_view text{};  ///< as written
    parameter_style style = parameter_style::none;
    std::string_view name{};  ///< of a named parameter
    std::size_t number = 0;   ///< of `$1`
    bool percent = false;     ///< `%%`
};

/// Takes SQL apart without understanding it: strings, quoted names, dollar quotes, comments, casts and operators are passed over. Source:
/// the manual, "Lexical Structure".
class sql_tokenizer {
public:
    constexpr explicit sql_tokenizer(std::string_view sql) noexcept : sql_(sql) {}

    /// The next piece; its text is empty at the end.
    constexpr sql_piece next() noexcept {
        auto const start = at_;
        while (at_ < sql_.size()) {
            auto const before = at_;
            sql_piece found = take();
            if (found.style == parameter_style::none && !found.percent) continue;
            if (before == start) return found;
            at_ = before;  // the text before it first
            break;
        }
        return {.text = sql_.substr(start, at_ - start)};
    }

private:
    [[nodiscard]] constexpr char at(std::size_t place) const noexcept { return place < sql_.size() ? sql_[place] : '\0'; }

    /// Takes the token that begins here.
    constexpr sql_piece take() noexcept {
        auto const start = at_;
        switch (char const character = sql_[at_]) {
            case '\'':
                skip_quoted('\'', start > 0 && (sql_[start - 1] | 0x20) == 'e' && (start < 2 || !continues_name(sql_[start - 2])));
                return {};
            case '"':
                skip_quoted('"', false);
                return {};
            case '-':
                if (at(at_ + 1) == '-') skip_to_line_end();
                else ++at_;
                return {};
            case '/':
                if (at(at_ + 1) == '*') skip_comment();
                else ++at_;
                return {};
            case '$':
                return take_dollar(start);
            case '%':
                return take_percent(start);
            case ':':
                return take_colon(start);
            default:
                // A name is taken whole, so that its digits and dollar signs are no tokens.
                ++at_;
                if (begins_name(character))
                    while (at_ < sql_.size() && (continues_name(sql_[at_]) || sql_[at_] == '$')) ++at_;
                return {};
        }
    }

    constexpr void skip_quoted(char quote, bool escapes) noexcept {
        for (++at_; at_ < sql_.size(); ++at_) {
            bool const is_escape = (escapes && sql_[at_] == '\\') || (sql_[at_] == quote && at(at_ + 1) == quote);
            if (is_escape) ++at_;
            else if (sql_[at_] == quote) break;
        }
        at_ = std::min(at_ + 1, sql_.size());
        // A string goes on behind a line break, with the escapes of its first part.
        if (!escapes) return;
        auto next = at_;
        bool broken = false;
        for (; next < sql_.size() && is_blank(sql_[next]); ++next) broken = broken || sql_[next] == '\n' || sql_[next] == '\r';
        if (!broken || at(next) != quote) return;
        at_ = next;
        skip_quoted(quote, true);
    }
    [[nodiscard]] static constexpr bool is_blank(char character) noexcept {
        return character == ' ' || (character >= '\t' && character <= '\r');
    }
    constexpr void skip_to_line_end() noexcept {
        while (at_ < sql_.size() && sql_[at_] != '\n' && sql_[at_] != '\r') ++at_;
    }
    constexpr void skip_comment() noexcept {
        int depth = 0;
        while (at_ < sql_.size()) {
            if (sql_[at_] == '/' && at(at_ + 1) == '*') ++depth, at_ += 2;
            else if (sql_[at_] == '*' && at(at_ + 1) == '/') --depth, at_ += 2;
            else ++at_;
            if (depth == 0) return;
        }
    }

    constexpr sql_piece take_dollar(std::size_t start) noexcept {
        ++at_;
        if (is_digit(at(at_))) {
            std::size_t number = 0;
            for (; is_digit(at(at_)); ++at_)
                number = std::min<std::size_t>(number * 10 + static_cast<std::size_t>(sql_[at_] - '0'), 1'000'000);
            return {.text = sql_.substr(start, at_ - start), .style = parameter_style::numbered, .name = {}, .number = number};
        }
        auto end = at_;
        while (continues_name(at(end))) ++end;
        if (at(end) != '$') return {};
        auto const tag = sql_.substr(start, end + 1 - start);  // $tag$ … $tag$
        auto const close = sql_.find(tag, end + 1);
        at_ = close == std::string_view::npos ? sql_.size() : close + tag.size();
        return {};
    }

    constexpr sql_piece take_percent(std::size_t start) noexcept {
        ++at_;
        if (at(at_) == '%') {
            ++at_;
            return {.text = sql_.substr(start, 2), .style = parameter_style::none, .name = {}, .number = 0, .percent = true};
        }
        if (at(at_) == 's' && !continues_name(at(at_ + 1))) {
            ++at_;
            return {.text = sql_.substr(start, 2), .style = parameter_style::positional};
        }
        if (at(at_) != '(') return {};
        auto const close = sql_.find(')', at_);
        if (close == std::string_view::npos || at(close + 1) != 's' || continues_name(at(close + 2))) return {};
        auto const name = sql_.substr(at_ + 1, close - at_ - 1);
        if (!is_name(name)) return {};
        at_ = close + 2;
        return {.text = sql_.substr(start, at_ - start), .style = parameter_style::pyformat, .name = name};
    }

    constexpr sql_piece take_colon(std::size_t start) noexcept {
        ++at_;
        if (at(at_) == ':' || at(at_) == '=') {  // a cast, or a named argument of a function
            ++at_;
            return {};
        }
        char const before = start == 0 ? ' ' : sql_[start - 1];
        if (!begins_name(at(at_)) || continues_name(before) || before == ')' || before == ']' || before == ':') return {};
        auto end = at_;
        while (continues_name(at(end))) ++end;
        auto const name = sql_.substr(at_, end - at_);
        at_ = end;
        return {.text = sql_.substr(start, at_ - start), .style = parameter_style::colon, .name = name};
    }

    [[nodiscard]] static constexpr bool is_name(std::string_view name) noexcept {
        return !name.empty() && begins_name(name.front()) && std::all_of(name.begin(), name.end(), &continues_name);
    }

    std::string_view sql_;
    std::size_t at_ = 0;
};

[[nodiscard]] constexpr std::string_view sign_of(parameter_style style) noexcept {
    switch (style) {
        case parameter_style::numbered:
            return "$1";
        case parameter_style::positional:
            return "%s";
        case parameter_style::pyformat:
            return "%(name)s";
        case parameter_style::colon:
            return ":name";
        default:
            return "none";
    }
}

/// What a statement's places are.
struct sql_shape {
    parameter_style style = parameter_style::none;
    parameter_style other = parameter_style::none;  ///< a second style, which is an error
    std::size_t count = 0;  ///< how many arguments it takes: the highest number, or the number of signs; names: the signs
};

[[nodiscard]] constexpr sql_shape shape_of(std::string_view sql) noexcept {
    sql_shape shape;
    sql_tokenizer tokens(sql);
    for (auto piece = tokens.next(); !piece.text.empty(); piece = tokens.next()) {
        if (piece.style == parameter_style::none) continue;
        if (shape.style == parameter_style::none) shape.style = piece.style;
        if (shape.style != piece.style && shape.other == parameter_style::none) shape.other = piece.style;
        shape.count = piece.style == parameter_style::numbered ? std::max(shape.count, piece.number) : shape.count + 1;
    }
    return shape;
}

/// A statement in the server's own style.
struct translated_sql {
    std::string text;
    std::vector<std::string> names;  ///< of the parameters, in the order of their numbers; empty where they have none
};

[[nodiscard]] translated_sql translate(std::string_view sql);

/// Called where a literal mixes two styles: not constexpr, so that the compiler shows it. Write one of them only.
inline void isorow_a_statement_mixes_two_styles_of_parameters() {}

}  // namespace detail

/// A statement's text as isorow's calls take it: `$1`, `%s`, `%(name)s` or `:name` stand for the arguments, in one style only. A string
/// literal is looked at by the compiler, which refuses one that mixes styles; where it is in another style than `$1`, it is translated once
/// on each thread that runs it. Other strings are looked at each time. Without arguments the text is sent as it is. A view: what it
/// is made from must outlive the call.
///
/// Strings, quoted names, comments, dollar quotes, casts (`::`) and `:=` are passed over. An array's slice that begins with a colon and a
/// name needs a blank between them: `a[: n]`. `%%` stands for a percent sign outside of strings, in the `%` styles.
class sql_text {
public:
    template <std::size_t Size>
    consteval sql_text(char const (&literal)[Size])  // NOLINT(google-explicit-constructor)
        : text_(literal), shape_(detail::shape_of(text_)), literal_(true) {
        if (shape_.other != parameter_style::none) detail::isorow_a_statement_mixes_two_styles_of_parameters();
    }
    template <class Text>
        requires(std::convertible_to<Text const&, std::string_view> && !std::is_array_v<Text>)
    sql_text(Text const& text)  // NOLINT(google-explicit-constructor)
        : text_(text) {}

    /// A text in the server's own style already, with so many parameters: it is not looked at.
    [[nodiscard]] static sql_text translated(std::string_view text, std::size_t parameters) noexcept {
        sql_text known(text);
        known.shape_ = {.style = parameter_style::numbered, .count = parameters};
        known.known_ = true;
        return known;
    }

    /// As written.
    [[nodiscard]] constexpr std::string_view text() const noexcept { return text_; }
    [[nodiscard]] constexpr bool is_literal() const noexcept { return literal_; }
    /// Whether its shape is known: of a literal, and of a translation.
    [[nodiscard]] constexpr bool has_shape() const noexcept { return literal_ || known_; }
    [[nodiscard]] constexpr detail::sql_shape const& shape() const noexcept { return shape_; }

private:
    std::string_view text_;
    detail::sql_shape shape_{};
    bool literal_ = false;
    bool known_ = false;
};

namespace detail {

/// A statement ready to be sent: the text as it was, or a translation.
class prepared_text {
public:
    /// `arguments`: how many the caller has, 0 for a text that is sent as it is. `named`: they come by name.
    prepared_text(sql_text const& sql, std::size_t arguments, bool named) : view_(sql.text()) {
        if (arguments == 0 && !named) return;
        // A literal that the server understands, with as many arguments as it takes.
        if (sql.has_shape() && sql.shape().style == parameter_style::numbered && sql.shape().other == parameter_style::none &&
            sql.shape().count == arguments && !named) [[likely]]
            return;
        look_at(sql, arguments, named);
    }
    prepared_text(prepared_text const&) = delete;
    prepared_text& operator=(prepared_text const&) = delete;
    ~prepared_text() = default;

    [[nodiscard]] std::string_view text() const noexcept { return translated_ == nullptr ? view_ : std::string_view(translated_->text); }
    [[nodiscard]] std::vector<std::string> const& names() const noexcept;

private:
    [[gnu::noinline]] void look_at(sql_text const& sql, std::size_t arguments, bool named) { take_apart(sql, arguments, named); }
    void take_apart(sql_text const& sql, std::size_t arguments, bool named);

    std::string_view view_;
    std::unique_ptr<translated_sql> own_{};
    translated_sql const* translated_ = nullptr;
};

}  // namespace detail

#if ISOROW_HAS_CODE

namespace detail {

ISOROW_DECL translated_sql translate(std::string_view sql) {
    translated_sql translated;
    auto const style = shape_of(sql).style;
    bool const doubles_percent = style == parameter_style::positional || style == parameter_style::pyformat;
    std::size_t number = 0;
    sql_tokenizer tokens(sql);
    for (auto piece = tokens.next(); !piece.text.empty(); piece = tokens.next()) {
        if (piece.percent) {
            translated.text += doubles_percent ? "%" : "%%";
        } else if (piece.style == parameter_style::none) {
            translated.text += piece.text;
        } else if (piece.name.empty()) {
            translated.text += text("${}", ++number);
        } else {
            auto found = std::find(translated.names.begin(), translated.names.end(), piece.name);
            if (found == translated.names.end()) found = translated.names.insert(found, std::string(piece.name));
            translated.text += text("${}", found - translated.names.begin() + 1);
        }
    }
    return translated;
}

ISOROW_DECL std::vector<std::string> const& prepared_text::names() const noexcept {
    static std::vector<std::string> const none;
    return translated_ == nullptr ? none : translated_->names;
}

ISOROW_DECL void prepared_text::take_apart(sql_text const& sql, std::size_t arguments, bool named) {
    auto const shape = sql.has_shape() ? sql.shape() : shape_of(view_);
    if (shape.other != parameter_style::none)
        throw usage_error(
            isorow::text("the statement mixes {} and {} for its parameters; it writes them in one style (a modulo sign "
                         "before a name needs a blank: % s), in: {}",
                         sign_of(shape.style), sign_of(shape.other), view_));
    bool const by_name = shape.style == parameter_style::pyformat || shape.style == parameter_style::colon;
    if (named && !by_name)
        throw usage_error(
            isorow::text("the arguments have names, but the statement names no parameter (%(name)s or :name), in: {}", view_));
    if (!named && by_name)
        throw usage_error(isorow::text(
            "the statement's parameters have names: give a struct that has them as fields, or arg(\"name\", value) for each, in: {}",
            view_));
    if (!named && shape.count != arguments)
        throw usage_error(
            isorow::text("the statement takes {} parameters, but {} arguments are given, in: {}", shape.count, arguments, view_));
    if (shape.style == parameter_style::numbered) return;
    if (sql.is_literal()) {
        // Literals stay where they are, so that their address tells them.
        thread_local std::unordered_map<char const*, translated_sql> seen;
        auto [found, fresh] = seen.try_emplace(view_.data());
        if (fresh) found->second = translate(view_);
        translated_ = &found->second;
    } else {
        own_ = std::make_unique<translated_sql>(translate(view_));
        translated_ = own_.get();
    }
}

}  // namespace detail

#endif

}  // namespace isorow::inline v1
