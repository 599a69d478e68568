#pragma once

#include <isorow/codec/pgoutput.hpp>
#include <isorow/reflect/member.hpp>
#include <isorow/schema/table.hpp>
#include <isorow/source/keyed.hpp>
#include <isorow/types/lsn.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace isorow::inline v1 {

/// What happened.
enum class change_kind : std::uint8_t {
    begin,     ///< a transaction that has changed the table
    insert,    ///< a row came
    update,    ///< a row was changed, its key perhaps, too
    remove,    ///< a row went: DELETE
    truncate,  ///< all rows went
    message,   ///< `pg_logical_emit_message`, where they were asked for
    commit,    ///< the transaction's end
};

/// The transaction that a change is of. It was committed already: nothing comes of those that are under way or were rolled back.
struct replicated_transaction {
    std::uint32_t xid = 0;
    lsn commit{};  ///< where its COMMIT stands in the WAL: known from its beginning on, and different for each transaction
    /// Behind the COMMIT: what is confirmed, and what to resume from once the transaction was dealt with. Known at its commit event;
    /// before, only of transactions that were streamed.
    lsn end{};
    std::chrono::sys_time<std::chrono::microseconds> committed_at{};
    std::string origin{};   ///< of the server where it was made, if it came here by replication itself
    bool streamed = false;  ///< whether it was sent before it was committed
};

/// What is known of the row as it was before.
using pgoutput::old_row;

/// An event of a table: what happened, and to which row. One object is used again and again: move from it what is to be kept.
template <class T>
struct change {
    change_kind kind = change_kind::begin;
    lsn position{};  ///< of the change itself in the WAL
    replicated_transaction transaction{};

    T row{};  ///< as it is since an insert or update
    /// Of an update or removal: how much of the row before is in `old`. The key comes where it is another now, and at each removal; the
    /// whole row with REPLICA IDENTITY FULL.
    old_row old_kind = old_row::none;
    T old{};  ///< fields that are not known have their default initialisers
    /// The places of fields of `row` whose values were not sent, as they are stored outside of the row (TOAST) and were not changed. Not
    /// NULL: what they were before. In `row` they have their default initialisers. None where `old` is whole.
    std::vector<std::size_t> unchanged{};

    std::string prefix{};              ///< of a message
    std::vector<std::byte> content{};  ///< of a message

    /// Whether a field's value was not sent, as it is what it was before: `is_unchanged<&Product::embedding>()`.
    template <auto Member>
    [[nodiscard]] bool is_unchanged() const {
        return std::ranges::find(unchanged, reflect::index_of<Member>) != unchanged.end();
    }

    /// The names of the fields whose values were not sent.
    [[nodiscard]] std::vector<std::string_view> unchanged_fields() const {
        std::vector<std::string_view> names;
        for (auto const field : unchanged) names.push_back(reflect::field_names<T>[field]);
        return names;
    }

    /// The row whose key tells which row was meant before the change: `old` where it was sent, else `row`. Its other fields may be unset.
    [[nodiscard]] T const& identified() const noexcept { return old_kind == old_row::none ? row : old; }

    /// The key of the row that was meant before the change: of an update the old one, of an insert the new row's.
    [[nodiscard]] key_of<T> key() const
        requires(description_of<T>.key.size() > 0)
    {
        return detail::take<key_of<T>, true>(identified());
    }
};

}  // namespace isorow::inline v1
