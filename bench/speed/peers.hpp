// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "timing.hpp"

#include <array>
#include <memory>
#include <vector>

#ifdef GRADUS_BENCH_CERES
#include <ceres/jet.h>
#endif
#ifdef GRADUS_BENCH_ADOLC
#include <adolc/adolc.h>
#endif
#ifdef GRADUS_BENCH_SACADO
#include <Sacado_No_Kokkos.hpp>
#endif

// Packages that differentiate a function of their own numbers: the function is written once for any scalar.
namespace peers {

/// A contestant that computes f and its gradient at x with `gradient(f, x, g)`; `parts` says how the gradient is cut into results.
template <int N, class Gradient, class F, class T>
timing::contestant enter_one(char const* name, Gradient gradient, F f, T const* x, std::vector<int> parts) {
    struct outcome {
        T l{};
        std::array<T, N> g{};
    };
    auto o = std::make_shared<outcome>();
    auto results = [o, parts] {
        std::vector<std::vector<double>> all{{static_cast<double>(o->l)}};
        T const* at = o->g.data();
        for (int size : parts) all.emplace_back(at, at + size), at += size;
        return all;
    };
    auto repeat = [o, gradient, f, x](int n) mutable {
        for (int i = 0; i < n; ++i) timing::clobber(), o->l = gradient(f, x, o->g.data()), timing::clobber();
    };
    return {name, repeat, results};
}

/// Adds every peer that is installed: Ceres (jets), Sacado (expression-level reverse inside forward), ADOL-C (its tape, in double).
template <int N, class F, class T>
void enter(std::vector<timing::contestant>& all, [[maybe_unused]] F f, [[maybe_unused]] T const* x,
           [[maybe_unused]] std::vector<int> parts) {
    static_cast<void>(all);
#ifdef GRADUS_BENCH_CERES
    auto jets = [](F& function, T const* at, T* g) {
        using jet = ceres::Jet<T, N>;
        jet a[N];
        for (int i = 0; i < N; ++i) a[i] = jet(at[i], i);
        jet y = function(a);
        for (int i = 0; i < N; ++i) g[i] = y.v[i];
        return y.a;
    };
    all.push_back(enter_one<N>("Ceres Jet", jets, f, x, parts));
#endif
#ifdef GRADUS_BENCH_SACADO
    auto fads = [](F& function, T const* at, T* g) {
        using fad = Sacado::ELRFad::SFad<T, N>;
        fad a[N];
        for (int i = 0; i < N; ++i) a[i] = fad(N, i, at[i]);
        fad y = function(a);
        for (int i = 0; i < N; ++i) g[i] = y.fastAccessDx(i);
        return y.val();
    };
    all.push_back(enter_one<N>("Sacado ELRFad", fads, f, x, parts));
#endif
#ifdef GRADUS_BENCH_ADOLC
    static short tags = 0;
    short const tag = ++tags;
    trace_on(tag);
    {
        adouble a[N];
        for (int i = 0; i < N; ++i) a[i] <<= static_cast<double>(x[i]);
        adouble y = f(a);
        double value;
        y >>= value;
    }
    trace_off();
    auto tape = [tag](F&, T const* at, T* g) {
        double in[N], out[N], y = 0, one = 1;
        for (int i = 0; i < N; ++i) in[i] = static_cast<double>(at[i]);
        zos_forward(tag, 1, N, 1, in, &y);
        fos_reverse(tag, 1, N, &one, out);
        for (int i = 0; i < N; ++i) g[i] = static_cast<T>(out[i]);
        return static_cast<T>(y);
    };
    all.push_back(enter_one<N>("ADOL-C", tape, f, x, parts));
#endif
}

}  // namespace peers
