// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

// Patterns of Jacobians, held against dense Jacobians at points where no element is zero by chance; compressed derivatives against dense
// ones.
namespace {

namespace gr = gradus;
using namespace gr::literals;

/// Every element of the dense Jacobian is the sparse one's, bit for bit but for the order of sums; and the pattern has none too many, where
/// `exact`. `data` are numbers with no coincidences.
template <class Y, class X>
void compare(Y y, X x, bool exact = true) {
    constexpr auto sparse = gr::sparse_jacobian(y, x);
    constexpr auto dense = gr::compile(gr::jacobian(y, x));
    constexpr auto rows = Y::type.shape.static_size(), cols = X::type.shape.static_size();
    gr::random source(11);
    std::vector<double> data(static_cast<std::size_t>(cols));
    for (double& d : data) d = 0.5 + source.uniform();
    auto const s = sparse(x = data);
    auto const [d] = dense(x = data);
    REQUIRE(s.rows() == rows);
    REQUIRE(s.cols() == cols);
    for (std::int64_t i = 0; i < rows; ++i)
        for (std::int64_t j = 0; j < cols; ++j) {
            double const expected = d.data()[i * cols + j];
            // a few roundings of numbers of order 1 to 10
            CHECK(std::abs(s(i, j) - expected) <= 1e-13 * std::max(1.0, std::abs(expected)));
            if (exact) CHECK(gr::sparsity(y, x).contains(i, j) == (expected != 0));
            if (gr::sparsity(y, x).is_enumerated()) {
                bool listed = false;
                for (int k = s.outer()[static_cast<std::size_t>(i)]; k < s.outer()[static_cast<std::size_t>(i) + 1]; ++k)
                    listed = listed || s.inner()[static_cast<std::size_t>(k)] == j;
                CHECK(listed == gr::sparsity(y, x).contains(i, j));
            }
        }
}

constexpr auto x = gr::var<"x", double, 12>;
constexpr auto m = gr::var<"m", double, 4, 6>;

}  // namespace

