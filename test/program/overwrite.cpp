// SPDX-License-Identifier: BSL-1.0
#include "reductions.hpp"

// Updates of symbols that the same kernel reads: in place where nothing reads the old value any more, at the end where something does.
using namespace compare;

namespace {

constexpr auto matrix = gr::var<"matrix", double, 200, 200>;  // blocks of rows
constexpr auto v = gr::var<"v", double, 200>;
constexpr auto deep = gr::var<"deep", double, 200, 5, 40>;
constexpr auto b = gr::var<"b", double, 200, 40>;
constexpr auto z = gr::var<"z", double, 5000>;
constexpr auto u = gr::var<"u", double, 5000>;
constexpr auto wide = gr::var<"wide", double, 70, 300>;
constexpr auto x = gr::var<"x", double, 8, 16>;
constexpr auto s = gr::var<"s", double>;

}  // namespace

TEST_CASE("overwrite: a product that adds up rows, of a vector that the rows read") {
    check<source<[] { return std::tuple{gr::update(v, gr::matmul(matrix, gr::tanh(v)))}; }>>();
    check<source<[] { return std::tuple{gr::sum(z) * s, gr::update(s, gr::matmul(gr::tanh(z), u))}; }>>();
}
TEST_CASE("overwrite: sums that grow in memory, of what the rows read") {
    check<source<[] { return std::tuple{gr::update(v, gr::sum<0>(matrix * gr::reshape<200, 1>(gr::tanh(v))))}; }>>();
    check<source<[] { return std::tuple{gr::update(b, gr::sum<1>(deep * gr::reshape<200, 1, 1>(gr::sum<1>(b))))}; }>>();
}
TEST_CASE("overwrite: scalars that are computed again where they are used") {
    check<source<[] { return std::tuple{gr::update(s, s * gr::sum(x)), x / gr::sum<1, gr::keepdim>(x) * gr::exp(s)}; }>>();
    check<source<[] {
        return std::tuple{gr::update(s, s + gr::sum(wide)), gr::sum(wide / gr::sum<1, gr::keepdim>(gr::abs(wide))) + gr::cos(s)};
    }>>();
}
TEST_CASE("overwrite: a sum, where the end of the same loop reads the old value") {
    check<source<[] { return std::tuple{gr::update(s, gr::sum(x)), s * gr::sum(x)}; }>>();
    check<source<[] { return std::tuple{gr::update(s, gr::sum(gr::square(wide))), wide, gr::abs(s - gr::sum(gr::square(wide)))}; }>>();
}
