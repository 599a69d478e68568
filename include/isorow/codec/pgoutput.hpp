#pragma once

/// @file
/// The messages of logical replication, taken apart without a server. Sources: the manual, "Streaming Replication Protocol" for the frames
/// of CopyBoth, and "Logical Replication Message Formats" for what the plugin pgoutput puts into them, in the versions 1 and 2 of its
/// protocol.
///
/// All decoders throw `malformed` where bytes are missing, are left over or say what cannot be; no length and no count from the wire is
/// used before it is compared with what remains. What they return are views into the bytes that they were given, unless it says otherwise.

#include <isorow/codec/bytes.hpp>
#include <isorow/config.hpp>
#include <isorow/types/column_type.hpp>
#include <isorow/types/date_time.hpp>
#include <isorow/types/lsn.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace isorow::inline v1::pgoutput {

/// How a column of a tuple came.
enum class column_kind : std::uint8_t {
    null,
    unchanged,  ///< stored outside of the row (TOAST) and not changed, so that the value is not sent
    text,       ///< as text: its type has no binary form
    binary,
};

/// One column of a tuple; `value` is empty unless it is text or binary.
struct column {
    column_kind kind = column_kind::null;
    std::span<std::byte const> value{};
};

/// The columns of a row, in the order of their relation. Refers to the message's bytes. Walking it allocates nothing and cannot fail: it
/// was checked whole when it was decoded.
class tuple {
public:
    tuple() = default;

    class iterator {
    public:
        using value_type = column;
        using difference_type = std::ptrdiff_t;
        using iterator_category = std::input_iterator_tag;

        iterator() = default;
        iterator(std::byte const* place, std::size_t left) noexcept : place_(place), left_(left) { read(); }

        [[nodiscard]] column const& operator*() const noexcept { return column_; }
        [[nodiscard]] column const* operator->() const noexcept { return &column_; }
        iterator& operator++() noexcept {
            --left_;
            read();
            return *this;
        }
        void operator++(int) noexcept { ++*this; }
        friend bool operator==(iterator const& it, std::default_sentinel_t) noexcept { return it.left_ == 0; }

    private:
        void read() noexcept {
            if (left_ == 0) return;
            auto const kind = static_cast<char>(*place_++);
            column_ = {kind == 'n' ? column_kind::null : column_kind::unchanged, {}};
            if (kind != 'b' && kind != 't') return;
            auto const length = load(place_);
            place_ += sizeof length;
            column_ = {kind == 'b' ? column_kind::binary : column_kind::text, {place_, length}};
            place_ += length;
        }

        std::byte const* place_ = nullptr;
        std::size_t left_ = 0;
        column column_{};
    };

    [[nodiscard]] iterator begin() const noexcept { return {bytes_.data(), count_}; }
    [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }
    /// The number of columns.
    [[nodiscard]] std::size_t size() const noexcept { return count_; }

    /// Takes a TupleData from a message, and checks it.
    [[nodiscard]] static tuple take(byte_reader& in) {
        auto const count = in.take_int16();
        if (count < 0) [[unlikely]]
            throw malformed("a tuple of {} columns", count);
        auto const whole = in.rest();
        std::size_t at = 0;
        for (auto left = count; left > 0; --left) {
            if (at == whole.size()) [[unlikely]]
                throw malformed("{} columns are missing", left);
            auto const kind = static_cast<char>(whole[at++]);
            if (kind == 'n' || kind == 'u') continue;
            if (kind != 'b' && kind != 't') [[unlikely]]
                throw malformed("a column of the kind {}", static_cast<int>(kind));
            if (whole.size() - at < sizeof(std::uint32_t)) [[unlikely]]
                throw malformed("the length of a column is cut");
            auto const length = std::size_t{load(whole.data() + at)};
            at += sizeof(std::uint32_t);
            if (whole.size() - at < length) [[unlikely]]
                throw malformed("a column of {} bytes, of which {} are there", length, whole.size() - at);
            at += length;
        }
        static_cast<void>(in.take_bytes(at));
        return {whole.first(at), static_cast<std::size_t>(count)};
    }

private:
    tuple(std::span<std::byte const> bytes, std::size_t count) noexcept : bytes_(bytes), count_(count) {}

    [[nodiscard]] static std::uint32_t load(std::byte const* place) noexcept {
        std::uint32_t word = 0;
        std::memcpy(&word, place, sizeof word);
        return isorow::detail::big_endian(word);
    }

    std::span<std::byte const> bytes_{};
    std::size_t count_ = 0;
};

/// B: a transaction begins. It comes when it was committed already.
struct begin {
    lsn commit{};  ///< where its COMMIT stands
    isorow::timestamptz commit_time{};
    std::uint32_t xid = 0;
};

