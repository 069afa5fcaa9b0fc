// SPDX-License-Identifier: BSL-1.0
// expect: gradus::tensor::index(...): an index is neither a mask nor made of integers: it is float[3]
#include <gradus.hpp>

namespace gr = gradus;

void clear(gr::tensor<float, 3> const& x, gr::tensor<float, 3> const& y) {
#ifdef GRADUS_FAIL
    x[y] = 0.0f;
#else
    x[y > 0.0f] = 0.0f;
#endif
}
