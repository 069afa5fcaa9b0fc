// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

// What both sides do, and with which numbers.

/// One side of a row of the table.
struct workload {
    std::string name;
    std::function<void()> step;                   ///< gradients dropped, forward, backward
    std::function<void()> forward, drop;          ///< the tape is recorded and stays; it goes
    std::function<std::vector<float>()> outcome;  ///< the value and all gradients of the last step
    double parts = 1;                             ///< what the time is divided by
};

inline constexpr int elements_few = 64, elements_many = 1'000'000;
inline constexpr int pixels = 784, hidden = 128, classes = 10, pictures = 64;
inline constexpr int sequences = 16, features = 16, state = 32, steps = 100;
inline constexpr int chain = 150'000;

/// Uniform in [-reach, reach]; the same for both sides, which ask in the same words.
inline std::vector<float> numbers(int count, unsigned seed, float reach = 1) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> uniform(-reach, reach);
    std::vector<float> all(static_cast<std::size_t>(count));
    for (float& x : all) x = uniform(random);
    return all;
}
inline std::vector<std::int64_t> labels() {
    std::vector<std::int64_t> all(pictures);
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::int64_t>(7 * i % classes);
    return all;
}

std::vector<workload> gradus_workloads();
/// The same rows in the same order; none where libtorch was not there.
std::vector<workload> torch_workloads();
