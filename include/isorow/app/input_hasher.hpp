#pragma once

/// @file
/// Fingerprints of values of any type: by them a component is known to have the input that it had in the last run.

#include <isorow/codec/codec.hpp>
#include <isorow/codec/detail/oids_within.hpp>
#include <isorow/codec/dynamic_row.hpp>
#include <isorow/codec/scalars.hpp>
#include <isorow/reflect/fields.hpp>
#include <isorow/target/detail/fingerprint.hpp>
#include <isorow/types/annotated.hpp>
#include <isorow/types/jsonb.hpp>

#include <array>
#include <bit>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace isorow::inline v1 {

class input_hasher;

namespace detail {

/// What stands before a value's bytes, so that values of different kinds do not have the same ones.
enum class hashed_kind : std::uint8_t {
    boolean = 1,
    integer,
    floating,
    text,
    absent,
    present,
    alternative,
    sequence,
    unordered,
    product,
    native,
    bytes
};

template <class T>
concept has_own_fingerprint = requires(T const& value, input_hasher& hasher) { isorow_fingerprint(value, hasher); };

template <class T>
concept hashed_number = std::is_arithmetic_v<T> && !std::same_as<T, long double>;

/// What is compared by its bytes: no two of them are the same value, and none has padding.
template <class T>
concept hashed_in_bulk = (hashed_number<T> && !std::same_as<T, bool>) || std::is_enum_v<T>;

template <class T>
concept hashed_as_text =
    std::convertible_to<T const&, std::string_view> || (std::convertible_to<T const&, std::string> && !std::is_arithmetic_v<T>);

template <class T, template <class...> class Template>
inline constexpr bool is_made_of = false;
template <class... Arguments, template <class...> class Template>
inline constexpr bool is_made_of<Template<Arguments...>, Template> = true;

template <class T>
concept hashed_pointer = is_made_of<T, std::shared_ptr> || is_made_of<T, std::unique_ptr>;

template <class T>
concept tuple_like = !std::ranges::range<T const> && requires { std::tuple_size<T>::value; };

template <class T>
concept chrono_field = std::same_as<T, std::chrono::year> || std::same_as<T, std::chrono::month> || std::same_as<T, std::chrono::day>;

/// Whether the order of a range's elements says nothing.
template <class T>
concept unordered_range = std::ranges::range<T const> && requires {
    typename T::hasher;
    typename T::key_type;
};

/// A scalar that an annotation wraps.
template <class T>
inline constexpr bool is_annotated_scalar = false;
template <class T, class... Tags>
    requires(!std::is_class_v<T>)
inline constexpr bool is_annotated_scalar<annotated<T, Tags...>> = true;
template <class T>
struct annotated_scalar;
template <class T, class... Tags>
struct annotated_scalar<annotated<T, Tags...>> {
    using type = T;
};

/// isorow's own value types, such as uuid, numeric and dates, and those that its optional headers teach it: as Postgres has them.
template <class T>
concept hashed_by_codec = mapped<T> && !is_view<T> && encodable_as<T, default_type<T>>;

}  // namespace detail

/// Takes in a value, part by part, and gives its fingerprint: `isorow_fingerprint(value, hasher)`, found beside a type, calls `add` for
/// what makes the value. Known without it are: numbers, enums, texts, `optional`, `variant`, tuples, pairs, smart pointers (by what they
/// point to), containers and views (unordered ones too), chrono's durations, times and dates, isorow's value types, and plain structs of
/// all these. Values that differ have different fingerprints: -0.0 and 0.0 too; NaNs of the same bytes have the same one. Not thread-safe.
class input_hasher {
public:
    input_hasher() noexcept = default;
    input_hasher(input_hasher const&) = delete;
    input_hasher& operator=(input_hasher const&) = delete;
    ~input_hasher() = default;

    /// Takes in a value. One whose type is not known does not compile.
    template <class T>
    input_hasher& add(T const& value) {
        using namespace detail;
        if constexpr (has_own_fingerprint<T>) isorow_fingerprint(value, *this);
        else if constexpr (std::same_as<T, bool>) put_kind(hashed_kind::boolean), put_word(static_cast<std::uint8_t>(value));
        else if constexpr (hashed_number<T>) add_number(value);
        else if constexpr (std::is_enum_v<T>) add_number(static_cast<std::underlying_type_t<T>>(value));
        else if constexpr (std::same_as<T, std::monostate> || std::same_as<T, std::nullopt_t>) put_kind(hashed_kind::absent);
        else if constexpr (is_annotated_scalar<T>) add<typename annotated_scalar<T>::type>(value);
        else if constexpr (hashed_as_text<T>) add_text(value);
        else if constexpr (is_made_of<T, std::optional> || hashed_pointer<T>) add_optional(value);
        else if constexpr (is_made_of<T, std::reference_wrapper>) add(value.get());
        else if constexpr (is_made_of<T, std::variant>) add_variant(value);
        else if constexpr (is_made_of<T, jsonb>) add(value.value);
        else add_composed(value);
        return *this;
    }

