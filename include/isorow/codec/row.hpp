#pragma once

/// @file
/// A struct as a tuple of Postgres' binary COPY: int16 number of fields, then each field as int32 length and bytes, the length -1 for
/// NULL. Source: the manual, "COPY", "Binary Format".

#include <isorow/codec/codec.hpp>
#include <isorow/schema/check.hpp>
#include <isorow/schema/table.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

namespace isorow::inline v1 {

/// In which order a row's columns stand in its image.
enum class row_order : std::uint8_t {
    declared,   ///< as the struct's fields
    key_first,  ///< the primary key's columns, then the others: the key's image is then the front of the row's
};

namespace detail {

/// How many of T's columns are written: all but those that the server computes.
template <class T>
inline constexpr std::size_t written_count = [] {
    std::size_t count = 0;
    for (auto const& column : columns_of<T>) count += column.is_written() ? 1 : 0;
    return count;
}();

template <class T>
constexpr auto key_first_places() {
    constexpr auto const& table = description_of<T>;
    std::array<std::uint16_t, written_count<T>> places{};
    std::size_t next = 0;
    for (auto const place : table.key) places[next++] = place;
    for (std::size_t i = 0; i < table.columns.size(); ++i)
        if (!table.is_key(i) && table.columns[i].is_written()) places[next++] = static_cast<std::uint16_t>(i);
    return places;
}

template <class T>
constexpr auto declared_places() {
    std::array<std::uint16_t, written_count<T>> places{};
    std::size_t next = 0;
    for (std::size_t i = 0; i < columns_of<T>.size(); ++i)
        if (columns_of<T>[i].is_written()) places[next++] = static_cast<std::uint16_t>(i);
    return places;
}

}  // namespace detail

/// The places of T's fields in the order of its image, but for those that the server computes.
template <class T, row_order Order>
inline constexpr auto places_of = [] {
    if constexpr (Order == row_order::key_first) return detail::key_first_places<T>();
    else return detail::declared_places<T>();
}();

/// The codec of one field of T.
template <class T, std::size_t Place>
struct field_codec {
    using traits = field_traits<reflect::field_type<T, Place>>;
    using value = typename traits::value;
    using codec = isorow::codec<value, columns_of<T>[Place].type>;
    static constexpr bool nullable = traits::nullable;
};

namespace detail {

/// `Product.price`.
template <class T>
[[nodiscard]] std::string field_label(std::size_t place) {
    return text("{}.{}", type_name<T>(), reflect::field_names<T>[place]);
}

template <class T, std::size_t Place>
using codec_at = typename field_codec<T, Place>::codec;

template <class T, std::size_t Place>
inline constexpr bool is_sized_field = sized_codec<codec_at<T, Place>, typename field_codec<T, Place>::value>;

template <class T, std::size_t... Place>
consteval bool has_only_sized_fields(std::index_sequence<Place...>) {
    return (is_sized_field<T, Place> && ...);
}

/// The size of a field's value without its length, the value being checked; 0 for NULL.
template <class T, std::size_t Place>
[[nodiscard]] inline std::size_t size_of_field(T const& row) {
    using field = field_codec<T, Place>;
    auto const& stored = reflect::get<Place>(row);
    if constexpr (field::nullable)
        if (!field::traits::has_value(stored)) return 0;
    return encoded_size_of<typename field::codec>(field::traits::get(stored));
}

template <class T, std::size_t Place>
[[nodiscard]] inline std::byte* store_field(T const& row, std::size_t size, std::byte* place) noexcept {
    using field = field_codec<T, Place>;
    auto const& stored = reflect::get<Place>(row);
    if constexpr (field::nullable) {
        if (!field::traits::has_value(stored)) {
            store_word(std::uint32_t{0xffffffff}, place);
            return place + sizeof(std::uint32_t);
        }
    }
    if constexpr (fixed_size_codec<typename field::codec>) size = field::codec::encoded_size;
    store_word(static_cast<std::uint32_t>(size), place);
    field::codec::store(field::traits::get(stored), place + sizeof(std::uint32_t));
    return place + sizeof(std::uint32_t) + size;
}

template <class T, std::size_t Place>
void append_field(T const& row, byte_writer& out) {
    using field = field_codec<T, Place>;
    auto const& stored = reflect::get<Place>(row);
    if constexpr (field::nullable)
        if (!field::traits::has_value(stored)) return encode_null(out);
    encode_with_length<typename field::codec>(field::traits::get(stored), out);
}

/// Encodes the fields one by one to find the one that cannot be encoded: only then is the name needed.
template <class T, std::size_t... Place>
void rethrow_at_field(T const& row, value_error const& original, type_oids const* types, std::index_sequence<Place...>) {
    byte_writer scratch;
    scratch.set_types(types);
    auto const try_field = [&]<std::size_t I>(std::integral_constant<std::size_t, I>) {
        scratch.clear();
        try {
            append_field<T, I>(row, scratch);
        } catch (value_error const& failure) {
            failure.rethrow_at(field_label<T>(I));
        }
    };
    ((columns_of<T>[Place].is_written() ? try_field(std::integral_constant<std::size_t, Place>{}) : void()), ...);
    original.rethrow_at(type_name<T>());
}

/// One check of capacity for the whole row, then stores at running places: no codec of T needs to grow the buffer.
template <class T, row_order Order, std::size_t... I>
ISOROW_ALWAYS_INLINE void append_sized_row(T const& row, byte_writer& out, std::index_sequence<I...>) {
    constexpr auto const& places = places_of<T, Order>;
    std::array<std::size_t, sizeof...(I)> const sizes{size_of_field<T, places[I]>(row)...};
    std::size_t const total = (sizeof(std::uint16_t) + ... + (sizes[I] + sizeof(std::uint32_t)));
    if (total > longest_value) [[unlikely]]
        throw unrepresentable("the row takes {} bytes, which is more than Postgres can receive", total);
    out.reserve(total);
    auto* place = out.next();
    store_word(static_cast<std::uint16_t>(sizeof...(I)), place);
    place += sizeof(std::uint16_t);
    ((place = store_field<T, places[I]>(row, sizes[I], place)), ...);
    out.advance_to(place);
}

template <class T, row_order Order, std::size_t... I>
void append_row(T const& row, byte_writer& out, std::index_sequence<I...>) {
    constexpr auto const& places = places_of<T, Order>;
    out.put_int16(static_cast<std::int16_t>(sizeof...(I)));
    (append_field<T, places[I]>(row, out), ...);
}

}  // namespace detail

/// Appends the image of a row, without what the server computes. Throws `unrepresentable`, naming struct and field, for a value that its
/// column cannot hold, and then leaves `out` as it was.
template <reflect::reflectable T, row_order Order = row_order::declared>
ISOROW_ALWAYS_INLINE void encode_row(T const& row, byte_writer& out) {
    constexpr auto fields = std::make_index_sequence<reflect::field_count<T>>{};
    constexpr auto written = std::make_index_sequence<detail::written_count<T>>{};
    auto const start = out.size();
    try {
        if constexpr (detail::has_only_sized_fields<T>(fields)) detail::append_sized_row<T, Order>(row, out, written);
        else detail::append_row<T, Order>(row, out, written);
    } catch (value_error const& failure) {
        out.truncate(start);
        detail::rethrow_at_field(row, failure, out.types(), fields);
    }
}

/// Decodes one field of a row from a column's value. `data` is null for NULL. Throws `malformed` or `unrepresentable` without a place.
template <std::size_t Place, class T>
ISOROW_ALWAYS_INLINE void decode_field(T& row, std::byte const* data, std::size_t size) {
    using field = field_codec<T, Place>;
    auto& stored = reflect::get<Place>(row);
    if (data == nullptr) [[unlikely]] {
        if constexpr (field::nullable) return void(stored = reflect::field_type<T, Place>{});
        else throw unrepresentable("the column is NULL, and the field is not std::optional");
    }
    byte_reader const in(data, size);
    if constexpr (requires { field::codec::decode_into(in, stored); }) {
        field::codec::decode_into(in, stored);
    } else if constexpr (fixed_size_codec<typename field::codec>) {
        if (size == field::codec::encoded_size) [[likely]]
            stored = field::codec::load(data);
        else stored = field::codec::decode(in);
    } else {
        stored = field::codec::decode(in);
    }
}

namespace detail {

/// Decodes the next field of a tuple and takes its bytes from `in`.
template <std::size_t Place, class T>
void decode_next_field(T& row, byte_reader& in) {
    auto const length = in.take_int32();
    if (length < -1) throw malformed("a length of {}", length);
    if (length == -1) return decode_field<Place>(row, nullptr, 0);
    auto const bytes = in.take_bytes(static_cast<std::size_t>(length));
    decode_field<Place>(row, bytes.data(), bytes.size());
}

/// The same of a field that is NULL, cut off, or of another size than its codec's. Returns where it ends.
template <std::size_t Place, class T>
#if defined(__GNUC__) || defined(__clang__)
[[gnu::noinline]]
#endif
std::byte const* decode_unusual_field(T& row, std::byte const* place, std::byte const* end) {
    byte_reader in(place, static_cast<std::size_t>(end - place));
    decode_next_field<Place>(row, in);
    return end - in.remaining();
}

/// Decodes the field at `place` and returns where it ends. Nearly every field is there as a whole, and has its codec's size where that is
/// fixed: one check of the bytes and one of the length word.
template <std::size_t Place, class T>
ISOROW_ALWAYS_INLINE std::byte const* decode_field_at(T& row, std::byte const* place, std::byte const* end) {
    using codec = codec_at<T, Place>;
    constexpr std::size_t word = sizeof(std::uint32_t);
    auto const left = static_cast<std::size_t>(end - place);
    if constexpr (fixed_size_codec<codec>) {
        if (left < word + codec::encoded_size || load_word<std::uint32_t>(place) != codec::encoded_size) [[unlikely]]
            return decode_unusual_field<Place>(row, place, end);
        decode_field<Place>(row, place + word, codec::encoded_size);
        return place + word + codec::encoded_size;
    } else {
        // NULL's -1 is more than can be left.
        if (left < word || load_word<std::uint32_t>(place) > left - word) [[unlikely]]
            return decode_unusual_field<Place>(row, place, end);
        auto const size = load_word<std::uint32_t>(place);
        decode_field<Place>(row, place + word, size);
        return place + word + size;
    }
}

/// Decodes the tuple once more to find the field that failed: only then is the name needed.
template <class T, std::size_t... I>
void rethrow_at_tuple_field(byte_reader in, value_error const& original, std::index_sequence<I...>) {
    T scratch{};
    std::size_t place = 0;
    try {
        static_cast<void>(in.take_int16());
        ((place = I, decode_next_field<I>(scratch, in)), ...);
    } catch (value_error const& failure) {
        failure.rethrow_at(field_label<T>(place));
    }
    original.rethrow_at(field_label<T>(place));
}

template <class T, std::size_t... I>
ISOROW_ALWAYS_INLINE void decode_fields_at(std::byte const* place, std::byte const* end, T& row, std::index_sequence<I...>) {
    ((place = decode_field_at<I>(row, place, end)), ...);
    if (place != end) [[unlikely]]
        byte_reader(place, static_cast<std::size_t>(end - place)).expect_end();
}

/// The size of a tuple of T's whose fields all have a fixed size and are not NULL; 0 where they do not.
template <class T, std::size_t... I>
consteval std::size_t fixed_tuple_size(std::index_sequence<I...>) {
    if constexpr ((fixed_size_codec<codec_at<T, I>> && ...))
        return (sizeof(std::uint16_t) + ... + (sizeof(std::uint32_t) + codec_at<T, I>::encoded_size));
    else return 0;
}

[[noreturn]] inline void refuse_tuple(byte_reader in, std::size_t fields) {
    throw malformed("the tuple has {} columns, the struct has {}", in.take_int16(), fields);
}

template <class T, std::size_t... I>
ISOROW_ALWAYS_INLINE void decode_tuple(byte_reader in, T& row, std::index_sequence<I...> fields) {
    constexpr std::size_t front = sizeof(std::uint16_t);
    auto const* const place = in.rest().data();
    if (in.remaining() < front || load_word<std::uint16_t>(place) != sizeof...(I)) [[unlikely]]
        refuse_tuple(in, sizeof...(I));
    constexpr auto fixed_size = fixed_tuple_size<T>(std::index_sequence<I...>{});
    // With an end that is known to the compiler, no field's bytes need a check of their own.
    if (fixed_size != 0 && in.remaining() == fixed_size) [[likely]]
        decode_fields_at(place + front, place + fixed_size, row, fields);
    else decode_fields_at(place + front, place + in.remaining(), row, fields);
}

}  // namespace detail

/// Decodes a tuple whose columns are T's in the order of its fields into a row, whose strings keep their memory. Throws `malformed` or
/// `unrepresentable` with struct and field.
template <reflect::reflectable T>
ISOROW_ALWAYS_INLINE void decode_row_into(byte_reader in, T& row) {
    constexpr auto fields = std::make_index_sequence<reflect::field_count<T>>{};
    try {
        detail::decode_tuple(in, row, fields);
    } catch (value_error const& failure) {
        detail::rethrow_at_tuple_field<T>(in, failure, fields);
    }
}

/// Decodes a tuple into a new row.
template <reflect::reflectable T>
[[nodiscard]] T decode_row(byte_reader in) {
    T row{};
    decode_row_into(in, row);
    return row;
}

}  // namespace isorow::inline v1
