// What is files' own: what stands in them, and who may use them.

#include <records/backends.hpp>
#include <support/matchers.hpp>

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using isorow::record;
using isorow::uuid;
using isorow::records::file_format;
using isorow::records::file_store;
using isorow::records::where;

void write(std::filesystem::path const& path, std::string const& text) { std::ofstream(path, std::ios::binary) << text; }

[[nodiscard]] std::string read(std::filesystem::path const& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

[[nodiscard]] uuid record_id(std::uint8_t number) {
    std::array<std::uint8_t, 16> bytes{};
    bytes[15] = number;
    return uuid(bytes);
}

}  // namespace

TEST_CASE("records are there again when the file is opened again, in both forms") {
    test::folder const folder;
    for (auto const* const name : {"records.json", "records.jsonl"}) {
        std::vector<record> before;
        {
            file_store store(folder / name);
            store.create({.fields = {{"name", "Alice\n\"é\""}, {"big", 18446744073709551615ULL}, {"pi", 3.25}}, .metadata = {{"v", 1}}});
            store.create({.fields = {{"deep", {{"list", {1, nullptr, "x"}}}}}});
            store.patch(store.create({}), {{"a", 1}});
            before = store.search({});
        }
        file_store const store(folder / name);
        CHECK(store.search({}) == before);
        CHECK(store.count() == 3);
    }
    CHECK(read(folder / "records.json").starts_with("[\n{"));
    CHECK(read(folder / "records.jsonl").starts_with("{"));
    CHECK(file_store(folder / "records.json", file_format::document).count() == 3);
}

TEST_CASE("a file that is written by hand may say the fields alone") {
    test::folder const folder;
    write(folder / "a.json", R"([{"fields": {"name": "Alice"}}, {"id": "00000000-0000-0000-0000-000000000001", "fields": {}}])");
    file_store const store(folder / "a.json");
    CHECK(store.count() == 2);
    CHECK(store.search(where("name") == "Alice").front().id != uuid{});
    write(folder / "b.jsonl", "{\"fields\": {\"name\": \"Alice\"}}\r\n\n  \n{\"fields\": {}}");
    CHECK(file_store(folder / "b.jsonl").count() == 2);
    write(folder / "empty.json", "\n");
    CHECK(file_store(folder / "empty.json").count() == 0);
}

TEST_CASE("what is no record is told by file and place, and the file stays as it is") {
    test::folder const folder;
    auto const refused = [&](std::string const& name, std::string const& text, std::string const& reason) {
        write(folder / name, text);
        CHECK_THROWS_MATCHES(file_store(folder / name), isorow::error, test::says(reason));
        CHECK(read(folder / name) == text);
    };
    refused("a.json", "[{\"fields\": {}}, {\"fields\": 5}]", "a.json: $[1].fields");
    refused("a.json", "[{\"fields\": {}},", "a.json");
    refused("a.json", "{}", "a.json");
    refused("a.json", "[{\"fields\": {}, \"metdata\": {}}]", "metdata");
    refused("b.jsonl", "{\"fields\": {}}\n{\"fields\": }\n", "b.jsonl, line 2");
    refused("b.jsonl", "{\"id\": \"x\", \"fields\": {}}\n", "b.jsonl, line 1");
    auto const same = std::string(R"({"id": "00000000-0000-0000-0000-000000000001", "fields": {}})");
    refused("b.jsonl", same + "\n" + same, "already");
    auto const nil = std::string(R"({"id": "00000000-0000-0000-0000-000000000000", "fields": {}})");
    refused("a.json", "[" + same + ", " + nil + "]", "a.json: $[1].id");
    refused("b.jsonl", same + "\n" + nil, "b.jsonl, line 2: $.id");
    refused("a.json", "[{\"id\": null}]", "\"fields\"");
    refused("a.json", "[{\"fields\": {}, \"fields\": {}}]", "twice");
    refused("a.json", "[{\"fields\": {}}] []", "a.json: $: at byte 17");
    refused("a.json", "[{\"fields\": {\"a\": x}}]", "a.json: $[0].fields: $.a: at byte 18");
}

