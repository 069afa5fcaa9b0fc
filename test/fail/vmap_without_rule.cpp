// SPDX-License-Identifier: BSL-1.0
// expect: gradus::vmap(f)(xs...): f applies swap_halves to an instance, which states no batching rule, batch(call, operands...)
#include <gradus/program.hpp>

namespace gr = gradus;

/// The halves of the last axis exchanged.
struct swap_halves {
    static constexpr auto name = "swap_halves";
    static constexpr auto kind = gr::op_kind::movement;
    static constexpr int arity = 1;
    static constexpr gr::tensor_type infer(gr::call const& c, gr::complaint&) { return c.operand[0]; }
    static void whole(gr::call const& c, double const* const* in, double* out) {
        gr::shape const& s = c.operand[0].shape;
        std::int64_t const n = s[s.rank() - 1].code, size = s.static_size();
        for (std::int64_t i = 0; i < size; ++i) out[i] = in[0][i / n * n + (i + n / 2) % n];
    }
#ifndef GRADUS_FAIL
    static constexpr auto batch(gr::batched_call const&, auto x) { return gr::apply<swap_halves>(x); }
#endif
};

constexpr auto xs = gr::var<"xs", float, 3, 4>;
constexpr auto f = gr::compile(gr::vmap([](auto x) { return gr::sum(x * gr::apply<swap_halves>(x)); })(xs));
