// SPDX-License-Identifier: BSL-1.0
#include "readers.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) { return fuzz::entry(fuzz::pt, data, size); }
