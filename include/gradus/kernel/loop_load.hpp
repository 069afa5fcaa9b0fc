// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/kernel/loop_facts.hpp>
#include <gradus/kernel/registers.hpp>
#include <gradus/kernel/truth.hpp>

namespace gradus::inline GRADUS_ARCH::kernel {

/// Elements of input J from `column` on: whole vectors inside a window are loaded, lanes outside are 0; their memory, which may
/// not exist, is not read.
template <auto Description, int J, class T>
GRADUS_PART inline auto load_in_window(T const* p, std::int64_t stride, std::int64_t const* index, std::int64_t column, int valid) {
    constexpr int inner = Description.axis_count - 1, lanes = loop_facts<Description>::width;
    constexpr auto in = Description.inputs[J];
    std::int64_t low = 0, high = valid;
    if constexpr (in.has_window(inner)) {
        low = in.begin[inner] - column;
        if (in.end[inner] - column < high) high = in.end[inner] - column;
    }
    for (int a = 0; a < inner; ++a)
        if (in.has_window(a) && (index[a] < in.begin[a] || index[a] >= in.end[a])) high = 0;
    if constexpr (in.stride[inner] == 1)
        if (low <= 0 && high == lanes) return simd::load<T, lanes>(p + column);
    using R = computed_t<dtype_of<T>>;
    if (low >= high) return simd::broadcast<R, lanes>(R(0));
    return [&]<int... Lane>(std::integer_sequence<int, Lane...>) GRADUS_PART {
        return simd::detail::from_raw<R, lanes>(
            simd::detail::raw<R, lanes>{(Lane >= low && Lane < high ? static_cast<R>(p[(column + Lane) * stride]) : R(0))...});
    }(std::make_integer_sequence<int, lanes>{});
}

/// `valid` elements of input J from `column` on; truth values as a mask, but one alone as bool.
template <auto Description, int J, class T>
GRADUS_PART inline auto load_input(T const* p, std::int64_t stride, std::int64_t const* index, std::int64_t column, int valid) {
    using facts = loop_facts<Description>;
    constexpr int lanes = facts::width;
    constexpr auto in = Description.inputs[J];
    if constexpr (in.has_window()) return load_in_window<Description, J>(p, stride, index, column, valid);
    else if constexpr (std::is_same_v<T, bool> && lanes == 1) return p[column * stride];
    else if constexpr (std::is_same_v<T, bool> && in.stride[facts::inner] == 0)
        return simd::first<mask_lane<facts::bytes>, lanes>(*p ? lanes : 0);
    else if constexpr (std::is_same_v<T, bool> && in.stride[facts::inner] == 1)
        return simd::load_bool<mask_lane<facts::bytes>, lanes>(p + column, valid);
    else if constexpr (std::is_same_v<T, bool>) {
        bool gathered[lanes] = {};
        for (int k = 0; k < valid; ++k) gathered[k] = p[(column + k) * stride];
        return simd::load_bool<mask_lane<facts::bytes>, lanes>(gathered, lanes);
    } else if constexpr (in.stride[facts::inner] == 0) return simd::broadcast<T, lanes>(*p);
    else if constexpr (in.stride[facts::inner] == 1)
        return valid == lanes ? simd::load<T, lanes>(p + column) : simd::load_partial<T, lanes>(p + column, valid, T(1));
    else return simd::load_strided<T, lanes>(p + column * stride, stride, valid, T(1));
}

}  // namespace gradus::inline GRADUS_ARCH::kernel
