#pragma once

#include <isorow/error/error.hpp>
#include <isorow/error/text.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

/// One place where a struct and what the server has do not fit.
struct difference {
    std::string field;     ///< `Product.price`
    std::string column;    ///< the column's name
    std::string expected;  ///< what the struct asks for: `double precision`
    std::string found;     ///< what is there: `text`, `no such column`

    friend bool operator==(difference const&, difference const&) = default;
};

/// A struct does not fit a query's result or a table. Lists every difference, not the first only.
class mismatch : public error {
public:
    /// `what`: the thing that the struct was held against, such as `the table "public"."products"`.
    mismatch(std::string_view struct_name, std::string_view what, std::vector<difference> differences)
        : error(describe(struct_name, what, differences)), differences_(std::move(differences)) {}

    [[nodiscard]] std::vector<difference> const& differences() const noexcept { return differences_; }

private:
    static std::string describe(std::string_view struct_name, std::string_view what, std::vector<difference> const& differences) {
        auto report = text("{} does not fit {}:", struct_name, what);
        for (auto const& one : differences)
            report += text("\n  {}: column \"{}\": expected {}, found {}", one.field, one.column, one.expected, one.found);
        return report;
    }

    std::vector<difference> differences_;
};

}  // namespace isorow::inline v1
