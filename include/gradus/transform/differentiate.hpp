// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/heap.hpp>
#include <gradus/op/marker.hpp>
#include <gradus/op/softmax_form.hpp>
#include <gradus/transform/rebuild.hpp>
#include <gradus/transform/vectorize.hpp>

namespace gradus::inline GRADUS_ARCH::core {

/// Whether the operation has a vjp and a jvp. Not asked of the pointers: under -fsanitize=undefined g++ 12 does not take
/// the comparison of a function's address with null for a constant expression.
constexpr bool has_derivative(node const& n) { return has_derivative(n.op->kind); }

/// The order of a sweep: all nodes, the last first.
struct every_node {
    static constexpr int before(graph const&, int i) { return i - 1; }
};
/// The same for those that a node depends on: of many losses of one graph, each looks at its own nodes alone.
class nodes_behind {
public:
    /// `seen` has a number for each node: the search that met it last.
    constexpr nodes_behind(list<int>& seen, int search) : seen_(seen), search_(search) {}
    constexpr int before(graph const& g, int i) {
        for (int k = 0; k < 3 && g[i].in[k] >= 0; ++k) meet(g[i].in[k]);
        if (is_of_call(g[i])) meet(first_of_call(g, i));
        visited.push_back(i);
        return open_.empty() ? -1 : open_.pop();
    }
    list<int> visited;  ///< the last first

private:
    constexpr void meet(int i) {
        if (seen_[i] == search_) return;
        seen_[i] = search_;
        open_.push(i);
    }
    list<int>& seen_;
    int search_;
    heap<int> open_;
};

/// The derivative of a softmax: of a row that is not selected it is 0, whatever the row is.
constexpr int selected_softmax(graph& g, softmax_form const& form, int id, int cotangent) {
    selection const s(g, cotangent);
    bool whole = true;
    int const lead = s.found() ? g[id].shape.rank() - g[s.condition].shape.rank() : 0;
    int const fixed = s.found() ? condition_without_change(g, s.condition, s.when, op::folded_axes(g[form.sum].attr) >> lead, whole) : -1;
    auto const times = [&](value d, value f) { return g.zeros_stay ? value{g, mul_no_nan_of(g, d.id(), f.id())} : d * f; };
    auto const times_reached = [&](value d, value f) {
        selection const part(g, d.id());
        int const reached = part.found() || !s.found() ? -1 : reached_by(g, s.condition, d.id());
        int const product = times({g, part.of}, f).id();
        return value{g, reached < 0 ? part.again(g, product) : where_of(g, reached, product, -1)};
    };
    if (fixed < 0) return softmax_derivative(form, value{g, id}, value{g, cotangent}, times_reached).id();
    int const of = value{g, whole ? s.of : cotangent}.broadcast_to(g[id].shape).id();
    return selection(fixed, -1, s.when).again(g, softmax_derivative(form, value{g, id}, value{g, of}, times).id());
}

/// The cotangents of the call that node `id` is the first result of; false where there is none.
constexpr bool cotangents_of_call(graph const& g, int id, list<int> const& of, std::array<int, max_results>& cotangents) {
    if (g[id].op->results == 1) {
        cotangents[0] = of[id];
        return of[id] >= 0;
    }
    bool found = false;
    if (first_of_call(g, id) != id) return false;
    std::array<int, max_results> const nodes = results_of_call(g, id, of.size());
    for (std::size_t k = 0; k < max_results; ++k) {
        cotangents[k] = nodes[k] < 0 ? -1 : of[nodes[k]];
        found = found || cotangents[k] >= 0;
    }
    return found;
}

/// Reverse mode (Linnainmaa 1970): appends, for every node that those with a cotangent depend on, its cotangent; -1 stays
/// where there is none. With `from_results`, softmaxes are differentiated in terms of their values, which a tape keeps
/// instead of what they were computed from.
template <class Order = every_node>
constexpr void sweep(graph& g, list<int>& result, bool from_results = false, Order&& order = {}) {
    for (int i = result.size() - 1; i >= 0; i = order.before(g, i)) {
        if (is_control(g[i])) {
            if (first_of_call(g, i) == i) rules_of(g[i]).control_vjp(g, i, result);
            continue;
        }
        std::array<int, max_results> cotangents{};
        if (!cotangents_of_call(g, i, result, cotangents) || !has_derivative(g[i])) continue;
        if (softmax_form const form = from_results ? softmax_form_of(g, i) : softmax_form{}; form.of >= 0) {
            result[form.of] = add_derivatives(g, result[form.of], selected_softmax(g, form, i, result[i]));
            continue;
        }
        int part[3] = {-1, -1, -1};
        if (!g[i].op->reverse) core::refuse<"gradus: an operation on whole tensors states no vjp", std::logic_error>();
        g[i].op->vjp(g, i, cotangents.data(), part);
        for (int k = 0; k < g[i].op->arity; ++k) {
            int operand = g[i].in[k];
            if (part[k] < 0 || !is_floating(g[operand].type)) continue;
            result[operand] = add_derivatives(g, result[operand], part[k]);
        }
    }
}

/// The derivatives of losses with respect to the nodes that they depend on. One sweep serves every gradient of the same loss; what is not
/// asked for is dead code.
class gradients {
public:
    /// The derivative of `loss` with respect to node `x`, -1 where there is none.
    constexpr int operator()(graph& g, int loss, int x) {
        while (number_.size() <= loss) {
            number_.push_back(-1);
            seen_.push_back(-1);
        }
        if (number_[loss] < 0) {
            number_[loss] = swept_.size();
            swept_.push_back(sweep_from(g, loss));
        }
        swept const& s = swept_[number_[loss]];
        int at = 0, end = s.nodes.size();
        while (at < end) {
            int const middle = (at + end) / 2;
            if (s.nodes[middle] > x) at = middle + 1;
            else end = middle;
        }
        return at < s.nodes.size() && s.nodes[at] == x ? s.cotangents[at] : -1;
    }

private:
    struct swept {
        list<int> nodes, cotangents;  ///< the last first
    };
    constexpr swept sweep_from(graph& g, int loss) {
        // what is swept is as long as the loss's number, and -1 before and after
        while (cotangents_.size() > loss + 1) cotangents_.pop_back();
        while (cotangents_.size() < loss + 1) cotangents_.push_back(-1);
        cotangents_[loss] = value::constant(g, 1, g[loss].type).broadcast_to(g[loss].shape).id();
        seen_[loss] = number_[loss];
        nodes_behind order(seen_, number_[loss]);
        sweep(g, cotangents_, false, order);
        swept result;
        for (int i : order.visited)
            if (int const c = std::exchange(cotangents_[i], -1); c >= 0) {
                result.nodes.push_back(i);
                result.cotangents.push_back(c);
            }
        return result;
    }
    list<int> number_, seen_, cotangents_;
    list<swept> swept_;
};

/// Forward mode: appends, for every node from `first` on, its derivative along the directions in `result`.
constexpr void push_forward(graph& g, list<int>& result, int first) {
    for (int i = first; i < result.size(); ++i) {
        if (is_control(g[i])) {
            if (first_of_call(g, i) == i) rules_of(g[i]).control_jvp(g, i, result);
            continue;
        }
        int in[3] = {-1, -1, -1};
        bool depends = false;
        for (int k = 0; k < 3 && g[i].in[k] >= 0; ++k) {
            in[k] = result[g[i].in[k]];
            depends = depends || in[k] >= 0;
        }
        if (!depends || !has_derivative(g[i]) || !is_floating(g[i].type)) continue;
        if (!g[i].op->forward) core::refuse<"gradus: an operation on whole tensors states no jvp", std::logic_error>();
        result[i] = g[i].op->jvp(g, i, in);
    }
}
/// The derivative of `f` along `direction` of `of`; -1 where f does not depend on it.
constexpr int tangent(graph& g, int f, int of, int direction) {
    list<int> result(f > of ? f + 1 : of + 1, -1);
    result[of] = direction;
    push_forward(g, result, of + 1);
    return result[f];
}

/// Names an operation that has no derivative of one mode, on the way from marked nodes to node `f`; empty where there is none.
constexpr text derivative_complaint(graph const& g, list<char> depends, int f, bool reverse) {
    list<char> needed(g.size(), 0);
    needed[f] = 1;
    for (int i = f; i >= 0; --i)
        for (int k = 0; needed[i] && k < 3 && g[i].in[k] >= 0; ++k) needed[g[i].in[k]] = 1;
    for (int i = 0; i <= f; ++i) {
        node const& n = g[i];
        bool through = false;
        for (int k = 0; k < 3 && n.in[k] >= 0; ++k) through = through || (depends[n.in[k]] && is_floating(g[n.in[k]].type));
        if (!through || n.op->stops_gradient || !is_floating(n.type)) continue;
        depends[i] = 1;
        if (needed[i] && !(reverse ? n.op->reverse : n.op->forward))
            return concat("gradus::", reverse ? "grad" : "jvp", "(f, x): f depends on x through ", n.op->name, ", which states no ",
                          reverse ? "vjp(g, y, operands...)" : "jvp(tangents..., y, operands...)", ": add it, or apply ", n.op->name,
                          " to gr::stop_gradient(x)");
    }
    return {};
}

/// Replaces every grad and jvp by the derivative's own nodes, and every vmap by the nodes for all instances, inner ones first. Collects
/// what a vmap lacks; null stops instead.
constexpr graph without_markers(graph const& g, text* missing = nullptr) {
    gradients gradient;
    instances all(missing);
    return rebuild(g, [&](graph& out, node const& n) {
        int found = -1;
        if (n.op->marks == marker_kind::instances) {
            return all(out, n);
        } else if (n.op->marks == marker_kind::gradient) {
            found = gradient(out, n.in[0], n.in[1]);
        } else if (n.op->marks == marker_kind::tangent) {
            found = tangent(out, n.in[0], n.in[1], n.in[2]);
        } else {
            return out.intern(n);
        }
        return found >= 0 ? value{out, found}.broadcast_to(n.shape).id() : value::constant(out, 0, n.type).broadcast_to(n.shape).id();
    });
}

}  // namespace gradus::inline GRADUS_ARCH::core

namespace gradus::inline GRADUS_ARCH::pass {

/// Replaces every grad, jvp and vmap by what it means, inner ones first.
constexpr graph differentiate(graph const& g) { return core::without_markers(g); }

}  // namespace gradus::inline GRADUS_ARCH::pass
