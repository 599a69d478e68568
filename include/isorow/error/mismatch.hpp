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
    std::string column;    ///< the column's name; empty where it is about the table as a whole
    std::string expected;  ///< what the struct asks for: `double precision`
    std::string found;     ///< what is there: `text`, `no such column`

    friend bool operator==(difference const&, difference const&) = default;
};

/// `Product.price: column "price": expected double precision, found text`; without the column where it is about the table.
[[nodiscard]] inline std::string to_string(difference const& one) {
    auto where = one.field;
    if (!one.column.empty()) where += text(": column \"{}\"", one.column);
    return text("{}: expected {}, found {}", where, one.expected, one.found);
}

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
        for (auto const& one : differences) report += "\n  " + to_string(one);
        return report;
    }

    std::vector<difference> differences_;
};

}  // namespace isorow::inline v1
