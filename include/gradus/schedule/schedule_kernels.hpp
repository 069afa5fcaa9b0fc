// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/schedule/plan_memory.hpp>

namespace gradus::inline GRADUS_ARCH {

/// Which nodes of a graph share kernels, in which order these run, and where their results are.
struct kernel_schedule {
    fusion kernels;
    schedule_result order;
    memory_plan memory;
};

namespace pass {

/// The schedule of a graph that is ready for kernels; `dimensions` are its named dimensions.
constexpr kernel_schedule schedule_kernels(graph const& g, dimension_table& dimensions) {
    fusion f = fuse_rows(g, fuse(g));    // loops and products; then those that walk over the same rows
    schedule_result s = schedule(g, f);  // an order in which little memory is live
    memory_plan m = plan_memory(g, f, s, dimensions);
    return {std::move(f), std::move(s), std::move(m)};
}

}  // namespace pass

}  // namespace gradus::inline GRADUS_ARCH
