// SPDX-License-Identifier: BSL-1.0
#pragma once

// What the library demands of the compiler's options, and its only macros, for what the language alone cannot say.

#if defined(__clang__) ? !defined(__apple_build_version__) && __clang_major__ < 18 : defined(__GNUC__) && __GNUC__ < 12
#define GRADUS_REFUSED "gradus: compile with g++ 12 or clang 18, or later ones: older ones lack what its templates and vectors need"
#elif !defined(__GNUC__)  // clang defines it too
#define GRADUS_REFUSED "gradus: compile with g++ or clang: others have no vectors of the compiler (docs/platforms.md)"
#elif __cplusplus < 202002L
#define GRADUS_REFUSED "gradus: compile with -std=c++20"
#endif
// There is no such file: the compiler stops here, where after #error it would go on to hundreds of other errors.
#ifdef GRADUS_REFUSED
#include GRADUS_REFUSED
#endif
#if !defined(__cpp_exceptions)
#error "gradus: compile without -fno-exceptions: what the library refuses at run time it refuses by an exception"
#endif
#if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__ != 0)
#error "gradus: compile without -ffast-math and -ffinite-math-only: NaN and infinity must survive (-fno-math-errno is fine)"
#elif defined(__ASSOCIATIVE_MATH__) || defined(__RECIPROCAL_MATH__) || defined(__NO_SIGNED_ZEROS__)  // g++ tells, clang does not
// clang-format off: one line
#error "gradus: compile without -funsafe-math-optimizations and its parts: formulas mean what they say"
// clang-format on
#endif
#if defined(__FLT_EVAL_METHOD__) && __FLT_EVAL_METHOD__ != 0 && __FLT_EVAL_METHOD__ != 16
#error "gradus: compile with -msse2 -mfpmath=sse: numbers in registers of the x87 are not of the type that is written"
#endif

/// Inlines every call into a kernel; not where a sanitizer instruments each load, which takes g++ minutes per kernel.
#if defined(__SANITIZE_ADDRESS__)
#define GRADUS_FLATTEN [[gnu::noinline]]
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(undefined_behavior_sanitizer)
#define GRADUS_FLATTEN [[gnu::noinline]]
#endif
#endif
#ifndef GRADUS_FLATTEN
#define GRADUS_FLATTEN [[gnu::noinline, gnu::flatten]]
#endif

/// A kernel that many call is one function: g++ would copy it for each constant that it is called with.
#if defined(__clang__)
#define GRADUS_SHARED GRADUS_FLATTEN
#else
#define GRADUS_SHARED [[gnu::noclone]] GRADUS_FLATTEN
#endif

/// A part of kernels, of functions that are GRADUS_FLATTEN. g++ inlines all that such a function calls at once. If each part were inlined
/// into the next by force, the innermost would be optimized again at every level between. Clang inlines one level and needs the force.
#if defined(__OPTIMIZE__) && defined(__clang__)
#define GRADUS_PART __attribute__((always_inline))
#else
#define GRADUS_PART
#endif

/// Unrolls the loop that follows, which has a constant number of steps, at most 64.
#if !defined(__OPTIMIZE__)
#define GRADUS_UNROLL
#elif defined(__clang__)
#define GRADUS_UNROLL _Pragma("clang loop unroll(full)")
#else
#define GRADUS_UNROLL _Pragma("GCC unroll 64")
#endif

/// Inlines a function by force, where constants have to reach it; not without optimization, where that is only more code.
#if defined(__OPTIMIZE__)
#define GRADUS_INLINE [[gnu::always_inline]] inline
#else
#define GRADUS_INLINE inline
#endif

