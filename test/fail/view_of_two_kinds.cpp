// SPDX-License-Identifier: BSL-1.0
// expect: gradus: operation column states `view` and `same_order`
// expect: State one
#include <gradus/program.hpp>

namespace gr = gradus;

struct column {
    static constexpr auto name = "column";
    static constexpr auto kind = gr::op_kind::view;
    static constexpr int arity = 1;
    static constexpr gr::tensor_type infer(gr::call const& c, gr::complaint&) { return {c.operand[0].type, {c.operand[0].shape[0], 1}}; }
#ifdef GRADUS_FAIL
    static constexpr gr::view_axis view(gr::attributes const&, gr::shape const&, gr::shape const&, int axis) { return {axis ? -1 : 0}; }
#endif
    static constexpr bool same_order = true;
};

constexpr auto x = gr::var<"x", float, "rows">;
constexpr auto f = gr::compile(gr::apply<column>(x));
