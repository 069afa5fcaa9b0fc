// SPDX-License-Identifier: BSL-1.0
#include "structural_operations.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

// gr::vmap in programs: beside loops written by hand. test/law/batching.cpp has every operation.
namespace {

namespace gr = gradus;
using namespace gr::literals;

/// Sums up to each element of a vector, halved from one to the next: instances go through it one after the other.
struct decayed {
    static constexpr auto name = "decayed";
    static constexpr auto kind = gr::op_kind::movement;
    static constexpr int arity = 1;
    static constexpr gr::tensor_type infer(gr::call const& c, gr::complaint&) { return c.operand[0]; }
    template <class T>
    static void kernel(gr::call const& c, T const* const* in, T* out) {
        T sum = 0;
        for (std::int64_t i = 0; i < c.operand[0].shape.static_size(); ++i) out[i] = sum = in[0][i] + sum / 2;
    }
    static constexpr auto turned(auto g) { return gr::apply<structural::backwards>(g); }
    static constexpr auto vjp(auto g, auto, auto) { return turned(gr::apply<decayed>(turned(g))); }
    static constexpr auto jvp(auto t, auto, auto) { return gr::apply<decayed>(t); }
    static constexpr auto batch(gr::batched_call const& c, auto x) {
        auto row = [&](int i) {
            return gr::apply<decayed>(gr::op::part_of(x, 0, i, 1).reshape(c.operand[0])).reshape(gr::op::in_front(1, c.result));
        };
        auto all = row(0);
        for (int i = 1; i < c.instances.code; ++i) all = gr::op::joined(all, row(i), 0);
        return all;
    }
};
/// Two results, a vector over its sum and the sum: rules see and make both.
struct parts_of_total {
    static constexpr auto name = "parts_of_total";
    static constexpr auto kind = gr::op_kind::movement;
    static constexpr int arity = 1, results = 2;
    static constexpr gr::tensor_type infer(gr::call const& c, gr::complaint&, int result) {
        gr::tensor_type y = c.operand[0];
        if (result == 1) y.shape[y.shape.rank() - 1] = 1;
        return y;
    }
    template <class T>
    static void kernel(gr::call const& c, T const* const* in, T* const* out) {
        gr::shape const& s = c.operand[0].shape;
        std::int64_t const columns = s[s.rank() - 1].code, rows = s.static_size() / columns;
        for (std::int64_t i = 0; i < rows; ++i) {
            out[1][i] = 0;
            for (std::int64_t j = 0; j < columns; ++j) out[1][i] += in[0][i * columns + j];
            for (std::int64_t j = 0; j < columns; ++j) out[0][i * columns + j] = in[0][i * columns + j] / out[1][i];
        }
    }
    static constexpr auto along(auto x) { return std::int64_t{1} << (x.shape().rank() - 1); }
    static constexpr auto vjp(auto by_part, auto by_total, auto part, auto total, auto x) {
        return (by_part - (by_part * part).sum(along(x), true)) / total + by_total;
    }
    static constexpr auto jvp(auto t, auto part, auto total, auto x) {
        auto const moved = t.sum(along(x), true);
        return std::pair{(t - part * moved) / total, moved};
    }
    static constexpr auto batch(gr::batched_call const&, auto x) { return gr::apply<parts_of_total>(x); }
};

constexpr auto x = gr::var<"x", double, "n", 3>;
constexpr auto y = gr::var<"y", double, "n">;
constexpr auto w = gr::var<"w", double, 3>;
constexpr auto b = gr::var<"b", double>;

constexpr double X[4][3] = {{1, 2, 3}, {-1, 0.5, 2}, {0, 0.25, -2}, {3, -1, 1}}, Y[4] = {1, 0, 1, 0}, W[3] = {0.1, -0.2, 0.3}, B = 0.05;

/// A logistic regression's loss of one example.
constexpr auto loss_of = [](auto xi, auto yi) {
    auto const z = gr::dot(xi, w) + b;
    return gr::softplus(z) - yi * z;
};
double residual(double const* xi, double yi) {
    double z = B;
    for (int j = 0; j < 3; ++j) z += xi[j] * W[j];
    return 1 / (1 + std::exp(-z)) - yi;
}
// a few roundings of numbers of order 1
bool near(double p, double q) { return std::abs(p - q) <= 1e-14 * std::max(1.0, std::abs(q)); }

}  // namespace

