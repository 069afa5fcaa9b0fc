// SPDX-License-Identifier: BSL-1.0
// expect: gradus::grad(f, x): f depends on x through swap_halves, which states no vjp(g, y, operands...)
// expect: gr::stop_gradient(x)
#include <gradus/program.hpp>

namespace gr = gradus;

struct swap_halves {
    static constexpr auto name = "swap_halves";
    static constexpr auto kind = gr::op_kind::movement;
    static constexpr int arity = 1;
    static constexpr gr::tensor_type infer(gr::call const& c, gr::complaint&) { return c.operand[0]; }
    static void whole(gr::call const& c, double const* const* in, double* out) {
        std::int64_t const n = c.operand[0].shape.static_size();
        for (std::int64_t i = 0; i < n; ++i) out[i] = in[0][(i + n / 2) % n];
    }
#ifndef GRADUS_FAIL
    static constexpr auto vjp(auto g, auto, auto) { return gr::apply<swap_halves>(g); }
#endif
};

constexpr auto x = gr::var<"x", float, 4>;
constexpr auto f = gr::compile(gr::grad(gr::sum(x * gr::apply<swap_halves>(x)), x));
