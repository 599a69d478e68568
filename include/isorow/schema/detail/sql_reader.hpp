#pragma once

/// @file
/// SQL taken apart into words, by constant expressions as by running programs. The text is read once from front to end, and nothing is
/// allocated but for names that are asked for, so that the dumps of large schemas stay within the compilers' limits.
/// Source: the manual, "Lexical Structure"; psql's src/fe_utils/psqlscan.l for where a statement ends.

#include <isorow/schema/detail/text_builder.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace isorow::inline v1::detail {

enum class sql_kind : std::uint8_t {
    end,
    word,    ///< a keyword, or an identifier without quotes
    quoted,  ///< an identifier in double quotes
    string,  ///< a constant in quotes of any kind, dollars included
    number,
    symbol,  ///< one character: operators of several are several symbols
};

struct sql_token {
    sql_kind kind = sql_kind::end;
    std::string_view text{};  ///< as it is written, quotes included
};

/// What characters are, by their bytes; those of other alphabets are letters.
struct sql_characters {
    bool space[256]{};
    bool digit[256]{};
    bool word[256]{};  ///< may stand in a word; the digits and `$` do not begin one

    constexpr sql_characters() {
        for (char const one : {' ', '\t', '\n', '\r', '\f', '\v'}) space[static_cast<std::uint8_t>(one)] = true;
        for (int one = 0; one < 256; ++one) {
            bool const is_letter = (one >= 'a' && one <= 'z') || (one >= 'A' && one <= 'Z') || one == '_' || one >= 128;
            digit[one] = one >= '0' && one <= '9';
            word[one] = is_letter || digit[one] || one == '$';
        }
    }
};
inline constexpr sql_characters sql_character;

[[nodiscard]] constexpr char lower_case(char character) noexcept {
    return character >= 'A' && character <= 'Z' ? static_cast<char>(character - 'A' + 'a') : character;
}

/// The name that an identifier stands for: words are folded to lower case, quoted ones have their quotes taken off.
[[nodiscard]] constexpr text_builder name_of(sql_token const& token) {
    text_builder name;
    if (token.kind == sql_kind::word)
        for (char const character : token.text) name += lower_case(character);
    if (token.kind == sql_kind::quoted)
        for (std::size_t i = 1; i + 1 < token.text.size(); ++i) {
            name += token.text[i];
            if (token.text[i] == '"') ++i;
        }
    return name;
}

/// A relation's name with its schema, which may be missing.
struct sql_name {
    sql_token schema{};
    sql_token name{};
};

/// Goes through SQL token by token. What is wrong is noted once; from then on the text is at its end, so that whoever reads comes to an end
/// as well.
class sql_reader {
public:
    constexpr explicit sql_reader(std::string_view sql) : first_(sql.data()), place_(first_), end_(first_ + sql.size()) { advance(); }

    [[nodiscard]] constexpr bool at_end() const noexcept { return now_.kind == sql_kind::end; }
    [[nodiscard]] constexpr sql_token const& now() const noexcept { return now_; }

    /// Whether the token is this keyword, in lower case, or this symbol.
    template <std::size_t Size>
    [[nodiscard]] constexpr bool is(char const (&word)[Size]) const noexcept {
        if (now_.text.size() != Size - 1 || (now_.kind != sql_kind::word && now_.kind != sql_kind::symbol)) return false;
        char const* const text = now_.text.data();
        for (std::size_t i = 0; i < Size - 1; ++i)
            if (lower_case(text[i]) != word[i]) return false;
        return true;
    }

    /// Whether the token behind this one is that keyword or symbol.
    template <std::size_t Size>
    [[nodiscard]] constexpr bool is_next(char const (&word)[Size]) const {
        auto ahead = *this;
        ahead.advance();
        return ahead.is(word);
    }

    /// Goes on behind the token if it is this one.
    template <std::size_t Size>
    constexpr bool take(char const (&word)[Size]) {
        if (!is(word)) return false;
        advance();
        return true;
    }

    template <std::size_t Size>
    constexpr void expect(char const (&word)[Size], std::string_view problem) {
        if (!take(word)) fail(problem);
    }

    [[nodiscard]] constexpr bool is_name() const noexcept { return now_.kind == sql_kind::word || now_.kind == sql_kind::quoted; }

    [[nodiscard]] constexpr sql_token take_name() {
        auto const token = now_;
        if (is_name()) advance();
        else fail("a name is missing");
        return token;
    }

    /// `table`, `schema.table` or `database.schema.table`.
    [[nodiscard]] constexpr sql_name take_qualified_name() {
        sql_name read{.name = take_name()};
        while (take(".")) {
            read.schema = read.name;
            read.name = take_name();
        }
        return read;
    }

