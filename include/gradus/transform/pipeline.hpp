// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/transform/differentiate.hpp>
#include <gradus/transform/expand.hpp>
#include <gradus/transform/exponentials.hpp>
#include <gradus/transform/materialize.hpp>
#include <gradus/transform/reciprocals.hpp>
#include <gradus/transform/simplify.hpp>
#include <gradus/transform/widen.hpp>

#include <string_view>

// Compilation from top to bottom. What is listed here is what runs, in the compiler (exec/stages.hpp) as at run time
// (exec/executable.hpp).
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
    {"expand", expand},                                                             // small arrays of single elements become scalars
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
constexpr graph share(graph const& expanded) { return run(expanded, "widen", "reciprocals"); }
constexpr graph prepare(graph const& simplified) { return run(simplified, "expand", "materialize"); }

}  // namespace pass

}  // namespace gradus::inline GRADUS_ARCH
