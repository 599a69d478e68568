#pragma once

/// @file
/// The sources that an app follows, each with the batch that is to be applied next.

#include <isorow/app/detail/row_path.hpp>
#include <isorow/app/scope_path.hpp>
#include <isorow/config.hpp>
#include <isorow/source/follow.hpp>

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

/// One source, below one path of the app. Used by one thread at a time.
class live_source {
public:
    explicit live_source(std::string path) : path_(std::move(path)) {}
    live_source(live_source const&) = delete;
    live_source& operator=(live_source const&) = delete;
    virtual ~live_source() = default;

    [[nodiscard]] std::string const& path() const noexcept { return path_; }

    /// Waits for the next batch, which is then to be applied.
    virtual void pull(std::stop_token const& stop) = 0;
    /// The paths of what the batch asks to be run: those of the rows that it tells of, or the source's own where it tells of all.
    [[nodiscard]] virtual std::vector<std::string> extents() const = 0;
    /// Saves how far the source was applied. In the transaction that does so.
    virtual void save(database_ref const& where) = 0;
    /// Whether that is so already.
    [[nodiscard]] virtual bool is_saved_in(database_ref const& where) const = 0;
    /// The batch was applied.
    virtual void applied() = 0;
    /// All rows are to be applied next.
    virtual void begin_again() = 0;

private:
    std::string path_;
};

template <class T>
class live_source_of final : public live_source {
public:
    live_source_of(std::string path, followed<T> from) : live_source(std::move(path)), from_(std::move(from)) {}

    void pull(std::stop_token const& stop) override {
        if (!batch_) batch_ = from_.next(limits::until_stopped(stop));
    }

    [[nodiscard]] std::vector<std::string> extents() const override {
        std::vector<std::string> paths;
        for (auto const& event : batch_->events()) {
            if (!event.key) return {path()};  // all rows
            paths.push_back((scope_path::parse(path()) / path_of_key<T>(*event.key)).text());
        }
        return paths;
    }

    void save(database_ref const& where) override {
        if (batch_) batch_->save(where);
    }
    [[nodiscard]] bool is_saved_in(database_ref const& where) const override { return batch_ && batch_->is_saved_in(where); }
    void applied() override {
        batch_.reset();
        has_let_go_ = false;
    }
    void begin_again() override {
        applied();
        from_.begin_again();
    }

    /// Calls `take(key, row)` with each row of the batch and, where it begins with all rows, of those that come after it until all were
    /// told. Called again after a run that failed it takes the same rows; where not all are at hand any more, all that there are then.
    template <class Take>
    void for_each_row(std::stop_token const& stop, Take&& take) {
        if (has_let_go_) begin_again();
        pull(stop);
        bool reads_all = !batch_->empty() && batch_->events().front().kind == event_kind::begin_rows;
        for (;;) {
            for (auto const& event : batch_->events()) {
                if (event.row) take(*event.key, *event.row);
                if (event.kind == event_kind::end_rows) reads_all = false;
            }
            if (!reads_all) return;
            has_let_go_ = true;
            batch_.reset();
            pull(stop);
        }
    }

private:
    followed<T> from_;
    std::optional<event_batch<T>> batch_{};
    bool has_let_go_ = false;  ///< of batches before the last one, which are to be applied with it
};

/// All sources that an app follows, by their paths, and the threads that wait for them. A source belongs to the app's run while a batch of
/// it waits to be applied, and to its thread while it waits for one.
class live_sources {
public:
    live_sources(pool& positions, std::string app, std::size_t batch, std::stop_token stop)
        : positions_(&positions), app_(std::move(app)), batch_(batch), stop_(std::move(stop)) {}
    live_sources(live_sources const&) = delete;
    live_sources& operator=(live_sources const&) = delete;
    ~live_sources() { end_threads(); }

    /// The source of a path, which is followed from now on. Throws `usage_error` where the path has one of another type.
    template <class T, class How>
    [[nodiscard]] std::shared_ptr<live_source_of<T>> open(std::string const& path, source<T> const& from, How how) {
        std::lock_guard const lock(mutex_);
        for (auto const& one : entries_) {
            if (one->source->path() != path) continue;
            if (auto same = std::dynamic_pointer_cast<live_source_of<T>>(one->source)) return same;
            throw usage_error(text("two sources of different types are mounted at {}", shown_path(path)));
        }
        if constexpr (requires { how.notification.channel; })
            how.notification.channel = channel_of(how.notification, app_, std::string_view(path).substr(1));
        auto made = std::make_shared<live_source_of<T>>(
            path, isorow::follow(
                      from, how,
                      follow_options{.consumer = app_ + path, .batch = batch_, .positions = database_ref(*positions_), .stop = stop_}));
        entries_.push_back(std::make_unique<entry>(made));
        return made;
    }

