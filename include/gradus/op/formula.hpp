// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/hash.hpp>
#include <gradus/core/shape.hpp>
#include <gradus/core/unifier.hpp>
#include <gradus/op/roles.hpp>

#include <array>
#include <cstddef>
#include <type_traits>
#include <utility>

namespace gradus::inline GRADUS_ARCH {

/// What an operation knows beside its operands: axes, offsets, a value. One meaning per operation, stated in its file.
struct attributes {
    double value = 0;
    std::int64_t n[max_rank]{};

    constexpr bool operator==(attributes const& other) const {
        if (core::bits_of(value) != core::bits_of(other.value)) return false;
        for (int i = 0; i < max_rank; ++i)
            if (n[i] != other.n[i]) return false;
        return true;
    }
};

constexpr attributes first_attribute(std::int64_t n) {
    attributes attr;
    attr.n[0] = n;
    return attr;
}

/// How the compiler treats an operation.
enum class op_kind {
    leaf,         ///< symbol, constant, extent: no operands
    elementwise,  ///< one formula for every element, operands broadcast
    reduction,    ///< folds axes away
    view,         ///< the same elements seen differently: no work, or a copy
    contraction,  ///< sums of products
    movement,     ///< elements to other places: pad, concatenate
    whole,        ///< none of these has a kernel for it: computed by its text `whole`
    control,      ///< runs graphs of its own: scan, cond
    list,         ///< what those are applied to; no value
    marker        ///< grad, jvp, update: gone after differentiation
};

/// Operations of arithmetic that the loop interpreter computes in registers where they follow each other.
enum class arithmetic_kind : std::uint8_t { none, neg, square, add, sub, mul, div };

/// How a reduction makes one element of many, where the loops of the library do it.
enum class reducer { none, sum, max };

/// What one axis of a view's result reads: its element j is element first + named_first + step j of the operand's axis `from`, or
/// repeats (-1).
struct view_axis {
    int from = -1;
    std::int64_t first = 0, step = 1;
    extent named_first{};
};

/// An operation with what it is applied to, as its shape rule sees it.
struct call {
    attributes attr;
    shape target;  ///< the shape asked for, where an operation is told one (reshape, broadcast_to, slice, pad)
    tensor_type operand[3];
    int count = 0;
    core::unifier* unknowns = nullptr;  ///< collects what the rule demands of extents that are known at run time

    /// Can these extents be equal? An extent that is known at run time can be any number; the demand is noted.
    constexpr bool same(extent a, extent b) const {
        if (a.code == b.code && (a.is_static() || a.more == b.more)) return true;
        if (a == dyn || b == dyn) return true;
        return unknowns && unknowns->join(a, b);
    }
    constexpr bool same(shape const& a, shape const& b) const {
        bool equal = a.rank() == b.rank();
        for (int i = 0; equal && i < a.rank(); ++i) equal = same(a[i], b[i]);
        return equal;
    }
    /// Does only run time tell an extent of these, while demands are collected?
    constexpr bool is_unknown(shape const& s) const {
        bool all = true;
        for (int i = 0; i < s.rank(); ++i) all = all && s[i].is_expressible();
        return unknowns && !all;
    }
    /// Of two extents that are the same, the one that says more.
    static constexpr extent either(extent a, extent b) { return a.is_static() || (a.is_named() && !b.is_static()) ? a : b; }
};

/// What a kernel of an operation may use beside its operands: memory (`scratch_bytes` of it, on a cache line), and which of several
/// threads it runs on, each of which computes a part of the result.
struct kernel_work {
    std::byte* scratch = nullptr;
    int thread = 0, threads = 1;
};

/// Floating-point operations: so many for each element of such a shape.
struct operation_count {
    shape of;
    std::int64_t each = 0;
};

/// Collects why a call is wrong. Costs nothing while nothing is.
struct complaint {
    gradus::text* text = nullptr;
    bool failed = false;

