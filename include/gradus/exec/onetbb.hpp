// SPDX-License-Identifier: BSL-1.0
#pragma once

// g++ takes names here for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

#include <gradus/core/config.hpp>

#include <oneapi/tbb/parallel_for.h>

// Included on its own: it needs oneTBB.

namespace gradus::inline GRADUS_ARCH {

namespace core {
struct onetbb_pool {
    template <class F>
    void operator()(int n, F const& f) const {
        // One task per index: a range that is cut by how busy the pool is would give several of these long tasks to one thread.
        oneapi::tbb::parallel_for(
            oneapi::tbb::blocked_range<int>(0, n),
            [&f](oneapi::tbb::blocked_range<int> const& some) {
                for (int i = some.begin(); i < some.end(); ++i) f(i);
            },
            oneapi::tbb::simple_partitioner());
    }
};
}  // namespace core

/// oneTBB's threads for a call: `step(x = X, gr::parallel(4, gr::onetbb))`. Tasks run in the arena that calls; what one throws
/// reaches the caller.
inline constexpr core::onetbb_pool onetbb{};

}  // namespace gradus::inline GRADUS_ARCH

#pragma GCC diagnostic pop
