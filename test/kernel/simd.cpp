// SPDX-License-Identifier: BSL-1.0
#ifdef GRADUS_TEST_MAIN
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#endif
#include <doctest/doctest.h>

#include <gradus/kernel/reduce.hpp>
#include <gradus/kernel/simd.hpp>
#include <gradus/kernel/truth.hpp>

#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

namespace {

namespace simd = gradus::simd;

/// A page with no access on either side, so that one element too many, before or after, is a crash.
class guarded_page {
public:
    guarded_page() : size_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))) {
        void* const all = mmap(nullptr, 3 * size_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        REQUIRE(all != MAP_FAILED);
        page_ = static_cast<char*>(all) + size_;
        REQUIRE(mprotect(page_, size_, PROT_READ | PROT_WRITE) == 0);
    }
    guarded_page(guarded_page const&) = delete;
    guarded_page& operator=(guarded_page const&) = delete;
    ~guarded_page() { munmap(page_ - size_, 3 * size_); }

    template <class T>
    T* first() {
        return reinterpret_cast<T*>(page_);
    }
    /// n elements of T whose last byte is the page's last.
    template <class T>
    T* last(int n) {
        return reinterpret_cast<T*>(page_ + size_) - n;
    }

private:
    std::size_t size_;
    char* page_ = nullptr;
};

template <class T, int W>
std::array<T, static_cast<std::size_t>(W)> lanes(simd::vec<T, W> v) {
    std::array<T, static_cast<std::size_t>(W)> a;
    simd::store<T, W>(a.data(), v);
    return a;
}

template <class T, int W>
std::array<bool, static_cast<std::size_t>(W)> truths(simd::mask<T, W> m) {
    std::array<bool, static_cast<std::size_t>(W)> a;
    simd::store_bool<T, W>(a.data(), m, W);
    return a;
}

template <class T>
T sample(int i) {
    return static_cast<T>((i * 37 + 11) % 29 - 13);
}

/// f.operator()<T, W>() for every lane type and every width it has.
template <class T, int W = 1, class F>
void each_width(F f) {
    if constexpr (simd::has_width<T, W>) {
        CAPTURE(W);
        f.template operator()<T, W>();
    }
    if constexpr (W < simd::native_width<T>) { each_width<T, 2 * W>(f); }
}

template <class F>
void each_type(F f) {
    each_width<float>(f);
    each_width<double>(f);
    each_width<std::int32_t>(f);
    each_width<std::int64_t>(f);
}

}  // namespace

TEST_CASE("simd: the native width exists and is a power of two") {
    CHECK(simd::has_width<float, simd::native_width<float>>);
    CHECK(simd::has_width<double, 1>);
    CHECK_FALSE(simd::has_width<float, 2 * simd::native_width<float>>);
    CHECK(simd::native_width<float> == simd::native_width<std::int32_t>);
    CHECK(simd::native_width<double> == simd::native_width<std::int64_t>);
    each_type([]<class T, int W> { CHECK(sizeof(simd::vec<T, W>) == sizeof(T) * W); });
}

TEST_CASE("simd: broadcast, lane_index, load, store") {
    each_type([]<class T, int W> {
        std::vector<T> in(W + 1), out(W + 2, T{77});
        for (int i = 0; i <= W; ++i) { in[static_cast<std::size_t>(i)] = sample<T>(i); }
        simd::store<T, W>(out.data() + 1, simd::load<T, W>(in.data() + 1));
        CHECK(out.front() == T{77});
        CHECK(out.back() == T{77});
        auto const b = lanes<T, W>(simd::broadcast<T, W>(T{5}));
        auto const index = lanes<T, W>(simd::lane_index<T, W>());
        for (std::size_t i = 0; i < W; ++i) {
            CHECK(out[i + 1] == in[i + 1]);
            CHECK(b[i] == T{5});
            CHECK(index[i] == static_cast<T>(i));
        }
    });
}

