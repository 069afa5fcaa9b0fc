// SPDX-License-Identifier: BSL-1.0
// Vector functions: elements per ns, 16 KiB in and 16 KiB out, so that all is in the L1 cache, and the largest error of those
// elements in ulp. Ours, xsimd's and, where they are installed, Eigen's, SLEEF's (AVX-512 only, its 1 ulp versions) and Highway's
// take turns in one run; each figure is the best of its turns, which other work on the machine spoils least.
#include "timing.hpp"

#include <gradus/kernel/math/error_function.hpp>
#include <gradus/kernel/math/exponential.hpp>
#include <gradus/kernel/math/hyperbolic.hpp>
#include <gradus/kernel/math/logarithm.hpp>
#include <gradus/kernel/math/power.hpp>
#include <gradus/kernel/math/trigonometric.hpp>

#include <xsimd/xsimd.hpp>

#ifdef GRADUS_BENCH_EIGEN
#include <Eigen/Core>
#include <unsupported/Eigen/SpecialFunctions>
#endif
#ifdef GRADUS_BENCH_SLEEF
#include <sleef.h>
#endif
#ifdef GRADUS_BENCH_HIGHWAY
#include <hwy/highway.h>

#include <hwy/contrib/math/math-inl.h>
#endif

#include <cmath>
#include <cstring>
#include <random>

