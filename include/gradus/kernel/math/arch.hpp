// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/config.hpp>

// How kernels come to call the functions of this folder: by argument-dependent lookup.

#include <type_traits>

namespace xsimd {
template <class T, class A>
class batch;
namespace types {
template <class T, class A>
struct simd_register;
template <class T, class A>
struct has_simd_register;
template <class T, class A>
struct get_bool_simd_register;
}  // namespace types
}  // namespace xsimd

namespace gradus::inline GRADUS_ARCH::math {

/// An architecture of xsimd under our name. It makes this namespace an associated one of its vectors, so that tanh(x) finds
/// our tanh, more specialised than xsimd's for every architecture; what we do not provide remains xsimd's.
template <class Base>
struct arch : Base {};

template <class T, class Base>
using batch = xsimd::batch<T, arch<Base>>;

/// xsimd's vector type under our architecture; void stays void.
template <class Batch>
struct renamed {
    using type = void;
};
template <class T, class Base>
struct renamed<xsimd::batch<T, Base>> {
    using type = batch<T, Base>;
};

}  // namespace gradus::inline GRADUS_ARCH::math

/// The registers are the base's, as xsimd itself derives one architecture from another.
template <class T, class Base>
struct xsimd::types::simd_register<T, gradus::math::arch<Base>> : simd_register<T, Base> {
    using register_type = typename simd_register<T, Base>::register_type;
    simd_register() = default;
    simd_register(register_type r) noexcept : simd_register<T, Base>{r} {}
};
template <class T, class Base>
struct xsimd::types::has_simd_register<T, gradus::math::arch<Base>> : has_simd_register<T, Base> {};
/// Masks of bits are the base's; masks of lanes are a register.
template <class T, class Base>
    requires(!std::is_same_v<typename xsimd::types::get_bool_simd_register<T, Base>::type, xsimd::types::simd_register<T, Base>>)
struct xsimd::types::get_bool_simd_register<T, gradus::math::arch<Base>> : get_bool_simd_register<T, Base> {};
