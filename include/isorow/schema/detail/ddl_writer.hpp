#pragma once

#include <isorow/config.hpp>
#include <isorow/schema/extension_schemas.hpp>
#include <isorow/schema/identifier.hpp>
#include <isorow/schema/literal.hpp>
#include <isorow/schema/made_names.hpp>
#include <isorow/schema/table.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace isorow::inline v1::detail {

/// Calls `call` with each index of the table, those of its unique columns included, each once.
template <class Call>
constexpr void each_index(table_description const& table, Call const& call) {
    auto const of_unique = [](std::size_t place) {
        return index_description{.fields = {{static_cast<std::uint16_t>(place)}, 1}, .unique = true};
    };
    for (std::size_t place = 0; place < table.columns.size(); ++place)
        if (table.columns[place].unique) call(of_unique(place));
    for (std::size_t i = 0; i < table.indexes.size(); ++i) {
        auto const& index = table.indexes[i];
        bool is_repeated = table.columns[index.fields[0]].unique && index == of_unique(index.fields[0]);
        for (std::size_t before = 0; before < i; ++before) is_repeated = is_repeated || table.indexes[before] == index;
        if (!is_repeated) call(index);
    }
}

/// Calls `call` with the name and the condition of each of the table's checks, those of single columns first.
template <class Call>
void each_check(table_description const& table, Call const& call) {
    for (std::size_t place = 0; place < table.columns.size(); ++place)
        if (auto const condition = table.columns[place].check; !condition.empty()) call(check_name(table, place), condition);
    for (auto const& check : table.checks) call(check.name, check.condition);
}

/// Writes the SQL that makes a table behind a text that grows. The few functions that append make all of it: each program that asks for
/// DDL compiles them, and texts that are joined from others would cost its compiler twice as much.
class ddl_writer {
public:
    /// Refers to both.
    ddl_writer(std::string& sql, extension_schemas const& schemas) : sql_(sql), schemas_(schemas) {}

    ddl_writer& add(std::string_view text) {
        sql_.append(text.data(), text.size());
        return *this;
    }
    ddl_writer& name(std::string_view name) {
        append_identifier(sql_, name);
        return *this;
    }
    ddl_writer& name(std::string_view schema, std::string_view name) { return this->name(schema).add(".").name(name); }
    ddl_writer& name(table_description const& table) { return name(table.schema, table.name); }
    ddl_writer& literal(std::string_view text) {
        append_literal(sql_, text);
        return *this;
    }

    ddl_writer& type(column_type const& type);
    ddl_writer& columns(table_description const& table, field_list const& fields);
    void create_type(user_type const& type);
    void labels(column_description const& column);
    void column(column_description const& column);
    void create_table(table_description const& table);
    void add_key(table_description const& table);
    void foreign_key(table_description const& table, foreign_key_description const& key);
    void operator_class(index_description const& index, column_type const& type);
    void create_index(table_description const& table, index_description const& index, bool concurrently);
    void comment(table_description const& table);
    void comment(table_description const& table, column_description const& column);

private:
    void comment_text(std::string_view comment);

    std::string& sql_;
    extension_schemas const& schemas_;
};

/// Writes each statement that makes the table, but for the user's types, behind `sql`, and calls `end()` behind each.
template <class End>
void write_statements(std::string& sql, table_description const& table, extension_schemas const& schemas, End const& end) {
    ddl_writer writer(sql, schemas);
    writer.create_table(table);
    end();
    if (!table.key.empty()) {
        writer.add_key(table);
        end();
    }
    each_index(table, [&](index_description const& index) {
        writer.create_index(table, index, false);
        end();
    });
    if (!table.comment.empty()) {
        writer.comment(table);
        end();
    }
    for (auto const& column : table.columns) {
        if (column.comment.empty()) continue;
        writer.comment(table, column);
        end();
    }
    for (auto const& key : table.foreign_keys) {
        writer.add("ALTER TABLE ").name(table).add(" ADD CONSTRAINT ").name(foreign_key_name(table, key)).add(" ");
        writer.foreign_key(table, key);
        end();
    }
}

/// Appends the statement that makes a type of the user's to a script.
void append_type_script(std::string& script, user_type const& type);

/// Appends the statements that make the table, but for the user's types, to a script.
void append_table_script(std::string& script, table_description const& table);

}  // namespace isorow::inline v1::detail

#if ISOROW_HAS_CODE
#include <isorow/schema/detail/ddl_writer_code.hpp>
#endif
