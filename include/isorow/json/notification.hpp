#pragma once

/// @file
/// Notifications whose payloads are JSON.

#include <isorow/json/codec.hpp>
#include <isorow/query/notify.hpp>

#include <string>
#include <string_view>

namespace isorow::inline v1 {

/// A notification's payload as a T: a struct, a map, a list … whatever has a form in JSON. Throws `malformed` or `unrepresentable`, with
/// the place in the document, where the payload is none.
template <json_formattable T>
[[nodiscard]] T payload_as(notification const& received) {
    json_reader reader(received.payload);
    T value = json_format<T>::read(reader);
    reader.expect_end();
    return value;
}

/// Sends a value as JSON; see `notify`.
template <json_formattable T>
void notify_json(database_ref const& where, std::string_view channel, T const& value) {
    byte_writer text;
    json_writer writer(text, json_kind_of_column::json);
    json_format<T>::write(value, writer);
    auto const bytes = text.bytes();
    notify(where, channel, std::string_view(reinterpret_cast<char const*>(bytes.data()), bytes.size()));
}

}  // namespace isorow::inline v1
