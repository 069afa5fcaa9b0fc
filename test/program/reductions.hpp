// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "structure.hpp"

// Operands of reductions, and programs that reduce them over any axes.
namespace compare {

template <class T>
struct reductions {
    static constexpr auto v = gr::var<"v", T, 17>;
    static constexpr auto tv = gr::var<"tv", T, 17>;
    static constexpr auto m = gr::var<"m", T, 3, 5>;
    static constexpr auto tm = gr::var<"tm", T, 3, 5>;
    static constexpr auto n = gr::var<"x", T, "n", 4>;
    static constexpr auto tn = gr::var<"tx", T, "n", 4>;
    static constexpr auto k = gr::var<"k", T, 2, 3, 9>;
    static constexpr auto tk = gr::var<"tk", T, 2, 3, 9>;
    static constexpr auto one = gr::var<"one", T, 1>;
    static constexpr auto t_one = gr::var<"t_one", T, 1>;
    static constexpr auto c = gr::var<"c", T>;
    static constexpr auto c3 = gr::var<"c3", T, 3>;
    static constexpr auto c15 = gr::var<"c15", T, 1, 5>;
    static constexpr auto cn = gr::var<"cn", T, "n">;
    static constexpr auto c4 = gr::var<"c4", T, 4>;
    static constexpr auto c239 = gr::var<"c239", T, 2, 3, 9>;
    static constexpr auto c13 = gr::var<"c13", T, 1, 3, 1>;

    /// A reduction of what is not linear, over all axes, some, a kept one, the middle one, and one of extent 1.
    static void all(auto reduce, bool distinct = false) {
        using R = decltype(reduce);
        check_values<source<[] { return derivatives(R::template on<>(gr::square(v)), c, v, tv); }>>(distinct);
        check_values<source<[] {
            return std::tuple_cat(derivatives(R::template on<1>(gr::tanh(m)), c3, m, tm),
                                  derivatives(R::template on<0, gr::keepdim>(gr::tanh(m)), c15, m, tm));
        }>>(distinct);
        check_values<source<[] {
            return std::tuple_cat(derivatives(R::template on<-1>(gr::tanh(n)), cn, n, tn),
                                  derivatives(R::template on<0>(gr::tanh(n)), c4, n, tn));
        }>>(distinct);
        check_values<source<[] { return derivatives(R::template on<0, 2, gr::keepdim>(gr::tanh(k)), c13, k, tk); }>>(distinct);
        check_values<source<[] {
            return std::tuple_cat(derivatives(R::template on<0>(gr::square(one)), c, one, t_one),
                                  derivatives(R::template on<>(gr::square(c)), c, c, gr::stop_gradient(c)));
        }>>(distinct);
    }
};

struct sum_of {
    template <auto... A>
    static constexpr auto on(auto x) {
        return gr::sum<A...>(x);
    }
};
struct mean_of {
    template <auto... A>
    static constexpr auto on(auto x) {
        return gr::mean<A...>(x);
    }
};
struct amax_of {
    template <auto... A>
    static constexpr auto on(auto x) {
        return gr::amax<A...>(x);
    }
};
struct logsumexp_of {
    template <auto... A>
    static constexpr auto on(auto x) {
        return gr::logsumexp<A...>(x);
    }
};

}  // namespace compare
