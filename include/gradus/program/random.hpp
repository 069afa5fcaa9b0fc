// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/config.hpp>

#include <cmath>
#include <cstdint>

namespace gradus::inline GRADUS_ARCH {

/// Random numbers that only depend on the seed and on how many were drawn: number n is mix(key + n * golden ratio), with
/// the finaliser and the increment of splitmix64 (G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number
/// generators", 2014; constants of D. Stafford's mix 13). A UniformRandomBitGenerator, for <algorithm> and <random>.
class random {
public:
    using result_type = std::uint64_t;

    /// The key is the mixed seed: seeds that differ little, or by a multiple of the increment, give unrelated streams.
    constexpr explicit random(std::uint64_t seed) : key_(mix(seed)) {}

    static constexpr result_type min() { return 0; }
    static constexpr result_type max() { return ~std::uint64_t{0}; }
    constexpr result_type operator()() { return next(); }

    /// 64 random bits.
    constexpr std::uint64_t next() { return mix(key_ + ++drawn_ * 0x9e3779b97f4a7c15u); }

    /// Uniform in [0, 1), a multiple of 2^-53; the same on every platform.
    constexpr double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }

    /// Normal with mean 0 and variance 1: sqrt(-2 log(1 - u)) cos(2 pi v) (G. Box, M. Muller, 1958). Draws two numbers.
    /// The same on every platform up to the last bit of its log and cos.
    double normal() {
        double radius = std::sqrt(-2 * std::log(1 - uniform()));
        return radius * std::cos(6.283185307179586 * uniform());
    }

    constexpr bool operator==(random const&) const = default;

private:
    static constexpr std::uint64_t mix(std::uint64_t z) {
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }
    std::uint64_t key_;
    std::uint64_t drawn_ = 0;
};

}  // namespace gradus::inline GRADUS_ARCH
