// SPDX-License-Identifier: BSL-1.0
#pragma once

// The one header that includes xsimd, and what it takes to do so on each machine.

#include <gradus/kernel/math/arch.hpp>

#ifdef __aarch64__
// xsimd 8.1 broadcasts to its own architecture where one that derives from it is asked for. The constructor of batches finds what is
// declared before it.
namespace xsimd::kernel {
template <class A, class T, class Base>
batch<T, A> broadcast(T x, gradus::math::arch<Base> const&) noexcept;
}
#endif
// g++ 12's own AVX-512 intrinsics warn once they are inlined (GCC bug 105593).
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#ifdef __wasm_simd128__
#include <xsimd/config/xsimd_config.hpp>
#ifdef XSIMD_WITH_WASM  // which takes every WebAssembly but Emscripten's for one without vectors
#undef XSIMD_WITH_WASM
#define XSIMD_WITH_WASM 1
#undef XSIMD_NO_SUPPORTED_ARCHITECTURE
#endif
#endif
#include <xsimd/xsimd.hpp>
#pragma GCC diagnostic pop
#ifdef __aarch64__
template <class A, class T, class Base>
[[gnu::always_inline]] inline xsimd::batch<T, A> xsimd::kernel::broadcast(T x, gradus::math::arch<Base> const&) noexcept {
    return broadcast<Base>(x, Base{}).data;
}
#endif
