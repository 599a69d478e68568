// The messages of logical replication.

#include <fuzz/target.hpp>
#include <isorow/codec/pgoutput.hpp>

#include <cstddef>
#include <string_view>
#include <variant>
#include <vector>

namespace {

using namespace std::string_view_literals;

/// Whether a part lies within the whole; one of no bytes may lie anywhere.
void require_within(fuzz::input part, fuzz::input whole) {
    fuzz::require(part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size()),
                  "a view outside of the message");
}
void require_within(std::string_view part, fuzz::input whole) { require_within(std::as_bytes(std::span(part)), whole); }

void walk(isorow::pgoutput::tuple const& row, fuzz::input whole) {
    std::size_t columns = 0;
    for (auto const& column : row) {
        require_within(column.value, whole);
        ++columns;
    }
    fuzz::require(columns == row.size(), "a tuple has another number of columns than it says");
}

/// Walks all that the messages refer to.
struct walker {
    fuzz::input whole;

    void operator()(isorow::pgoutput::insert const& change) const { walk(change.row, whole); }
    void operator()(isorow::pgoutput::update const& change) const {
        walk(change.old, whole);
        walk(change.row, whole);
    }
    void operator()(isorow::pgoutput::remove const& change) const { walk(change.old, whole); }
    void operator()(isorow::pgoutput::truncate const& change) const {
        require_within(change.relations, whole);
        for (std::size_t i = 0; i < change.size(); ++i) static_cast<void>(change.relation(i));
    }
    void operator()(isorow::pgoutput::relation const& found) const {
        fuzz::require(found.columns.size() <= whole.size() / 10, "more columns than the message has room for");
    }
    void operator()(isorow::pgoutput::type const& found) const {
        // An empty schema is pg_catalog, which is not of the message.
        if (found.schema != "pg_catalog") require_within(found.schema, whole);
        require_within(found.name, whole);
    }
    void operator()(isorow::pgoutput::origin const& found) const { require_within(found.name, whole); }
    void operator()(isorow::pgoutput::message const& found) const {
        require_within(found.prefix, whole);
        require_within(found.content, whole);
    }
    template <class Plain>
    void operator()(Plain const&) const {}
};

template <bool InStream>
void run_message(fuzz::input bytes) {
    std::visit(walker{bytes}, isorow::pgoutput::decode(isorow::byte_reader(bytes), InStream));
}

/// Messages by hand; those within a stream have the transaction's id behind their first byte.
template <bool InStream>
std::vector<fuzz::bytes> messages() {
    std::vector<fuzz::bytes> all;
    for (auto const message :
         {"B\0\0\0\0\1\2\3\4\0\0\0\0\0\0\0\1\0\0\0\7"sv, "C\0\0\0\0\0\1\2\3\4\0\0\0\0\1\2\3\5\0\0\0\0\0\0\0\1"sv,
          "O\0\0\0\0\1\2\3\4north\0"sv,
          "R\0\0\x40\1public\0shop\0d\0\2\1id\0\0\0\0\x17\xff\xff\xff\xff\0name\0\0\0\0\x19\xff\xff\xff\xff"sv, "Y\0\0\x40\2\0mood\0"sv,
          "I\0\0\x40\1N\0\2b\0\0\0\4\0\0\0\7t\0\0\0\4lamp"sv, "U\0\0\x40\1K\0\2b\0\0\0\4\0\0\0\7nN\0\2b\0\0\0\4\0\0\0\x8u"sv,
          "U\0\0\x40\1N\0\1u"sv, "D\0\0\x40\1O\0\2b\0\0\0\4\0\0\0\7t\0\0\0\4lamp"sv, "T\0\0\0\2\3\0\0\x40\1\0\0\x40\2"sv,
          "M\1\0\0\0\0\1\2\3\4note\0\0\0\0\2hi"sv, "S\0\0\0\7\1"sv, "E"sv, "c\0\0\0\7\0\0\0\0\0\1\2\3\4\0\0\0\0\1\2\3\5\0\0\0\0\0\0\0\1"sv,
          "A\0\0\0\7\0\0\0\x8"sv}) {
        auto one = fuzz::bytes_of(message);
        bool const has_id = InStream && "IUDTRYM"sv.find(message.front()) != std::string_view::npos;
        if (has_id) one.insert(one.begin() + 1, {std::byte{0}, std::byte{0}, std::byte{0}, std::byte{7}});
        all.push_back(std::move(one));
    }
    return all;
}

fuzz::registered const plain("pgoutput", &run_message<false>, &messages<false>);
fuzz::registered const streamed("pgoutput-in-stream", &run_message<true>, &messages<true>);

void run_frame(fuzz::input bytes) {
    auto const found = isorow::pgoutput::decode_frame(isorow::byte_reader(bytes));
    if (auto const* const data = std::get_if<isorow::pgoutput::wal_data>(&found)) {
        require_within(data->message, bytes);
        run_message<false>(data->message);
    }
}

fuzz::registered const frame("replication-frame", &run_frame,
                             fuzz::texts({"w\0\0\0\0\1\2\3\4\0\0\0\0\1\2\3\5\0\0\0\0\0\0\0\1E"sv,
                                          "k\0\0\0\0\1\2\3\4\0\0\0\0\0\0\0\1\1"sv}));

}  // namespace
