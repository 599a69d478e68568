// What the schema says of bits, sparse vectors, addresses and integers without sign.

#include <catch2/catch_test_macros.hpp>

#include <isorow/schema.hpp>
#include <isorow/schema/ddl_statements.hpp>
#include <isorow/schema/table_schema.hpp>
#include <isorow/types/network.hpp>
#include <support/matchers.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using isorow::column;
using isorow::table_schema;
using isorow::type_change;
using isorow::usage_error;

namespace {

struct Code {
    std::int32_t id;
    isorow::bit<8> code;
    isorow::sparsevec<100> words;

    static consteval auto isorow_table() {
        return isorow::table("codes")
            .primary_key<&Code::id>()
            .index<&Code::code>(isorow::hnsw{.metric = isorow::jaccard})
            .index<&Code::code>(isorow::ivfflat{.metric = isorow::hamming})
            .index<&Code::words>(isorow::hnsw{.metric = isorow::inner_product});
    }
};

struct Counter {
    std::uint16_t port;
    std::uint64_t count;

    static consteval auto isorow_table() {
        return isorow::table("counters").primary_key<&Counter::port>().column<&Counter::count>({.type = "numeric(20,0)"});
    }
};

/// Only its column's type is of an extension, its index's method is.
struct Binary {
    isorow::bit<8> code;

    static consteval auto isorow_table() { return isorow::table("b").index<&Binary::code>(isorow::hnsw{.metric = isorow::hamming}); }
};

table_schema of_type(std::string sql) { return table_schema{{{"c", column{std::move(sql)}}}}; }

std::string type_of(std::string sql) { return to_sql(of_type(std::move(sql)).columns()[0].type); }

type_change change(std::string_view from, std::string_view to) {
    isorow::column_type left;
    isorow::column_type right;
    REQUIRE(isorow::read_live_type(from, left));
    REQUIRE(isorow::read_live_type(to, right));
    return isorow::change_of_type(left, right);
}

}  // namespace

TEST_CASE("binary and sparse vectors have pgvector's operator classes") {
    auto const script = isorow::ddl<Code>();
    CHECK(script.find("\"code\" bit(8) NOT NULL") != std::string::npos);
    CHECK(script.find("\"words\" sparsevec(100) NOT NULL") != std::string::npos);
    CHECK(script.find("USING hnsw (\"code\" bit_jaccard_ops)") != std::string::npos);
    CHECK(script.find("USING ivfflat (\"code\" bit_hamming_ops)") != std::string::npos);
    CHECK(script.find("USING hnsw (\"words\" sparsevec_ip_ops)") != std::string::npos);
}

TEST_CASE("an index of pgvector needs its extension, even where no column's type does") {
    CHECK(isorow::needed_extensions(isorow::description_of<Binary>) == std::vector<std::string_view>{"vector"});
    auto const statements = isorow::ddl_statements(isorow::description_of<Binary>, {{"vector", "extensions"}});
    CHECK(statements.back().find("\"code\" \"extensions\".bit_hamming_ops)") != std::string::npos);
    CHECK(statements.front().find("\"code\" bit(8)") != std::string::npos);
}

TEST_CASE("metrics that pgvector does not have for a type are refused") {
    auto const index = [](std::string const& type, auto const& method) { return of_type(type).index({"c"}, method); };
    using isorow::hnsw;
    using isorow::ivfflat;
    CHECK_NOTHROW(index("bit(8)", hnsw{.metric = isorow::hamming}));
    CHECK_NOTHROW(index("bit(8)", ivfflat{.metric = isorow::hamming}));
    CHECK_NOTHROW(index("bit(8)", hnsw{.operator_class = "bit_hamming_ops"}));
    CHECK_NOTHROW(index("sparsevec(8)", hnsw{.metric = isorow::l1}));
    CHECK_THROWS_MATCHES(index("bit(8)", hnsw{}), usage_error, test::says("bits are compared by the metrics hamming and jaccard"));
    CHECK_THROWS_MATCHES(index("vector(8)", hnsw{.metric = isorow::jaccard}), usage_error, test::says("are those of bits"));
    CHECK_THROWS_MATCHES(index("bit(8)", ivfflat{.metric = isorow::jaccard}), usage_error, test::says("use hnsw"));
    CHECK_THROWS_MATCHES(index("vector(8)", ivfflat{.metric = isorow::l1}), usage_error, test::says("the metric l1; use hnsw"));
    CHECK_THROWS_MATCHES(index("sparsevec(8)", ivfflat{}), usage_error, test::says("no ivfflat index for sparsevec"));
    CHECK_THROWS_MATCHES(index("varbit(8)", hnsw{.metric = isorow::hamming}), usage_error, test::says("not bit varying(8)"));
    CHECK_THROWS_MATCHES(index("sparsevec", hnsw{}), usage_error, test::says("with its dimension"));
}

