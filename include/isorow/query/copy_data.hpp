#pragma once

/// @file
/// COPY of data as they are: text, CSV and binary, from and to files, streams and ranges, with all of COPY's options.

#include <isorow/pq/copy.hpp>
#include <isorow/query/database_ref.hpp>
#include <isorow/schema/identifier.hpp>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <istream>
#include <optional>
#include <ostream>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

enum class data_format : std::uint8_t { text, csv, binary };
enum class header_line : std::uint8_t {
    none,
    present,  ///< written on the way out, passed over on the way in
    match,    ///< on the way in: must name the columns
};

/// COPY's options, by its own names. Source: the manual, "COPY". What is left empty is not said, and the server refuses what does not go
/// together.
struct copy_options {
    data_format format = data_format::text;
    bool freeze = false;
    std::optional<char> delimiter{};
    std::optional<std::string> null{};
    std::optional<std::string> default_text{};  ///< DEFAULT: what stands for a column's default
    header_line header = header_line::none;
    std::optional<char> quote{};
    std::optional<char> escape{};
    std::vector<std::string> force_quote{};  ///< columns; `*` alone for all
    std::vector<std::string> force_not_null{};
    std::vector<std::string> force_null{};
    bool ignore_errors = false;  ///< ON_ERROR ignore: rows whose values cannot be read are passed over
    bool verbose = false;        ///< LOG_VERBOSITY verbose: a notice for each of them
    std::optional<std::string> encoding{};
    std::string where_sql{};  ///< on the way in: only rows for which this holds. SQL as it stands
};

/// A table and the columns of it that data have, in their order; none for all.
struct copy_table {
    std::string table;
    std::vector<std::string> columns{};
    std::string schema{};  ///< empty: by search_path
};

namespace detail {

[[nodiscard]] inline std::string column_list(std::vector<std::string> const& columns) {
    if (columns.size() == 1 && columns.front() == "*") return "*";
    std::string list;
    for (auto const& column : columns) list.append(list.empty() ? "(" : ", ").append(quote_identifier(column));
    return list + ")";
}

[[nodiscard]] inline std::string options_sql(copy_options const& options) {
    constexpr std::string_view formats[] = {"text", "csv", "binary"};
    std::string list(formats[static_cast<int>(options.format)]);
    list.insert(0, "FORMAT ");
    auto const add = [&](std::string_view name, std::string const& value) { list += text(", {} {}", name, value); };
    auto const add_text = [&](std::string_view name, auto const& value) {
        if (value) add(name, quote_literal(std::string() + *value));
    };
    auto const add_columns = [&](std::string_view name, std::vector<std::string> const& columns) {
        if (!columns.empty()) add(name, column_list(columns));
    };
    if (options.freeze) add("FREEZE", "true");
    add_text("DELIMITER", options.delimiter);
    add_text("NULL", options.null);
    add_text("DEFAULT", options.default_text);
    if (options.header != header_line::none) add("HEADER", options.header == header_line::match ? "match" : "true");
    add_text("QUOTE", options.quote);
    add_text("ESCAPE", options.escape);
    add_columns("FORCE_QUOTE", options.force_quote);
    add_columns("FORCE_NOT_NULL", options.force_not_null);
    add_columns("FORCE_NULL", options.force_null);
    if (options.ignore_errors) add("ON_ERROR", "ignore");
    if (options.verbose) add("LOG_VERBOSITY", "verbose");
    add_text("ENCODING", options.encoding);
    return list;
}

[[nodiscard]] inline std::string table_sql(copy_table const& table) {
    auto name = table.schema.empty() ? quote_identifier(table.table) : quote_identifier(table.schema, table.table);
    return table.columns.empty() ? name : name + " " + column_list(table.columns);
}

}  // namespace detail

