// SPDX-License-Identifier: BSL-1.0
// The random numbers of the digits example: the same on every platform, unlike the distributions of <random>.
#pragma once

#include <cstdint>

namespace digits {

/// SplitMix64 generator: a 64-bit counter with an output hash, period 2^64.
/// Source: G. Steele, D. Lea, C. Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014.
class splitmix {
public:
    explicit constexpr splitmix(std::uint64_t seed) noexcept : state_(seed) {}

    /// Next 64 random bits.
    constexpr std::uint64_t next() noexcept {
        state_ += 0x9e3779b97f4a7c15U;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
        return z ^ (z >> 31U);
    }

    /// Uniform in [0, n), without bias; n >= 1.
    constexpr std::uint64_t below(std::uint64_t n) noexcept {
        // 2^64 mod n values at the bottom are refused, so that every remainder is equally frequent.
        std::uint64_t const refused = (0 - n) % n;
        std::uint64_t bits = next();
        while (bits < refused) { bits = next(); }
        return bits % n;
    }

    /// Uniform in [low, high], both included; low <= high.
    constexpr int between(int low, int high) noexcept {
        std::int64_t const span = std::int64_t{high} - low + 1;
        return static_cast<int>(low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(span))));
    }

    /// Bell-shaped around 0: mean of four uniform numbers in [-reach, reach], standard deviation 0.29 reach.
    /// Integer arithmetic instead of a Gaussian, because std::log and std::cos differ between C libraries.
    constexpr int bell(int reach) noexcept {
        int sum = 0;
        for (int i = 0; i < 4; ++i) { sum += between(-reach, reach); }
        return sum / 4;
    }

private:
    std::uint64_t state_;
};

}  // namespace digits