    constexpr void take_if_not_exists() {
        if (!take("if")) return;
        take("not");
        expect("exists", "EXISTS is missing");
    }

    /// Goes on behind the parenthesis that closes this one.
    constexpr void skip_parentheses() {
        if (!is("(")) return fail("\"(\" is missing");
        int depth = 0;
        do {
            depth += is("(") ? 1 : is(")") ? -1 : 0;
            advance();
        } while (depth > 0 && !at_end());
        if (depth > 0) fail("\")\" is missing");
    }

    /// Goes on to the comma, parenthesis or semicolon that ends a part of a list.
    constexpr void skip_part() {
        while (!at_end() && !is_end_of_part()) {
            if (is("(")) skip_parentheses();
            else if (is("[")) skip_brackets();
            else advance();
        }
    }

    /// Goes on behind the bracket that closes this one.
    constexpr void skip_brackets() {
        for (advance(); !at_end() && !is("]");) {
            if (is("[")) skip_brackets();
            else advance();
        }
        expect("]", "\"]\" is missing");
    }

    [[nodiscard]] constexpr bool is_end_of_part() const noexcept { return is(",") || is(")") || is(";"); }

    /// Goes on to the semicolon that ends the statement. `has_body`: of a function, which may have semicolons between BEGIN and END.
    constexpr void skip_to_semicolon(bool has_body = false) {
        int parentheses = 0;
        int blocks = 0;
        for (; !at_end(); advance()) {
            if (is("(")) ++parentheses;
            else if (is(")")) --parentheses;
            else if (is(";") && parentheses <= 0 && blocks == 0) return;
            else if (has_body && (is("begin") || (blocks > 0 && is("case")))) ++blocks;
            else if (blocks > 0 && is("end")) --blocks;
        }
    }

    constexpr void skip_statement(bool has_body = false) {
        skip_to_semicolon(has_body);
        take(";");
    }

    /// Goes on behind the line that the token stands in: psql's commands have one to themselves.
    constexpr void skip_line() {
        while (place_ != end_ && *place_ != '\n') ++place_;
        advance();
    }

    /// Goes on behind the rows that follow `COPY … FROM stdin;`, from its semicolon.
    constexpr void skip_copied_rows() {
        while (place_ != end_) {
            while (place_ != end_ && *place_ != '\n') ++place_;
            if (place_ != end_) ++place_;
            if (end_ - place_ >= 2 && place_[0] == '\\' && place_[1] == '.') break;
        }
        skip_line();
    }

    /// The text from a token to the end of the one before this.
    [[nodiscard]] constexpr std::string_view text_from(sql_token const& first) const noexcept {
        if (failed() || first.kind == sql_kind::end) return {};
        return {first.text.data(), static_cast<std::size_t>(end_of_last_ - first.text.data())};
    }

    // What is wrong

    constexpr void fail(std::string_view problem) {
        if (!problem_.empty()) return;
        problem_ = problem;
        where_ = at_end() ? end_ : now_.text.data();
        place_ = end_;
        now_ = {};
    }

    [[nodiscard]] constexpr bool failed() const noexcept { return !problem_.empty(); }

    /// `line 3: the type of a column is missing, near "price,"`; empty where nothing is wrong.
    [[nodiscard]] constexpr text_builder problem() const {
        text_builder words;
        if (!failed()) return words;
        std::size_t line = 1;
        for (char const* place = first_; place != where_; ++place) line += *place == '\n' ? 1 : 0;
        char const* end = where_;
        while (end != end_ && *end != '\n' && end - where_ < 24) ++end;
        words.add("line ", line, ": ", problem_);
        if (end == where_) words.add(", at the end");
        else words.add(", near ", std::string_view(where_, static_cast<std::size_t>(end - where_)));
        return words;
    }

    constexpr void advance() {
        end_of_last_ = place_;
        skip_blanks();
        if (place_ == end_) {
            now_ = {};
            return;
        }
        char const* const first = place_;
        now_ = {sql_kind::symbol, {first, 1}};
        now_.kind = scan();
        now_.text = {first, static_cast<std::size_t>(place_ - first)};
        if (failed()) now_ = {};
    }

private:
    [[nodiscard]] static constexpr bool is_in(bool const (&characters)[256], char character) noexcept {
        return characters[static_cast<std::uint8_t>(character)];
    }
    [[nodiscard]] constexpr char at(std::ptrdiff_t offset) const noexcept { return offset < end_ - place_ ? place_[offset] : '\0'; }

