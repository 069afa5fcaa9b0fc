// SPDX-License-Identifier: BSL-1.0
// The IDX file format, in which the MNIST digits are published: reader and writer.
#pragma once

#include "dataset.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <ios>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace digits {

/// One of the two kinds of IDX file: big-endian 32-bit header fields, then one byte per pixel or label.
/// Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits", FILE FORMATS.
struct idx_kind {
    char const* item;         ///< "image" or "label", for messages.
    std::uint32_t magic;      ///< 0x00000803: bytes in 3 dimensions; 0x00000801: bytes in 1 dimension.
    std::size_t header_size;  ///< Bytes: magic and item count, with images also rows and columns.
    std::size_t item_size;    ///< Bytes per item.
};
inline constexpr idx_kind idx_images{"image", 0x00000803U, 16, pixels};
inline constexpr idx_kind idx_labels{"label", 0x00000801U, 8, 1};

/// Throws std::runtime_error "<file>: expected <expected>, found <found>".
[[noreturn]] inline void refuse(std::filesystem::path const& file, std::string const& expected, std::string const& found) {
    throw std::runtime_error(file.string() + ": expected " + expected + ", found " + found);
}

/// "0x" and 8 hexadecimal digits.
[[nodiscard]] inline std::string hex(std::uint32_t value) {
    std::string text = "0x";
    for (unsigned shift = 32; shift > 0; shift -= 4) { text += "0123456789abcdef"[(value >> (shift - 4U)) & 0xfU]; }
    return text;
}

/// The payload bytes of one IDX file: count x item_size. Nothing is allocated before the size of the file is
/// known to match the header. Throws std::runtime_error naming the file when anything is not as published.
[[nodiscard]] inline std::vector<std::uint8_t> read_idx_items(std::filesystem::path const& file, idx_kind kind) {
    std::string const item = kind.item;
    std::string const wanted = "an IDX " + item + " file";
    std::error_code error;
    auto const status = std::filesystem::status(file, error);
    if (!std::filesystem::exists(status)) { refuse(file, wanted, "no such file"); }
    if (!std::filesystem::is_regular_file(status)) {
        refuse(file, wanted, std::filesystem::is_directory(status) ? "a directory" : "no regular file");
    }
    auto const size = std::filesystem::file_size(file, error);
    std::ifstream in(file, std::ios::binary);
    if (error || !in) { refuse(file, wanted, "one that cannot be opened"); }
    if (size == 0) { refuse(file, wanted, "an empty file"); }

    std::array<char, 16> header{};
    in.read(header.data(), static_cast<std::streamsize>(std::min<std::uintmax_t>(size, kind.header_size)));
    if (header[0] == '\x1f' && header[1] == '\x8b') { refuse(file, wanted, "a gzip file; run gunzip on it first"); }
    if (size < kind.header_size) {
        refuse(file, "a header of " + std::to_string(kind.header_size) + " bytes", "only " + std::to_string(size) + " bytes");
    }
    auto const field = [&header](std::size_t index) {
        std::uint32_t value = 0;
        for (std::size_t byte = 4 * index; byte < 4 * index + 4; ++byte) { value = value << 8U | static_cast<unsigned char>(header[byte]); }
        return value;
    };
    if (field(0) != kind.magic) {
        bool const other = field(0) == idx_images.magic || field(0) == idx_labels.magic;
        refuse(file, wanted + " with magic number " + hex(kind.magic), hex(field(0)) + (other ? ", the other kind of IDX file" : ""));
    }
    if (kind.magic == idx_images.magic && (field(2) != side || field(3) != side)) {
        refuse(file, "images of 28 x 28 pixels", std::to_string(field(2)) + " x " + std::to_string(field(3)));
    }
    std::uint64_t const count = field(1);
    if (count == 0) { refuse(file, "at least one " + item, "a header that counts none"); }
    std::uint64_t const needed = kind.header_size + count * kind.item_size;
    if (size != needed) {
        refuse(file, std::to_string(needed) + " bytes for the " + std::to_string(count) + " " + item + "s in its header",
               std::to_string(size) + (size < needed ? ", so it is cut short" : ", so bytes are left over"));
    }

    std::vector<std::uint8_t> items(static_cast<std::size_t>(count * kind.item_size));
    // A char may alias any object, and std::ifstream reads nothing else.
    if (!in.read(reinterpret_cast<char*>(items.data()), static_cast<std::streamsize>(items.size()))) {
        refuse(file, std::to_string(items.size()) + " bytes after the header", "a read error after " + std::to_string(in.gcount()));
    }
    return items;
}

/// Reads a file of pictures and the file of their labels; a pixel byte b becomes b / 255.
/// Throws std::runtime_error naming the file when one is broken or the two do not belong together.
[[nodiscard]] inline dataset read_idx(std::filesystem::path const& images, std::filesystem::path const& labels) {
    auto const grey = read_idx_items(images, idx_images);
    auto const names = read_idx_items(labels, idx_labels);
    if (grey.size() / pixels != names.size()) {
        refuse(labels, std::to_string(grey.size() / pixels) + " labels, one for each image of " + images.string(),
               std::to_string(names.size()));
    }
    dataset read;
    read.labels.assign(names.begin(), names.end());
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (names[i] >= classes) { refuse(labels, "labels 0 to 9", std::to_string(names[i]) + " as label number " + std::to_string(i)); }
    }
    read.images.resize(grey.size());
    std::transform(grey.begin(), grey.end(), read.images.begin(), [](std::uint8_t byte) { return static_cast<float>(byte) / 255.0F; });
    return read;
}

}  // namespace digits
