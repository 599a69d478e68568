#pragma once

#include <isorow/codec/bytes.hpp>
#include <isorow/types/column_type.hpp>

#include <cstddef>
#include <limits>
#include <vector>

namespace isorow::inline v1 {

/// The most parameters that one statement takes: the protocol counts them with 16 bits.
inline constexpr std::size_t parameter_limit = 65535;

/// The parameters of a statement as bytes with OIDs, all in binary format.
class parameters {
public:
    /// Begins a value of a type; the caller appends its bytes to the writer and calls `end`.
    [[nodiscard]] byte_writer& add(oid type) {
        types_.push_back(type);
        starts_.push_back(bytes_.size());
        return bytes_;
    }

    /// Ends the value that was begun. Throws `unrepresentable` where it is longer than the protocol can say.
    void end() {
        auto const size = bytes_.size() - starts_.back();
        if (size > longest_value) throw unrepresentable("the value takes {} bytes, which is more than a Postgres value can have", size);
        lengths_.push_back(static_cast<int>(size));
        // A value of no bytes has a place all the same: a null pointer means NULL.
        bytes_.put_int8(0);
    }

    /// Says for which database values are added, as `byte_writer::set_types`.
    void set_types(type_oids const* types) noexcept { bytes_.set_types(types); }

    /// Adds NULL of a type.
    void add_null(oid type) {
        types_.push_back(type);
        starts_.push_back(null);
        lengths_.push_back(0);
    }

    /// Forgets all, but keeps the memory.
    void clear() noexcept {
        bytes_.clear();
        types_.clear();
        starts_.clear();
        lengths_.clear();
    }

    [[nodiscard]] std::size_t size() const noexcept { return types_.size(); }
    /// How many bytes the values take.
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_.size(); }
    [[nodiscard]] oid const* types() const noexcept { return types_.data(); }
    [[nodiscard]] int const* lengths() const noexcept { return lengths_.data(); }

    /// Writes where each value's bytes are, null for NULL, to `size()` places; valid until the next change.
    void values(char const** places) const noexcept {
        auto const* const first = reinterpret_cast<char const*>(bytes_.bytes().data());
        for (auto const start : starts_) *places++ = start == null ? nullptr : first + start;
    }

private:
    static constexpr std::size_t null = std::numeric_limits<std::size_t>::max();

    byte_writer bytes_;
    std::vector<oid> types_;
    std::vector<std::size_t> starts_;
    std::vector<int> lengths_;
};

}  // namespace isorow::inline v1