    /// Goes on behind the token that begins here.
    constexpr sql_kind scan() {
        char const character = *place_;
        if (character == '\'') return skip_quotes('\'', false), sql_kind::string;
        if (character == '"') return skip_quotes('"', false), sql_kind::quoted;
        if (is_in(sql_character.digit, character)) return skip_number(), sql_kind::number;
        if (character == '$' && skip_dollar_quotes()) return sql_kind::string;
        if (character == '$' || !is_in(sql_character.word, character)) return ++place_, sql_kind::symbol;
        if (at(1) == '\'' || at(1) == '&') return scan_prefixed();
        skip_word();
        return sql_kind::word;
    }

    /// `E'…'`, `B'…'`, `X'…'`, `N'…'`, `U&'…'`, or a word of one letter.
    constexpr sql_kind scan_prefixed() {
        char const prefix = lower_case(*place_++);
        bool const is_unicode = prefix == 'u' && *place_ == '&';
        if (is_unicode && at(1) == '"') return fail("a name written U&\"…\" is not read; write its characters themselves"), sql_kind::end;
        if (is_unicode && at(1) == '\'') ++place_;
        if (*place_ != '\'') return sql_kind::word;
        skip_quotes('\'', prefix == 'e');
        return sql_kind::string;
    }

    constexpr void skip_blanks() {
        for (char const* place = place_;;) {
            while (place != end_ && is_in(sql_character.space, *place)) ++place;
            place_ = place;
            if (place == end_) return;
            if (*place == '\0') return static_cast<void>(place_ = end_);
            if (*place == '-' && at(1) == '-') {
                while (place != end_ && *place != '\n') ++place;
            } else if (*place == '/' && at(1) == '*') {
                skip_block_comment();
                place = place_;
            } else {
                return;
            }
        }
    }

    constexpr void skip_block_comment() {
        now_ = {sql_kind::symbol, {place_, 1}};
        int depth = 0;
        do {
            bool const opens = at(0) == '/' && at(1) == '*';
            bool const closes = at(0) == '*' && at(1) == '/';
            depth += opens ? 1 : closes ? -1 : 0;
            place_ += opens || closes ? 2 : 1;
        } while (depth > 0 && place_ != end_);
        if (depth > 0) fail("a comment does not end");
    }

    constexpr void skip_quotes(char quote, bool has_escapes) {
        char const* place = place_ + 1;
        for (;; ++place) {
            while (place != end_ && *place != quote && *place != '\\') ++place;
            if (place == end_) break;
            bool const is_doubled = *place == quote && place + 1 != end_ && place[1] == quote;
            if (is_doubled || (*place == '\\' && has_escapes && place + 1 != end_)) ++place;
            else if (*place == quote) return static_cast<void>(place_ = place + 1);
        }
        fail(quote == '"' ? "a quoted name does not end" : "a string does not end");
    }

    /// `$$…$$` or `$tag$…$tag$`; false where there is neither.
    constexpr bool skip_dollar_quotes() {
        char const* tag_end = place_ + 1;
        if (tag_end != end_ && is_in(sql_character.digit, *tag_end)) return false;
        while (tag_end != end_ && *tag_end != '$' && is_in(sql_character.word, *tag_end)) ++tag_end;
        if (tag_end == end_ || *tag_end != '$') return false;
        auto const size = tag_end + 1 - place_;
        for (char const* place = tag_end + 1; end_ - place >= size; ++place) {
            if (*place != '$' || !std::equal(place_, tag_end + 1, place)) continue;
            place_ = place + size;
            return true;
        }
        fail("a string between dollars does not end");
        return true;
    }

    constexpr void skip_word() {
        char const* place = place_;
        while (place != end_ && is_in(sql_character.word, *place)) ++place;
        place_ = place;
    }

    constexpr void skip_number() {
        while (place_ != end_ && (is_in(sql_character.word, *place_) || *place_ == '.')) ++place_;
    }

    char const* first_;
    char const* place_;
    char const* end_;
    char const* end_of_last_ = nullptr;
    sql_token now_{};
    std::string_view problem_{};
    char const* where_ = nullptr;
};

/// Whether an identifier stands for a name.
[[nodiscard]] constexpr bool is_name(sql_token const& token, std::string_view name) {
    if (token.text.size() < name.size()) return false;
    if (token.kind != sql_kind::word) return name_of(token).view() == name;
    if (token.text.size() != name.size()) return false;
    for (std::size_t i = 0; i < name.size(); ++i)
        if (lower_case(token.text[i]) != name[i]) return false;
    return true;
}

}  // namespace isorow::inline v1::detail
