// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

namespace draws {

/// splitmix64 (S. Vigna): the same numbers on every machine, if no two draws stand in one argument list (the compiler
/// chooses their order).
class splitmix {
public:
    explicit splitmix(std::uint64_t seed) : state_(seed) {}
    std::uint64_t operator()() {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }
    int below(int n) { return static_cast<int>((*this)() % static_cast<unsigned>(n)); }
    double uniform(double low, double high) { return low + (high - low) * static_cast<double>((*this)() >> 11) * 0x1p-53; }

private:
    std::uint64_t state_;
};

}  // namespace draws
