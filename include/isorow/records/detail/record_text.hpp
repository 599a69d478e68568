#pragma once

/// @file
/// Records as JSON texts. Their documents may be nested as deeply there as in a store: what stands around them does not count.

#include <isorow/json/codec.hpp>
#include <isorow/json/value.hpp>
#include <isorow/records/detail/new_id.hpp>
#include <isorow/records/record.hpp>
#include <isorow/types/uuid.hpp>

#include <boost/json/object.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1::records::detail {

inline void append_record(std::string& text, record const& one) {
    text.append(R"({"id": )").append(to_json_text(one.id));
    text.append(R"(, "fields": )").append(to_json_text(one.fields));
    text.append(R"(, "metadata": )").append(to_json_text(one.metadata));
    text.append(R"(, "created_at": )").append(to_json_text(one.created_at));
    text.append(R"(, "updated_at": )").append(to_json_text(one.updated_at)).append("}");
}

/// Reads records as people may write them: what the store would make may be left out. Throws `value_error` with the place of what is none.
/// Refers to the text.
class record_reader {
public:
    explicit record_reader(std::string_view text) : text_(text), in_(text) {}

    /// All records of a list, which is the whole text.
    [[nodiscard]] std::vector<record> read_list() {
        std::vector<record> records;
        in_.take_elements([&](std::size_t) { records.push_back(take_record()); });
        in_.expect_end();
        return records;
    }

    /// The record that is the whole text.
    [[nodiscard]] record read_one() {
        auto one = take_record();
        in_.expect_end();
        return one;
    }

private:
    using moment = decltype(record::created_at);

    static constexpr std::array<std::string_view, 5> names{"id", "fields", "metadata", "created_at", "updated_at"};

    [[nodiscard]] record take_record() {
        record one{};
        std::optional<uuid> id;
        std::optional<moment> created_at;
        std::optional<moment> updated_at;
        std::array<bool, names.size()> seen{};
        in_.take_members([&](std::string_view name) {
            auto const place = static_cast<std::size_t>(std::ranges::find(names, name) - names.begin());
            if (place == names.size()) in_.refuse("a record has no such member");
            if (std::exchange(seen[place], true)) in_.refuse("the object has the name twice");
            if (name == "id") id = take_id();
            else if (name == "fields") one.fields = take_document();
            else if (name == "metadata") one.metadata = take_document_or_null();
            else if (name == "created_at") created_at = json_format<std::optional<moment>>::read(in_);
            else updated_at = json_format<std::optional<moment>>::read(in_);
        });
        if (!seen[1]) in_.refuse("a record has the member \"fields\"");
        one.id = id ? *id : new_id();
        one.created_at = created_at.value_or(now_);
        one.updated_at = updated_at.value_or(one.created_at);
        return one;
    }

    [[nodiscard]] std::optional<uuid> take_id() {
        auto const id = json_format<std::optional<uuid>>::read(in_);
        if (id == uuid{}) in_.refuse("no record has the nil id; one that is left out is made");
        return id;
    }

    /// By a reader of its own, which begins to count levels here.
    [[nodiscard]] boost::json::object take_document() {
        json_reader own(text_);
        own.return_to(in_.place());
        boost::json::object document;
        try {
            document = json_format<boost::json::object>::read(own);
        } catch (value_error const& failure) {
            failure.rethrow_at(in_.path().to_string());
        }
        in_.return_to(own.place());
        return document;
    }

    [[nodiscard]] boost::json::object take_document_or_null() {
        if (in_.kind() != json_kind::null) return take_document();
        in_.take_null();
        return {};
    }

    std::string_view text_;
    json_reader in_;
    moment now_ = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
};

}  // namespace isorow::inline v1::records::detail
