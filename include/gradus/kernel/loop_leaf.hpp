// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/kernel/loop_instruction.hpp>
#include <gradus/kernel/loop_load.hpp>
#include <gradus/kernel/registers.hpp>
#include <gradus/kernel/truth.hpp>

#include <utility>

namespace gradus::inline GRADUS_ARCH::kernel {

/// Where the current row of every input and output of a loop begins, and the innermost strides: a local object whose address
/// goes nowhere, so that stores to the outputs do not make the compiler load it again.
template <auto Description>
struct loop_cursor {
    static constexpr auto D = Description;
    void const* in[D.input_count + 1];
    void* out[D.output_count];
    std::int64_t stride[D.input_count + 1];

    /// `by` rows further, as the last axis but one counts them.
    GRADUS_PART loop_cursor row(std::int64_t by, auto const& in_stride, auto const& out_stride) const {
        loop_cursor c = *this;
        [&]<int... J>(std::integer_sequence<int, J...>) GRADUS_PART {
            ((c.in[J] = static_cast<element_t<D.inputs[J].type> const*>(in[J]) + by * in_stride[J][D.axis_count - 2]), ...);
        }(std::make_integer_sequence<int, D.input_count>{});
        [&]<int... O>(std::integer_sequence<int, O...>) GRADUS_PART {
            ((c.out[O] = static_cast<element_t<D.outputs[O].type>*>(out[O]) + by * out_stride[O][D.axis_count - 2]), ...);
        }(std::make_integer_sequence<int, D.output_count>{});
        return c;
    }
};

/// r[I], an instruction that computes nothing, of the `valid` elements from `column` on.
template <auto Description, int I>
GRADUS_PART inline void loop_leaf(auto& r, loop_cursor<Description> const& at, std::int64_t column, int valid, std::int64_t const* indices,
                                  double const* sizes) {
    static constexpr auto D = Description;
    using facts = loop_facts<Description>;
    constexpr int inner = facts::inner, lanes = facts::width;
    constexpr instruction i = D.code[I];
    using T = element_t<i.type>;
    auto& to = r.template at<T>(I);
    if constexpr (i.op == load) {
        to = load_input<Description, i.a>(static_cast<T const*>(at.in[i.a]), at.stride[i.a], indices, column, valid);
    } else if constexpr (i.op == constant) {
        if constexpr (std::is_same_v<T, bool> && lanes > 1) to = simd::first<mask_lane<facts::bytes>, lanes>(i.value != 0 ? lanes : 0);
        else to = simd::broadcast<T, lanes>(static_cast<T>(i.value));
    } else if constexpr (i.op == size) {
        to = simd::broadcast<T, lanes>(static_cast<T>(sizes[i.a]));
    } else if constexpr (i.op == special::index) {
        if constexpr (i.a == inner) to = simd::lane_index<T, lanes>() + simd::broadcast<T, lanes>(static_cast<T>(column));
        else to = simd::broadcast<T, lanes>(static_cast<T>(indices[i.a]));
    }
}

/// The values of a loop for the elements from `column` on: those that change per element, per row, or never. `r` has what changes per
/// element, `f` the rest.
template <auto Description, class Ops>
struct loop_values {
    using facts = loop_facts<Description>;
    template <int I>
    GRADUS_PART static void evaluate(auto& r, auto& f, loop_cursor<Description> const& at, std::int64_t column, int valid,
                                     std::int64_t const* indices, double const* sizes) {
        if constexpr (Description.code[I].op < 0) loop_leaf<Description, I>(r, at, column, valid, indices, sizes);
        else loop_instruction<Description, Ops>::template operate<facts::width, I>(r, f);
    }
    template <varies When>
    GRADUS_PART static void all(auto& r, auto& f, loop_cursor<Description> const& at, std::int64_t column, int valid,
                                std::int64_t const* indices, double const* sizes) {
        constexpr int count = facts::template changing<When>.count;
        if constexpr (count > 0)
            [&]<int... K>(std::integer_sequence<int, K...>) GRADUS_PART {
                (evaluate<facts::template changing<When>.at[K]>(r, f, at, column, valid, indices, sizes), ...);
            }(std::make_integer_sequence<int, count>{});
    }
    /// Instruction I of the epilogue, on numbers: `totals` has what was folded over everything.
    template <int I>
    GRADUS_PART static void after_folds(auto& r, auto& totals, void const* const* in, double const* sizes) {
        constexpr instruction i = Description.code[I];
        using T = element_t<i.type>;
        auto& to = r.template at<T>(I);
        if constexpr (i.op == load) to = *static_cast<T const*>(in[i.a]);
        else if constexpr (i.op == constant) to = static_cast<T>(i.value);
        else if constexpr (i.op == size) to = static_cast<T>(sizes[i.a]);
        else if constexpr (i.op == reduced) to = totals.template at<T>(i.a);
        else loop_instruction<Description, Ops>::template operate<1, I>(r, r);
    }
};

}  // namespace gradus::inline GRADUS_ARCH::kernel
