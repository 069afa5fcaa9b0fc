// SPDX-License-Identifier: BSL-1.0
#include "loops.hpp"

// Loops whose carry is a tuple: an LSTM against the interpreter, and against its steps written one after the other.
namespace {

namespace gr = gradus;
using namespace loops;

using compare::check_all;

constexpr auto c0 = gr::var<"c0", double, 2, hidden>;

// an LSTM: the carry is a tuple, weights as PyTorch has them
constexpr auto weight_x = gr::var<"weight_x", double, 4 * hidden, in>;
constexpr auto weight_h = gr::var<"weight_h", double, 4 * hidden, hidden>;
constexpr auto bias_x = gr::var<"bias_x", double, 4 * hidden>;
constexpr auto bias_h = gr::var<"bias_h", double, 4 * hidden>;
constexpr auto lstm_step(auto h, auto c, auto x) { return gr::lstm_cell(x, h, c, weight_x, weight_h, bias_x, bias_h); }
constexpr auto lstm = [](auto carry, auto x) {
    auto [h, c] = carry;
    return lstm_step(h, c, x);
};

constexpr auto narrow(auto x) { return gr::cast<float>(x); }

}  // namespace

TEST_CASE("compiled kernels: an LSTM over a sequence of named length") {
    constexpr auto last = gr::scan(lstm, std::tuple{h0, c0}, named_xs);
    constexpr auto loss = gr::sum(gr::square(std::get<0>(last))) + gr::sum(std::get<1>(last));
    check_all(std::get<0>(last), std::get<1>(last), gr::grad(loss, weight_x), gr::grad(loss, weight_h), gr::grad(loss, bias_x),
              gr::grad(loss, h0), gr::grad(loss, c0), gr::grad(loss, named_xs));
}
TEST_CASE("scan: an LSTM is the program with its steps written one after the other, in float") {
    constexpr auto step = [](auto carry, auto x) {
        auto [h, c] = carry;
        return gr::lstm_cell(x, h, c, narrow(weight_x), narrow(weight_h), narrow(bias_x), narrow(bias_h));
    };
    constexpr auto x = narrow(xs);
    constexpr auto init = std::tuple{narrow(h0), narrow(c0)};
    constexpr auto last = gr::scan(step, init, x);
    constexpr auto four = step(step(step(step(init, row<0>(x)), row<1>(x)), row<2>(x)), row<3>(x));
    constexpr auto loss = gr::sum(std::get<0>(last) * std::get<1>(last));
    constexpr auto unrolled = gr::sum(std::get<0>(four) * std::get<1>(four));
    constexpr auto program = gr::compile(std::get<0>(last), std::get<0>(four), gr::grad(loss, weight_h), gr::grad(unrolled, weight_h),
                                         gr::grad(loss, xs), gr::grad(unrolled, xs));
    auto const [a, b2, da, db, dx, dy] =
        program(h0 = filled<gr::array<double, 2, hidden>>(1), c0 = filled<gr::array<double, 2, hidden>>(6),
                xs = filled<gr::array<double, 4, 2, in>>(2), weight_x = filled<gr::array<double, 4 * hidden, in>>(7),
                weight_h = filled<gr::array<double, 4 * hidden, hidden>>(8), bias_x = filled<gr::array<double, 4 * hidden>>(9),
                bias_h = filled<gr::array<double, 4 * hidden>>(10));
    check_close(a, b2, 2e-6), check_close(da, db, 2e-5), check_close(dx, dy, 2e-5);  // 16 ulp of float, ten times that for sums
}
