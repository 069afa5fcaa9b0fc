// SPDX-License-Identifier: BSL-1.0
#include "loops.hpp"

// Loops: kernels against the interpreter, and against the same steps written one after the other.
namespace {

namespace gr = gradus;
using namespace loops;

using compare::check_all;

constexpr auto wx = gr::var<"wx", double, in, hidden>;
constexpr auto wh = gr::var<"wh", double, hidden, hidden>;
constexpr auto b = gr::var<"b", double, hidden>;

constexpr auto cell(auto h, auto x) { return gr::tanh(gr::matmul(x, wx) + gr::matmul(h, wh) + b); }
constexpr auto rnn = [](auto h, auto x) { return cell(h, x); };
constexpr auto rnn_with_outputs = [](auto h, auto x) {
    auto next = cell(h, x);
    return std::pair{next, gr::square(next) * gr::sum<1, gr::keepdim>(x)};
};

}  // namespace

TEST_CASE("compiled kernels: the last carry of a scan and its gradients") {
    constexpr auto last = gr::scan(rnn, h0, xs);
    constexpr auto loss = gr::sum(gr::square(last));
    check_all(last, gr::grad(loss, wx), gr::grad(loss, wh), gr::grad(loss, b), gr::grad(loss, h0), gr::grad(loss, xs));
}
TEST_CASE("compiled kernels: carry and outputs of a scan and their gradients, the number of steps named") {
    constexpr auto both = gr::scan(rnn_with_outputs, h0, named_xs);
    constexpr auto loss = gr::sum(gr::square(both.first)) + gr::sum(both.second * both.second);
    check_all(both.first, both.second, gr::grad(loss, wx), gr::grad(loss, wh), gr::grad(loss, b), gr::grad(loss, h0),
              gr::grad(loss, named_xs));
}
TEST_CASE("compiled kernels: second derivatives of a scan") {
    constexpr auto both = gr::scan(rnn_with_outputs, h0, named_xs);
    constexpr auto loss = gr::sum(gr::square(both.first)) + gr::sum(both.second * both.second);
    constexpr auto slope = gr::sum(gr::grad(loss, wh) * gr::square(wh)) + gr::sum(gr::grad(loss, b));
    check_all(gr::grad(slope, wh), gr::grad(slope, h0), gr::grad(slope, named_xs), gr::jvp(gr::grad(loss, wh), wh, gr::square(wh)),
              gr::jvp(both.second, wh, wh));
}
TEST_CASE("scan: an RNN is the program with its steps written one after the other, derivatives included") {
    constexpr auto of = [](auto last) {
        constexpr auto loss = gr::sum(gr::square(decltype(last){}));
        constexpr auto slope = gr::sum(gr::grad(loss, wh) * wh);
        return gr::compile(last, gr::grad(loss, wx), gr::grad(loss, wh), gr::grad(loss, b), gr::grad(loss, h0), gr::grad(loss, xs),
                           gr::grad(slope, wh), gr::grad(slope, xs));
    };
    constexpr auto rolled = of(gr::scan(rnn, h0, xs));
    constexpr auto unrolled = of(cell(cell(cell(cell(h0, row<0>(xs)), row<1>(xs)), row<2>(xs)), row<3>(xs)));
    auto const H = filled<gr::array<double, 2, hidden>>(1);
    auto const X = filled<gr::array<double, 4, 2, in>>(2);
    auto const WX = filled<gr::array<double, in, hidden>>(3);
    auto const WH = filled<gr::array<double, hidden, hidden>>(4);
    auto const B = filled<gr::array<double, hidden>>(5);
    auto const a = rolled(h0 = H, xs = X, wx = WX, wh = WH, b = B), c = unrolled(h0 = H, xs = X, wx = WX, wh = WH, b = B);
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (check_close(std::get<I>(a), std::get<I>(c), 1e-12), ...);
    }(std::make_index_sequence<8>{});  // sums of some 30 terms near 1
}
