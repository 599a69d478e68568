// Tuples, binary COPY, and values whose type is known at run time only.

#include <fuzz/target.hpp>
#include <isorow/codec/copy_format.hpp>
#include <isorow/codec/dynamic_codec.hpp>
#include <isorow/codec/row.hpp>
#include <isorow/codec/scalars.hpp>
#include <support/same_value.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

/// All fields have a fixed size.
struct Fixed {
    std::int64_t id;
    bool flag;
    double value;
    std::optional<std::int32_t> count;
    isorow::uuid key;
    isorow::timestamptz at;
};

/// Some have not.
struct Mixed {
    std::int32_t id;
    std::string name;
    std::optional<std::string> note;
    isorow::numeric price;
    std::vector<std::optional<std::int32_t>> counts;
    std::vector<std::byte> image;
    isorow::vector<2> place;
    std::optional<isorow::date> day;
};

struct View {
    std::int32_t id;
    std::string_view name;
    std::optional<std::span<std::byte const>> image;
};

template <class Row>
fuzz::bytes encoded(Row const& row) {
    isorow::byte_writer out;
    isorow::encode_row(row, out);
    return fuzz::bytes_of(out.bytes());
}

template <class Row>
void run_row(fuzz::input bytes) {
    auto const row = isorow::decode_row<Row>(isorow::byte_reader(bytes));
    fuzz::bytes image;
    if (!fuzz::is_encoded([&] { image = encoded(row); })) return;
    auto const again = isorow::decode_row<Row>(isorow::byte_reader(image));
    fuzz::require(encoded(again) == image, "the row is another one when it is encoded and decoded");
}

Fixed fixed_row() { return {1, true, -0.0, 7, {}, isorow::timestamptz(5)}; }
Mixed mixed_row() {
    return {1, "lamp", std::nullopt, *isorow::numeric::parse("12.50"), {1, std::nullopt}, {std::byte{0}}, {1, 2}, isorow::date(3)};
}

fuzz::registered const fixed("row-of-fixed-size", &run_row<Fixed>, [] {
    auto without = fixed_row();
    without.count.reset();
    return std::vector<fuzz::bytes>{encoded(fixed_row()), encoded(without)};
});
fuzz::registered const mixed("row", &run_row<Mixed>, [] {
    auto other = mixed_row();
    other.note = "ä";
    other.day.reset();
    other.counts.clear();
    return std::vector<fuzz::bytes>{encoded(mixed_row()), encoded(other)};
});
fuzz::registered const views("row-of-views", &run_row<View>, [] {
    auto const image = fuzz::bytes_of(std::string_view("\0\1", 2));
    return std::vector<fuzz::bytes>{encoded(View{1, "lamp", image}), encoded(View{1, "", std::nullopt})};
});

/// Reads a whole COPY as `copy_reader` does, the tuples being found by their lengths.
void run_copy(fuzz::input bytes) {
    isorow::byte_reader in(bytes);
    isorow::copy_format::take_header(in);
    while (!isorow::copy_format::take_trailer(in)) {
        auto const size = isorow::copy_format::size_of_tuple(in);
        if (!size) return;
        fuzz::require(*size <= in.remaining(), "a tuple is larger than what remains");
        run_row<Mixed>(in.take_bytes(*size));
    }
}

fuzz::registered const copy("copy", &run_copy, [] {
    isorow::byte_writer out;
    isorow::copy_format::put_header(out);
    auto const header = out.size();
    isorow::copy_format::put_trailer(out);
    std::vector<fuzz::bytes> seeds{fuzz::bytes_of(out.bytes())};
    out.truncate(header);
    isorow::encode_row(mixed_row(), out);
    isorow::encode_row(mixed_row(), out);
    isorow::copy_format::put_trailer(out);
    seeds.push_back(fuzz::bytes_of(out.bytes()));
    return seeds;
});

/// The first byte says the type, its highest bit whether it is an array.
isorow::column_type type_of(std::byte first) {
    auto const number = std::to_integer<std::size_t>(first);
    return {static_cast<isorow::type_id>((number & 127) % isorow::type_catalog.size()), number >= 128};
}

isorow::dynamic_value decoded(isorow::column_type const& type, fuzz::input bytes) {
    // NULL has no data; the value of no bytes has some place.
    return isorow::decode_value(type, {bytes.data(), bytes.size()});
}

/// Dynamic values hold these as texts, and so may grow as their numbers' texts do.
bool holds_texts_of_numbers(isorow::column_type const& type) {
    return type.id == isorow::type_id::numrange || type.id == isorow::type_id::nummultirange;
}

void run_dynamic(fuzz::input bytes) {
    if (bytes.empty()) return;
    auto const type = type_of(bytes.front());
    std::optional<fuzz::uncounted> texts_of_numbers;
    if (holds_texts_of_numbers(type)) texts_of_numbers.emplace();
    auto const value = decoded(type, bytes.subspan(1));
    {
        fuzz::uncounted const texts;
        static_cast<void>(to_string(value));
    }
    isorow::byte_writer out;
    if (!fuzz::is_encoded([&] { isorow::encode_value(value, type, out); })) return;
    out.reserve(1);  // an empty value has a place
    auto const again = decoded(type, {out.bytes().data(), out.size()});
    fuzz::uncounted const comparing;
    fuzz::require(test::same(value, again), "the value is another one when it is encoded and decoded");
}

fuzz::registered const dynamic("dynamic-value", &run_dynamic, [] {
    using isorow::dynamic_value;
    std::vector<fuzz::bytes> seeds;
    auto const add = [&](isorow::column_type const& type, dynamic_value const& value) {
        isorow::byte_writer out;
        out.put_int8(static_cast<std::int8_t>(static_cast<int>(type.id) | (type.array ? 128 : 0)));
        isorow::encode_value(value, type, out);
        seeds.push_back(fuzz::bytes_of(out.bytes()));
    };
    using enum isorow::type_id;
    add({boolean}, true);
    add({int2}, 7);
    add({int8}, 7);
    add({float4}, 1.5);
    add({numeric}, *isorow::numeric::parse("-12.50"));
    add({text}, "lamp");
    add({jsonb}, isorow::json_text{"{}"});
    add({date}, isorow::date(3));
    add({timetz}, isorow::timetz(isorow::time(), std::chrono::hours(2)));
    add({interval}, isorow::interval(1, 2, 3));
    add({vector}, std::vector<float>{1, 2});
    add({halfvec}, std::vector<float>{1, 2});
    add({int4, true}, dynamic_value::array{1, isorow::null});
    add({text, true}, dynamic_value::array{dynamic_value(dynamic_value::array{"a", "b"}), dynamic_value(dynamic_value::array{"c", "d"})});
    add({bytea, true}, dynamic_value::array{});
    return seeds;
});

}  // namespace
