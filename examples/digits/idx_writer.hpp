// SPDX-License-Identifier: BSL-1.0
// Writes digits in the IDX file format, so that other programs, and the tests of the reader, can read them.
#pragma once

#include "idx.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <ios>
#include <limits>
#include <stdexcept>
#include <string>

namespace digits {

/// Appends a 32-bit header field, most significant byte first.
inline void append_field(std::string& bytes, std::uint32_t value) {
    for (unsigned shift = 32; shift > 0; shift -= 8) { bytes += static_cast<char>(static_cast<unsigned char>(value >> (shift - 8U))); }
}

/// Replaces `file` by these bytes; throws std::runtime_error naming it when that fails.
inline void write_bytes(std::filesystem::path const& file, std::string const& bytes) {
    std::ofstream out(file, std::ios::binary | std::ios::trunc);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    out.close();
    if (!out) {
        throw std::runtime_error(file.string() + ": expected to write " + std::to_string(bytes.size()) +
                                 " bytes, found that the file cannot be written");
    }
}

/// Writes the pictures as bytes round(255 v) to `images` and the digits to `labels`; read_idx() reads them
/// back, each pixel to within 1/510. Throws std::invalid_argument when a picture or label is missing, a pixel
/// is outside [0, 1] or a label outside 0 to 9, std::runtime_error when a file cannot be written.
inline void write_idx(dataset const& set, std::filesystem::path const& images, std::filesystem::path const& labels) {
    if (set.images.size() != set.size() * pixels || set.size() > std::numeric_limits<std::uint32_t>::max()) {
        throw std::invalid_argument("write_idx: expected 784 pixels for each of " + std::to_string(set.size()) + " labels, found " +
                                    std::to_string(set.images.size()) + " pixels");
    }
    auto const count = static_cast<std::uint32_t>(set.size());
    std::string names;
    append_field(names, idx_labels.magic);
    append_field(names, count);
    for (std::int32_t const label : set.labels) {
        if (label < 0 || label >= classes) {
            throw std::invalid_argument("write_idx: expected labels 0 to 9, found " + std::to_string(label));
        }
        names += static_cast<char>(label);
    }
    std::string grey;
    append_field(grey, idx_images.magic);
    append_field(grey, count);
    append_field(grey, static_cast<std::uint32_t>(side));
    append_field(grey, static_cast<std::uint32_t>(side));
    for (float const value : set.images) {
        if (!(value >= 0.0F && value <= 1.0F)) {
            throw std::invalid_argument("write_idx: expected pixels from 0 to 1, found " + std::to_string(value));
        }
        grey += static_cast<char>(static_cast<unsigned char>(std::lround(value * 255.0F)));
    }
    write_bytes(images, grey);
    write_bytes(labels, names);
}

}  // namespace digits