    constexpr tensor_type operator()(auto const&... pieces) {
        failed = true;
        if (text) *text = core::concat(pieces...);
        return {};
    }
};

/// A symbolic operand (an expression type or a node of a graph under construction): operations on it build.
template <class T>
concept symbolic = requires { typename T::gradus_symbolic; };

/// Which operand of an operation holds indices along which axis of the first; with `ignores`, `ignored` is no index either and fine.
struct indexed_axis {
    int operand = 1, axis = 0;
    bool ignores = false;
    std::int64_t ignored = 0;
};

template <class Op>
struct op_tag {};

namespace core {
/// Does an operation that is no formula of elements say that the library has a kernel for it?
template <class Op>
inline constexpr bool has_kernel = requires { requires Op::runs_by != own_kernel::none; };
/// Does an operation select by its first operand, a truth value?
template <class Op>
inline constexpr bool selects = requires { requires Op::connects == connective_kind::selection; };
/// Does it hand its operand on under another dtype?
template <class Op>
inline constexpr bool converts = requires { requires Op::converts; };
/// Does a view say how loops read it in place: axis by axis, or that it keeps the order of the elements?
template <class Op>
inline constexpr bool states_view = requires { &Op::view; } || requires { requires Op::same_order; };
/// Does a reduction say how loops fold with it?
template <class Op>
inline constexpr bool states_reducer = requires { requires Op::reduces_by != reducer::none; };
/// Do loops compute an operation of users' that is no formula of elements, because it says how?
template <class Op>
inline constexpr bool runs_in_loops = requires {
    requires !has_kernel<Op>;
    requires(Op::kind == op_kind::view && states_view<Op>) || (Op::kind == op_kind::reduction && states_reducer<Op>);
};
/// What passes and kernels take an operation for: one on whole tensors that they have no kernel for, as users write it, is computed by its
/// `whole`.
template <class Op>
inline constexpr op_kind kind_of_operation =
    (Op::kind == op_kind::reduction || Op::kind == op_kind::view || Op::kind == op_kind::contraction || Op::kind == op_kind::movement) &&
            !has_kernel<Op> && !runs_in_loops<Op>
        ? op_kind::whole
        : Op::kind;
}  // namespace core

/// A node of a graph under construction (graph/value.hpp). Named here because rules of operations call each other in
/// circles, which deduced return types could not.
class value;
template <class... A>
concept on_values = (std::is_same_v<A, value> || ...);

/// How many results an operation has.
template <class Op>
inline constexpr int result_count = 1;
template <class Op>
    requires requires { Op::results; }
inline constexpr int result_count<Op> = Op::results;
inline constexpr int max_results = 4;
/// The attribute of an operation with several results that says which of them a node is.
inline constexpr int result_attribute = max_rank - 1;
constexpr int result_of(attributes const& attr) { return static_cast<int>(attr.n[result_attribute]); }
constexpr attributes of_result(attributes attr, int k) {
    attr.n[result_attribute] = k;
    return attr;
}

/// Applies an operation: builds where an operand is symbolic, computes where all are numbers or SIMD lanes.
template <class Op, class... A>
    requires(on_values<A...> && result_count<Op> == 1)
constexpr value apply(A... a);
/// All results.
template <class Op, class... A>
    requires(on_values<A...> && result_count<Op> > 1)
constexpr std::array<value, static_cast<std::size_t>(result_count<Op>)> apply(A... a);
template <class Op, class... A>
constexpr auto apply(A... a) {
    if constexpr (result_count<Op> > 1) return build_all(op_tag<Op>{}, std::move(a)...);
    else if constexpr ((symbolic<A> || ...)) return build(op_tag<Op>{}, std::move(a)...);
    else return Op::eval(a...);
}

namespace op {
struct where;

template <class... Ops>
struct op_list {
    static constexpr int size = sizeof...(Ops);
};
}  // namespace op

template <class C, class A, class B>
    requires on_values<C, A, B>
constexpr value where(C condition, A a, B b);
/// Selects `a` where the condition holds and `b` elsewhere; what is not selected never reaches the result.
template <class C, class A, class B>
constexpr auto where(C condition, A a, B b) {
    if constexpr (symbolic<C> || symbolic<A> || symbolic<B>) return apply<op::where>(condition, a, b);
    else if constexpr (std::is_same_v<C, bool>) {
        using T = std::common_type_t<A, B>;
        return condition ? static_cast<T>(a) : static_cast<T>(b);
    } else if constexpr (std::is_arithmetic_v<A>) return select(condition, B(static_cast<typename B::value_type>(a)), b);
    else if constexpr (std::is_arithmetic_v<B>) return select(condition, a, A(static_cast<typename A::value_type>(b)));
    else return select(condition, a, b);
}

}  // namespace gradus::inline GRADUS_ARCH
