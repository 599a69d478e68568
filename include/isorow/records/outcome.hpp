#pragma once

#include <isorow/error/error.hpp>
#include <isorow/error/text.hpp>
#include <isorow/types/uuid.hpp>

#include <chrono>
#include <cstdint>
#include <optional>

namespace isorow::inline v1 {

namespace records {

/// What became of one record of a batch.
enum class outcome : std::uint8_t {
    created,
    updated,
    erased,
    exists,    ///< not created: the store has a record of this id
    missing,   ///< not updated or erased: the store has none
    conflict,  ///< not updated or erased: it has been written since the version that was expected
};

/// The version of a record that a write expects: the time of its last write. Nothing: any.
using version = std::optional<std::chrono::sys_time<std::chrono::microseconds>>;

/// What the writes of a batch expect of the records that are there.
enum class expect : std::uint8_t {
    any_version,
    own_version,  ///< that each has the version that the given record's `updated_at` says
};

}  // namespace records

/// A record was to be created whose id the store, or the same batch, has already.
class record_exists : public error {
public:
    explicit record_exists(uuid const& id) : error(text("there is a record {} already", to_string(id))), id_(id) {}

    [[nodiscard]] uuid const& id() const noexcept { return id_; }

private:
    uuid id_;
};

}  // namespace isorow::inline v1
