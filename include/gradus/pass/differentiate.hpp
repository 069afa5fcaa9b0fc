// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/marker.hpp>
#include <gradus/pass/rebuild.hpp>
#include <gradus/pass/softmax.hpp>

namespace gradus::core {

/// Whether the operation has a vjp and a jvp. Not asked of the pointers: under -fsanitize=undefined g++ 12 does not take
/// the comparison of a function's address with null for a constant expression.
constexpr bool has_derivative(node const& n) { return has_derivative(n.op->kind); }

/// Reverse mode (Linnainmaa 1970): appends, for every node that those with a cotangent depend on, its cotangent; -1 stays
/// where there is none. With `from_results`, softmaxes are differentiated in terms of their values, which a tape keeps
/// instead of what they were computed from.
constexpr void sweep(graph& g, list<int>& result, bool from_results = false) {
    for (int i = result.size() - 1; i >= 0; --i) {
        if (is_control(g[i])) {
            if (first_of_control(g, i) == i) rules_of(g[i]).control_vjp(g, i, result);
            continue;
        }
        if (result[i] < 0 || !has_derivative(g[i])) continue;
        if (softmax_form const form = from_results ? softmax_form_of(g, i) : softmax_form{}; form.of >= 0) {
            value const part = softmax_derivative(g, form, i, result[i]);
            result[form.of] = result[form.of] < 0 ? part.id() : (value{g, result[form.of]} + part).id();
            continue;
        }
        int part[3] = {-1, -1, -1};
        g[i].op->vjp(g, i, result[i], part);
        for (int k = 0; k < g[i].op->arity; ++k) {
            int operand = g[i].in[k];
            if (part[k] < 0 || !is_floating(g[operand].type)) continue;
            result[operand] = result[operand] < 0 ? part[k] : (value{g, result[operand]} + value{g, part[k]}).id();
        }
    }
}
/// The derivatives of `loss` with respect to every node it depends on. One sweep serves every gradient of the same loss;
/// what is not asked for is dead code.
constexpr list<int> cotangents(graph& g, int loss) {
    list<int> result(loss + 1, -1);
    result[loss] = value::constant(g, 1, g[loss].type).broadcast_to(g[loss].shape).id();
    sweep(g, result);
    return result;
}

/// Forward mode: appends, for every node from `first` on, its derivative along the directions in `result`.
constexpr void push_forward(graph& g, list<int>& result, int first) {
    for (int i = first; i < result.size(); ++i) {
        if (is_control(g[i])) {
            if (first_of_control(g, i) == i) rules_of(g[i]).control_jvp(g, i, result);
            continue;
        }
        int in[3] = {-1, -1, -1};
        bool depends = false;
        for (int k = 0; k < 3 && g[i].in[k] >= 0; ++k) {
            in[k] = result[g[i].in[k]];
            depends = depends || in[k] >= 0;
        }
        if (depends && has_derivative(g[i]) && is_floating(g[i].type)) result[i] = g[i].op->jvp(g, i, in);
    }
}
/// The derivative of `f` along `direction` of `of`; -1 where f does not depend on it.
constexpr int tangent(graph& g, int f, int of, int direction) {
    list<int> result(f > of ? f + 1 : of + 1, -1);
    result[of] = direction;
    push_forward(g, result, of + 1);
    return result[f];
}

}  // namespace gradus::core

namespace gradus::pass {

/// Replaces every grad and jvp by the derivative's own nodes, inner ones first.
constexpr graph differentiate(graph const& g) {
    struct swept {
        int loss = -1;
        core::list<int> cotangents;
    };
    core::list<swept> known;
    return core::rebuild(g, [&](graph& out, node const& n) {
        int found = -1;
        if (n.is<op::grad>()) {
            int index = 0;
            while (index < known.size() && known[index].loss != n.in[0]) ++index;
            if (index == known.size()) known.push_back({n.in[0], core::cotangents(out, n.in[0])});
            if (n.in[1] <= n.in[0]) found = known[index].cotangents[n.in[1]];
        } else if (n.is<op::jvp>()) {
            found = core::tangent(out, n.in[0], n.in[1], n.in[2]);
        } else {
            return out.intern(n);
        }
        return found >= 0 ? value{out, found}.broadcast_to(n.shape).id() : value::constant(out, 0, n.type).broadcast_to(n.shape).id();
    });
}

}  // namespace gradus::pass