/// C: the end of a transaction.
struct commit {
    lsn commit_at{};  ///< where the COMMIT stands
    lsn end{};        ///< behind it: what is confirmed once the transaction was dealt with
    isorow::timestamptz commit_time{};
};

/// O: the transaction came to this server by replication from another one.
struct origin {
    lsn commit{};  ///< on the other server
    std::string_view name{};
};

/// A column of a relation.
struct relation_column {
    bool of_identity = false;  ///< of the replica identity: it tells which row was updated or deleted
    std::string name{};
    oid type = 0;
    std::int32_t modifier = -1;
};

/// R: a table as it is from here on. Comes before its first change, and again after it was altered. Owns what it holds.
struct relation {
    std::uint32_t xid = 0;  ///< in a transaction that is streamed, else 0; likewise below
    oid id = 0;
    std::string schema{};
    std::string name{};
    char replica_identity = 'd';  ///< as `pg_class.relreplident`: d (primary key), n (nothing), f (all columns), i (an index)
    std::vector<relation_column> columns{};
};

/// Y: the name of a type that is not built in. Comes before the first relation that has it.
struct type {
    std::uint32_t xid = 0;
    oid id = 0;
    std::string_view schema{};
    std::string_view name{};
};

/// What an update or a delete tells of the row before.
enum class old_row : std::uint8_t {
    none,   ///< nothing: the replica identity has not changed
    key,    ///< the columns of the replica identity; all others are NULL
    whole,  ///< all columns: REPLICA IDENTITY FULL
};

/// I
struct insert {
    std::uint32_t xid = 0;
    oid relation = 0;
    tuple row{};
};

/// U
struct update {
    std::uint32_t xid = 0;
    oid relation = 0;
    old_row old_kind = old_row::none;
    tuple old{};
    tuple row{};
};

/// D
struct remove {
    std::uint32_t xid = 0;
    oid relation = 0;
    old_row old_kind = old_row::key;
    tuple old{};
};

/// T. The relations' OIDs are big-endian words: `relation(i)` reads them.
struct truncate {
    std::uint32_t xid = 0;
    bool cascade = false;
    bool restart_identity = false;
    std::span<std::byte const> relations{};

    [[nodiscard]] std::size_t size() const noexcept { return relations.size() / sizeof(oid); }
    [[nodiscard]] oid relation(std::size_t place) const noexcept {
        std::uint32_t word = 0;
        std::memcpy(&word, relations.data() + place * sizeof word, sizeof word);
        return isorow::detail::big_endian(word);
    }
};

/// M: what `pg_logical_emit_message` was given.
struct message {
    std::uint32_t xid = 0;
    bool transactional = false;
    lsn place{};
    std::string_view prefix{};
    std::span<std::byte const> content{};
};

/// S: changes of a transaction that is under way follow, until E.
struct stream_start {
    std::uint32_t xid = 0;
    bool first = false;  ///< the first such part of the transaction
};

/// E
struct stream_stop {};

/// c: a streamed transaction was committed.
struct stream_commit {
    std::uint32_t xid = 0;
    lsn commit_at{};
    lsn end{};
    isorow::timestamptz commit_time{};
};

/// A: a streamed transaction was rolled back, or a subtransaction of it: then the two ids differ.
struct stream_abort {
    std::uint32_t xid = 0;
    std::uint32_t subtransaction = 0;
};

using any_message = std::variant<begin, commit, origin, relation, type, insert, update, remove, truncate, message, stream_start,
                                 stream_stop, stream_commit, stream_abort>;

/// Decodes one message. `in_stream`: it stands between S and E.
[[nodiscard]] any_message decode(byte_reader in, bool in_stream);

/// A frame w: a piece of what the plugin puts out, here one message.
struct wal_data {
    lsn start{};       ///< of the change in the WAL; 0 for what has no place there
    lsn server_end{};  ///< how far the server's WAL reaches
    isorow::timestamptz sent{};
    std::span<std::byte const> message{};
};

/// A frame k.
struct keepalive {
    lsn server_end{};  ///< how far the server has gone through its WAL
    isorow::timestamptz sent{};
    bool asks_for_answer = false;
};

using frame = std::variant<wal_data, keepalive>;

/// Decodes what one CopyData of a replication stream holds.
[[nodiscard]] frame decode_frame(byte_reader in);

/// What the client tells of itself: how far it has received, stored and applied the WAL. The server forgets what stands before `stored`.
struct status_update {
    lsn received{};
    lsn stored{};
    lsn applied{};
    isorow::timestamptz sent{};
    bool asks_for_answer = false;
};

/// Appends a frame r: 34 bytes.
void encode(status_update const& status, byte_writer& out);

}  // namespace isorow::inline v1::pgoutput

#if ISOROW_HAS_CODE
#include <isorow/codec/detail/pgoutput_code.hpp>
#endif
