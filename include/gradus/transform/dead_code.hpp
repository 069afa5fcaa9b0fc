// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/transform/rebuild.hpp>

namespace gradus::inline GRADUS_ARCH::pass {

/// Drops the nodes that no result depends on.
constexpr graph dead_code(graph const& g) {
    return core::rebuild(g, [](graph& out, node const& n) { return out.intern(n); });
}

}  // namespace gradus::inline GRADUS_ARCH::pass
