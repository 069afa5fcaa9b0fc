// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/graph/control_facts.hpp>
#include <gradus/op/marker.hpp>

// From the graph of a function on one instance to that on all of them, which gr::vmap asks for. An operation is told by its facets what
// becomes of it: elementwise ones broadcast, views and reductions move their axes, others state a rule, `batch`.
namespace gradus::inline GRADUS_ARCH::core {

/// Does a view read no axis of its operand along two axes of the result?
constexpr bool reads_axes_once(view_axis (*view)(attributes const&, shape const&, shape const&, int), attributes const& attr,
                               shape const& from, shape const& to) {
    std::int64_t seen = 0;
    for (int axis = 0; axis < to.rank(); ++axis) {
        int const source = view(attr, from, to, axis).from;
        if (source >= 0 && (seen >> source & 1)) return false;
        if (source >= 0) seen |= std::int64_t{1} << source;
    }
    return true;
}
/// Is there a rule for all instances of a node?
constexpr bool has_batching(auto const& g, node const& n) {
    if (n.op->batches || n.op->kind == op_kind::elementwise || n.op->kind == op_kind::list || n.op->kind == op_kind::control) return true;
    if (n.op->same_order) return true;
    return n.op->kind == op_kind::view && reads_axes_once(n.op->view, n.attr, g[n.in[0]].shape, n.shape);
}

/// An elementwise operation on stacks: operands of a lower rank get axes of 1, all others broadcast as they did.
constexpr int batch_elementwise(graph& g, node n, batched_call const& c, int const* in) {
    call made{n.attr, {}, {}, 0, g.unknowns};
    for (; made.count < n.op->arity; ++made.count) {
        n.in[made.count] = op::with_instance_rank(c, value{g, in[made.count]}, made.count, c.result.rank()).id();
        made.operand[made.count] = g[n.in[made.count]].result();
    }
    complaint fail;
    tensor_type const type = n.op->infer(made, fail);
    n.type = type.type;
    n.shape = type.shape;
    return g.intern(n);
}

/// The part of every instance that a view reads, `reader` the axis of the result that reads an axis, -1 for none.
constexpr value part_of_instances(value x, batched_call const& c, view_axis const* read, int const* reader) {
    shape part = x.shape();
    attributes packed;
    packed.n[0] = op::pack_range(0, 1);
    bool all_fit = true;
    view_axis along[max_rank];
    for (int axis = 0; axis < c.operand[0].rank(); ++axis) {
        view_axis const r = reader[axis] < 0 ? view_axis{axis} : read[reader[axis]];
        along[axis] = r;
        if (reader[axis] >= 0) part[axis + 1] = c.result[reader[axis]];
        else if (part[axis + 1].code != 0) part[axis + 1] = 1;
        all_fit = all_fit && r.named_first.is_static() && op::can_be_packed(r.first, r.step);
        packed.n[axis + 1] = op::pack_range(r.first, r.step);
    }
    auto const reads_all = [&](int axis) {
        return part[axis + 1] == x.shape()[axis + 1] && along[axis].first == 0 && along[axis].named_first == extent{} &&
               along[axis].step == 1;
    };
    bool whole = true;
    for (int axis = 0; axis < c.operand[0].rank(); ++axis) whole = whole && reads_all(axis);
    if (whole) return x;
    if (all_fit) return x.slice(packed, part);
    for (int axis = 0; axis < c.operand[0].rank(); ++axis)
        if (!reads_all(axis)) {
            view_axis const& r = along[axis];
            extent const first = r.named_first.is_static() ? extent(r.first) : r.named_first;
            x = op::part_of(x, axis + 1, first, part[axis + 1], r.step);
        }
    return x;
}
/// A view of every instance: the part that is read, its axes in the order of those that read them, repeated along the others.
constexpr int batch_view(graph& g, op_info const& op, batched_call const& c, int in) {
    view_axis read[max_rank];
    int reader[max_rank]{-1, -1, -1, -1, -1, -1}, last = -1;
    attributes order;
    int next = 1, from_rank = c.operand[0].rank();
    bool in_order = true;
    shape ones{c.instances};
    for (int axis = 0; axis < c.result.rank(); ++axis) {
        read[axis] = op.view(c.attr, c.operand[0], c.result, axis);
        int const source = read[axis].from;
        ones.push_back(source >= 0 ? c.result[axis] : extent(1));
        if (source < 0) continue;
        reader[source] = axis;
        in_order = in_order && source > last;
        last = source;
        order.n[next++] = source + 1;
    }
    for (int axis = 0; axis < from_rank; ++axis)
        if (reader[axis] < 0) order.n[next++] = axis + 1;
    value x = part_of_instances({g, in}, c, read, reader);
    if (!in_order) x = x.transpose(order);
    return x.reshape(ones).broadcast_to(op::in_front(c.instances, c.result)).id();
}

/// Nodes for all instances, by the nodes for one of them. What several results of a function share is made once.
class instances {
public:
    /// Collects why there is no such node; null stops instead.
    constexpr explicit instances(text* missing = nullptr) : missing_(missing) {}

