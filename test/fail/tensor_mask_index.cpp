// SPDX-License-Identifier: BSL-1.0
// expect: gradus::tensor::operator[](a): an index is no integer: a is bool[3]. Select by a mask with gr::where(mask, a, b), write with x.copy_(gr::where(mask, v, x))
#include <gradus/tensor.hpp>

namespace gr = gradus;

void clear(gr::tensor<float, 3> const& x, gr::tensor<bool, 3> const& mask) {
#ifdef GRADUS_FAIL
    x[mask] = 0.0f;
#else
    x.copy_(gr::where(mask, 0, x));
#endif
}
