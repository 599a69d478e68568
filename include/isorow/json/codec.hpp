#pragma once

#include <isorow/codec/codec.hpp>
#include <isorow/json/containers.hpp>
#include <isorow/json/date_time.hpp>
#include <isorow/json/mapping.hpp>
#include <isorow/json/structure.hpp>
#include <isorow/json/variant.hpp>

namespace isorow::inline v1 {

/// jsonb: a version byte, 1, then JSON text; json: the text alone. Source: jsonb_send, jsonb_recv, json_send.
/// The text is written as the server prints jsonb, so that a value that did not change compares equal as bytes. It cannot be relied on:
/// other writers' 1.50 is 1.5 here. Errors name the place in the value: `$.address.street`.
template <class T, column_type As>
    requires(json_document<T> && !As.array && (As.id == type_id::jsonb || As.id == type_id::json))
struct codec<T, As> {
    static_assert(json_formattable<T>,
                  "isorow: this type is stored as JSON, but what it holds has no form in JSON; docs/types.md lists the types that have "
                  "one; specialise isorow::json_format for yours");

    static constexpr bool bytewise_stable = As.id == type_id::json;
    static constexpr bool bytewise_equal = false;

    static void encode(T const& value, byte_writer& out) {
        if constexpr (As.id == type_id::jsonb) out.put_int8(version);
        json_writer writer(out, As.id == type_id::jsonb ? json_kind_of_column::jsonb : json_kind_of_column::json);
        json_format<T>::write(value, writer);
    }

    static T decode(byte_reader in) {
        if constexpr (As.id == type_id::jsonb) {
            auto const found = in.take_int8();
            if (found != version) throw malformed("a jsonb value of version {}; version {} is known", int{found}, int{version});
        }
        json_reader reader(in.take_rest_as_text());
        T value = json_format<T>::read(reader);
        reader.expect_end();
        return value;
    }

private:
    static constexpr std::int8_t version = 1;
};

}  // namespace isorow::inline v1
