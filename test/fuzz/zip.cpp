// SPDX-License-Identifier: BSL-1.0
#include "readers.hpp"

#if __has_include(<zlib.h>)  // deflated members too
#include <gradus/io/zlib.hpp>
#endif

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) { return fuzz::entry(fuzz::zip, data, size); }