namespace {

namespace simd = gradus::simd;

/// All of x through f, two vectors a turn; `second` is there for functions of two operands.
template <class V, class T>
[[gnu::flatten, gnu::noinline]] void map(std::vector<T> const& x, std::vector<T> const& second, std::vector<T>& y, auto f) {
    std::size_t constexpr width = V::size;
    auto const at = [&](std::size_t i) __attribute__((always_inline)) {
        if constexpr (requires(V v) { f(v, v); }) return f(V::load_unaligned(&x[i]), V::load_unaligned(&second[i]));
        else return f(V::load_unaligned(&x[i]));
    };
    for (std::size_t i = 0; i < x.size(); i += 2 * width) {
        V const a = at(i), b = at(i + width);
        a.store_unaligned(&y[i]);
        b.store_unaligned(&y[i + width]);
    }
}

#ifdef GRADUS_BENCH_HIGHWAY
namespace hn = hwy::HWY_NAMESPACE;
/// Highway's vector with the interface of a batch.
template <class T>
struct highway {
    using tag = hn::ScalableTag<T>;
    static constexpr std::size_t size = hn::MaxLanes(tag{});
    hn::Vec<tag> data;
    static highway load_unaligned(T const* p) { return {hn::LoadU(tag{}, p)}; }
    void store_unaligned(T* p) const { hn::StoreU(data, tag{}, p); }
    friend highway exp(highway x) { return {hn::Exp(tag{}, x.data)}; }
    friend highway expm1(highway x) { return {hn::Expm1(tag{}, x.data)}; }
    friend highway log(highway x) { return {hn::Log(tag{}, x.data)}; }
    friend highway log1p(highway x) { return {hn::Log1p(tag{}, x.data)}; }
    friend highway tanh(highway x) { return {hn::Tanh(tag{}, x.data)}; }
    friend highway sin(highway x) { return {hn::Sin(tag{}, x.data)}; }
    friend highway cos(highway x) { return {hn::Cos(tag{}, x.data)}; }
    friend highway sigmoid(highway x) {
        auto const one = hn::Set(tag{}, T(1));
        return {hn::Div(one, hn::Add(one, hn::Exp(tag{}, hn::Neg(x.data))))};
    }
};
#endif

#if defined GRADUS_BENCH_SLEEF && defined __AVX512F__
/// SLEEF's functions with the interface of a batch.
template <class T>
struct sleef {
    static constexpr bool single = sizeof(T) == 4;
    typedef T vector __attribute__((vector_size(64)));
    static constexpr std::size_t size = 64 / sizeof(T);
    vector data;
    static sleef load_unaligned(T const* p) {
        vector x;
        std::memcpy(&x, p, sizeof x);
        return {x};
    }
    void store_unaligned(T* p) const { std::memcpy(p, &data, sizeof data); }
    friend sleef exp(sleef x) {
        if constexpr (single) return {Sleef_expf16_u10avx512f(x.data)};
        else return {Sleef_expd8_u10avx512f(x.data)};
    }
    friend sleef expm1(sleef x) {
        if constexpr (single) return {Sleef_expm1f16_u10avx512f(x.data)};
        else return {Sleef_expm1d8_u10avx512f(x.data)};
    }
    friend sleef log(sleef x) {
        if constexpr (single) return {Sleef_logf16_u10avx512f(x.data)};
        else return {Sleef_logd8_u10avx512f(x.data)};
    }
    friend sleef log1p(sleef x) {
        if constexpr (single) return {Sleef_log1pf16_u10avx512f(x.data)};
        else return {Sleef_log1pd8_u10avx512f(x.data)};
    }
    friend sleef tanh(sleef x) {
        if constexpr (single) return {Sleef_tanhf16_u10avx512f(x.data)};
        else return {Sleef_tanhd8_u10avx512f(x.data)};
    }
    friend sleef sin(sleef x) {
        if constexpr (single) return {Sleef_sinf16_u10avx512f(x.data)};
        else return {Sleef_sind8_u10avx512f(x.data)};
    }
    friend sleef cos(sleef x) {
        if constexpr (single) return {Sleef_cosf16_u10avx512f(x.data)};
        else return {Sleef_cosd8_u10avx512f(x.data)};
    }
    friend sleef erf(sleef x) {
        if constexpr (single) return {Sleef_erff16_u10avx512f(x.data)};
        else return {Sleef_erfd8_u10avx512f(x.data)};
    }
    friend sleef erfc(sleef x) {
        if constexpr (single) return {Sleef_erfcf16_u15avx512f(x.data)};
        else return {Sleef_erfcd8_u15avx512f(x.data)};
    }
    friend sleef pow(sleef x, sleef y) {
        if constexpr (single) return {Sleef_powf16_u10avx512f(x.data, y.data)};
        else return {Sleef_powd8_u10avx512f(x.data, y.data)};
    }
    friend sleef sigmoid(sleef x) {
        vector const one = vector{} + 1;
        return {one / (one + exp(sleef{-x.data}).data)};
    }
};
#endif

/// A library's function and what it did best.
template <class T>
struct contestant {
    std::function<void()> call;
    int repeats = 1;
    double least = 1e9, error = 0;
};

template <class T>
void compare(char const* name, double low, double high, auto batch_f, auto array_f, auto reference) {
    std::size_t constexpr count = 16384 / sizeof(T);
    std::vector<T> x(count), second(count), y(count);
    std::mt19937 random(1);
    std::uniform_real_distribution<T> between(static_cast<T>(low), static_cast<T>(high)), exponent(-5, 5);
    for (T& value : x) value = between(random);
    for (T& value : second) value = exponent(random);
    std::vector<contestant<T>> all;
    auto const enter = [&]<class V>(std::type_identity<V>) {
        all.emplace_back();
        if constexpr (requires(V v) { batch_f(v); } || requires(V v) { batch_f(v, v); })
            all.back().call = [&x, &y, &second, batch_f] { map<V>(x, second, y, batch_f); };
    };
    enter(std::type_identity<simd::vec<T, simd::native_width<T>>>{});
    enter(std::type_identity<xsimd::batch<T>>{});
#ifdef GRADUS_BENCH_EIGEN
    all.emplace_back();
    all.back().call = [&] {
        using array = Eigen::Array<T, Eigen::Dynamic, 1>;
        Eigen::Map<array const> in(x.data(), static_cast<Eigen::Index>(count)), by(second.data(), in.size());
        Eigen::Map<array>(y.data(), in.size()) = array_f(in, by);
    };
#endif
#if defined GRADUS_BENCH_SLEEF && defined __AVX512F__
    enter(std::type_identity<sleef<T>>{});
#endif
#ifdef GRADUS_BENCH_HIGHWAY
    enter(std::type_identity<highway<T>>{});
#endif
    auto const time = [](contestant<T>& c) {
        double const begin = timing::seconds();
        for (int i = 0; i < c.repeats; ++i) c.call(), timing::clobber();
        return (timing::seconds() - begin) / c.repeats;
    };
    for (auto& c : all) {
        if (!c.call) continue;
        c.call();
        for (std::size_t i = 0; i < count; ++i) {
            long double const expected = reference(static_cast<long double>(x[i]), static_cast<long double>(second[i]));
            c.error = std::max(c.error, static_cast<double>(std::ldexp(std::abs(static_cast<long double>(y[i]) - expected),
                                                                       std::numeric_limits<T>::digits - 1 - std::ilogb(expected))));
        }
        while (time(c) * c.repeats < 2e-4) c.repeats *= 2;
    }
    for (int turn = 0; turn < 101; ++turn)
        for (auto& c : all)
            if (c.call) c.least = std::min(c.least, time(c));
    double best = 1e9;  // of the others that are within 2 ulp, or as near as we
    std::printf("| %s | %s |", name, sizeof(T) == 4 ? "float" : "double");
    for (auto& c : all) {
        if (c.call) std::printf(" %.2f (%.1f) |", static_cast<double>(count) / (c.least * 1e9), c.error);
        else std::printf(" |");
        if (c.call && &c != &all[0] && c.error <= std::max(2.0, all[0].error)) best = std::min(best, c.least);
    }
    if (best < 1e9) std::printf(" %.2f |\n", best / all[0].least);
    else std::printf(" |\n");
    std::fflush(stdout);
}

void compare_both(char const* name, double low, double high, auto batch_f, auto array_f, auto reference) {
    compare<float>(name, low, high, batch_f, array_f, reference);
    compare<double>(name, low, high, batch_f, array_f, reference);
}

template <class V>
auto sigmoid(V x) -> decltype(V(1) / (V(1) + exp(-x))) {
    return V(1) / (V(1) + exp(-x));
}

}  // namespace

