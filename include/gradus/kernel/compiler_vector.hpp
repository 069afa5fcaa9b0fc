// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/config.hpp>

// The compiler's own vectors, for what needs no instruction set by name: conversions, shuffles, folds.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

namespace gradus::inline GRADUS_ARCH::simd::detail {

/// W lanes of T.
template <class T, int W>
struct raw_of {
    typedef T type __attribute__((vector_size(sizeof(T) * W)));
};
template <class T, int W>
using raw = typename raw_of<T, W>::type;

/// The integer of T's size; a lane of ones is true.
template <class T>
using bits_of = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;

/// Masked moves count in words of 32 bits, so that one instruction a width serves every lane type.
template <class T>
inline constexpr int words = static_cast<int>(sizeof(T) / 4);

/// The lowest n bits, for a mask of W lanes.
template <int W>
[[gnu::always_inline]] inline auto low_bits(int n) {
    return static_cast<std::conditional_t<(W > 8), std::uint16_t, std::uint8_t>>((1U << n) - 1U);
}

/// Lanes 0 .. n-1 all ones, the rest zero.
template <class T, int W>
[[gnu::always_inline]] inline auto low_lanes(int n) {
    using I = bits_of<T>;
    return [n]<int... Lane>(std::integer_sequence<int, Lane...>) __attribute__((always_inline)) {
        return raw<I, W>{static_cast<I>(Lane)...} < (raw<I, W>{} + static_cast<I>(n));
    }(std::make_integer_sequence<int, W>{});
}

/// The first N lanes to p, in pieces of powers of two: as few plain stores as there are bits in N.
template <class T, int W, int N, int At = 0, int Size = W>
[[gnu::always_inline]] inline void store_pieces(T* p, raw<T, W> r) {
    if constexpr ((N & Size) != 0) {
        if constexpr (Size == W) {
            std::memcpy(p, &r, sizeof r);
        } else if constexpr (Size == 1) {
            p[At] = r[At];
        } else {
            [&]<int... Lane>(std::integer_sequence<int, Lane...>) __attribute__((always_inline)) {
                raw<T, Size> const piece = __builtin_shufflevector(r, r, (At + Lane)...);
                std::memcpy(p + At, &piece, sizeof piece);
            }(std::make_integer_sequence<int, Size>{});
        }
    }
    if constexpr (Size > 1) { store_pieces<T, W, N, At + (N & Size), Size / 2>(p, r); }
}

/// The same for an n that the compiler knows, at most W.
template <class T, int W>
[[gnu::always_inline]] inline void store_first(T* p, raw<T, W> r, int n) {
    [&]<int... N>(std::integer_sequence<int, N...>) __attribute__((always_inline)) {
        ((n == N + 1 ? store_pieces<T, W, N + 1>(p, r) : void()), ...);
    }(std::make_integer_sequence<int, W>{});
}

/// The first N lanes from p, in the same pieces, so that what was just stored is forwarded to the load; `rest` beyond.
template <class T, int W, int N, int At = 0, int Size = W / 2>
[[gnu::always_inline]] inline raw<T, W> load_pieces(T const* p, raw<T, W> rest) {
    if constexpr ((N & Size) != 0 && Size == 1) {
        rest[At] = p[At];
    } else if constexpr ((N & Size) != 0) {
        raw<T, Size> piece;
        std::memcpy(&piece, p + At, sizeof piece);
        rest = [&]<int... Lane>(std::integer_sequence<int, Lane...>) __attribute__((always_inline)) {
            auto const wide = __builtin_shufflevector(piece, piece, (Lane >= At && Lane < At + Size ? Lane - At : -1)...);
            return __builtin_shufflevector(rest, wide, (Lane >= At && Lane < At + Size ? W + Lane : Lane)...);
        }(std::make_integer_sequence<int, W>{});
    }
    if constexpr (Size > 1) {
        return load_pieces<T, W, N, At + (N & Size), Size / 2>(p, rest);
    } else {
        return rest;
    }
}

/// The same for an n that the compiler knows, less than W.
template <class T, int W>
[[gnu::always_inline]] inline raw<T, W> load_first(T const* p, int n, T fill) {
    raw<T, W> r = fill - raw<T, W>{};
    [&]<int... N>(std::integer_sequence<int, N...>) __attribute__((always_inline)) {
        ((n == N + 1 ? void(r = load_pieces<T, W, N + 1>(p, r)) : void()), ...);
    }(std::make_integer_sequence<int, W - 1>{});
    return r;
}

/// f on the halves, on their halves, ... down to one lane: the order is the same on every machine. Below 16 bytes the
/// register stays and its lanes rotate, as compilers are poor at smaller vectors.
template <class T, int W, int Half = W / 2, class F>
[[gnu::always_inline]] inline T fold(raw<T, W> r, F f) {
    constexpr bool narrow = sizeof r > 16;
    if constexpr (Half == 0) {
        return r[0];
    } else {
        return [&]<int... Lane>(std::integer_sequence<int, Lane...>) __attribute__((always_inline)) {
            auto const low = __builtin_shufflevector(r, r, Lane...);
            auto const high = __builtin_shufflevector(r, r, ((Lane + Half) % W)...);
            return fold<T, narrow ? Half : W, Half / 2>(f(low, high), f);
        }(std::make_integer_sequence<int, narrow ? Half : W>{});
    }
}

}  // namespace gradus::inline GRADUS_ARCH::simd::detail
