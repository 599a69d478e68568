#pragma once

/// @file
/// What one component declares, until it has ended.

#include <isorow/codec/bytes.hpp>
#include <isorow/codec/detail/oids_within.hpp>
#include <isorow/target/detail/declared_state.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace isorow::inline v1::detail {

/// A table of a run, as its handles know it.
struct run_table {
    declared_table* declared = nullptr;
    std::string name{};              ///< with its schema, quoted
    std::uint64_t columns_seed = 0;  ///< stands for the columns, their types and their order in images
    bool is_resolved = false;

    [[nodiscard]] std::size_t key_columns() const noexcept { return declared->shape.table.key.size(); }
};

/// The rows of one component for one table, one behind the other.
class table_output {
public:
    struct image_size {
        std::uint32_t whole;
        std::uint32_t key_end;
    };

    explicit table_output(run_table& table) : table_(&table) {}

    [[nodiscard]] run_table& table() const noexcept { return *table_; }
    [[nodiscard]] std::size_t rows() const noexcept { return sizes_.size(); }
    [[nodiscard]] std::size_t bytes() const noexcept { return images_.size(); }

    /// Appends a row that `encode(byte_writer&)` writes.
    template <class Encode>
    void append(Encode&& encode) {
        auto const start = images_.size();
        images_.set_types(&unnumbered);
        try {
            encode(images_);
            auto const image = images_.bytes().subspan(start);
            sizes_.push_back(
                {static_cast<std::uint32_t>(image.size()), static_cast<std::uint32_t>(end_of_key(image, table_->key_columns()))});
        } catch (...) {
            images_.truncate(start);
            throw;
        }
    }

    /// Calls `take(image, key_end)` for each row in its order.
    template <class Take>
    void for_each(Take&& take) const {
        auto rest = images_.bytes();
        for (auto const& size : sizes_) {
            take(rest.first(size.whole), std::size_t{size.key_end});
            rest = rest.subspan(size.whole);
        }
    }

private:
    run_table* table_;
    byte_writer images_{};
    std::vector<image_size> sizes_{};
};

/// The rows of one component.
class output {
public:
    /// The rows for one table; a component declares for few of them.
    [[nodiscard]] table_output& of(run_table& table) {
        for (auto& one : tables_)
            if (&one.table() == &table) return one;
        return tables_.emplace_back(table);
    }
    [[nodiscard]] std::vector<table_output> const& tables() const noexcept { return tables_; }
    [[nodiscard]] std::size_t bytes() const noexcept {
        std::size_t sum = 0;
        for (auto const& one : tables_) sum += one.bytes();
        return sum;
    }
    [[nodiscard]] std::size_t rows() const noexcept {
        std::size_t sum = 0;
        for (auto const& one : tables_) sum += one.rows();
        return sum;
    }

private:
    std::vector<table_output> tables_{};
};

/// Counted up where the form of kept outputs becomes another.
inline constexpr std::int8_t payload_format = 1;

/// The output as it is kept: for each table its name, what stands for its columns, and its rows.
[[nodiscard]] inline std::vector<std::byte> to_payload(output const& rows) {
    byte_writer out;
    out.put_int8(payload_format);
    out.put_int32(static_cast<std::int32_t>(rows.tables().size()));
    for (auto const& one : rows.tables()) {
        out.put_int32(static_cast<std::int32_t>(one.table().name.size()));
        out.put_bytes(one.table().name);
        out.put_int64(static_cast<std::int64_t>(one.table().columns_seed));
        out.put_int64(static_cast<std::int64_t>(one.rows()));
        one.for_each([&](std::span<std::byte const> image, std::size_t) {
            out.put_int32(static_cast<std::int32_t>(image.size()));
            out.put_bytes(image);
        });
    }
    return {out.bytes().begin(), out.bytes().end()};
}

/// Reads an output back; `table_of(name)` gives the run's table of a name, or null. Returns whether each table is there with the columns
/// that it had; otherwise the component has to run. Throws `malformed` where the bytes are no output.
template <class TableOf>
[[nodiscard]] bool from_payload(std::span<std::byte const> payload, TableOf&& table_of, output& rows) {
    byte_reader in(payload);
    if (in.take_int8() != payload_format) return false;
    auto const take_size = [&] {
        auto const size = in.take_int32();
        if (size < 0) throw malformed("a kept output with the length {}", size);
        return static_cast<std::size_t>(size);
    };
    for (auto tables = take_size(); tables > 0; --tables) {
        auto const name = in.take_bytes(take_size());
        auto const seed = static_cast<std::uint64_t>(in.take_int64());
        run_table* const table = table_of(std::string_view(reinterpret_cast<char const*>(name.data()), name.size()));
        if (table == nullptr || table->columns_seed != seed) return false;
        auto& own = rows.of(*table);
        for (auto count = in.take_int64(); count > 0; --count) {
            auto const image = in.take_bytes(take_size());
            own.append([&](byte_writer& out) { out.put_bytes(image); });
        }
    }
    in.expect_end();
    return true;
}

}  // namespace isorow::inline v1::detail
