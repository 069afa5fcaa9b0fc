// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/elementwise.hpp>

namespace gradus::inline GRADUS_ARCH::op {

/// Base of the comparisons: numbers in, booleans out, no derivative.
template <class Op>
struct comparison : elementwise<Op, 2> {
    static constexpr auto accepted = accepts::numbers;
    static constexpr bool steps = true;
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        common_dtype(c, 0, accepts::numbers, fail);
        return fail.failed ? tensor_type{} : tensor_type{dtype::boolean, broadcast(c, fail)};
    }
};

struct less : comparison<less> {
    static constexpr auto name = "less";
    static constexpr auto eval(auto a, auto b) { return a < b; }
};
struct less_equal : comparison<less_equal> {
    static constexpr auto name = "less_equal";
    static constexpr auto eval(auto a, auto b) { return a <= b; }
};
struct greater : comparison<greater> {
    static constexpr auto name = "greater";
    static constexpr auto eval(auto a, auto b) { return a > b; }
};
struct greater_equal : comparison<greater_equal> {
    static constexpr auto name = "greater_equal";
    static constexpr auto eval(auto a, auto b) { return a >= b; }
};
struct equal : comparison<equal> {
    static constexpr auto name = "equal";
    static constexpr auto eval(auto a, auto b) { return a == b; }
};
struct not_equal : comparison<not_equal> {
    static constexpr auto name = "not_equal";
    static constexpr auto eval(auto a, auto b) { return !(a == b); }  // xsimd 8.1 calls NaN != NaN false on AVX
};

/// Has a cotangent `a` come from what was selected? b is 0 where 0 means that it has not, and NaN where 0 is a number like others.
struct is_reached : comparison<is_reached> {
    static constexpr auto name = "is_reached";
    static constexpr auto connects = connective_kind::reached;
    static constexpr auto eval(auto a, auto b) { return !(a == b); }
};

/// where(c, a, b): a where c holds, b elsewhere, value and derivative alike: the branch not taken never leaks.
struct where : elementwise<where, 3> {
    static constexpr auto name = "where";
    static constexpr auto connects = connective_kind::selection;
    static constexpr bool exact = true;
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        if (c.operand[0].type != dtype::boolean) return fail("the condition is not bool: a is ", c.operand[0]);
        dtype type = common_dtype(c, 1, accepts::numbers, fail);
        return fail.failed ? tensor_type{} : tensor_type{type, broadcast(c, fail)};
    }
    static constexpr auto eval(auto c, auto a, auto b) { return gradus::where(c, a, b); }
    static constexpr auto chain(auto g, auto c, auto, auto, auto) { return std::tuple{0, gradus::where(c, g, 0), gradus::where(c, 0, g)}; }
    static constexpr auto simplify(auto y, auto c, auto a, auto b) -> decltype(y) {
        if (same(a, b)) return b;
        if (c.is_constant()) return c.attr().value != 0 ? a : b;
        if (is<where>(a) && same(a.operand(0), c)) return gradus::where(c, a.operand(1), b);
        if (is<where>(b) && same(b.operand(0), c)) return gradus::where(c, a, b.operand(2));
        return b.is_constant(0) && is_multiple_of_tested(c, a) ? a : y;
    }
    /// Does the condition ask whether x is reached, and is the value x, -x or a constant times x? Then it is 0 where the condition does
    /// not hold.
    static constexpr bool is_multiple_of_tested(auto condition, auto x) {
        if (!is<is_reached>(condition)) return false;
        if (is<neg>(x)) x = x.operand(0);
        if (is<mul>(x) && x.operand(0).is_constant()) x = x.operand(1);
        return same(x, condition.operand(0));
    }
};

}  // namespace gradus::inline GRADUS_ARCH::op
