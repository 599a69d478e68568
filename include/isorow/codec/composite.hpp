#pragma once

#include <isorow/codec/row.hpp>
#include <isorow/codec/type_oids.hpp>
#include <isorow/types/composite.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace isorow::inline v1 {

/// A composite type: int32 number of attributes, then of each the OID of its type, and the value behind its length, the length -1 for NULL.
/// Source: record_send, record_recv, which checks the OIDs. When it is read, those are checked that all databases have in common, and the
/// number of attributes. Errors name struct and field.
template <class T, column_type As>
    requires(As == mapping<composite<T>>::type)
struct codec<composite<T>, As> {
    static constexpr bool bytewise_stable = []<std::size_t... Place>(std::index_sequence<Place...>) {
        return ((detail::codec_at<T, Place>::bytewise_stable && columns_of<T>[Place].type.oid() != 0) && ...);  // see oids_within.hpp
    }(std::make_index_sequence<reflect::field_count<T>>{});
    static constexpr bool bytewise_equal = false;

    static void encode(composite<T> const& stored, byte_writer& out) {
        out.put_int32(static_cast<std::int32_t>(reflect::field_count<T>));
        reflect::for_each_index<T>([&](auto place) {
            out.put_uint32(detail::oid_within(out, columns_of<T>[place].type.base()));
            try {
                detail::append_field<T, place>(stored.value, out);
            } catch (value_error const& failure) {
                failure.rethrow_at(detail::field_label<T>(place));
            }
        });
    }

    static composite<T> decode(byte_reader in) {
        auto const count = in.take_int32();
        if (count != static_cast<std::int32_t>(reflect::field_count<T>))
            throw malformed("a composite value of {} attributes, {} has {} fields", count, type_name<T>(), reflect::field_count<T>);
        composite<T> read;
        reflect::for_each_index<T>([&](auto place) {
            try {
                require_type(in.take_uint32(), columns_of<T>[place].type.oid());
                detail::decode_next_field<place>(read.value, in);
            } catch (value_error const& failure) {
                failure.rethrow_at(detail::field_label<T>(place));
            }
        });
        in.expect_end();
        return read;
    }

private:
    static void require_type(oid found, oid wanted) {
        if (wanted != 0 && found != wanted) throw malformed("an attribute of type {}, the field's is {}", found, wanted);
    }
};

}  // namespace isorow::inline v1
