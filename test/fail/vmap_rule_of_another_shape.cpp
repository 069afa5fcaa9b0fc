// SPDX-License-Identifier: BSL-1.0
// expect: gradus::vmap(f)(xs...): f applies totals to an instance, which states a batching rule that makes float[3], not float[3,4]
#include <gradus/program.hpp>

namespace gr = gradus;

/// The sum of all elements, at every place.
struct totals {
    static constexpr auto name = "totals";
    static constexpr auto kind = gr::op_kind::movement;
    static constexpr int arity = 1;
    static constexpr gr::tensor_type infer(gr::call const& c, gr::complaint&) { return c.operand[0]; }
    static void whole(gr::call const& c, double const* const* in, double* out) {
        std::int64_t const n = c.operand[0].shape.static_size();
        double sum = 0;
        for (std::int64_t i = 0; i < n; ++i) sum += in[0][i];
        for (std::int64_t i = 0; i < n; ++i) out[i] = sum;
    }
#ifdef GRADUS_FAIL
    static constexpr auto batch(gr::batched_call const&, auto x) { return x.sum(2, false); }
#else
    static constexpr auto batch(gr::batched_call const&, auto x) { return x.sum(2, true).broadcast_to(x.shape()); }
#endif
};

constexpr auto xs = gr::var<"xs", float, 3, 4>;
constexpr auto f = gr::compile(gr::vmap([](auto x) { return gr::apply<totals>(x); })(xs));
