// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/target.hpp>
#include <gradus/exec/execute_loop.hpp>
#include <gradus/exec/operations.hpp>
#include <gradus/kernel/evaluated_loop.hpp>
#include <gradus/kernel/loop.hpp>
#include <gradus/kernel/scalar_block.hpp>

#include <array>
#include <utility>

// From a group of fused nodes to a call of the loop kernel.

namespace gradus::inline GRADUS_ARCH::core {

/// The description of one loop of a program, and what to bind it to.
template <class Source, int Group>
struct loop_code {
    using S = stages<Source>;
    using ops = operations_of<Source>;
    static constexpr loop_draft draft() {
        return describing<decltype(S::optimized), decltype(S::plan)>(S::optimized, S::plan, Group, op_ids<ops>.data(),
                                                                     static_cast<int>(op_ids<ops>.size()))
            .run();
    }
    struct sizes {
        int code, inputs, outputs, axes, sizes;
    };
    static constexpr sizes n = [] {
        loop_draft d = draft();
        return sizes{d.code.size(), d.inputs.size(), d.outputs.size(), d.extents.size(), d.sizes.size()};
    }();
    struct bound {
        kernel::loop_description<n.code, n.inputs, n.outputs, n.axes> description;
        input_binding in[n.inputs + 1];
        int out[n.outputs];
        std::int64_t out_offset[n.outputs];
        monomial extents[n.axes];
        monomial sizes[n.sizes + 1];
        monomial row;
    };
    /// Short static inner axes and small static loops are part of the code; everything else is an argument, so that
    /// loops that differ in size only are compiled once.
    static constexpr bound value = [] {
        loop_draft d = draft();
        bound b{};
        b.description.body = d.body;
        b.row = d.row;
        for (int i = 0; i < n.code; ++i) b.description.code[i] = d.code[i];
        for (int a = 0; a < n.axes; ++a) {
            bool is_short =
                a == n.axes - 1 && d.extents[a].is_static() && d.extents[a].c < target::fixed_row && !(a == 0 && S::plan.in_pieces(Group));
            b.extents[a] = d.extents[a];
            b.description.extents[a] = d.fixed || is_short ? d.extents[a].c : kernel::at_run_time;
        }
        b.description.short_rows = d.extents[n.axes - 1].is_static() && d.extents[n.axes - 1].c <= target::short_row;
        for (int j = 0; j < n.inputs; ++j) {
            b.in[j] = d.inputs[j];
            b.description.inputs[j].type = d.input_types[j];
            for (int a = 0; a < n.axes; ++a) {
                monomial stride = d.inputs[j].stride[a];
                bool plain = stride.c == 0 || (a == n.axes - 1 && stride == monomial{1, 0});
                b.description.inputs[j].stride[a] = d.fixed || plain ? stride.c : kernel::at_run_time;
                b.description.inputs[j].begin[a] = d.inputs[j].begin[a];
                b.description.inputs[j].end[a] = d.inputs[j].end[a];
            }
        }
        for (int o = 0; o < n.outputs; ++o) {
            b.description.outputs[o] = d.outputs[o];
            b.out[o] = d.output_nodes[o];
            b.out_offset[o] = d.output_offsets[o];
        }
        for (int s = 0; s < n.sizes; ++s) b.sizes[s] = d.sizes[s];
        return b;
    }();
    /// Of inputs, then of outputs.
    static constexpr auto places = [] {
        std::array<operand_place, static_cast<std::size_t>(n.inputs + n.outputs)> table{};
        for (int j = 0; j < n.inputs; ++j)
            table[static_cast<std::size_t>(j)] = {value.in[j].base, value.description.inputs[j].type, value.in[j].offset};
        for (int o = 0; o < n.outputs; ++o)
            table[static_cast<std::size_t>(n.inputs + o)] = {value.out[o], value.description.outputs[o].type,
                                                             monomial{value.out_offset[o], 0}};
        return table;
    }();
};

/// That of an output of a loop; outputs without one may be parts of one node, and are told apart by their number.
template <class Source, class Code, int O, bool Exists = kernel::fold_in_memory<Code::value.description, O>::exists>
using partial_sum_of = partial_sum<Source, Exists ? Code::value.out[O] : -1 - O, Exists>;
/// That of all outputs.
template <class Source, class Code, class Outputs = std::make_integer_sequence<int, Code::n.outputs>>
struct partial_sums;
template <class Source, class Code, int... O>
struct partial_sums<Source, Code, std::integer_sequence<int, O...>> : partial_sum_of<Source, Code, O>... {
    void* at[sizeof...(O)];
    [[gnu::always_inline]] explicit partial_sums(run_context const& c) : at{partial_sum_of<Source, Code, O>::memory(c)...} {}
};

/// A loop of a program and what it gets at run time.
template <class Source, int Group>
struct bound_loop {
    using code = loop_code<Source, Group>;
    using kernel_type = kernel::loop<code::value.description, typename code::ops>;
    static constexpr auto const& b = code::value;
    /// Extents, then the strides of each input.
    static constexpr int axes = code::n.axes, count = (code::n.inputs + 1) * axes;
    static constexpr auto layout = [] {
        std::array<monomial, static_cast<std::size_t>(count)> all{};
        for (int a = 0; a < axes; ++a) all[static_cast<std::size_t>(a)] = b.extents[a];
        for (int j = 0; j < code::n.inputs; ++j)
            for (int a = 0; a < axes; ++a) all[static_cast<std::size_t>((j + 1) * axes + a)] = b.in[j].stride[a];
        return all;
    }();
    static constexpr bool is_static = [] {
        for (monomial const& m : layout)
            if (!m.is_static()) return false;
        return true;
    }();
    static constexpr auto constants = [] {
        std::array<std::int64_t, static_cast<std::size_t>(count)> all{};
        for (std::size_t i = 0; i < all.size(); ++i) all[i] = layout[i].c;
        return all;
    }();
    void* at[code::n.inputs + code::n.outputs];  ///< inputs, then outputs
    std::int64_t found[is_static ? 1 : count];
    double sizes[code::n.sizes + 1];
    partial_sums<Source, code> partial;

