// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/target.hpp>
#include <gradus/kernel/loop_description.hpp>
#include <gradus/op/reduction.hpp>
#include <gradus/schedule/plan_memory.hpp>

namespace gradus::inline GRADUS_ARCH {

/// How a loop's input is found: memory of a node, an offset, a stride per merged axis.
struct input_binding {
    int base = -1;
    element_offset offset{};
    monomial stride[max_rank]{};
    std::int64_t begin[max_rank]{}, end[max_rank]{};  ///< where begin < end: the indices that memory has
};

/// A loop as it is collected from its group of nodes; frozen into a loop_description and its bindings.
struct loop_draft {
    core::list<kernel::instruction> code;
    core::list<input_binding> inputs;
    core::list<dtype> input_types;
    core::list<kernel::loop_output> outputs;
    core::list<int> output_nodes;
    core::list<std::int64_t> output_offsets;  ///< elements: several outputs may be parts of one assembly
    core::list<monomial> extents;
    core::list<monomial> sizes;
    monomial row{1, 0};  ///< elements of the first axis that one row of the domain has
    int body = 0;
    bool fixed = false;  ///< small and static: extents and strides are part of the code
};

namespace core {

/// Numbers by nodes, for the few nodes that a loop has to do with: a table of all of them for every loop would be quadratic work.
class node_numbers {
public:
    struct entry {
        int node = -1, number = -1;
    };
    /// The number of a node, -1 at first.
    constexpr int& operator[](int node) {
        if (2 * (count_ + 1) > slots_.size()) grow();
        entry& e = slots_[slot(node)];
        if (e.node < 0) {
            e.node = node;
            ++count_;
        }
        return e.number;
    }
    constexpr entry* begin() { return slots_.begin(); }
    constexpr entry* end() { return slots_.end(); }

private:
    constexpr int slot(int node) const {
        int const mask = slots_.size() - 1;
        int at = node & mask;
        while (slots_[at].node >= 0 && slots_[at].node != node) at = (at + 1) & mask;
        return at;
    }
    constexpr void grow() {
        list<entry> old(slots_.size() ? 4 * slots_.size() : 16);
        old.swap(slots_);
        for (entry const& e : old)
            if (e.node >= 0) slots_[slot(e.node)] = e;
    }
    list<entry> slots_;
    int count_ = 0;
};

/// Writes the loop of one group. `Graph` and `Plan` are frozen: see exec/plan.hpp.
template <class Graph, class Plan>
class describing {
public:
    constexpr describing(Graph const& g, Plan const& plan, int group, std::uint64_t const* ops, int op_count)
        : g_(g),
          plan_(plan),
          group_(group),
          ops_(ops),
          op_count_(op_count),
          dimensions_(plan.dimensions),
          domain_(plan.group(group).domain) {}

    constexpr loop_draft run() {
        for (int pass = 0; pass < 2; ++pass) {  // the body, then the epilogue
            if (pass) {                         // nothing of the body is read, the loop is over
                draft_.body = draft_.code.size();
                for (auto& [i, number] : number_)
                    if (i >= 0 && (g_[i].op->kind == op_kind::leaf || plan_.inlined[i])) number = -1;
                for (int& k : loaded_) k = -1;
            }
            auto const& group = plan_.group(group_);
            for (int m = group.first_member; m < group.first_member + group.members; ++m)
                if ((plan_.epilogue[plan_.members[m]] != 0) == (pass == 1)) member(plan_.members[m]);
        }
        merge_axes();
        return std::move(draft_);
    }

private:
    constexpr bool single(int i) const { return g_[i].shape.is_single(); }

