// SPDX-License-Identifier: BSL-1.0
// Elementwise programs beside hand-written xsimd loops of the same arithmetic, with xsimd's functions and with the rational
// ones of float that Eigen uses, and beside Eigen in pieces that stay in the cache: Black-Scholes with all sensitivities and
// sum(tanh(a x + b) exp(-x x)) with its gradient.
#include "by_hand.hpp"
#include "timing.hpp"

#include <gradus.hpp>

#ifdef GRADUS_BENCH_EIGEN
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // g++ 12 in Eigen's arrays of a fixed capacity
#endif
#include <Eigen/Dense>
#include <unsupported/Eigen/SpecialFunctions>
#endif

namespace gr = gradus;
using namespace gr::literals;

template <class T>
struct programs {
    static constexpr auto S = gr::var<"S", T, "n">;
    static constexpr auto K = gr::var<"K", T, "n">;
    static constexpr auto V = gr::var<"V", T, "n">;
    static constexpr auto X = gr::var<"X", T, "n">;
    static constexpr auto cdf = [](auto d) { return 0.5_c * (1_c + gr::erf(d * 0.7071067811865476_c)); };
    static constexpr auto vol = V * gr::sqrt(X);
    static constexpr auto d1 = (gr::log(S / K) + (0.05_c + 0.5_c * gr::square(V)) * X) / vol;
    static constexpr auto total = gr::sum(S * cdf(d1) - K * gr::exp(-0.05_c * X) * cdf(d1 - vol));
    static constexpr auto greeks = gr::compile(total, gr::grad(total, S), gr::grad(total, K), gr::grad(total, V), gr::grad(total, X));

    static constexpr auto chain = gr::sum(gr::tanh(1.25_c * X + -0.25_c) * gr::exp(-X * X));
    static constexpr auto slope = gr::compile(chain, gr::grad(chain, X));
};

// ---- what a patient person writes

struct library {
    static auto erf(auto x) { return xsimd::erf(x); }
    static auto tanh(auto x) { return xsimd::tanh(x); }
};
/// Without a branch, a few ulp.
struct rational {
    template <class B>
    static B polynomial(B y, std::initializer_list<float> c) {
        B p(*c.begin());
        for (auto k = c.begin() + 1; k != c.end(); ++k) p = xsimd::fma(p, y, B(*k));
        return p;
    }
    template <class B>
    static B erf(B a) {
        B x = xsimd::max(xsimd::min(a, B(4.0f)), B(-4.0f)), y = x * x;
        return x *
               polynomial(y, {-2.72614225801306e-10f, 2.77068142495902e-08f, -2.10102402082508e-06f, -5.69250639462346e-05f,
                              -7.34990630326855e-04f, -2.95459980854025e-03f, -1.60960333262415e-02f}) /
               polynomial(y, {-1.45660718464996e-05f, -2.13374055278905e-04f, -1.68282697438203e-03f, -7.37332916720468e-03f,
                              -1.42647390514189e-02f});
    }
    template <class B>
    static B tanh(B a) {
        B x = xsimd::max(xsimd::min(a, B(7.90531110763549805f)), B(-7.90531110763549805f)), y = x * x;
        return x *
               polynomial(y, {-2.76076847742355e-16f, 2.00018790482477e-13f, -8.60467152213735e-11f, 5.12229709037114e-08f,
                              1.48572235717979e-05f, 6.37261928875436e-04f, 4.89352455891786e-03f}) /
               polynomial(y, {1.19825839466702e-06f, 1.18534705686654e-04f, 2.26843463243900e-03f, 4.89352518554385e-03f});
    }
};

template <class F, class T>
__attribute__((noinline)) T greeks_by_hand(long n, T const* S, T const* K, T const* Vp, T const* X, T* gS, T* gK, T* gV, T* gX) {
    using B = xsimd::batch<T>;
    B const r(T(0.05)), q2(T(0.70710678118654752440)), ip(T(0.39894228040143267794)), h(T(0.5)), one(T(1));
    B sum(T(0));
    for (long i = 0; i < n; i += static_cast<long>(B::size)) {
        B s = B::load_unaligned(S + i), k = B::load_unaligned(K + i), v = B::load_unaligned(Vp + i), t = B::load_unaligned(X + i);
        B st = xsimd::sqrt(t), sq = v * st, isq = one / sq, ik = one / k, c = r + h * v * v, d1 = (xsimd::log(s * ik) + c * t) * isq,
          d2 = d1 - sq;
        B n1 = h * (one + F::erf(d1 * q2)), n2 = h * (one + F::erf(d2 * q2)), e = k * xsimd::exp(-r * t), en = e * n2;
        sum += s * n1 - en;
        B b1 = s * ip * xsimd::exp(-h * d1 * d1), b2 = -e * ip * xsimd::exp(-h * d2 * d2), bd1 = b1 + b2, bl = bd1 * isq,
          bsq = -b2 - bl * d1;
        (n1 + bl / s).store_unaligned(gS + i);
        (-(en + bl) * ik).store_unaligned(gK + i);
        (bsq * st + bl * v * t).store_unaligned(gV + i);
        (bsq * v * h / st + bl * c + r * en).store_unaligned(gX + i);
    }
    return by_hand::sum(sum);
}
template <class F, class T>
__attribute__((noinline)) T slope_by_hand(long n, T const* x, T* g) {
    using B = xsimd::batch<T>;
    B const a(T(1.25)), b(T(-0.25)), one(T(1));
    B sum(T(0));
    for (long i = 0; i < n; i += static_cast<long>(B::size)) {
        B v = B::load_unaligned(x + i), t = F::tanh(a * v + b), e = xsimd::exp(-v * v), te = t * e;
        sum += te;
        (a * (one - t * t) * e - (v + v) * te).store_unaligned(g + i);
    }
    return by_hand::sum(sum);
}

