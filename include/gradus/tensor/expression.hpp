// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/structure.hpp>
#include <gradus/tensor/state.hpp>

#include <cstring>
#include <tuple>

// Expressions on tensors: the same language, the operands hold values. `matmul(x, w) + b` owns handles of x, w and b, so it
// never dangles, and computes nothing until it is assigned to a tensor.

// g++ takes names in an instantiated lambda for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

namespace gradus {

template <element T, extent... E>
class tensor;

/// What an expression on tensors is when it is computed; `gr::tensor z = e;` finds its type here.
template <element T, extent... E>
struct evaluates_to {
    using gradus_symbolic = void;
    using tensor_type_of = tensor<T, E...>;
    static constexpr tensor_type type{dtype_of<T>, {E...}};
};

namespace core {

/// A plain number among tensors: `0.5f * t`.
template <element T>
struct number {
    using gradus_symbolic = void;
    static constexpr tensor_type type{dtype_of<T>, {}};
    static constexpr int weight = 1;
    T value;
};

template <tensor_type Type, class Axes>
struct evaluation_base;
template <tensor_type Type, int... Axis>
struct evaluation_base<Type, std::integer_sequence<int, Axis...>> {
    using type = evaluates_to<element_t<Type.type>, Type.shape[Axis]...>;
};
template <class Op, class... A>
constexpr tensor_type inferred_type = [] {
    complaint ignored;  // reported where the expression is built
    return infer<Op, A...>(ignored);
}();
template <class Op, class... A>
using evaluation_base_t = typename evaluation_base<inferred_type<Op, A...>, std::make_integer_sequence<int, inferred_type<Op, A...>.shape.rank()>>::type;

/// A tensor that is declared as `Type`. (A function: an alias of the tensor makes g++ 12 crash.)
template <tensor_type Type>
auto declared_as(tensor_ref state) {
    return typename evaluation_base<Type, std::make_integer_sequence<int, Type.shape.rank()>>::type::tensor_type_of(std::move(state));
}
// Types along other axes.
constexpr tensor_type with_axes(tensor_type const& t, int axis, shape const& instead, int skipped = 1) {
    tensor_type made{t.type, {}};
    for (int i = 0; i < axis; ++i) made.shape.push_back(t.shape[i]);
    for (int i = 0; i < instead.rank(); ++i) made.shape.push_back(instead[i]);
    for (int i = axis + skipped; i < t.shape.rank(); ++i) made.shape.push_back(t.shape[i]);
    return made;
}
constexpr tensor_type without_axis(tensor_type const& t, int axis) { return with_axes(t, axis, {}); }
constexpr tensor_type with_axis(tensor_type const& t, int axis, extent e) { return with_axes(t, axis, {e}, 0); }
constexpr tensor_type with_extent(tensor_type const& t, int axis, extent e) { return with_axes(t, axis, {e}); }

}  // namespace core

/// An operation on tensors, numbers, constants and expressions on them.
template <class Op, class... A>
struct tensor_expression : core::evaluation_base_t<Op, A...> {
    static constexpr int weight = 1 + (0 + ... + A::weight);
    std::tuple<A...> operands;

    explicit tensor_expression(A... a) : operands(std::move(a)...) {}
};

namespace core {

template <class T>
inline constexpr bool is_tensor = false;
template <class T, extent... E>
inline constexpr bool is_tensor<tensor<T, E...>> = true;

/// The dtype that plain numbers take in a call: that of the first operand that is no mask.
template <class... A>
constexpr dtype number_type() {
    dtype found = dtype::number;
    auto look = [&]<class X>(std::type_identity<X>) {
        if constexpr (operand<X>)
            if (found == dtype::number && X::type.type != dtype::boolean) found = X::type.type;
    };
    (look(std::type_identity<A>{}), ...);
    return found == dtype::number ? dtype::float32 : found;
}
template <class T, dtype To>
constexpr text number_complaint() {
    return concat("gradus: a number with a fraction (", std::is_same_v<T, float> ? "float" : "double", ") meets a tensor of ", name_of(To), ". Convert the tensor with gr::cast, or write a whole number");
}
template <dtype To, class T>
auto as_operand(T&& given) {
    using X = std::remove_cvref_t<T>;
    if constexpr (operand<X>) return X(std::forward<T>(given));
    else {
        static_assert(std::is_arithmetic_v<X>, "gradus: an operand is neither a tensor, an expression, nor a number");
        if constexpr (std::is_floating_point_v<X> && !is_floating(To)) report<&number_complaint<X, To>>();
        return number<element_t<To>>{static_cast<element_t<To>>(given)};
    }
}
template <class Op, class... A>
auto make_tensor_expression(A... operands) {
    report<&complaint_of<Op, A...>>();
    if constexpr ((0 + ... + A::weight) > weight_limit) return std::get<0>(std::tuple<A...>{std::move(operands)...});
    else return tensor_expression<Op, A...>(std::move(operands)...);
}

}  // namespace core

template <class Op, class... A>
    requires(run_time_operand<A> || ...)
auto build(op_tag<Op>, A... operands) {
    return core::make_tensor_expression<Op>(core::as_operand<core::number_type<A...>()>(std::move(operands))...);
}

/// On tensors `let` is what the function returns: a model that names its parts takes symbols and tensors alike.
template <class F>
    requires run_time_operand<std::invoke_result_t<F const&>>
constexpr auto let(F f) {
    return f();
}

namespace core {

// ---- from values to slots

template <class X>
inline constexpr int leaf_count = 0;
template <class T, extent... E>
inline constexpr int leaf_count<tensor<T, E...>> = 1;
template <class T>
inline constexpr int leaf_count<number<T>> = 1;
template <class Op, class... A>
inline constexpr int leaf_count<tensor_expression<Op, A...>> = (0 + ... + leaf_count<A>);

template <class E>
constexpr bool has_symbol(std::type_identity<E>) { return false; }
template <fixed_string Name, class T, extent... E>
constexpr bool has_symbol(std::type_identity<symbol<Name, T, E...>>) { return true; }
template <class Op, class... A>
constexpr bool has_symbol(std::type_identity<expr<Op, A...>>) { return (has_symbol(std::type_identity<A>{}) || ...); }
template <class F>
constexpr bool has_symbol(std::type_identity<let_expr<F>>) { return has_symbol(std::type_identity<typename let_expr<F>::body>{}); }

/// An expression with its K-th, K+1-th, ... leaves replaced by slots.
template <class X, int K>
struct slotted {
    static_assert(!has_symbol(std::type_identity<X>{}), "gradus: a symbol meets a tensor in one expression: symbols are for compiled programs, bind the tensor to it there");
    using type = X;
};
template <class T, extent... E, int K>
struct slotted<tensor<T, E...>, K> {
    using type = slot<K, T, E...>;
};
template <class T, int K>
struct slotted<number<T>, K> {
    using type = slot<K, T>;
};
template <class Op, int K, class Done, class... Left>
struct slotted_operands;
template <class Op, int K, class... Done>
struct slotted_operands<Op, K, std::tuple<Done...>> {
    using type = expr<Op, Done...>;
};
template <class Op, int K, class... Done, class X, class... Left>
struct slotted_operands<Op, K, std::tuple<Done...>, X, Left...> : slotted_operands<Op, K + leaf_count<X>, std::tuple<Done..., typename slotted<X, K>::type>, Left...> {};
template <class Op, class... A, int K>
struct slotted<tensor_expression<Op, A...>, K> : slotted_operands<Op, K, std::tuple<>, A...> {};

/// A leaf of an expression at run time: a tensor, or a number whose bytes stand in `number`.
struct leaf {
    tensor_state* tensor = nullptr;
    double number = 0;

