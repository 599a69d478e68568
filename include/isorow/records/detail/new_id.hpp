#pragma once

#include <isorow/types/uuid.hpp>

#include <boost/uuid/time_generator_v7.hpp>

#include <algorithm>
#include <array>
#include <cstdint>

namespace isorow::inline v1::records::detail {

/// A new UUIDv7: later ones are greater, also those of one moment on one thread. Source: RFC 9562.
[[nodiscard]] inline uuid new_id() {
    thread_local boost::uuids::time_generator_v7 generator;
    auto const made = generator();
    std::array<std::uint8_t, 16> bytes{};
    std::copy(made.begin(), made.end(), bytes.begin());
    return uuid(bytes);
}

}  // namespace isorow::inline v1::records::detail
