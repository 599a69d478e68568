// The messages of pgoutput, byte by byte, and what is no message.

#include <catch2/catch_test_macros.hpp>

#include <isorow/codec/pgoutput.hpp>
#include <support/matchers.hpp>

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pgoutput = isorow::pgoutput;
using isorow::lsn;

namespace {

/// Writes a message as the server does.
struct message {
    isorow::byte_writer out{};

    message& tag(char tag) {
        return put([&] { out.put_int8(tag); });
    }
    message& word(std::uint32_t value) {
        return put([&] { out.put_uint32(value); });
    }
    message& half(std::int16_t value) {
        return put([&] { out.put_int16(value); });
    }
    message& place(std::uint64_t value) {
        return put([&] { out.put_int64(static_cast<std::int64_t>(value)); });
    }
    message& text(std::string_view value) {
        out.put_bytes(value);
        return tag('\0');
    }
    message& value(char kind, std::string_view bytes) {
        tag(kind).word(static_cast<std::uint32_t>(bytes.size()));
        out.put_bytes(bytes);
        return *this;
    }
    [[nodiscard]] std::vector<std::byte> bytes() const { return {out.bytes().begin(), out.bytes().end()}; }

private:
    template <class Put>
    message& put(Put&& one) {
        one();
        return *this;
    }
};

pgoutput::any_message decoded(std::vector<std::byte> const& bytes, bool in_stream = false) {
    return pgoutput::decode(isorow::byte_reader(bytes), in_stream);
}

std::string_view as_text(std::span<std::byte const> bytes) { return {reinterpret_cast<char const*>(bytes.data()), bytes.size()}; }

/// Each message once, outside and inside of a stream.
struct sample {
    std::vector<std::byte> bytes;
    bool in_stream;
};

message row(message start) { return start.half(4).tag('n').tag('u').value('b', "abc").value('t', ""); }

std::vector<sample> samples() {
    std::vector<sample> all;
    auto const add = [&](message const& one, bool in_stream = false) { all.push_back({one.bytes(), in_stream}); };
    add(message().tag('B').place(10).place(20).word(7));
    add(message().tag('C').tag('\0').place(10).place(20).place(30));
    add(message().tag('O').place(10).text("other"));
    add(message().tag('S').word(7).tag('\1'));
    add(message().tag('E'));
    add(message().tag('c').word(7).tag('\0').place(10).place(20).place(30));
    add(message().tag('A').word(7).word(8));
    for (bool const in_stream : {false, true}) {
        auto const begin = [&](char kind) {
            auto one = message().tag(kind);
            return in_stream ? one.word(7) : one;
        };
        add(begin('R')
                .word(5)
                .text("public")
                .text("products")
                .tag('d')
                .half(2)
                .tag('\1')
                .text("id")
                .word(20)
                .word(0xffffffff)
                .tag('\0')
                .text("name")
                .word(25)
                .word(3),
            in_stream);
        add(begin('Y').word(5).text("public").text("vector"), in_stream);
        add(row(begin('I').word(5).tag('N')), in_stream);
        add(row(begin('U').word(5).tag('N')), in_stream);
        add(row(row(begin('U').word(5).tag('K')).tag('N')), in_stream);
        add(row(row(begin('U').word(5).tag('O')).tag('N')), in_stream);
        add(row(begin('D').word(5).tag('K')), in_stream);
        add(begin('T').word(2).tag('\3').word(5).word(6), in_stream);
        add(begin('M').tag('\1').place(9).text("prefix").word(3).tag('a').tag('b').tag('c'), in_stream);
    }
    return all;
}

}  // namespace

TEST_CASE("a transaction's begin and commit tell its places in the WAL, its time and number") {
    auto const begun = std::get<pgoutput::begin>(decoded(message().tag('B').place(0x16B374D848).place(20).word(7).bytes()));
    CHECK(begun.commit == lsn{0x16B374D848});
    CHECK(begun.commit_time == isorow::timestamptz(20));
    CHECK(begun.xid == 7);

    auto const ended = std::get<pgoutput::commit>(decoded(message().tag('C').tag('\0').place(10).place(20).place(30).bytes()));
    CHECK(ended.commit_at == lsn{10});
    CHECK(ended.end == lsn{20});
    CHECK(ended.commit_time == isorow::timestamptz(30));
}

TEST_CASE("a relation tells its name, its identity and its columns") {
    auto const one = std::get<pgoutput::relation>(decoded(message()
                                                              .tag('R')
                                                              .word(5)
                                                              .text("")
                                                              .text("products")
                                                              .tag('f')
                                                              .half(2)
                                                              .tag('\1')
                                                              .text("id")
                                                              .word(20)
                                                              .word(0xffffffff)
                                                              .tag('\0')
                                                              .text("name")
                                                              .word(1043)
                                                              .word(36)
                                                              .bytes()));
    CHECK(one.id == 5);
    CHECK(one.schema == "pg_catalog");  // which is sent as nothing
    CHECK(one.name == "products");
    CHECK(one.replica_identity == 'f');
    REQUIRE(one.columns.size() == 2);
    CHECK(one.columns[0].of_identity);
    CHECK(one.columns[0].type == 20);
    CHECK(one.columns[0].modifier == -1);
    CHECK_FALSE(one.columns[1].of_identity);
    CHECK(one.columns[1].name == "name");
    CHECK(one.columns[1].modifier == 36);
}

