#pragma once

/// @file
/// What `target<T>` does whatever T is.

#include <isorow/codec/bytes.hpp>
#include <isorow/config.hpp>
#include <isorow/query/database_ref.hpp>
#include <isorow/target/detail/declared_state.hpp>
#include <isorow/target/plan.hpp>
#include <isorow/target/report.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <span>

namespace isorow::inline v1::detail {

struct app_record;

/// One table with one owner, without an app: declared rows, and their commit.
class plain_target {
public:
    plain_target(database_ref const& where, row_shape shape, target_options options);
    plain_target(plain_target&&) noexcept = default;
    plain_target& operator=(plain_target&&) = delete;
    ~plain_target();

    [[nodiscard]] target_options const& options() const noexcept { return table().options; }
    [[nodiscard]] std::size_t size() const noexcept { return table().rows.size() + static_cast<std::size_t>(table().spilled.count); }

    /// Declares a row by its image. Throws `duplicate_key`.
    void declare(std::span<std::byte const> image) {
        auto const same = table().add(image, end_of_key(image, table().shape.table.key.size()), 0);
        if (same) [[unlikely]]
            throw_duplicate(*same, image);
        if (table().rows.memory() > table().options.commit.memory) [[unlikely]]
            make_room();
    }

    report commit();
    [[nodiscard]] isorow::plan plan();
    report apply(isorow::plan const& plan, allow allowed);

private:
    using work = std::function<void(connection&, std::optional<limits> const&, app_record const&)>;

    [[nodiscard]] declared_table& table() noexcept { return *state_.tables.front(); }
    [[nodiscard]] declared_table const& table() const noexcept { return *state_.tables.front(); }

    [[noreturn]] void throw_duplicate(std::size_t first, std::span<std::byte const> image) const;
    void make_room();
    void on_connection(bool is_plan, work const& what);
    void forget_declared() noexcept;

    database_ref where_;
    declared_state state_{};
    std::optional<database_ref::use> holding_{};  ///< the session that holds rows for the commit
};

}  // namespace isorow::inline v1::detail

#if ISOROW_HAS_CODE
#include <isorow/target/detail/plain_target_code.hpp>
#endif
