// SPDX-License-Identifier: BSL-1.0
// Packs grey pixels as a PNG picture, and bytes as base64 text, so that a picture fits into an SVG file.
//
// The packing is done by stb_image_write, whose function bodies exist once per program: one .cpp file has
// `#define STB_IMAGE_WRITE_IMPLEMENTATION` before it includes this header, or the program is linked with -lstb.
#pragma once

#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#if __has_include(<stb_image_write.h>)
#include <stb_image_write.h>
#else
#include <stb/stb_image_write.h>
#endif

namespace digits {

/// The bytes of a PNG file, 8-bit grey, of `grey` (height x width, row-major; 0 black, 255 white).
/// Throws std::invalid_argument unless there are width * height pixels, std::runtime_error when packing fails.
[[nodiscard]] inline std::string png(std::span<unsigned char const> grey, int width, int height) {
    if (width <= 0 || height <= 0 || grey.size() % static_cast<std::size_t>(width) != 0 ||
        grey.size() / static_cast<std::size_t>(width) != static_cast<std::size_t>(height)) {
        throw std::invalid_argument("png: expected " + std::to_string(width) + " x " + std::to_string(height) + " pixels, found " +
                                    std::to_string(grey.size()));
    }
    std::string bytes;
    auto const append = [](void* context, void* data, int size) {
        static_cast<std::string*>(context)->append(static_cast<char const*>(data), static_cast<std::size_t>(size));
    };
    if (stbi_write_png_to_func(append, &bytes, width, height, 1, grey.data(), width) == 0) {
        throw std::runtime_error("png: expected stb_image_write to pack the picture, found that it failed");
    }
    return bytes;
}

/// Base64 text of the bytes, padded with '='. Source: RFC 4648, section 4.
[[nodiscard]] inline std::string base64(std::string_view bytes) {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::string_view const three = bytes.substr(i, 3);
        unsigned group = 0;
        for (std::size_t byte = 0; byte < 3; ++byte) {
            group = group << 8U | (byte < three.size() ? static_cast<unsigned char>(three[byte]) : 0U);
        }
        for (std::size_t digit = 0; digit < 4; ++digit) {
            text += digit <= three.size() ? alphabet[group >> (18U - 6U * static_cast<unsigned>(digit)) & 63U] : '=';
        }
    }
    return text;
}

}  // namespace digits