TEST_CASE("a file is one store's at a time, and in a folder that is there") {
    test::folder const folder;
    {
        file_store store(folder / "a.json");
        store.create({});
        CHECK_THROWS_MATCHES(file_store(folder / "a.json"), isorow::usage_error, test::says("in use by another store"));
    }
    CHECK(file_store(folder / "a.json").count() == 1);
    CHECK_THROWS_MATCHES(file_store(folder / "none/a.json"), isorow::usage_error, test::says("cannot be opened"));
    std::filesystem::create_directories(folder / "b.json");
    CHECK_THROWS_MATCHES(file_store(folder / "b.json"), isorow::usage_error, test::says("is a folder"));
    CHECK_THROWS_MATCHES(file_store(""), isorow::usage_error, test::says("cannot be opened"));
}

TEST_CASE("a file keeps its mode") {
    using std::filesystem::perms;
    test::folder const folder;
    write(folder / "a.json", "[]");
    for (auto const mode : {perms::owner_read | perms::owner_write,
                            perms::owner_read | perms::owner_write | perms::group_read | perms::group_write | perms::others_write}) {
        std::filesystem::permissions(folder / "a.json", mode);
        file_store(folder / "a.json").create({});
        CHECK(std::filesystem::status(folder / "a.json").permissions() == mode);
    }
}

TEST_CASE("a link to a file stays one, and the file is one store's by all of its names") {
    test::folder const folder;
    std::filesystem::create_directories(folder / "data");
    std::filesystem::create_symlink("data/real.json", folder / "link.json");
    std::filesystem::create_symlink("link.json", folder / "link of a link.json");
    {
        file_store store(folder / "link of a link.json");
        store.create({});
        CHECK_THROWS_MATCHES(file_store(folder / "data/real.json"), isorow::usage_error, test::says("in use by another store"));
        CHECK_THROWS_MATCHES(file_store(folder / "data/../link.json"), isorow::usage_error, test::says("in use by another store"));
    }
    CHECK(std::filesystem::is_symlink(folder / "link.json"));
    CHECK(file_store(folder / "data/real.json").count() == 1);
    std::filesystem::create_symlink("loop.json", folder / "loop.json");
    CHECK_THROWS_MATCHES(file_store(folder / "loop.json"), isorow::usage_error, test::says("cannot be opened"));
}

TEST_CASE("a call that changes nothing does not touch the file") {
    test::folder const folder;
    file_store store(folder / "a.json");
    uuid const nobody = record_id(1);
    auto const change_nothing = [&] {
        store.erase(nobody);
        store.patch(nobody, {{"a", 1}});
        store.create_batch({});
        store.transact([&](file_store& inside) {
            inside.update({.id = nobody});
            CHECK_THROWS_AS(inside.transact([](file_store& inner) {
                inner.create({});
                throw std::runtime_error("no");
            }),
                            std::runtime_error);
            return inside.count();
        });
    };
    change_nothing();
    store.clear();
    CHECK_FALSE(std::filesystem::exists(folder / "a.json"));
    store.create({});
    // Nothing can be written where a folder stands in the new file's place.
    std::filesystem::create_directories(folder / "a.json.new");
    CHECK_NOTHROW(change_nothing());
    CHECK(store.count() == 1);
}

TEST_CASE("a change that cannot be written to the file is not made") {
    test::folder const folder;
    file_store store(folder / "a.json");
    auto const id = store.create({.fields = {{"name", "kept"}}});
    // A folder stands where the new file would be written.
    std::filesystem::create_directories(folder / "a.json.new");
    CHECK_THROWS_MATCHES(store.create({}), isorow::usage_error, test::says("cannot be opened"));
    CHECK_THROWS_AS(store.erase(id), isorow::usage_error);
    CHECK(store.count() == 1);
    std::filesystem::remove(folder / "a.json.new");
    CHECK(store.erase(id) == isorow::records::outcome::erased);
}

TEST_CASE("a transaction writes the file once, at its end") {
    test::folder const folder;
    file_store store(folder / "a.jsonl");
    store.transact([&](file_store& inside) {
        for (int i = 0; i < 100; ++i) inside.create({});
        CHECK_FALSE(std::filesystem::exists(folder / "a.jsonl"));
    });
    CHECK(std::filesystem::exists(folder / "a.jsonl"));
    auto const before = read(folder / "a.jsonl");
    CHECK_THROWS_AS(store.transact([](file_store& inside) {
        inside.clear();
        throw std::runtime_error("no");
    }),
                    std::runtime_error);
    CHECK(read(folder / "a.jsonl") == before);
}