TEST_CASE("a column of a tuple is NULL, unchanged, text or binary") {
    auto const bytes = row(message().tag('I').word(5).tag('N')).bytes();
    auto const inserted = std::get<pgoutput::insert>(decoded(bytes));
    CHECK(inserted.relation == 5);
    CHECK(inserted.row.size() == 4);
    std::vector<pgoutput::column_kind> kinds;
    std::vector<std::string> values;
    for (auto const& column : inserted.row) {
        kinds.push_back(column.kind);
        values.emplace_back(as_text(column.value));
    }
    using enum pgoutput::column_kind;
    CHECK(kinds == std::vector{null, unchanged, binary, text});
    CHECK(values == std::vector<std::string>{"", "", "abc", ""});
}

TEST_CASE("an update tells the row as it was, its key alone, or nothing of it") {
    auto const old_of = [](message const& one) {
        auto const bytes = one.bytes();
        auto const updated = std::get<pgoutput::update>(decoded(bytes));
        CHECK(updated.row.size() == 4);
        return std::pair(updated.old_kind, updated.old.size());
    };
    CHECK(old_of(row(message().tag('U').word(5).tag('N'))) == std::pair(pgoutput::old_row::none, std::size_t{0}));
    CHECK(old_of(row(row(message().tag('U').word(5).tag('K')).tag('N'))) == std::pair(pgoutput::old_row::key, std::size_t{4}));
    CHECK(old_of(row(row(message().tag('U').word(5).tag('O')).tag('N'))) == std::pair(pgoutput::old_row::whole, std::size_t{4}));

    auto const bytes = row(message().tag('D').word(5).tag('O')).bytes();
    CHECK(std::get<pgoutput::remove>(decoded(bytes)).old_kind == pgoutput::old_row::whole);
}

TEST_CASE("a TRUNCATE names its tables, a message has prefix and content") {
    auto const bytes = message().tag('T').word(2).tag('\2').word(5).word(6).bytes();
    auto const emptied = std::get<pgoutput::truncate>(decoded(bytes));
    REQUIRE(emptied.size() == 2);
    CHECK(emptied.relation(0) == 5);
    CHECK(emptied.relation(1) == 6);
    CHECK_FALSE(emptied.cascade);
    CHECK(emptied.restart_identity);

    auto const said = message().tag('M').tag('\1').place(9).text("prefix").word(3).tag('a').tag('b').tag('c').bytes();
    auto const one = std::get<pgoutput::message>(decoded(said));
    CHECK(one.transactional);
    CHECK(one.place == lsn{9});
    CHECK(one.prefix == "prefix");
    CHECK(as_text(one.content) == "abc");
}

TEST_CASE("what is streamed has its transaction's number in front") {
    auto const bytes = row(message().tag('I').word(77).word(5).tag('N')).bytes();
    auto const inserted = std::get<pgoutput::insert>(decoded(bytes, true));
    CHECK(inserted.xid == 77);
    CHECK(inserted.relation == 5);

    auto const begun = std::get<pgoutput::stream_start>(decoded(message().tag('S').word(7).tag('\1').bytes()));
    CHECK(begun.xid == 7);
    CHECK(begun.first);
    CHECK(std::holds_alternative<pgoutput::stream_stop>(decoded(message().tag('E').bytes(), true)));
    auto const aborted = std::get<pgoutput::stream_abort>(decoded(message().tag('A').word(7).word(8).bytes()));
    CHECK(aborted.xid == 7);
    CHECK(aborted.subtransaction == 8);
    auto const ended =
        std::get<pgoutput::stream_commit>(decoded(message().tag('c').word(7).tag('\0').place(10).place(20).place(30).bytes()));
    CHECK(ended.xid == 7);
    CHECK(ended.end == lsn{20});
}

TEST_CASE("a message that is cut anywhere, or too long, is malformed") {
    for (auto const& [whole, in_stream] : samples()) {
        CAPTURE(static_cast<char>(whole[0]), in_stream);
        CHECK_NOTHROW(decoded(whole, in_stream));
        for (std::size_t size = 0; size < whole.size(); ++size) {
            CAPTURE(size);
            // Memory of its own, so that a sanitizer sees a byte too far.
            std::vector<std::byte> const part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
            CHECK_THROWS_AS(decoded(part, in_stream), isorow::malformed);
        }
        auto longer = whole;
        longer.push_back(std::byte{0});
        CHECK_THROWS_AS(decoded(longer, in_stream), isorow::malformed);
    }
}

