#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

/// Threads that run tasks, each at its time. Thread-safe. Tasks must not throw.
class task_queue {
public:
    explicit task_queue(std::size_t threads) {
        for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
    }
    task_queue(task_queue const&) = delete;
    task_queue& operator=(task_queue const&) = delete;
    ~task_queue() { stop(); }

    void add(std::function<void()> task, std::chrono::steady_clock::time_point when = {}) {
        std::lock_guard const lock(mutex_);
        tasks_.emplace(when, std::move(task));
        changed_.notify_one();
    }

    /// Ends the threads after the tasks that they run; those that were not begun are dropped. Not called by a task.
    void stop() {
        {
            std::lock_guard const lock(mutex_);
            stopped_ = true;
            tasks_.clear();
            changed_.notify_all();
        }
        for (auto& thread : threads_) thread.join();
        threads_.clear();
    }

private:
    void run() {
        std::unique_lock lock(mutex_);
        while (!stopped_) {
            if (tasks_.empty()) {
                changed_.wait(lock);
            } else if (auto const first = tasks_.begin(); first->first > std::chrono::steady_clock::now()) {
                changed_.wait_until(lock, std::chrono::steady_clock::time_point(first->first));
            } else {
                auto const task = std::move(first->second);
                tasks_.erase(first);
                lock.unlock();
                task();
                lock.lock();
            }
        }
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::multimap<std::chrono::steady_clock::time_point, std::function<void()>> tasks_;
    std::vector<std::thread> threads_;
    bool stopped_ = false;
};

}  // namespace isorow::inline v1::detail
