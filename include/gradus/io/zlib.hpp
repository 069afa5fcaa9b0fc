// SPDX-License-Identifier: BSL-1.0
#pragma once

// g++ takes names here for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

#include <gradus/io/zip.hpp>

#include <algorithm>

#include <zlib.h>

// Deflated members of archives, by zlib (Debian: zlib1g-dev; link with -lz). A program that includes this header reads them.

namespace gradus::inline GRADUS_ARCH::core {

inline bool inflate_by_zlib(std::span<std::byte const> from, std::span<std::byte> to) {
    z_stream stream{};
    if (::inflateInit2(&stream, -MAX_WBITS) != Z_OK) return false;
    int state = Z_OK;
    std::byte beyond{};  // is written to if there is more than `to` holds
    for (std::size_t in = 0, out = 0; state == Z_OK;) {
        std::size_t const takes = std::min<std::size_t>(from.size() - in, 1U << 30),
                          gives = std::min<std::size_t>(to.size() - out, 1U << 30);
        stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(from.data() + in));
        stream.avail_in = static_cast<uInt>(takes);
        stream.next_out = reinterpret_cast<Bytef*>(gives ? to.data() + out : &beyond);
        stream.avail_out = gives ? static_cast<uInt>(gives) : 1;
        state = ::inflate(&stream, Z_NO_FLUSH);
        in += takes - stream.avail_in;
        if (gives) out += gives - stream.avail_out;
        else if (stream.avail_out == 0) state = Z_DATA_ERROR;
        if (state == Z_STREAM_END && (in != from.size() || out != to.size())) state = Z_DATA_ERROR;
    }
    ::inflateEnd(&stream);
    return state == Z_STREAM_END;
}
inline bool const inflates = (inflate = inflate_by_zlib, true);

}  // namespace gradus::inline GRADUS_ARCH::core

#pragma GCC diagnostic pop
