// SPDX-License-Identifier: BSL-1.0
// expect: gradus::tensor(a): types differ: the tensor is double[3], a is float[3]
#include <gradus.hpp>

namespace gr = gradus;

int main() {
    auto x = gr::ones<float, 3>();
#ifdef GRADUS_FAIL
    gr::tensor<double, 3> y = x + x;
#else
    gr::tensor<double, 3> y = gr::cast<double>(x + x);
#endif
}
