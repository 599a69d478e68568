#pragma once

/// @file
/// Where the changes of a transaction are kept that is sent before it ends.

#include <isorow/config.hpp>
#include <isorow/error/replication_error.hpp>
#include <isorow/error/text.hpp>
#include <isorow/types/lsn.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <system_error>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace isorow::inline v1::detail {

/// What all spools of a stream share.
struct spool_limits {
    std::size_t memory = 0;  ///< so many bytes are kept in memory, of all transactions together
    std::uint64_t file = 0;  ///< and so many in temporary files
    std::string folder{};    ///< of the files; the system's where it is empty
    std::size_t memory_used = 0;
    std::uint64_t file_used = 0;
};

/// A file without a name: gone when it is closed, also where the process is killed.
class nameless_file {
public:
    nameless_file() = default;
    nameless_file(nameless_file&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    nameless_file& operator=(nameless_file&& other) noexcept;
    ~nameless_file();
    void write(std::span<std::byte const> bytes, std::string const& folder);

    /// Reads up to so many bytes; 0 at the end.
    [[nodiscard]] std::size_t read(std::uint64_t place, std::span<std::byte> into) const;

private:
    void open(std::string folder);
    [[noreturn]] static void fail(char const* what);

    int descriptor_ = -1;
};

/// Messages of one transaction in their order, each with its (sub)transaction and its place in the WAL. What the memory that all spools
/// share cannot hold goes to a file.
class transaction_spool {
public:
    struct record {
        std::uint32_t xid = 0;
        std::uint32_t size = 0;
        lsn place{};
    };

    explicit transaction_spool(spool_limits& limits) : limits_(&limits) {}
    transaction_spool(transaction_spool&& other) noexcept;
    transaction_spool& operator=(transaction_spool&&) = delete;
    ~transaction_spool();

    /// Throws `spool_error`.
    void add(std::uint32_t xid, lsn place, std::span<std::byte const> message);

    /// A subtransaction was rolled back: its changes will not be wanted.
    void abort(std::uint32_t xid) { aborted_.insert(xid); }
    [[nodiscard]] bool is_aborted(std::uint32_t xid) const { return aborted_.contains(xid); }

    /// The next message from the first, valid until the next call; false at the end. Nothing is added any more then.
    [[nodiscard]] bool next(record& head, std::span<std::byte const>& message);

private:
    static constexpr std::size_t least_read = std::size_t{64} * 1024;

    void to_file();

    /// The next bytes, `count` of them where there are as many; of the file first, then of the memory. A message does not span both.
    [[nodiscard]] std::span<std::byte const> ahead(std::size_t count);

    spool_limits* limits_;
    std::vector<std::byte> tail_{};  ///< what is not in the file
    std::size_t counted_ = 0;        ///< of it in what all spools use
    nameless_file file_{};
    std::uint64_t file_size_ = 0;
    std::unordered_set<std::uint32_t> aborted_{};
    std::uint64_t read_ = 0;  ///< from the file
    std::vector<std::byte> window_{};
    std::size_t taken_ = 0;  ///< from the window
};

}  // namespace isorow::inline v1::detail

#if ISOROW_HAS_CODE
#include <isorow/source/detail/transaction_spool_code.hpp>
#endif
