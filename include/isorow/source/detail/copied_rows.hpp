#pragma once

/// @file
/// Rows of a binary COPY, decoded where they were received.

#include <isorow/codec/copy_format.hpp>
#include <isorow/pq/copy.hpp>
#include <isorow/query/detail/row_plan.hpp>
#include <isorow/source/batch.hpp>
#include <isorow/source/batch_options.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

/// Throws `usage_error` where a field is a view of a document that the connection's json_deserializer would make anew.
template <class T>
void require_no_view_of_documents(connection const& connection) {
    if (!connection.options().json_deserializer) return;
    reflect::for_each_index<T>([](auto place) {
        constexpr auto id = columns_of<T>[place].type.id;
        if constexpr (is_view<typename field_codec<T, place>::value> && (id == type_id::json || id == type_id::jsonb))
            throw usage_error(text("{} is a view of a document, which the connection's json_deserializer replaces: make it a std::string",
                                   field_label<T>(place)));
    });
}

/// How the tuples of a COPY become rows, proved once: COPY carries no types.
template <class T>
class tuple_plan {
public:
    /// `described`: the statement's description. Throws `mismatch`.
    tuple_plan(connection& connection, result const& described, std::vector<std::string> const& wanted)
        : plan_(connection, described, wanted), columns_(static_cast<std::size_t>(described.columns())), reads_all_(wanted.empty()) {
        require_no_view_of_documents<T>(connection);
        is_in_order_ = columns_ == reflect::field_count<T> && !connection.options().json_deserializer;
        for (std::size_t place = 0; place < reflect::field_count<T>; ++place)
            is_in_order_ = is_in_order_ && plan_.columns()[place] == static_cast<int>(place);
    }

    [[nodiscard]] bool is_in_order() const noexcept { return is_in_order_; }

    /// Decodes a tuple whose columns are not the fields in their order.
    void decode(byte_reader in, T& row, std::vector<std::span<std::byte const>>& values) const {
        values.clear();
        if (auto const columns = in.take_int16(); columns != static_cast<std::int16_t>(columns_))
            throw malformed("the tuple has {} columns, the query has {}", columns, columns_);
        for (std::size_t i = 0; i < columns_; ++i) {
            auto const length = in.take_int32();
            if (length < -1) throw malformed("a length of {}", length);
            values.push_back(length < 0 ? std::span<std::byte const>{} : in.take_bytes(static_cast<std::size_t>(length)));
        }
        in.expect_end();
        if (!reads_all_) row = T{};  // what is not read may have been written by whoever had the batch before
        plan_.decode_from([&](int column) { return values[static_cast<std::size_t>(column)]; }, row);
    }

private:
    row_plan<T> plan_;
    std::size_t columns_;
    bool reads_all_;
    bool is_in_order_ = false;
};

/// Fills batches from a COPY. Each message, which is a row, is received behind the one before, in the batch's own memory, and decoded
/// there.
template <class T>
class copied_rows {
public:
    /// The plan must outlive it.
    copied_rows(copy_out copy, tuple_plan<T> const& plan, batch_options const& options)
        : copy_(std::move(copy)), plan_(&plan), most_rows_(options.rows), bytes_(std::max(options.bytes, least_bytes)) {}

    /// Replaces the batch's rows by the next. Returns false at the end; the batch may have the last rows then.
    bool fill(batch_storage<T>& batch) {
        batch.begin(std::max(bytes_, 2 * rest_.size()));
        used_ = std::copy(rest_.begin(), rest_.end(), batch.memory.get());
        place_ = batch.memory.get();
        rest_.clear();
        if (!begun_ || place_ != used_) take_pieces(batch);
        if (place_ == used_ && !ended_) take_messages(batch);
        rest_.assign(place_, used_);
        return !ended_ || !rest_.empty();
    }

private:
    /// Enough for the header, and for a few rows.
    static constexpr std::size_t least_bytes = 1024;

    [[nodiscard]] bool has_room(batch_storage<T> const& batch) const noexcept { return batch.count < most_rows_; }

    /// Takes rows of which each is a whole message.
    void take_messages(batch_storage<T>& batch) {
        auto* const end = batch.memory.get() + batch.capacity;
        for (auto* place = place_; has_room(batch) && place != end; place_ = place) {
            std::span const room(place, end);
            auto const size = copy_.read(room);
            used_ = place + size;
            if (size == 0) [[unlikely]] {
                ended_ = true;
                return;
            }
            if (size == room.size()) [[unlikely]]
                return;  // the message may go on
            take(batch, byte_reader(place, size));
            place = used_;
        }
    }

    /// Takes rows that stand anywhere: behind the header, or in more than one piece.
    void take_pieces(batch_storage<T>& batch) {
        for (;;) {
            take_whole(batch);
            if (begun_ && place_ == used_) return;
            auto* const end = batch.memory.get() + batch.capacity;
            if (!has_room(batch) || (used_ == end && batch.count != 0)) return;
            if (used_ == end) grow(batch);
            auto const size = copy_.read(std::span(used_, batch.memory.get() + batch.capacity));
            used_ += size;
            if (size != 0) continue;
            ended_ = true;
            if (place_ != used_ || !begun_) throw malformed("the COPY ended in the midst of a row");
            return;
        }
    }

    /// Takes the rows that are there to their ends.
    void take_whole(batch_storage<T>& batch) {
        if (!begun_) {
            if (static_cast<std::size_t>(used_ - place_) < copy_format::header_size) return;
            byte_reader in(place_, static_cast<std::size_t>(used_ - place_));
            copy_format::take_header(in);
            place_ = used_ - in.remaining();
            begun_ = true;
        }
        while (has_room(batch)) {
            auto const size = copy_format::size_of_tuple(byte_reader(place_, static_cast<std::size_t>(used_ - place_)));
            if (!size) return;
            take(batch, byte_reader(place_, *size));
            place_ += *size;
        }
    }

    ISOROW_ALWAYS_INLINE void take(batch_storage<T>& batch, byte_reader in) {
        if (in.remaining() == sizeof copy_format::trailer && copy_format::take_trailer(in)) [[unlikely]]
            return;
        auto& row = batch.next(most_rows_);
        if (plan_->is_in_order()) decode_row_into(in, row);
        else plan_->decode(in, row, values_);
        ++batch.count;
    }

    /// Gives a row that alone is larger than the batch twice the memory.
    void grow(batch_storage<T>& batch) {
        auto larger = std::make_unique_for_overwrite<std::byte[]>(2 * batch.capacity);
        auto* const used = std::copy(place_, used_, larger.get());
        batch.memory = std::move(larger);
        batch.capacity *= 2;
        place_ = batch.memory.get();
        used_ = used;
    }

    copy_out copy_;
    tuple_plan<T> const* plan_;
    std::size_t most_rows_;
    std::size_t bytes_;
    std::byte* place_ = nullptr;  ///< what was received is in the batch's memory: from here to `used_` not decoded
    std::byte* used_ = nullptr;
    std::vector<std::byte> rest_{};  ///< what was received after the last batch was full
    std::vector<std::span<std::byte const>> values_{};
    bool begun_ = false;
    bool ended_ = false;
};

}  // namespace isorow::inline v1::detail
