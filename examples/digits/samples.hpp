// SPDX-License-Identifier: BSL-1.0
// Digits as tensors, for loaders.
#pragma once

#include "draw.hpp"
#include "mnist.hpp"

#include <gradus.hpp>
#include <gradus/data.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace digits {

/// Pictures and labels of n digits: `samples_of<784>(data)`, `samples_of<1, 28, 28>(data)`.
template <gradus::extent... Picture>
[[nodiscard]] auto samples_of(dataset const& data) {
    gradus::tensor<float, gradus::dyn, Picture...> const pictures(data.images);
    gradus::tensor<std::int64_t, gradus::dyn> const labels(data.labels.begin(), data.labels.end());
    return gradus::data::tensor_dataset(pictures, labels);
}

/// The MNIST files of a directory, or where its name is empty `count` digits that are drawn, a fifth of them to test on.
[[nodiscard]] inline train_test load_or_draw(std::string const& directory, std::size_t count) {
    return directory.empty() ? split(draw(count, 1), 0.2, 1) : load_mnist(directory);
}

}  // namespace digits
