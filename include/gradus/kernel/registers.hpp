// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/dtype.hpp>
#include <gradus/kernel/simd.hpp>

namespace gradus::inline GRADUS_ARCH::kernel {

/// The lane that masks belong to: 4 or 8 bytes wide.
template <int Bytes>
using mask_lane = std::conditional_t<Bytes == 4, float, double>;

/// The values of a loop's instructions for W elements: one array per type, indexed by instruction. Arrays with constant
/// indices become registers on every compiler; unused ones cost nothing.
template <int Bytes, int W, int N>
struct registers {
    using lane = mask_lane<Bytes>;
    using whole = std::conditional_t<Bytes == 4, std::int32_t, std::int64_t>;
    simd::vec<lane, W> real[N];
    simd::vec<whole, W> integer[N];
    simd::mask<lane, W> truth[N];

    template <class T>
    GRADUS_PART auto& at(int i) {
        if constexpr (std::is_same_v<T, bool>) return truth[i];
        else if constexpr (std::is_same_v<T, lane> || half_element<T>) return real[i];
        else return integer[i];
    }
};

/// One element at a time, every type: for loops that mix sizes, and for epilogues.
template <int Bytes, int N>
struct registers<Bytes, 1, N> {
    float f32[N];
    double f64[N];
    std::int32_t i32[N];
    std::int64_t i64[N];
    bool truth[N];

    template <class T>
    GRADUS_PART auto& at(int i) {
        if constexpr (std::is_same_v<T, bool>) return truth[i];
        else if constexpr (std::is_same_v<T, float> || half_element<T>) return f32[i];
        else if constexpr (std::is_same_v<T, double>) return f64[i];
        else if constexpr (std::is_same_v<T, std::int32_t>) return i32[i];
        else return i64[i];
    }
};

template <int I, class T>
struct indexed {};
template <class I, class... T>
struct index_map;
template <int... I, class... T>
struct index_map<std::integer_sequence<int, I...>, T...> : indexed<I, T>... {};
template <int I, class T>
T pick(indexed<I, T>);

/// The I-th operation of a list, in one instantiation per list and one per operation.
template <class List, int I>
struct op_at;
template <template <class...> class List, class... Op, int I>
struct op_at<List<Op...>, I> {
    using type = decltype(pick<I>(index_map<std::make_integer_sequence<int, sizeof...(Op)>, Op...>{}));
};

}  // namespace gradus::inline GRADUS_ARCH::kernel