    void const* number_bytes() const { return &number; }
};
template <class T, extent... E>
void collect(tensor<T, E...> const& t, leaf*& to) {
    to++->tensor = t.state().get();
}
template <class T>
void collect(number<T> const& n, leaf*& to) {
    std::memcpy(&to++->number, &n.value, sizeof n.value);
}
void collect(expression auto const&, leaf*&) {}
template <class Op, class... A>
void collect(tensor_expression<Op, A...> const& e, leaf*& to) {
    std::apply([&](A const&... a) { (collect(a, to), ...); }, e.operands);
}

/// Facts about each leaf that the type tells.
struct leaf_facts {
    tensor_type type;
    bool is_number = false;
};
template <class X>
constexpr void leaf_facts_of(std::type_identity<X>, leaf_facts*&) {}
template <class T, extent... E>
constexpr void leaf_facts_of(std::type_identity<tensor<T, E...>>, leaf_facts*& to) {
    *to++ = {tensor<T, E...>::type, false};
}
template <class T>
constexpr void leaf_facts_of(std::type_identity<number<T>>, leaf_facts*& to) {
    *to++ = {number<T>::type, true};
}
template <class Op, class... A>
constexpr void leaf_facts_of(std::type_identity<tensor_expression<Op, A...>>, leaf_facts*& to) {
    (leaf_facts_of(std::type_identity<A>{}, to), ...);
}
template <class X>
inline constexpr auto facts_of_leaves = [] {
    std::array<leaf_facts, leaf_count<X> + 1> facts;
    leaf_facts* to = facts.data();
    leaf_facts_of(std::type_identity<X>{}, to);
    return facts;
}();

/// Throws the shape_error of the first operation of `X` that refuses the shapes that its leaves have at run time.
template <class X>
struct actual_type {
    static tensor_type of(leaf const*&) { return X::type; }
};
template <class T, extent... E>
struct actual_type<tensor<T, E...>> {
    static tensor_type of(leaf const*& at) {
        tensor_type t{dtype_of<T>, {}};
        tensor_state const& state = *at++->tensor;
        for (int i = 0; i < state.rank; ++i) t.shape.push_back(tensor<T, E...>::type.shape[i].is_static() ? extent(state.extents[i]) : extent::measured(state.extents[i]));
        return t;
    }
};
template <class T>
struct actual_type<number<T>> {
    static tensor_type of(leaf const*& at) { return ++at, number<T>::type; }
};
template <class Op, class... A>
struct actual_type<tensor_expression<Op, A...>> {
    [[gnu::cold]] static tensor_type of(leaf const*& at) {
        using O = typename operation<Op>::type;
        parameters given = operation<Op>::given;
        call c{given.attr, given.target, {actual_type<A>::of(at)...}, sizeof...(A)};
        int next = 0;
        for (int axis = 0; axis < c.target.rank(); ++axis) {
            if (c.target[axis] != dyn) continue;
            while (next < c.operand[0].shape.rank() && tensor_operand_type<0, A...>().shape[next].is_static()) ++next;
            if (next < c.operand[0].shape.rank()) c.target[axis] = c.operand[0].shape[next++];
        }
        text message;
        complaint fail{&message};
        tensor_type result = O::infer(c, fail);
        if (!fail.failed) return result;
        constexpr std::string_view operands[] = {"()", "(a)", "(a, b)", "(a, b, c)"};
        throw shape_error(concat("gradus::", O::name, operands[sizeof...(A)], ": ", message).str());
    }
    template <int I, class... B>
    static constexpr tensor_type tensor_operand_type() { return std::tuple_element_t<I, std::tuple<B...>>::type; }
};

}  // namespace core
}  // namespace gradus

#pragma GCC diagnostic pop