TEST_CASE("simd: partial and strided access touches the first n elements only") {
    guarded_page page;
    each_type([&]<class T, int W> {
        for (int n = 0; n <= W; ++n) {
            for (bool const at_end : {true, false}) {
                CAPTURE(n);
                T* const p = at_end ? page.last<T>(n) : page.first<T>();
                for (int i = 0; i < n; ++i) { p[i] = sample<T>(i); }
                auto const in = lanes<T, W>(simd::load_partial<T, W>(p, n, T{-3}));
                for (int i = 0; i < W; ++i) { CHECK(in[static_cast<std::size_t>(i)] == (i < n ? sample<T>(i) : T{-3})); }
                simd::store_partial<T, W>(p, simd::load_partial<T, W>(p, n, T{0}) + simd::broadcast<T, W>(T{1}), n);
                for (int i = 0; i < n; ++i) { CHECK(p[i] == sample<T>(i) + T{1}); }
            }
            // The neighbours of a partial store keep their values.
            std::vector<T> around(W + 2, T{77});
            simd::store_partial<T, W>(around.data() + 1, simd::broadcast<T, W>(T{9}), n);
            for (int i = 0; i < W + 2; ++i) { CHECK(around[static_cast<std::size_t>(i)] == (i >= 1 && i <= n ? T{9} : T{77})); }
            for (std::ptrdiff_t const stride : {-2, 0, 1, 3}) {
                int const span = n == 0 ? 0 : static_cast<int>(stride < 0 ? -stride : stride) * (n - 1) + 1;
                T* const block = page.last<T>(span);
                for (int i = 0; i < span; ++i) { block[i] = sample<T>(i); }
                T const* const start = stride < 0 && n > 0 ? block + span - 1 : block;
                auto const got = lanes<T, W>(simd::load_strided<T, W>(start, stride, n, T{-3}));
                for (int i = 0; i < W; ++i) { CHECK(got[static_cast<std::size_t>(i)] == (i < n ? start[i * stride] : T{-3})); }
            }
        }
    });
}

TEST_CASE("simd: partial access with a constant n") {
    guarded_page page;
    each_type([&]<class T, int W> {
        [&]<int... N>(std::integer_sequence<int, N...>) {
            (
                [&] {
                    T* const p = page.last<T>(N);
                    for (int i = 0; i < N; ++i) { p[i] = sample<T>(i); }
                    auto const in = lanes<T, W>(simd::load_partial<T, W>(p, N, T{-3}));
                    for (int i = 0; i < W; ++i) { CHECK(in[static_cast<std::size_t>(i)] == (i < N ? sample<T>(i) : T{-3})); }
                    simd::store_partial<T, W>(p, simd::broadcast<T, W>(T{4}), N);
                    for (int i = 0; i < N; ++i) { CHECK(p[i] == T{4}); }
                    auto const m = truths<T, W>(simd::first<T, W>(N));
                    for (int i = 0; i < W; ++i) { CHECK(m[static_cast<std::size_t>(i)] == (i < N)); }
                }(),
                ...);
        }(std::make_integer_sequence<int, W + 1>{});
    });
}

TEST_CASE("simd: masks: first, load_bool, store_bool, select, mask_cast") {
    guarded_page page;
    each_type([&]<class T, int W> {
        for (int n = 0; n <= W; ++n) {
            CAPTURE(n);
            auto const m = truths<T, W>(simd::first<T, W>(n));
            for (int i = 0; i < W; ++i) { CHECK(m[static_cast<std::size_t>(i)] == (i < n)); }
            bool* const p = page.last<bool>(n);
            for (int i = 0; i < n; ++i) { p[i] = sample<int>(i) % 2 == 0; }
            auto const loaded = simd::load_bool<T, W>(p, n);
            auto const picked = lanes<T, W>(simd::select<T, W>(loaded, simd::broadcast<T, W>(T{1}), simd::broadcast<T, W>(T{2})));
            for (int i = 0; i < W; ++i) { CHECK(picked[static_cast<std::size_t>(i)] == (i < n && p[i] ? T{1} : T{2})); }
            std::array<bool, W + 1> kept{};
            kept.fill(true);
            simd::store_bool<T, W>(kept.data(), simd::first<T, W>(0), n);
            for (int i = 0; i <= W; ++i) { CHECK(kept[static_cast<std::size_t>(i)] == (i >= n)); }
            simd::store_bool<T, W>(p, simd::first<T, W>(n), n);
            for (int i = 0; i < n; ++i) {
                unsigned char byte = 0;
                std::memcpy(&byte, p + i, 1);
                CHECK(byte == 1);
            }
            using I = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
            using F = std::conditional_t<sizeof(T) == 4, float, double>;
            auto const as_float = simd::mask_cast<F, T, W>(loaded);
            auto const back = truths<T, W>(simd::mask_cast<T, I, W>(simd::mask_cast<I, F, W>(as_float)));
            CHECK(back == truths<T, W>(loaded));
        }
    });
}

TEST_CASE("simd: convert truncates as static_cast does") {
    auto const check = []<class To, class From, int W>() {
        std::array<From, W> in;
        for (std::size_t i = 0; i < W; ++i) { in[i] = static_cast<From>(static_cast<double>(sample<int>(static_cast<int>(i))) * 1.75); }
        auto const got = lanes<To, W>(simd::convert<To, From, W>(simd::load<From, W>(in.data())));
        for (std::size_t i = 0; i < W; ++i) { CHECK(got[i] == static_cast<To>(in[i])); }
    };
    each_type([&]<class T, int W> {
        using I = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
        using F = std::conditional_t<sizeof(T) == 4, float, double>;
        check.template operator()<I, T, W>();
        check.template operator()<F, T, W>();
        check.template operator()<T, I, W>();
        check.template operator()<T, T, W>();
    });
    // Beyond 2^52, where tricks with the exponent end.
    each_width<std::int64_t>([]<class T, int W> {
        auto const big = simd::broadcast<T, W>(T{-(std::int64_t{1} << 61) + 4096});
        auto const wide = simd::convert<double, T, W>(big);
        CHECK(lanes<double, W>(wide)[0] == -0x1p61 + 4096);
        CHECK(lanes<T, W>(simd::convert<T, double, W>(wide)) == lanes<T, W>(big));
    });
}

