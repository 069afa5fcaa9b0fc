// SPDX-License-Identifier: BSL-1.0
#include "reductions.hpp"

// Softmax, argmax and reductions of integers, through compiled kernels.
using namespace compare;

TEST_CASE_TEMPLATE("compiled kernels: softmax and log_softmax, along any axis", T, float, double) {
    using r = reductions<T>;
    check<source<[] { return derivatives(gr::softmax(r::k), r::c239, r::k, r::tk); }>>();
    check<source<[] { return derivatives(gr::log_softmax<1>(r::k), r::c239, r::k, r::tk); }>>();
    check<source<[] {
        return std::tuple_cat(derivatives(gr::softmax<0>(r::n), r::tn, r::n, r::tn),
                              derivatives(gr::log_softmax(r::n), r::tn, r::n, r::tn));
    }>>();
}
TEST_CASE_TEMPLATE("compiled kernels: argmax of memory and of what is computed first", T, float, double) {
    using r = reductions<T>;
    check<source<[] {
        return std::tuple{gr::argmax(r::v),
                          gr::argmax<0>(r::m),
                          gr::argmax<1, gr::keepdim>(r::m),
                          gr::argmax<1>(r::k),
                          gr::argmax<-1>(gr::sin(r::n) * r::c4),
                          gr::argmax<0>(r::n),
                          gr::argmax(gr::transpose(r::m)),
                          gr::argmax(r::c),
                          gr::argmax<0>(gr::slice<1, 16, 3>(r::v)),
                          gr::argmax<0, 2>(r::k),
                          gr::argmax<1, 2, gr::keepdim>(gr::transpose(r::k)),
                          gr::argmax(gr::broadcast_to<3, 17>(r::v))};
    }>>();
}
TEST_CASE("compiled kernels: sums and maxima of integers are exact") {
    static constexpr auto i = gr::var<"i", std::int32_t, 5, 9>;
    static constexpr auto j = gr::var<"j", std::int64_t, "n", 9>;
    check<source<[] {
        return std::tuple{gr::sum(i),       gr::sum<0>(i * i), gr::amax<1>(i), gr::sum<1>(j), gr::amax(j), gr::amax<0, gr::keepdim>(-j),
                          gr::argmax<1>(i), gr::argmax(j)};
    }>>();
}
