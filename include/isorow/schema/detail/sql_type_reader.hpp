#pragma once

/// @file
/// A column's type as DDL writes it, in the words in which `format_type` would print it.

#include <isorow/schema/detail/sql_reader.hpp>
#include <isorow/types/column_type.hpp>

#include <array>
#include <cstddef>
#include <string_view>

namespace isorow::inline v1::detail {

/// The numbers that the server counts up by itself, and the integers that they are.
struct serial_type {
    std::string_view spelling;
    std::string_view integer;
};
inline constexpr std::array serial_types{
    serial_type{"serial", "integer"}, serial_type{"serial4", "integer"},      serial_type{"bigserial", "bigint"},
    serial_type{"serial8", "bigint"}, serial_type{"smallserial", "smallint"}, serial_type{"serial2", "smallint"},
};

/// SQL's names of types that the catalogue of types does not have, before their modifiers.
struct sql_spelling {
    std::string_view spelling;
    std::string_view type;
};
inline constexpr std::array sql_spellings{
    sql_spelling{"float", "double precision"},
    sql_spelling{"dec", "numeric"},
    sql_spelling{"char varying", "character varying"},
    sql_spelling{"nchar", "character"},
    sql_spelling{"national character", "character"},
    sql_spelling{"national char", "character"},
    sql_spelling{"national character varying", "character varying"},
    sql_spelling{"national char varying", "character varying"},
};

struct sql_type {
    text_builder spelling{};
    bool is_serial = false;
};

/// Reads a type: its name, whose schema is left out, modifiers and brackets, up to what cannot be part of it.
class sql_type_reader {
public:
    constexpr explicit sql_type_reader(sql_reader& sql) : sql_(&sql) {}

    [[nodiscard]] constexpr sql_type read() {
        read_name();
        for (;;) {
            if (sql_->is("(")) read_modifiers();
            else if (sql_->is("[") || sql_->is("array")) read_brackets();
            else if (continues_type()) append_word(sql_->take_name());
            else return result();
        }
    }

private:
    constexpr void read_name() {
        if (!sql_->is_name() || is_reserved()) return sql_->fail("the type of a column is missing");
        append_word(sql_->take_qualified_name().name);
    }

    /// Names that need no quotes lose them; `"char"` is another type than `char`.
    constexpr void append_word(sql_token const& token) {
        auto& part = modifiers_.empty() ? name_ : behind_;
        if (!part.empty()) part += ' ';
        auto const name = name_of(token);
        bool needs_quotes = token.kind == sql_kind::quoted && name.view() == "char";
        for (char const character : name.view()) needs_quotes = needs_quotes || lower_case(character) != character || !is_plain(character);
        if (token.kind == sql_kind::quoted && needs_quotes) part += token.text;
        else part += name.view();
    }
    [[nodiscard]] static constexpr bool is_plain(char character) noexcept {
        return sql_character.word[static_cast<std::uint8_t>(character)] && character != '$';
    }

    constexpr void read_modifiers() {
        auto const first = sql_->now();
        sql_->skip_parentheses();
        for (char const character : sql_->text_from(first))
            if (!sql_character.space[static_cast<std::uint8_t>(character)]) modifiers_ += character;
    }

    constexpr void read_brackets() {
        is_array_ = true;
        sql_->take("array");
        if (!sql_->take("[")) return;
        while (!sql_->at_end() && !sql_->is("]")) sql_->advance();
        sql_->expect("]", "\"]\" is missing");
    }

    /// The words that follow the first of a type's name: DOUBLE PRECISION, TIME WITH TIME ZONE, INTERVAL DAY TO SECOND …
    [[nodiscard]] constexpr bool continues_type() const {
        auto const& sql = *sql_;
        bool const is_zone = sql.is("time") || sql.is("zone") || sql.is("without") || (sql.is("with") && sql.is_next("time"));
        bool const is_field =
            sql.is("year") || sql.is("month") || sql.is("day") || sql.is("hour") || sql.is("minute") || sql.is("second") || sql.is("to");
        return is_zone || is_field || sql.is("precision") || sql.is("varying") || sql.is("character") || sql.is("char");
    }

    /// Whether what begins here is no type, but what may follow it.
    [[nodiscard]] constexpr bool is_reserved() const {
        auto const& sql = *sql_;
        return sql.is("not") || sql.is("null") || sql.is("default") || sql.is("collate") || sql.is("constraint") || sql.is("check") ||
               sql.is("primary") || sql.is("unique") || sql.is("references") || sql.is("generated");
    }

    [[nodiscard]] constexpr sql_type result() {
        sql_type read;
        if (name_.view() == "float" && !modifiers_.empty()) read_float();
        for (auto const& [spelling, type] : sql_spellings)
            if (name_.view() == spelling) name_ = text_builder(type);
        for (auto const& [spelling, integer] : serial_types)
            if (name_.view() == spelling) {
                name_ = text_builder(integer);
                read.is_serial = true;
            }
        text_builder spelled;
        spelled.add(name_.view(), modifiers_.view(), behind_.empty() ? "" : " ", behind_.view(), is_array_ ? "[]" : "");
        column_type known;
        if (parse_column_type(spelled.view(), known)) append_sql(read.spelling, known);
        else read.spelling = spelled;
        return read;
    }

    /// `float(24)` and less is real.
    constexpr void read_float() {
        auto digits = modifiers_.view().substr(1);
        name_ = text_builder(take_number(digits) <= 24 ? "real" : "double precision");
        modifiers_ = {};
    }

    sql_reader* sql_;
    text_builder name_{};
    text_builder modifiers_{};
    text_builder behind_{};
    bool is_array_ = false;
};

}  // namespace isorow::inline v1::detail
