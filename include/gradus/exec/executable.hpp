// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/aligned.hpp>
#include <gradus/core/array_view.hpp>
#include <gradus/exec/demand.hpp>
#include <gradus/exec/execute_loop.hpp>
#include <gradus/exec/operand.hpp>
#include <gradus/kernel/block_table.hpp>
#include <gradus/kernel/contract.hpp>
#include <gradus/kernel/move.hpp>
#include <gradus/transform/pipeline.hpp>

// Programs whose plan is made at run time: the same passes and the same plan, executed by one function. Loops run by the interpreter,
// products, movements and the rest by the kernels of their element types.

namespace gradus::inline GRADUS_ARCH::core {

/// A loop of a program that was made at run time, with the tables that the interpreter reads.
struct executable_loop {
    loop_draft draft;
    list<kernel::block_function> functions;
    list<double (*)(double const*)> formulas;  ///< per operation
    list<std::int64_t> begin, end;
    list<kernel::block_chain> chains;
    list<kernel::chain_step> steps;
    list<operand_place> places;  ///< of inputs, then of outputs

    loop_binding binding() const {
        kernel::loop_view const view{draft.code.begin(),
                                     functions.begin(),
                                     formulas.begin(),
                                     draft.code.size(),
                                     draft.body,
                                     draft.input_types.begin(),
                                     begin.begin(),
                                     end.begin(),
                                     draft.outputs.begin(),
                                     draft.inputs.size(),
                                     draft.outputs.size(),
                                     draft.extents.size(),
                                     chains.empty() ? nullptr : chains.begin(),
                                     steps.begin()};
        return {view, draft.inputs.begin(), places.begin(), draft.extents.begin(), draft.sizes.begin(), draft.sizes.size()};
    }
};

/// How a node's value is read: looked up when the program is made, for all its calls.
struct planned_operand {
    access at;
    dtype type = dtype::number;
    int rank = 0;
    monomials extents;

    static planned_operand of(graph const& g, int id, dimension_table& dimensions) {
        planned_operand made{resolve(g, id, dimensions), g[id].type, g[id].shape.rank(), {}};
        for (int i = 0; i < made.rank; ++i) made.extents.of[i] = dimensions.of(g[id].shape[i]);
        return made;
    }
    strided_operand in(memory_map const& memory, run_context const& c) const {
        strided_operand found{memory.address({at.base, type, at.offset}, c), type, rank, {}, {}};
        for (int i = 0; i < rank; ++i) {
            found.extents.n[i] = extents.of[i].at(c.dimensions);
            found.strides.n[i] = at.stride[i].at(c.dimensions);
        }
        return found;
    }
};

/// A finished graph, its plan and its loops. Does not change any more: several threads may run it.
template <class Asked = void>
class executable {
public:
    /// A graph that was made at run time, through the passes.
    static graph prepared(graph const& g) { return pass::prepare(pass::simplify(g)); }
    /// `finished` is what pass::prepare makes. Throws gradus::error where the graph has an operation without a kernel.
    executable(graph finished, array_view<kernel::block_entry const> operations)
        : g_(std::move(finished)), plan_(make_plan<-1>(g_)), loops_(plan_.group_count), operands_(4 * plan_.group_count) {
        list<std::uint64_t> ids;
        list<op_info const*> infos;
        for (int i = 0; i < g_.size(); ++i) {
            if (g_[i].op->kind != op_kind::elementwise) continue;
            int k = 0;
            while (k < ids.size() && ids[k] != g_[i].op->id) ++k;
            if (k < ids.size()) continue;
            ids.push_back(g_[i].op->id);
            infos.push_back(g_[i].op);
        }
        int const room = std::max({g_.size(), g_.symbols.size(), g_.outputs.size()}) + 1;
        demand_ = {list<std::uint64_t>(room, 0), list<std::uint64_t>(room, 0), list<std::uint64_t>(room, 0), list<std::uint64_t>(room, 0)};
        demand_.fill(g_, plan_, g_.outputs.size());
        for (int k = 0; k < plan_.group_count; ++k) {
            planned_group const& group = plan_.groups[k];
            if (group.kind == kernel_kind::loop) {
                describe_loop(k, ids, infos, operations);
                continue;
            }
            operands_[4 * k] = planned_operand::of(g_, group.node, plan_.dimensions);
            for (int i = 0; i < g_[group.node].op->arity; ++i)
                operands_[4 * k + 1 + i] = planned_operand::of(g_, g_[group.node].in[i], plan_.dimensions);
            if (group.kind == kernel_kind::control || (!has_kernel(group) && !g_[group.node].op->whole))
                throw error(concat("gradus: ", g_[group.node].op->name, " has no kernel for programs that are made at run time").str());
            if (!has_kernel(group)) note_whole(g_, group.node, plan_.wholes, plan_.whole_count, plan_.dimensions);
        }
    }
    executable(executable const&) = delete;
    executable& operator=(executable const&) = delete;

