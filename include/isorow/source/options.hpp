#pragma once

#include <isorow/query/filter.hpp>

#include <string>
#include <vector>

namespace isorow::inline v1 {

/// What a source reads. All is optional: without anything it reads the struct's own table.
struct source_options {
    std::string table{};   ///< the table's name; the struct's own where it is empty
    std::string schema{};  ///< the table's schema; the struct's own (`public`) where it is empty
    /// The columns to read, and no others; of a struct each has a field, and the fields of the others keep their default initialisers.
    std::vector<std::string> columns{};
    /// The columns to read beside those of the primary key, which are always read; not together with `columns`.
    std::vector<std::string> included_columns{};
    /// A column that grows whenever a row is written, such as the time of the last change or a version's number: an integer, timestamp or
    /// timestamptz, not of the primary key. Who follows by `polling` reads by it what has changed; it need not be among the columns read.
    std::string ordinal_column{};
    std::string sql_filter{};  ///< an SQL condition on the table's columns, pasted into the query in parentheses: it must be trusted
    isorow::filter filter{};   ///< a condition with bound values: `where<&Product::price>() > 10`; with `sql_filter`, both have to hold
    std::string sql_query{};   ///< a query to read instead of a table, pasted as it is: it must be trusted
    /// The environment variable that names the database, as a URI or `key=value` pairs, of a source that is not given one.
    std::string database_variable = "ISOROW_DATABASE_URL";
};

}  // namespace isorow::inline v1
