// SPDX-License-Identifier: BSL-1.0
#include "structure.hpp"

// Products, through compiled kernels.
namespace {

namespace gr = gradus;
using compare::check_values;
using compare::derivatives;
using compare::source;

template <class T>
struct products {
    static constexpr auto a = gr::var<"a", T, 3, 5>;
    static constexpr auto ta = gr::var<"ta", T, 3, 5>;
    static constexpr auto b = gr::var<"b", T, 5, 17>;
    static constexpr auto tb = gr::var<"tb", T, 5, 17>;
    static constexpr auto c = gr::var<"c", T, 3, 17>;
    static constexpr auto v = gr::var<"v", T, 5>;
    static constexpr auto tv = gr::var<"tv", T, 5>;
    static constexpr auto u = gr::var<"u", T, 3>;
    static constexpr auto tu = gr::var<"tu", T, 3>;
    static constexpr auto s = gr::var<"s", T>;
    static constexpr auto n = gr::var<"x", T, "n", 4>;
    static constexpr auto tn = gr::var<"tx", T, "n", 4>;
    static constexpr auto w = gr::var<"w", T, 4, 3>;
    static constexpr auto tw = gr::var<"tw", T, 4, 3>;
    static constexpr auto cn = gr::var<"cn", T, "n", 3>;
    // leading axes that broadcast against each other: [2,1,3,4] and [5,4,2]
    static constexpr auto p = gr::var<"p", T, 2, 1, 3, 4>;
    static constexpr auto tp = gr::var<"tp", T, 2, 1, 3, 4>;
    static constexpr auto q = gr::var<"q", T, 5, 4, 2>;
    static constexpr auto tq = gr::var<"tq", T, 5, 4, 2>;
    static constexpr auto cp = gr::var<"cp", T, 2, 5, 3, 2>;
};

}  // namespace

TEST_CASE_TEMPLATE("compiled kernels: matmul of vectors and matrices", T, float, double) {
    using r = products<T>;
    check_values<source<[] { return derivatives(gr::matmul(gr::tanh(r::a), r::b), r::c, r::a, r::ta, r::b, r::tb); }>>();
    check_values<source<[] { return derivatives(gr::matmul(r::a, r::v), r::u, r::a, r::ta, r::v, r::tv); }>>();
    check_values<source<[] { return derivatives(gr::matmul(r::u, r::a), r::v, r::u, r::tu, r::a, r::ta); }>>();
    check_values<source<[] { return derivatives(gr::matmul(r::v, r::tv), r::s, r::v, r::tv); }>>();
    check_values<source<[] { return derivatives(gr::matmul(r::n, r::w), r::cn, r::n, r::tn, r::w, r::tw); }>>();
}
TEST_CASE_TEMPLATE("compiled kernels: matmul of transposes, slices and stacks", T, float, double) {
    using r = products<T>;
    check_values<source<[] { return derivatives(gr::matmul(r::p, r::q), r::cp, r::p, r::tp, r::q, r::tq); }>>();
    check_values<source<[] {
        return std::tuple{gr::matmul(gr::transpose(r::b), gr::transpose(r::a)),
                          gr::matmul(gr::transpose(r::n), r::n),
                          gr::matmul(r::n, gr::transpose(r::n)),
                          gr::matmul(gr::slice<0, 5, 2, 1>(r::a), gr::slice<1, 4>(r::b)),
                          gr::matmul(r::u, gr::matmul(r::a, r::b)),
                          gr::matmul(r::p, gr::matmul(r::q, gr::transpose<0, 2, 1>(r::q)))};
    }>>();
}
