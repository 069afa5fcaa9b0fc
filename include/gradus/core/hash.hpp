// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/config.hpp>

#include <bit>
#include <cstdint>
#include <string_view>

namespace gradus::inline GRADUS_ARCH::core {

/// Mixes `value` into `seed`: one multiply-xorshift round of splitmix64 (S. Vigna), cheap for a constant evaluator.
constexpr std::uint64_t mix(std::uint64_t seed, std::uint64_t value) {
    std::uint64_t z = (seed ^ value) * 0xbf58476d1ce4e5b9u + 0x9e3779b97f4a7c15u;
    return z ^ (z >> 29);
}

/// FNV-1a of a text.
constexpr std::uint64_t hash_of(std::string_view text) {
    std::uint64_t h = 0xcbf29ce484222325u;
    for (char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    return h;
}

constexpr std::uint64_t bits_of(double value) { return std::bit_cast<std::uint64_t>(value); }

/// A number for a type, equal for equal types and, up to a 64-bit hash, for no others. Only for short type names.
template <class T>
constexpr std::uint64_t type_hash() {
    return hash_of(__PRETTY_FUNCTION__);
}

/// The same as a constant, so that comparing types costs the compiler one comparison.
template <class T>
inline constexpr std::uint64_t type_id = type_hash<T>();

}  // namespace gradus::inline GRADUS_ARCH::core
