// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/formula.hpp>

#include <limits>

// Operations that run graphs of their own (transform/control_derivatives.hpp and exec/run_control.hpp have what they mean), their bodies:
// those are values in the graph they stand in, so that derivatives of bodies are made as all others are. A node has one result; nodes that
// differ in nothing else are one loop, which runs once.
namespace gradus::inline GRADUS_ARCH::op {

/// What a control node is applied to, one value for each symbol of its bodies: those before, then one more. n[0] is 1 where that is
/// walked along its first axis, n[1] the same for the value that a list begins with.
struct operands {
    static constexpr auto name = "operands";
    static constexpr op_kind kind = op_kind::list;
    static constexpr int arity = 2;
    static constexpr tensor_type infer(call const&, complaint&) { return {}; }
    static constexpr attributes walked(bool last, bool first) {
        attributes attr;
        attr.n[0] = last;
        attr.n[1] = first;
        return attr;
    }
    /// Is operand k of the pair walked: 0 what a list begins with, 1 what it ends with?
    static constexpr bool is_walked(attributes const& attr, int k) { return attr.n[1 - k] != 0; }
};

/// Base: n[0] is the number of the body (n[1] that of the second), `value` counts the operands; graph/control.hpp checks them.
struct control {
    static constexpr op_kind kind = op_kind::control;
    static constexpr int arity = 1;
    static constexpr int call_attributes = 4;
    static constexpr tensor_type infer(call const&, complaint&) { return {}; }
    static constexpr int body(attributes const& attr, int which) { return static_cast<int>(attr.n[which]); }
    static constexpr void set_body(attributes& attr, int which, int number) { attr.n[which] = number; }
    static constexpr int operand_count(attributes const& attr) { return static_cast<int>(attr.value); }
    static constexpr void set_operand_count(attributes& attr, int count) { attr.value = count; }
};

/// Which result of a loop a node is.
enum class scan_part {
    last,   ///< carry k after the last step
    stack,  ///< output k of every step, along a new first axis
    sum,    ///< the sum of output k over the steps
    states  ///< carry k before every step, along a new first axis
};

/// What ends a loop. All but the first end when carry 0 is false, after which a step changes nothing, and fail if it is still true after
/// the last step; carry 1 of the last two is what has to become small.
enum class loop_end { steps, condition, fixed_point, root };
/// As many steps as it takes.
inline constexpr std::int64_t unbounded = std::numeric_limits<std::int64_t>::max();

/// A loop: the body maps n[1] carries, a row of each walked operand and what is the same in every step to the next carries and to
/// outputs. n[2] has the number of walked operands, what ends the loop, and whether it goes from the last row to the first. n[3]: steps,
/// where nothing is walked. n[4]: the part.
struct scan : control {
    static constexpr auto name = "scan";
    static constexpr auto runs = control_kind::loop;
    static constexpr int bodies = 1;
    static constexpr attributes over(int carries, int walked, loop_end end, bool reversed, std::int64_t steps) {
        attributes a;
        a.n[1] = carries;
        a.n[2] = packed(walked, end, reversed);
        a.n[3] = walked > 0 ? -1 : steps;
        return a;
    }
    static constexpr std::int64_t packed(int walked, loop_end end, bool reversed) {
        return std::int64_t{walked} * 8 + static_cast<int>(end) * 2 + reversed;
    }
    static constexpr int carries(attributes const& a) { return static_cast<int>(a.n[1]); }
    static constexpr int walked(attributes const& a) { return static_cast<int>(a.n[2] / 8); }
    static constexpr loop_end end(attributes const& a) { return static_cast<loop_end>(a.n[2] / 2 % 4); }
    static constexpr bool is_reversed(attributes const& a) { return a.n[2] % 2 != 0; }
    static constexpr std::int64_t steps(attributes const& a) { return a.n[3]; }
    static constexpr scan_part part(attributes const& a) { return static_cast<scan_part>(a.n[4]); }
    static constexpr void set_part(attributes& a, scan_part part) { a.n[4] = static_cast<int>(part); }
};

/// One of two bodies, n[0] where the first operand is not 0 and n[1] where it is; the other does not run.
struct cond : control {
    static constexpr auto name = "cond";
    static constexpr auto runs = control_kind::choice;
    static constexpr int bodies = 2;
};

/// What the symbols of a rule behind the operands and the results are.
enum class derivative_rule { tangents, cotangents };

/// A function, body n[0], whose derivative is body n[1], which n[2] says how to read: on the operands, the results, and tangents of the
/// operands or cotangents of the results. Simplification puts the function in its place.
struct custom : control {
    static constexpr auto name = "custom";
    static constexpr auto runs = control_kind::function;
    static constexpr int bodies = 1;
    static constexpr void set_rule(attributes& a, derivative_rule rule) { a.n[2] = static_cast<int>(rule); }
    static constexpr derivative_rule rule(attributes const& a) { return static_cast<derivative_rule>(a.n[2]); }
};

}  // namespace gradus::inline GRADUS_ARCH::op

namespace gradus::inline GRADUS_ARCH::core {

/// The type of a row's stack over the steps of a scan, and of a row of what a scan walks along.
constexpr tensor_type stacked(tensor_type const& row, extent steps) {
    tensor_type result{row.type, {steps}};
    for (int i = 0; i < row.shape.rank(); ++i) result.shape.push_back(row.shape[i]);
    return result;
}
constexpr tensor_type row_of(tensor_type const& stack) {
    tensor_type result{stack.type, {}};
    for (int i = 1; i < stack.shape.rank(); ++i) result.shape.push_back(stack.shape[i]);
    return result;
}

}  // namespace gradus::inline GRADUS_ARCH::core
