#pragma once

/// @file
/// Records in a file: a list in one JSON document, or a record on each line.

#include <isorow/error/error.hpp>
#include <isorow/error/text.hpp>
#include <isorow/error/value_error.hpp>
#include <isorow/records/detail/record_text.hpp>
#include <isorow/records/record.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace isorow::inline v1::records::detail {

[[nodiscard]] inline std::string failure_of_system() { return std::system_category().message(errno); }

/// An open file descriptor.
class descriptor {
public:
    /// `mode`: of a file that is made.
    descriptor(std::filesystem::path const& path, int flags, mode_t mode = 0666) : number_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {
        if (number_ < 0) throw usage_error(text("\"{}\" cannot be opened: {}", path.string(), failure_of_system()));
    }
    descriptor(descriptor const&) = delete;
    descriptor& operator=(descriptor const&) = delete;
    ~descriptor() { ::close(number_); }

    [[nodiscard]] int number() const noexcept { return number_; }

private:
    int number_;
};

/// The path of the file itself, absolute and without links, also where it is not there yet. Throws `usage_error` where no file can be.
[[nodiscard]] inline std::filesystem::path path_of_file(std::filesystem::path const& said) {
    constexpr int most_links = 40;  // as Linux follows
    std::error_code failure;
    std::error_code ignored;
    auto path = std::filesystem::absolute(said, failure);
    for (int i = 0; !failure && i < most_links && std::filesystem::is_symlink(path, ignored); ++i)
        path = path.parent_path() / std::filesystem::read_symlink(path, failure);
    if (!failure) path = std::filesystem::weakly_canonical(path, failure);
    if (failure) throw usage_error(text("\"{}\" cannot be opened: {}", said.string(), failure.message()));
    if (std::filesystem::is_directory(path, ignored)) throw usage_error(text("\"{}\" is a folder, not a file of records", said.string()));
    return path;
}

/// The file of a store, kept from others while it is open.
class record_file {
public:
    /// Throws `usage_error` where another store has the file.
    record_file(std::filesystem::path const& path, bool is_lines)
        : path_(path_of_file(path)),
          is_lines_(is_lines),
          folder_(path_.parent_path(), O_RDONLY | O_DIRECTORY),
          lock_(std::filesystem::path(path_.string() + ".lock"), O_RDWR | O_CREAT) {
        if (::flock(lock_.number(), LOCK_EX | LOCK_NB) != 0)
            throw usage_error(text("\"{}\" is in use by another store of records", path_.string()));
    }

    /// All records; none where the file is not there. Throws `value_error` with the file and the record's place for what is none.
    [[nodiscard]] std::vector<record> read() const {
        auto const all = text_of_file();
        return is_lines_ ? read_lines(all) : read_document(all);
    }

    /// Replaces all records. After a crash the file has these or those before: they are written to another file, which takes its place.
    template <std::ranges::input_range Records>
    void write(Records const& records) const {
        std::string all = is_lines_ ? "" : "[";
        bool is_first = true;
        for (record const& one : records) {
            if (!is_lines_) all += is_first ? "\n" : ",\n";
            append_record(all, one);
            if (is_lines_) all += '\n';
            is_first = false;
        }
        if (!is_lines_) all += "\n]\n";
        replace(all);
    }

private:
    [[nodiscard]] std::string text_of_file() const {
        if (!std::filesystem::exists(path_)) return {};
        descriptor const in(path_, O_RDONLY);
        std::string all;
        std::array<char, 65536> part;
        for (;;) {
            auto const size = ::read(in.number(), part.data(), part.size());
            if (size < 0 && errno == EINTR) continue;
            if (size < 0) throw usage_error(text("\"{}\" cannot be read: {}", path_.string(), failure_of_system()));
            if (size == 0) return all;
            all.append(part.data(), static_cast<std::size_t>(size));
        }
    }

    [[nodiscard]] std::vector<record> read_document(std::string_view all) const {
        std::vector<record> records;
        if (all.find_first_not_of(" \t\r\n") == std::string_view::npos) return records;
        try {
            records = record_reader(all).read_list();
        } catch (value_error const& failure) {
            failure.rethrow_at(path_.string());
        }
        return records;
    }

    [[nodiscard]] std::vector<record> read_lines(std::string_view all) const {
        std::vector<record> records;
        for (std::size_t number = 1; !all.empty(); ++number) {
            auto const line = all.substr(0, all.find('\n'));
            all.remove_prefix(std::min(line.size() + 1, all.size()));
            if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
            try {
                records.push_back(record_reader(line).read_one());
            } catch (value_error const& failure) {
                failure.rethrow_at(text("{}, line {}", path_.string(), number));
            }
        }
        return records;
    }

    /// The mode of the file that is there.
    [[nodiscard]] std::optional<mode_t> mode() const {
        struct stat found{};
        if (::stat(path_.c_str(), &found) != 0) return std::nullopt;
        return found.st_mode & 07777;
    }

    void replace(std::string_view all) const {
        auto const fresh = std::filesystem::path(path_.string() + ".new");
        {
            auto const kept = mode();
            descriptor const out(fresh, O_WRONLY | O_CREAT | O_TRUNC, kept.value_or(0666));
            if (kept && ::fchmod(out.number(), *kept) != 0)
                throw usage_error(text("\"{}\" cannot have the mode of the file: {}", fresh.string(), failure_of_system()));
            while (!all.empty()) {
                auto const written = ::write(out.number(), all.data(), all.size());
                if (written < 0 && errno == EINTR) continue;
                if (written < 0) throw usage_error(text("\"{}\" cannot be written: {}", fresh.string(), failure_of_system()));
                all.remove_prefix(static_cast<std::size_t>(written));
            }
            if (::fsync(out.number()) != 0) throw usage_error(text("\"{}\" cannot be written: {}", fresh.string(), failure_of_system()));
        }
        if (::rename(fresh.c_str(), path_.c_str()) != 0)
            throw usage_error(text("\"{}\" cannot take its place: {}", fresh.string(), failure_of_system()));
        // Its place is on the disk when the folder is; EINVAL: a file system that does without.
        if (::fsync(folder_.number()) != 0 && errno != EINVAL)
            throw usage_error(text("the folder of \"{}\" cannot be written: {}", path_.string(), failure_of_system()));
    }

    std::filesystem::path path_;
    bool is_lines_;
    descriptor folder_;
    descriptor lock_;
};

}  // namespace isorow::inline v1::records::detail
