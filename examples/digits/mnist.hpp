// SPDX-License-Identifier: BSL-1.0
// Finds the four files of the MNIST digits in a directory.
#pragma once

#include "idx.hpp"

#include <filesystem>
#include <string>
#include <system_error>

namespace digits {

using mnist = train_test;

/// The file in `directory` named `stem`-`kind`, as published, or `stem`.`kind`, as some mirrors spell it.
/// Throws std::runtime_error when neither is there.
[[nodiscard]] inline std::filesystem::path find_published(std::filesystem::path const& directory, std::string const& stem,
                                                          std::string const& kind) {
    std::string const spellings[] = {stem + '-' + kind, stem + '.' + kind};
    std::error_code ignored;  // A file that cannot be looked at is as good as missing.
    for (auto const& name : spellings) {
        if (std::filesystem::exists(directory / name, ignored)) { return directory / name; }
    }
    for (auto const& name : spellings) {
        if (std::filesystem::exists(directory / (name + ".gz"), ignored)) {
            refuse(directory, "a file " + name, name + ".gz; run gunzip on it first");
        }
    }
    refuse(directory, "a file " + spellings[0] + " or " + spellings[1], "neither");
}

/// Reads the 60,000 + 10,000 MNIST digits, or any others in files of these names. Throws std::runtime_error
/// naming the directory or the file when one is missing or broken.
[[nodiscard]] inline mnist load_mnist(std::filesystem::path const& directory) {
    std::error_code ignored;  // As above.
    if (!std::filesystem::is_directory(directory, ignored)) { refuse(directory, "a directory with the MNIST files", "no such directory"); }
    auto const train_images = find_published(directory, "train-images", "idx3-ubyte");
    auto const train_labels = find_published(directory, "train-labels", "idx1-ubyte");
    auto const test_images = find_published(directory, "t10k-images", "idx3-ubyte");
    auto const test_labels = find_published(directory, "t10k-labels", "idx1-ubyte");
    return {read_idx(train_images, train_labels), read_idx(test_images, test_labels)};
}

}  // namespace digits