// Interpreted programs work on vectors only where these are optimized.
#if defined(GRADUS_INTERPRET) && defined(__OPTIMIZE__)
#define GRADUS_INTERPRET_OPTIMIZED 1
#endif
// The options that decide which instructions the compiler may use, and whether kernels are compiled, one bit each, three bits a digit:
// translation units that differ in one of them name everything of the library differently, and the linker can take no function of one for
// the other's.
#define GRADUS_ARCH_SECOND(ignored, value, ...) value
#define GRADUS_ARCH_COMMA_1 0,
#define GRADUS_ARCH_CHOOSE(pair) GRADUS_ARCH_SECOND(pair 1, 0, 0)
#define GRADUS_ARCH_BIT(defined) GRADUS_ARCH_CHOOSE(GRADUS_ARCH_COMMA_##defined)
#define GRADUS_ARCH_DIGIT_000 0
#define GRADUS_ARCH_DIGIT_001 1
#define GRADUS_ARCH_DIGIT_010 2
#define GRADUS_ARCH_DIGIT_011 3
#define GRADUS_ARCH_DIGIT_100 4
#define GRADUS_ARCH_DIGIT_101 5
#define GRADUS_ARCH_DIGIT_110 6
#define GRADUS_ARCH_DIGIT_111 7
#define GRADUS_ARCH_PASTE(a, b, c) GRADUS_ARCH_DIGIT_##a##b##c
#define GRADUS_ARCH_PASTED(a, b, c) GRADUS_ARCH_PASTE(a, b, c)
#define GRADUS_ARCH_DIGIT(a, b, c) GRADUS_ARCH_PASTED(GRADUS_ARCH_BIT(a), GRADUS_ARCH_BIT(b), GRADUS_ARCH_BIT(c))
#define GRADUS_ARCH_JOIN(a, b, c, d, e, f, g, h, i, j, k, l) isa##a##b##c##d##e##f##g##h##i##j##k##l
#define GRADUS_ARCH_JOINED(...) GRADUS_ARCH_JOIN(__VA_ARGS__)
// clang-format off
#define GRADUS_ARCH                                                              \
    GRADUS_ARCH_JOINED(GRADUS_ARCH_DIGIT(__SSE2__, __SSE3__, __SSSE3__),         \
                       GRADUS_ARCH_DIGIT(__SSE4_1__, __SSE4_2__, __POPCNT__),    \
                       GRADUS_ARCH_DIGIT(__AVX__, __AVX2__, __FMA__),            \
                       GRADUS_ARCH_DIGIT(__F16C__, __BMI__, __BMI2__),           \
                       GRADUS_ARCH_DIGIT(__LZCNT__, __MOVBE__, __FMA4__),        \
                       GRADUS_ARCH_DIGIT(__AVX512F__, __AVX512VL__, __AVX512DQ__), \
                       GRADUS_ARCH_DIGIT(__AVX512BW__, __AVX512CD__, __AVX512IFMA__), \
                       GRADUS_ARCH_DIGIT(__AVX512VBMI__, __AVX512VBMI2__, __AVX512VNNI__), \
                       GRADUS_ARCH_DIGIT(__AVX512BITALG__, __AVX512VPOPCNTDQ__, __AVX512FP16__), \
                       GRADUS_ARCH_DIGIT(__AVX512BF16__, __AVXVNNI__, __GFNI__), \
                       GRADUS_ARCH_DIGIT(__ARM_NEON, __ARM_FEATURE_FMA, __ARM_FEATURE_SVE), \
                       GRADUS_ARCH_DIGIT(GRADUS_INTERPRET, GRADUS_INTERPRET_OPTIMIZED, __wasm_simd128__))
// clang-format on

namespace gradus::inline GRADUS_ARCH {

namespace core {
/// A function, member or class is a template of `Asked`, which it has no other use for, where only some programs need it and its body
/// is much for the compiler: whoever includes the headers pays for its text alone, whoever asks for it pays for what it instantiates.
/// `when<Asked, T>` is T, looked into only then.
template <class Asked, class T>
struct asked_for {
    using type = T;
};
template <class Asked, class T>
using when = typename asked_for<Asked, T>::type;
}  // namespace core

/// A development build, -DGRADUS_INTERPRET: programs are the same, their kernels run by the loop interpreter (kernel/loop_evaluation.hpp)
/// instead of being compiled. Such units have names of their own and link with others.
#if defined(GRADUS_INTERPRET) && GRADUS_INTERPRET + 0 != 0
inline constexpr bool interprets = true;
#else
inline constexpr bool interprets = false;
#endif
/// Without optimization the functions of vectors are slower than numbers one by one, and cost the compiler more.
#ifdef __OPTIMIZE__
inline constexpr bool optimizes = true;
#else
inline constexpr bool optimizes = false;
#endif
/// Statements on tensors are interpreted without optimization too, unless -DGRADUS_INTERPRET=0 asks for their kernels.
#ifdef GRADUS_INTERPRET
inline constexpr bool interprets_statements = interprets;
#else
inline constexpr bool interprets_statements = !optimizes;
#endif
/// A sanitizer watches who uses memory that was given back, or was never written to: then none is kept (core/allocator.hpp).
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool sanitizes_memory = true;
#elif !defined(__has_feature)
inline constexpr bool sanitizes_memory = false;
#elif __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
inline constexpr bool sanitizes_memory = true;
#else
inline constexpr bool sanitizes_memory = false;
#endif

}  // namespace gradus::inline GRADUS_ARCH
