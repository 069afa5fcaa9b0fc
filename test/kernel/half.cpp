// SPDX-License-Identifier: BSL-1.0
#include <gradus/kernel/simd.hpp>

#include <doctest/doctest.h>

#include <cstring>
#include <vector>

// Lanes of 16 bits: vectors convert as numbers do.
namespace {

namespace gr = gradus;
namespace simd = gradus::simd;
using gr::bfloat16;
using gr::float16;

template <class T, int W>
void check_width() {
    if constexpr (W == 1 || simd::has_width<float, W>) {
        std::vector<T> from, to(0x10000);
        for (int p = 0; p < 0x10000; ++p) from.push_back(T::from_bits(static_cast<std::uint16_t>(p)));
        int wrong = 0;
        for (int p = 0; p < 0x10000; p += W) {
            auto const v = simd::load<T, W>(&from[static_cast<std::size_t>(p)]);
            float lanes[W];
            simd::store<float, W>(lanes, v);
            for (int k = 0; k < W; ++k) {
                float const one = from[static_cast<std::size_t>(p + k)];
                wrong += std::memcmp(&one, &lanes[k], sizeof one) != 0;
            }
            simd::store<T, W>(&to[static_cast<std::size_t>(p)], v);
            auto const same = simd::round_to<T, W>(v);
            float again[W];
            simd::store<float, W>(again, same);
            for (int k = 0; k < W; ++k) {
                float const one = T(lanes[k]);
                wrong += std::memcmp(&one, &again[k], sizeof one) != 0;
            }
        }
        for (std::size_t p = 0; p < from.size(); ++p) wrong += to[p].bits != T(static_cast<float>(from[p])).bits;
        CHECK(wrong == 0);

        // floats: around every pattern of the upper 16 bits, ties among them
        wrong = 0;
        std::uint32_t const low[16] = {0,      1,      0xfff,  0x1000, 0x1001, 0x2000, 0x3000, 0x7000,
                                       0x7fff, 0x8000, 0x8001, 0x9000, 0xb000, 0xf000, 0xefff, 0xffff};
        for (std::uint32_t p = 0; p < 0x10000; ++p)
            for (int first = 0; first < 16; first += W) {
                float x[W];
                for (int k = 0; k < W; ++k) x[k] = __builtin_bit_cast(float, p << 16 | low[first + k]);
                T y[W];
                simd::store<T, W>(y, simd::load<float, W>(x));
                for (int k = 0; k < W; ++k) wrong += y[k].bits != T(x[k]).bits;
            }
        CHECK(wrong == 0);
    }
}
template <class T, int W>
void check_parts() {
    if constexpr (W == 1 || simd::has_width<float, W>) {
        T from[3 * W], fill(7);
        for (int k = 0; k < 3 * W; ++k) from[k] = T(k + 1);
        for (int n = 0; n <= W; ++n) {
            float lanes[W], strided[W];
            simd::store<float, W>(lanes, simd::load_partial<T, W>(from, n, fill));
            simd::store<float, W>(strided, simd::load_strided<T, W>(from, 3, n, fill));
            T to[W + 1];
            for (T& x : to) x = T(-1);
            simd::store_partial<T, W>(to, simd::load<T, W>(from), n);
            for (int k = 0; k < W; ++k) {
                CHECK(lanes[k] == (k < n ? static_cast<float>(k + 1) : 7.0F));
                CHECK(strided[k] == (k < n ? static_cast<float>(3 * k + 1) : 7.0F));
                CHECK(static_cast<float>(to[k]) == (k < n ? static_cast<float>(k + 1) : -1.0F));
            }
            CHECK(static_cast<float>(to[W]) == -1.0F);
        }
    }
}

}  // namespace

TEST_CASE_TEMPLATE("half: vectors convert all patterns as numbers do", T, bfloat16, float16) {
    check_width<T, 1>();
    check_width<T, 4>();
    check_width<T, 8>();
    check_width<T, 16>();
}
TEST_CASE_TEMPLATE("half: partial and strided lanes", T, bfloat16, float16) {
    check_parts<T, 1>();
    check_parts<T, 4>();
    check_parts<T, 8>();
    check_parts<T, 16>();
}
