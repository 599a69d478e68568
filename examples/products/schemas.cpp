// The four ways to describe one table: a struct that says all, a struct with what is said at run time, an embedder as the one who knows the
// vector's dimension, and a list of columns. Prints their SQL. Needs no database.

#include "embedder.hpp"

#include <isorow/schema.hpp>
#include <isorow/schema/ddl_statements.hpp>
#include <isorow/schema/table_schema.hpp>
#include <isorow/types/annotated.hpp>

#include <chrono>
#include <cstdint>
#include <iostream>
#include <string>
#include <vector>

using isorow::annotated;
using isorow::column;
using isorow::pg_type;
using isorow::primary_key;
using isorow::table_schema;
using timestamp = std::chrono::sys_time<std::chrono::microseconds>;

/// The columns, the key and the dimension are all known to the compiler.
struct OutputProduct {
    std::string category;
    std::string name;
    double price;
    annotated<std::vector<float>, SmallEmbedder> embedding;
};

/// Other types than the fields' own, said in the fields.
struct MyRow {
    annotated<std::int32_t, pg_type<"smallint">> id;        // instead of integer
    annotated<double, pg_type<"real">> value;               // instead of double precision
    annotated<timestamp, pg_type<"timestamp">> created_at;  // without time zone
};

/// The same, said where the table is described.
struct PlainRow {
    std::int32_t id;
    double value;
    timestamp created_at;
};

/// What a vector holds is not known to the compiler: a std::vector<float> has no column type of its own.
struct Document {
    std::string id;
    std::string content;
    std::vector<float> embedding;
};

table_schema from_a_struct() { return table_schema::of<OutputProduct>({.primary_key = {"category", "name"}, .table = "products"}); }

table_schema with_annotations() { return table_schema::of<MyRow>({.primary_key = {"id"}, .table = "annotated_rows"}); }

table_schema with_overrides() {
    return table_schema::of<PlainRow>({
        .primary_key = {"id"},
        .column_overrides = {{"id", pg_type{"smallint"}}, {"value", pg_type{"real"}}, {"created_at", pg_type{"timestamp"}}},
        .table = "overridden_rows",
    });
}

table_schema with_an_embedder(Embedder const& embedder) {
    return table_schema::of<Document>({.primary_key = {"id"}, .column_overrides = {{"embedding", embedder}}, .table = "documents"});
}

table_schema with_a_vector_schema() {
    isorow::vector_schema const half{384, isorow::vector_element::float16};
    return table_schema::of<Document>({.primary_key = {"id"}, .column_overrides = {{"embedding", half}}, .table = "half_documents"});
}

table_schema of_columns() {
    return table_schema{{{"category", column{"text", isorow::not_null}},
                         {"name", column{"text", isorow::not_null}},
                         {"price", column{"numeric"}},
                         {"embedding", column{"vector(384)"}}},
                        primary_key{"category", "name"}}
        .named("public", "explicit_products");
}

int main() {
    Embedder const embedder{"large"};
    for (auto const& schema :
         {from_a_struct(), with_annotations(), with_overrides(), with_an_embedder(embedder), with_a_vector_schema(), of_columns()})
        for (auto const& statement : isorow::ddl_statements(schema.description())) std::cout << statement << ";\n";
}
