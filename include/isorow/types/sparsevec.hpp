#pragma once

#include <isorow/config.hpp>
#include <isorow/error/value_error.hpp>
#include <isorow/types/detail/float_text.hpp>
#include <isorow/types/mapping.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

/// The most dimensions of a sparse vector, and the most of them that are not zero. Source: pgvector 0.8, sparsevec.h.
inline constexpr std::size_t sparsevec_dimension_limit = 1'000'000'000;
inline constexpr std::size_t sparsevec_element_limit = 16'000;

/// One value of a sparse vector. `index` counts from 0, as all of C++ and pgvector's binary format do; pgvector's texts count from 1.
struct sparse_element {
    std::int32_t index = 0;
    float value = 0;

    friend constexpr bool operator==(sparse_element const&, sparse_element const&) = default;
};

namespace detail {

/// A sparse vector whose dimension is known at run time: its elements in the order of their indices, none of them zero.
struct sparse_values {
    std::int32_t size = 0;
    std::vector<sparse_element> elements{};

    /// Takes elements in any order and leaves zeros out. Throws `unrepresentable`, naming the element, for what pgvector refuses.
    [[nodiscard]] static sparse_values of(std::int32_t size, std::vector<sparse_element> elements);

    [[nodiscard]] static std::optional<sparse_values> parse(std::string_view text);

    friend bool operator==(sparse_values const&, sparse_values const&) = default;
};

/// Takes a number, and the character behind it, from the front of the text; false where they do not stand there.
template <class Number>
[[nodiscard]] bool take_number_before(std::string_view& text, char end, Number& number) {
    auto const place = text.find(end);
    if (place == std::string_view::npos) return false;
    auto const read = std::from_chars(text.data(), text.data() + place, number);
    if (read.ec != std::errc{} || read.ptr != text.data() + place) return false;
    text.remove_prefix(place + 1);
    return true;
}

/// `{1:0.5,3:-2}/5`: indices from 1, as pgvector writes them.
[[nodiscard]] std::string to_string(sparse_values const& values);

}  // namespace detail

/// pgvector's `sparsevec(N)`: an embedding of N floats of which few are not zero. All zero at first. Indices count from 0, also where
/// pgvector's texts, which `parse` and `to_string` read and write, count from 1.
template <std::size_t N>
    requires(N > 0 && N <= sparsevec_dimension_limit)
class sparsevec {
public:
    sparsevec() = default;
    /// The elements in any order; the others are zero. Throws `unrepresentable`, naming the element, where an index is not below N or
    /// stands twice, where a value is not finite, or where more than 16000 are not zero.
    explicit sparsevec(std::vector<sparse_element> elements) : values_(detail::sparse_values::of(dimensions, std::move(elements))) {}
    sparsevec(std::initializer_list<sparse_element> elements) : sparsevec(std::vector<sparse_element>(elements)) {}

    /// From all N values. Throws `unrepresentable` where there are not N, and as the constructor.
    [[nodiscard]] static sparsevec from_dense(std::span<float const> values) {
        if (values.size() != N) throw unrepresentable("the vector has {} dimensions, not {}", values.size(), N);
        std::vector<sparse_element> elements;
        for (std::size_t i = 0; i < N; ++i)
            if (values[i] != 0) elements.push_back({static_cast<std::int32_t>(i), values[i]});
        return sparsevec(std::move(elements));
    }
    /// All N values.
    [[nodiscard]] std::vector<float> to_dense() const {
        std::vector<float> values(N);
        for (auto const& [index, value] : elements()) values[static_cast<std::size_t>(index)] = value;
        return values;
    }

    [[nodiscard]] static constexpr std::size_t size() noexcept { return N; }
    /// The elements that are not zero, in the order of their indices.
    [[nodiscard]] std::vector<sparse_element> const& elements() const noexcept { return values_.elements; }
    /// The value at an index below N.
    [[nodiscard]] float operator[](std::size_t index) const noexcept {
        auto const found = std::lower_bound(elements().begin(), elements().end(), index, [](sparse_element const& element, std::size_t i) {
            return static_cast<std::size_t>(element.index) < i;
        });
        return found != elements().end() && static_cast<std::size_t>(found->index) == index ? found->value : 0.0f;
    }

