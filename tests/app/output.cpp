#include <catch2/catch_test_macros.hpp>

#include <isorow/app/detail/output.hpp>
#include <isorow/target/detail/shape.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

using isorow::detail::output;
using isorow::detail::run_table;

namespace {

struct Entry {
    std::int64_t id;
    std::string name;

    static consteval auto isorow_table() { return isorow::table("entries").primary_key<&Entry::id>(); }
};

struct tables {
    isorow::detail::declared_table declared{.shape = isorow::detail::shape_of<Entry>({}), .options = {}};
    run_table entries{.declared = &declared, .name = "\"public\".\"entries\"", .columns_seed = 17};
    run_table others{.declared = &declared, .name = "\"public\".\"others\"", .columns_seed = 18};

    auto finder() {
        return [this](std::string_view name) -> run_table* {
            return name == entries.name ? &entries : name == others.name ? &others : nullptr;
        };
    }
};

void add(output& rows, run_table& table, Entry const& entry) {
    rows.of(table).append([&](isorow::byte_writer& out) { isorow::encode_row<Entry, isorow::row_order::key_first>(entry, out); });
}

std::vector<Entry> entries_of(isorow::detail::table_output const& rows) {
    std::vector<Entry> all;
    rows.for_each([&](std::span<std::byte const> image, std::size_t key_end) {
        CHECK(key_end == 2 + 4 + 8);
        isorow::byte_reader in(image);
        static_cast<void>(in.take_int16());
        static_cast<void>(in.take_int32());
        auto const id = in.take_int64();
        auto const size = static_cast<std::size_t>(in.take_int32());
        auto const name = in.take_bytes(size);
        all.push_back({id, std::string(reinterpret_cast<char const*>(name.data()), size)});
    });
    return all;
}

}  // namespace

TEST_CASE_METHOD(tables, "rows are collected for each table in their order") {
    output rows;
    add(rows, entries, {1, "one"});
    add(rows, others, {2, "two"});
    add(rows, entries, {3, ""});
    CHECK(rows.rows() == 3);
    REQUIRE(rows.tables().size() == 2);
    auto const first = entries_of(rows.tables()[0]);
    REQUIRE(first.size() == 2);
    CHECK(first[1].id == 3);
    CHECK(first[0].name == "one");
}

TEST_CASE_METHOD(tables, "a row that cannot be encoded leaves no trace") {
    output rows;
    add(rows, entries, {1, "one"});
    auto const before = rows.bytes();
    CHECK_THROWS_AS(add(rows, entries, {2, std::string("\0", 1)}), isorow::unrepresentable);
    CHECK(rows.bytes() == before);
    add(rows, entries, {2, "two"});
    CHECK(entries_of(rows.tables()[0]).back().name == "two");
}

TEST_CASE_METHOD(tables, "an output is kept and read back") {
    output rows;
    for (std::int64_t i = 0; i < 1000; ++i) add(rows, i % 3 == 0 ? others : entries, {i, std::string(static_cast<std::size_t>(i), 'x')});
    output read;
    REQUIRE(isorow::detail::from_payload(isorow::detail::to_payload(rows), finder(), read));
    CHECK(read.rows() == 1000);
    CHECK(read.bytes() == rows.bytes());
    CHECK(isorow::detail::to_payload(read) == isorow::detail::to_payload(rows));
}

TEST_CASE_METHOD(tables, "an output of a table that is not there, or has other columns now, is not used") {
    output rows;
    add(rows, entries, {1, "one"});
    auto const payload = isorow::detail::to_payload(rows);
    output read;
    CHECK_FALSE(isorow::detail::from_payload(payload, [](std::string_view) -> run_table* { return nullptr; }, read));
    entries.columns_seed = 99;
    CHECK_FALSE(isorow::detail::from_payload(payload, finder(), read));
}

TEST_CASE_METHOD(tables, "bytes that are no output are refused, wherever they end") {
    output rows;
    add(rows, entries, {1, "one"});
    auto const payload = isorow::detail::to_payload(rows);
    for (std::size_t size = 0; size < payload.size(); ++size) {
        output read;
        CHECK_THROWS_AS(isorow::detail::from_payload(std::span(payload).first(size), finder(), read), isorow::malformed);
    }
    auto longer = payload;
    longer.push_back(std::byte{0});
    output read;
    CHECK_THROWS_AS(isorow::detail::from_payload(longer, finder(), read), isorow::malformed);
    auto other_format = payload;
    other_format[0] = std::byte{99};
    CHECK_FALSE(isorow::detail::from_payload(other_format, finder(), read));
}
