// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/config.hpp>

#include <cstddef>

namespace gradus::inline GRADUS_ARCH::core {

/// Elements that stand in a row and that somebody else owns. std::span would do; each type of element costs the compiler its iterators and
/// the concepts that they have to meet, some hundred instantiations.
template <class T>
class array_view {
public:
    constexpr array_view() = default;
    constexpr array_view(T* first, std::size_t size) : first_(first), size_(size) {}
    constexpr array_view(T* first, T* last) : array_view(first, static_cast<std::size_t>(last - first)) {}

    template <std::size_t Size>
    constexpr array_view(T (&all)[Size]) : array_view(all, Size) {}  // NOLINT: an array is elements in a row
    /// Of what has its elements in a row: std::array, std::vector, a view of elements that are no constants.
    template <class Owner>
        requires requires(Owner& all) {
            static_cast<T*>(all.data());
            all.size();
        }
    constexpr array_view(Owner&& all) : array_view(all.data(), all.size()) {}  // NOLINT

    constexpr T* data() const { return first_; }
    constexpr std::size_t size() const { return size_; }
    constexpr bool empty() const { return size_ == 0; }
    constexpr T* begin() const { return first_; }
    constexpr T* end() const { return first_ + size_; }
    constexpr T& operator[](std::size_t i) const { return first_[i]; }
    constexpr array_view part(std::size_t from, std::size_t size) const { return {first_ + from, size}; }

private:
    T* first_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace gradus::inline GRADUS_ARCH::core
