// SPDX-License-Identifier: BSL-1.0
// expect: gradus::mean(a): needs a floating-point operand: a is int32[4]. Convert it with gr::cast
#include <gradus.hpp>

namespace gr = gradus;

int main() {
    auto counts = gr::arange<std::int32_t, 4>();
#ifdef GRADUS_FAIL
    gr::tensor average = gr::mean(counts);
#else
    gr::tensor average = gr::mean(gr::cast<float>(counts));
#endif
}
