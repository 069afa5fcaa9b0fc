// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/elementwise.hpp>

namespace gradus::inline GRADUS_ARCH::op {

/// Base of what has no operands. The node's own shape and dtype say what it is.
struct leaf {
    static constexpr op_kind kind = op_kind::leaf;
    static constexpr int arity = 0;
    static constexpr tensor_type infer(call const&, complaint&) { return {}; }
};

/// A variable of the program. n[0] is its index among the graph's symbols.
struct symbol : leaf {
    static constexpr auto name = "symbol";
};

/// A rank 0 constant, `value`.
struct constant : leaf {
    static constexpr auto name = "constant";
};

/// A number of elements as a scalar: `value` times up to three named dimensions, whose codes are n[2i], n[2i + 1].
struct size : leaf {
    static constexpr auto name = "size";
};

/// The index along axis n[0] of the node's shape.
struct iota : leaf {
    static constexpr auto name = "iota";
};

/// The operand under another dtype, n[0]. The derivative is cast back; integers and booleans have none.
struct cast : elementwise<cast, 1> {
    static constexpr auto name = "cast";
    static constexpr bool exact = true;
    static constexpr tensor_type infer(call const& c, complaint&) { return {static_cast<dtype>(c.attr.n[0]), c.operand[0].shape}; }
    static constexpr auto vjp(auto g, auto, auto x) { return g.cast(x.type()); }
    static constexpr auto jvp(auto t, auto y, auto) { return t.cast(y.type()); }
};

/// The operand itself, in memory of its own: how an input or a view becomes a result.
struct copy : elementwise<copy, 1> {
    static constexpr auto name = "copy";
    static constexpr bool exact = true;
    static constexpr auto eval(auto x) { return x; }
    static constexpr auto derivative(auto, auto) { return 1; }
    static constexpr tensor_type infer(call const& c, complaint&) { return c.operand[0]; }
};

/// The operand itself, told from it: what a function that is differentiated is called with (expr/transforms.hpp). n[0] and n[1] tell
/// whose argument it is; simplification takes it away.
struct argument : elementwise<argument, 1> {
    static constexpr auto name = "argument";
    static constexpr bool exact = true;
    static constexpr auto eval(auto x) { return x; }
    static constexpr auto derivative(auto, auto) { return 1; }
    static constexpr tensor_type infer(call const& c, complaint&) { return c.operand[0]; }
};

/// The operand, seen as a constant by every derivative.
struct stop_gradient : elementwise<stop_gradient, 1> {
    static constexpr auto name = "stop_gradient";
    static constexpr bool exact = true;
    static constexpr auto eval(auto x) { return x; }
    static constexpr auto derivative(auto, auto) { return 0; }
    static constexpr tensor_type infer(call const& c, complaint&) { return c.operand[0]; }
};

}  // namespace gradus::inline GRADUS_ARCH::op