    /// The node that a vmap node stands for.
    constexpr int operator()(graph& g, node const& n) {
        int const of = n.in[0];
        level& l = level_of(op::mapping_of(n.attr));
        for (int i = l.mapped.size(); i <= of; ++i) {
            bool depends = g[i].op->marks == marker_kind::instance && op::mapping_of(g[i].attr) == l.number;
            for (int k = 0; k < 3 && g[i].in[k] >= 0; ++k) depends = depends || l.mapped[g[i].in[k]];
            l.mapped.push_back(depends);
            l.all.push_back(-1);
        }
        if (!l.mapped[of]) return value{g, of}.broadcast_to(n.shape).id();
        list<char> needed(of + 1, 0);
        needed[of] = 1;
        for (int i = of; i >= 0; --i)
            for (int k = 0; needed[i] && k < 3 && g[i].in[k] >= 0; ++k) needed[g[i].in[k]] = l.mapped[g[i].in[k]];
        for (int i = 0; i <= of; ++i)
            if (needed[i] && l.all[i] < 0) l.all[i] = batched(g, i, n.shape[0], l);
        return l.all[of];
    }

private:
    struct level {
        std::int64_t number = 0;
        list<char> mapped;  ///< does a node depend on the instance?
        list<int> all;
    };
    constexpr level& level_of(std::int64_t number) {
        for (int k = 0; k < levels_.size(); ++k)
            if (levels_[k].number == number) return levels_[k];
        levels_.push_back({number, {}, {}});
        return levels_[levels_.size() - 1];
    }
    constexpr int batched(graph& g, int id, extent count, level const& l) {
        node const n = g[id];
        if (n.op->marks == marker_kind::instance) {
            value const x{g, n.in[0]};
            int const axis = op::mapped_axis(n.attr);
            return axis == 0 ? x.id() : x.transpose(first_axis(x.shape().rank(), axis)).id();
        }
        if (n.op->kind == op_kind::list) return -1;
        if (is_control(n)) return rules_of(n).control_batch(g, id, count, l.mapped, l.all);
        batched_call c{n.attr, n.shape, {}, count, {}};
        int in[3] = {-1, -1, -1};
        for (int k = 0; k < 3 && n.in[k] >= 0; ++k) {
            c.operand[k] = g[n.in[k]].shape;
            c.mapped[k] = l.mapped[n.in[k]];
            in[k] = c.mapped[k] ? l.all[n.in[k]] : n.in[k];
        }
        if (!has_batching(g, n)) return refused(g, n, count, concat("states no batching rule, batch(call, operands...)"));
        int const made = n.op->batches                        ? n.op->batch(g, c, in)
                         : n.op->kind == op_kind::elementwise ? batch_elementwise(g, n, c, in)
                         : n.op->same_order                   ? value{g, in[0]}.reshape(op::in_front(count, n.shape)).id()
                                                              : batch_view(g, *n.op, c, in[0]);
        tensor_type const expected{n.type, op::in_front(count, n.shape)};
        if (g[made].result() == expected) return made;
        return refused(g, n, count, concat("states a batching rule that makes ", g[made].result(), ", not ", expected));
    }
    static constexpr attributes first_axis(int rank, int axis) {
        attributes order;
        for (int i = 0; i < rank; ++i) order.n[i] = i == 0 ? axis : i <= axis ? i - 1 : i;
        return order;
    }
    constexpr int refused(graph& g, node const& n, extent count, text const& why) {
        if (!missing_) refuse<"gradus::vmap(f): an operation has no batching rule that fits", std::logic_error>();
        if (missing_->empty()) *missing_ = concat("gradus::vmap(f)(xs...): f applies ", n.op->name, " to an instance, which ", why.view());
        return value::constant(g, 0, n.type).broadcast_to(op::in_front(count, n.shape)).id();
    }
    text* missing_;
    list<level> levels_;
};

}  // namespace gradus::inline GRADUS_ARCH::core
