// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/formula.hpp>

// What the rules of simplification are written in. An operation states its own: simplify(y, operands...) is a value that costs less and
// equals y, the operation on these operands, or y where there is none. Operands are simple already, what a rule makes will be; a result
// of fewer elements is repeated to y's shape. transform/simplify.hpp asks.
namespace gradus::inline GRADUS_ARCH::op {

struct neg;
struct add;
struct mul;
struct mul_no_nan;
struct div;
struct square;
struct exp;
struct sigmoid;
struct broadcast_to;

/// Is a value the result of that operation?
template <class Op>
constexpr bool is(auto const& x) {
    return x.template is<Op>();
}
constexpr bool same(auto const& a, auto const& b) { return a.id() == b.id(); }
/// A single element, repeated.
constexpr bool repeats_single(auto const& x) { return is<broadcast_to>(x) && x.operand(0).shape().is_single(); }

/// Of a constant times something: which operand is the constant; -1 of anything else.
constexpr int factor_in(auto const& x) {
    if (!is<mul>(x)) return -1;
    for (int k = 0; k < 2; ++k)
        if (x.operand(k).is_constant() && x.operand(1 - k).shape() == x.shape()) return k;
    return -1;
}
constexpr double factor_of(auto const& x) { return x.operand(factor_in(x)).attr().value; }
constexpr auto without_factor(auto const& x) { return x.operand(1 - factor_in(x)); }

/// May a factor move over another product? What it had scaled before is then this much larger or smaller on the way, so that
/// numbers at the ends of the range, these ten of 250 binades, overflow or vanish where they did not.
constexpr bool may_move(double c) {
    if (c < 0) c = -c;
    return c >= 0x1p-10 && c <= 0x1p10;
}
constexpr bool is_power_of_two(double x) { return may_move(x) && (core::bits_of(x) << 12) == 0; }
/// Is c d a normal number of the type? If not, c (d x) is another number than (c d) x.
constexpr bool may_meet(double c, double d, dtype type) {
    double const most = type == dtype::float32 ? 0x1p126 : 0x1p1022, least = 1 / most;
    if (c < 0) c = -c;
    if (d < 0) d = -d;
    if (!(c >= least && c <= most && d >= least && d <= most)) return false;
    return d >= 1 ? c <= most / d : c >= least / d;
}
/// Constant times something, whose constant may move outwards.
constexpr bool has_movable_factor(auto const& x) { return factor_in(x) >= 0 && may_move(factor_of(x)); }
/// c a + c b and c a - c b, which are c (a + b) and c (a - b)?
constexpr bool has_common_factor(auto const& a, auto const& b) {
    return has_movable_factor(a) && factor_in(b) >= 0 && factor_of(a) == factor_of(b) && a.shape() == b.shape();
}
/// Commutative operands are ordered, constants first, so that a b and b a are one node.
constexpr bool is_ordered(auto const& a, auto const& b) {
    bool const first = a.is_constant(), second = b.is_constant();
    return first == second ? a.id() <= b.id() : first;
}

/// Sums of selections by one condition, as the derivatives of a selection's branches are: where(c, a, 0) + where(c, 0, b) is
/// where(c, a, b), and what is added to one branch only is added there.
constexpr auto sum_of_selections(auto y, auto a, auto b) -> decltype(y) {
    if (!is<where>(a) || !is<where>(b) || !same(a.operand(0), b.operand(0))) return y;
    auto const joins = [&](int k) { return a.operand(k).is_constant(0) || b.operand(k).is_constant(0); };
    if (!joins(1) && !joins(2)) return y;
    auto const branch = [&](int k) {
        auto const p = a.operand(k), q = b.operand(k);
        return p.is_constant(0) ? q : q.is_constant(0) ? p : p + q;
    };
    auto const if_true = branch(1);  // named: compilers evaluate operands in orders of their own
    return gradus::where(a.operand(0), if_true, branch(2));
}

/// Of 1 + exp(x): which operand is the exponential; -1 of anything else.
constexpr int exponential_in(auto const& x) {
    if (!is<add>(x)) return -1;
    for (int k = 0; k < 2; ++k)
        if (x.operand(1 - k).is_constant(1) && is<exp>(x.operand(k))) return k;
    return -1;
}
/// Quotients of quotients, as the derivative of log(a / b) makes them: (x / a) (a / b) = x / b.
constexpr bool cancels(auto const& left, auto const& right) {
    return is<div>(left) && is<div>(right) && same(left.operand(1), right.operand(0));
}

}  // namespace gradus::inline GRADUS_ARCH::op
