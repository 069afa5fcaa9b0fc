// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <xsimd/xsimd.hpp>

// What hand-written loops share.
namespace by_hand {

/// The sum of the lanes, as this version of xsimd calls it.
template <class B>
auto sum(B v) {
    if constexpr (requires { reduce_add(v); }) return reduce_add(v);
    else return hadd(v);
}

}  // namespace by_hand
