#pragma once

#include <isorow/codec/pgoutput.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

namespace isorow::inline v1::pgoutput {

namespace detail {

[[nodiscard]] inline lsn take_lsn(byte_reader& in) { return {static_cast<std::uint64_t>(in.take_int64())}; }
[[nodiscard]] inline isorow::timestamptz take_time(byte_reader& in) { return isorow::timestamptz(in.take_int64()); }

/// Characters up to a NUL byte, which is taken, too.
[[nodiscard]] inline std::string_view take_text(byte_reader& in) {
    auto const rest = in.rest();
    auto const* const end = rest.empty() ? nullptr : static_cast<std::byte const*>(std::memchr(rest.data(), 0, rest.size()));
    if (end == nullptr) throw malformed("a text without an end");
    auto const taken = in.take_bytes(static_cast<std::size_t>(end - rest.data()) + 1);
    return {reinterpret_cast<char const*>(taken.data()), taken.size() - 1};
}

[[nodiscard]] inline relation take_relation(byte_reader& in, std::uint32_t xid) {
    relation found;
    found.xid = xid;
    found.id = in.take_uint32();
    found.schema = take_text(in);
    if (found.schema.empty()) found.schema = "pg_catalog";  // as the manual says
    found.name = take_text(in);
    found.replica_identity = static_cast<char>(in.take_int8());
    auto const count = in.take_int16();
    // Each column takes ten bytes at least: flags, an empty name, type and modifier.
    if (count < 0 || static_cast<std::size_t>(count) > in.remaining() / 10) throw malformed("a relation of {} columns", count);
    found.columns.reserve(static_cast<std::size_t>(count));
    for (auto left = count; left > 0; --left) {
        relation_column one;
        one.of_identity = (in.take_int8() & 1) != 0;
        one.name = take_text(in);
        one.type = in.take_uint32();
        one.modifier = in.take_int32();
        found.columns.push_back(std::move(one));
    }
    return found;
}

[[nodiscard]] inline type take_type(byte_reader& in, std::uint32_t xid) {
    type found;
    found.xid = xid;
    found.id = in.take_uint32();
    found.schema = take_text(in);
    if (found.schema.empty()) found.schema = "pg_catalog";
    found.name = take_text(in);
    return found;
}

inline void expect_new_row(char tag) {
    if (tag != 'N') throw malformed("a new row marked by {}", static_cast<int>(tag));
}

[[nodiscard]] inline old_row old_row_of(char tag) {
    if (tag != 'K' && tag != 'O') throw malformed("an old row marked by {}", static_cast<int>(tag));
    return tag == 'K' ? old_row::key : old_row::whole;
}

[[nodiscard]] inline insert take_insert(byte_reader& in, std::uint32_t xid) {
    insert found{xid, in.take_uint32()};
    expect_new_row(static_cast<char>(in.take_int8()));
    found.row = tuple::take(in);
    return found;
}

[[nodiscard]] inline update take_update(byte_reader& in, std::uint32_t xid) {
    update found{xid, in.take_uint32()};
    auto tag = static_cast<char>(in.take_int8());
    if (tag != 'N') {
        found.old_kind = old_row_of(tag);
        found.old = tuple::take(in);
        tag = static_cast<char>(in.take_int8());
    }
    expect_new_row(tag);
    found.row = tuple::take(in);
    return found;
}

[[nodiscard]] inline remove take_remove(byte_reader& in, std::uint32_t xid) {
    remove found{xid, in.take_uint32()};
    found.old_kind = old_row_of(static_cast<char>(in.take_int8()));
    found.old = tuple::take(in);
    return found;
}

[[nodiscard]] inline truncate take_truncate(byte_reader& in, std::uint32_t xid) {
    truncate found;
    found.xid = xid;
    auto const count = in.take_int32();
    auto const flags = in.take_int8();
    if (count < 0 || static_cast<std::size_t>(count) > in.remaining() / sizeof(oid)) throw malformed("a TRUNCATE of {} tables", count);
    found.cascade = (flags & 1) != 0;
    found.restart_identity = (flags & 2) != 0;
    found.relations = in.take_bytes(static_cast<std::size_t>(count) * sizeof(oid));
    return found;
}

[[nodiscard]] inline message take_message(byte_reader& in, std::uint32_t xid) {
    message found;
    found.xid = xid;
    found.transactional = (in.take_int8() & 1) != 0;
    found.place = take_lsn(in);
    found.prefix = take_text(in);
    auto const length = in.take_int32();
    if (length < 0) throw malformed("a message of {} bytes", length);
    found.content = in.take_bytes(static_cast<std::size_t>(length));
    return found;
}

[[nodiscard]] inline commit take_commit(byte_reader& in) {
    static_cast<void>(in.take_int8());  // flags: none are used
    commit found;
    found.commit_at = take_lsn(in);
    found.end = take_lsn(in);
    found.commit_time = take_time(in);
    return found;
}

[[nodiscard]] inline stream_commit take_stream_commit(byte_reader& in) {
    auto const xid = in.take_uint32();
    auto const ended = take_commit(in);
    return {xid, ended.commit_at, ended.end, ended.commit_time};
}

/// The messages that stand between S and E have the id of their transaction, or subtransaction, in front.
[[nodiscard]] inline any_message take_any(byte_reader& in, bool in_stream) {
    auto const kind = static_cast<char>(in.take_int8());
    auto const xid = [&] { return in_stream ? in.take_uint32() : 0; };
    switch (kind) {
        case 'I':
            return take_insert(in, xid());
        case 'U':
            return take_update(in, xid());
        case 'D':
            return take_remove(in, xid());
        case 'T':
            return take_truncate(in, xid());
        case 'R':
            return take_relation(in, xid());
        case 'Y':
            return take_type(in, xid());
        case 'M':
            return take_message(in, xid());
        case 'B': {
            begin found{take_lsn(in)};
            found.commit_time = take_time(in);
            found.xid = in.take_uint32();
            return found;
        }
        case 'C':
            return take_commit(in);
        case 'O': {
            origin found{take_lsn(in)};
            found.name = take_text(in);
            return found;
        }
        case 'S': {
            stream_start found{in.take_uint32()};
            found.first = in.take_int8() != 0;
            return found;
        }
        case 'E':
            return stream_stop{};
        case 'c':
            return take_stream_commit(in);
        case 'A': {
            stream_abort found{in.take_uint32()};
            found.subtransaction = in.take_uint32();
            return found;
        }
        default:
            throw malformed("a message of the kind {}", static_cast<int>(kind));
    }
}

}  // namespace detail

ISOROW_DECL any_message decode(byte_reader in, bool in_stream) {
    auto found = detail::take_any(in, in_stream);
    in.expect_end();
    return found;
}

ISOROW_DECL frame decode_frame(byte_reader in) {
    auto const kind = static_cast<char>(in.take_int8());
    if (kind == 'w') {
        wal_data found{detail::take_lsn(in)};
        found.server_end = detail::take_lsn(in);
        found.sent = detail::take_time(in);
        found.message = in.rest();
        return found;
    }
    if (kind != 'k') throw malformed("a frame of the kind {}", static_cast<int>(kind));
    keepalive found{detail::take_lsn(in)};
    found.sent = detail::take_time(in);
    found.asks_for_answer = in.take_int8() != 0;
    in.expect_end();
    return found;
}

ISOROW_DECL void encode(status_update const& status, byte_writer& out) {
    out.put_int8('r');
    for (auto const place : {status.received, status.stored, status.applied}) out.put_int64(static_cast<std::int64_t>(place.value));
    out.put_int64(status.sent.count());
    out.put_int8(status.asks_for_answer ? 1 : 0);
}

}  // namespace isorow::inline v1::pgoutput
