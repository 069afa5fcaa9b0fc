// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/short_list.hpp>
#include <gradus/exec/control_bodies.hpp>
#include <gradus/exec/run.hpp>

#include <cstring>

// Loops over the program of a step, and the choice between two programs.

namespace gradus::inline GRADUS_ARCH::core {

/// A value of a program as data: where it is, its size and how far apart its rows are, in bytes. One function runs the loops of all
/// programs by such tables; it is the bodies alone that each of them adds to the code.
struct value_place {
    operand_place at;
    monomial row, bytes;
};
template <class Source>
constexpr value_place place_of(int id) {
    auto const& g = stages<Source>::optimized;
    if (id < 0) return {};
    dimension_table dimensions = stages<Source>::plan.dimensions;
    access const a = resolve(g, id, dimensions);
    monomial const element{size_of(g[id].type), 0};
    return {{a.base, g[id].type, a.offset}, a.stride[0] * element, dimensions.size(g[id].shape) * element};
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
    value_place last, states;
    int result = -1;  ///< of the step
};
/// An output of the body: rows of a stack, a sum.
struct given_out {
    value_place stack, sum;
    int result = -1, total = -1;  ///< of the step, its symbol
};
template <int Operands, int Carries, int Others>
struct loop_tables {
    value_place operand[Operands + 1];
    bool walked[Operands + 1]{};
    carried_value carried[Carries + 1];
    given_out given[Others + 1];
};
template <class Source, int Node>
inline constexpr auto loop_tables_of = [] {
    using facts = control_facts<Source, Node>;
    constexpr auto const& to = facts::layout;
    loop_tables<facts::count, facts::carries, facts::outputs - facts::carries> made;
    for (int k = 0; k < facts::count; ++k) {
        made.operand[k] = place_of<Source>(facts::operands[static_cast<std::size_t>(k)]);
        made.walked[k] = is_walked(facts::g[Node], k);
    }
    for (int k = 0; k < facts::carries; ++k) made.carried[k] = {place_of<Source>(to.last[k]), place_of<Source>(to.states[k]), to.result[k]};
    for (int k = facts::carries; k < facts::outputs; ++k)
        made.given[k - facts::carries] = {place_of<Source>(facts::is_scan ? to.stack[k] : to.last[k]), place_of<Source>(to.sum[k]),
                                          to.result[k], to.total[k]};
    return made;
}();

/// A loop for the function that runs it.
struct loop_to_run {
    value_place const* operand;
    bool const* walked;
    int operands;
    carried_value const* carried;
    int carries;
    given_out const* given;
    int others, symbols, results;
    std::int64_t steps;
    bool reversed, keeps_no_step;
    op::loop_end end;
    dtype residual;
    memory_map const* memory;
    void (*step)(run_context const&);

