// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/exec/control_bodies.hpp>
#include <gradus/exec/run.hpp>

#include <cstring>

// Loops over the program of a step, and the choice between two programs.

namespace gradus::inline GRADUS_ARCH::core {

/// Memory of an operand, and how far apart its rows are in bytes.
template <class Source, int Id>
std::byte* operand_memory(run_context const& c, std::int64_t& row) {
    constexpr access a = [] {
        dimension_table dimensions = stages<Source>::plan.dimensions;
        return resolve(stages<Source>::optimized, Id, dimensions);
    }();
    constexpr std::int64_t size = size_of(stages<Source>::optimized[Id].type);
    row = a.stride[0].at(c.dimensions) * size;
    return static_cast<std::byte*>(address<Source, a.base>(c)) + a.offset.at(c.dimensions) * size;
}
template <class Source, int Id>
std::byte* result_address(run_context const& c) {
    if constexpr (Id < 0) return nullptr;
    else return static_cast<std::byte*>(address<Source, Id>(c));
}

/// A loop has made its last step and its condition holds. `residual` is what had to become small, as a double.
[[noreturn, gnu::cold]] inline void refuse_loop(op::loop_end end, std::int64_t steps, double residual) {
    if (end == op::loop_end::fixed_point)
        throw error(concat("gradus::fixed_point(body, init, tolerance): no convergence in ", steps,
                           " steps: the last one changed the value by ", residual)
                        .str());
    if (end == op::loop_end::root)
        throw error(concat("gradus::root(f, init, tolerance): no convergence in ", steps, " steps: the last residual is ", residual).str());
    throw error(concat("gradus::while_loop<", steps, ">(condition, body, init): the condition still holds after ", steps, " steps").str());
}
/// Does any instance of a loop go on?
inline bool goes_on(std::byte const* conditions, std::int64_t bytes) {
    bool any = false;
    for (std::int64_t i = 0; i < bytes; ++i) any = any || conditions[i] != std::byte{};
    return any;
}

/// A value that a step takes over from the step before.
struct carried_value {
    std::byte *last, *states, *scratch;
    std::int64_t bytes;
    int result;
};
/// An output of the body: rows of a stack, a sum.
struct given_out {
    std::byte *stack, *sum;
    std::int64_t bytes;
    int result, total;
};

template <class Source, int Node>
[[gnu::noinline]] void run_scan(run_context const& c) {
    using facts = control_facts<Source, Node>;
    using step = body_source<Source, Node>;
    constexpr int carries = facts::carries, others = facts::outputs - carries;
    inner_dimensions<Source, step> const dimensions(c.dimensions);
    std::byte* const arena = c.arena + offset_of<Source, scratch_number<Source>>(c);
    std::byte* scratch = arena + inner_workspace<Source, step>(c.dimensions);
    void *symbols[stages<step>::optimized.symbol_count + 1] = {}, *outputs[stages<step>::plan.returned + 1] = {};
    std::byte* operand[facts::count];
    std::int64_t row[facts::count];
    carried_value carry[carries + 1];
    given_out out[others + 1];

    [&]<int... K>(std::integer_sequence<int, K...>) {
        ((operand[K] = operand_memory<Source, facts::operands[K]>(c, row[K])), ...);
    }(std::make_integer_sequence<int, facts::count>{});
    auto bind_carry = [&]<int K>(std::integral_constant<int, K>) {
        carry[K] = {result_address<Source, facts::layout.last[K]>(c), result_address<Source, facts::layout.states[K]>(c), scratch,
                    bytes_of<Source, facts::operands[K]>(c.dimensions), facts::layout.result[K]};
        if (facts::layout.result[K] >= 0) scratch += 2 * whole_lines(carry[K].bytes);
    };
    auto bind_output = [&]<int K>(std::integral_constant<int, K>) {
        constexpr auto const& to = facts::layout;
        out[K - carries] = {result_address<Source, to.stack[K]>(c), result_address<Source, to.sum[K]>(c), 0, to.result[K], to.total[K]};
        if constexpr (to.sum[K] >= 0) {
            symbols[to.total[K]] = out[K - carries].sum;
            std::memset(out[K - carries].sum, 0, static_cast<std::size_t>(bytes_of<Source, to.sum[K]>(c.dimensions)));
        }
    };
    std::int64_t const steps = facts::steps.at(c.dimensions);
    [&]<int... K>(std::integer_sequence<int, K...>) {
        (bind_carry(std::integral_constant<int, K>{}), ...);
    }(std::make_integer_sequence<int, carries>{});
    [&]<int... K>(std::integer_sequence<int, K...>) {
        (bind_output(std::integral_constant<int, carries + K>{}), ...);
        ((facts::layout.stack[carries + K] >= 0 && steps
              ? void(out[K].bytes =
                         bytes_of<Source, facts::layout.stack[carries + K] >= 0 ? facts::layout.stack[carries + K] : 0>(c.dimensions) /
                         steps)
              : void()),
         ...);
    }(std::make_integer_sequence<int, others>{});

    std::int64_t const first = facts::reversed ? steps - 1 : 0, forward = facts::reversed ? -1 : 1;
    for (int k = 0; k < facts::count; ++k) symbols[k] = operand[k];
    for (int k = 0; k < carries; ++k) {
        if (carry[k].states && steps)
            std::memcpy(carry[k].states + first * carry[k].bytes, operand[k], static_cast<std::size_t>(carry[k].bytes));
        if (carry[k].last && !steps) std::memcpy(carry[k].last, operand[k], static_cast<std::size_t>(carry[k].bytes));
    }
    auto const finished = [&] {
        return facts::end != op::loop_end::steps && !goes_on(static_cast<std::byte const*>(symbols[0]), carry[0].bytes);
    };
    for (std::int64_t i = 0, at = first; i < steps; ++i, at += forward) {
        if (facts::keeps_no_step && finished()) {
            for (int k = 0; k < carries; ++k)
                if (carry[k].last) std::memcpy(carry[k].last, symbols[k], static_cast<std::size_t>(carry[k].bytes));
            return;
        }
        bool const is_last = i + 1 == steps;
        for (int k = 0; k < facts::count; ++k)
            if (facts::walks(k)) symbols[k] = operand[k] + at * row[k];
        for (int k = 0; k < carries; ++k) {
            if (carry[k].result < 0) continue;
            std::byte* to = carry[k].scratch + (i % 2) * whole_lines(carry[k].bytes);
            if (is_last && carry[k].last) to = carry[k].last;
            else if (!is_last && carry[k].states) to = carry[k].states + (at + forward) * carry[k].bytes;
            outputs[carry[k].result] = to;
        }
        for (int k = 0; k < others; ++k)
            if (out[k].result >= 0) outputs[out[k].result] = out[k].stack + at * out[k].bytes;
        run_program<step>({symbols, outputs, arena, dimensions.of});
        for (int k = 0; k < carries; ++k)
            if (carry[k].result >= 0) symbols[k] = outputs[carry[k].result];
    }
    if (facts::end != op::loop_end::steps && !finished()) {
        double residual = 0;
        if constexpr (facts::end != op::loop_end::steps && carries > 1) {
            using R = element_t<stages<Source>::optimized[facts::operands[1]].type>;
            residual = static_cast<double>(*static_cast<R const*>(symbols[1]));
        }
        refuse_loop(facts::end, steps, residual);
    }
}

template <class Source, int Node, int Which>
[[gnu::noinline]] void run_branch(run_context const& c, void* const* symbols, void* const* outputs) {
    using branch = body_source<Source, Node, Which>;
    inner_dimensions<Source, branch> const dimensions(c.dimensions);
    run_program<branch>({symbols, outputs, c.arena + offset_of<Source, scratch_number<Source>>(c), dimensions.of});
}
template <class Source, int Node>
[[gnu::noinline]] void run_cond(run_context const& c) {
    using facts = control_facts<Source, Node>;
    void *symbols[facts::count + 1] = {}, *outputs[facts::outputs + 1] = {};
    std::int64_t row = 0;
    [&]<int... K>(std::integer_sequence<int, K...>) {
        ((symbols[K] = operand_memory<Source, facts::operands[K]>(c, row)), ...);
    }(std::make_integer_sequence<int, facts::count>{});
    [&]<int... K>(std::integer_sequence<int, K...>) {
        ((facts::layout.result[K] >= 0 ? void(outputs[facts::layout.result[K]] = result_address<Source, facts::layout.last[K]>(c))
                                       : void()),
         ...);
    }(std::make_integer_sequence<int, facts::outputs>{});
    using P = element_t<stages<Source>::optimized[facts::operands[0]].type>;
    if (*static_cast<P const*>(symbols[0]) != P{}) run_branch<Source, Node, 0>(c, symbols, outputs);
    else run_branch<Source, Node, 1>(c, symbols, outputs);
}

template <class Source, int Node>
void run_control(run_context const& c) {
    if constexpr (control_facts<Source, Node>::is_scan) run_scan<Source, Node>(c);
    else run_cond<Source, Node>(c);
}

}  // namespace gradus::inline GRADUS_ARCH::core