    graph const& program() const { return g_; }
    dimension_table const& dimensions() const { return plan_.dimensions; }
    std::int64_t workspace_bytes(std::int64_t const* sizes, int threads = 1) const { return plan_.workspace_bytes(sizes, threads); }
    /// What results are computed for, with a bit in `wanted`: the kernels that they need.
    void run_wanted(run_context const& c, std::uint64_t wanted) const {
        placed_context const at(plan_, c);
        for (int k = 0; k < plan_.kernel_count; ++k)
            if (wanted & demand_.of_kernel[k]) run_kernel(k, at);
    }
    program_demand demand() const { return demand_.view(); }
    /// Where a result that updates a symbol was computed elsewhere, it is copied at the end.
    void run(run_context const& given) const {
        placed_context const c(plan_, given);
        for (int k = 0; k < plan_.kernel_count; ++k) run_kernel(k, c);
        for (int k = 0; k < plan_.copied_back_count; ++k) {
            output_entry const& o = g_.outputs[plan_.copied_back[k]];
            strided_operand const from = operand_of(o.node, c);
            std::memcpy(c.symbols[o.updates], from.data, static_cast<std::size_t>(from.count() * size_of(from.type)));
        }
    }

private:
    /// A call, with where the sections of its memory begin.
    struct placed_context : run_context {
        short_list<std::int64_t, 16> found;
        placed_context(program_plan<-1> const& plan, run_context const& c) : run_context(c), found(plan.section_count + 2) {
            plan.find_offsets(c.dimensions, found.begin());
            offsets = found.begin();
        }
    };
    /// The groups of one kernel, one after the other.
    void run_kernel(int number, run_context const& c) const {
        planned_kernel const& kernel = plan_.kernels[number];
        for (int i = kernel.first; i < kernel.first + kernel.groups + kernel.after; ++i) run_group(i, c);
    }
    static bool has_kernel(node const& n) { return moves(n.op->runs_by); }
    bool has_kernel(planned_group const& group) const { return group.kind == kernel_kind::contraction || has_kernel(g_[group.node]); }

    void describe_loop(int group, list<std::uint64_t> const& ids, list<op_info const*> const& infos,
                       array_view<kernel::block_entry const> operations) {
        executable_loop& made = loops_[group];
        made.draft = describing<graph, program_plan<-1>>(g_, plan_, group, ids.begin(), ids.size()).run();
        for (op_info const* info : infos) made.formulas.push_back(info->eval);
        find_chains(made, infos);
        for (kernel::instruction const& i : made.draft.code) {
            kernel::block_function found = nullptr;
            dtype const works_on = i.op >= 0 && i.type == dtype::boolean && i.a >= 0 ? made.draft.code[i.a].type : i.type;
            for (kernel::block_entry const& known : operations)
                if (i.op >= 0 && known.id == ids[i.op] && known.of[static_cast<int>(works_on)])
                    found = known.of[static_cast<int>(works_on)];
            made.functions.push_back(found);
        }
        for (int j = 0; j < made.draft.inputs.size(); ++j)
            made.places.push_back({made.draft.inputs[j].base, made.draft.input_types[j], made.draft.inputs[j].offset});
        for (int o = 0; o < made.draft.outputs.size(); ++o)
            made.places.push_back({made.draft.output_nodes[o], made.draft.outputs[o].type, monomial{made.draft.output_offsets[o], 0}});
        for (input_binding const& in : made.draft.inputs)
            for (int a = 0; a < made.draft.extents.size(); ++a) {
                made.begin.push_back(in.begin[a]);
                made.end.push_back(in.end[a]);
            }
    }

