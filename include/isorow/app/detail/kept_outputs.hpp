#pragma once

/// @file
/// What memoized components declared in a run that has not been committed, in `isorow.kept_outputs`: a run that comes after one that died
/// need not call them again.

#include <isorow/app/detail/output.hpp>
#include <isorow/app/detail/writer.hpp>
#include <isorow/target/detail/registry.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

/// The kept outputs of an app. Thread-safe once it is open. What cannot be kept is lost to a later run only: no failure to keep is a
/// failure of the run; the connection's notices tell it.
class kept_outputs {
public:
    using bytes = std::vector<std::byte>;

    /// `keep`: never for runs that write nothing. Both references must outlive it.
    kept_outputs(writer& where, keep_outputs keep) : writer_(&where), keep_(keep) {}

    /// Finds out what an earlier run has left.
    void open(connection& connection, std::int32_t app) {
        app_ = app;
        auto const found = query<std::tuple<isorow::uuid, isorow::uuid, std::int32_t>>(
            database_ref(connection, writer_->step_limits()),
            "SELECT path, fingerprint, pg_catalog.octet_length(output) FROM isorow.kept_outputs WHERE app = $1", app);
        for (auto const& [path, memo, size] : found) {
            left_.emplace(fingerprint_in(path), left_output{fingerprint_in(memo)});
            left_bytes_ += size;
        }
        exist_ = !left_.empty();
    }

    /// The output that an earlier run kept of a component with this input; nothing where there is none.
    [[nodiscard]] std::optional<bytes> find(std::string_view path, fingerprint const& memo) {
        if (left_.empty() || has_given_up_) return std::nullopt;
        auto const found = left_.find(path_key(path));
        if (found == left_.end() || found->second.memo != memo) return std::nullopt;
        try {
            return writer_->use([&](connection& connection) {
                if (left_bytes_ <= read_at_once) read_all(connection);
                else read_one(connection, found->first, found->second);
                return std::exchange(found->second.payload, std::nullopt);
            });
        } catch (error const&) {
            // The component runs then. Where the connection is lost, the commit takes another one.
            has_given_up_ = true;
            return std::nullopt;
        }
    }

    /// Whether outputs are to be given to `add`.
    [[nodiscard]] bool wants_outputs() const noexcept { return keep_ != keep_outputs::never && !has_given_up_; }

    /// Keeps an output, now or together with others.
    void add(std::string_view path, fingerprint const& memo, bytes payload) {
        if (!wants_outputs() || payload.size() > longest_payload) return;
        {
            std::lock_guard const lock(mutex_);
            // What is made faster than it can be kept is made again as fast.
            if (!is_due() && waiting_.bytes + payload.size() > most_waiting) return;
            waiting_.add(path_key(path), memo, std::move(payload));
        }
        write_if_due();
    }

    /// Writes what waits to be written, where its time has come.
    void write_if_due() {
        if (!wants_outputs() || !is_due_now()) return;
        auto const write_all = [&](connection& connection) { write_waiting(connection); };
        try {
            // Where somebody writes at this moment, the next who comes by takes these along.
            if (keep_ == keep_outputs::always) writer_->use(write_all);
            else static_cast<void>(writer_->try_use(write_all));
        } catch (error const&) {
            // There is no connection, and nobody to tell it to: the commit will try for one, and say why it has none.
            has_given_up_ = true;
        }
    }

    /// Writes what is left where the run fails, unless it was so short that nothing is worth keeping.
    void write_rest() {
        if (std::chrono::steady_clock::now() - begun_ < interval && keep_ != keep_outputs::always) return;
        {
            std::lock_guard const lock(mutex_);
            last_write_ -= interval;
        }
        write_if_due();
    }

    /// Whether the table has outputs of this app, which the commit deletes.
    [[nodiscard]] bool exist() const noexcept { return exist_; }

private:
    struct fingerprint_hash {
        [[nodiscard]] std::size_t operator()(fingerprint const& one) const noexcept { return static_cast<std::size_t>(one.low); }
    };
    struct left_output {
        fingerprint memo{};
        std::optional<bytes> payload{};
    };
    struct batch {
        std::vector<isorow::uuid> paths{};
        std::vector<isorow::uuid> memos{};
        std::vector<kept_outputs::bytes> payloads{};
        std::size_t bytes = 0;

