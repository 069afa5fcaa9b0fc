// SPDX-License-Identifier: BSL-1.0
#pragma once

// Registers of a width the caller picks, with partial loads and stores.
// A width of 1 is a plain scalar, so that one kernel text serves vectors, tails and targets without SIMD.

#include <gradus/kernel/xsimd.hpp>  // before others that include the compiler's intrinsics, whose warnings it turns off

#include <gradus/kernel/half.hpp>

#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

namespace gradus::inline GRADUS_ARCH::simd {
namespace detail {

// NEON of 32-bit ARM takes subnormal numbers for zero: as if xsimd had no architecture.
#if defined(XSIMD_NO_SUPPORTED_ARCHITECTURE) || defined(__arm__)
template <class T>
inline constexpr int widest = 1;
template <class T, int W>
using batch = void;
#else
template <class T>
inline constexpr int widest = static_cast<int>(xsimd::batch<T>::size);
template <class T, int W>
using batch = typename math::renamed<xsimd::make_sized_batch_t<T, static_cast<std::size_t>(W)>>::type;
#endif
template <class T, int W>
struct vec_of {
    using type = batch<T, W>;
};
template <class T>
struct vec_of<T, 1> {
    using type = T;
};
template <half_element T, int W>
struct vec_of<T, W> : vec_of<float, W> {};
template <half_element T>
struct vec_of<T, 1> : vec_of<float, 1> {};
template <class T, int W>
struct mask_of {
    using type = typename vec_of<T, W>::type::batch_bool_type;
};
template <class T>
struct mask_of<T, 1> {
    using type = bool;
};

}  // namespace detail

/// Lanes of the widest register for T; 1 where xsimd knows no architecture.
template <class T>
inline constexpr int native_width = detail::widest<T>;

/// Whether vec<T, W> exists.
template <class T, int W>
inline constexpr bool has_width = !std::is_void_v<typename detail::vec_of<T, W>::type>;

/// W lanes of T: an xsimd batch of our architecture, or T itself when W is 1. Elements of 16 bits are floats in registers.
template <class T, int W>
using vec = typename detail::vec_of<T, W>::type;

/// W truth values for lanes of T.
template <class T, int W>
using mask = typename detail::mask_of<T, W>::type;

namespace detail {
template <class T, int W>
[[gnu::always_inline]] inline auto to_raw(vec<T, W> v) {
    return __builtin_bit_cast(typename raw_of<T, W>::type, v);
}
template <class T, int W, class R>
[[gnu::always_inline]] inline vec<T, W> from_raw(R r) {
    return __builtin_bit_cast(typename vec_of<T, W>::type, r);
}

}  // namespace detail

/// Every lane x.
template <class T, int W>
[[gnu::always_inline]] inline vec<T, W> broadcast(T x) {
    if constexpr (half_element<T>) return vec<T, W>(static_cast<float>(x));
    else return vec<T, W>(x);
}

/// W elements from p, which needs no alignment.
template <class T, int W>
[[gnu::always_inline]] inline vec<T, W> load(T const* p) {
    if constexpr (W == 1) {
        return *p;
    } else if constexpr (half_element<T>) {
        return detail::from_raw<float, W>(detail::load_half<T, W>(p, 1, W, T{}));
    } else {
        return vec<T, W>::load_unaligned(p);
    }
}

/// W elements to p, which needs no alignment.
template <class T, int W>
[[gnu::always_inline]] inline void store(T* p, vec<T, W> v) {
    if constexpr (W == 1) {
        *p = static_cast<T>(v);
    } else if constexpr (half_element<T>) {
        detail::store_half<T, W>(p, detail::to_raw<float, W>(v), W);
    } else {
        v.store_unaligned(p);
    }
}

/// p[0], p[stride], ... in the first n lanes, fill in the others.
template <class T, int W>
[[gnu::always_inline]] inline vec<T, W> load_strided(T const* p, std::int64_t stride, int n, T fill) {
    if constexpr (half_element<T> && W == 1) {
        return n > 0 ? *p : fill;
    } else if constexpr (half_element<T>) {
        return detail::from_raw<float, W>(detail::load_half<T, W>(p, stride, n, fill));
    } else {
        return [&]<int... Lane>(std::integer_sequence<int, Lane...>) __attribute__((always_inline)) {
            return detail::from_raw<T, W>(detail::raw<T, W>{(Lane < n ? p[Lane * stride] : fill)...});
        }(std::make_integer_sequence<int, W>{});
    }
}

/// The first n lanes to p[0], p[stride], ...
template <class T, int W>
[[gnu::always_inline]] inline void store_strided(T* p, std::int64_t stride, vec<T, W> v, int n) {
    if constexpr (half_element<T> || W == 1) {
        T all[W];
        store<T, W>(all, v);
        for (int lane = 0; lane < n; ++lane) p[lane * stride] = all[lane];
    } else {
        auto const r = detail::to_raw<T, W>(v);
        [&]<int... Lane>(std::integer_sequence<int, Lane...>) __attribute__((always_inline)) {
            if (n >= W) [[likely]]
                return (void(p[Lane * stride] = r[Lane]), ...);
            ((Lane < n ? void(p[Lane * stride] = r[Lane]) : void()), ...);
        }(std::make_integer_sequence<int, W>{});
    }
}

/// The first n lanes from p, fill in the others; reads nothing beyond p[n - 1].
template <class T, int W>
[[gnu::always_inline]] inline vec<T, W> load_partial(T const* p, int n, T fill) {
    if (__builtin_constant_p(n) && n >= W) { return load<T, W>(p); }
#ifdef __AVX__
    if constexpr (W > 1 && !half_element<T>) {
        if (__builtin_constant_p(n) && W < 8) return detail::from_raw<T, W>(detail::load_first<T, W>(p, n, fill));
        constexpr int words = W * detail::words<T>;
        auto const rest = __builtin_bit_cast(typename detail::raw_of<float, words>::type, broadcast<T, W>(fill));
#ifdef __AVX512VL__
        auto const m = detail::low_bits<words>(n * detail::words<T>);
        if constexpr (words == 16) {
            return detail::from_raw<T, W>(_mm512_mask_loadu_ps(rest, m, p));
        } else if constexpr (words == 8) {
            return detail::from_raw<T, W>(_mm256_mask_loadu_ps(rest, m, p));
        } else {
            return detail::from_raw<T, W>(_mm_mask_loadu_ps(rest, m, p));
        }
#else
        auto const m = detail::low_lanes<float, words>(n * detail::words<T>);
        auto const f = __builtin_bit_cast(decltype(rest), m);
        auto const* const q = reinterpret_cast<float const*>(p);
        bool const zeros = __builtin_constant_p(fill) && __builtin_bit_cast(detail::bits_of<T>, fill) == 0;  // what the load leaves
        if constexpr (words == 8) {
            auto const v = _mm256_maskload_ps(q, __builtin_bit_cast(__m256i, m));
            if (zeros) return detail::from_raw<T, W>(v);
            return detail::from_raw<T, W>(_mm256_blendv_ps(rest, v, f));
        } else {
            auto const v = _mm_maskload_ps(q, __builtin_bit_cast(__m128i, m));
            if (zeros) return detail::from_raw<T, W>(v);
            return detail::from_raw<T, W>(_mm_blendv_ps(rest, v, f));
        }
#endif
    }
#endif
    return load_strided<T, W>(p, 1, n, fill);
}

/// The first n lanes to p; writes nothing beyond p[n - 1].
template <class T, int W>
[[gnu::always_inline]] inline void store_partial(T* p, vec<T, W> v, int n) {
    if constexpr (half_element<T> && W == 1) {
        if (n > 0) *p = static_cast<T>(v);
    } else if constexpr (half_element<T>) {
        detail::store_half<T, W>(p, detail::to_raw<float, W>(v), n);
    } else {
        if (__builtin_constant_p(n) && W > 1 && (n >= W || W < 8)) {
            return detail::store_first<T, W>(p, detail::to_raw<T, W>(v), n < W ? n : W);
        }
#ifdef __AVX__
        if constexpr (W > 1) {
            constexpr int words = W * detail::words<T>;
            auto const r = __builtin_bit_cast(typename detail::raw_of<float, words>::type, v);
#ifdef __AVX512VL__
            auto const m = detail::low_bits<words>(n * detail::words<T>);
            if constexpr (words == 16) {
                return _mm512_mask_storeu_ps(p, m, r);
            } else if constexpr (words == 8) {
                return _mm256_mask_storeu_ps(p, m, r);
            } else {
                return _mm_mask_storeu_ps(p, m, r);
            }
#else
            // By halves: the masked store is microcoded on Zen.
            auto* q = reinterpret_cast<float*>(p);
            int const count = n * detail::words<T>;
            __m128 four;
            if constexpr (words == 8) {
                if (count & 8) return _mm256_storeu_ps(q, r);
                four = _mm256_castps256_ps128(r);
                if (count & 4) {
                    _mm_storeu_ps(q, four);
                    four = _mm256_extractf128_ps(r, 1);
                    q += 4;
                }
            } else {
                if (count & 4) return _mm_storeu_ps(q, r);
                four = r;
            }
            if (count & 2) {
                _mm_storel_pi(reinterpret_cast<__m64*>(q), four);
                four = _mm_movehl_ps(four, four);
                q += 2;
            }
            if (count & 1) _mm_store_ss(q, four);
            return;
#endif
        }
#endif
        auto const r = detail::to_raw<T, W>(v);
        [&]<int... Lane>(std::integer_sequence<int, Lane...>)
            __attribute__((always_inline)) { ((Lane < n ? void(p[Lane] = r[Lane]) : void()), ...); }(std::make_integer_sequence<int, W>{});
    }
}

/// The mask for another lane type of the same size.
template <class To, class From, int W>
[[gnu::always_inline]] inline mask<To, W> mask_cast(mask<From, W> m) {
    static_assert(sizeof(To) == sizeof(From), "gradus::simd::mask_cast: the lane types differ in size");
    return __builtin_bit_cast(typename detail::mask_of<To, W>::type, m);
}

/// a where the mask is true, b elsewhere.
template <class T, int W>
[[gnu::always_inline]] inline vec<T, W> select(mask<T, W> m, vec<T, W> a, vec<T, W> b) {
    if constexpr (W == 1) {
        return m ? a : b;
    } else if constexpr (std::integral<T> && sizeof m != sizeof a) {
        // xsimd 8.1's own for AVX-512 does not compile with g++ -O0.
        using F = std::conditional_t<sizeof(T) == 4, float, double>;
        auto const x = detail::from_raw<F, W>(a), y = detail::from_raw<F, W>(b);
        return detail::from_raw<T, W>(select(mask_cast<F, T, W>(m), x, y));
    } else {
        return select(m, a, b);  // xsimd's, by argument-dependent lookup: it is absent without an architecture
    }
}

/// a != b with IEEE's answer, true for NaN: xsimd 8.1's operator != is false for NaN on AVX and AVX-512.
template <class T, int W>
[[gnu::always_inline]] inline mask<T, W> not_equal(vec<T, W> a, vec<T, W> b) {
    if constexpr (W > 1 && sizeof(mask<T, W>) == sizeof(vec<T, W>)) {
        auto const m = detail::to_raw<T, W>(a) != detail::to_raw<T, W>(b);
        return __builtin_bit_cast(typename detail::mask_of<T, W>::type, m);
    } else {
        return mask<T, W>(!(a == b));
    }
}

/// Lanes that are NaN.
template <class T, int W>
[[gnu::always_inline]] inline mask<T, W> is_nan(vec<T, W> a) {
    return not_equal<T, W>(a, a);
}

/// The first n lanes true.
template <class T, int W>
[[gnu::always_inline]] inline mask<T, W> first(int n) {
    if constexpr (W == 1) {
        return n > 0;
    } else if constexpr (sizeof(mask<T, W>) == sizeof(vec<T, W>)) {
        return __builtin_bit_cast(typename detail::mask_of<T, W>::type, detail::low_lanes<T, W>(n));
    } else {  // AVX-512: a bit a lane
        return mask<T, W>(static_cast<typename mask<T, W>::register_type>(detail::low_bits<W>(n)));
    }
}

/// 0, 1, 2, ...
template <class T, int W>
[[gnu::always_inline]] inline vec<T, W> lane_index() {
    return []<int... Lane>(std::integer_sequence<int, Lane...>) __attribute__((always_inline)) {
        return detail::from_raw<T, W>(detail::raw<T, W>{static_cast<T>(Lane)...});
    }(std::make_integer_sequence<int, W>{});
}

/// Lane by lane static_cast between types of one size.
template <class To, class From, int W>
[[gnu::always_inline]] inline vec<To, W> convert(vec<From, W> v) {
    static_assert(sizeof(To) == sizeof(From), "gradus::simd::convert: the lane types differ in size");
    return detail::from_raw<To, W>(__builtin_convertvector((detail::to_raw<From, W>(v)), detail::raw<To, W>));
}

/// What is stored of these floats in elements of 16 bits.
template <half_element T, int W>
[[gnu::always_inline]] inline vec<float, W> round_to(vec<float, W> v) {
    if constexpr (W == 1) {
        return static_cast<T>(v);
    } else {
        return detail::from_raw<float, W>(detail::widened<T, W>(detail::narrowed<T, W>(detail::to_raw<float, W>(v))));
    }
}

/// Has the target an instruction for a * b + c, rounded once?
#if defined(__FMA__) || defined(__FP_FAST_FMA) || defined(__ARM_FEATURE_FMA)
inline constexpr bool has_fma = true;
#else
inline constexpr bool has_fma = false;
#endif

/// a * b + c, rounded once where the target has the instruction.
template <class T, int W>
[[gnu::always_inline]] inline vec<T, W> fma(vec<T, W> a, vec<T, W> b, vec<T, W> c) {
    using V = vec<T, W>;
    if constexpr (std::integral<T>) {
        return static_cast<V>(a * b + c);
    } else if constexpr (W == 1 && has_fma) {
        return std::fma(a, b, c);
    }
#ifdef __FMA__
    // xsimd 8.1 multiplies and then adds for AVX-512 and for the narrow batches of an AVX target.
    else if constexpr (W * detail::words<T> == 4 && sizeof(T) == 4) {
        return V(_mm_fmadd_ps(a.data, b.data, c.data));
    } else if constexpr (W * detail::words<T> == 4) {
        return V(_mm_fmadd_pd(a.data, b.data, c.data));
    }
#endif
#ifdef __AVX512F__
    else if constexpr (W * detail::words<T> == 16 && sizeof(T) == 4) {
        return V(_mm512_fmadd_ps(a.data, b.data, c.data));
    } else if constexpr (W * detail::words<T> == 16) {
        return V(_mm512_fmadd_pd(a.data, b.data, c.data));
    }
#endif
    else if constexpr (W == 1) {
        return a * b + c;  // std::fma is a slow call here
    } else {
        return fma(a, b, c);
    }
}

/// The larger of a and b, NaN if either is: a NaN in b fails the comparison, which picks b.
template <class T, int W>
[[gnu::always_inline]] inline vec<T, W> max_nan(vec<T, W> a, vec<T, W> b) {
    if constexpr (std::integral<T>) {
        return select<T, W>(a > b, a, b);
    } else {
        return select<T, W>((a > b) | is_nan<T, W>(a), a, b);
    }
}

/// The smaller of a and b, NaN if either is.
template <class T, int W>
[[gnu::always_inline]] inline vec<T, W> min_nan(vec<T, W> a, vec<T, W> b) {
    if constexpr (std::integral<T>) {
        return select<T, W>(a < b, a, b);
    } else {
        return select<T, W>((a < b) | is_nan<T, W>(a), a, b);
    }
}

}  // namespace gradus::inline GRADUS_ARCH::simd
