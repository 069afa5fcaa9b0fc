// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "../program/compare.hpp"

#include <tuple>

namespace compare {

template <class... Op>
std::tuple<std::type_identity<Op>...> as_tuple(gr::op::op_list<Op...>);
using operations = decltype(as_tuple(gr::op::elementwise_list{}));

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

/// Operation number N of the list on a vector of static length with a tail, on a scalar, and on rows that broadcast, their
/// number named. Which loops shapes lead to is tested in kernel/loop and in the tests beside this.
template <gr::dtype T, int N>
struct on_shapes {
    static constexpr gr::graph lower() {
        parts p;
        constexpr gr::shape shapes[][2] = {{{17}, {1}}, {{}, {}}, {{"n", 5}, {5}}};
        for (auto const& s : shapes) {
            add_operation<typename std::tuple_element_t<static_cast<std::size_t>(N), operations>::type>(p, T, s[0], s[1]);
            p.next();
        }
        return p.g;
    }
};

/// All of [First, Last), one a program: short compilation, and room below clang's limit of 2^20 steps an evaluation.
template <gr::dtype T, int First, int Last>
void check_operations() {
    {
        INFO("operation number " << First << " of the list");
        check<on_shapes<T, First>>();
    }
    if constexpr (First + 1 < Last) check_operations<T, First + 1, Last>();
}

}  // namespace compare
