// SPDX-License-Identifier: BSL-1.0
#include "structure.hpp"

// Operations that move elements, and losses, through compiled kernels.
namespace {

namespace gr = gradus;
using compare::check_values;
using compare::derivatives;
using compare::source;

template <class T>
struct moves {
    static constexpr auto m = gr::var<"m", T, 3, 5>;
    static constexpr auto tm = gr::var<"tm", T, 3, 5>;
    static constexpr auto k = gr::var<"k", T, 2, 3, 4>;
    static constexpr auto tk = gr::var<"tk", T, 2, 3, 4>;
    static constexpr auto v = gr::var<"v", T, 17>;
    static constexpr auto tv = gr::var<"tv", T, 17>;
    static constexpr auto n = gr::var<"x", T, "n", 4>;
    static constexpr auto tn = gr::var<"tx", T, "n", 4>;
    static constexpr auto one = gr::var<"one", T, 1>;
    static constexpr auto t_one = gr::var<"t_one", T, 1>;
    static constexpr auto s = gr::var<"s", T>;
    static constexpr auto ts = gr::var<"ts", T>;
    static constexpr auto c53 = gr::var<"c53", T, 5, 3>;
    static constexpr auto c15 = gr::var<"c15", T, 15>;
    static constexpr auto c342 = gr::var<"c342", T, 3, 4, 2>;
    static constexpr auto c5 = gr::var<"c5", T, 5>;
    static constexpr auto c22 = gr::var<"c22", T, 2, 2>;
    static constexpr auto c85 = gr::var<"c85", T, 8, 5>;
    static constexpr auto c43 = gr::var<"c43", T, 4, 3>;
    static constexpr auto c4n = gr::var<"c4n", T, 4, "n">;
    static constexpr auto cn2 = gr::var<"cn2", T, "n", 2>;
    static constexpr auto c46 = gr::var<"c46", T, 4, 6>;
    static constexpr auto c7 = gr::var<"c7", T, 7>;
    static constexpr auto cn8 = gr::var<"cn8", T, "n", 8>;
};

}  // namespace

TEST_CASE_TEMPLATE("compiled kernels: transpose, reshape and broadcast_to", T, float, double) {
    using r = moves<T>;
    check_values<source<[] {
        return std::tuple_cat(derivatives(gr::transpose(gr::sin(r::m)), r::c53, r::m, r::tm),
                              derivatives(gr::reshape<15>(gr::sin(r::m)), r::c15, r::m, r::tm));
    }>>();
    check_values<source<[] {
        return std::tuple_cat(derivatives(gr::transpose<1, 2, 0>(gr::sin(r::k)), r::c342, r::k, r::tk),
                              derivatives(gr::reshape<3, 4, 2>(gr::transpose(gr::sin(r::k))), r::c342, r::k, r::tk));
    }>>();
    check_values<source<[] {
        return std::tuple_cat(derivatives(gr::transpose(gr::sin(r::n)), r::c4n, r::n, r::tn),
                              derivatives(gr::broadcast_to<5>(gr::sin(r::s)), r::c5, r::s, r::ts));
    }>>();
    check_values<source<[] {
        return std::tuple_cat(derivatives(gr::broadcast_to<4, 3>(gr::sin(r::one)), r::c43, r::one, r::t_one),
                              derivatives(gr::reshape<1>(gr::sin(r::s)), r::one, r::s, r::ts));
    }>>();
}
TEST_CASE_TEMPLATE("compiled kernels: slice with steps, pad (its derivative) and concatenate", T, float, double) {
    using r = moves<T>;
    check_values<source<[] {
        return std::tuple_cat(derivatives(gr::slice<1, 16, 3>(gr::sin(r::v)), r::c5, r::v, r::tv),
                              derivatives(gr::slice<-7, 17>(gr::sin(r::v)), r::c7, r::v, r::tv));
    }>>();
    check_values<
        source<[] { return derivatives(gr::slice<gr::range{0, 3, 2}, gr::range{1, 5, 3}>(gr::sin(r::m)), r::c22, r::m, r::tm); }>>();
    check_values<source<[] { return derivatives(gr::slice<1, 4, 2, 1>(gr::sin(r::n)), r::cn2, r::n, r::tn); }>>();
    check_values<source<[] {
        return derivatives(gr::concatenate<0>(gr::sin(r::m), gr::transpose(gr::square(r::c53)), gr::slice<0, 2>(r::m)), r::c85, r::m, r::tm,
                           r::c53, r::c53);
    }>>();
    check_values<source<[] { return derivatives(gr::concatenate<-1>(gr::sin(r::n), gr::square(r::n)), r::cn8, r::n, r::tn); }>>();
}
TEST_CASE_TEMPLATE("compiled kernels: losses", T, float, double) {
    using r = moves<T>;
    static constexpr auto label = gr::var<"label", std::int32_t, "n">;
    static constexpr auto fixed_label = gr::var<"labels", std::int64_t, 3>;
    check_values<source<[] {
        return std::tuple_cat(derivatives(gr::mse_loss(r::n, gr::sin(r::tn)), r::s, r::n, r::tn),
                              derivatives(gr::mse_loss(r::v, r::tv), r::s, r::v, r::tv));
    }>>();
    check_values<source<[] { return derivatives(gr::binary_cross_entropy_with_logits(r::n, gr::sigmoid(r::tn)), r::s, r::n, r::tn); }>>();
    check_values<source<[] { return derivatives(gr::binary_cross_entropy_with_logits(r::m, gr::sigmoid(r::tm)), r::s, r::m, r::tm); }>>();
    check_values<source<[] { return derivatives(gr::cross_entropy(r::n, label), r::s, r::n, r::tn); }>>();
    check_values<source<[] { return derivatives(gr::cross_entropy(r::m, fixed_label), r::s, r::m, r::tm); }>>();
}
TEST_CASE("compiled kernels: an index along an axis of extent 1 is 0, however large the loop is that reads it") {
    static constexpr auto logit = gr::var<"logit", float, 1, 1>;
    static constexpr auto label = gr::var<"label", std::int32_t, 1>;
    static constexpr auto big = gr::var<"big", float, 4, 7>;
    check_values<source<[] { return std::tuple{gr::cross_entropy(logit, label) * big}; }>>();
}
