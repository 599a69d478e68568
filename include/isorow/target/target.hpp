#pragma once

#include <isorow/codec/detail/oids_within.hpp>
#include <isorow/codec/text_policy.hpp>
#include <isorow/target/detail/plain_target.hpp>
#include <isorow/target/detail/shape.hpp>
#include <isorow/target/errors.hpp>
#include <isorow/target/options.hpp>
#include <isorow/target/plan.hpp>
#include <isorow/target/report.hpp>

#include <cstddef>
#include <ranges>
#include <string_view>
#include <utility>

namespace isorow::inline v1 {

/// Declares the rows that a table should have, and makes it have them.
///
/// Each `declare` keeps the row's image; nothing is sent but what is more than `commit_options::memory`. `commit` makes the table equal to
/// what was declared since the last commit, in one transaction: the table is created, or altered to fit; new rows are inserted, changed
/// ones updated, undeclared ones that this target owns deleted, unchanged ones not written. On an error the table is as before and the
/// declared rows are kept.
///
/// Refers to the pool, connection or transaction that it was made with, which must outlive it. Not thread-safe.
template <class T>
class target {
public:
    /// Nothing is sent yet. Throws `usage_error` for names that Postgres cannot take.
    explicit target(database_ref const& where, target_options const& options = {}) : plain_(where, detail::shape_of<T>(options), options) {}

    /// Declares one row. Throws `unrepresentable` with struct, field and row number for a value that its column cannot hold, and
    /// `duplicate_key` where a row with this key was declared; what was declared before stands in both cases. Among rows that were sent
    /// ahead because they are many, a key that occurs twice is told by the commit.
    void declare(T const& row) {
        image_.clear();
        image_.set_types(&detail::unnumbered);
        try {
            encode(row);
        } catch (value_error const& failure) {
            failure.rethrow_at(text("row {}", size() + 1));
        }
        plain_.declare(image_.bytes());
    }

    /// Declares each row of a range.
    template <std::ranges::input_range Rows>
    void declare_all(Rows&& rows) {
        for (auto&& row : rows) declare(row);
    }

    /// How many rows are declared.
    [[nodiscard]] std::size_t size() const noexcept { return plain_.size(); }

    /// Makes the table equal to the declared rows and forgets these. Throws `not_owned` for a table that isorow did not make and may not
    /// adopt, `mismatch` where the table does not fit T and cannot be altered to, `destructive_change` where altering it would lose values
    /// and that is not allowed, `too_many_deletions`, `untracked_key` where a declared key is somebody else's row, `missing_privilege` with
    /// the SQL to ask for, and the server's errors with table and key.
    report commit() { return plain_.commit(); }

    /// What `commit` would do: rows, and changes of the table. Writes and locks nothing.
    [[nodiscard]] isorow::plan plan() { return plain_.plan(); }

    /// Commits if that does what the plan says, else throws `plan_outdated` and writes nothing. `allowed`: the word for a plan that is
    /// destructive, where the target's options do not have it.
    report apply(isorow::plan const& plan, allow allowed = allow::safe) { return plain_.apply(plan, allowed); }

private:
    void encode(T const& row) {
        auto const policy = plain_.options().text;
        if (policy == text_policy::refuse) encode_row<T, row_order::key_first>(row, image_);
        else encode_row<T, row_order::key_first>(cleaned_row(row, policy), image_);
    }

    detail::plain_target plain_;
    byte_writer image_;
};

/// Makes the table equal to a range of rows, in one transaction: see `target<T>`.
template <std::ranges::input_range Rows>
report synchronise(database_ref const& where, Rows&& rows, target_options options = {}) {
    target<std::ranges::range_value_t<Rows>> all(where, std::move(options));
    all.declare_all(rows);
    return all.commit();
}

/// Drops isorow's record of a table, not the table: it is then one that isorow does not know. Returns whether there was a record.
// NOLINTNEXTLINE(readability-redundant-declaration): the code may stand before it
bool forget(database_ref const& where, std::string_view schema, std::string_view table);

}  // namespace isorow::inline v1