    /// Without optimization a block function does better.
    static void find_chains(executable_loop& made, list<op_info const*> const& infos) {
        if (!optimizes) return;
        list<arithmetic_kind> does;
        for (kernel::instruction const& i : made.draft.code) {
            bool const real = i.type == dtype::float32 || i.type == dtype::float64;
            does.push_back(i.op >= 0 && real ? infos[i.op]->arithmetic : arithmetic_kind::none);
        }
        kernel::chain_finding found(made.draft.code, made.draft.body, does, made.draft.outputs);
        made.chains = std::move(found.chains);
        made.steps = std::move(found.steps);
    }
    strided_operand operand_of(int id, run_context const& c) const {
        dimension_table table = plan_.dimensions;
        return planned_operand::of(g_, id, table).in(memory_, c);
    }
    /// An operation on whole tensors; results that nothing needs are written to scratch memory.
    void run_whole(int id, strided_operand const* in, double* scratch, run_context const& c) const {
        node const& n = g_[id];
        std::array<int, max_results> const nodes = results_of_call(g_, id, g_.size());
        strided_operand results[max_results];
        dimension_table table = plan_.dimensions;
        for (int k = 0; k < n.op->results; ++k) {
            if (int const made = nodes[static_cast<std::size_t>(k)]; made >= 0) {
                results[k] = operand_of(made, c);
                continue;
            }
            node const other = result_node(g_, n, k);
            results[k] = {nullptr, other.type, other.shape.rank(), {}, {}};
            for (int i = 0; i < other.shape.rank(); ++i) results[k].extents.n[i] = table.of(other.shape[i]).at(c.dimensions);
        }
        if (runs_own_kernel(g_, n))
            compute_own<Asked>(n, in, results, scratch, c.arena + plan_.scratch_offset(c.dimensions) + plan_.whole_bytes(c.dimensions));
        else compute_whole<Asked>(n, in, results, scratch);
    }
    void run_group(int number, run_context const& c) const {
        planned_group const& group = plan_.groups[number];
        if (group.kind == kernel_kind::loop) return execute_loop<Asked>(loops_[number].binding(), memory_, c);
        node const& n = g_[group.node];
        strided_operand in[3], to = operands_[4 * number].in(memory_, c);
        to.strides = row_major(to.extents, to.rank);
        for (int k = 0; k < n.op->arity; ++k) in[k] = operands_[4 * number + 1 + k].in(memory_, c);
        std::byte* const scratch = c.arena + plan_.scratch_offset(c.dimensions);
        if (group.kind == kernel_kind::contraction) contract_operands<Asked>(n.attr, in, to, c.arena + plan_.product_offset(c.dimensions));
        else if (has_kernel(n)) {
            numbers first;
            dimension_table table = plan_.dimensions;
            for (int i = 0; n.op->runs_by == own_kernel::pad && i < to.rank; ++i)
                first.n[i] = table.of(op::first_of(n.attr, i)).at(c.dimensions);
            move_operands<Asked>(n, in, to, first);
        } else run_whole(group.node, in, reinterpret_cast<double*>(scratch), c);
    }
    graph g_;
    program_plan<-1> plan_;
    memory_map memory_ = {&plan_.buffers[0], &plan_.sections[0]};
    list<executable_loop> loops_;  ///< per group
    demand_tables<list<std::uint64_t>> demand_;
    list<planned_operand> operands_;  ///< per group that is no loop: of its node, then what that reads
};

#ifdef GRADUS_SEPARATE_COMPILATION
extern template class executable<void>;  // in the unit that includes gradus/src.hpp
#endif

}  // namespace gradus::inline GRADUS_ARCH::core
