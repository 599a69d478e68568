#pragma once

/// @file
/// Components that wait for a thread, and the threads that run them.

#include <isorow/config.hpp>
#include <isorow/pq/wait.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

class component;

/// Whether this thread is one of a queue's: no coroutines take turns on it.
inline thread_local bool is_queue_thread = false;

/// A component that waits to be run.
class component_task {
public:
    component_task() = default;
    component_task(component_task const&) = delete;
    component_task& operator=(component_task const&) = delete;
    virtual ~component_task() = default;

    /// Runs it. Does not throw: failures are the run's.
    virtual void run() noexcept = 0;
    [[nodiscard]] virtual bool is_below(component const& above) const noexcept = 0;
};

/// A short queue and its threads, which start with the first task. Thread-safe. Where the queue is full, whoever comes with a task runs it:
/// so nobody waits for room, and nothing can wait in a circle.
class component_queue {
public:
    using task = std::unique_ptr<component_task>;

    /// `threads`: how many run tasks, the one that makes them included.
    explicit component_queue(std::size_t threads);
    component_queue(component_queue const&) = delete;
    component_queue& operator=(component_queue const&) = delete;
    ~component_queue();

    [[nodiscard]] bool has_workers() const noexcept { return workers_ > 0; }

    /// Whether a task would be taken at this moment.
    [[nodiscard]] bool has_room();

    /// Puts a task in. Returns it where it was not taken.
    [[nodiscard]] task offer(task one);

    /// Drops the tasks that wait, and takes no more.
    void close() noexcept;

    /// Runs a task that belongs below this component. Returns false where none waits.
    bool help(component const& above);

    /// Waits until something has ended, or so long; unless `done()` already. Waits as all of isorow does, so that a coroutine may.
    template <class Done>
    void wait(Done&& done, std::chrono::milliseconds time, std::stop_token const& stop) {
        waker own;
        {
            std::lock_guard const lock(mutex_);
            if (done()) return;
            watchers_.push_back(&own);
        }
        auto const forget = [&] {
            std::lock_guard const lock(mutex_);
            std::erase(watchers_, &own);
        };
        try {
            static_cast<void>(
                wait_until_ready(own.descriptor(), interest::read, limits::within(time, stop), "waiting for the components of a run"));
        } catch (...) {
            forget();
            throw;
        }
        forget();
    }

    /// Tells who waits that a component has ended.
    void tell() noexcept;

    /// How many threads are running a task.
    [[nodiscard]] std::size_t running() noexcept;

    /// Ends the threads, after the tasks that they run.
    void stop() noexcept;

private:
    void work() noexcept;
    void tell_watchers() noexcept;

    std::size_t workers_;
    std::size_t room_;
    std::mutex mutex_{};
    std::condition_variable changed_{};
    std::deque<task> tasks_{};
    std::vector<std::thread> threads_{};
    std::vector<waker*> watchers_{};
    std::size_t idle_ = 0;
    bool is_open_ = true;
    bool is_stopped_ = false;
};

#if ISOROW_HAS_CODE

ISOROW_DECL component_queue::component_queue(std::size_t threads) : workers_(threads > 0 ? threads - 1 : 0), room_(4 * workers_) {}

ISOROW_DECL component_queue::~component_queue() { stop(); }

ISOROW_DECL bool component_queue::has_room() {
    std::lock_guard const lock(mutex_);
    return is_open_ && tasks_.size() < room_;
}

ISOROW_DECL component_queue::task component_queue::offer(task one) {
    std::lock_guard const lock(mutex_);
    if (!is_open_ || tasks_.size() >= room_) return one;
    tasks_.push_back(std::move(one));
    if (idle_ == 0 && threads_.size() < workers_) threads_.emplace_back([this] { work(); });
    changed_.notify_one();
    return nullptr;
}

ISOROW_DECL void component_queue::close() noexcept {
    std::deque<task> dropped;
    std::lock_guard const lock(mutex_);
    is_open_ = false;
    dropped.swap(tasks_);
    tell_watchers();
}

ISOROW_DECL bool component_queue::help(component const& above) {
    task one;
    {
        std::lock_guard const lock(mutex_);
        auto const found = std::find_if(tasks_.begin(), tasks_.end(), [&](task const& waiting) { return waiting->is_below(above); });
        if (found == tasks_.end()) return false;
        one = std::move(*found);
        tasks_.erase(found);
    }
    one->run();
    return true;
}

ISOROW_DECL void component_queue::tell() noexcept {
    std::lock_guard const lock(mutex_);
    tell_watchers();
}

ISOROW_DECL std::size_t component_queue::running() noexcept {
    std::lock_guard const lock(mutex_);
    return threads_.size() - idle_;
}

ISOROW_DECL void component_queue::stop() noexcept {
    close();
    {
        std::lock_guard const lock(mutex_);
        is_stopped_ = true;
        changed_.notify_all();
    }
    for (auto& thread : threads_) thread.join();
    threads_.clear();
}

ISOROW_DECL void component_queue::work() noexcept {
    is_queue_thread = true;
    std::unique_lock lock(mutex_);
    for (;;) {
        ++idle_;
        tell_watchers();
        changed_.wait(lock, [&] { return is_stopped_ || !tasks_.empty(); });
        --idle_;
        if (tasks_.empty()) {
            ++idle_;
            return;
        }
        auto one = std::move(tasks_.front());
        tasks_.pop_front();
        lock.unlock();
        one->run();
        one.reset();
        lock.lock();
    }
}

ISOROW_DECL void component_queue::tell_watchers() noexcept {
    for (auto* const watcher : watchers_) watcher->wake();
}

#endif

}  // namespace isorow::inline v1::detail
