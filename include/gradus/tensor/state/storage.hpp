// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/allocator.hpp>
#include <gradus/tensor/state/reference.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace gradus::inline GRADUS_ARCH::core {

/// Memory that tensors share, and the number of times it has been written to in place. The elements follow the object,
/// or belong to somebody else (`let_go` is called when the last tensor is gone).
struct storage {
    owners owned;
    std::uint32_t version = 0;
    std::byte* data = nullptr;
    std::int64_t bytes = 0;
    void (*let_go)(void*) = nullptr;
    void* keeper = nullptr;
    void* allocation = nullptr;  ///< where the memory begins that this object is part of
    owners parts;                ///< objects in that memory: this one, and the tensor that it was made for (tensor/state/state.hpp)
    bool is_block = false;       ///< that memory is a block of the cache

    std::uint32_t written_times() const { return __atomic_load_n(&version, __ATOMIC_RELAXED); }
    void written() {
        if (has_one_thread()) ++version;
        else __atomic_fetch_add(&version, 1, __ATOMIC_RELAXED);
    }
};

/// Memory for a storage of `bytes`, its elements not initialized, with room for another object before it. Elements of 512
/// bytes and more begin at a cache line. Throws std::bad_alloc.
template <std::size_t Room = 0>
storage* allocate_storage(std::int64_t bytes) {
    constexpr std::size_t header = whole_lines(Room + sizeof(storage));
    static_assert(Room % alignof(storage) == 0);
    auto const size = static_cast<std::size_t>(bytes);
    if (size > PTRDIFF_MAX - 2 * header) throw std::bad_alloc();
    bool const small = bytes < target::cached_block;
    void* memory = small ? std::malloc(header + size) : allocate_block(header + size);
    if (!memory) throw std::bad_alloc();
    auto* made = new (static_cast<std::byte*>(memory) + Room) storage;
    made->data = static_cast<std::byte*>(memory) + header;
    made->bytes = bytes;
    made->allocation = memory;
    made->is_block = !small;
    return made;
}
inline ref<storage> make_storage(std::int64_t bytes) { return ref<storage>(allocate_storage(bytes)); }

/// A storage of memory that somebody else owns.
inline ref<storage> borrow_storage(void* data, std::int64_t bytes, void (*let_go)(void*) = nullptr, void* keeper = nullptr) {
    void* memory = std::malloc(sizeof(storage));
    if (!memory) throw std::bad_alloc();
    auto* made = new (memory) storage;
    made->data = static_cast<std::byte*>(data);
    made->bytes = bytes;
    made->let_go = let_go;
    made->keeper = keeper;
    made->allocation = memory;
    return ref<storage>(made);
}

[[gnu::noinline]] inline void free_block_of(storage* s) {
    auto* const begin = static_cast<std::byte*>(s->allocation);
    free_block(begin, static_cast<std::size_t>(s->data + s->bytes - begin));
}
/// One of the objects that were allocated with a storage has ended.
inline void end_part(storage* s) {
    if (!s->parts.remove()) return;
    if (s->is_block) return free_block_of(s);
    std::free(s->allocation);
}
inline void dispose(storage* s) {
    if (s->let_go) s->let_go(s->keeper);
    end_part(s);
}

}  // namespace gradus::inline GRADUS_ARCH::core
