// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>
#include <gradus/tensor/gradcheck.hpp>

#include <doctest/doctest.h>

#include <utility>

// Operations of users' on whole tensors: no kernel of the library is for them, whatever kind they say they are of. Their `whole` runs.
namespace {

namespace gr = gradus;
using namespace gr::literals;

/// a0 b0 a1 b1 ...: a movement of two operands, linear.
struct alternate {
    static constexpr auto name = "alternate";
    static constexpr auto kind = gr::op_kind::movement;
    static constexpr int arity = 2;
    static constexpr gr::tensor_type infer(gr::call const& c, gr::complaint& fail) {
        gr::shape const& s = c.operand[0].shape;
        if (!(c.operand[0] == c.operand[1]) || s.rank() != 1 || !s.is_static())
            return fail("needs two vectors of one length: a is ", c.operand[0], ", b is ", c.operand[1]);
        return {c.operand[0].type, {2 * s[0].code}};
    }
    static void whole(gr::call const& c, double const* const* in, double* out) {
        for (std::int64_t i = 0; i < c.operand[0].shape.static_size(); ++i)
            for (int k = 0; k < 2; ++k) out[2 * i + k] = in[k][i];
    }
    static constexpr auto every_other(auto x, int first, std::int64_t n) { return gr::op::part_of(x, 0, first, n, 2); }
    static constexpr auto vjp(auto g, auto, auto a, auto) {
        return std::pair{every_other(g, 0, a.shape()[0].code), every_other(g, 1, a.shape()[0].code)};
    }
    static constexpr auto jvp(auto ta, auto tb, auto, auto, auto) { return gr::apply<alternate>(ta, tb); }
};
/// The product of all elements, said to be a reduction.
struct all_product {
    static constexpr auto name = "all_product";
    static constexpr auto kind = gr::op_kind::reduction;
    static constexpr int arity = 1;
    static constexpr gr::tensor_type infer(gr::call const& c, gr::complaint&) { return {c.operand[0].type, {}}; }
    static void whole(gr::call const& c, double const* const* in, double* out) {
        *out = 1;
        for (std::int64_t i = 0; i < c.operand[0].shape.static_size(); ++i) *out *= in[0][i];
    }
    static constexpr auto vjp(auto g, auto y, auto x) { return g * y / x; }
    static constexpr auto jvp(auto t, auto y, auto x) {
        auto ratio = t / x;
        return y * ratio.sum((std::int64_t{1} << x.shape().rank()) - 1, false);
    }
};
/// Said to be a view, without a derivative.
struct last_column {
    static constexpr auto name = "last_column";
    static constexpr auto kind = gr::op_kind::view;
    static constexpr int arity = 1;
    static constexpr gr::tensor_type infer(gr::call const& c, gr::complaint&) { return {c.operand[0].type, {c.operand[0].shape[0]}}; }
    static void whole(gr::call const& c, double const* const* in, double* out) {
        std::int64_t const rows = c.operand[0].shape[0].code, columns = c.operand[0].shape[1].code;
        for (std::int64_t i = 0; i < rows; ++i) out[i] = in[0][i * columns + columns - 1];
    }
};
/// a^T b of vectors, a contraction.
struct inner {
    static constexpr auto name = "inner";
    static constexpr auto kind = gr::op_kind::contraction;
    static constexpr int arity = 2;
    static constexpr gr::tensor_type infer(gr::call const& c, gr::complaint&) { return {c.operand[0].type, {}}; }
    static void whole(gr::call const& c, double const* const* in, double* out) {
        *out = 0;
        for (std::int64_t i = 0; i < c.operand[0].shape.static_size(); ++i) *out += in[0][i] * in[1][i];
    }
    static constexpr auto vjp(auto g, auto, auto a, auto b) { return std::pair{g * b, g * a}; }
    template <int K>
    static constexpr auto directional(auto t, auto, auto a, auto b) {
        return K == 0 ? gr::apply<inner>(t, b) : gr::apply<inner>(a, t);
    }
};

template <class T>
void check_programs() {
    static constexpr auto a = gr::var<"a", T, 3>;
    static constexpr auto b = gr::var<"b", T, 3>;
    static constexpr auto m = gr::var<"m", T, "rows", 4>;
    static constexpr auto w = gr::var<"w", T, 6>;
    static constexpr auto f = gr::sum(gr::square(gr::apply<alternate>(2_c * a, b)) * w);
    static constexpr auto df = gr::grad(f, a);
    static constexpr auto p = gr::apply<all_product>(a);
    static constexpr auto dot = gr::apply<inner>(gr::square(a), b);
    static constexpr auto values = gr::compile(gr::apply<alternate>(2_c * a, b), p, dot, gr::apply<last_column>(gr::exp(m)), f, df,
                                               gr::jvp(f, a, b), gr::grad(gr::sum(df * b), a));
    static constexpr auto slopes = gr::compile(gr::grad(p, a), gr::jvp(p, a, b), gr::grad(gr::sum(gr::grad(p, a) * b), a), gr::grad(dot, a),
                                               gr::jvp(dot, a, b), gr::grad(gr::sum(gr::grad(dot, a) * b), a));
    T const A[3] = {1, 2, 4}, B[3] = {8, 16, 32}, W[6] = {1, 2, 4, 8, 16, 32}, M[8] = {9, 9, 9, 0, 9, 9, 9, 0};
    // small whole numbers: exact in float too
    auto [joined, product, scalar, column, value, slope, along, curvature] = values(a = A, b = B, w = W, m = M);
    for (int i = 0; i < 3; ++i) {
        T const weight = W[2 * i];
        CHECK(joined(2 * i) == 2 * A[i]);
        CHECK(joined(2 * i + 1) == B[i]);
        CHECK(slope(i) == 8 * weight * A[i]);
        CHECK(curvature(i) == 8 * weight * B[i]);
    }
    CHECK(product == 8);
    CHECK(scalar == 8 + 4 * 16 + 16 * 32);
    CHECK(column.size() == 2);
    CHECK(column(1) == 1);
    CHECK(value == 1 * 4 + 2 * 64 + 4 * 16 + 8 * 256 + 16 * 64 + 32 * 1024);
    CHECK(along == 8 * (8 + 4 * 2 * 16 + 16 * 4 * 32));
    auto [dp, tp, hp, dd, td, hd] = slopes(a = A, b = B);
    CHECK(tp == 8 * 8 + 4 * 16 + 2 * 32);
    CHECK(td == 2 * 64 + 4 * 256 + 8 * 1024);
    for (int i = 0; i < 3; ++i) {
        int const j = (i + 1) % 3, k = (i + 2) % 3;
        CHECK(dp(i) == A[j] * A[k]);
        CHECK(hp(i) == B[j] * A[k] + A[j] * B[k]);
        CHECK(dd(i) == 2 * A[i] * B[i]);
        CHECK(hd(i) == 2 * B[i] * B[i]);
    }
}

/// The same on the tape, with both orders by differences.
template <class T>
void check_tensors() {
    gr::tensor<T, 3> a{1, 2, 4}, b{8, 16, 32};
    a.requires_grad_();
    gr::tensor<T, 6> const joined = gr::apply<alternate>(a * T(2), b);
    gr::tensor<T> const product = gr::apply<all_product>(a);
    CHECK(joined(4) == 8);
    CHECK(joined(5) == 32);
    CHECK(product.item() == 8);
    gr::tensor<T> const loss = gr::sum(gr::square(joined) * product);
    loss.backward();
    for (int i = 0; i < 3; ++i) CHECK(a.grad()(i) == 8 * 8 * a(i) + (4 * (1 + 4 + 16) + 64 + 256 + 1024) * 8 / a(i));
}

}  // namespace

TEST_CASE("structural operations of users': programs, double") { check_programs<double>(); }
TEST_CASE("structural operations of users': programs, float") { check_programs<float>(); }
TEST_CASE("structural operations of users': tensors") {
    check_tensors<double>();
    check_tensors<float>();
    gr::tensor<double, 3> const x{0.5, 1.5, -0.7}, y{1.1, 0.3, 2.0};
    auto f = [](auto const& p, auto const& q) {
        return gr::sum(gr::square(gr::apply<alternate>(p * q, q))) * gr::apply<all_product>(p) + gr::apply<inner>(p, gr::exp(q));
    };
    CHECK(gr::gradcheck(f, x.clone().requires_grad_(), y.clone().requires_grad_()));
    CHECK(gr::gradgradcheck(f, x.clone().requires_grad_(), y.clone().requires_grad_()));
}
