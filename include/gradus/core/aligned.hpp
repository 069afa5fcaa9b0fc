// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/allocator.hpp>
#include <gradus/core/exchange.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

namespace gradus::inline GRADUS_ARCH {

/// Bytes that start at a multiple of 64 (a cache line, and the widest vector) and fill whole lines; only ever grows.
class aligned_buffer {
public:
    static constexpr std::size_t alignment = core::target::cache_line;

    aligned_buffer() = default;
    explicit aligned_buffer(std::size_t bytes) { reserve(bytes); }
    aligned_buffer(aligned_buffer&& that) noexcept { swap(that); }
    aligned_buffer& operator=(aligned_buffer&& that) noexcept {
        aligned_buffer taken(std::move(that));
        swap(taken);
        return *this;
    }
    ~aligned_buffer() { release(); }

    /// At least `bytes` of memory; what the buffer held is lost when it grows. Throws std::bad_alloc and is then unchanged.
    void reserve(std::size_t bytes) {
        if (bytes <= size_) return;
        if (bytes > PTRDIFF_MAX - alignment) throw std::bad_alloc();
        std::size_t whole = core::whole_lines(bytes);
        auto* larger = static_cast<std::byte*>(core::allocate_block(whole));
        release();
        data_ = larger;
        size_ = whole;
    }
    std::byte* data() { return data_; }
    std::byte const* data() const { return data_; }
    std::size_t size() const { return size_; }

private:
    void swap(aligned_buffer& that) noexcept {
        core::exchange(data_, that.data_);
        core::exchange(size_, that.size_);
    }
    void release() {
        if (data_) core::free_block(data_, size_);
    }
    std::byte* data_ = nullptr;
    std::size_t size_ = 0;
};

/// Reusable scratch memory of programs; not to be shared by two calls at the same time.
using workspace = aligned_buffer;

/// Selects the constructors that leave elements as they are: for memory that a kernel is about to fill.
struct uninitialized_t {};
inline constexpr uninitialized_t uninitialized{};

namespace core {

/// The elements of a small static array, inside the object; on a cache line of its own unless it is tiny.
template <class T, std::int64_t Size>
class inline_elements {
    static constexpr std::size_t room = Size ? static_cast<std::size_t>(Size) : 1;

public:
    constexpr inline_elements() : values_{} {}
    constexpr explicit inline_elements(uninitialized_t) {}
    constexpr T* data() { return values_; }
    constexpr T const* data() const { return values_; }

private:
    alignas(room * sizeof(T) >= 64 ? 64 : alignof(T)) T values_[room];
};

/// The elements of a large or dynamic array, on the heap, and the extents where they are known at run time.
/// A moved-from object has no memory and extents 0.
template <class T, int Rank>
class heap_elements {
public:
    std::int64_t extents[Rank ? Rank : 1]{};

    heap_elements() = default;
    heap_elements(heap_elements const& that) { *this = that; }
    heap_elements(heap_elements&& that) noexcept { *this = std::move(that); }
    heap_elements& operator=(heap_elements const& that) {
        if (this == &that) return *this;
        allocate(that.count_);
        if (count_) std::memcpy(buffer_.data(), that.buffer_.data(), static_cast<std::size_t>(count_) * sizeof(T));
        for (int i = 0; i < Rank; ++i) extents[i] = that.extents[i];
        return *this;
    }
    heap_elements& operator=(heap_elements&& that) noexcept {
        if (this == &that) return *this;
        buffer_ = std::move(that.buffer_);
        count_ = that.count_;
        that.count_ = 0;
        for (int i = 0; i < Rank; ++i) {
            extents[i] = that.extents[i];
            that.extents[i] = 0;
        }
        return *this;
    }
    ~heap_elements() = default;

    /// Room for `count` elements, not initialized.
    void allocate(std::int64_t count) {
        if (static_cast<std::uint64_t>(count) > PTRDIFF_MAX / sizeof(T)) throw std::bad_alloc();
        buffer_.reserve(static_cast<std::size_t>(count) * sizeof(T));
        count_ = count;
    }
    T* data() { return reinterpret_cast<T*>(buffer_.data()); }
    T const* data() const { return reinterpret_cast<T const*>(buffer_.data()); }

private:
    aligned_buffer buffer_;
    std::int64_t count_ = 0;
};

}  // namespace core
}  // namespace gradus::inline GRADUS_ARCH