/// Writes data into a table: `data_writer{db, {"users", {"name", "email"}}, {.format = data_format::csv}}`. One COPY is one statement: all
/// rows arrive, or, where `finish` is not called or an error is thrown, none. Keeps its connection busy. Not thread-safe.
class data_writer {
public:
    /// Begins the COPY. Throws the server's error where table, columns or options are not right.
    data_writer(database_ref const& where, copy_table const& into, copy_options const& options = {})
        : connection_(where),
          copy_(*connection_,
                text("COPY {} FROM STDIN ({}){}{}", detail::table_sql(into), detail::options_sql(options),
                     options.where_sql.empty() ? "" : " WHERE ", options.where_sql),
                connection_.given_limits()) {}

    /// Appends data, which need not end with a row. Throws the server's error where it has refused earlier data.
    void write(std::string_view data) { copy_.write(std::as_bytes(std::span(data))); }
    void write(std::span<std::byte const> data) { copy_.write(data); }

    /// Appends what a stream still holds.
    void write(std::istream& data) {
        std::string buffer(copy_in::put_size, '\0');
        while (data.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) || data.gcount() > 0)
            write(std::string_view(buffer.data(), static_cast<std::size_t>(data.gcount())));
        if (data.bad()) throw usage_error("reading the data to copy failed");
    }

    /// Appends the pieces of a range, such as lines with their ends.
    template <std::ranges::input_range Pieces>
        requires(std::convertible_to<std::ranges::range_reference_t<Pieces>, std::string_view> &&
                 !std::convertible_to<Pieces, std::string_view>)
    void write(Pieces&& pieces) {
        for (auto&& piece : pieces) write(std::string_view(piece));
    }

    /// Appends a file. Throws `usage_error` where it cannot be read.
    void write_file(std::filesystem::path const& path) {
        std::ifstream file(path, std::ios::binary);
        if (!file) throw usage_error(text("the file {} cannot be read", path.string()));
        write(file);
    }

    /// Ends the COPY. Returns the number of rows that the server took.
    std::int64_t finish() { return copy_.finish(); }

private:
    database_ref::use connection_;
    copy_in copy_;
};

/// Reads a table or a query's rows as data, one row a piece (in binary, the header stands before the first). Leaving early cancels the
/// COPY. Keeps its connection busy. Not thread-safe.
class data_reader {
public:
    /// Begins the COPY of a table.
    data_reader(database_ref const& where, copy_table const& from, copy_options const& options = {})
        : data_reader(where, options, detail::table_sql(from)) {}

    /// Begins the COPY of a query's rows. `query_sql`: SQL as it stands; COPY takes no parameters.
    [[nodiscard]] static data_reader of_query(database_ref const& where, std::string_view query_sql, copy_options const& options = {}) {
        return data_reader(where, options, text("({})", query_sql));
    }

    /// The next piece, valid until the next call; nothing at the end.
    [[nodiscard]] std::optional<std::string_view> next() {
        auto const piece = copy_.next();
        if (piece.data() == nullptr) return std::nullopt;
        return std::string_view(reinterpret_cast<char const*>(piece.data()), piece.size());
    }

    /// Writes the rest to a stream or a file. Returns the number of bytes. Throws `usage_error` where that fails.
    std::int64_t write_to(std::ostream& out) {
        std::int64_t bytes = 0;
        while (auto const piece = next()) {
            out.write(piece->data(), static_cast<std::streamsize>(piece->size()));
            if (!out) throw usage_error("writing the copied data failed");
            bytes += static_cast<std::int64_t>(piece->size());
        }
        return bytes;
    }
    std::int64_t write_to(std::filesystem::path const& path) {
        std::ofstream file(path, std::ios::binary | std::ios::trunc);
        if (!file) throw usage_error(text("the file {} cannot be written", path.string()));
        auto const bytes = write_to(file);
        file.close();
        if (!file) throw usage_error(text("the file {} cannot be written", path.string()));
        return bytes;
    }

private:
    data_reader(database_ref const& where, copy_options const& options, std::string const& from)
        : connection_(where),
          copy_(*connection_, text("COPY {} TO STDOUT ({})", from, detail::options_sql(options)), connection_.given_limits()) {}

    database_ref::use connection_;
    copy_out copy_;
};

}  // namespace isorow::inline v1
