// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/pass/differentiate.hpp>
#include <gradus/pass/exponentials.hpp>
#include <gradus/pass/plan_memory.hpp>
#include <gradus/pass/reciprocals.hpp>
#include <gradus/pass/simplify.hpp>
#include <gradus/pass/widen.hpp>

#include <string_view>

// Compilation from top to bottom. What is listed here is what runs, in the compiler (program/stages.hpp) as at run time
// (program/executable.hpp).
namespace gradus::inline GRADUS_ARCH {

namespace pass {

/// A function from a graph to one that means the same.
struct graph_pass {
    std::string_view name;
    graph (*run)(graph const&);
};
/// From a graph as it was written to one that is ready for kernels.
inline constexpr graph_pass pipeline[] = {
    {"differentiate", [](graph const& g) { return dead_code(differentiate(g)); }},  // grad, jvp and vmap become what they mean
    {"simplify", simplify},                                                         // algebra, constants, views, stable forms
    {"widen", widen},                                                               // numbers of 16 bits are computed as floats
    {"exponentials", exponentials},                                                 // formulas of one exponential share it
    {"reciprocals", reciprocals},                                                   // divisions by one number become products
    {"materialize", materialize},                                                   // results get memory of their own
};
/// The passes of the pipeline from one to another, both included.
constexpr graph run(graph const& g, std::string_view first, std::string_view last) {
    graph_pass const* p = pipeline;
    while (p->name != first) ++p;
    graph result = p->run(g);
    while (p->name != last) result = (++p)->run(result);
    return result;
}
constexpr graph differentiation(graph const& written) { return run(written, "differentiate", "differentiate"); }
constexpr graph share(graph const& simplified) { return run(simplified, "widen", "reciprocals"); }
constexpr graph prepare(graph const& simplified) { return run(simplified, "widen", "materialize"); }

}  // namespace pass

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