#ifdef GRADUS_BENCH_EIGEN
constexpr long piece = 512;
template <class T>
using part = Eigen::Array<T, Eigen::Dynamic, 1, Eigen::ColMajor, piece, 1>;
template <class T>
using in_memory = Eigen::Map<Eigen::Array<T, Eigen::Dynamic, 1>>;
template <class T>
using input = Eigen::Map<Eigen::Array<T, Eigen::Dynamic, 1> const>;

template <class T>
__attribute__((noinline)) T greeks_by_eigen(long n, T const* S, T const* K, T const* V, T const* X, T* gS, T* gK, T* gV, T* gX) {
    T const r = T(0.05), q2 = T(0.70710678118654752440), ip = T(0.39894228040143267794), h = T(0.5);
    T sum = 0;
    for (long i = 0; i < n; i += piece) {
        long m = std::min(piece, n - i);
        input<T> s(S + i, m), k(K + i, m), v(V + i, m), t(X + i, m);
        part<T> st = t.sqrt(), sq = v * st, isq = sq.inverse(), c = r + h * v * v, d1 = ((s / k).log() + c * t) * isq, d2 = d1 - sq;
        part<T> n1 = h * ((d1 * q2).erf() + T(1)), e = k * (t * (-r)).exp(), en = e * h * ((d2 * q2).erf() + T(1));
        sum += (s * n1 - en).sum();
        part<T> b2 = -e * ip * (-h * d2 * d2).exp(), bl = (s * ip * (-h * d1 * d1).exp() + b2) * isq, bsq = -b2 - bl * d1;
        in_memory<T>(gS + i, m) = n1 + bl / s;
        in_memory<T>(gK + i, m) = -(en + bl) / k;
        in_memory<T>(gV + i, m) = bsq * st + bl * v * t;
        in_memory<T>(gX + i, m) = bsq * v * h / st + bl * c + r * en;
    }
    return sum;
}
template <class T>
__attribute__((noinline)) T slope_by_eigen(long n, T const* x, T* g) {
    T const a = T(1.25), b = T(-0.25);
    T sum = 0;
    for (long i = 0; i < n; i += piece) {
        long m = std::min(piece, n - i);
        input<T> v(x + i, m);
        part<T> t = (a * v + b).tanh(), e = (-v * v).exp(), te = t * e;
        sum += te.sum();
        in_memory<T>(g + i, m) = a * (T(1) - t * t) * e - T(2) * v * te;
    }
    return sum;
}
#endif

template <class T>
struct outcome {
    T l = 0;
    gr::array<T, gr::dyn> s, k, v, x;
    explicit outcome(long n) : s(n), k(n), v(n), x(n) {}
};

template <class T>
void run(long n, char const* size) {
    using P = programs<T>;
    using A = gr::array<T, gr::dyn>;
    constexpr auto S = P::S;
    constexpr auto K = P::K;
    constexpr auto V = P::V;
    constexpr auto X = P::X;
    double const tolerance = sizeof(T) == 4 ? 1e-4 : 1e-11;  // of a result's largest element: all order the same operations differently
    int const rounds = n > 100000 ? 31 : 151;
    gr::random random(1);
    auto s = A::uniform(n, random, 50, 150), k = A::uniform(n, random, 50, 150), v = A::uniform(n, random, T(0.1), T(0.6)),
         t = A::uniform(n, random, T(0.1), 2), x = A::uniform(n, random, -2, 2);
    std::vector<outcome<T>> r(4, outcome<T>(n));
    auto greeks = [&](char const* name, auto f, outcome<T>& o) {
        return timing::enter(
            name, [&, f] { o.l = f(n, s.data(), k.data(), v.data(), t.data(), o.s.data(), o.k.data(), o.v.data(), o.x.data()); }, o.l, o.s,
            o.k, o.v, o.x);
    };
    auto slope = [&](char const* name, auto f, outcome<T>& o) {
        return timing::enter(name, [&, f] { o.l = f(n, x.data(), o.s.data()); }, o.l, o.s);
    };
    std::vector<timing::contestant> all{timing::enter(
        "gradus", [&] { P::greeks(gr::out(r[0].l, r[0].s, r[0].k, r[0].v, r[0].x), S = s, K = k, V = v, X = t); }, r[0].l, r[0].s, r[0].k,
        r[0].v, r[0].x)};
    all.push_back(greeks("xsimd", greeks_by_hand<library, T>, r[1]));
    if constexpr (sizeof(T) == 4) all.push_back(greeks("xsimd with rational functions", greeks_by_hand<rational, T>, r[2]));
#ifdef GRADUS_BENCH_EIGEN
    all.push_back(greeks("Eigen", greeks_by_eigen<T>, r[3]));
#endif
    char const* type = sizeof(T) == 4 ? "float" : "double";
    timing::race((std::string("Black-Scholes ") + size + " " + type).c_str(), all, tolerance, rounds);

    all = {timing::enter("gradus", [&] { P::slope(gr::out(r[0].l, r[0].s), X = x); }, r[0].l, r[0].s)};
    all.push_back(slope("xsimd", slope_by_hand<library, T>, r[1]));
    if constexpr (sizeof(T) == 4) all.push_back(slope("xsimd with rational functions", slope_by_hand<rational, T>, r[2]));
#ifdef GRADUS_BENCH_EIGEN
    all.push_back(slope("Eigen", slope_by_eigen<T>, r[3]));
#endif
    timing::race((std::string("tanh exp chain ") + size + " " + type).c_str(), all, tolerance, rounds);
}

int main() {
    run<float>(16384, "16K");
    run<double>(16384, "16K");
    run<float>(1000000, "10^6");
    run<double>(1000000, "10^6");
}
