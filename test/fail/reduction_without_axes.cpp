// SPDX-License-Identifier: BSL-1.0
// expect: gradus: operation total states `reduces_by`: which axes it folds its base has to say
// expect: gr::op::reduction<total>
#include <gradus/program.hpp>

namespace gr = gradus;

#ifdef GRADUS_FAIL
struct total {
    static constexpr auto kind = gr::op_kind::reduction;
    static constexpr int arity = 1;
    static constexpr gr::tensor_type infer(gr::call const& c, gr::complaint&) { return {c.operand[0].type, {}}; }
#else
struct total : gr::op::reduction<total> {
#endif
    static constexpr auto name = "total";
    static constexpr auto reduces_by = gr::reducer::sum;
};

constexpr auto x = gr::var<"x", float, 4>;
constexpr auto f = gr::compile(gr::apply<total>(x));
