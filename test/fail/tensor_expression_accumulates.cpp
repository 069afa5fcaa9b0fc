// SPDX-License-Identifier: BSL-1.0
// expect: gradus: an expression has no memory to add to: auto total = sum(...) computes nothing yet. Write gr::tensor total = ...
#include <gradus.hpp>

namespace gr = gradus;

int main() {
    auto x = gr::ones<float, 3>();
#ifdef GRADUS_FAIL
    auto total = gr::sum(x);
#else
    gr::tensor total = gr::sum(x);
#endif
    total += gr::sum(x);
}
