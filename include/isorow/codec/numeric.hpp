#pragma once

#include <isorow/codec/codec.hpp>
#include <isorow/codec/detail/numeric_precision.hpp>
#include <isorow/types/numeric.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

/// numeric: int16 number of digit groups, int16 weight of the first, uint16 sign, uint16 digits behind the point, then the groups of four
/// decimal digits each. Source: numeric_send, numeric_recv. A column with a precision rounds, so the server's bytes may differ; what it has
/// no room for before the point is refused.
template <column_type As>
    requires(!As.array && As.id == type_id::numeric)
struct codec<numeric, As> {
    static constexpr bool bytewise_stable = As.first_modifier < 0;
    static constexpr bool bytewise_equal = false;  // 1.0 = 1.00

    static std::size_t size_of(numeric const& value) {
        if (value.groups().size() > limit || value.weight() > limit || value.weight() < -limit)
            throw unrepresentable("the number is larger than numeric can hold");
        if constexpr (As.first_modifier >= 0) detail::check_precision(value, As);
        return 8 + 2 * value.groups().size();
    }
    static void store(numeric const& value, std::byte* place) noexcept {
        detail::store_word(static_cast<std::uint16_t>(value.groups().size()), place);
        detail::store_word(static_cast<std::uint16_t>(value.weight()), place + 2);
        detail::store_word(sign_of(value), place + 4);
        detail::store_word(scale_of(value), place + 6);
        place += 8;
        for (auto const group : value.groups()) {
            detail::store_word(static_cast<std::uint16_t>(group), place);
            place += 2;
        }
    }

    static numeric decode(byte_reader in) {
        auto const count = in.take_int16();
        auto const weight = in.take_int16();
        auto const sign = static_cast<std::uint16_t>(in.take_int16());
        auto const scale = static_cast<std::uint16_t>(in.take_int16());
        if (count < 0 || in.remaining() != 2 * static_cast<std::size_t>(count))
            throw malformed("a numeric of {} digit groups in {} bytes", count, in.remaining());
        switch (sign) {
            case nan:
                return numeric::nan();
            case infinity:
                return numeric::infinity();
            case minus_infinity:
                return numeric::minus_infinity();
            case 0:
            case negative:
                break;
            default:
                throw malformed("a numeric with the sign {}", sign);
        }
        std::vector<std::int16_t> groups(static_cast<std::size_t>(count));
        for (auto& group : groups) group = in.take_int16();
        return numeric::from_groups(sign == negative, weight, scale, std::move(groups));
    }

private:
    static constexpr std::int32_t limit = std::numeric_limits<std::int16_t>::max();
    static constexpr std::uint16_t negative = 0x4000;
    static constexpr std::uint16_t nan = 0xc000;
    static constexpr std::uint16_t infinity = 0xd000;
    static constexpr std::uint16_t minus_infinity = 0xf000;
    static constexpr std::uint16_t scale_of_infinity = 0x20;

    /// Postgres sends its infinities with a scale, which is a part of their header read as one. So do we, as the bytes are compared.
    [[nodiscard]] static std::uint16_t scale_of(numeric const& value) noexcept {
        bool const is_infinite = value.kind() == numeric::kind::infinity || value.kind() == numeric::kind::minus_infinity;
        return is_infinite ? scale_of_infinity : value.scale();
    }

    [[nodiscard]] static std::uint16_t sign_of(numeric const& value) noexcept {
        switch (value.kind()) {
            case numeric::kind::nan:
                return nan;
            case numeric::kind::infinity:
                return infinity;
            case numeric::kind::minus_infinity:
                return minus_infinity;
            case numeric::kind::finite:
                break;
        }
        return value.is_negative() ? negative : std::uint16_t{0};
    }
};

/// An integer of 64 bits without sign in a column of numeric without digits behind the point. numeric(20,0) holds them all; where the
/// column takes fewer digits, each value is checked.
template <column_type As>
    requires(!As.array && As.id == type_id::numeric && As.second_modifier <= 0)
struct codec<std::uint64_t, As> {
    static constexpr bool bytewise_stable = true;
    static constexpr bool bytewise_equal = As.first_modifier >= 0;  // else 1 = 1.00, which somebody else may have written

    static std::size_t size_of(std::uint64_t value) {
        if constexpr (As.first_modifier >= 0 && As.first_modifier < 20)
            if (count_digits(value) > As.first_modifier) throw unrepresentable("{} is out of the range of {}", value, to_sql(As));
        return header_size + sizeof(std::int16_t) * parts(value).count;
    }
    static void store(std::uint64_t value, std::byte* place) noexcept {
        auto const number = parts(value);
        detail::store_word(static_cast<std::uint16_t>(number.count), place);
        detail::store_word(static_cast<std::uint16_t>(number.weight), place + 2);
        detail::store_word(std::uint32_t{0}, place + 4);  // positive, no digits behind the point
        place += header_size;
        for (std::size_t i = 0; i < number.count; ++i) {
            detail::store_word(number.groups[i], place);
            place += sizeof(std::int16_t);
        }
    }
    static std::uint64_t decode(byte_reader in) {
        auto const value = codec<numeric, column_type{type_id::numeric}>::decode(in);
        auto const whole = value.to_uint64();
        if (!whole) throw unrepresentable("{} is out of the range of the field's unsigned integer of 8 bytes", to_string(value));
        return *whole;
    }

private:
    static constexpr std::size_t header_size = 8;

    /// The groups of four digits, without those of zeros at the end.
    struct digit_groups {
        std::array<std::uint16_t, 5> groups{};
        std::size_t count = 0;
        std::size_t weight = 0;
    };

    [[nodiscard]] static digit_groups parts(std::uint64_t value) noexcept {
        digit_groups number;
        for (auto rest = value; rest >= 10'000; rest /= 10'000) ++number.weight;
        number.count = value == 0 ? 0 : number.weight + 1;
        for (std::size_t i = number.count; i-- > 0; value /= 10'000) number.groups[i] = static_cast<std::uint16_t>(value % 10'000);
        while (number.count > 0 && number.groups[number.count - 1] == 0) --number.count;
        return number;
    }

    [[nodiscard]] static int count_digits(std::uint64_t value) noexcept {
        int digits = 0;
        for (; value > 0; value /= 10) ++digits;
        return digits;
    }
};

}  // namespace isorow::inline v1
