#pragma once

#include <concepts>
#include <cstddef>

namespace isorow::inline v1 {

/// Elements that are kept elsewhere, in order: what descriptions of tables are made of. It is what std::span<T const> is, but that costs
/// the compiler up to 12 ms for each type of element.
template <class T>
class constant_list {
public:
    using value_type = T;

    constexpr constant_list() noexcept = default;
    constexpr constant_list(T const* data, std::size_t size) noexcept : data_(data), size_(size) {}
    /// All elements of an array or a vector, which must outlive the list.
    template <class Elements>
        requires requires(Elements const& elements) {
            { elements.data() } -> std::same_as<T const*>;
            elements.size();
        }
    constexpr constant_list(Elements const& elements) noexcept  // NOLINT(google-explicit-constructor): a list of them stands for them
        : data_(elements.data()), size_(elements.size()) {}

    [[nodiscard]] constexpr T const* begin() const noexcept { return data_; }
    [[nodiscard]] constexpr T const* end() const noexcept { return data_ + size_; }
    [[nodiscard]] constexpr T const* data() const noexcept { return data_; }
    [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
    [[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] constexpr T const& operator[](std::size_t place) const noexcept { return data_[place]; }
    [[nodiscard]] constexpr T const& front() const noexcept { return *data_; }
    [[nodiscard]] constexpr T const& back() const noexcept { return data_[size_ - 1]; }

private:
    T const* data_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace isorow::inline v1
