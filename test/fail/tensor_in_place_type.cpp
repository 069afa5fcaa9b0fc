// SPDX-License-Identifier: BSL-1.0
// expect: gradus::tensor: an in-place operation does not change the type: the tensor is float[3], the result is float[2,3]
#include <gradus.hpp>

namespace gr = gradus;

int main() {
    auto b = gr::ones<float, 3>();
    auto rows = gr::ones<float, 2, 3>();
#ifdef GRADUS_FAIL
    b += rows;
#else
    b += gr::sum<0>(rows);
#endif
}
