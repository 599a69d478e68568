#pragma once

/// @file
/// Statements whose number of values is known when they are run.

#include <isorow/codec/array.hpp>
#include <isorow/json/value.hpp>
#include <isorow/query/database_ref.hpp>
#include <isorow/query/parameters.hpp>
#include <isorow/types/uuid.hpp>

#include <boost/json/value.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace isorow::inline v1::records::detail {

/// A statement that grows, with the values that are bound to it.
class statement_builder {
public:
    using value = std::variant<std::string, boost::json::value, std::chrono::sys_time<std::chrono::microseconds>, uuid, std::vector<uuid>,
                               std::vector<std::string>>;

    /// Appends SQL: text that is written here, or quoted. Values are bound.
    statement_builder& operator<<(std::string_view sql) {
        sql_ += sql;
        return *this;
    }

    /// Binds a value, and gives its sign: `$3`.
    [[nodiscard]] std::string bind(value bound) {
        values_.push_back(std::move(bound));
        return text("${}", values_.size());
    }

    [[nodiscard]] std::string const& sql() const noexcept { return sql_; }

    void bind_to(parameters& bound, connection& connection, limits const& limits) const {
        for (auto const& one : values_) std::visit([&](auto const& of) { isorow::detail::bind_one(bound, connection, limits, of); }, one);
    }

private:
    std::string sql_{};
    std::vector<value> values_{};
};

}  // namespace isorow::inline v1::records::detail
