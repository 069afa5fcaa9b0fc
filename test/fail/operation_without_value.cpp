// SPDX-License-Identifier: BSL-1.0
// expect: gradus: nothing computes operation swap_halves
// expect: static void whole(gr::call const& c, double const* const* in, double* out)
#include <gradus/program.hpp>

namespace gr = gradus;

struct swap_halves {
    static constexpr auto name = "swap_halves";
    static constexpr auto kind = gr::op_kind::movement;
    static constexpr int arity = 1;
    static constexpr gr::tensor_type infer(gr::call const& c, gr::complaint&) { return c.operand[0]; }
#ifndef GRADUS_FAIL
    static void whole(gr::call const& c, double const* const* in, double* out) {
        std::int64_t const n = c.operand[0].shape.static_size();
        for (std::int64_t i = 0; i < n; ++i) out[i] = in[0][(i + n / 2) % n];
    }
#endif
};

constexpr auto x = gr::var<"x", float, 4>;
constexpr auto f = gr::compile(gr::apply<swap_halves>(x));
