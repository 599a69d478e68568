#pragma once

#include <isorow/codec/uuid.hpp>

#include <boost/uuid/uuid.hpp>

#include <cstring>

namespace isorow::inline v1 {

template <>
struct mapping<boost::uuids::uuid> : detail::maps_to<type_id::uuid> {};

/// Boost's uuid in a uuid column: the same sixteen bytes as isorow's.
template <column_type As>
    requires(As == column_type{type_id::uuid})
struct codec<boost::uuids::uuid, As> {
    static constexpr std::size_t encoded_size = 16;
    static constexpr bool bytewise_stable = true;
    static constexpr bool bytewise_equal = true;

    static void store(boost::uuids::uuid const& value, std::byte* place) noexcept { std::memcpy(place, &*value.begin(), encoded_size); }
    static boost::uuids::uuid load(std::byte const* place) noexcept {
        boost::uuids::uuid value;
        std::memcpy(&*value.begin(), place, encoded_size);
        return value;
    }
    static boost::uuids::uuid decode(byte_reader in) { return detail::decode_fixed<codec>(in, "uuid"); }
};

}  // namespace isorow::inline v1
