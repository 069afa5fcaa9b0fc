// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/structure.hpp>
#include <gradus/tensor/state/state.hpp>

#include <cstring>
#include <source_location>
#include <tuple>

// Expressions on tensors: the same language, the operands hold values. `matmul(x, w) + b` owns handles of x, w and b, so it
// never dangles, and computes nothing until it is assigned to a tensor. Whether that is recorded was decided where it was
// written; where a tensor has become another one in between it is refused.

namespace gradus::inline GRADUS_ARCH {

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

/// A plain number among tensors: `0.5f * t`. Where it meets elements of 16 bits it stays a float, and takes their dtype without being
/// rounded, like a constant of a program.
template <element T>
struct number {
    using gradus_symbolic = void;
    using value_type = computed_t<dtype_of<T>>;
    static constexpr tensor_type type{half_element<T> ? gradus::dtype::number : dtype_of<T>, {}};
    static constexpr int weight = 1;
    value_type value;
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
using evaluation_base_t =
    typename evaluation_base<inferred_type<Op, A...>, std::make_integer_sequence<int, inferred_type<Op, A...>.shape.rank()>>::type;

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

template <class T>
inline constexpr bool is_tensor = false;
template <class T, extent... E>
inline constexpr bool is_tensor<tensor<T, E...>> = true;

/// What an expression knows of a tensor: whether it wanted a derivative (the last bit), how often it was written to, and how often
/// detach_ took its history. (That counts as more writes than happen between an expression and its use.)
inline constexpr std::uint32_t writes_per_turn = 0x1E3779B1;
[[gnu::always_inline]] inline std::uint32_t glimpse_of(tensor_state const& t) {
    return (t.memory->written_times() + t.turns * writes_per_turn) << 1 | std::uint32_t{t.is_recorded()};
}
/// The writes from one glimpse to another, in bits of `mask`; more than there are where the derivative that was wanted can no longer
/// be had. One that is wanted now only changes nothing: the expression goes on without it.
[[gnu::always_inline]] inline std::uint32_t difference_of(std::uint32_t seen, std::uint32_t now, std::uint32_t mask) {
    std::uint32_t const writes = ((now >> 1) - (seen >> 1)) & mask >> 1;
    return writes == 0 && (seen & ~now & 1) ? ~std::uint32_t{0} : writes;
}
/// What the tensors among an expression's operands were when it was written, and whether the thread recorded: one word, as
/// it is moved along with the expression many times. (Of three tensors it has 21 bits of each.)
template <class... A>
class captured {
public:
    [[gnu::always_inline]] explicit captured(A const&... a) {
        int next = 0;
        (look(a, next), ...);
    }
    bool records() const { return word_ & 1; }
    /// What is known of tensor number `i`: bits of `mask`.
    std::uint32_t glimpse(int i) const { return static_cast<std::uint32_t>(word_ >> (1 + i * bits)) & mask; }
    static constexpr int tensors = (int{is_tensor<A>} + ... + 0);
    static constexpr int bits = tensors > 1 ? 63 / tensors : 32;
    static constexpr std::uint32_t mask = static_cast<std::uint32_t>((std::uint64_t{1} << bits) - 1);

private:
    template <class X>
    [[gnu::always_inline]] void look(X const& x, int& next) {
        if constexpr (is_tensor<X>) {
            if (x.defined()) word_ |= std::uint64_t{glimpse_of(*x.state()) & mask} << (1 + next * bits);
            ++next;
        }
    }
    std::uint64_t word_ = modes.records;
};

template <std::size_t I, class A>
struct operand_at {
    A value;
};
template <class Indices, class... A>
struct indexed_operands;
/// The operands of an expression. An aggregate: a std::tuple has a dozen functions for each of them, which made a fifth of the functions
/// of a statement.
template <std::size_t... I, class... A>
struct indexed_operands<std::index_sequence<I...>, A...> : operand_at<I, A>... {};
template <class... A>
using held_operands = indexed_operands<std::index_sequence_for<A...>, A...>;
template <std::size_t I, class A>
A const& get(operand_at<I, A> const& operand) {
    return operand.value;
}
/// f of all operands, as std::apply.
template <class F, std::size_t... I, class... A>
decltype(auto) apply_on(F const& f, indexed_operands<std::index_sequence<I...>, A...> const& operands) {
    return f(get<I>(operands)...);
}

/// The tensor that an expression is computed as.
template <class X>
auto computed_now(X const& x, std::source_location where) {
    return typename X::tensor_type_of(x, where);
}
}  // namespace core

/// An operation on tensors, numbers, constants and expressions on them.
template <class Op, class... A>
struct tensor_expression : core::evaluation_base_t<Op, A...> {
    static constexpr int weight = 1 + (0 + ... + A::weight);
    core::captured<A...> seen;
    core::held_operands<A...> operands;

