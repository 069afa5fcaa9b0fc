// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/kernel/loop_facts.hpp>
#include <gradus/kernel/registers.hpp>
#include <gradus/op/leaf.hpp>

namespace gradus::inline GRADUS_ARCH::kernel {

/// Puts what an operation on numbers of type W gave into a register. All loops share it.
template <int Lanes, bool IsTruth, class W, int Bytes>
GRADUS_PART inline void put(auto& to, auto result) {
    if constexpr (Lanes == 1) to = static_cast<std::remove_cvref_t<decltype(to)>>(result);
    else if constexpr (IsTruth) to = simd::mask_cast<mask_lane<Bytes>, W, Lanes>(result);
    else to = result;
}

/// One instruction of a loop, from registers to a register. `r` has what changes per element, `f` the rest.
template <auto Description, class Ops>
struct loop_instruction {
    static constexpr auto D = Description;
    using facts = loop_facts<Description>;

    template <class Held, bool PerElement>
    struct held_in {};
    /// What register I holds, and in which of the two files.
    template <int I>
    using held = held_in<computed_t<D.code[I].type>, facts::change.of[I] == varies::per_element>;
    /// Register `i` as numbers of type T, or as a mask of such lanes. A function of types alone: one serves many instructions.
    template <int Lanes, class T, class Held, bool PerElement>
    GRADUS_PART static auto fetch(auto& r, auto& f, int i, held_in<Held, PerElement>) {
        if constexpr (std::is_same_v<Held, bool> && Lanes > 1) {
            if constexpr (PerElement) return simd::mask_cast<T, mask_lane<facts::bytes>, Lanes>(r.template at<bool>(i));
            else return simd::mask_cast<T, mask_lane<facts::bytes>, Lanes>(f.template at<bool>(i));
        } else if constexpr (PerElement) return r.template at<Held>(i);
        else return f.template at<Held>(i);
    }
    template <int I>
    static constexpr dtype operand_type() {  // of the numbers an operation works on
        constexpr instruction i = D.code[I];
        if constexpr (i.type != dtype::boolean) return i.type;
        else return i.a >= 0 ? D.code[i.a].type : dtype::boolean;
    }
    template <int Lanes, int I>
    GRADUS_PART static void operate(auto& r, auto& f) {
        constexpr instruction i = D.code[I];
        using Op = typename op_at<Ops, i.op>::type;
        using T = computed_t<i.type>;
        constexpr dtype work = operand_type<I>();
        using W = std::conditional_t<work == dtype::boolean, mask_lane<facts::bytes>, computed_t<work>>;
        auto& to = r.template at<T>(I);
        if constexpr (core::converts<Op>) {
            using From = computed_t<D.code[i.a].type>;
            if constexpr (Lanes == 1) to = static_cast<T>(fetch<1, W>(r, f, i.a, held<i.a>{}));
            else if constexpr (std::is_same_v<From, bool>)
                to = simd::select<T, Lanes>(fetch<Lanes, T>(r, f, i.a, held<i.a>{}), simd::broadcast<T, Lanes>(1),
                                            simd::broadcast<T, Lanes>(0));
            else if constexpr (std::is_same_v<T, bool>)
                to = simd::mask_cast<mask_lane<facts::bytes>, From, Lanes>(
                    simd::not_equal<From, Lanes>(fetch<Lanes, From>(r, f, i.a, held<i.a>{}), simd::broadcast<From, Lanes>(0)));
            else to = simd::convert<T, From, Lanes>(fetch<Lanes, W>(r, f, i.a, held<i.a>{}));
            if constexpr (is_half(i.type)) to = simd::round_to<element_t<i.type>, Lanes>(to);
        } else {
            constexpr bool is_truth = i.type == dtype::boolean;
            if constexpr (i.c >= 0)
                put<Lanes, is_truth, W, facts::bytes>(
                    to, Op::eval(fetch<Lanes, W>(r, f, i.a, held<i.a>{}), fetch<Lanes, W>(r, f, i.b, held<i.b>{}),
                                 fetch<Lanes, W>(r, f, i.c, held<i.c>{})));
            else if constexpr (i.b >= 0)
                put<Lanes, is_truth, W, facts::bytes>(
                    to, Op::eval(fetch<Lanes, W>(r, f, i.a, held<i.a>{}), fetch<Lanes, W>(r, f, i.b, held<i.b>{})));
            else put<Lanes, is_truth, W, facts::bytes>(to, Op::eval(fetch<Lanes, W>(r, f, i.a, held<i.a>{})));
        }
    }
};

}  // namespace gradus::inline GRADUS_ARCH::kernel
