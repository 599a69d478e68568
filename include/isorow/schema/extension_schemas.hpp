#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace isorow::inline v1 {

/// An extension of a database, and the schema that its types are in.
struct extension_schema {
    std::string extension;
    std::string schema;
};

/// The extensions whose schemas are known, each once: a handful, so that a list is enough. Types of others are left to the search_path.
using extension_schemas = std::vector<extension_schema>;

/// The schema of an extension's types; null where it is not known. It is part of the list.
[[nodiscard]] inline std::string const* find_schema(extension_schemas const& schemas, std::string_view extension) noexcept {
    for (auto const& known : schemas)
        if (known.extension == extension) return &known.schema;
    return nullptr;
}

}  // namespace isorow::inline v1
