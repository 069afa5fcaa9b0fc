// SPDX-License-Identifier: BSL-1.0
// expect: gradus::windows(a): the view leaves axis 0: a is float[5], the result is [4,3]
#include <gradus/program.hpp>

namespace gr = gradus;

struct windows {
    static constexpr auto name = "windows";
    static constexpr auto kind = gr::op_kind::view;
    static constexpr int arity = 1;
    static constexpr gr::tensor_type infer(gr::call const& c, gr::complaint&) {
#ifdef GRADUS_FAIL
        return {c.operand[0].type, {c.operand[0].shape[0].code - 1, 3}};
#else
        return {c.operand[0].type, {c.operand[0].shape[0].code - 2, 3}};
#endif
    }
    static constexpr gr::view_axis view(gr::attributes const&, gr::shape const&, gr::shape const&, int) { return {0}; }
};

constexpr auto x = gr::var<"x", float, 5>;
constexpr auto y = gr::apply<windows>(x);