    [[gnu::always_inline]] explicit bound_loop(run_context const& c) : partial(c) {
        if constexpr (binds_by_code<Source>) bind_here(c, std::make_integer_sequence<int, code::n.inputs + code::n.outputs>());
        else memory_map_of<Source>.addresses(code::places.data(), code::n.inputs + code::n.outputs, c, at);
        for (int s = 0; s < code::n.sizes; ++s) sizes[s] = static_cast<double>(b.sizes[s].at(c.dimensions));
        if constexpr (!is_static) find_values(found, layout.data(), count, c.dimensions);
    }
    template <int... I>
    [[gnu::always_inline]] void bind_here(run_context const& c, std::integer_sequence<int, I...>) {
        ((at[I] = elements<Source, code::places[I].node, element_t<code::places[I].type>, code::places[I].offset>(c)), ...);
    }
    [[gnu::always_inline]] kernel::loop_arguments arguments() const {
        std::int64_t const* const numbers = is_static ? constants.data() : found;
        return {at, at + code::n.inputs, numbers, numbers + axes, sizes, partial.at};
    }
};

/// A loop of one element: it has neither extents nor strides, and all that it reads exists.
template <class Source, int Group>
[[gnu::always_inline]] inline void run_scalars_here(run_context const& c) {
    using code = loop_code<Source, Group>;
    static constexpr auto const& b = code::value;
    void* at[code::n.inputs + code::n.outputs];
    double sizes[code::n.sizes + 1];
    [&]<int... I>(std::integer_sequence<int, I...>) __attribute__((always_inline)) {
        ((at[I] = address<Source, code::places[I].node>(c, code::places[I].offset.at(c.dimensions) * size_of(code::places[I].type))), ...);
    }(std::make_integer_sequence<int, code::n.inputs + code::n.outputs>{});
    for (int s = 0; s < code::n.sizes; ++s) sizes[s] = static_cast<double>(b.sizes[s].at(c.dimensions));
    kernel::scalar_block<code, typename code::ops>::run({at, at + code::n.inputs, nullptr, nullptr, sizes});
}
template <class Source, int Group>
GRADUS_FLATTEN void run_scalars(run_context const& c) {
    run_scalars_here<Source, Group>(c);
}

template <class Source, int Group>
inline void run_loop(run_context const& c) {
    if constexpr (interprets) {
        using code = loop_code<Source, Group>;
        static constexpr loop_binding binding{kernel::evaluated_loop<code::value.description, typename code::ops>::view,
                                              code::value.in,
                                              code::places.data(),
                                              code::value.extents,
                                              code::value.sizes,
                                              code::n.sizes};
        execute_loop<void>(binding, memory_map_of<Source>, c);
        return;
    } else if constexpr (kernel::is_scalar_block(loop_code<Source, Group>::value.description)) {
        if constexpr (is_tiny<Source>) run_scalars_here<Source, Group>(c);
        else run_scalars<Source, Group>(c);
    } else {
        using bound = bound_loop<Source, Group>;
        bound b(c);
        if constexpr (is_tiny<Source>) bound::kernel_type::run_here(b.arguments());
        else bound::kernel_type::run(b.arguments());
    }
}

/// A loop that runs a block of rows at a time.
template <class Source, int Group>
class loop_in_pieces {
    bound_loop<Source, Group> bound_;
    kernel::loop_arguments arguments_;
    typename bound_loop<Source, Group>::kernel_type loop_;
    std::int64_t row_;

public:
    explicit loop_in_pieces(run_context const& c)
        : bound_(c), arguments_(bound_.arguments()), loop_(arguments_), row_(number_at<bound_loop<Source, Group>::b.row>(c.dimensions)) {}
    loop_in_pieces(loop_in_pieces const&) = delete;
    void begin() { loop_.begin(); }
    void rows(std::int64_t first, std::int64_t count) { loop_.piece(first * row_, count * row_); }
    void end() { loop_.end(); }
};

}  // namespace gradus::inline GRADUS_ARCH::core