    /// Waits until a source has a batch to be applied. Null when the stop token says so. Throws what following a source throws.
    [[nodiscard]] live_source* next();

    /// Its batch was applied: it waits for the next one.
    void applied(live_source& source);

    /// Ends the threads, so that the caller alone uses all sources: they wait no longer once `next` is called again.
    void end_threads();

    /// All rows of all sources are to be applied next. Only without threads.
    void begin_again();
    /// What was taken of all sources in a run of the whole app was applied. Only without threads.
    void all_applied();

private:
    struct entry {
        explicit entry(std::shared_ptr<live_source> what) : source(std::move(what)) {}

        std::shared_ptr<live_source> source;
        bool is_ready = false;  ///< a batch waits to be applied
        std::exception_ptr failure{};
        std::jthread thread{};
    };

    void start_threads();

    /// One source's thread.
    void wait_for(entry& one, std::stop_token const& ending);
    void forget_waker();

    pool* positions_;
    std::string app_;
    std::size_t batch_;
    std::stop_token stop_;
    std::mutex mutex_{};
    std::condition_variable changed_{};
    waker* waker_ = nullptr;
    std::stop_source ending_{};
    std::vector<std::unique_ptr<entry>> entries_{};
};

#if ISOROW_HAS_CODE

ISOROW_DECL live_source* live_sources::next() {
    start_threads();
    for (;;) {
        waker woken;
        {
            std::lock_guard const lock(mutex_);
            for (auto& one : entries_) {
                if (one->failure) std::rethrow_exception(one->failure);
                if (one->is_ready) return one->source.get();
            }
            waker_ = &woken;
        }
        try {
            wait_for_socket(woken.descriptor(), interest::read, limits::until_stopped(stop_), "waiting for changes of an app's sources");
        } catch (...) {
            forget_waker();
            if (stop_.stop_requested()) return nullptr;
            throw;
        }
        forget_waker();
    }
}

ISOROW_DECL void live_sources::applied(live_source& source) {
    source.applied();
    std::lock_guard const lock(mutex_);
    for (auto& one : entries_)
        if (one->source.get() == &source) one->is_ready = false;
    changed_.notify_all();
}

ISOROW_DECL void live_sources::end_threads() {
    {
        std::lock_guard const lock(mutex_);
        ending_.request_stop();
        changed_.notify_all();
    }
    for (auto& one : entries_) one->thread = {};
    ending_ = {};
}

ISOROW_DECL void live_sources::begin_again() {
    for (auto& one : entries_) {
        one->source->begin_again();
        one->is_ready = false;
    }
}

ISOROW_DECL void live_sources::all_applied() {
    for (auto& one : entries_) {
        one->source->applied();
        one->is_ready = false;
    }
}

ISOROW_DECL void live_sources::start_threads() {
    for (auto& one : entries_)
        if (!one->thread.joinable())
            one->thread = std::jthread([this, &one = *one, ending = ending_.get_token()] { wait_for(one, ending); });
}

ISOROW_DECL void live_sources::wait_for(entry& one, std::stop_token const& ending) {
    std::stop_source either;
    std::stop_callback const on_ending(ending, [&] { either.request_stop(); });
    std::stop_callback const on_stop(stop_, [&] { either.request_stop(); });
    for (;;) {
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [&] { return !one.is_ready || ending.stop_requested(); });
            if (ending.stop_requested()) return;
        }
        std::exception_ptr failure;
        try {
            one.source->pull(either.get_token());
        } catch (stopped const&) {
            return;
        } catch (...) {
            failure = std::current_exception();
        }
        std::lock_guard const lock(mutex_);
        one.is_ready = !failure;
        one.failure = failure;
        if (waker_ != nullptr) waker_->wake();
        if (failure) return;
    }
}

ISOROW_DECL void live_sources::forget_waker() {
    std::lock_guard const lock(mutex_);
    waker_ = nullptr;
}

#endif

}  // namespace isorow::inline v1::detail
