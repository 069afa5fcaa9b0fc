// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/arithmetic.hpp>
#include <gradus/op/comparison.hpp>
#include <gradus/op/leaf.hpp>

#include <limits>

// Truth values. Numbers are true where they are not 0.
namespace gradus::inline GRADUS_ARCH::op {

/// Base of the operations on bools.
template <class Op, int Arity>
struct connective : elementwise<Op, Arity> {
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        for (int i = 0; i < Arity; ++i)
            if (c.operand[i].type != dtype::boolean) return fail("needs bools: ", letter(i), " is ", c.operand[i]);
        return {dtype::boolean, broadcast(c, fail)};
    }
};
/// A bool, or lanes of them; the interpreter has numbers.
constexpr auto as_truth(auto x) {
    if constexpr (std::is_floating_point_v<decltype(x)>) return x != 0;
    else return x;
}
struct both : connective<both, 2> {
    static constexpr auto name = "both";
    static constexpr auto connects = connective_kind::both;
    static constexpr auto eval(auto a, auto b) { return as_truth(a) && as_truth(b); }
};
struct either : connective<either, 2> {
    static constexpr auto name = "either";
    static constexpr auto connects = connective_kind::either;
    static constexpr auto eval(auto a, auto b) { return as_truth(a) || as_truth(b); }
};
struct negation : connective<negation, 1> {
    static constexpr auto name = "negation";
    static constexpr auto connects = connective_kind::negation;
    static constexpr auto eval(auto a) { return !as_truth(a); }
};

/// Base of the predicates: anything in, bools out, no derivative.
template <class Op, int Arity>
struct predicate : composite, elementwise<Op, Arity> {
    using uses = op_list<both, either, negation>;
    static constexpr tensor_type infer(call const& c, complaint& fail) { return {dtype::boolean, broadcast(c, fail)}; }
};
constexpr auto truth(auto x) { return x.cast(dtype::boolean); }

/// Both: numbers are true where they are not 0.
struct logical_and : predicate<logical_and, 2> {
    static constexpr auto name = "logical_and";
    static constexpr auto expand(attributes const&, auto a, auto b) { return apply<both>(truth(a), truth(b)); }
};
/// One of both, or both.
struct logical_or : predicate<logical_or, 2> {
    static constexpr auto name = "logical_or";
    static constexpr auto expand(attributes const&, auto a, auto b) { return apply<either>(truth(a), truth(b)); }
};
/// One of both, not both.
struct logical_xor : predicate<logical_xor, 2> {
    static constexpr auto name = "logical_xor";
    static constexpr auto expand(attributes const&, auto a, auto b) {
        auto p = truth(a), q = truth(b);
        return apply<both>(apply<either>(p, q), apply<negation>(apply<both>(p, q)));
    }
};
/// Not true: 0.
struct logical_not : predicate<logical_not, 1> {
    static constexpr auto name = "logical_not";
    static constexpr auto expand(attributes const&, auto a) { return apply<negation>(truth(a)); }
};

/// Base of questions about floating-point numbers.
template <class Op>
struct classification : composite, elementwise<Op, 1> {
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        common_dtype(c, 0, accepts::floating, fail);
        return {dtype::boolean, c.operand[0].shape};
    }
};
/// Is x not a number?
struct isnan : classification<isnan> {
    static constexpr auto name = "isnan";
    static constexpr auto expand(attributes const&, auto x) { return x != x; }
};
/// Is x infinite?
struct isinf : classification<isinf> {
    static constexpr auto name = "isinf";
    static constexpr auto expand(attributes const&, auto x) { return apply<abs>(x) == std::numeric_limits<double>::infinity(); }
};
/// Is x neither infinite nor NaN?
struct isfinite : classification<isfinite> {
    static constexpr auto name = "isfinite";
    static constexpr auto expand(attributes const&, auto x) { return apply<abs>(x) < std::numeric_limits<double>::infinity(); }
};

}  // namespace gradus::inline GRADUS_ARCH::op