TEST_CASE("no count and no length of a message is believed") {
    CHECK_THROWS_AS(decoded(message().tag('I').word(5).tag('N').half(-1).bytes()), isorow::malformed);
    CHECK_THROWS_AS(decoded(message().tag('I').word(5).tag('N').half(32767).bytes()), isorow::malformed);
    CHECK_THROWS_AS(decoded(message().tag('I').word(5).tag('N').half(1).tag('b').word(0xfffffff0).bytes()), isorow::malformed);
    CHECK_THROWS_AS(decoded(message().tag('I').word(5).tag('N').half(1).tag('b').word(0x7fffffff).bytes()), isorow::malformed);
    CHECK_THROWS_AS(decoded(message().tag('R').word(5).text("a").text("b").tag('d').half(32767).bytes()), isorow::malformed);
    CHECK_THROWS_AS(decoded(message().tag('R').word(5).text("a").text("b").tag('d').half(-1).bytes()), isorow::malformed);
    CHECK_THROWS_AS(decoded(message().tag('T').word(0x7fffffff).tag('\0').word(5).bytes()), isorow::malformed);
    CHECK_THROWS_AS(decoded(message().tag('T').word(0xffffffff).tag('\0').bytes()), isorow::malformed);
    CHECK_THROWS_AS(decoded(message().tag('M').tag('\0').place(9).text("p").word(0xffffffff).bytes()), isorow::malformed);
}

TEST_CASE("unknown kinds of messages, tuples and columns are malformed") {
    CHECK_THROWS_MATCHES(decoded(message().tag('!').bytes()), isorow::malformed, test::says("a message of the kind 33"));
    CHECK_THROWS_MATCHES(decoded(row(message().tag('I').word(5).tag('K')).bytes()), isorow::malformed,
                         test::says("a new row marked by 75"));
    CHECK_THROWS_AS(decoded(row(message().tag('D').word(5).tag('N')).bytes()), isorow::malformed);
    CHECK_THROWS_AS(decoded(message().tag('I').word(5).tag('N').half(1).tag('x').bytes()), isorow::malformed);
}

TEST_CASE("messages with random bytes in them are decoded or refused, and nothing else") {
    std::mt19937 random(20261126);
    auto const all = samples();
    int refused = 0;
    for (int round = 0; round < 50'000; ++round) {
        auto [bytes, in_stream] = all[random() % all.size()];
        for (auto left = 1 + random() % 4; left > 0; --left) bytes[random() % bytes.size()] = static_cast<std::byte>(random());
        try {
            auto const one = decoded(bytes, in_stream);
            if (auto const* const inserted = std::get_if<pgoutput::insert>(&one))
                for (auto const& column : inserted->row) CHECK(column.value.size() <= bytes.size());
        } catch (isorow::malformed const&) {
            ++refused;
        }
    }
    CHECK(refused > 0);
}

TEST_CASE("frames of a replication stream carry data, ask for answers and are answered") {
    auto const data = message().tag('w').place(1).place(2).place(3).tag('E').bytes();
    auto const frame = pgoutput::decode_frame(isorow::byte_reader(data));
    auto const& carried = std::get<pgoutput::wal_data>(frame);
    CHECK(carried.start == lsn{1});
    CHECK(carried.server_end == lsn{2});
    CHECK(carried.sent == isorow::timestamptz(3));
    CHECK(as_text(carried.message) == "E");

    auto const asks = message().tag('k').place(2).place(3).tag('\1').bytes();
    auto const question = pgoutput::decode_frame(isorow::byte_reader(asks));
    CHECK(std::get<pgoutput::keepalive>(question).server_end == lsn{2});
    CHECK(std::get<pgoutput::keepalive>(question).asks_for_answer);

    isorow::byte_writer out;
    pgoutput::encode({.received = {3}, .stored = {2}, .applied = {1}, .sent = isorow::timestamptz(4), .asks_for_answer = true}, out);
    auto const answer = message().tag('r').place(3).place(2).place(1).place(4).tag('\1').bytes();
    CHECK(std::vector<std::byte>(out.bytes().begin(), out.bytes().end()) == answer);

    for (auto const& whole : {data, asks})
        for (std::size_t size = 0; size < (whole == data ? data.size() - 1 : asks.size()); ++size) {
            std::vector<std::byte> const part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
            CHECK_THROWS_AS(pgoutput::decode_frame(isorow::byte_reader(part)), isorow::malformed);
        }
    CHECK_THROWS_AS(pgoutput::decode_frame(isorow::byte_reader(answer)), isorow::malformed);
}

TEST_CASE("places in the WAL are written and read as Postgres writes them") {
    for (auto const value : {std::uint64_t{0}, std::uint64_t{0x16B374D848}, std::numeric_limits<std::uint64_t>::max()})
        CHECK(lsn::parse(lsn{value}.to_string()).value == value);
    CHECK(lsn{0x16B374D848}.to_string() == "16/B374D848");
    CHECK(lsn{0}.to_string() == "0/0");
    for (std::string_view const wrong : {"", "1", "/", "1/", "/1", "1/G", "1/123456789", "-1/0", "1/2/3", "0x1/2"})
        CHECK_THROWS_AS(lsn::parse(wrong), isorow::malformed);
}
