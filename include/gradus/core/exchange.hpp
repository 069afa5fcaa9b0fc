// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/config.hpp>

// std::swap and std::exchange ask twenty traits of every type: much, where each kind of list asks again.
namespace gradus::inline GRADUS_ARCH::core {

template <class T>
constexpr void exchange(T& a, T& b) noexcept {
    T kept = static_cast<T&&>(a);
    a = static_cast<T&&>(b);
    b = static_cast<T&&>(kept);
}
/// The pointer, which is null from then on.
template <class T>
constexpr T* taken(T*& pointer) noexcept {
    T* const kept = pointer;
    pointer = nullptr;
    return kept;
}

}  // namespace gradus::inline GRADUS_ARCH::core
