#pragma once

#include <isorow/codec/bytes.hpp>
#include <isorow/error/error.hpp>
#include <isorow/types/column_type.hpp>

namespace isorow::inline v1 {

/// The OIDs of one database's types, as far as they are known.
class type_oids {
public:
    /// Throws `usage_error` where the type is not known.
    [[nodiscard]] virtual oid oid_of(column_type const& type) const = 0;

protected:
    type_oids() = default;
    type_oids(type_oids const&) = default;
    type_oids& operator=(type_oids const&) = default;
    ~type_oids() = default;
};

namespace detail {

/// Whether values of the type name other types by OIDs that differ from database to database.
[[nodiscard]] constexpr bool has_oids_within(column_type const& type) noexcept {
    if (type.array) return type.oid() == 0;
    return type.user != nullptr && type.user->kind == user_type_kind::composite;
}

/// The OID of a type as it stands within a value: of an array's elements, of a composite's fields. Throws `usage_error` where the database
/// numbers the type itself, and the writer was not told for which database it writes.
[[nodiscard]] inline oid oid_within(byte_writer const& out, column_type const& type) {
    if (auto const fixed = type.oid(); fixed != 0) return fixed;
    if (out.types() == nullptr)
        throw usage_error(
            text("a value names the type {}, whose OID differs from database to database, and it is not said for which one it "
                 "is written: byte_writer::set_types says it",
                 to_sql(type)));
    return out.types()->oid_of(type);
}

}  // namespace detail

}  // namespace isorow::inline v1
