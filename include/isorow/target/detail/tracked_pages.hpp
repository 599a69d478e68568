#pragma once

/// @file
/// `isorow.tracked`: what was declared, in pages of several rows of one owner each, so that recording a row costs little beside writing it.
/// A page has the rows' keys as images, their fingerprints, and the transactions that wrote them.

#include <isorow/target/detail/registry.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace isorow::inline v1::detail {

/// The rows of pages one by one, as a table expression: of `isorow.tracked`, or of a query's own pages.
[[nodiscard]] inline std::string unpacked(std::string_view pages = "isorow.tracked") {
    return text(
        "(SELECT p.target, p.owner, r.key, r.fingerprint, r.version FROM {} p, ROWS FROM (pg_catalog.unnest(p.keys), "
        "pg_catalog.unnest(p.fingerprints), pg_catalog.unnest(p.versions)) AS r (key, fingerprint, version))",
        pages);
}

/// How many rows a page has at most, and about how many bytes: a page is not to be moved out of line.
inline constexpr std::size_t page_rows = 40;
inline constexpr std::size_t page_bytes = 1700;

/// One row of a page.
struct tracked_row {
    std::span<std::byte const> key;
    fingerprint value{};
    std::uint32_t version = 0;
};

/// Where a page is: it stays there until the transaction ends, as commits that change the record follow each other.
struct page_place {
    std::uint32_t block = 0;
    std::uint16_t offset = 0;
};

/// Takes the elements of an array of one dimension apart. Throws `malformed` where they are not as many as it says.
class array_elements {
public:
    explicit array_elements(std::span<std::byte const> array) : in_(array) {
        auto const dimensions = in_.take_int32();
        static_cast<void>(in_.take_bytes(2 * sizeof(std::int32_t)));  // whether there are NULLs, the elements' type
        if (dimensions != 0 && dimensions != 1) throw malformed("a record with {} dimensions", dimensions);
        if (dimensions == 0) return;
        count_ = in_.take_int32();
        static_cast<void>(in_.take_int32());
    }
    [[nodiscard]] std::int32_t size() const noexcept { return count_; }
    [[nodiscard]] std::span<std::byte const> next() {
        auto const length = in_.take_int32();
        if (length < 0) throw malformed("a record with NULL");
        return in_.take_bytes(static_cast<std::size_t>(length));
    }

private:
    byte_reader in_;
    std::int32_t count_ = 0;
};

/// Reads pages, and calls `take(place, owner, rows)` with each. `condition`: of the pages, as SQL.
template <class Take>
void read_pages(connection& connection, std::optional<limits> const& given, std::string_view condition, Take&& take) {
    std::vector<tracked_row> rows;
    auto const sql = text("SELECT p.ctid, p.owner, p.keys, p.fingerprints, p.versions FROM isorow.tracked p WHERE {}", condition);
    read_tuples(connection, given, sql, [&](std::span<std::byte const> tuple) {
        byte_reader in(tuple);
        static_cast<void>(in.take_int16());
        auto const field = [&] { return in.take_bytes(static_cast<std::size_t>(in.take_int32())); };
        byte_reader where(field());
        page_place place;
        place.block = where.take_uint32();
        place.offset = static_cast<std::uint16_t>(where.take_int16());
        auto const owner = byte_reader(field()).take_int64();
        array_elements keys(field());
        array_elements fingerprints(field());
        array_elements versions(field());
        if (keys.size() != fingerprints.size() || keys.size() != versions.size())
            throw malformed("a record whose parts are of different sizes");
        rows.clear();
        for (std::int32_t i = 0; i < keys.size(); ++i) {
            auto const key = keys.next();
            auto const value = fingerprints.next();
            if (value.size() != 2 * sizeof(std::uint64_t)) throw malformed("a fingerprint of {} bytes", value.size());
            rows.push_back({key, as_fingerprint(value), byte_reader(versions.next()).take_uint32()});
        }
        take(place, owner, std::span<tracked_row const>(rows));
    });
}

/// Deletes pages by their places, which this transaction has read.
inline void delete_pages(connection& connection, std::optional<limits> const& given, std::vector<page_place> const& places) {
    constexpr std::size_t at_once = 5000;
    for (std::size_t from = 0; from < places.size(); from += at_once) {
        std::string list;
        for (std::size_t i = from; i < std::min(places.size(), from + at_once); ++i)
            list += text("{}\"({},{})\"", list.empty() ? "" : ",", places[i].block, places[i].offset);
        execute_script(connection, text("DELETE FROM isorow.tracked WHERE ctid = ANY ('{{}}'::tid[])", list),
                       given ? *given : connection.default_limits());
    }
}

/// Writes pages by COPY. The rows of one owner have to come one after another.
class page_writer {
public:
    /// `table`: as SQL, one with the columns of `isorow.tracked`.
    page_writer(connection& connection, std::optional<limits> const& given, std::int32_t target, std::string_view table = "isorow.tracked")
        : copy_(connection, text("COPY {} (target, owner, keys, fingerprints, versions) FROM STDIN (FORMAT binary)", table), given),
          target_(target) {
        copy_format::put_header(copy_.buffer());
    }

    void add(std::int64_t owner, tracked_row const& row) {
        if (count_ > 0 && (owner != owner_ || count_ == page_rows || keys_.size() + row.key.size() > page_bytes - count_ * 24)) flush();
        owner_ = owner;
        ++count_;
        keys_.put_int32(static_cast<std::int32_t>(row.key.size()));
        keys_.put_bytes(row.key);
        put_fingerprint(row.value, fingerprints_);
        versions_.put_int32(sizeof row.version);
        versions_.put_uint32(row.version);
    }

    void finish() {
        if (count_ > 0) flush();
        copy_format::put_trailer(copy_.buffer());
        copy_.finish();
    }

private:
    static constexpr oid bytea_oid = 17;
    static constexpr oid uuid_oid = 2950;
    static constexpr oid xid_oid = 28;

    void flush() {
        auto& out = copy_.buffer();
        out.put_int16(5);
        out.put_int32(sizeof target_);
        out.put_int32(target_);
        out.put_int32(sizeof owner_);
        out.put_int64(owner_);
        put_array(bytea_oid, keys_);
        put_array(uuid_oid, fingerprints_);
        put_array(xid_oid, versions_);
        copy_.flush_if_full();
        count_ = 0;
    }
    void put_array(oid type, byte_writer& elements) {
        auto& out = copy_.buffer();
        out.put_int32(static_cast<std::int32_t>(elements.size() + 5 * sizeof(std::int32_t)));
        out.put_int32(1);
        out.put_int32(0);
        out.put_uint32(type);
        out.put_int32(static_cast<std::int32_t>(count_));
        out.put_int32(1);
        out.put_bytes(elements.bytes());
        elements.clear();
    }

    copy_in copy_;
    std::int32_t target_;
    std::int64_t owner_ = 0;
    std::size_t count_ = 0;
    byte_writer keys_{};
    byte_writer fingerprints_{};
    byte_writer versions_{};
};

}  // namespace isorow::inline v1::detail