    /// Takes in bytes of any meaning.
    input_hasher& add_bytes(std::span<std::byte const> bytes) {
        put_kind(detail::hashed_kind::bytes);
        put_sized(bytes);
        return *this;
    }

    /// The fingerprint of what was taken in so far.
    [[nodiscard]] detail::fingerprint result() const noexcept {
        if (!streaming_) return detail::fingerprint_of(std::span(buffer_.data(), used_));
        XXH3_state_t whole = state_;
        XXH3_128bits_update(&whole, buffer_.data(), used_);
        auto const hash = XXH3_128bits_digest(&whole);
        return {hash.high64, hash.low64};
    }

private:
    template <class T>
    void add_composed(T const& value) {
        using namespace detail;
        if constexpr (is_made_of<T, std::chrono::duration>) add_duration(value);
        else if constexpr (is_made_of<T, std::chrono::time_point>) add(value.time_since_epoch());
        else if constexpr (std::same_as<T, std::chrono::year_month_day>) add(value.year()), add(value.month()), add(value.day());
        else if constexpr (std::same_as<T, std::chrono::year>) add_number(static_cast<int>(value));
        else if constexpr (chrono_field<T>) add_number(static_cast<unsigned>(value));
        else if constexpr (unordered_range<T>) add_unordered(value);
        else if constexpr (std::ranges::input_range<T const>) add_range(value);
        else if constexpr (tuple_like<T>) add_tuple(value, std::make_index_sequence<std::tuple_size_v<T>>{});
        else if constexpr (hashed_by_codec<T>) add_encoded<codec<T>>(value);
        else if constexpr (reflect::reflectable<T>) add_struct(value);
        else
            static_assert(has_own_fingerprint<T>,
                          "isorow: this type has no fingerprint, by which a component's input is known again. Write, beside the type, void "
                          "isorow_fingerprint(T const& value, isorow::input_hasher& hasher), which calls hasher.add(…) for what makes a "
                          "value, or give "
                          "the component a plain struct");
    }

    template <class Number>
    void add_number(Number value) {
        put_kind(std::floating_point<Number> ? detail::hashed_kind::floating : detail::hashed_kind::integer, sizeof(Number));
        if constexpr (sizeof(Number) == 1) put_word(std::bit_cast<std::uint8_t>(value));
        else if constexpr (sizeof(Number) == 2) put_word(std::bit_cast<std::uint16_t>(value));
        else if constexpr (sizeof(Number) == 4) put_word(std::bit_cast<std::uint32_t>(value));
        else put_word(std::bit_cast<std::uint64_t>(value));
    }

    template <class Text>
    void add_text(Text const& value) {
        put_kind(detail::hashed_kind::text);
        if constexpr (std::is_array_v<Text>) put_sized(std::as_bytes(std::span(detail::text_in(value))));
        else if constexpr (std::convertible_to<Text const&, std::string_view>) put_sized(std::as_bytes(std::span(std::string_view(value))));
        else put_sized(std::as_bytes(std::span(static_cast<std::string const&>(std::string(value)))));
    }

    template <class Optional>
    void add_optional(Optional const& value) {
        put_kind(value ? detail::hashed_kind::present : detail::hashed_kind::absent);
        if (value) add(*value);
    }

    template <class Variant>
    void add_variant(Variant const& value) {
        put_kind(detail::hashed_kind::alternative);
        put_word(static_cast<std::uint64_t>(value.index()));
        if (!value.valueless_by_exception()) std::visit([this](auto const& alternative) { this->add(alternative); }, value);
    }

    template <class Representation, class Period>
    void add_duration(std::chrono::duration<Representation, Period> value) {
        add_number(static_cast<std::int64_t>(Period::num));
        add_number(static_cast<std::int64_t>(Period::den));
        add(value.count());
    }

    template <class Range>
    void add_range(Range const& values) {
        using element = std::ranges::range_value_t<Range const>;
        static_assert(!std::same_as<element, Range>, "isorow: this range is a range of itself; write isorow_fingerprint for it");
        if constexpr (std::same_as<element, std::byte> && std::ranges::contiguous_range<Range const>) {
            add_bytes(std::span<std::byte const>(std::ranges::data(values), std::ranges::size(values)));
        } else if constexpr (detail::hashed_in_bulk<element> && !detail::has_own_fingerprint<element> &&
                             std::ranges::contiguous_range<Range const> && std::ranges::sized_range<Range const> &&
                             std::endian::native == std::endian::little) {
            put_kind(detail::hashed_kind::sequence, sizeof(element));
            put_kind(std::floating_point<element> ? detail::hashed_kind::floating : detail::hashed_kind::integer);
            put_sized(std::as_bytes(std::span(std::ranges::data(values), std::ranges::size(values))));
        } else {
            put_kind(detail::hashed_kind::sequence);
            std::uint64_t count = 0;
            for (auto&& value : values) {
                // std::vector<bool> gives no references.
                if constexpr (std::same_as<element, bool>) add(static_cast<bool>(value));
                else add(value);
                ++count;
            }
            // Behind the elements, as not every range knows how many it has.
            put_kind(detail::hashed_kind::sequence);
            put_word(count);
        }
    }