    [[gnu::always_inline]] explicit tensor_expression(A&&... a) : seen(a...), operands{{std::move(a)}...} {}

    /// What tensors of one element do, computed for this alone: `gr::sum(t).item()`, `double d = gr::sum(t)`.
    auto item(std::source_location where = std::source_location::current()) const { return core::computed_now(*this, where).item(); }
    operator element_t<core::inferred_type<Op, A...>.type>() const  // NOLINT: a scalar is a number
        requires(core::inferred_type<Op, A...>.shape.rank() == 0)
    {
        return item();
    }
};

namespace core {

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
    return concat("gradus: a number with a fraction (", std::is_same_v<T, float> ? "float" : "double", ") meets a tensor of ", name_of(To),
                  ". Convert the tensor with gr::cast, or write a whole number");
}
template <dtype To, class T>
decltype(auto) as_operand(T&& given) {
    using X = std::remove_cvref_t<T>;
    if constexpr (operand<X>) return std::forward<T>(given);
    else {
        static_assert(std::is_arithmetic_v<X>, "gradus: an operand is neither a tensor, an expression, nor a number");
        if constexpr (std::is_floating_point_v<X> && !is_floating(To)) report<&number_complaint<X, To>>();
        return number<element_t<To>>{static_cast<computed_t<To>>(given)};
    }
}
template <class Op, class... A>
[[gnu::always_inline]] inline auto make_tensor_expression(A&&... operands) {
    if constexpr ((is_refused<A> || ...)) return tensor_expression<refused, A...>(std::move(operands)...);
    else if constexpr (is_empty<&complaint_of<Op, A...>>) return tensor_expression<Op, A...>(std::move(operands)...);
    else {
        report<&complaint_of<Op, A...>>();
        if constexpr ((0 + ... + A::weight) > weight_limit) return get<0>(held_operands<A...>{{std::move(operands)}...});
        else return tensor_expression<refused, A...>(std::move(operands)...);
    }
}

template <class X>
constexpr text no_memory() {
    return concat("gradus: an expression has no memory to add to: auto total = ", operation<X>::type::name,
                  "(...) computes nothing yet. Write gr::tensor total = ..., which is computed at once and can be written to");
}

}  // namespace core

// An expression is no variable: what `auto` holds is refused with a sentence.
template <class Op, class... A>
void operator+=(tensor_expression<Op, A...>&, auto const&) {
    core::report<&core::no_memory<Op>>();
}
template <class Op, class... A>
void operator-=(tensor_expression<Op, A...>&, auto const&) {
    core::report<&core::no_memory<Op>>();
}
template <class Op, class... A>
void operator*=(tensor_expression<Op, A...>&, auto const&) {
    core::report<&core::no_memory<Op>>();
}
template <class Op, class... A>
void operator/=(tensor_expression<Op, A...>&, auto const&) {
    core::report<&core::no_memory<Op>>();
}

template <class Op, class... A>
    requires((run_time_operand<A> || ...) && !(is_any_tensor<A> || ...))
auto build(op_tag<Op>, A... operands) {
    return core::make_tensor_expression<Op>(core::as_operand<core::number_type<A...>()>(std::move(operands))...);
}

}  // namespace gradus::inline GRADUS_ARCH