TEST_CASE("vmap: gradients of each example, and of all of them") {
    constexpr auto by_example = gr::vmap([](auto xi, auto yi) {
        auto const loss = loss_of(xi, yi);
        return std::tuple{loss, gr::grad(loss, w), gr::grad(loss, b), gr::grad(loss, xi)};
    })(x, y);
    constexpr auto total = gr::sum(gr::vmap(loss_of)(x, y));
    constexpr auto program = gr::compile(std::get<0>(by_example), std::get<1>(by_example), std::get<2>(by_example), std::get<3>(by_example),
                                         gr::grad(total, w), gr::grad(total, x));
    auto const [loss, by_w, by_b, by_x, sum_w, sum_x] = program(x = X, y = Y, w = W, b = B);
    for (int j = 0; j < 3; ++j) {
        double sum = 0;
        for (int i = 0; i < 4; ++i) {
            double const r = residual(X[i], Y[i]);
            sum += r * X[i][j];
            CHECK(near(by_w(i, j), r * X[i][j]));
            CHECK(near(by_b(i), r));
            CHECK(near(by_x(i, j), r * W[j]));
            CHECK(near(sum_x(i, j), r * W[j]));
        }
        CHECK(near(sum_w(j), sum));
    }
    CHECK(loss.size() == 4);
}
TEST_CASE("vmap: one product for all instances, and nothing twice") {
    constexpr auto m = gr::var<"m", double, 3, 5>;
    constexpr auto each = gr::compile(gr::vmap([=](auto xi) { return gr::tanh(gr::matmul(xi, m)); })(x));
    constexpr auto together = gr::compile(gr::tanh(gr::matmul(x, m)));
    static_assert(gr::print(each.graph()) == gr::print(together.graph()));
    // what does not depend on an instance is one node, wherever it stands
    constexpr auto shared = gr::compile(gr::vmap([](auto xi) { return xi * gr::exp(gr::sum(w)); })(x), gr::exp(gr::sum(w)));
    constexpr auto beside = gr::compile(x * gr::exp(gr::sum(w)), gr::exp(gr::sum(w)));
    static_assert(shared.graph().size() == beside.graph().size());
}
TEST_CASE("vmap: other axes, arguments that are not mapped, results that do not depend") {
    constexpr auto a = gr::var<"a", double, 3, 2>;
    constexpr auto f = [](auto column, auto row, auto scale) { return std::pair{gr::outer(column, row) * scale, scale * scale}; };
    constexpr auto found = gr::vmap<-1, 0, gr::unmapped>(f)(a, gr::transpose(a), b);
    static_assert(found.first.type == gr::tensor_type{gr::dtype::float64, {2, 3, 3}} &&
                  found.second.type == gr::tensor_type{gr::dtype::float64, {2}});
    constexpr auto program = gr::compile(found.first, found.second, gr::vmap<1>([](auto c) { return gr::sum(c); })(a));
    constexpr double A[3][2] = {{1, 2}, {3, 4}, {5, 6}};
    auto const [products, squares, sums] = program(a = A, b = 2.0);
    for (int k = 0; k < 2; ++k) {
        for (int i = 0; i < 3; ++i)
            for (int j = 0; j < 3; ++j) CHECK(products(k, i, j) == 2 * A[i][k] * A[j][k]);
        CHECK(squares(k) == 4);
        CHECK(sums(k) == A[0][k] + A[1][k] + A[2][k]);
    }
}
TEST_CASE("vmap: inside of vmap, a kernel matrix") {
    constexpr auto z = gr::var<"z", double, "m", 3>;
    constexpr auto kernel = [](auto p, auto q) { return gr::exp(-0.5_c * gr::sum(gr::square(p - q))); };
    constexpr auto matrix = gr::vmap([=](auto p) { return gr::vmap([=](auto q) { return kernel(p, q); })(z); })(x);
    constexpr auto slopes =
        gr::vmap([=](auto p) { return gr::vmap<gr::unmapped, 0>([=](auto u, auto q) { return gr::grad(kernel(u, q), u); })(p, z); })(x);
    static_assert(matrix.type == gr::tensor_type{gr::dtype::float64, {"n", "m"}} &&
                  slopes.type == gr::tensor_type{gr::dtype::float64, {"n", "m", 3}});
    constexpr auto program = gr::compile(matrix, slopes, gr::grad(gr::sum(matrix), z));
    constexpr double Z[2][3] = {{0, 1, 2}, {1, 1, 1}};
    auto const [k, s, by_z] = program(x = X, z = Z);
    for (int j = 0; j < 2; ++j)
        for (int c = 0; c < 3; ++c) {
            double sum = 0;
            for (int i = 0; i < 4; ++i) {
                double square = 0;
                for (int e = 0; e < 3; ++e) square += (X[i][e] - Z[j][e]) * (X[i][e] - Z[j][e]);
                double const value = std::exp(-0.5 * square), slope = value * (Z[j][c] - X[i][c]);
                sum -= slope;
                CHECK(near(k(i, j), value));
                CHECK(near(s(i, j, c), slope));
            }
            CHECK(near(by_z(j, c), sum));
        }
}
TEST_CASE("vmap: rows by indices of each instance, for a number of instances that the data tells") {
    constexpr auto index = gr::var<"index", int, "n", 2>;
    constexpr auto table = gr::var<"table", double, 3>;
    constexpr auto of_row = gr::vmap([](auto row, auto i) { return gr::embedding(row, i); })(x, index);
    constexpr auto of_table = gr::vmap([=](auto i) { return gr::grad(gr::sum(gr::embedding(table, i)), table); })(index);
    constexpr auto program = gr::compile(of_row, of_table, gr::grad(gr::sum(gr::square(of_row)), x));
    constexpr int I[4][2] = {{0, 2}, {1, 1}, {3, -1}, {2, 0}};  // the third selects nothing
    constexpr double T[3] = {1, 2, 3};
    auto const [rows, counts, by_x] = program(x = X, index = I, table = T);
    for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 3; ++j) {
            int count = 0;
            for (int k = 0; k < 2; ++k) count += I[i][k] == j;
            CHECK(counts(i, j) == count);
            CHECK(near(by_x(i, j), 2 * count * X[i][j]));
            if (j < 2) CHECK(rows(i, j) == (I[i][j] < 0 || I[i][j] > 2 ? 0 : X[i][I[i][j]]));
        }
}
TEST_CASE("vmap: inside of a loop, which it captures from") {
    constexpr auto steps = gr::var<"steps", double, "time", 3>;
    constexpr auto last =
        gr::scan([](auto h, auto step) { return gr::vmap([=](auto hi) { return gr::tanh(hi + gr::dot(step, w)); })(h); }, y, steps);
    constexpr auto program = gr::compile(last, gr::grad(gr::sum(last), w));
    constexpr double S[2][3] = {{1, 0, 1}, {0, 2, -1}};
    auto const [h, by_w] = program(y = Y, steps = S, w = W);
    double sums[3]{};
    for (int i = 0; i < 4; ++i) {
        double value = Y[i], slope[3]{};
        for (auto const& s : S) {
            value = std::tanh(value + s[0] * W[0] + s[1] * W[1] + s[2] * W[2]);
            for (int j = 0; j < 3; ++j) slope[j] = (1 - value * value) * (slope[j] + s[j]);
        }
        CHECK(near(h(i), value));
        for (int j = 0; j < 3; ++j) sums[j] += slope[j];
    }
    for (int j = 0; j < 3; ++j) CHECK(near(by_w(j), sums[j]));
}
TEST_CASE("vmap: operations of users by their facets") {
    using namespace structural;
    constexpr auto z = gr::var<"z", double, "n", 4>;
    constexpr auto f = [](auto zi) {
        auto const turned = gr::apply<backwards>(zi);
        auto const value = gr::sum(gr::square(over<clipped_total, 1>(gr::apply<pairs>(turned * zi)))) + over<top, 1>(zi);
        return std::pair{value, gr::grad(value, zi)};
    };
    constexpr auto all = gr::vmap(f)(z);
    constexpr auto one = gr::var<"one", double, 4>;
    constexpr auto program = gr::compile(all.first, all.second);
    constexpr auto single = gr::compile(f(one).first, f(one).second);
    constexpr double Z[3][4] = {{0.1, 0.2, 0.3, 0.7}, {-1, 0.5, 0.25, 0.5}, {2, 1, -1, 0}};
    auto const [values, slopes] = program(z = Z);
    for (int i = 0; i < 3; ++i) {
        auto const [value, slope] = single(one = Z[i]);
        CHECK(near(values(i), value));
        for (int j = 0; j < 4; ++j) CHECK(near(slopes(i, j), slope(j)));
    }
}
TEST_CASE("vmap: operations of users by their rules, with derivatives and for several results") {
    constexpr auto z = gr::var<"z", double, 3, 4>;
    constexpr auto one = gr::var<"one", double, 4>;
    constexpr auto f = [](auto zi) {
        auto const [part, total] = gr::apply<parts_of_total>(zi);
        auto const value = gr::sum(gr::square(gr::apply<decayed>(zi)) * part) + gr::sum(total * total);
        return std::tuple{value, gr::grad(value, zi), gr::jvp(value, zi, zi), part, total};
    };
    constexpr auto all = gr::vmap(f)(z);
    constexpr auto program = gr::compile(std::get<0>(all), std::get<1>(all), std::get<2>(all), std::get<3>(all), std::get<4>(all));
    constexpr auto alone = f(one);
    constexpr auto single = gr::compile(std::get<0>(alone), std::get<1>(alone), std::get<2>(alone), std::get<3>(alone), std::get<4>(alone));
    constexpr double Z[3][4] = {{0.1, 0.2, 0.3, 0.7}, {1, 0.5, 0.25, 0.5}, {2, 1, -1, 0}};
    auto const [values, slopes, along, parts, totals] = program(z = Z);
    for (int i = 0; i < 3; ++i) {
        auto const [value, slope, directed, part, total] = single(one = Z[i]);
        CHECK(near(values(i), value));
        CHECK(near(along(i), directed));
        CHECK(near(totals(i, 0), total(0)));
        for (int j = 0; j < 4; ++j) {
            CHECK(near(slopes(i, j), slope(j)));
            CHECK(near(parts(i, j), part(j)));
        }
    }
}
/// A turn of the plane and a half by an angle for each instance, its Jacobian, and what its columns add up to: several small arrays.
template <class V>
constexpr auto turned_of(V v) {
    auto const angle = gr::select<0, 2>(v); auto const c = gr::cos(angle); auto const s = gr::sin(angle);
    auto const p = gr::select<0, 0>(v); auto const q = gr::select<0, 1>(v);
    return gr::stack<0>(c * p - s * q, s * p + c * q, p * q);
}
template <class T, auto Symbol>
void turns(std::size_t n) {
    constexpr auto all = gr::vmap([](auto v) {
        auto const turned = turned_of(v);
        return std::tuple{turned, gr::jacobian(turned, v), gr::softmax<0>(v), gr::concatenate<0>(v, gr::reshape<1>(gr::sum(v)))};
    })(Symbol);
    constexpr auto program = gr::compile(std::get<0>(all), std::get<1>(all), std::get<2>(all), std::get<3>(all));
    static_assert(program.kernels() <= 2);
    std::vector<T> values(3 * n);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<T>(static_cast<int>(i * 37 % 101) - 50) / 25;
    auto const results = program(Symbol = values);
    auto const& [turned, j, share, more] = results;
    double const tolerance = 8 * static_cast<double>(std::numeric_limits<T>::epsilon());  // of numbers up to 6, some roundings each
    double off = 0;
    auto compare = [&](T got, double expected) { off = std::max(off, std::abs(static_cast<double>(got) - expected)); };
    for (std::size_t i = 0; i < n; ++i) {
        double const p = values[3 * i], q = values[3 * i + 1], a = values[3 * i + 2], c = std::cos(a), s = std::sin(a);
        double const expected[3] = {c * p - s * q, s * p + c * q, p * q};
        double const slopes[3][3] = {{c, -s, -s * p - c * q}, {s, c, c * p - s * q}, {q, p, 0}};
        double const total = std::exp(p) + std::exp(q) + std::exp(a);
        auto const row = static_cast<std::int64_t>(i);
        for (std::int64_t k = 0; k < 3; ++k) {
            compare(turned(row, k), expected[k]);
            for (std::int64_t l = 0; l < 3; ++l) compare(j(row, k, l), slopes[k][l]);
            compare(share(row, k), std::exp(static_cast<double>(values[3 * i + static_cast<std::size_t>(k)])) / total);
            CHECK(more(row, k) == values[3 * i + static_cast<std::size_t>(k)]);
        }
        compare(more(row, 3), p + q + a);
    }
    CAPTURE(n);
    CHECK(off <= tolerance);
}
TEST_CASE("vmap: lanes go along instances, of any number") {
    for (std::size_t n : {0U, 1U, 7U, 8U, 9U, 16U, 33U, 100U}) {
        turns<double, gr::var<"v", double, "n", 3>>(n);
        turns<float, gr::var<"u", float, "n", 3>>(n);
    }
    turns<double, gr::var<"s", double, 50, 3>>(50);
}
TEST_CASE("vmap: no instance, and one") {
    constexpr auto program = gr::compile(gr::vmap([](auto xi) { return gr::grad(gr::sum(gr::square(xi)), xi); })(x));
    auto const [none] = program(x = std::vector<double>{}, gr::dim<"n"> = 0);
    CHECK(none.size() == 0);
    auto const [one] = program(x = std::vector<double>{1, 2, 3});
    CHECK(one(0, 2) == 6);
}
