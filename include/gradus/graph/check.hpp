// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/graph/control.hpp>

namespace gradus::inline GRADUS_ARCH {

/// Verifies a graph against the rules of its operations: operands exist and come first, their number is right, dtype
/// and shape are what the operation's rule says. Returns the first fault, empty where there is none. Runs after every pass.
constexpr text check(graph const& g) {
    for (int i = 0; i < g.size(); ++i) {
        node const& n = g[i];
        call c{n.attr, n.shape, {}, 0};
        if (n.operands() != n.op->arity) return core::concat("%", i, " = ", n.op->name, ": wrong number of operands");
        for (; c.count < n.op->arity; ++c.count) {
            int operand = n.in[c.count];
            if (operand < 0 || operand >= i)
                return core::concat("%", i, " = ", n.op->name, ": operand %", operand, " is not an earlier node");
            c.operand[c.count] = g[operand].result();
        }
        if (n.op->kind == op_kind::leaf) continue;
        if (core::is_control(n)) {
            if (text fault = core::rules_of(n).fault(g, n); !fault.empty())
                return core::concat("%", i, " = ", n.op->name, ": ", fault.view());
            continue;
        }
        text message;
        complaint fail{&message};
        tensor_type result = n.op->infer(c, fail);
        if (fail.failed) return core::concat("%", i, " = ", n.op->name, ": ", message.view());
        if (!(result == n.result())) return core::concat("%", i, " = ", n.op->name, ": is ", n.result(), ", the rule says ", result);
    }
    for (int b = 0; b < g.bodies.size(); ++b)
        if (text fault = check(g.bodies[b]); !fault.empty()) return core::concat("in a body: ", fault.view());
    for (output_entry const& out : g.outputs)
        if (out.node < 0 || out.node >= g.size()) return core::concat("an output is no node");
    return {};
}

}  // namespace gradus::inline GRADUS_ARCH
