// SPDX-License-Identifier: BSL-1.0
// Operations of your own that are no formula of elements: one that moves elements, one that folds them, one with two results and a kernel
// of its own.
//
// What an operation states decides how it runs. With `view` loops read its operand in place and nothing is copied; with `reduces_by` loops
// fold as they make the elements; with `kernel` it runs on arrays in the type of their elements. Its derivatives are operations again, so
// that derivatives of every order follow. Below, everything is compared with hand-written loops and finite differences.
#include <gradus.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace gr = gradus;
using namespace gr::literals;

// 1. It moves elements: axis by axis, what the result reads.
/// The last axis from its end to its beginning.
struct reversed {
    static constexpr auto name = "reversed";
    static constexpr auto kind = gr::op_kind::view;
    static constexpr int arity = 1;
    static constexpr gr::tensor_type infer(gr::call const& c, gr::complaint& fail) {
        gr::shape const& s = c.operand[0].shape;
        if (s.rank() == 0 || !s[s.rank() - 1].is_static()) return fail("the last axis needs an extent: a is ", c.operand[0]);
        return c.operand[0];
    }
    /// Element j of an axis of the result is element first + step j of an axis of the operand: {axis, first, step}.
    static constexpr gr::view_axis view(gr::attributes const&, gr::shape const& from, gr::shape const&, int axis) {
        if (axis == from.rank() - 1) return {axis, from[axis].code - 1, -1};
        return {axis};
    }
    static constexpr auto vjp(auto g, auto, auto) { return gr::apply<reversed>(g); }
    static constexpr auto jvp(auto t, auto, auto) { return gr::apply<reversed>(t); }
};

// 2. It folds elements: the base has the axes, loops sum.
/// The sum over axes; derivatives that come in are clipped to [-1, 1] on their way back.
struct clipped_sum : gr::op::reduction<clipped_sum> {
    static constexpr auto name = "clipped_sum";
    static constexpr auto reduces_by = gr::reducer::sum;
    static constexpr auto vjp(auto g, auto y, auto x) {
        auto const at_most_1 = gr::where(g > 1, g.number(1), g);
        return gr::where(g < -1, g.number(-1), at_most_1).expand_reduced(y).broadcast_to(x.shape());
    }
    static constexpr auto jvp(auto t, auto y, auto) { return t.like(y); }  // the same axes
};
constexpr gr::parameters last_of_two{gr::op::reduction_attributes(0b10, false)};  // a bit for each axis

// 3. It has two results, which one call of its kernel makes; the rules of derivatives see both.
/// The elements of each row over their sum, and the sum.
struct shares {
    static constexpr auto name = "shares";
    static constexpr auto kind = gr::op_kind::movement;
    static constexpr int arity = 1, results = 2;
    static constexpr gr::tensor_type infer(gr::call const& c, gr::complaint& fail, int result) {
        gr::tensor_type const& x = c.operand[0];
        if (x.shape.rank() != 2) return fail("needs a matrix: a is ", x);
        return result == 0 ? x : gr::tensor_type{x.type, {x.shape[0], 1}};
    }
    template <class T>
    static void kernel(gr::call const& c, T const* const* in, T* const* out) {
        std::int64_t const rows = c.operand[0].shape[0].code, columns = c.operand[0].shape[1].code;  // numbers, whatever the names
        for (std::int64_t i = 0; i < rows; ++i) {
            T sum = 0;
            for (std::int64_t j = 0; j < columns; ++j) sum += in[0][i * columns + j];
            for (std::int64_t j = 0; j < columns; ++j) out[0][i * columns + j] = in[0][i * columns + j] / sum;
            out[1][i] = sum;
        }
    }
    static constexpr auto vjp(auto by_share, auto by_sum, auto share, auto sum, auto) {
        return (by_share - (by_share * share).sum(0b10, true)) / sum + by_sum;
    }
    static constexpr auto jvp(auto t, auto share, auto sum, auto) {
        auto const moved = t.sum(0b10, true);
        return std::pair{(t - share * moved) / sum, moved};
    }
};

constexpr int n = 5;
constexpr auto x = gr::var<"x", double, "rows", n>;
constexpr auto v = gr::var<"v", double, "rows", n>;
constexpr auto parts = gr::apply<shares>(gr::exp(x));
constexpr auto f = gr::sum(gr::sin(std::get<0>(parts)) * gr::apply<reversed>(x)) + gr::sum(gr::log(std::get<1>(parts)));
constexpr auto df = gr::grad(f, x);
constexpr auto all = gr::compile(f, df, gr::grad(gr::sum(df* v), x), gr::jvp(df, x, v));
constexpr auto row_sums = gr::apply<gr::with<clipped_sum, last_of_two>>(gr::square(gr::apply<reversed>(x)));
constexpr auto folded = gr::compile(row_sums, gr::grad(gr::sum(3_c * row_sums), x));
static_assert(gr::compile(row_sums).kernels() == 1, "read backwards, squared and folded in one loop");

int main() {
    double at[2][n], direction[2][n], by_hand = 0, error = 0;
    for (int i = 0; i < 2 * n; ++i) at[i / n][i % n] = std::sin(1.3 * i), direction[i / n][i % n] = std::cos(0.7 * i);
    auto const [value, gradient, reverse, forward] = all(x = at, v = direction);
    for (auto const& row : at) {
        double sum = 0;
        for (double e : row) sum += std::exp(e);
        for (int i = 0; i < n; ++i) by_hand += std::sin(std::exp(row[i]) / sum) * row[n - 1 - i];
        by_hand += std::log(sum);
    }
    double const h = 1e-5;  // central differences err by h^2, and by the rounding of the value over h
    for (int i = 0; i < 2 * n; ++i) {
        double &here = at[i / n][i % n], before = here, g = gradient(i / n, i % n);
        double const up = (here = before + h, std::get<0>(all(x = at, v = direction)));
        double const down = (here = before - h, std::get<0>(all(x = at, v = direction)));
        here = before;
        error = std::max({error, std::abs((up - down) / (2 * h) - g), std::abs(forward(i / n, i % n) - reverse(i / n, i % n))});
    }
    auto const [sums, clipped] = folded(x = at);
    gr::tensor<float, 1, 4> const t{{1, 2, 3, 10}}, of_tensor = std::get<0>(gr::apply<shares>(t));  // the same, in float
    std::printf("value %.6f, by hand %.6f; derivatives of two orders err by %.0e\n", value, by_hand, error);
    std::printf("sums of squares %.4f %.4f; clipped derivative %.4f, 2 x %.4f\n", sums(0), sums(1), clipped(0, 1), 2 * at[0][1]);
    std::printf("shares of a tensor: %g %g %g %g\n", of_tensor(0, 0), of_tensor(0, 1), of_tensor(0, 2), of_tensor(0, 3));
    // a few roundings of the value; of differences h^2 = 1e-10 and a rounding of 1e-16 over h, times factors up to 100
    return std::abs(value - by_hand) < 1e-12 && error < 1e-8 && clipped(0, 1) == 2 * at[0][1] && of_tensor(0, 3) == 0.625f ? 0 : 1;
}