int main() {
    std::string heads = "| function | type | gradus | xsimd |", rules = "|---|---|---|---|";
    auto const add = [&](char const* head) { heads += std::string(" ") + head + " |", rules += "---|"; };
#ifdef GRADUS_BENCH_EIGEN
    add("Eigen");
#endif
#if defined GRADUS_BENCH_SLEEF && defined __AVX512F__
    add("SLEEF");
#endif
#ifdef GRADUS_BENCH_HIGHWAY
    add("Highway");
#endif
    add("ratio");
    std::printf("%s\n%s\n", heads.c_str(), rules.c_str());
    using number = long double;
    compare_both(
        "exp", -10, 10, [](auto x) -> decltype(exp(x)) { return exp(x); }, [](auto const& x, auto const&) { return x.exp(); },
        [](number x, number) { return std::exp(x); });
    compare_both(
        "expm1", -3, 3, [](auto x) -> decltype(expm1(x)) { return expm1(x); }, [](auto const& x, auto const&) { return x.expm1(); },
        [](number x, number) { return std::expm1(x); });
    compare_both(
        "log", 0.01, 100, [](auto x) -> decltype(log(x)) { return log(x); }, [](auto const& x, auto const&) { return x.log(); },
        [](number x, number) { return std::log(x); });
    compare_both(
        "log1p", -0.9, 10, [](auto x) -> decltype(log1p(x)) { return log1p(x); }, [](auto const& x, auto const&) { return x.log1p(); },
        [](number x, number) { return std::log1p(x); });
    compare_both(
        "tanh", -5, 5, [](auto x) -> decltype(tanh(x)) { return tanh(x); }, [](auto const& x, auto const&) { return x.tanh(); },
        [](number x, number) { return std::tanh(x); });
    compare_both(
        "sigmoid", -10, 10, [](auto x) -> decltype(sigmoid(x)) { return sigmoid(x); },
        [](auto const& x, auto const&) { return x.logistic(); }, [](number x, number) { return 1 / (1 + std::exp(-x)); });
    compare_both(
        "sin", -6, 6, [](auto x) -> decltype(sin(x)) { return sin(x); }, [](auto const& x, auto const&) { return x.sin(); },
        [](number x, number) { return std::sin(x); });
    compare_both(
        "cos", -6, 6, [](auto x) -> decltype(cos(x)) { return cos(x); }, [](auto const& x, auto const&) { return x.cos(); },
        [](number x, number) { return std::cos(x); });
    compare_both(
        "erf", -3, 3, [](auto x) -> decltype(erf(x)) { return erf(x); }, [](auto const& x, auto const&) { return x.erf(); },
        [](number x, number) { return std::erf(x); });
    compare_both(
        "erfc", -3, 5, [](auto x) -> decltype(erfc(x)) { return erfc(x); }, [](auto const& x, auto const&) { return x.erfc(); },
        [](number x, number) { return std::erfc(x); });
    compare_both(
        "pow", 0.01, 20, [](auto x, auto y) -> decltype(pow(x, y)) { return pow(x, y); },
        [](auto const& x, auto const& y) { return x.pow(y); }, [](number x, number y) { return std::pow(x, y); });
}
