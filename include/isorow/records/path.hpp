#pragma once

#include <isorow/error/error.hpp>
#include <isorow/error/text.hpp>
#include <isorow/records/detail/path_reader.hpp>
#include <isorow/records/part.hpp>
#include <isorow/types/utf8.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1::records {

/// The place of a value in a record: names of objects' members, and numbers of lists' elements, one below the other. Anything may be a
/// name: it is data, and never becomes SQL.
class path {
public:
    /// The most steps that a path has.
    static constexpr std::size_t step_limit = 64;

    /// As people write it:
    /// - `name`, `address.city`, `tags.0`, `address."postal.code"` (in quotes a quote is doubled): in the fields;
    /// - `metadata`, `metadata.version`: in the metadata;
    /// - `id`: the key;
    /// - `fields->>'name'`, `fields->'address'->>'city'`, `metadata#>>'{a,b}'`: as Postgres writes it. With `->>` and `#>>` it is the text
    ///   of the value that counts, whatever the value is: `2` is "2" there.
    ///
    /// A field that is called `id` or `metadata` is named by `path::of`, or as `fields->'id'`. Throws `usage_error` for what is none.
    path(std::string_view written) {  // NOLINT(google-explicit-constructor): a text stands for its path
        auto read = detail::path_reader(written).read();
        part_ = read.part;
        is_text_ = read.is_text;
        for (auto& step : read.steps) add(std::move(step));
    }
    path(char const* written) : path(std::string_view(written)) {}         // NOLINT(google-explicit-constructor)
    path(std::string const& written) : path(std::string_view(written)) {}  // NOLINT(google-explicit-constructor)

    /// The value below these steps. Throws `usage_error` where there are too many, or one cannot be a name in Postgres.
    [[nodiscard]] static path of(enum part part, std::vector<std::string> steps = {}) {
        path made(part);
        for (auto& step : steps) made.add(std::move(step));
        return made;
    }
    [[nodiscard]] static path of_field(std::string name) { return of(part::fields, {std::move(name)}); }

    [[nodiscard]] enum part part() const noexcept { return part_; }
    [[nodiscard]] std::vector<std::string> const& steps() const noexcept { return steps_; }
    /// Whether it is the value's text that counts.
    [[nodiscard]] bool is_text() const noexcept { return is_text_; }
    /// Whether the value stands in one of the record's documents.
    [[nodiscard]] bool is_in_document() const noexcept { return part_ == part::fields || part_ == part::metadata; }
    friend bool operator==(path const&, path const&) = default;

private:
    explicit path(enum part part) : part_(part) {}

    void add(std::string step) {
        if (steps_.size() == step_limit) throw usage_error(text("a path has at most {} steps", step_limit));
        if (step.find('\0') != std::string::npos || !is_valid_utf8(step))
            throw usage_error("a path has a name with a NUL byte, or one that is not valid UTF-8, which Postgres cannot store");
        steps_.push_back(std::move(step));
    }

    enum part part_ = part::fields;
    std::vector<std::string> steps_{};
    bool is_text_ = false;
};

}  // namespace isorow::inline v1::records
