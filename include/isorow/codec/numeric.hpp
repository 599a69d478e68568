#pragma once

#include <isorow/codec/codec.hpp>
#include <isorow/types/numeric.hpp>

#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

/// numeric: int16 number of digit groups, int16 weight of the first, uint16 sign, uint16 digits behind the point, then the groups of four
/// decimal digits each. Source: numeric_send, numeric_recv. A column with a precision rounds, so the server's bytes may differ.
template <column_type As>
    requires(!As.array && As.id == type_id::numeric)
struct codec<numeric, As> {
    static constexpr bool bytewise_stable = As.first_modifier < 0;
    static constexpr bool bytewise_equal = false;  // 1.0 = 1.00

    static std::size_t size_of(numeric const& value) {
        if (value.groups().size() > limit || value.weight() > limit || value.weight() < -limit)
            throw unrepresentable("the number is larger than numeric can hold");
        return 8 + 2 * value.groups().size();
    }
    static void store(numeric const& value, std::byte* place) noexcept {
        detail::store_word(static_cast<std::uint16_t>(value.groups().size()), place);
        detail::store_word(static_cast<std::uint16_t>(value.weight()), place + 2);
        detail::store_word(sign_of(value), place + 4);
        detail::store_word(value.scale(), place + 6);
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

}  // namespace isorow::inline v1
