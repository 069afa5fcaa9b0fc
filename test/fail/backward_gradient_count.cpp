// SPDX-License-Identifier: BSL-1.0
// expect: gradus::autograd::function: scale::backward returns 1 gradients, forward takes 2 arguments: return a tuple of one gradient per argument, `nothing` for what has none
#include <gradus.hpp>

namespace gr = gradus;

struct scale : gr::autograd::function<scale> {
    static gr::tensor<double, 3> forward(gr::autograd::context&, gr::tensor<double, 3> x, double k) { return x * k; }
    static auto backward(gr::autograd::context&, gr::tensor<double, 3> gradient) {
#ifdef GRADUS_FAIL
        return gradient;
#else
        return std::tuple(gradient, nothing);
#endif
    }
};

auto scaled(gr::tensor<double, 3> x) { return scale::apply(x, 2.0); }
