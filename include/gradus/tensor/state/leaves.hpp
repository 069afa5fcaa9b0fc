// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/control.hpp>
#include <gradus/tensor/state/expression.hpp>

// The leaves of an expression on tensors: in its type they are replaced by slots, so that equal statements are one program; at run time
// they are collected and looked at.

namespace gradus::inline GRADUS_ARCH::core {

template <class X>
inline constexpr int leaf_count = 0;
template <class T, extent... E>
inline constexpr int leaf_count<tensor<T, E...>> = 1;
template <class T>
inline constexpr int leaf_count<number<T>> = 1;
template <class Op, class... A>
inline constexpr int leaf_count<tensor_expression<Op, A...>> = (0 + ... + leaf_count<A>);

/// What is written beside a value is none.
template <class Op>
constexpr bool is_leaf_part(std::size_t operand) {
    if constexpr (requires { Op::written; }) return operand != Op::written;
    else return true;
}
template <class Y, class B, class V>
inline constexpr int leaf_count<tensor_expression<op::with_update, Y, B, V>> = leaf_count<Y> + leaf_count<V>;

template <class E>
constexpr bool has_symbol(std::type_identity<E>) {
    return false;
}
template <fixed_string Name, class T, extent... E>
constexpr bool has_symbol(std::type_identity<symbol<Name, T, E...>>) {
    return true;
}
/// The name of a value is a symbol to tensors that meet it; arguments of mapped and differentiated functions are none.
template <std::uint64_t Id, int K, tensor_type Type>
constexpr bool has_symbol(std::type_identity<placeholder<Id, "let", K, Type>>) {
    return true;
}
template <class Op, class... A>
constexpr bool has_symbol(std::type_identity<expr<Op, A...>>) {
    return (has_symbol(std::type_identity<A>{}) || ...);
}
template <parameters P, class X, class B>
constexpr bool has_symbol(std::type_identity<expr<with<op::let, P>, X, B>>) {
    return has_symbol(std::type_identity<X>{});  // in the body the name is none
}
template <class F>
constexpr bool has_symbol(std::type_identity<let_expr<F>>) {
    return has_symbol(std::type_identity<typename let_expr<F>::body>{});
}

template <class... E>
constexpr bool any_has_symbol(std::tuple<E...>*) {
    return (has_symbol(std::type_identity<E>{}) || ...);
}
template <class Call, op::scan_part Part, int K>
    requires requires { typename Call::xs; }
constexpr bool has_symbol(std::type_identity<control_expr<Call, Part, K>>) {
    return any_has_symbol(static_cast<parts_of<typename Call::init>*>(nullptr)) ||
           any_has_symbol(static_cast<parts_of<typename Call::xs>*>(nullptr));
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
/// The name of the symbol that stands for the K-th tensor or number of an expression: "tensor 3".
template <int K>
inline constexpr auto captured_name = [] {
    static_assert(K < 1000, "gradus::compile: an expression captures at most 1000 tensors");
    constexpr std::size_t digits = K < 10 ? 1 : K < 100 ? 2 : 3;
    fixed_string<sizeof("tensor ") + digits> name;
    std::string_view const word = "tensor ";
    for (std::size_t i = 0; i < word.size(); ++i) name.text[i] = word[i];
    int rest = K;
    for (std::size_t at = word.size() + digits; at > word.size(); rest /= 10) name.text[--at] = static_cast<char>('0' + rest % 10);
    return name;
}();
struct as_symbols {
    template <int K, class T, extent... E>
    using leaf = symbol<captured_name<K>, T, E...>;
    static constexpr bool take_symbols = true;
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

/// The new value of what is written beside a value is an expression of its own (tensor/autograd/with_update.hpp).
template <class Y, class B, class V, int K, class Leaves>
struct slotted<tensor_expression<op::with_update, Y, B, V>, K, Leaves> : slotted<Y, K, Leaves> {};

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
[[gnu::always_inline]] inline void collect(tensor_expression<Op, A...> const& e, leaf_list& to, bool records);
template <class X, class... A>
[[gnu::always_inline]] inline void collect_operand(X const& x, captured<A...> const& seen, int& next, leaf_list& to, bool records) {
    if constexpr (is_tensor<X>) to.add(x.state().get(), records, seen.glimpse(next++), captured<A...>::mask);
    else collect(x, to, records);
}
template <std::size_t... I, class... A>
[[gnu::always_inline]] inline void collect_operands(indexed_operands<std::index_sequence<I...>, A...> const& operands,
                                                    captured<A...> const& seen, leaf_list& to, bool records) {
    int next = 0;
    (collect_operand(get<I>(operands), seen, next, to, records), ...);
}
template <class Op, class... A>
[[gnu::always_inline]] inline void collect(tensor_expression<Op, A...> const& e, leaf_list& to, bool records) {
    collect_operands(e.operands, e.seen, to, records && e.seen.records());
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

}  // namespace gradus::inline GRADUS_ARCH::core
