// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/config.hpp>
#include <gradus/core/exchange.hpp>

#include <type_traits>
#include <utility>

namespace gradus::inline GRADUS_ARCH::core {

/// A growable array for constant evaluation. std::vector works there too but costs the compiler several times more
/// steps per element (clang stops an evaluation after 2^20 of them).
template <class T>
class list {
public:
    constexpr list() = default;
    constexpr explicit list(int count, T const& value = T{}) : list() {  // what has begun there ends if an element throws
        end_trial();
        items_ = new T[static_cast<unsigned>(count) + 1u];
        size_ = count;
        capacity_ = count + 1;
        for (int i = 0; i < count; ++i) items_[i] = value;
    }
    constexpr list(list const& that) : list(that.size_) {
        for (int i = 0; i < size_; ++i) items_[i] = that.items_[i];
    }
    constexpr list(list&& that) noexcept { swap(that); }
    constexpr list& operator=(list that) noexcept {
        swap(that);
        return *this;
    }
    constexpr ~list() { delete[] items_; }

    constexpr void swap(list& that) noexcept {
        exchange(items_, that.items_);
        exchange(size_, that.size_);
        exchange(capacity_, that.capacity_);
    }
    constexpr int size() const { return size_; }
    constexpr T& operator[](int i) { return items_[i]; }
    constexpr T const& operator[](int i) const { return items_[i]; }
    constexpr T* begin() { return items_; }
    constexpr T* end() { return items_ + size_; }
    constexpr T const* begin() const { return items_; }
    constexpr T const* end() const { return items_ + size_; }
    constexpr T& back() { return items_[size_ - 1]; }
    constexpr void pop_back() { --size_; }

    constexpr void push_back(T const& value) {
        if (size_ == capacity_) {
            T kept = value;  // `value` may be an element of this list
            grow();
            items_[size_++] = std::move(kept);
        } else items_[size_++] = value;
    }
    /// Appends elements of another list; one step of the compiler for each.
    constexpr void append(T const* from, int count) {
        while (capacity_ < size_ + count) grow();
        T* to = items_ + size_;
        for (int i = 0; i < count; ++i) to[i] = from[i];
        size_ += count;
    }
    /// Puts a value before element `at`.
    constexpr void insert(int at, T value) {
        push_back(T{});
        for (int i = size_ - 1; i > at; --i) items_[i] = std::move(items_[i - 1]);
        items_[at] = std::move(value);
    }
    constexpr void erase(int at) {
        for (int i = at + 1; i < size_; ++i) items_[i - 1] = std::move(items_[i]);
        items_[--size_] = T{};
    }
    /// Removes the elements for which `gone` holds; the others keep their order.
    constexpr void remove_if(auto gone) {
        int kept = 0;
        for (int i = 0; i < size_; ++i) {
            if (gone(items_[i])) continue;
            if (kept != i) items_[kept] = std::move(items_[i]);
            ++kept;
        }
        while (size_ > kept) items_[--size_] = T{};
    }
    constexpr bool empty() const { return size_ == 0; }
    constexpr bool contains(T const& value) const {
        for (int i = 0; i < size_; ++i)
            if (items_[i] == value) return true;
        return false;
    }

private:
    /// g++ evaluates every call whose arguments are constants on trial: in return statements, in initialisers, in the conversion of a
    /// lambda to a pointer. Passes would run five times, four of them for nothing. No trial gets past this question.
    static constexpr void end_trial() { [[maybe_unused]] bool in_constant = std::is_constant_evaluated(); }
    constexpr void grow() {
        end_trial();
        int const capacity = capacity_ ? 2 * capacity_ : 16;
        T* larger = new T[static_cast<unsigned>(capacity)];
        for (int i = 0; i < size_; ++i) larger[i] = std::move(items_[i]);
        delete[] items_;
        items_ = larger;
        capacity_ = capacity;
    }
    T* items_ = nullptr;
    int size_ = 0;
    int capacity_ = 0;
};

}  // namespace gradus::inline GRADUS_ARCH::core
