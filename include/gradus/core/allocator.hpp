// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/target.hpp>

#include <cstddef>
#include <cstdint>
#include <new>

// Memory of tensors, saved values, scratch memory and large arrays: what is given back is kept for the next block of its size, by the
// thread that gave it back. So a step that is repeated asks the system for nothing, and its pages are there.

namespace gradus::inline GRADUS_ARCH {

/// What a thread has taken of the memory of tensors, programs and arrays, in blocks of 512 bytes and more.
struct memory_counts {
    std::int64_t allocated = 0;      ///< bytes in use; below 0 in a thread that gives back what others took
    std::int64_t max_allocated = 0;  ///< the most of them
    std::int64_t cached = 0;         ///< bytes that are kept
    std::int64_t hits = 0;           ///< blocks taken from the cache
    std::int64_t misses = 0;         ///< blocks taken from operator new

    std::int64_t reserved() const { return allocated + cached; }
};

namespace core {

/// Blocks that a thread keeps, in lists by size: powers of two and the quarters between them.
class block_cache {
public:
    static constexpr std::size_t smallest = target::cached_block, alignment = target::cache_line;
    static constexpr int classes = 109;  ///< up to 64 GB; larger blocks are not kept

    /// The class of the smallest size that holds as many bytes.
    static constexpr int class_of(std::size_t bytes) {
        if (bytes <= smallest) return 0;
        int const power = 63 - __builtin_clzll(bytes - 1);
        return (power - 9) * 4 + static_cast<int>((bytes - 1) >> (power - 2) & 3) + 1;
    }
    static constexpr std::size_t size_of_class(int c) {
        return c ? static_cast<std::size_t>((c - 1) % 4 + 5) << ((c - 1) / 4 + 7) : smallest;
    }
    /// At least as many bytes, not initialized. Throws std::bad_alloc when the system has no more and nothing is kept.
    void* take(std::size_t bytes) {
        int const c = class_of(bytes);
        std::size_t const size = size_of_block(bytes, c);
        void* block = nullptr;
        if (c < classes && free_[c]) {
            block = free_[c];
            free_[c] = free_[c]->next;
            counts.cached -= static_cast<std::int64_t>(size);
            ++counts.hits;
        } else block = take_new(size);
        counts.allocated += static_cast<std::int64_t>(size);
        if (counts.allocated > counts.max_allocated) counts.max_allocated = counts.allocated;
        return block;
    }
    /// Gives back what was taken for as many bytes, by this thread or another.
    void give(void* block, std::size_t bytes) {
        int const c = class_of(bytes);
        std::size_t const size = size_of_block(bytes, c);
        counts.allocated -= static_cast<std::int64_t>(size);
        if (c >= classes || !make_room(static_cast<std::int64_t>(size), c)) return release(block);
        free_[c] = new (block) link{free_[c]};
        counts.cached += static_cast<std::int64_t>(size);
    }
    void empty() {
        for (int c = 0; c < classes; ++c) drop(c, 0);
    }
    /// From now on at most as many bytes are kept.
    void limit_to(std::int64_t bytes) {
        limit_ = bytes;
        for (int c = 0; c < classes; ++c) drop(c, limit_);
    }
    /// The thread ends: nothing is kept any more.
    void close() { limit_to(-1); }

    memory_counts counts;

private:
    struct link {
        link* next;
    };

    /// Sanitizers see the memory that was asked for, and what is given back for the last time.
    static constexpr std::size_t size_of_block(std::size_t bytes, int c) {
        return sanitizes_memory || c >= classes ? whole_lines(bytes) : size_of_class(c);
    }
    static void release(void* block) { ::operator delete(block, std::align_val_t{alignment}); }
    [[gnu::noinline]] void* take_new(std::size_t size) {
        ++counts.misses;
        if (counts.cached == 0) return ::operator new(size, std::align_val_t{alignment});
        if (void* block = ::operator new(size, std::align_val_t{alignment}, std::nothrow)) return block;
        empty();
        return ::operator new(size, std::align_val_t{alignment});
    }
    /// Drops blocks of a class until no more than `kept` bytes are in the cache.
    void drop(int c, std::int64_t kept) {
        while (free_[c] && counts.cached > kept) {
            link* const block = free_[c];
            free_[c] = block->next;
            counts.cached -= static_cast<std::int64_t>(size_of_class(c));
            release(block);
        }
    }
    /// May a block be kept? Blocks of other classes make room, in turn: what is no longer asked for goes.
    bool make_room(std::int64_t size, int c) {
        if (counts.cached + size <= limit_ && watched_) return !sanitizes_memory;
        return make_room_slowly(size, c);
    }
    bool make_room_slowly(std::int64_t size, int c);

    link* free_[classes]{};
    std::int64_t limit_ = target::cache_limit;
    int turn_ = 0;          ///< the class to drop blocks of next
    bool watched_ = false;  ///< something empties it when the thread ends
};
[[gnu::visibility("default")]] inline constinit thread_local block_cache cache_of_thread{};

/// Empties the cache when its thread ends. What ends later, static objects and other objects of the thread, gives its memory
/// to a closed cache, which keeps nothing.
struct block_cache_end {
    ~block_cache_end() { cache_of_thread.close(); }
    void watch() const {}
};
[[gnu::noinline]] inline bool block_cache::make_room_slowly(std::int64_t size, int c) {
    if (sanitizes_memory || size > limit_) return false;
    if (!watched_) {
        static thread_local block_cache_end const end;
        end.watch();
        watched_ = true;
    }
    for (int looked = 0; counts.cached + size > limit_ && looked < classes; ++looked, turn_ = (turn_ + 1) % classes)
        if (turn_ != c) drop(turn_, limit_ - size);
    return counts.cached + size <= limit_;
}

/// Memory that begins at a cache line. Throws std::bad_alloc.
[[gnu::noinline]] inline void* allocate_block(std::size_t bytes) {
    if (bytes >= block_cache::smallest) return cache_of_thread.take(bytes);
    return ::operator new(whole_lines(bytes), std::align_val_t{block_cache::alignment});
}
/// Gives it back, with the number of bytes that it was asked for by.
[[gnu::noinline]] inline void free_block(void* block, std::size_t bytes) {
    if (bytes >= block_cache::smallest) cache_of_thread.give(block, bytes);
    else ::operator delete(block, std::align_val_t{block_cache::alignment});
}

}  // namespace core

/// What the calling thread has taken, and what it keeps. A block counts with its size, up to a quarter more than was asked for.
inline memory_counts memory_statistics() { return core::cache_of_thread.counts; }
/// From now on `max_allocated` is the most that is in use from now on.
inline void reset_peak_memory_statistics() { core::cache_of_thread.counts.max_allocated = core::cache_of_thread.counts.allocated; }
/// Gives what the calling thread keeps back to the system.
inline void empty_cache() { core::cache_of_thread.empty(); }
/// The calling thread keeps at most as many bytes from now on: 256 MB when it starts, with 0 none.
inline void set_cache_limit(std::int64_t bytes) { core::cache_of_thread.limit_to(bytes < 0 ? 0 : bytes); }

}  // namespace gradus::inline GRADUS_ARCH
