// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/config.hpp>

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace gradus::inline GRADUS_ARCH::core {

/// A thread that makes values ahead: at most `ahead` wait. An exception comes out where its value would have.
template <class X>
class prefetcher {
public:
    prefetcher(std::function<std::optional<X>()> next, int ahead)
        : next_(std::move(next)), ahead_(static_cast<std::size_t>(ahead)), thread_([this] { work(); }) {}
    prefetcher(prefetcher const&) = delete;
    prefetcher& operator=(prefetcher const&) = delete;
    ~prefetcher() {
        {
            std::lock_guard const held(lock_);
            stopped_ = true;
        }
        changed_.notify_all();
        thread_.join();
    }
    /// The next value, or none at the end.
    std::optional<X> take() {
        std::unique_lock held(lock_);
        changed_.wait(held, [this] { return !ready_.empty() || done_; });
        if (ready_.empty()) {
            if (fault_) std::rethrow_exception(std::exchange(fault_, nullptr));
            return {};
        }
        std::optional<X> first(std::move(ready_.front()));
        ready_.pop_front();
        held.unlock();
        changed_.notify_all();
        return first;
    }

private:
    void work() {
        try {
            while (std::optional<X> made = next_()) {
                std::unique_lock held(lock_);
                changed_.wait(held, [this] { return ready_.size() < ahead_ || stopped_; });
                if (stopped_) return;
                ready_.push_back(std::move(*made));
                held.unlock();
                changed_.notify_all();
            }
        } catch (...) {
            std::lock_guard const held(lock_);
            fault_ = std::current_exception();
        }
        {
            std::lock_guard const held(lock_);
            done_ = true;
        }
        changed_.notify_all();
    }
    std::function<std::optional<X>()> next_;
    std::size_t ahead_;
    std::mutex lock_;
    std::condition_variable changed_;
    std::deque<X> ready_;
    bool stopped_ = false, done_ = false;
    std::exception_ptr fault_;
    std::thread thread_;  // last: it uses the others
};

}  // namespace gradus::inline GRADUS_ARCH::core
