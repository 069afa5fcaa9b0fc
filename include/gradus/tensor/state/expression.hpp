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

}  // namespace core

/// An operation on tensors, numbers, constants and expressions on them.
template <class Op, class... A>
struct tensor_expression : core::evaluation_base_t<Op, A...> {
    static constexpr int weight = 1 + (0 + ... + A::weight);
    core::captured<A...> seen;
    std::tuple<A...> operands;

    [[gnu::always_inline]] explicit tensor_expression(A&&... a) : seen(a...), operands(std::move(a)...) {}
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
constexpr bool has_symbol(std::type_identity<E>) {
    return false;
}
template <fixed_string Name, class T, extent... E>
constexpr bool has_symbol(std::type_identity<symbol<Name, T, E...>>) {
    return true;
}
template <class Op, class... A>
constexpr bool has_symbol(std::type_identity<expr<Op, A...>>) {
    return (has_symbol(std::type_identity<A>{}) || ...);
}
template <class F>
constexpr bool has_symbol(std::type_identity<let_expr<F>>) {
    return has_symbol(std::type_identity<typename let_expr<F>::body>{});
}

/// Is a symbol somewhere among the operands? Such an expression is for a compiled program, which captures its tensors.
template <class Op, class... A>
constexpr bool has_symbol(std::type_identity<tensor_expression<Op, A...>>) {
    return (has_symbol(std::type_identity<A>{}) || ...);
}

/// Is gr::vmap somewhere in an expression on tensors? (tensor/autograd/vmap.hpp)
template <class X>
inline constexpr bool maps_function = false;
template <class Op, class... A>
inline constexpr bool maps_function<tensor_expression<Op, A...>> = (maps_function<A> || ...);

/// What the leaves of an expression become where it is a statement: slots.
struct as_slots {
    template <int K, class T, extent... E>
    using leaf = slot<K, T, E...>;
    static constexpr bool take_symbols = false;
};
/// An expression with its K-th, K+1-th, ... leaves replaced by `Leaves`.
template <class X, int K, class Leaves = as_slots>
struct slotted {
    static_assert(Leaves::take_symbols || !has_symbol(std::type_identity<X>{}),
                  "gradus: a symbol meets a tensor in one expression: such an expression can be compiled (gr::compile), not computed here");
    using type = X;
};
template <class T, extent... E, int K, class Leaves>
struct slotted<tensor<T, E...>, K, Leaves> {
    using type = typename Leaves::template leaf<K, T, E...>;
};
template <class T, int K, class Leaves>
struct slotted<number<T>, K, Leaves> {
    using type = typename Leaves::template leaf<K, T>;
};
template <half_element T, int K, class Leaves>
struct slotted<number<T>, K, Leaves> {
    using type = expr<with<op::cast, cast_parameters<gradus::dtype::number>()>, typename Leaves::template leaf<K, float>>;
};
template <class Op, int K, class Leaves, class Done, class... Left>
struct slotted_operands;
template <class Op, int K, class Leaves, class... Done>
struct slotted_operands<Op, K, Leaves, std::tuple<Done...>> {
    using type = expr<Op, Done...>;
};
template <class Op, int K, class Leaves, class... Done, class X, class... Left>
struct slotted_operands<Op, K, Leaves, std::tuple<Done...>, X, Left...>
    : slotted_operands<Op, K + leaf_count<X>, Leaves, std::tuple<Done..., typename slotted<X, K, Leaves>::type>, Left...> {};
template <class Op, class... A, int K, class Leaves>
struct slotted<tensor_expression<Op, A...>, K, Leaves> : slotted_operands<Op, K, Leaves, std::tuple<>, A...> {};

/// A leaf of an expression at run time: a tensor, or a number whose bytes stand in `number`.
struct leaf {
    tensor_state* tensor = nullptr;
    double number = 0;
    bool records = false;          ///< it wanted a derivative, and every operation on the way to it was written while the thread recorded
    std::uint32_t difference = 0;  ///< of what the tensor is from what it was when the expression was written

    void const* number_bytes() const { return &number; }
};
/// The leaves found so far.
struct leaf_list {
    leaf* to;
    std::uint32_t difference = 0;  ///< of any

