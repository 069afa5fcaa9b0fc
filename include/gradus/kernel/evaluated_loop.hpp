// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/kernel/loop_view.hpp>
#include <gradus/kernel/registers.hpp>

namespace gradus::inline GRADUS_ARCH::kernel {

/// A description as tables for the interpreter.
template <auto Description, class Ops>
struct evaluated_loop {
    static constexpr auto D = Description;
    static constexpr int axes = D.axis_count, count = D.instruction_count;

    struct tables {
        block_function functions[count]{};
        dtype input_types[D.input_count + 1]{};
        std::int64_t begin[(D.input_count + 1) * axes]{}, end[(D.input_count + 1) * axes]{};
    };
    template <int I>
    static constexpr block_function function_of() {
        constexpr instruction i = D.code[I];
        if constexpr (i.op < 0) return nullptr;
        else {
            constexpr dtype works_on = i.type == dtype::boolean && i.a >= 0 ? D.code[i.a].type : i.type;
            return block_function_of<typename op_at<Ops, i.op>::type, works_on>();
        }
    }
    static constexpr tables table = []<int... I>(std::integer_sequence<int, I...>) {
        tables made{{function_of<I>()...}, {}, {}, {}};
        for (int j = 0; j < D.input_count; ++j) {
            made.input_types[j] = D.inputs[j].type;
            for (int a = 0; a < axes; ++a) {
                made.begin[j * axes + a] = D.inputs[j].begin[a];
                made.end[j * axes + a] = D.inputs[j].end[a];
            }
        }
        return made;
    }(std::make_integer_sequence<int, count>{});
    static constexpr auto description = Description;  // an object of its own, for pointers
    static constexpr loop_view view{
        description.code, table.functions,     nullptr,       count,          D.body, table.input_types, table.begin,
        table.end,        description.outputs, D.input_count, D.output_count, axes};
};

}  // namespace gradus::inline GRADUS_ARCH::kernel
