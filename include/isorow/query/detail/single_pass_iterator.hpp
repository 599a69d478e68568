#pragma once

#include <cstddef>
#include <iterator>

namespace isorow::inline v1::detail {

/// The iterator of a range that is walked once. The walk is one object, which belongs to the range: all iterators stand where it does.
///
/// `Walk`: has a `value_type`, `current()`, which is the value that the walk is at, `advance()`, which throws, and `has_ended()`.
template <class Walk>
class single_pass_iterator {
public:
    using value_type = typename Walk::value_type;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;

    single_pass_iterator() = default;
    explicit single_pass_iterator(Walk& walk) noexcept : walk_(&walk) {}

    [[nodiscard]] value_type& operator*() const noexcept { return walk_->current(); }
    [[nodiscard]] value_type* operator->() const noexcept { return &walk_->current(); }
    single_pass_iterator& operator++() {
        walk_->advance();
        return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(single_pass_iterator const& it, std::default_sentinel_t) noexcept {
        return it.walk_ == nullptr || it.walk_->has_ended();
    }

private:
    Walk* walk_ = nullptr;
};

}  // namespace isorow::inline v1::detail
