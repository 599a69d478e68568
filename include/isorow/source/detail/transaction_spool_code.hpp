#pragma once

#include <isorow/source/detail/transaction_spool.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <utility>

namespace isorow::inline v1::detail {

ISOROW_DECL nameless_file& nameless_file::operator=(nameless_file&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
}

ISOROW_DECL nameless_file::~nameless_file() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

ISOROW_DECL void nameless_file::write(std::span<std::byte const> bytes, std::string const& folder) {
    if (descriptor_ < 0) open(folder);
    while (!bytes.empty()) {
        auto const written = ::write(descriptor_, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) fail("written");
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
}

ISOROW_DECL std::size_t nameless_file::read(std::uint64_t place, std::span<std::byte> into) const {
    for (;;) {
        auto const taken = ::pread(descriptor_, into.data(), into.size(), static_cast<off_t>(place));
        if (taken < 0 && errno == EINTR) continue;
        if (taken < 0) fail("read");
        return static_cast<std::size_t>(taken);
    }
}

ISOROW_DECL void nameless_file::open(std::string folder) {
    if (folder.empty()) {
        char const* const said = std::getenv("TMPDIR");
        folder = said == nullptr || *said == 0 ? "/tmp" : said;
    }
    auto name = folder + "/isorow-changes-XXXXXX";
    descriptor_ = ::mkstemp(name.data());
    if (descriptor_ < 0) fail("made");
    ::unlink(name.c_str());
    static_cast<void>(::fcntl(descriptor_, F_SETFD, FD_CLOEXEC));
}

[[noreturn]] ISOROW_DECL void nameless_file::fail(char const* what) {
    throw spool_error(
        text("the temporary file of a transaction under way could not be {}: {}. Where there is no room, say another "
             "temporary_folder, or turn streaming off, so that the server keeps the changes until the commit",
             what, std::generic_category().message(errno)));
}

ISOROW_DECL transaction_spool::transaction_spool(transaction_spool&& other) noexcept
    : limits_(other.limits_),
      tail_(std::move(other.tail_)),
      counted_(std::exchange(other.counted_, 0)),
      file_(std::move(other.file_)),
      file_size_(std::exchange(other.file_size_, 0)),
      aborted_(std::move(other.aborted_)) {}

ISOROW_DECL transaction_spool::~transaction_spool() {
    limits_->memory_used -= counted_;
    limits_->file_used -= file_size_;
}

ISOROW_DECL void transaction_spool::add(std::uint32_t xid, lsn place, std::span<std::byte const> message) {
    record const head{xid, static_cast<std::uint32_t>(message.size()), place};
    auto const bytes = std::as_bytes(std::span(&head, 1));
    tail_.insert(tail_.end(), bytes.begin(), bytes.end());
    tail_.insert(tail_.end(), message.begin(), message.end());
    limits_->memory_used += sizeof head + message.size();
    counted_ += sizeof head + message.size();
    if (limits_->memory_used > limits_->memory) to_file();
}

ISOROW_DECL bool transaction_spool::next(record& head, std::span<std::byte const>& message) {
    auto const bytes = ahead(sizeof head);
    if (bytes.empty()) return false;
    if (bytes.size() == sizeof head) std::memcpy(&head, bytes.data(), sizeof head);
    auto const whole = bytes.size() < sizeof head ? bytes : ahead(sizeof head + head.size);
    if (bytes.size() < sizeof head || whole.size() < sizeof head + head.size)
        throw spool_error("the temporary file of a transaction under way is shorter than what was written to it");
    message = whole.subspan(sizeof head);
    taken_ += whole.size();
    return true;
}

ISOROW_DECL void transaction_spool::to_file() {
    if (limits_->file_used + tail_.size() > limits_->file)
        throw spool_error(
            text("the transactions under way have more than {} bytes of changes: raise largest_spool, or turn streaming "
                 "off, so that the server keeps the changes until the commit",
                 limits_->file));
    file_.write(tail_, limits_->folder);
    file_size_ += tail_.size();
    limits_->file_used += tail_.size();
    limits_->memory_used -= std::exchange(counted_, 0);
    tail_.clear();
}

ISOROW_DECL std::span<std::byte const> transaction_spool::ahead(std::size_t count) {
    auto const available = window_.size() - taken_;
    if (available >= count) return std::span(window_).subspan(taken_, count);
    if (read_ < file_size_) {
        window_.erase(window_.begin(), window_.begin() + static_cast<std::ptrdiff_t>(taken_));
        taken_ = 0;
        while (window_.size() < count && read_ < file_size_) {
            auto const old = window_.size();
            auto const wanted = std::min<std::uint64_t>(std::max(count - old, least_read), file_size_ - read_);
            window_.resize(old + static_cast<std::size_t>(wanted));
            auto const got = file_.read(read_, std::span(window_).subspan(old));
            window_.resize(old + got);
            if (got == 0) break;
            read_ += got;
        }
        return std::span(window_).first(std::min(count, window_.size()));
    }
    if (available > 0 || tail_.empty()) return std::span(window_).subspan(taken_);
    window_ = std::exchange(tail_, {});
    taken_ = 0;
    return std::span(window_).first(std::min(count, window_.size()));
}

}  // namespace isorow::inline v1::detail
