#pragma once

/// @file
/// Records in a file: for small collections, fixtures, and moving records from one place to another.

#include <isorow/records/detail/record_file.hpp>
#include <isorow/records/memory_store.hpp>

#include <concepts>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace isorow::inline v1::records {

/// How records stand in a file.
enum class file_format : std::uint8_t {
    by_name,   ///< `lines` where the file's name ends with .jsonl or .ndjson, else `document`
    document,  ///< one JSON list
    lines,     ///< JSON lines: one record on each
};

/// A `record_backend` in a file, which it holds in memory and writes anew with each change, a transaction as a whole: what a call has
/// changed is on the disk when it returns. A call that changes nothing does not touch the file. The file belongs to one store at a time:
/// there is a file beside it, of its name and `.lock`, for that. In the file a record is an object with `id`, `fields`, `metadata`,
/// `created_at` and `updated_at`; all but the fields may be left out by who writes it by hand. Several threads and coroutines may use the
/// store.
class file_store {
public:
    /// Reads the file; it is made with the first change where it is not there. Throws `usage_error` where it cannot be read or another
    /// store has it, `value_error` with the place of what is no record, and `record_exists` for an id that comes twice.
    explicit file_store(std::filesystem::path const& path, file_format format = file_format::by_name)
        : file_(path, format == file_format::by_name ? path.extension() == ".jsonl" || path.extension() == ".ndjson"
                                                     : format == file_format::lines) {
        auto const records = file_.read();
        detail::require_distinct(records);
        memory_.restore_batch(records);
    }

    uuid create(record const& added) {
        return changed([&] { return memory_.create(added); });
    }
    std::vector<uuid> create_batch(std::span<record const> added) {
        return changed([&] { return memory_.create_batch(added); });
    }
    std::vector<outcome> create_each(std::span<record const> added) {
        return changed([&] { return memory_.create_each(added); });
    }
    outcome update(record const& one, version const& expected = {}) {
        return changed([&] { return memory_.update(one, expected); });
    }
    std::vector<outcome> update_batch(std::span<record const> many, expect expect = expect::any_version) {
        return changed([&] { return memory_.update_batch(many, expect); });
    }
    outcome patch(uuid const& id, boost::json::object const& fields, version const& expected = {}) {
        return changed([&] { return memory_.patch(id, fields, expected); });
    }
    outcome upsert(record const& given) {
        return changed([&] { return memory_.upsert(given); });
    }
    std::vector<outcome> upsert_batch(std::span<record const> given) {
        return changed([&] { return memory_.upsert_batch(given); });
    }
    void restore_batch(std::span<record const> given) {
        changed([&] { memory_.restore_batch(given); });
    }
    outcome erase(uuid const& id, version const& expected = {}) {
        return changed([&] { return memory_.erase(id, expected); });
    }
    std::vector<outcome> erase_batch(std::span<uuid const> ids) {
        return changed([&] { return memory_.erase_batch(ids); });
    }
    std::size_t clear() {
        return changed([&] { return memory_.clear(); });
    }

    [[nodiscard]] std::optional<record> read(uuid const& id) const { return memory_.read(id); }
    [[nodiscard]] std::vector<std::optional<record>> read_batch(std::span<uuid const> ids) const { return memory_.read_batch(ids); }
    [[nodiscard]] bool exists(uuid const& id) const { return memory_.exists(id); }
    [[nodiscard]] std::size_t count(filter const& condition = {}) const { return memory_.count(condition); }
    [[nodiscard]] std::vector<record> search(query const& wanted) const { return memory_.search(wanted); }
    template <std::invocable<record&&> Take>
    void scan(query const& wanted, Take&& take) const {
        memory_.scan(wanted, std::forward<Take>(take));
    }

    /// Runs `work(file_store&)` as one step; the file is written at its end. Within another transaction it is a step of that one.
    template <std::invocable<file_store&> Work>
    std::invoke_result_t<Work&, file_store&> transact(Work work) {
        return changed([&] { return std::invoke(work, *this); });
    }

private:
    /// Changes what is in memory, and the file with it, or neither.
    template <class Change>
    std::invoke_result_t<Change const&> changed(Change const& change) {
        return memory_.transact([&](memory_store& inside) {
            level const inner(depth_);
            if constexpr (std::is_void_v<std::invoke_result_t<Change const&>>) {
                change();
                save(inside);
            } else {
                auto result = change();
                save(inside);
                return result;
            }
        });
    }

    /// Writes the file at the end of the outermost transaction.
    void save(memory_store const& inside) const {
        if (depth_ == 1 && inside.has_changed()) file_.write(inside.search({}));
    }

    /// How deep transactions stand in each other.
    class level {
    public:
        explicit level(int& depth) : depth_(depth) { ++depth_; }
        level(level const&) = delete;
        level& operator=(level const&) = delete;
        ~level() { --depth_; }

    private:
        int& depth_;
    };

    detail::record_file file_;
    memory_store memory_{};
    int depth_ = 0;
};

}  // namespace isorow::inline v1::records
