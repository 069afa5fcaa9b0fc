// SPDX-License-Identifier: BSL-1.0
// A set of labelled pictures of digits, and how to part it into one to train on and one to test on.
#pragma once

#include "splitmix.hpp"

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace digits {

inline constexpr std::size_t side = 28;             ///< Width and height of a picture in pixels.
inline constexpr std::size_t pixels = side * side;  ///< Pixels of one picture: 784.
inline constexpr int classes = 10;                  ///< Labels run from 0 to classes - 1.

/// n pictures with their labels.
struct dataset {
    std::vector<float> images;         ///< n x 784, row-major from the top left; 0 is paper, 1 is full ink.
    std::vector<std::int32_t> labels;  ///< n digits, each 0 to 9.

    /// Number of pictures n.
    [[nodiscard]] std::size_t size() const noexcept { return labels.size(); }

    /// The 784 pixels of picture `index`; throws std::out_of_range when there is no such picture.
    [[nodiscard]] std::span<float const> image(std::size_t index) const {
        if (index >= size() || images.size() / pixels <= index) {
            throw std::out_of_range("dataset: expected an index below " + std::to_string(size()) + ", found " + std::to_string(index));
        }
        return std::span(images).subspan(index * pixels, pixels);
    }
};

/// Two disjoint sets from one source.
struct train_test {
    dataset train;
    dataset test;
};

/// A random order to visit n items in: each number 0 to n-1 once, every permutation equally likely but for
/// the 64 bits of the seed (Fisher-Yates shuffle). The same n and seed give the same order on every platform.
[[nodiscard]] inline std::vector<std::size_t> shuffled_order(std::size_t n, std::uint64_t seed) {
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    splitmix random(seed);
    for (std::size_t left = n; left > 1; --left) { std::swap(order[left - 1], order[static_cast<std::size_t>(random.below(left))]); }
    return order;
}

/// Copies the pictures at `rows`, in that order; throws std::out_of_range when one does not exist.
[[nodiscard]] inline dataset take(dataset const& from, std::span<std::size_t const> rows) {
    dataset taken;
    taken.images.reserve(rows.size() * pixels);
    taken.labels.reserve(rows.size());
    for (std::size_t const row : rows) {
        auto const image = from.image(row);
        taken.images.insert(taken.images.end(), image.begin(), image.end());
        taken.labels.push_back(from.labels[row]);
    }
    return taken;
}

/// Parts `all` at random into test_fraction * n pictures (rounded) to test on and the rest to train on.
/// Every picture lands in exactly one part. Throws std::invalid_argument unless 0 <= test_fraction <= 1.
[[nodiscard]] inline train_test split(dataset const& all, double test_fraction, std::uint64_t seed) {
    if (!(test_fraction >= 0.0 && test_fraction <= 1.0)) {
        throw std::invalid_argument("split: expected a test fraction between 0 and 1, found " + std::to_string(test_fraction));
    }
    auto const order = shuffled_order(all.size(), seed);
    auto const tested = static_cast<std::size_t>(test_fraction * static_cast<double>(all.size()) + 0.5);
    auto const rows = std::span(order);
    return {take(all, rows.subspan(tested)), take(all, rows.first(tested))};
}

}  // namespace digits
