// SPDX-License-Identifier: BSL-1.0
// expect: undeclared_name
// errors: 1
#include <gradus.hpp>

// A mistake that has nothing to do with the library is the only one that the compiler reports, whatever comes after it.
#ifdef GRADUS_FAIL
void mistake() { undeclared_name; }
#endif

namespace gr = gradus;
using namespace gr::literals;

constexpr auto x = gr::var<"x", float, "batch", 4>;
constexpr auto w = gr::var<"w", float, 4, 6>;
constexpr auto start = gr::var<"start", float, 4>;
constexpr auto label = gr::var<"label", std::int32_t, "batch">;
constexpr auto hidden = gr::let([] { return gr::tanh(gr::matmul(x, w)) * 0.5_c; });
constexpr auto loss = gr::cross_entropy(gr::concatenate<1>(hidden, gr::slice<0, 4, 2, 1>(hidden)), label) + gr::sum(gr::square(w));
constexpr auto step = gr::compile(loss, gr::update(w, w - 0.1_c * gr::grad(loss, w)), gr::argmax<1>(hidden));
constexpr auto sums = gr::compile(gr::scan([](auto carry, auto row) { return carry + row; }, start, x));
static_assert(gr::graph_of(loss).count("matmul") == 1);

float tensors(gr::random& random) {
    auto weight = gr::randn<float, 4, 6>(random).requires_grad_();
    gr::tensor<float, gr::dyn, 4> rows{{1, 2, 3, 4}, {5, 6, 7, 8}};
    gr::tensor product = gr::softmax<1>(gr::matmul(rows, weight));
    gr::tensor cost = gr::mean(product) + gr::sum(gr::square(product));
    cost.backward();
    {
        gr::no_grad guard;
        weight -= 0.1f * weight.grad();
    }
    gr::nn::linear<float, 4, 2> layer(random);
    gr::optim::adamw optimizer(gr::nn::parameters(layer));
    gr::tensor total = gr::sum(layer(rows));
    total.backward();
    optimizer.step();
    return total.item() + static_cast<float>(rows.size());
}

int main() {
    gr::random random(1);
    return tensors(random) > 0 ? 0 : 1;
}
