// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/graph/derive.hpp>

#include <type_traits>

// From the struct of an operation to its op_info.
namespace gradus {

namespace core {

/// Whether operations of that kind have a vjp and a jvp.
constexpr bool has_derivative(op_kind kind) { return kind != op_kind::leaf && kind != op_kind::marker && kind != op_kind::control && kind != op_kind::list; }
/// True where the formula is constexpr: then constants fold in the compiler.
template <class Op>
concept foldable = requires { typename std::integral_constant<bool, (static_cast<void>(Op::eval(1.0)), true)>; } ||
                   requires { typename std::integral_constant<bool, (static_cast<void>(Op::eval(1.0, 1.0)), true)>; };
template <class Op>
concept has_formula = requires(double x) { Op::eval(x); } || requires(double x) { Op::eval(x, x); } ||
                      requires(double x) { Op::eval(true, x, x); } || requires(double x) { Op::eval(x, x, x); };
}  // namespace core

/// The name and the kind of an operation, without its rules.
template <class Op>
inline constexpr op_info label_of{nullptr, Op::name, core::type_id<Op>, Op::kind, Op::arity, false, false, nullptr, nullptr, nullptr, nullptr};

template <class Op>
constexpr op_info make_info() {
    op_info info{&label_of<Op>, Op::name, core::type_id<Op>, Op::kind, Op::arity, core::foldable<Op>, false, &Op::infer, nullptr, nullptr, nullptr};
    if constexpr (core::has_derivative(Op::kind)) {
        info.differentiable = true;
        info.vjp = &core::vjp_of<Op>;
        info.jvp = &core::jvp_of<Op>;
    }
    if constexpr (core::has_formula<Op>)
        info.eval = &core::eval_of<Op>;
    if constexpr (requires { &Op::whole; })
        info.whole = &Op::whole;
    return info;
}

/// The rules of an operation as a constant.
template <class Op>
inline constexpr op_info info_of = make_info<Op>();

}  // namespace gradus

#include <gradus/graph/build.hpp>  // last: it defines what derivative rules call