    template <class Source, int Node>
    static loop_to_run of(std::int64_t const* dimensions) {
        using facts = control_facts<Source, Node>;
        using step = body_source<Source, Node>;
        static constexpr auto const& tables = loop_tables_of<Source, Node>;
        constexpr int symbols = stages<step>::optimized.symbol_count;
        constexpr dtype residual = stages<Source>::optimized[facts::operands[facts::carries > 1]].type;
        return {tables.operand,
                tables.walked,
                facts::count,
                tables.carried,
                facts::carries,
                tables.given,
                facts::outputs - facts::carries,
                symbols > facts::count ? symbols : facts::count,
                stages<step>::plan.returned,
                facts::steps.at(dimensions),
                facts::reversed,
                facts::keeps_no_step,
                facts::end,
                residual,
                &memory_map_of<Source>,
                &run_program<step>};
    }
};

/// What a loop's values are in one call.
struct bound_carry {
    std::byte *last, *states, *scratch;
    std::int64_t bytes;
};
struct bound_output {
    std::byte* stack;
    std::int64_t bytes;
};

/// Runs a loop. `inner` is what its step is called with, but for symbols and outputs; carries change places in `scratch`.
template <class Asked>
[[gnu::noinline]] void run_steps(loop_to_run const& loop, run_context const& c, run_context inner, std::byte* scratch) {
    short_list<void*, 16> symbols(loop.symbols + 1, nullptr), outputs(loop.results + 1, nullptr);
    short_list<std::byte*, 16> operand(loop.operands);
    short_list<std::int64_t, 16> row(loop.operands);
    short_list<bound_carry, 8> carry(loop.carries);
    short_list<bound_output, 8> out(loop.others);
    auto const copy = [](std::byte* to, void const* from, std::int64_t bytes) { std::memcpy(to, from, static_cast<std::size_t>(bytes)); };
    std::int64_t const steps = loop.steps, first = loop.reversed ? steps - 1 : 0, forward = loop.reversed ? -1 : 1;
    auto const address = [&](value_place const& p) { return loop.memory->address(p.at, c); };
    inner.symbols = symbols.begin();
    inner.outputs = outputs.begin();

    for (int k = 0; k < loop.operands; ++k) {
        symbols[k] = operand[k] = address(loop.operand[k]);
        row[k] = loop.operand[k].row.at(c.dimensions);
    }
    for (int k = 0; k < loop.carries; ++k) {
        carried_value const& planned = loop.carried[k];
        std::int64_t const bytes = loop.operand[k].bytes.at(c.dimensions);
        carry[k] = {address(planned.last), address(planned.states), scratch, bytes};
        if (planned.result >= 0) scratch += 2 * whole_lines(bytes);
        if (carry[k].states && steps) copy(carry[k].states + first * bytes, operand[k], bytes);
        if (carry[k].last && !steps) copy(carry[k].last, operand[k], bytes);
    }
    for (int k = 0; k < loop.others; ++k) {
        given_out const& planned = loop.given[k];
        out[k] = {address(planned.stack), steps ? planned.stack.bytes.at(c.dimensions) / steps : 0};
        if (planned.total < 0) continue;
        symbols[planned.total] = address(planned.sum);
        if (symbols[planned.total]) std::memset(symbols[planned.total], 0, static_cast<std::size_t>(planned.sum.bytes.at(c.dimensions)));
    }
    auto const finished = [&] {
        return loop.end != op::loop_end::steps && !goes_on(static_cast<std::byte const*>(symbols[0]), carry[0].bytes);
    };
    for (std::int64_t i = 0, at = first; i < steps; ++i, at += forward) {
        if (loop.keeps_no_step && finished()) {
            for (int k = 0; k < loop.carries; ++k)
                if (carry[k].last) copy(carry[k].last, symbols[k], carry[k].bytes);
            return;
        }
        bool const is_last = i + 1 == steps;
        for (int k = 0; k < loop.operands; ++k)
            if (loop.walked[k]) symbols[k] = operand[k] + at * row[k];
        for (int k = 0; k < loop.carries; ++k) {
            if (loop.carried[k].result < 0) continue;
            std::byte* to = carry[k].scratch + (i % 2) * whole_lines(carry[k].bytes);
            if (is_last && carry[k].last) to = carry[k].last;
            else if (!is_last && carry[k].states) to = carry[k].states + (at + forward) * carry[k].bytes;
            outputs[loop.carried[k].result] = to;
        }
        for (int k = 0; k < loop.others; ++k)
            if (loop.given[k].result >= 0) outputs[loop.given[k].result] = out[k].stack + at * out[k].bytes;
        loop.step(inner);
        for (int k = 0; k < loop.carries; ++k)
            if (loop.carried[k].result >= 0) symbols[k] = outputs[loop.carried[k].result];
    }
    if (loop.end == op::loop_end::steps || finished()) return;
    double residual = 0;
    with_dtype(loop.residual, [&]<class T>(T) {
        if (loop.end != op::loop_end::condition) residual = static_cast<double>(*static_cast<T const*>(symbols[1]));
    });
    refuse_loop(loop.end, steps, residual);
}

/// What a body is called with, but for symbols and outputs.
template <class Source>
run_context context_of_body(run_context const& c, inner_dimensions const& dimensions) {
    return {nullptr, nullptr, c.arena + offset_of<Source, scratch_number<Source>>(c), dimensions.of};
}
template <class Source, int Node>
[[gnu::noinline]] void run_scan(run_context const& c) {
    using step = body_source<Source, Node>;
    inner_dimensions const dimensions(inner_numbers<Source, step>, stages<step>::plan.dimensions, c.dimensions);
    run_context const inner = context_of_body<Source>(c, dimensions);
    run_steps<void>(loop_to_run::of<Source, Node>(c.dimensions), c, inner,
                    inner.arena + whole_lines(stages<step>::plan.workspace_bytes(dimensions.of)));
}

template <class Source, int Node, int Which>
[[gnu::noinline]] void run_branch(run_context const& c, void* const* symbols, void* const* outputs) {
    using branch = body_source<Source, Node, Which>;
    inner_dimensions const dimensions(inner_numbers<Source, branch>, stages<branch>::plan.dimensions, c.dimensions);
    run_context inner = context_of_body<Source>(c, dimensions);
    inner.symbols = symbols;
    inner.outputs = outputs;
    run_program<branch>(inner);
}
template <class Source, int Node>
[[gnu::noinline]] void run_cond(run_context const& c) {
    using facts = control_facts<Source, Node>;
    static constexpr auto const& tables = loop_tables_of<Source, Node>;
    void *symbols[facts::count + 1] = {}, *outputs[facts::outputs + 1] = {};
    static constexpr memory_map const& memory = memory_map_of<Source>;
    for (int k = 0; k < facts::count; ++k) symbols[k] = memory.address(tables.operand[k].at, c);
    for (int k = 0; k < facts::outputs; ++k)
        if (tables.given[k].result >= 0) outputs[tables.given[k].result] = memory.address(tables.given[k].stack.at, c);
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
