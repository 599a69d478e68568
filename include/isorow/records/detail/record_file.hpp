#pragma once

/// @file
/// Records in a file: a list in one JSON document, or a record on each line.

#include <isorow/error/error.hpp>
#include <isorow/json/codec.hpp>
#include <isorow/json/value.hpp>
#include <isorow/records/detail/new_id.hpp>
#include <isorow/records/record.hpp>
#include <isorow/types/uuid.hpp>

#include <boost/json/object.hpp>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace isorow::inline v1::records::detail {

/// A record as people may write it: what the store would make may be left out.
struct written_record {
    std::optional<uuid> id;
    boost::json::object fields;
    std::optional<boost::json::object> metadata;
    std::optional<std::chrono::sys_time<std::chrono::microseconds>> created_at;
    std::optional<std::chrono::sys_time<std::chrono::microseconds>> updated_at;

    static constexpr auto isorow_unknown_members = unknown_members::refuse;
};

[[nodiscard]] inline record as_record(written_record&& written, std::chrono::sys_time<std::chrono::microseconds> now) {
    record made{.id = written.id ? *written.id : new_id(),
                .fields = std::move(written.fields),
                .metadata = written.metadata ? std::move(*written.metadata) : boost::json::object{},
                .created_at = written.created_at.value_or(now),
                .updated_at = {}};
    made.updated_at = written.updated_at.value_or(made.created_at);
    return made;
}

[[nodiscard]] inline std::string failure_of_system() { return std::system_category().message(errno); }

/// An open file descriptor.
class descriptor {
public:
    descriptor(std::filesystem::path const& path, int flags) : number_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {
        if (number_ < 0) throw usage_error(text("\"{}\" cannot be opened: {}", path.string(), failure_of_system()));
    }
    descriptor(descriptor const&) = delete;
    descriptor& operator=(descriptor const&) = delete;
    ~descriptor() { ::close(number_); }

    [[nodiscard]] int number() const noexcept { return number_; }

private:
    int number_;
};

/// The file of a store, kept from others while it is open.
class record_file {
public:
    /// Throws `usage_error` where another store has the file.
    record_file(std::filesystem::path path, bool is_lines)
        : path_(std::move(path)), is_lines_(is_lines), lock_(std::filesystem::path(path_.string() + ".lock"), O_RDWR | O_CREAT) {
        if (::flock(lock_.number(), LOCK_EX | LOCK_NB) != 0)
            throw usage_error(text("\"{}\" is in use by another store of records", path_.string()));
    }

    /// All records; none where the file is not there. Throws `value_error` with the file and the record's place for what is none.
    [[nodiscard]] std::vector<record> read() const {
        std::ifstream in(path_, std::ios::binary);
        if (!in) {
            if (!std::filesystem::exists(path_)) return {};
            throw usage_error(text("\"{}\" cannot be read", path_.string()));
        }
        std::string const all(std::istreambuf_iterator<char>(in), {});
        return is_lines_ ? read_lines(all) : read_document(all);
    }

    /// Replaces all records. After a crash the file has these or those before: they are written to another file, which takes its place.
    template <std::ranges::input_range Records>
    void write(Records const& records) const {
        std::string all = is_lines_ ? "" : "[";
        bool is_first = true;
        for (record const& one : records) {
            if (!is_lines_) all += is_first ? "\n" : ",\n";
            all += to_json_text(one);
            if (is_lines_) all += '\n';
            is_first = false;
        }
        if (!is_lines_) all += "\n]\n";
        replace(all);
    }

private:
    using times = std::chrono::sys_time<std::chrono::microseconds>;

    [[nodiscard]] std::vector<record> read_document(std::string_view all) const {
        if (all.find_first_not_of(" \t\r\n") == std::string_view::npos) return {};
        std::vector<written_record> written;
        try {
            written = from_json_text<std::vector<written_record>>(all);
        } catch (value_error const& failure) {
            failure.rethrow_at(path_.string());
        }
        std::vector<record> records;
        records.reserve(written.size());
        auto const now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
        for (auto& one : written) records.push_back(as_record(std::move(one), now));
        return records;
    }

    [[nodiscard]] std::vector<record> read_lines(std::string_view all) const {
        std::vector<record> records;
        auto const now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
        for (std::size_t number = 1; !all.empty(); ++number) {
            auto const line = all.substr(0, all.find('\n'));
            all.remove_prefix(std::min(line.size() + 1, all.size()));
            if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
            try {
                records.push_back(as_record(from_json_text<written_record>(line), now));
            } catch (value_error const& failure) {
                failure.rethrow_at(text("{}, line {}", path_.string(), number));
            }
        }
        return records;
    }

    void replace(std::string_view all) const {
        auto const fresh = std::filesystem::path(path_.string() + ".new");
        {
            descriptor const out(fresh, O_WRONLY | O_CREAT | O_TRUNC);
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
    }

    std::filesystem::path path_;
    bool is_lines_;
    descriptor lock_;
};

}  // namespace isorow::inline v1::records::detail
