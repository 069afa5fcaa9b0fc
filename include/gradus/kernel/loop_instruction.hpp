// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/kernel/loop_facts.hpp>
#include <gradus/kernel/registers.hpp>
#include <gradus/op/leaf.hpp>

namespace gradus::inline GRADUS_ARCH::kernel {

/// One instruction of a loop, from registers to a register. `r` has what changes per element, `f` the rest.
template <auto Description, class Ops>
struct loop_instruction {
    static constexpr auto D = Description;
    using facts = loop_facts<Description>;

    template <int Lanes, int I, class T>
    GRADUS_PART static auto fetch(auto& r, auto& f) {  // from this step's registers or from the row's
        using E = computed_t<D.code[I].type>;
        if constexpr (facts::change.of[I] != varies::per_element) return fetch_from<Lanes, I, T, E>(f);
        else return fetch_from<Lanes, I, T, E>(r);
    }
    template <int Lanes, int I, class T, class E>
    GRADUS_PART static auto fetch_from(auto& source) {
        if constexpr (std::is_same_v<E, bool> && Lanes > 1)
            return simd::mask_cast<T, mask_lane<facts::bytes>, Lanes>(source.template at<bool>(I));
        else return source.template at<E>(I);
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
            if constexpr (Lanes == 1) to = static_cast<T>(fetch<1, i.a, W>(r, f));
            else if constexpr (std::is_same_v<From, bool>)
                to = simd::select<T, Lanes>(fetch<Lanes, i.a, T>(r, f), simd::broadcast<T, Lanes>(1), simd::broadcast<T, Lanes>(0));
            else if constexpr (std::is_same_v<T, bool>)
                to = simd::mask_cast<mask_lane<facts::bytes>, From, Lanes>(
                    simd::not_equal<From, Lanes>(fetch<Lanes, i.a, From>(r, f), simd::broadcast<From, Lanes>(0)));
            else to = simd::convert<T, From, Lanes>(fetch<Lanes, i.a, W>(r, f));
            if constexpr (is_half(i.type)) to = simd::round_to<element_t<i.type>, Lanes>(to);
        } else {
            if constexpr (i.c >= 0)
                put<Lanes, I, W>(to, Op::eval(fetch<Lanes, i.a, W>(r, f), fetch<Lanes, i.b, W>(r, f), fetch<Lanes, i.c, W>(r, f)));
            else if constexpr (i.b >= 0) put<Lanes, I, W>(to, Op::eval(fetch<Lanes, i.a, W>(r, f), fetch<Lanes, i.b, W>(r, f)));
            else put<Lanes, I, W>(to, Op::eval(fetch<Lanes, i.a, W>(r, f)));
        }
    }
    template <int Lanes, int I, class W>
    GRADUS_PART static void put(auto& to, auto result) {
        if constexpr (Lanes == 1) to = static_cast<computed_t<D.code[I].type>>(result);
        else if constexpr (D.code[I].type == dtype::boolean) to = simd::mask_cast<mask_lane<facts::bytes>, W, Lanes>(result);
        else to = result;
    }
};

}  // namespace gradus::inline GRADUS_ARCH::kernel
