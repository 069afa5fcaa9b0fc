// SPDX-License-Identifier: BSL-1.0
#include "compare.hpp"

#include <gradus/control.hpp>

// Loops: kernels against the interpreter, and against the same steps written one after the other.
namespace {

namespace gr = gradus;

template <class... F>
void check_all(F...) {
    compare::check<gr::expressions<F...>>();
}

constexpr int in = 3, hidden = 2;
constexpr auto h0 = gr::var<"h0", double, 2, hidden>;
constexpr auto c0 = gr::var<"c0", double, 2, hidden>;
constexpr auto xs = gr::var<"xs", double, 4, 2, in>;
constexpr auto named_xs = gr::var<"xs", double, "n", 2, in>;
constexpr auto wx = gr::var<"wx", double, in, hidden>;
constexpr auto wh = gr::var<"wh", double, hidden, hidden>;
constexpr auto b = gr::var<"b", double, hidden>;

constexpr auto cell(auto h, auto x) { return gr::tanh(gr::matmul(x, wx) + gr::matmul(h, wh) + b); }
constexpr auto rnn = [](auto h, auto x) { return cell(h, x); };
constexpr auto rnn_with_outputs = [](auto h, auto x) {
    auto next = cell(h, x);
    return std::pair{next, gr::square(next) * gr::sum<1, gr::keepdim>(x)};
};

template <int T>
constexpr auto row(auto x) { return gr::reshape<2, in>(gr::slice<T, T + 1>(x)); }

}  // namespace

TEST_CASE("compiled kernels: the last carry of a scan and its gradients") {
    constexpr auto last = gr::scan(rnn, h0, xs);
    constexpr auto loss = gr::sum(gr::square(last));
    check_all(last, gr::grad(loss, wx), gr::grad(loss, wh), gr::grad(loss, b), gr::grad(loss, h0), gr::grad(loss, xs));
}
TEST_CASE("compiled kernels: carry and outputs of a scan and their gradients, the number of steps named") {
    constexpr auto both = gr::scan(rnn_with_outputs, h0, named_xs);
    constexpr auto loss = gr::sum(gr::square(both.first)) + gr::sum(both.second * both.second);
    check_all(both.first, both.second, gr::grad(loss, wx), gr::grad(loss, wh), gr::grad(loss, b), gr::grad(loss, h0), gr::grad(loss, named_xs));
}
TEST_CASE("compiled kernels: second derivatives of a scan") {
    constexpr auto both = gr::scan(rnn_with_outputs, h0, named_xs);
    constexpr auto loss = gr::sum(gr::square(both.first)) + gr::sum(both.second * both.second);
    constexpr auto slope = gr::sum(gr::grad(loss, wh) * gr::square(wh)) + gr::sum(gr::grad(loss, b));
    check_all(gr::grad(slope, wh), gr::grad(slope, h0), gr::grad(slope, named_xs), gr::jvp(gr::grad(loss, wh), wh, gr::square(wh)), gr::jvp(both.second, wh, wh));
}
