// SPDX-License-Identifier: BSL-1.0
#include <gradus/expr/structure.hpp>

#include <doctest/doctest.h>

#include <type_traits>

// Shapes and dtypes of expressions are facts of the compiler.
namespace gr = gradus;
using namespace gr::literals;

namespace {

constexpr auto x = gr::var<"x", float, 2, 3, 4>;
constexpr auto m = gr::var<"m", float, 3, 4>;
constexpr auto v = gr::var<"v", float, 4>;
constexpr auto s = gr::var<"s", float>;
constexpr auto n = gr::var<"n", double, "batch", 5>;
constexpr auto i = gr::var<"i", std::int32_t, 4>;
constexpr auto l = gr::var<"l", std::int64_t, "batch">;
constexpr auto mask = gr::var<"mask", bool, 4>;

constexpr bool is(gr::expression auto e, gr::dtype type, gr::shape shape) {
    return e.dtype() == type && e.shape() == shape && e.rank() == shape.rank();
}
constexpr auto f32 = gr::dtype::float32, f64 = gr::dtype::float64;

}  // namespace

TEST_CASE("expressions: are empty") {
    static_assert(std::is_empty_v<std::remove_const_t<decltype(x)>>);
    static_assert(std::is_empty_v<decltype(gr::tanh(x) + s)>);
}
TEST_CASE("expressions: elementwise operations broadcast trailing axes") {
    static_assert(is(x + m, f32, {2, 3, 4}) && is(m + x, f32, {2, 3, 4}) && is(x * v, f32, {2, 3, 4}) && is(s / x, f32, {2, 3, 4}));
    static_assert(is(gr::exp(s), f32, {}) && is(-i, gr::dtype::int32, {4}) && is(+m, f32, {3, 4}));
    static_assert(is(gr::var<"a", float, 3, 1> - gr::var<"b", float, 1, 4>, f32, {3, 4}));
    static_assert(is(n * gr::var<"c", double, "batch", 1>, f64, {"batch", 5}) && is(n + gr::var<"d", double, 5>, f64, {"batch", 5}));
}
TEST_CASE("expressions: comparisons are bool, where takes the dtype of its branches") {
    static_assert(is(v < s, gr::dtype::boolean, {4}) && is(m == v, gr::dtype::boolean, {3, 4}) && is(i != 2_c, gr::dtype::boolean, {4}));
    static_assert(is(gr::where(mask, m, s), f32, {3, 4}) && is(gr::where(v > 0_c, 1_c, v), f32, {4}));
}
TEST_CASE("expressions: literals take the dtype of what they meet") {
    static_assert(is(0.5_c * n, f64, {"batch", 5}) && is(2_c * i, gr::dtype::int32, {4}) && is(x + gr::constant<0.25>, f32, {2, 3, 4}));
    static_assert(is(1_c - 2_c * v, f32, {4}) && is(-0.5_c + s, f32, {}));
    static_assert(std::is_same_v<decltype(-0.5_c), std::remove_const_t<decltype(gr::constant<-0.5>)>>);
    static_assert(std::is_same_v<decltype(1e-3_c), gr::constant_expr<0.001>> && std::is_same_v<decltype(10_c), gr::constant_expr<10.0>>);
}
TEST_CASE("expressions: reductions drop axes, negative ones count from the end") {
    static_assert(is(gr::sum(x), f32, {}) && is(gr::sum<0>(x), f32, {3, 4}) && is(gr::sum<-1>(x), f32, {2, 3}) &&
                  is(gr::sum<0, 2>(x), f32, {3}));
    static_assert(is(gr::mean<-2, gr::keepdim>(x), f32, {2, 1, 4}) && is(gr::amax<gr::keepdim>(x), f32, {1, 1, 1}) &&
                  is(gr::logsumexp<0>(n), f64, {5}));
    static_assert(is(gr::argmax<1>(n), gr::dtype::int64, {"batch"}) && is(gr::argmax(i), gr::dtype::int64, {}) &&
                  is(gr::sum(i), gr::dtype::int64, {}) && is(gr::sum<0, gr::keepdim>(mask), gr::dtype::int64, {1}) &&
                  is(gr::sum(l), gr::dtype::int64, {}) && is(gr::amax(i), gr::dtype::int32, {}));
    static_assert(is(gr::softmax(x), f32, {2, 3, 4}) && is(gr::log_softmax<0>(n), f64, {"batch", 5}));
    static_assert(std::is_same_v<decltype(gr::sum<-1>(x)), decltype(gr::sum<2>(x))>);
}
TEST_CASE("expressions: matmul is NumPy's") {
    constexpr auto w = gr::var<"w", float, 4, 6>;
    static_assert(is(gr::matmul(m, w), f32, {3, 6}) && is(gr::matmul(v, w), f32, {6}) && is(gr::matmul(m, v), f32, {3}) &&
                  is(gr::matmul(v, v), f32, {}));
    static_assert(is(gr::matmul(x, w), f32, {2, 3, 6}) && is(gr::matmul(x, v), f32, {2, 3}) &&
                  is(gr::matmul(n, gr::var<"p", double, 5, 2>), f64, {"batch", 2}));
    static_assert(is(gr::matmul(gr::var<"q", float, 7, 1, 3, 4>, gr::var<"r", float, 2, 4, 6>), f32, {7, 2, 3, 6}));
}
TEST_CASE("expressions: axes are moved, split, repeated, cut and joined") {
    static_assert(is(gr::transpose(x), f32, {4, 3, 2}) && is(gr::transpose<0, 2, 1>(x), f32, {2, 4, 3}) &&
                  is(gr::transpose<-1, 0, 1>(x), f32, {4, 2, 3}));
    static_assert(is(gr::reshape<4, 6>(x), f32, {4, 6}) && is(gr::reshape<-1>(x), f32, {24}) && is(gr::reshape<2, -1>(x), f32, {2, 12}) &&
                  is(gr::reshape<-1, 5>(n), f64, {"batch", 5}));
    static_assert(is(gr::broadcast_to<2, 3, 4>(v), f32, {2, 3, 4}) &&
                  is(gr::broadcast_to<"batch", 5>(gr::var<"d", double, 5>), f64, {"batch", 5}));
    static_assert(is(gr::slice<1, 3>(v), f32, {2}) && is(gr::slice<-3, -1>(v), f32, {2}) && is(gr::slice<0, 4, 3>(v), f32, {2}) &&
                  is(gr::slice<0, 2, 1, -1>(n), f64, {"batch", 2}));
    static_assert(is(gr::slice<gr::range{0, 2}, gr::range{1, 3}>(x), f32, {2, 2, 4}) && is(gr::slice<2, 2>(v), f32, {0}));
    static_assert(is(gr::concatenate<0>(v, v, gr::slice<0, 1>(v)), f32, {9}) && is(gr::concatenate<-1>(n, n), f64, {"batch", 10}));
    static_assert(is(gr::cast<double>(i), f64, {4}) && is(gr::cast<float>(mask), f32, {4}));
}
TEST_CASE("expressions: losses are scalars, derivatives like what they are of") {
    constexpr auto loss = gr::cross_entropy(n, l);
    static_assert(is(loss, f64, {}) && is(gr::mse_loss(m, m), f32, {}) && is(gr::binary_cross_entropy_with_logits(v, v), f32, {}));
    static_assert(is(gr::grad(loss, n), f64, {"batch", 5}) && is(gr::jvp(gr::sum<1>(n), n, n), f64, {"batch"}) &&
                  is(gr::grad(gr::sum(gr::grad(loss, n)), n), f64, {"batch", 5}));
}