TEST_CASE("sparsity: a tridiagonal function has three colours, whatever its length") {
    constexpr auto u = gr::var<"u", double, 100>;
    constexpr auto inside = gr::slice<1, 99>(u);
    constexpr auto f =
        gr::concatenate<0>(gr::slice<0, 1>(u), gr::slice<0, 98>(u) - 2_c * inside * inside + gr::slice<2, 100>(u), gr::slice<99, 100>(u));
    static_assert(gr::sparsity(f, u).colors() == 3 && gr::sparsity(f, u).row_colors() == 3);
    static_assert(gr::sparsity(f, u).nonzeros() == 3 * 98 + 2);
    static_assert(gr::sparsity(f, u).contains(5, 4) && !gr::sparsity(f, u).contains(5, 3) && !gr::sparsity(f, u).contains(0, 1));
    constexpr auto v = gr::var<"v", double, 10000>;
    constexpr auto g = gr::slice<0, 9998>(v) - 2_c * gr::exp(gr::slice<1, 9999>(v)) + gr::slice<2, 10000>(v);
    static_assert(gr::sparsity(g, v).colors() == 3 && !gr::sparsity(g, v).is_enumerated());
    CHECK(gr::sparsity(g, v).print().view() == "y[i] by x[i], i < 9998\ny[i] by x[i + 1], i < 9998\ny[i] by x[i + 2], i < 9998\n");
}
TEST_CASE("sparse_jacobian: stencils, cuts, steps, flips, pads, joins, loops that are followed step by step") {
    constexpr auto loop = gr::scan([](auto c, auto row) { return std::pair{c * 0.5_c + row, c * row}; }, gr::select<0, 0>(x), x).second;
    compare(
        gr::concatenate<0>(gr::slice<1, 12>(x) * gr::slice<0, 11>(x), gr::slice<0, 12, 3>(x) * gr::sum(gr::slice<2, 4>(x)),
                           gr::flip(gr::exp(x)), gr::slice<1, 12, 4>(x), gr::pad<2, 1>(x * x) + gr::pad<0, 3>(gr::sin(x)),
                           gr::roll<5, 0>(x) * x, gr::cumsum<0>(x), gr::flatten(gr::reshape<4, 3>(x) * gr::transpose(gr::reshape<3, 4>(x))),
                           gr::stack<0>(gr::select<0, 3>(x) * gr::select<0, 1>(x), gr::sin(gr::select<0, 7>(x))), loop),
        x);
}
TEST_CASE("sparse_jacobian: other shapes, sums, products, triangles, rows of a map") {
    constexpr auto rows = gr::map([](auto row) { return gr::sum(row * row); }, m);
    compare(
        gr::concatenate<0>(gr::flatten(gr::transpose(m)), gr::flatten(gr::sum<0>(gr::reshape<2, 3, 4>(m * m))),
                           gr::flatten(gr::matmul(m, gr::ones<double, 6, 2>)), gr::flatten(gr::matmul(gr::ones<double, 3, 4>, gr::exp(m))),
                           gr::diagonal(gr::slice<0, 4>(gr::transpose(m)) * 2_c), gr::flatten(m * gr::sum<1, gr::keepdim>(m)), rows),
        m);
}
TEST_CASE("sparse_jacobian: what has no derivative is not there, gathers of constants are followed") {
    constexpr auto index = gr::cast<std::int64_t>(gr::constant<std::array{3, 0, 3, 11}>);
    compare(gr::concatenate<0>(gr::where(x > 1_c, x * 2_c, gr::floor(x)) + gr::stop_gradient(gr::sum(x)),
                               gr::embedding(x, index) * gr::slice<0, 4>(x), gr::amax<0, gr::keepdim>(x)),
            x, false);
    static_assert(gr::sparsity(gr::floor(x) + gr::stop_gradient(x), x).nonzeros() == 0);
    static_assert(gr::sparsity(gr::embedding(x, index), x).nonzeros() == 4);
}
TEST_CASE("sparse_jacobian: solutions are dense by matrix") {
    constexpr auto blocks = gr::var<"b", double, 3, 2, 2>;
    compare(gr::solve(blocks + 3_c * gr::eye<double, 2>, gr::ones<double, 3, 2, 1>), blocks);
    static_assert(gr::sparsity(gr::solve(blocks, gr::ones<double, 3, 2, 1>), blocks).nonzeros() == 3 * 2 * 4);
}
TEST_CASE("sparse_hessian: an arrow takes two directions, a chain three") {
    constexpr auto hub = gr::select<0, 0>(x);
    constexpr auto arrow = gr::sum(gr::square(gr::slice<1, 12>(x)) * gr::exp(hub));
    constexpr auto chain = gr::sum(gr::square(gr::slice<1, 12>(x) - gr::square(gr::slice<0, 11>(x))));
    static_assert(gr::hessian_sparsity(arrow, x).symmetric_colors() == 2 && gr::hessian_sparsity(arrow, x).colors() == 12);
    static_assert(gr::sparse_hessian(arrow, x).directions() == 2 && gr::sparse_hessian(chain, x).directions() == 3);
    constexpr auto dense = gr::compile(gr::hessian(arrow, x), gr::hessian(chain, x));
    std::vector<double> data;
    for (int i = 0; i < 12; ++i) data.push_back(0.3 + 0.1 * i);
    auto const [a, c] = dense(x = data);
    auto const sa = gr::sparse_hessian(arrow, x)(x = data), sc = gr::sparse_hessian(chain, x)(x = data);
    CHECK(sa.nonzeros() == 3 * 11 + 1);
    CHECK(sc.nonzeros() == 3 * 12 - 2);
    for (int i = 0; i < 12; ++i)
        for (int j = 0; j < 12; ++j) {
            CHECK(std::abs(sa(i, j) - a(i, j)) <= 1e-13 * std::max(1.0, std::abs(a(i, j))));
            CHECK(std::abs(sc(i, j) - c(i, j)) <= 1e-13 * std::max(1.0, std::abs(c(i, j))));
        }
}
TEST_CASE("sparse_jacobian: extents with names and gathered rows, one block for each observation") {
    constexpr auto table = gr::var<"table", double, "rows", 3>;
    constexpr auto which = gr::var<"which", std::int32_t, "n">;
    constexpr auto t = gr::var<"t", double, "n">;
    constexpr auto row = gr::embedding(table, which);
    constexpr auto f = gr::stack<1>(gr::select<1, 0>(row) * gr::exp(gr::select<1, 1>(row) * t), gr::select<1, 2>(row) * t);
    constexpr auto j = gr::sparse_jacobian(f, table);
    static_assert(j.directions() == 3 && j.sparsity().colors() == 3);
    double const T[4] = {0.5, 1, -1, 2}, table_data[9] = {1, 2, 3, 4, 0.5, 6, 0.1, 0.2, 0.3};
    std::int32_t const W[4] = {2, 0, 2, 1};
    auto const s = j(table = table_data, which = W, t = T);
    REQUIRE(s.rows() == 8);
    REQUIRE(s.cols() == 9);
    CHECK(s.nonzeros() == 4 * 3);
    for (int i = 0; i < 4; ++i) {
        double const *r = table_data + 3 * W[i], e = std::exp(r[1] * T[i]);
        CHECK(std::abs(s(2 * i, 3 * W[i]) - e) <= 1e-14 * e);
        CHECK(std::abs(s(2 * i, 3 * W[i] + 1) - r[0] * T[i] * e) <= 1e-14 * e * 10);
        CHECK(s(2 * i + 1, 3 * W[i] + 2) == T[i]);
    }
    auto const structure = j.structure(table = table_data, which = W, t = T);
    CHECK(j(structure, table = table_data, which = W, t = T)(6, 3) == s(6, 3));
    constexpr auto by_t = gr::sparse_jacobian(f, t);  // a band with a name
    static_assert(by_t.directions() == 1);
    CHECK(by_t(table = table_data, which = W, t = T)(1, 0) == table_data[8]);
    CHECK_THROWS_AS(s(8, 0), gr::shape_error);
}
