#pragma once

/// @file
/// The rows of a source in batches.

#include <isorow/query/detail/single_pass_iterator.hpp>
#include <isorow/source/batch.hpp>
#include <isorow/source/detail/batch_reader.hpp>
#include <isorow/source/detail/parallel_batches.hpp>
#include <isorow/source/detail/single_batches.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <memory>
#include <ranges>
#include <utility>

namespace isorow::inline v1 {

/// The rows of a source in batches, as a range that is walked once. The batch behind an iterator is one object: the views of its rows are
/// valid until the next step, which overwrites it, or, where it was moved away, as long as the batch that it was moved to. Move-only; owns
/// the connections that it took from a pool, and keeps a borrowed one busy until it ends. Leaving early cancels what is under way and gives
/// the connections back. Not thread-safe. Errors of the server and of decoding, also those of other threads that read, are thrown by
/// `begin()` and `++`; the range has ended then. Made by `source<T>::batches`.
template <class Row>
class batch_range : public std::ranges::view_interface<batch_range<Row>> {
    struct state;

public:
    explicit batch_range(std::unique_ptr<detail::batch_reader<Row>> reader) : state_(std::make_unique<state>(std::move(reader))) {}

    using iterator = detail::single_pass_iterator<state>;

    /// Fetches the first batch.
    [[nodiscard]] iterator begin() {
        if (!state_->begun) state_->advance();
        return iterator(*state_);
    }
    [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

private:
    struct state {
        using value_type = row_batch<Row>;

        explicit state(std::unique_ptr<detail::batch_reader<Row>> from) : reader(std::move(from)) {}

        [[nodiscard]] row_batch<Row>& current() noexcept { return batch; }
        [[nodiscard]] bool has_ended() const noexcept { return !reader; }
        void advance() {
            begun = true;
            if (!reader) return;
            try {
                if (!reader->next(batch)) reader.reset();
            } catch (...) {
                reader.reset();
                throw;
            }
        }

        std::unique_ptr<detail::batch_reader<Row>> reader;  ///< null at the end
        row_batch<Row> batch{};
        bool begun = false;
    };

    std::unique_ptr<state> state_;
};

namespace detail {

/// How many connections read: a reader never takes the pool's last connection, which who takes the rows may need for each of them.
[[nodiscard]] inline std::size_t connections_of(batch_request const& request) {
    auto const asked = request.options.connections;
    if (asked == 1) return 1;
    auto* const pool = request.where.lender();
    if (pool == nullptr)
        throw usage_error("several connections read from a pool: a source on one connection, session or transaction has no others");
    auto const most = pool->options().max_size;
    return most ? std::clamp<std::size_t>(*most - 1, 1, asked) : asked;
}

/// Starts to read. Throws what `source<T>::batches` throws.
template <class Row>
[[nodiscard]] batch_range<Row> open_batches(batch_request asked) {
    if (asked.options.rows == 0 || asked.options.connections == 0)
        throw usage_error("a batch has at least one row, and at least one connection reads");
    auto const connections = connections_of(asked);
    auto request = std::make_unique<batch_request const>(std::move(asked));
    if (connections > 1 && request->table) {
        auto first = begin_shared_reading(request->where);
        auto const blocks = blocks_of(**first, request->table->first, request->table->second, first->use().limits());
        if (blocks && block_ranges(*blocks, connections).count() > 1)
            return batch_range<Row>(std::make_unique<parallel_batches<Row>>(std::move(request), std::move(first), *blocks, connections));
    }
    return batch_range<Row>(std::make_unique<single_batches<Row>>(std::move(request)));
}

}  // namespace detail

}  // namespace isorow::inline v1

template <class Row>
inline constexpr bool std::ranges::enable_borrowed_range<isorow::batch_range<Row>> = false;
