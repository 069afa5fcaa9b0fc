// SPDX-License-Identifier: BSL-1.0
#include "compare.hpp"

#include <tuple>

// Pooling: kernels against the interpreter, and the formulas against
// plain loops.
namespace {

namespace gr = gradus;

constexpr auto image = gr::var<"image", double, 2, 2, 5, 4>;
constexpr gr::pool uneven{.size = {3, 2}, .stride = {2, 1}, .padding = {1, 1}},
    inside{.size = {3, 2}, .stride = {2, 1}, .padding = {1, 1}, .count_include_pad = false};

template <class X, class... F>
void check_all(X of, F... f) {
    using gradient = decltype(gr::grad((gr::sum(f * f) + ...), of));
    compare::check<gr::expressions<F..., gradient>>(true);
}

struct interval {
    int begin, end;
};
/// The mean of what is in the image, or over `area`; the largest.
std::pair<double, double> pooled(double const (&x)[2][2][5][4], int i, int c, interval rows, interval columns, double area = 0) {
    double sum = 0, most = -1e300, count = 0;
    for (int h = std::max(rows.begin, 0); h < std::min(rows.end, 5); ++h)
        for (int w = std::max(columns.begin, 0); w < std::min(columns.end, 4); ++w) {
            sum += x[i][c][h][w];
            most = std::max(most, x[i][c][h][w]);
            ++count;
        }
    return {sum / (area > 0 ? area : count), most};
}
/// A few sums and quotients of numbers near 1.
bool near(double a, double b) { return std::abs(a - b) <= 1e-14; }

}  // namespace

TEST_CASE("compiled kernels: pooling") {
    check_all(image, gr::max_pool2d<uneven>(image), gr::avg_pool2d<inside>(image), gr::adaptive_avg_pool2d<3, 2>(image));
}
TEST_CASE("pooling: windows with padding and adaptive windows are those of PyTorch's documentation") {
    double x[2][2][5][4];
    for (int i = 0; i < 80; ++i)
        x[i / 40][i / 20 % 2][i / 4 % 5][i % 4] = (i * 37 % 80) / 40.0 - 1.5;  // mostly negative: padding must not win
    constexpr auto program = gr::compile(gr::max_pool2d<uneven>(image), gr::avg_pool2d<uneven>(image), gr::avg_pool2d<inside>(image),
                                         gr::adaptive_max_pool2d<3, 3>(image), gr::adaptive_avg_pool2d<3, 2>(image));
    auto const [most, mean, mean_inside, adaptive_most, adaptive_mean] = program(image = x);
    static_assert(gr::max_pool2d<uneven>(image).shape() == gr::shape{2, 2, 3, 5});
    for (int i = 0; i < 2; ++i)
        for (int c = 0; c < 2; ++c) {
            for (int h = 0; h < 3; ++h)
                for (int w = 0; w < 5; ++w) {
                    interval const rows{2 * h - 1, 2 * h + 2}, columns{w - 1, w + 1};
                    CHECK(most(i, c, h, w) == pooled(x, i, c, rows, columns).second);
                    CHECK(near(mean(i, c, h, w), pooled(x, i, c, rows, columns, 6).first));
                    CHECK(near(mean_inside(i, c, h, w), pooled(x, i, c, rows, columns).first));
                }
            for (int h = 0; h < 3; ++h) {
                interval const rows{h * 5 / 3, ((h + 1) * 5 + 2) / 3};
                for (int w = 0; w < 3; ++w)
                    CHECK(adaptive_most(i, c, h, w) == pooled(x, i, c, rows, {w * 4 / 3, ((w + 1) * 4 + 2) / 3}).second);
                for (int w = 0; w < 2; ++w) CHECK(near(adaptive_mean(i, c, h, w), pooled(x, i, c, rows, {2 * w, 2 * w + 2}).first));
            }
        }
}
