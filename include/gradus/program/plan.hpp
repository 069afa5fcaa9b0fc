// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/graph/check.hpp>
#include <gradus/graph/control.hpp>
#include <gradus/graph/frozen.hpp>
#include <gradus/graph/lower.hpp>
#include <gradus/kernel/contract/blocking.hpp>
#include <gradus/op/list.hpp>
#include <gradus/pass/pipeline.hpp>

// g++ takes names in an instantiated lambda for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

namespace gradus {

/// One group of a finished program.
struct planned_group {
    kernel_kind kind = kernel_kind::loop;
    int number = -1;
    int node = -1;      ///< the one node of a group that is no loop
    shape domain{};
    row_part part = row_part::none;
};
/// One kernel of a finished program, in the order of execution.
struct planned_kernel {
    int first = 0, groups = 0;  ///< its groups, in the plan's order
    int after = 0;              ///< and those that run when the rows are done
    walk_kind walk = walk_kind::whole;
    std::int64_t block = 0;     ///< rows
};

/// The scratch memory of scans and conds where there are none; control/bodies.hpp has it for others.
struct no_control {
    static constexpr bool is_static = true;
    static constexpr std::int64_t bytes(std::int64_t const*) { return 0; }
};

namespace core {
/// Bytes, up to the end of a cache line.
constexpr std::int64_t whole_lines(std::int64_t bytes) { return (bytes + 63) / 64 * 64; }
}  // namespace core

/// A product that may want memory to pack its operands into.
struct planned_product {
    bool is_double = false;
    monomial m, n, k, a_row, a_column, b_row, b_column;  ///< extents and strides

    constexpr bool is_static() const { return !(m.powers | n.powers | k.powers | a_row.powers | a_column.powers | b_row.powers | b_column.powers); }
    constexpr std::int64_t scratch_bytes(std::int64_t const* sizes) const {
        kernel::matrix_layout const a{a_row.at(sizes), a_column.at(sizes)}, b{b_row.at(sizes), b_column.at(sizes)};
        kernel::contract_extents const e{m.at(sizes), n.at(sizes), k.at(sizes)};
        return is_double ? 8 * kernel::contract_scratch<double>(a, b, e) : 4 * kernel::contract_scratch<float>(a, b, e);
    }
};

/// Everything that running a graph needs to know, as a constant.
template <int Nodes, class Control = no_control>
struct program_plan {
    using control = Control;
    int group_of[Nodes + 1]{}, kernel_of[Nodes + 1]{}, base[Nodes + 1]{};
    char inlined[Nodes + 1]{}, epilogue[Nodes + 1]{};
    buffer buffers[Nodes + 1]{};
    planned_group groups[Nodes + 1]{};
    int group_count = 0;
    planned_kernel kernels[Nodes + 1]{};
    int kernel_count = 0;
    arena_section sections[Nodes + 1]{};
    int section_count = 0;
    planned_product products[Nodes + 1]{};
    int product_count = 0;
    int copied_back[Nodes + 1]{};
    int copied_back_count = 0;
    int returned = 0;
    dimension_table dimensions{};

