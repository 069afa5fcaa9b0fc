// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/target.hpp>
#include <gradus/kernel/loop_description.hpp>
#include <gradus/kernel/simd.hpp>

namespace gradus::inline GRADUS_ARCH::kernel {

/// Where a value of the loop changes: nowhere, with an outer axis, with the innermost.
enum class varies { never, per_row, per_element };

/// Facts about a description that the compiler needs once.
template <auto Description>
struct loop_facts {
    static constexpr auto D = Description;
    static constexpr int inner = D.axis_count - 1;
    static constexpr bool is_static = [] {
        for (auto e : D.extents)
            if (e == at_run_time) return false;
        return true;
    }();
    static constexpr varies change_of(instruction const& i, varies const* known) {
        if (i.op == load) {
            auto changes = [&](int axis) { return D.inputs[i.a].stride[axis] != 0 || D.inputs[i.a].has_window(axis); };
            if (changes(inner)) return varies::per_element;
            for (int axis = 0; axis < inner; ++axis)
                if (changes(axis)) return varies::per_row;
            return varies::never;
        }
        if (i.op == index) return i.a == inner ? varies::per_element : varies::per_row;
        if (i.op < 0) return varies::never;
        varies most = known[i.a];
        if (i.b >= 0 && known[i.b] > most) most = known[i.b];
        if (i.c >= 0 && known[i.c] > most) most = known[i.c];
        return most;
    }
    struct table {
        varies of[D.instruction_count];
    };
    static constexpr table change = [] {
        table all{};
        for (int i = 0; i < D.instruction_count; ++i) all.of[i] = change_of(D.code[i], all.of);
        return all;
    }();
    /// The instructions of the body that change in one way, in their order.
    struct selection {
        int count = 0;
        int at[D.instruction_count]{};
    };
    template <varies When>
    static constexpr selection changing = [] {
        selection s;
        for (int i = 0; i < D.body; ++i)
            if (change.of[i] == When) s.at[s.count++] = i;
        return s;
    }();
    /// Bytes of the elements if they are all of one size, booleans aside; else 0: no vectors then.
    static constexpr int bytes = [] {
        int common = 0;
        for (int i = 0; i < D.body; ++i) {
            if (D.code[i].type == dtype::boolean) continue;
            int size = static_cast<int>(size_of(computed_in(D.code[i].type)));
            if (common && common != size) return 0;
            common = size;
        }
        return common;
    }();
    /// Lanes: the widest vector, or a narrower one that holds a short static axis.
    static constexpr int width = [] {
        if (bytes == 0) return 1;
        int w = bytes == 4 ? simd::native_width<float> : simd::native_width<double>;
        std::int64_t n = D.extents[inner];
        if (n == at_run_time) return w;
        if (n == 1) return 1;
        auto has = [](int lanes) {
            return bytes == 4 ? (lanes == 8 && simd::has_width<float, 8>) || (lanes == 4 && simd::has_width<float, 4>)
                              : (lanes == 4 && simd::has_width<double, 4>) || (lanes == 2 && simd::has_width<double, 2>);
        };
        while (w > 2 && n <= w / 2 && has(w / 2)) w /= 2;
        return w;
    }();
    static constexpr int unroll = target::unroll(D.body);
    static constexpr bool folds_all(loop_output const& o) { return o.axes == (1u << D.axis_count) - 1; }
    /// Folded over the innermost axis alone: one value per row, stored when the row ends.
    static constexpr bool folds_row(loop_output const& o) { return o.axes == 1u << inner && D.axis_count > 1; }
};

}  // namespace gradus::inline GRADUS_ARCH::kernel
