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
    static constexpr auto holds = leaf_kind::symbol;
    static constexpr int number(attributes const& attr) { return static_cast<int>(attr.n[0]); }
    static constexpr attributes numbered(int number) { return first_attribute(number); }
};

/// A rank 0 constant, `value`.
struct constant : leaf {
    static constexpr auto name = "constant";
    static constexpr auto holds = leaf_kind::constant;
    static constexpr void print(text& out, attributes const& attr, tensor_type const&) {
        out += ' ';
        core::append(out, attr.value);
    }
};

/// A number of elements as a scalar: `value` times up to three named dimensions, whose codes are n[2i], n[2i + 1].
struct size : leaf {
    static constexpr auto name = "size";
    static constexpr auto holds = leaf_kind::size;
    static constexpr int most = 3;
    /// Dimension i; 0 where there are fewer.
    static constexpr extent dimension(attributes const& attr, int i) {
        extent e;
        e.code = attr.n[2 * i];
        e.more = attr.n[2 * i + 1];
        return e;
    }
    static constexpr void set_dimension(attributes& attr, int i, extent e) {
        attr.n[2 * i] = e.code;
        attr.n[2 * i + 1] = e.more;
    }
};

/// The index along axis n[0] of the node's shape.
struct iota : leaf {
    static constexpr auto name = "iota";
    static constexpr auto holds = leaf_kind::iota;
    static constexpr int axis(attributes const& attr) { return static_cast<int>(attr.n[0]); }
    static constexpr attributes along(int axis) { return first_attribute(axis); }
    static constexpr void print(text& out, attributes const& attr, tensor_type const&) {
        core::append(out, core::concat(" axis=", axis(attr)).view());
    }
};

/// The operand under another dtype, n[0]. The derivative is cast back; integers and booleans have none.
struct cast : elementwise<cast, 1> {
    static constexpr auto name = "cast";
    static constexpr bool exact = true;
    static constexpr bool converts = true;
    static constexpr dtype target(attributes const& attr) { return static_cast<dtype>(attr.n[0]); }
    static constexpr attributes to(dtype type) { return first_attribute(static_cast<std::int64_t>(type)); }
    static constexpr tensor_type infer(call const& c, complaint&) { return {target(c.attr), c.operand[0].shape}; }
    static constexpr auto vjp(auto g, auto, auto x) { return g.cast(x.type()); }
    static constexpr auto jvp(auto t, auto y, auto) { return t.cast(y.type()); }
    static constexpr auto simplify(auto y, auto x) -> decltype(y) { return x.type() == y.type() ? x : y; }
};

/// The operand itself, in memory of its own: how an input or a view becomes a result.
struct copy : elementwise<copy, 1> {
    static constexpr auto name = "copy";
    static constexpr bool copies = true;
    /// Attributes of one copy more of the same value: nothing else tells them apart.
    static constexpr attributes another(attributes const& attr) { return first_attribute(attr.n[0] + 1); }
    static constexpr bool exact = true;
    static constexpr auto eval(auto x) { return x; }
    static constexpr auto derivative(auto, auto) { return 1; }
    static constexpr tensor_type infer(call const& c, complaint&) { return c.operand[0]; }
};

/// The operand itself, told from it: what a function that is differentiated is called with (expr/transforms.hpp). n[0] and n[1] tell
/// whose argument it is; simplification takes it away.
struct argument : elementwise<argument, 1> {
    static constexpr auto name = "argument";
    static constexpr attributes of_call(std::int64_t call, std::int64_t number) {
        attributes attr;
        attr.n[0] = call;
        attr.n[1] = number;
        return attr;
    }
    static constexpr auto simplify(auto, auto x) -> decltype(x) { return x; }
    static constexpr bool exact = true;
    static constexpr auto eval(auto x) { return x; }
    static constexpr auto derivative(auto, auto) { return 1; }
    static constexpr tensor_type infer(call const& c, complaint&) { return c.operand[0]; }
};

/// The operand, seen as a constant by every derivative.
struct stop_gradient : elementwise<stop_gradient, 1> {
    static constexpr auto name = "stop_gradient";
    static constexpr bool stops_gradient = true;
    static constexpr bool differs_in_derivative = true;
    static constexpr bool exact = true;
    static constexpr auto eval(auto x) { return x; }
    static constexpr auto derivative(auto, auto) { return 0; }
    static constexpr tensor_type infer(call const& c, complaint&) { return c.operand[0]; }
};

}  // namespace gradus::inline GRADUS_ARCH::op