        void add(fingerprint const& path, fingerprint const& memo, kept_outputs::bytes payload) {
            bytes += payload.size();
            paths.push_back(as_uuid(path));
            memos.push_back(as_uuid(memo));
            payloads.push_back(std::move(payload));
        }
    };

    static constexpr std::chrono::steady_clock::duration interval = std::chrono::seconds(1);
    static constexpr std::size_t most_waiting = std::size_t{16} << 20;
    static constexpr std::size_t longest_payload = std::size_t{256} << 20;
    static constexpr std::int64_t read_at_once = std::int64_t{64} << 20;

    [[nodiscard]] static fingerprint path_key(std::string_view path) noexcept { return fingerprint_of(std::as_bytes(std::span(path))); }
    [[nodiscard]] static fingerprint fingerprint_in(isorow::uuid const& value) noexcept {
        return as_fingerprint(std::as_bytes(std::span(value.bytes())));
    }

    void read_all(connection& connection) {
        if (std::exchange(all_read_, true)) return;
        auto const rows = query<std::tuple<isorow::uuid, bytes>>(database_ref(connection, writer_->step_limits()),
                                                                 "SELECT path, output FROM isorow.kept_outputs WHERE app = $1", app_);
        for (auto const& [path, payload] : rows)
            if (auto const found = left_.find(fingerprint_in(path)); found != left_.end()) found->second.payload = payload;
    }
    void read_one(connection& connection, fingerprint const& path, left_output& one) {
        one.payload = query_optional<bytes>(database_ref(connection, writer_->step_limits()),
                                            "SELECT output FROM isorow.kept_outputs WHERE app = $1 AND path = $2", app_, as_uuid(path));
    }

    [[nodiscard]] bool is_due() const noexcept {
        return keep_ == keep_outputs::always || std::chrono::steady_clock::now() - last_write_ >= interval;
    }
    [[nodiscard]] bool is_due_now() {
        std::lock_guard const lock(mutex_);
        return !waiting_.paths.empty() && is_due();
    }

    /// Outputs that could not be written are dropped. The first failure may be that of a connection that was lost: the next are written on
    /// another one.
    void write_waiting(connection& connection) {
        batch all;
        {
            std::lock_guard const lock(mutex_);
            std::swap(all, waiting_);
        }
        if (all.paths.empty()) return;
        try {
            write(connection, all);
        } catch (error const& failure) {
            if (failure_count_++ > 0 || !failure.retryable()) has_given_up_ = true;
            connection.warn("WARNING", text("outputs of components could not be kept{}: {}",
                                            has_given_up_ ? "; no more are kept in this run" : "", failure.what()));
        }
        std::lock_guard const lock(mutex_);
        last_write_ = std::chrono::steady_clock::now();
    }

    /// Also where the run is being stopped: what was done is worth keeping then.
    void write(connection& connection, batch const& all) {
        execute(database_ref(connection, connection.default_limits()),
                "INSERT INTO isorow.kept_outputs (app, path, fingerprint, output)"
                " SELECT $1, n.path, n.fingerprint, n.output FROM ROWS FROM (pg_catalog.unnest($2::uuid[]), pg_catalog.unnest($3::uuid[]), "
                "pg_catalog.unnest($4::bytea[])) n (path, fingerprint, output)"
                " ON CONFLICT (app, path) DO UPDATE SET fingerprint = excluded.fingerprint, output = excluded.output",
                app_, all.paths, all.memos, all.payloads);
        exist_ = true;
    }

    writer* writer_;
    keep_outputs keep_;
    std::int32_t app_ = 0;
    std::unordered_map<fingerprint, left_output, fingerprint_hash> left_{};  ///< its payloads are the writer's
    std::int64_t left_bytes_ = 0;
    bool all_read_ = false;
    std::atomic<bool> exist_{false};
    std::atomic<bool> has_given_up_{false};
    int failure_count_ = 0;
    std::mutex mutex_{};
    batch waiting_{};
    std::chrono::steady_clock::time_point const begun_ = std::chrono::steady_clock::now();
    std::chrono::steady_clock::time_point last_write_ = begun_;
};

}  // namespace isorow::inline v1::detail
