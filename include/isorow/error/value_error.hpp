#pragma once

#include <isorow/error/error.hpp>
#include <isorow/error/text.hpp>

#include <string>
#include <string_view>

namespace isorow::inline v1 {

/// A value that could not be encoded or decoded. Codecs throw it without a place; whoever knows the struct, the field and the row
/// adds them with `rethrow_at`.
class value_error : public error {
public:
    using error::error;

    /// Throws the same error with the place in front: `Product.price, row 17: …`.
    [[noreturn]] virtual void rethrow_at(std::string_view place) const = 0;
};

/// Bytes from the server that are not what their type says: too short, too long, a count that cannot be.
class malformed final : public value_error {
public:
    template <class... Arguments>
    explicit malformed(std::string_view format, Arguments const&... arguments) : value_error(text(format, arguments...)) {}

    [[noreturn]] void rethrow_at(std::string_view place) const override { throw malformed("{}: {}", place, what()); }
};

/// A value that the type on the other side does not have: NaN in a vector, a NUL byte in a text, infinity in a chrono date.
class unrepresentable final : public value_error {
public:
    template <class... Arguments>
    explicit unrepresentable(std::string_view format, Arguments const&... arguments) : value_error(text(format, arguments...)) {}

    [[noreturn]] void rethrow_at(std::string_view place) const override { throw unrepresentable("{}: {}", place, what()); }
};

}  // namespace isorow::inline v1