    static constexpr kernel::fold fold_of(reducer how) {
        switch (how) {
            case reducer::sum: return kernel::fold::sum;
            case reducer::max: return kernel::fold::amax;
            case reducer::none: break;
        }
        core::refuse<"gradus: a reduction that no loop computes", std::logic_error>();
    }
    constexpr void member(int i) {
        node const& n = g_[i];
        bool stored = plan_.buffers[i].where != buffer_kind::none;
        if (n.op->kind == op_kind::reduction) {
            std::int16_t source = operand(n.in[0]);
            number_[i] = draft_.outputs.size();
            draft_.outputs.push_back(
                {source, n.type, fold_of(n.op->reduces_by), stored, static_cast<std::uint32_t>(op::folded_axes(n.attr))});
            draft_.output_nodes.push_back(i);
            draft_.output_offsets.push_back(0);
            return;
        }
        if (n.op->kind == op_kind::movement && n.op->runs_by != own_kernel::pad) {
            if (stored) assemble(i, i, 0, parts_of(i));
            return;
        }
        emit(i);
        if (stored) output(i, 0, static_cast<std::int16_t>(number_[i]), plan_.epilogue[i] ? kernel::fold::epilogue : kernel::fold::none);
    }
    constexpr void output(int i, std::int64_t offset, std::int16_t source, kernel::fold how, std::int64_t columns = 1) {
        draft_.outputs.push_back({source, g_[i].type, how, true, 0, static_cast<std::int32_t>(columns)});
        draft_.output_nodes.push_back(i);
        draft_.output_offsets.push_back(offset);
    }
    /// How many parts an array of an assembly has, each a single element or, of a loop over instances, one of each.
    constexpr std::int64_t parts_of(int id) const {
        return domain_.is_single() ? g_[id].shape.static_size() : instance_size(g_[id].shape);
    }
    /// The parts of an array go to assembly i, which has so many columns, from there on.
    constexpr void assemble(int i, int part, std::int64_t offset, std::int64_t all) {
        std::int64_t const size = parts_of(part), columns = domain_.is_single() ? 1 : all;
        if (size == 1) return output(i, offset, operand(part), kernel::fold::none, columns);
        while (g_[part].op->same_order) part = g_[part].in[0];
        if (plan_.inlined[part] || plan_.group_of[part] == group_) {
            assemble(i, g_[part].in[0], offset, all);
            return assemble(i, g_[part].in[1], offset + parts_of(g_[part].in[0]), all);
        }
        for (std::int64_t k = 0; k < size; ++k) {
            input_binding one{part, monomial{k, 0}, {}, {}, {}};
            if (!domain_.is_single()) one.stride[0] = monomial{size, 0};
            output(i, offset + k, load(one, g_[part].type), kernel::fold::none, columns);
        }
    }
    constexpr void emit(int i) {
        node const& n = g_[i];
        if (n.op->runs_by == own_kernel::pad) {
            number_[i] = load(n.in[0], &n);
            return;
        }
        kernel::instruction made{op_number(n.op->id), -1, -1, -1, n.type, 0};
        made.a = operand(n.in[0]);
        if (n.op->arity > 1) made.b = operand(n.in[1]);
        if (n.op->arity > 2) made.c = operand(n.in[2]);
        number_[i] = push(made);
    }
    constexpr std::int16_t op_number(std::uint64_t id) const {
        for (int k = 0; k < op_count_; ++k)
            if (ops_[k] == id) return static_cast<std::int16_t>(k);
        core::refuse<"gradus: an operation that a derivative uses is not in the expression: name it in `using uses = gr::op::op_list<...>`",
                     std::logic_error>();
    }
    constexpr int push(kernel::instruction const& made) {
        draft_.code.push_back(made);
        return draft_.code.size() - 1;
    }
    /// The instruction that holds a value: computed here, loaded, or made from a leaf.
    constexpr std::int16_t operand(int id) {
        int b = plan_.base[id];
        node const& n = g_[b];
        bool here = plan_.group_of[b] == group_;
        if (here && n.op->kind == op_kind::reduction) {
            if (reduced_[b] < 0) reduced_[b] = push({kernel::reduced, static_cast<std::int16_t>(number_[b]), -1, -1, n.type, 0});
            return static_cast<std::int16_t>(reduced_[b]);
        }
        if (here || (n.op->kind == op_kind::leaf && !n.is_symbol()) || plan_.inlined[b]) {
            if (number_[b] < 0) make(b);
            return static_cast<std::int16_t>(number_[b]);
        }
        return load(id);
    }
    constexpr void make(int b) {
        node const& n = g_[b];
        if (plan_.inlined[b]) return emit(b);
        switch (n.op->holds) {
            case leaf_kind::constant: number_[b] = push({kernel::constant, -1, -1, -1, n.type, n.attr.value}); return;
            case leaf_kind::size: {
                monomial size{static_cast<std::int64_t>(n.attr.value), 0};
                for (int k = 0; k < op::size::most; ++k)
                    if (extent const e = op::size::dimension(n.attr, k); e.code != 0) size = size * dimensions_.of(e);
                draft_.sizes.push_back(size);
                number_[b] = push({kernel::size, static_cast<std::int16_t>(draft_.sizes.size() - 1), -1, -1, n.type, 0});
                return;
            }
            case leaf_kind::iota: return make_index(b, n);
            case leaf_kind::symbol:
            case leaf_kind::none: core::refuse<"gradus: a leaf that no loop makes", std::logic_error>();
        }
    }
    constexpr void make_index(int b, node const& n) {
        if (n.shape.is_single()) {  // of one element, whatever the extent of its axis is in this loop
            number_[b] = push({kernel::constant, -1, -1, -1, n.type, 0});
            return;
        }
        int const axis = op::iota::axis(n.attr) + domain_.rank() - n.shape.rank();
        index_axes_ |= 1u << axis;
        number_[b] = push({kernel::index, static_cast<std::int16_t>(axis), -1, -1, n.type, 0});
    }
    constexpr std::int16_t load(int id, node const* window = nullptr) {
        access a = resolve(g_, id, dimensions_);
        shape const& s = g_[id].shape;
        input_binding wanted{a.base, a.offset, {}};
        int lead = domain_.rank() - s.rank();  // negative for a scalar of higher rank in the epilogue
        for (int axis = 0; axis < domain_.rank(); ++axis)
            if (axis >= lead && s[axis - lead].code != 1) wanted.stride[axis] = a.stride[axis - lead];
        if (lead < 0 && domain_.rank() == 1 && s[0] == domain_[0]) wanted.stride[0] = a.stride[0];  // one number of each instance
        for (int axis = 0; window && axis < domain_.rank(); ++axis) {
            if (s[axis] == domain_[axis]) continue;
            wanted.begin[axis] = op::start_of(window->attr, axis);
            wanted.end[axis] = wanted.begin[axis] + s[axis].code;
        }
        return load(wanted, g_[id].type);
    }
    constexpr std::int16_t load(input_binding const& wanted, dtype type) {
        int const input = input_number(wanted, type);
        if (loaded_[input] < 0) loaded_[input] = push({kernel::load, static_cast<std::int16_t>(input), -1, -1, type, 0});
        return static_cast<std::int16_t>(loaded_[input]);
    }
    constexpr int input_number(input_binding const& wanted, dtype type) {
        int& latest = input_of_[wanted.base];
        for (int input = latest; input >= 0; input = input_before_[input])
            if (same(draft_.inputs[input], wanted)) return input;
        input_before_.push_back(latest);
        latest = draft_.inputs.size();
        loaded_.push_back(-1);
        draft_.inputs.push_back(wanted);
        draft_.input_types.push_back(type);
        return latest;
    }
    static constexpr bool same(input_binding const& a, input_binding const& b) {
        if (a.base != b.base || !(a.offset == b.offset)) return false;
        for (int i = 0; i < max_rank; ++i)
            if (!(a.stride[i] == b.stride[i]) || a.begin[i] != b.begin[i] || a.end[i] != b.end[i]) return false;
        return true;
    }

