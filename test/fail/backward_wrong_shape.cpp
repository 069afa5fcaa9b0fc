// SPDX-License-Identifier: BSL-1.0
// expect: gradus::autograd::function: row_sums::backward returns an invalid gradient at index 0: got double[3] but expected shape compatible with double[3,4]
#include <gradus.hpp>

namespace gr = gradus;

struct row_sums : gr::autograd::function<row_sums> {
    static gr::tensor<double, 3> forward(gr::autograd::context&, gr::tensor<double, 3, 4> x) { return gr::sum<1>(x); }
    static auto backward(gr::autograd::context&, gr::tensor<double, 3> gradient) {
#ifdef GRADUS_FAIL
        return gradient;
#else
        return gr::broadcast_to<3, 4>(gr::reshape<3, 1>(gradient));
#endif
    }
};

auto sums(gr::tensor<double, 3, 4> x) { return row_sums::apply(x); }