    [[gnu::always_inline]] void add(tensor_state* t, bool records, std::uint32_t seen, std::uint32_t mask) {
        leaf& l = *to++;
        l.tensor = t;
        l.records = records && (mask == 0 || (seen & 1));
        if (mask != 0 && t) difference |= l.difference = difference_of(seen, glimpse_of(*t), mask);
    }
};
template <class T, extent... E>
[[gnu::always_inline]] inline void collect(tensor<T, E...> const& t, leaf_list& to, bool records) {
    to.add(t.state().get(), records, 0, 0);
}
template <class T>
[[gnu::always_inline]] inline void collect(number<T> const& n, leaf_list& to, bool) {
    std::memcpy(&to.to++->number, &n.value, sizeof n.value);
}
void collect(expression auto const&, leaf_list&, bool) {}
template <class Op, class... A>
[[gnu::always_inline]] inline void collect(tensor_expression<Op, A...> const& e, leaf_list& to, bool records) {
    using known = captured<A...>;
    records = records && e.seen.records();
    int next = 0;
    auto operand = [&]<class X>(X const& x) __attribute__((always_inline)) {
        if constexpr (is_tensor<X>) to.add(x.state().get(), records, e.seen.glimpse(next++), known::mask);
        else collect(x, to, records);
    };
    [&]<std::size_t... I>(std::index_sequence<I...>)
        __attribute__((always_inline)) { (operand(std::get<I>(e.operands)), ...); }(std::index_sequence_for<A...>{});
}

/// Facts about each leaf that the type tells.
struct leaf_facts {
    tensor_type type;
    bool is_number = false;
    std::string_view read_by{};  ///< the operation, and which operand of it
    int operand = 0;
};
template <class X>
constexpr void leaf_facts_of(std::type_identity<X>, leaf_facts*&, std::string_view, int) {}
template <class T, extent... E>
constexpr void leaf_facts_of(std::type_identity<tensor<T, E...>>, leaf_facts*& to, std::string_view read_by, int operand) {
    *to++ = {tensor<T, E...>::type, false, read_by, operand};
}
template <class T>
constexpr void leaf_facts_of(std::type_identity<number<T>>, leaf_facts*& to, std::string_view, int) {
    *to++ = {{dtype_of<typename number<T>::value_type>, {}}, true};
}
template <class Op, class... A>
constexpr void leaf_facts_of(std::type_identity<tensor_expression<Op, A...>>, leaf_facts*& to, std::string_view, int) {
    int operand = 0;
    (leaf_facts_of(std::type_identity<A>{}, to, operation<Op>::type::name, operand++), ...);
}
template <class X>
inline constexpr auto facts_of_leaves = [] {
    std::array<leaf_facts, leaf_count<X> + 1> facts;
    leaf_facts* to = facts.data();
    leaf_facts_of(std::type_identity<X>{}, to, {}, 0);
    return facts;
}();

[[noreturn, gnu::cold]] inline void refuse_changed(leaf const* leaves, leaf_facts const* facts, std::source_location where) {
    for (; leaves->difference == 0; ++leaves) ++facts;
    tensor_state const& t = *leaves->tensor;
    char const operand = static_cast<char>('a' + facts->operand);
    std::int64_t const writes = leaves->difference, now = t.memory->written_times();
    text change = writes > now ? text("requires_grad has changed") : concat("it was at version ", now - writes, ", it is at version ", now);
    throw error(concat("gradus::", facts->read_by, "(...): operand ", operand, ", ", t.described(),
                       ", is not what it was when the expression was written: ", change.view(), " where the expression is computed (",
                       std::string_view(where.file_name()), ":", static_cast<std::int64_t>(where.line()),
                       "). An expression looks at its tensors when it is computed: write gr::tensor y = ... instead of auto y = ... to "
                       "compute it at once")
                    .str());
}
/// Finds the leaves of an expression that is about to be computed. Every expression that is computed comes by here; throws if
/// a tensor has been written to since the expression was written, or requires no gradient any more.
template <class X>
[[gnu::always_inline]] inline void collect_leaves(X const& x, leaf* leaves, std::source_location where) {
    leaf_list all{leaves};
    collect(x, all, !is_tensor<X> || modes.records);
    if (all.difference != 0) refuse_changed(leaves, facts_of_leaves<X>.data(), where);
}

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
        for (int i = 0; i < state.rank; ++i)
            t.shape.push_back(tensor<T, E...>::type.shape[i].is_static() ? extent(state.extents[i]) : extent::measured(state.extents[i]));
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
        tensor_type result = infer_checked<O>(c, fail);
        if (!fail.failed) return result;
        constexpr std::string_view operands[] = {"()", "(a)", "(a, b)", "(a, b, c)"};
        throw shape_error(concat("gradus::", O::name, operands[sizeof...(A)], ": ", message).str());
    }
    template <int I, class... B>
    static constexpr tensor_type tensor_operand_type() {
        return std::tuple_element_t<I, std::tuple<B...>>::type;
    }
};

}  // namespace core
}  // namespace gradus::inline GRADUS_ARCH