    /// Reads `{1:0.5,3:-2}/5`; nothing where it is not such, or has another dimension than N.
    [[nodiscard]] static std::optional<sparsevec> parse(std::string_view text) {
        auto read = detail::sparse_values::parse(text);
        if (!read || read->size != dimensions) return std::nullopt;
        sparsevec result;
        result.values_ = *std::move(read);
        return result;
    }

    friend bool operator==(sparsevec const&, sparsevec const&) = default;
    friend std::string to_string(sparsevec const& value) { return detail::to_string(value.values_); }
    friend std::ostream& operator<<(std::ostream& out, sparsevec const& value) { return out << to_string(value); }

private:
    static constexpr auto dimensions = static_cast<std::int32_t>(N);

    detail::sparse_values values_{dimensions, {}};
};

template <std::size_t N>
struct mapping<sparsevec<N>> {
    static constexpr column_type type{type_id::sparsevec, false, static_cast<std::int32_t>(N)};
};

#if ISOROW_HAS_CODE

namespace detail {

ISOROW_DECL sparse_values sparse_values::of(std::int32_t size, std::vector<sparse_element> elements) {
    if (size < 1 || static_cast<std::size_t>(size) > sparsevec_dimension_limit)
        throw unrepresentable("the sparsevec has {} dimensions; pgvector stores 1 to {}", size, sparsevec_dimension_limit);
    for (auto const& [index, value] : elements) {
        if (index < 0 || index >= size) throw unrepresentable("sparsevec element {} is beyond its {} dimensions", index, size);
        if (!std::isfinite(value)) throw unrepresentable("sparsevec element {} is {}", index, value);
    }
    auto const before = [](sparse_element const& a, sparse_element const& b) { return a.index < b.index; };
    if (!std::is_sorted(elements.begin(), elements.end(), before)) std::sort(elements.begin(), elements.end(), before);
    for (std::size_t i = 1; i < elements.size(); ++i)
        if (elements[i].index == elements[i - 1].index) throw unrepresentable("the sparsevec has element {} twice", elements[i].index);
    std::erase_if(elements, [](sparse_element const& element) { return element.value == 0; });
    if (elements.size() > sparsevec_element_limit)
        throw unrepresentable("the sparsevec has {} elements that are not zero; pgvector stores {}", elements.size(),
                              sparsevec_element_limit);
    return {size, std::move(elements)};
}

ISOROW_DECL std::optional<sparse_values> sparse_values::parse(std::string_view text) {
    auto const close = text.find("}/");
    if (!text.starts_with('{') || close == std::string_view::npos) return std::nullopt;
    std::int32_t size = 0;
    auto const dimension = text.substr(close + 2);
    auto const read = std::from_chars(dimension.data(), dimension.data() + dimension.size(), size);
    if (read.ec != std::errc{} || read.ptr != dimension.data() + dimension.size()) return std::nullopt;
    auto list = text.substr(1, close - 1);
    std::string closed(list);
    if (!closed.empty()) closed += ',';
    list = closed;
    std::vector<sparse_element> elements;
    while (!list.empty()) {
        sparse_element element;
        if (!take_number_before(list, ':', element.index) || element.index < 1 || !take_number_before(list, ',', element.value))
            return std::nullopt;
        --element.index;
        elements.push_back(element);
    }
    try {
        return of(size, std::move(elements));
    } catch (unrepresentable const&) {
        return std::nullopt;
    }
}

ISOROW_DECL std::string to_string(sparse_values const& values) {
    std::string list;
    for (auto const& [index, value] : values.elements)
        list.append(list.empty() ? "" : ",").append(text("{}:{}", index + 1, float_text(value)));
    return text("{{}}/{}", list, values.size);
}

}  // namespace detail

#endif

}  // namespace isorow::inline v1