    constexpr planned_group const& group(int number) const {
        int at = 0;
        while (groups[at].number != number) ++at;
        return groups[at];
    }
    constexpr planned_group const& first_group(int kernel) const { return groups[kernels[kernel].first]; }
    /// Is a group computed piece by piece?
    constexpr bool in_pieces(int number) const {
        planned_group const& g = group(number);
        return g.part != row_part::after && kernels[kernel_of[g.node]].walk != walk_kind::whole;
    }
    /// Bytes of one section of the arena, rounded up to whole cache lines so that the next one is aligned.
    constexpr std::int64_t section_bytes(int s, std::int64_t const* sizes) const {
        std::int64_t bytes = monomial{sections[s].peak, sections[s].powers}.at(sizes);
        return s + 1 < section_count ? core::whole_lines(bytes) : bytes;
    }
    /// Where a buffer of the arena begins, in bytes.
    constexpr std::int64_t offset_of(buffer const& b, std::int64_t const* sizes) const {
        std::int64_t offset = monomial{b.offset, sections[b.index].powers}.at(sizes);
        for (int s = 0; s < b.index; ++s) offset += section_bytes(s, sizes);
        return offset;
    }
    constexpr std::int64_t arena_bytes(std::int64_t const* sizes) const {
        std::int64_t bytes = 0;
        for (int s = 0; s < section_count; ++s) bytes += section_bytes(s, sizes);
        return bytes;
    }
    /// Behind the arena: memory that one kernel after the other may use.
    constexpr std::int64_t scratch_offset(std::int64_t const* sizes) const { return core::whole_lines(arena_bytes(sizes)); }
    /// What the product that packs most wants of it, for each thread.
    constexpr std::int64_t product_bytes(std::int64_t const* sizes) const {
        std::int64_t most = 0;
        for (int p = 0; p < product_count; ++p) most = std::max(most, products[p].scratch_bytes(sizes));
        return core::whole_lines(most);
    }
    constexpr std::int64_t workspace_bytes(std::int64_t const* sizes, int threads = 1) const {
        std::int64_t const more = std::max(threads * product_bytes(sizes), Control::bytes(sizes));
        return more ? scratch_offset(sizes) + more : arena_bytes(sizes);
    }
};

namespace core {

/// Named dimensions in the order of first use; those of bodies last.
constexpr void collect_dimensions(dimension_table& dimensions, graph const& g) {
    for (int i = 0; i < g.size(); ++i) dimensions.size(g[i].shape);
    for (int b = 0; b < g.bodies.size(); ++b) collect_dimensions(dimensions, g.bodies[b]);
}
template <class Source>
struct control_memory;

/// The axis that has a matrix's rows; that of its columns is the other of the last two.
constexpr int row_axis(int rank, bool transposed) { return transposed ? rank - 1 : rank - 2; }

constexpr planned_product plan_product(graph const& g, int id, dimension_table& dimensions) {
    node const& n = g[id];
    auto operand = [&](int i, monomial& row, monomial& column) {
        shape const& s = g[n.in[i]].shape;
        access const a = resolve(g, n.in[i], dimensions);
        row = a.stride[row_axis(s.rank(), n.attr.n[i] != 0)];
        column = a.stride[row_axis(s.rank(), n.attr.n[i] == 0)];
    };
    int const lead = n.shape.rank() - 2;
    planned_product p{n.type == dtype::float64, dimensions.of(n.shape[lead]), dimensions.of(n.shape[lead + 1]), dimensions.of(op::matmul::side(g[n.in[0]].shape, n.attr.n[0], 1)), {}, {}, {}, {}};
    operand(0, p.a_row, p.a_column);
    operand(1, p.b_row, p.b_column);
    return p;
}

template <int Nodes, class Control = no_control>
constexpr program_plan<Nodes, Control> make_plan(graph const& g) {
    program_plan<Nodes, Control> plan;
    collect_dimensions(plan.dimensions, g);
    fusion f = pass::chain(g, pass::fuse(g));
    schedule_result s = pass::schedule(g, f);
    memory_plan memory = pass::plan_memory(g, f, s, plan.dimensions);
    for (int i = 0; i < g.size(); ++i) {
        plan.group_of[i] = f.group_of[i];
        plan.kernel_of[i] = -1;
        plan.base[i] = f.base[i];
        plan.inlined[i] = f.inlined[i];
        plan.epilogue[i] = f.epilogue[i];
        plan.buffers[i] = memory.buffers[i];
    }
    for (int k : s.order) {
        fused_kernel const& kernel = f.kernels[k];
        for (int m : kernel.members) plan.kernel_of[m] = plan.kernel_count;
        planned_kernel& made = plan.kernels[plan.kernel_count++] = {plan.group_count, 0, 0, kernel.walk, kernel.block};
        for (int number : kernel.groups) {
            kernel_group const& group = f.groups[number];
            ++(group.part == row_part::after ? made.after : made.groups);
            plan.groups[plan.group_count++] = {group.kind, number, group.members[0], group.domain, group.part};
            if (group.kind != kernel_kind::contraction || is_small(group.domain[group.domain.rank() - 2], group.domain[group.domain.rank() - 1], inner_extent(g, group.members[0]))) continue;
            planned_product const p = plan_product(g, group.members[0], plan.dimensions);
            if (!p.is_static() || p.scratch_bytes(nullptr) > 0) plan.products[plan.product_count++] = p;
        }
    }
    for (arena_section const& section : memory.sections) plan.sections[plan.section_count++] = section;
    for (int o : memory.copied_back) plan.copied_back[plan.copied_back_count++] = o;
    for (output_entry const& o : g.outputs) plan.returned += o.updates < 0;
    return plan;
}

}  // namespace core

namespace core {

/// A graph that obeys its operations' rules; stops the compiler if it does not.
constexpr graph checked(graph g) {
    if (!check(g).empty()) throw std::logic_error("gradus: a pass made a graph that breaks its operations' rules; please report this");
    return g;
}
template <class Source>
inline constexpr auto written_graph = freeze<[] { return Source::lower(); }, 64>();
template <class Source>
inline constexpr auto differentiated_graph = freeze<[] { return pass::differentiation(written_graph<Source>.thaw()); }, 3 * written_graph<Source>.node_count + 64>();

/// What a source has to go through; later stages leave the earlier ones out.
enum class written_as {
    expressions,  ///< grad and jvp are nodes
    operations,   ///< there is no grad and no jvp; with `is_differentiated_later`, stop_gradient stays
    simple        ///< nor anything to simplify
};
template <class Source>
inline constexpr written_as source_form = [] {
    if constexpr (requires { Source::form; }) return Source::form;
    else return written_as::expressions;
}();
template <class Source>
constexpr graph simplified_source() {
    if constexpr (source_form<Source> == written_as::simple) return Source::lower();
    else if constexpr (source_form<Source> == written_as::operations) return checked((requires { requires Source::is_differentiated_later; } ? pass::simplify_differentiable : pass::simplify)(Source::lower()));
    else return pass::simplify(differentiated_graph<Source>.thaw());
}
template <class Source>
inline constexpr auto simplified_graph = freeze<[] { return simplified_source<Source>(); }, [] {
    if constexpr (source_form<Source> == written_as::expressions) return differentiated_graph<Source>.node_count + 16;
    else return 48;
}()>();
/// Sources that are small enough (`in_one_step`) are compiled in one evaluation.
template <class Source>
inline constexpr auto optimized_graph = [] {
    if constexpr (requires { requires Source::in_one_step; }) return freeze<[] { return checked(pass::finish(simplified_source<Source>())); }, 48>();
    else return freeze<[] { return pass::finish(simplified_graph<Source>.thaw()); }, simplified_graph<Source>.node_count + 32>();
}();

}  // namespace core

namespace core {
template <class Source>
constexpr auto plan_of() {
    constexpr auto const& g = optimized_graph<Source>;
    return make_plan<g.capacity, std::conditional_t<(g.body_count > 0), control_memory<Source>, no_control>>(g.thaw());
}
}  // namespace core

/// The stages of compilation of one program: `Source::lower()` says what to compile. Each is a constant of its own, so that
/// no evaluation comes near the limit that clang sets (2^20 steps). Every graph is checked against the operations' rules.
template <class Source>
struct stages {
    /// as written: grad and jvp are nodes
    static constexpr auto const& written = core::written_graph<Source>;
    /// derivatives expanded
    static constexpr auto const& differentiated = core::differentiated_graph<Source>;
    static constexpr auto const& simplified = core::simplified_graph<Source>;
    /// ready to run
    static constexpr auto const& optimized = core::optimized_graph<Source>;
    static constexpr auto plan = core::plan_of<Source>();

