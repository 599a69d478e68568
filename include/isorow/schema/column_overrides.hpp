#pragma once

/// @file
/// What is said of a struct's columns at run time: another type, or the shape of the embeddings that a model makes.

#include <isorow/error/text.hpp>
#include <isorow/types/annotated.hpp>
#include <isorow/types/vector.hpp>
#include <isorow/types/vector_schema.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

namespace detail {

/// A pointer, plain or smart, to a provider.
template <class Pointer>
concept points_to_provider = requires(Pointer const& pointer) {
    { pointer == nullptr } -> std::convertible_to<bool>;
    requires vector_schema_provider<std::remove_cvref_t<decltype(*pointer)>>;
};

}  // namespace detail

/// The type that a column has instead of its field's: `pg_type{"timestamp"}`, `vector_schema{384}`, or any `vector_schema_provider`, such
/// as an embedding model, or a pointer or reference wrapper to one. A provider is asked once, here, and not kept.
class column_override {
public:
    column_override(pg_type<> type) : type_(std::move(type.sql)) {}  // NOLINT(google-explicit-constructor): it stands for the type
    template <fixed_string Sql>
    column_override(pg_type<Sql> type) : type_(type.view()) {}  // NOLINT(google-explicit-constructor)
    column_override(vector_shape shape) { set(shape); }         // NOLINT(google-explicit-constructor)
    column_override(vector_schema<> schema) { set(schema); }    // NOLINT(google-explicit-constructor)
    template <std::size_t Size, vector_element Element>
    column_override(vector_schema<Size, Element> schema) {  // NOLINT(google-explicit-constructor)
        set(schema.shape());
    }
    template <vector_schema_provider Provider>
    column_override(Provider const& provider) {  // NOLINT(google-explicit-constructor)
        set(provider.vector_schema());
    }
    template <vector_schema_provider Provider>
    column_override(std::reference_wrapper<Provider> provider) {  // NOLINT(google-explicit-constructor)
        set(provider.get().vector_schema());
    }
    template <detail::points_to_provider Pointer>
    column_override(Pointer const& provider) {  // NOLINT(google-explicit-constructor)
        if (provider == nullptr) problem_ = "the vector schema provider is a null pointer";
        else set(provider->vector_schema());
    }

    /// The type as SQL writes it.
    [[nodiscard]] std::string const& type() const noexcept { return type_; }

    /// Why there is no type; empty where there is one.
    [[nodiscard]] std::string const& problem() const noexcept { return problem_; }

private:
    void set(vector_shape shape) {
        if (shape.size == 0 || shape.size > vector_dimension_limit)
            problem_ = text("the vector schema has {} dimensions; pgvector stores 1 to {}", shape.size, vector_dimension_limit);
        else type_ = to_sql(column_type_of(shape));
    }

    std::string type_;
    std::string problem_;
};

/// Overrides by the names of their columns: `{{"created_at", pg_type{"timestamp"}}, {"embedding", embedder}}`.
using column_overrides = std::vector<std::pair<std::string, column_override>>;

}  // namespace isorow::inline v1
