// SPDX-License-Identifier: BSL-1.0
// expect: gradus::matmul(a, b): inner extents differ: a is float[4,3], b is float[4,3] (3 != 4)
// errors: 1
#include <gradus.hpp>

// A call that is refused is the only error: nothing is said of what is computed of its result.
namespace gr = gradus;

#ifdef GRADUS_FAIL
auto product(auto a, auto b) { return gr::matmul(a, b); }
#else
auto product(auto a, auto b) { return gr::matmul(a, gr::transpose(b)); }
#endif

float statements(gr::tensor<float, 4, 3>& v) {
    auto const written = product(v, v);
    gr::tensor<float, 4> rows = gr::sum<1>(written) * 2.0f;
    gr::tensor total = gr::sum(gr::square(written)) + gr::mean(gr::softmax<0>(rows));
    total.backward();
    for (int k = 0; k < 2; ++k) {
        gr::no_grad const guard;
        v -= 0.1f * v.grad();
        v[0] = gr::sum(written);
    }
    gr::tensor<float> again = gr::sum(written);
    again += gr::sum(written);
    return again.item();
}

int main() {
    auto v = gr::ones<float, 4, 3>().requires_grad_();
    return statements(v) > 0 ? 0 : 1;
}