TEST_CASE("bits and sparse vectors take the numbers in parentheses that Postgres and pgvector take") {
    CHECK(type_of("bit") == "bit(1)");
    CHECK(type_of("varbit") == "bit varying");
    CHECK(type_of("varbit(83886080)") == "bit varying(83886080)");
    CHECK(type_of("bit varying(5)") == "bit varying(5)");
    CHECK(type_of("sparsevec(1000000000)") == "sparsevec(1000000000)");
    CHECK_THROWS_MATCHES(of_type("bit(0)"), usage_error, test::says("the type bit takes 1 to 83886080 in parentheses, not 0"));
    CHECK_THROWS_AS(of_type("varbit(83886081)"), usage_error);
    CHECK_THROWS_MATCHES(of_type("sparsevec(1000000001)"), usage_error, test::says("takes 1 to 1000000000 in parentheses"));
    CHECK_THROWS_MATCHES(of_type("varchar(2147483648)"), usage_error, test::says("is not one that isorow knows"));
    CHECK_THROWS_MATCHES(of_type("inet(4)"), usage_error, test::says("the type inet takes nothing in parentheses"));
}

TEST_CASE("integers without sign have the columns that hold them, those of 64 bits the one that was said") {
    auto const script = isorow::ddl<Counter>();
    CHECK(script.find("\"port\" integer NOT NULL") != std::string::npos);
    CHECK(script.find("\"count\" numeric(20,0) NOT NULL") != std::string::npos);
}

TEST_CASE("what a change of these types does to the values is known where it is certain") {
    CHECK(change("bit varying(5)", "bit varying(9)") == type_change::keeps);
    CHECK(change("bit varying(5)", "bit varying") == type_change::keeps);
    CHECK(change("bit varying(9)", "bit varying(5)") == type_change::unknown);
    CHECK(change("bit varying", "bit varying(5)") == type_change::unknown);
    CHECK(change("bit(5)", "bit varying") == type_change::keeps);
    CHECK(change("bit(5)", "bit varying(5)") == type_change::rewrites);
    CHECK(change("bit(5)", "bit varying(4)") == type_change::unknown);
    CHECK(change("bit(5)", "bit(6)") == type_change::unknown);
    CHECK(change("bit varying(5)", "bit(5)") == type_change::unknown);
    CHECK(change("bit", "bit(1)") == type_change::keeps);
    CHECK(change("sparsevec(5)", "sparsevec") == type_change::keeps);
    CHECK(change("sparsevec", "sparsevec(5)") == type_change::unknown);
    CHECK(change("sparsevec(5)", "sparsevec(6)") == type_change::loses);
    CHECK(change("sparsevec(5)", "vector(5)") == type_change::rewrites);
    CHECK(change("sparsevec(20000)", "vector") == type_change::unknown);
    CHECK(change("vector(5)", "sparsevec(5)") == type_change::unknown);
    CHECK(change("cidr", "inet") == type_change::rewrites);
    CHECK(change("inet", "cidr") == type_change::unknown);
    CHECK(change("macaddr", "macaddr8") == type_change::unknown);
    CHECK(change("cidr[]", "inet[]") == type_change::rewrites);
}
