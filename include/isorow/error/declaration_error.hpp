#pragma once

#include <isorow/error/error.hpp>

namespace isorow::inline v1 {

/// What was declared cannot become the table's state. Nothing was written.
class declaration_error : public error {
public:
    using error::error;
};

/// Two declared rows have one key; the message names it.
class duplicate_key final : public declaration_error {
public:
    using declaration_error::declaration_error;
};

/// A declared key is in the table already, and the row is not this owner's; the message names it.
class untracked_key final : public declaration_error {
public:
    using declaration_error::declaration_error;
};

/// The table, or its schema, belongs to somebody else and was not adopted; or it is managed in another way.
class not_owned final : public declaration_error {
public:
    using declaration_error::declaration_error;
};

/// The role may not do what is needed; the message has the SQL to ask an administrator for.
class missing_privilege final : public declaration_error {
public:
    using declaration_error::declaration_error;
};

}  // namespace isorow::inline v1