    static_assert(check(differentiated.thaw()).empty(), "gradus: differentiation made a graph that breaks its operations' rules; please report this");
    static_assert(check(simplified.thaw()).empty(), "gradus: simplification made a graph that breaks its operations' rules; please report this");
    static_assert(check(optimized.thaw()).empty(), "gradus: a pass made a graph that breaks its operations' rules; please report this");
};
/// Compilers evaluate all members of a class that they meet: what leaves stages out has none of them.
template <class Source>
    requires(core::source_form<Source> != core::written_as::expressions)
struct stages<Source> {
    static constexpr auto const& optimized = core::optimized_graph<Source>;
    static constexpr auto plan = core::plan_of<Source>();
};

/// A source of programs: expressions and updates.
template <class... E>
struct expressions {
    using parts = expressions;
    static constexpr graph lower() { return core::lower<E...>(); }
};

namespace core {

/// Bytes of scratch memory, -1 where they depend on a named dimension.
template <class Source>
constexpr std::int64_t static_workspace() {
    constexpr auto const& plan = stages<Source>::plan;
    for (int s = 0; s < plan.section_count; ++s)
        if (plan.sections[s].powers) return -1;
    for (int p = 0; p < plan.product_count; ++p)
        if (!plan.products[p].is_static()) return -1;
    if constexpr (!std::remove_cvref_t<decltype(plan)>::control::is_static) return -1;
    else return plan.workspace_bytes(nullptr);
}

/// Names a derivative by a value that a branch captures: the branch computes it again, where no derivative reaches it.
constexpr text captured_complaint(graph const& g) {
    for (int i = 0; i < g.size(); ++i) {
        if (!(g[i].is<op::grad>() || g[i].is<op::jvp>()) || g[g[i].in[1]].is<op::symbol>()) continue;
        for (int c = 0; c < g.size(); ++c)
            if (is_control(g[c]) && rules_of(g[c]).recomputes(g, g[c], g[i].in[1]))
                return concat("gradus::", g[i].op->name, "(f, x): a branch of gr::cond captures x, a ", g[g[i].in[1]].op->name, " of type ", g[g[i].in[1]].result(), ": hand it to gr::cond as an operand, gr::cond(p, a, b, x)");
    }
    return {};
}
/// Names a symbol that stands for two types in one graph, or is updated twice; empty where there is none.
template <class Source>
constexpr text symbols_complaint() {
    if (stages<Source>::written.body_count > 0)
        if (text captured = captured_complaint(stages<Source>::written.thaw()); !captured.empty()) return captured;
    constexpr auto const& g = stages<Source>::differentiated;
    auto two_types = [](symbol_entry const& s, tensor_type const& other) { return concat("gradus::compile: symbol \"", s.name, "\" has two types: ", s.type, " and ", other); };
    for (int i = 0; i < g.size(); ++i) {
        if (!g[i].template is<op::symbol>()) continue;
        symbol_entry const& s = g.symbols[g[i].attr.n[0]];
        if (!(s.type == g[i].result())) return two_types(s, g[i].result());
    }
    for (int o = 0; o < g.output_count; ++o) {
        int symbol = g.outputs[o].updates;
        if (symbol < 0) continue;
        if (!(g.symbols[symbol].type == g[g.outputs[o].node].result())) return two_types(g.symbols[symbol], g[g.outputs[o].node].result());
        for (int other = 0; other < o; ++other)
            if (g.outputs[other].updates == symbol) return concat("gradus::compile: symbol \"", g.symbols[symbol].name, "\" is updated twice");
    }
    return {};
}

}  // namespace core

}  // namespace gradus

#pragma GCC diagnostic pop