    /// Can axis i and the next, i + 1, be one loop? For every input the strides must say so, every fold must take both or
    /// neither, and no index may be asked of one alone.
    constexpr bool mergeable(int i, int j) {
        if ((index_axes_ >> i | index_axes_ >> j) & 1) return false;
        for (kernel::loop_output const& o : draft_.outputs)
            if ((o.axes >> i & 1) != (o.axes >> j & 1)) return false;
        for (input_binding const& in : draft_.inputs)
            if (in.end[i] || in.end[j] || !(in.stride[i] == in.stride[j] * dimensions_.of(domain_[j]))) return false;
        return true;
    }
    constexpr void merge_axes() {
        // groups of axes, outermost first; an axis of extent 1 belongs to none
        int group_begin[max_rank]{}, group_last[max_rank]{}, groups = 0;
        for (int axis = 0; axis < domain_.rank(); ++axis) {
            if (domain_[axis].code == 1) continue;
            if (groups && mergeable(group_last[groups - 1], axis)) group_last[groups - 1] = axis;
            else {
                group_begin[groups] = group_last[groups] = axis;
                ++groups;
            }
        }
        if (groups == 0) groups = 1;  // a scalar: one axis of extent 1
        bool scalar = domain_.is_single();
        std::int64_t total = 1;
        bool all_static = true;
        for (int k = 0; k < groups; ++k) {
            monomial extent{1, 0};
            for (int axis = group_begin[k]; !scalar && axis <= group_last[k]; ++axis) {
                extent = extent * dimensions_.of(domain_[axis]);
                if (k == 0 && axis > group_begin[k]) draft_.row = draft_.row * dimensions_.of(domain_[axis]);
            }
            draft_.extents.push_back(extent);
            all_static = all_static && extent.is_static();
            total *= extent.c;
        }
        draft_.fixed = all_static && total <= target::fixed_elements && !plan_.in_pieces(group_);
        for (input_binding& in : draft_.inputs) {
            monomial merged[max_rank]{};
            for (int k = 0; k < groups; ++k) {
                merged[k] = scalar ? monomial{} : in.stride[group_last[k]];
                in.begin[k] = in.begin[group_last[k]];  // groups move to the front
                in.end[k] = in.end[group_last[k]];
            }
            for (int k = 0; k < max_rank; ++k) in.stride[k] = merged[k];
        }
        for (kernel::loop_output& o : draft_.outputs) {
            std::uint32_t axes = 0;
            for (int k = 0; k < groups; ++k)
                if (scalar || (o.axes >> group_last[k] & 1)) axes |= 1u << k;
            if (o.how == kernel::fold::sum || o.how == kernel::fold::amax) o.axes = axes;
        }
        for (kernel::instruction& i : draft_.code) {
            if (i.op != kernel::index) continue;
            int axis = i.a;
            i.a = -1;
            for (int k = 0; k < groups; ++k)
                if (!scalar && group_last[k] == axis) i.a = static_cast<std::int16_t>(k);
            if (i.a < 0) i = {kernel::constant, -1, -1, -1, i.type, 0};  // an axis of extent 1
        }
    }

    Graph const& g_;
    Plan const& plan_;
    int group_;
    std::uint64_t const* ops_;
    int op_count_;
    dimension_table dimensions_;
    shape domain_;
    node_numbers number_, reduced_;    ///< of instructions, or outputs; of instructions that read a reduction
    node_numbers input_of_;            ///< the last input that looks at a node's memory
    list<int> input_before_, loaded_;  ///< per input: the one before it on the same memory, and its instruction
    std::uint32_t index_axes_ = 0;
    loop_draft draft_;
};

}  // namespace core
}  // namespace gradus::inline GRADUS_ARCH
