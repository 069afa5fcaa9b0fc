// SPDX-License-Identifier: BSL-1.0
// Vector functions: elements per ns, 16 KiB in and 16 KiB out, so that all is in the L1 cache. Ours, xsimd's and, where it is
// installed, Eigen's take turns in one run; each figure is the best of its turns, which other work on the machine spoils least.
#include "timing.hpp"

#include <gradus/kernel/math/error_function.hpp>
#include <gradus/kernel/math/exponential.hpp>
#include <gradus/kernel/math/hyperbolic.hpp>
#include <gradus/kernel/math/logarithm.hpp>
#include <gradus/kernel/math/trigonometric.hpp>

#include <xsimd/xsimd.hpp>

#ifdef GRADUS_BENCH_EIGEN
#include <Eigen/Core>
#include <unsupported/Eigen/SpecialFunctions>
#endif

#include <cmath>
#include <random>

namespace {

namespace simd = gradus::simd;

/// All of x through f, two vectors a turn.
template <class V, class T>
[[gnu::flatten, gnu::noinline]] void map(std::vector<T> const& x, std::vector<T>& y, auto f) {
    std::size_t constexpr width = V::size;
    for (std::size_t i = 0; i < x.size(); i += 2 * width) {
        V const a = f(V::load_unaligned(&x[i])), b = f(V::load_unaligned(&x[i + width]));
        a.store_unaligned(&y[i]);
        b.store_unaligned(&y[i + width]);
    }
    timing::clobber();
}

template <class T>
double elements_per_ns(std::vector<T> const& x, double seconds) { return static_cast<double>(x.size()) / (seconds * 1e9); }

template <class T>
void compare(char const* name, double low, double high, auto batch_f, auto array_f) {
    std::vector<T> x(16384 / sizeof(T)), y(x.size());
    std::mt19937 random(1);
    std::uniform_real_distribution<T> between(static_cast<T>(low), static_cast<T>(high));
    for (T& value : x) value = between(random);
    auto ours = [&] { map<simd::vec<T, simd::native_width<T>>>(x, y, batch_f); };
    auto theirs = [&] { map<xsimd::batch<T>>(x, y, batch_f); };
    auto const r = timing::compare(ours, theirs, 101);
    std::printf("| %s | %s | %.2f | %.2f |", name, sizeof(T) == 4 ? "float" : "double", elements_per_ns(x, r.first_least), elements_per_ns(x, r.second_least));
#ifdef GRADUS_BENCH_EIGEN
    auto eigen = [&] {
        Eigen::Map<Eigen::Array<T, Eigen::Dynamic, 1> const> in(x.data(), static_cast<Eigen::Index>(x.size()));
        Eigen::Map<Eigen::Array<T, Eigen::Dynamic, 1>>(y.data(), in.size()) = array_f(in);
        timing::clobber();
    };
    auto const e = timing::compare(ours, eigen, 101);
    std::printf(" %.2f |", elements_per_ns(x, e.second_least));
#else
    (void)array_f;
#endif
    std::printf("\n");
    std::fflush(stdout);
}

void compare_both(char const* name, double low, double high, auto batch_f, auto array_f) {
    compare<float>(name, low, high, batch_f, array_f);
    compare<double>(name, low, high, batch_f, array_f);
}

}  // namespace

int main() {
#ifdef GRADUS_BENCH_EIGEN
    std::printf("| function | type | ours | xsimd | Eigen |\n|---|---|---|---|---|\n");
#else
    std::printf("| function | type | ours | xsimd |\n|---|---|---|---|\n");
#endif
    compare_both("exp", -10, 10, [](auto x) { return exp(x); }, [](auto const& x) { return x.exp(); });
    compare_both("expm1", -3, 3, [](auto x) { return expm1(x); }, [](auto const& x) { return x.expm1(); });
    compare_both("log", 0.01, 100, [](auto x) { return log(x); }, [](auto const& x) { return x.log(); });
    compare_both("log1p", -0.9, 10, [](auto x) { return log1p(x); }, [](auto const& x) { return x.log1p(); });
    compare_both("tanh", -5, 5, [](auto x) { return tanh(x); }, [](auto const& x) { return x.tanh(); });
    compare_both("sin", -6, 6, [](auto x) { return sin(x); }, [](auto const& x) { return x.sin(); });
    compare_both("cos", -6, 6, [](auto x) { return cos(x); }, [](auto const& x) { return x.cos(); });
    compare_both("erf", -3, 3, [](auto x) { return erf(x); }, [](auto const& x) { return x.erf(); });
}