TEST_CASE("simd: fma, max_nan, min_nan lane by lane") {
    each_type([]<class T, int W> {
        std::array<T, W> a, b, c;
        for (std::size_t i = 0; i < W; ++i) {
            a[i] = sample<T>(static_cast<int>(i));
            b[i] = sample<T>(static_cast<int>(i) + 5);
            c[i] = sample<T>(static_cast<int>(i) + 9);
        }
        auto const va = simd::load<T, W>(a.data()), vb = simd::load<T, W>(b.data()), vc = simd::load<T, W>(c.data());
        auto const f = lanes<T, W>(simd::fma<T, W>(va, vb, vc));
        auto const high = lanes<T, W>(simd::max_nan<T, W>(va, vb));
        auto const low = lanes<T, W>(simd::min_nan<T, W>(va, vb));
        for (std::size_t i = 0; i < W; ++i) {
            CHECK(f[i] == a[i] * b[i] + c[i]);
            CHECK(high[i] == std::max(a[i], b[i]));
            CHECK(low[i] == std::min(a[i], b[i]));
        }
        if constexpr (std::floating_point<T>) {
            auto const nan = simd::broadcast<T, W>(std::numeric_limits<T>::quiet_NaN());
            for (auto const& r : {lanes<T, W>(simd::max_nan<T, W>(nan, va)), lanes<T, W>(simd::max_nan<T, W>(va, nan)),
                                  lanes<T, W>(simd::min_nan<T, W>(nan, va)), lanes<T, W>(simd::min_nan<T, W>(va, nan)),
                                  lanes<T, W>(simd::max_nan<T, W>(nan, nan))}) {
                for (T const x : r) { CHECK(std::isnan(x)); }
            }
            auto const all = truths<T, W>(simd::first<T, W>(W)), none = truths<T, W>(simd::first<T, W>(0));
            CHECK(truths<T, W>(simd::is_nan<T, W>(nan)) == all);
            CHECK(truths<T, W>(simd::is_nan<T, W>(va)) == none);
            CHECK(truths<T, W>(simd::not_equal<T, W>(nan, nan)) == all);
            CHECK(truths<T, W>(simd::not_equal<T, W>(va, nan)) == all);
            CHECK(truths<T, W>(simd::not_equal<T, W>(va, va)) == none);
#ifdef __FMA__
            // Exact only when the product is not rounded first.
            T const e = std::numeric_limits<T>::epsilon();
            auto const once = simd::fma<T, W>(simd::broadcast<T, W>(1 + e), simd::broadcast<T, W>(1 - e), simd::broadcast<T, W>(T{-1}));
            CHECK(lanes<T, W>(once)[0] == -e * e);
#endif
        }
    });
}

TEST_CASE("simd: reductions") {
    each_type([]<class T, int W> {
        for (std::size_t at = 0; at < W; ++at) {
            std::array<T, W> a;
            for (std::size_t i = 0; i < W; ++i) { a[i] = sample<T>(static_cast<int>(i + at)); }
            T sum{0}, high = a[0], low = a[0];
            for (T const x : a) {
                sum = static_cast<T>(sum + x);
                high = std::max(high, x);
                low = std::min(low, x);
            }
            auto const v = simd::load<T, W>(a.data());
            CHECK(simd::reduce_add<T, W>(v) == sum);
            CHECK(simd::reduce_max<T, W>(v) == high);
            CHECK(simd::reduce_min<T, W>(v) == low);
            if constexpr (std::floating_point<T>) {
                a[at] = std::numeric_limits<T>::quiet_NaN();
                CHECK(std::isnan(simd::reduce_max<T, W>(simd::load<T, W>(a.data()))));
                CHECK(std::isnan(simd::reduce_min<T, W>(simd::load<T, W>(a.data()))));
                CHECK(std::isnan(simd::reduce_add<T, W>(simd::load<T, W>(a.data()))));
            } else if constexpr (W > 1) {
                auto const most = simd::broadcast<T, W>(std::numeric_limits<T>::max());
                CHECK(simd::reduce_add<T, W>(most) == -W);  // wraps
            }
        }
    });
}
