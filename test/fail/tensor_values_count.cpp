// SPDX-License-Identifier: BSL-1.0
// expect: gradus::tensor(values): 5 values for float[2,3]
#include <gradus.hpp>

#include <array>

namespace gr = gradus;

int main() {
#ifdef GRADUS_FAIL
    std::array<float, 5> values{};
#else
    std::array<float, 6> values{};
#endif
    gr::tensor<float, 2, 3> t(values);
}
