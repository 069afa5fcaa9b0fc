// SPDX-License-Identifier: BSL-1.0
// expect: this expression has over
// expect: gr::let([=] { return ...; })
#include <gradus.hpp>

namespace gr = gradus;

constexpr auto x = gr::var<"x", float, 8, 8>;
constexpr auto w = gr::var<"w", float, 8, 8>;
constexpr auto b = gr::var<"b", float, 8>;

template <int Depth>
constexpr auto block(auto h) {
    if constexpr (Depth == 0) return h;
    else return block<Depth - 1>(h + gr::tanh(gr::matmul(h, w) + b) * h);
}
template <int Depth>
constexpr auto shared_block(auto h) {
    if constexpr (Depth == 0) return h;
    else return shared_block<Depth - 1>(gr::let([=] { return h + gr::tanh(gr::matmul(h, w) + b) * h; }));
}

#ifdef GRADUS_FAIL
constexpr auto deep = block<20>(x);
#else
constexpr auto deep = shared_block<20>(x);
#endif
