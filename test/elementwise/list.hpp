// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "../program/compare.hpp"

namespace compare {

/// `Op` on operands of type T that broadcast: the part of a program.
template <class Op>
constexpr void add_operation(parts& p, gr::dtype type, gr::shape const& s, gr::shape const& smaller) {
    using gr::value;
    value x = p.input(0, type, s);
    if constexpr (std::is_same_v<Op, gr::op::where>) {
        value condition = p.input(2, gr::dtype::boolean, s), z = p.input(1, type, smaller);
        p.finish(gr::where(condition, x, z), {x, z});
    } else if constexpr (std::is_same_v<Op, gr::op::cast>) {
        gr::dtype other = type == gr::dtype::float32 ? gr::dtype::float64 : gr::dtype::float32;
        p.finish(gr::apply<gr::op::tanh>(x.cast(other)).cast(type), {x});
        p.finish((x * 10).cast(gr::dtype::int32), {});
        p.finish((x * 10).cast(gr::dtype::int64).cast(type), {});
        p.finish((x > 0.45).cast(type), {});
        p.finish((x > 0.45).cast(gr::dtype::boolean), {});
    } else if constexpr (Op::arity == 1) {
        p.finish(gr::apply<Op>(x), {x});
    } else {
        value y = p.input(1, type, smaller);
        p.finish(gr::apply<Op>(x, y), {x, y});
    }
}

/// `Op` on a vector of static length with a tail, on a scalar, and on rows that broadcast, their number named. Which loops shapes lead
/// to is tested in kernel/loop and in the tests beside this.
template <class Op>
constexpr gr::graph operation_graph(gr::dtype type) {
    parts p;
    constexpr gr::shape shapes[][2] = {{{17}, {1}}, {{}, {}}, {{"n", 5}, {5}}};
    for (auto const& s : shapes) {
        add_operation<Op>(p, type, s[0], s[1]);
        p.next();
    }
    return p.g;
}

/// Compiled.
template <class Op, gr::dtype T>
struct on_shapes {
    using parts = gr::expressions<gr::op_tag<Op>>;  ///< where a program finds what not every one knows
    static constexpr gr::graph lower() { return operation_graph<Op>(T); }
};
/// One a program: short compilation, and room below clang's limit of 2^20 steps an evaluation.
template <gr::dtype T, class... Op>
void check_compiled() {
    (
        [] {
            INFO(std::string(Op::name));
            check<on_shapes<Op, T>>();
        }(),
        ...);
}

/// What only numbers of an integer type do: they wrap nowhere here, and are exact.
template <gr::dtype T>
struct on_integers {
    static constexpr gr::graph lower() {
        parts p;
        constexpr gr::shape shapes[][2] = {{{17}, {1}}, {{}, {}}, {{"n", 5}, {5}}};
        for (auto const& s : shapes) {
            gr::value const x = p.input(0, T, s[0]), y = p.input(1, T, s[1]);
            p.result(x * y - x);
            p.result(gr::apply<gr::op::maximum>(x, y));
            p.result(gr::where(x < y, x, -y));
            p.next();
        }
        return p.g;
    }
};

/// An operation of a user's.
struct damped : gr::unary<damped> {
    static constexpr std::string_view name = "damped";
    static constexpr auto eval(auto x) { return x / (x * x + 1); }
    static constexpr auto derivative(auto x, auto) { return (1 - x * x) / ((x * x + 1) * (x * x + 1)); }
};

}  // namespace compare