    /// The sum of the elements' own fingerprints, whatever their order.
    template <class Range>
    void add_unordered(Range const& values) {
        detail::fingerprint sum;
        std::uint64_t count = 0;
        for (auto const& value : values) {
            input_hasher one;
            sum += one.add(value).result();
            ++count;
        }
        put_kind(detail::hashed_kind::unordered);
        put_word(count);
        put_word(sum.high);
        put_word(sum.low);
    }

    template <class Tuple, std::size_t... Place>
    void add_tuple(Tuple const& value, std::index_sequence<Place...>) {
        put_kind(detail::hashed_kind::product, sizeof...(Place));
        (add(std::get<Place>(value)), ...);
    }

    template <class Struct>
    void add_struct(Struct const& value) {
        put_kind(detail::hashed_kind::product, reflect::field_count<Struct>);
        reflect::for_each_index<Struct>([&](auto place) { add(reflect::get<place>(value)); });
    }

    template <class Codec, class Value>
    void add_encoded(Value const& value) {
        byte_writer image;
        image.set_types(&detail::unnumbered);
        encode<Codec>(value, image);
        put_kind(detail::hashed_kind::native);
        put_sized(image.bytes());
    }

    /// `more`: a small number that belongs to the kind, such as the size of an integer.
    void put_kind(detail::hashed_kind kind, std::size_t more = 0) {
        put_word(static_cast<std::uint8_t>(kind));
        put_word(static_cast<std::uint8_t>(more & 0xff));
    }
    template <std::unsigned_integral Word>
    void put_word(Word word) {
        if constexpr (std::endian::native == std::endian::big) word = detail::swap_bytes(word);
        put(std::as_bytes(std::span(&word, 1)));
    }
    void put_sized(std::span<std::byte const> bytes) {
        put_word(static_cast<std::uint64_t>(bytes.size()));
        put(bytes);
    }

    void put(std::span<std::byte const> bytes) {
        if (used_ + bytes.size() > buffer_.size()) {
            stream();
            if (bytes.size() > buffer_.size()) return void(XXH3_128bits_update(&state_, bytes.data(), bytes.size()));
        }
        if (!bytes.empty()) std::memcpy(buffer_.data() + used_, bytes.data(), bytes.size());
        used_ += bytes.size();
    }

    /// Gives what is in the buffer to the state of a long hash.
    void stream() {
        if (!std::exchange(streaming_, true)) XXH3_128bits_reset(&state_);
        XXH3_128bits_update(&state_, buffer_.data(), used_);
        used_ = 0;
    }

    std::size_t used_ = 0;
    bool streaming_ = false;
    std::array<std::byte, 512> buffer_;  // NOLINT(cppcoreguidelines-pro-type-member-init): the first `used_` bytes count
    XXH3_state_t state_;                 // NOLINT(cppcoreguidelines-pro-type-member-init): set when it is needed
};

/// A value whose type is known at run time is told by its kind and what it holds. A template, so that nothing is converted.
template <std::same_as<dynamic_value> Value>
void isorow_fingerprint(Value const& value, input_hasher& hasher) {
    hasher.add(static_cast<std::uint8_t>(value.kind()));
    value.visit([&]<class Held>(Held const& held) {
        if constexpr (std::same_as<Held, json_text>) hasher.add(held.text);
        else if constexpr (!std::same_as<Held, null_value>) hasher.add(held);
    });
}

/// A dynamic row is told by its columns' names and values, in their order.
template <std::same_as<dynamic_row> Row>
void isorow_fingerprint(Row const& row, input_hasher& hasher) {
    hasher.add(row.size());
    for (auto const& [name, value] : row) hasher.add(name).add(value);
}

namespace detail {

/// Counted up where fingerprints of the same values become others: all memoized components then run once more.
inline constexpr std::uint32_t memo_format = 1;

/// What a memoized component is known by: its version and its input.
template <class Input>
[[nodiscard]] fingerprint memo_of(std::int64_t version, Input const& input) {
    input_hasher hasher;
    hasher.add(memo_format).add(version).add(input);
    return hasher.result();
}

}  // namespace detail

}  // namespace isorow::inline v1
