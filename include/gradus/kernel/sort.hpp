// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/config.hpp>

#include <algorithm>
#include <cstdint>

namespace gradus::inline GRADUS_ARCH::kernel {

/// The indices that sort n elements with a stride. No two indices are equal in `before(i, j)`, so that std::sort, which needs
/// no memory, is stable.
void sorting_order(std::int64_t n, std::int64_t* to, auto const& before) {
    for (std::int64_t i = 0; i < n; ++i) to[i] = i;
    std::sort(to, to + n, before);
}

}  // namespace gradus::inline GRADUS_ARCH::kernel
