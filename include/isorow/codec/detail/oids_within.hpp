#pragma once

/// @file
/// Rows that are written before it is known to which database they go, or before it has their types: the OIDs within their values that
/// each database gives itself are 0 at first, and are filled in where the rows are sent. So such values are never compared as bytes with
/// what the server has.

#include <isorow/codec/bytes.hpp>
#include <isorow/codec/codec.hpp>
#include <isorow/codec/type_oids.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

/// Of no database: each OID is 0.
class unnumbered_types final : public type_oids {
public:
    [[nodiscard]] oid oid_of(column_type const&) const override { return 0; }
};
inline unnumbered_types const unnumbered{};

/// Fills in the OIDs within the fields of tuples. Refers to `types`.
class oid_filler {
public:
    /// `fields`: the types of a tuple's fields in their order; further fields may follow.
    template <class Types>
    oid_filler(Types const& fields, type_oids const& types) : types_(&types) {
        std::size_t place = 0;
        for (column_type const& type : fields) {
            if (has_oids_within(type)) fields_.emplace_back(place, type);
            ++place;
        }
    }

    /// Of the tuple that `out` has from `start` on.
    void fill(byte_writer& out, std::size_t start) const {
        auto at = start + sizeof(std::int16_t);
        std::size_t place = 0;
        for (auto const& [wanted, type] : fields_) {
            for (; place < wanted; ++place) at += size_at(out, at);
            auto const size = size_at(out, at);
            if (size > word) fill_value(out, type, at + word, size - word);
        }
    }

private:
    static constexpr std::size_t word = sizeof(std::int32_t);

    [[nodiscard]] static std::int32_t int32_at(byte_writer const& out, std::size_t at) {
        return byte_reader(out.bytes().subspan(at)).take_int32();
    }
    /// The bytes of a value and of the length before it.
    [[nodiscard]] static std::size_t size_at(byte_writer const& out, std::size_t at) {
        auto const length = int32_at(out, at);
        return word + (length < 0 ? 0 : static_cast<std::size_t>(length));
    }

    void fill_oid(byte_writer& out, std::size_t at, column_type const& type) const {
        out.overwrite_int32(at, static_cast<std::int32_t>(types_->oid_of(type.base())));
    }

    void fill_value(byte_writer& out, column_type const& type, std::size_t at, std::size_t size) const {
        if (type.array) fill_array(out, type, at, size);
        else fill_composite(out, *type.user, at);
    }

    void fill_array(byte_writer& out, column_type type, std::size_t at, std::size_t size) const {
        type.array = false;
        fill_oid(out, at + 2 * word, type);
        if (!has_oids_within(type)) return;
        auto const end = at + size;
        at += (3 + 2 * static_cast<std::size_t>(int32_at(out, at))) * word;
        while (at < end) {
            auto const taken = size_at(out, at);
            if (taken > word) fill_value(out, type, at + word, taken - word);
            at += taken;
        }
    }

    void fill_composite(byte_writer& out, user_type const& type, std::size_t at) const {
        at += word;
        for (auto const& attribute : type.attributes) {
            fill_oid(out, at, attribute.type);
            at += word;
            auto const taken = size_at(out, at);
            if (taken > word && has_oids_within(attribute.type)) fill_value(out, attribute.type, at + word, taken - word);
            at += taken;
        }
    }

    type_oids const* types_;
    std::vector<std::pair<std::size_t, column_type>> fields_{};
};

}  // namespace isorow::inline v1::detail
