// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/error.hpp>
#include <gradus/core/fixed_string.hpp>
#include <gradus/op/facets.hpp>

#include <array>
#include <tuple>

// Expressions are empty types: the type is the graph.

namespace gradus::inline GRADUS_ARCH {

/// What an attributed operation (`sum<0>`, `reshape<3, 4>`) was asked for.
struct parameters {
    attributes attr{};
    shape target{};
};

/// `Op` with parameters, as it stands in an expression's type.
template <class Op, parameters P>
struct with {};
template <class Op, parameters P>
inline constexpr int result_count<with<Op, P>> = result_count<Op>;

namespace core {

struct expression_base {};

template <class Op>
struct operation {
    using type = Op;
    static constexpr parameters given{};
    static constexpr std::uint64_t hash = type_id<Op>;
};
template <class Op, parameters P>
struct operation<with<Op, P>> {
    using type = Op;
    static constexpr parameters given = P;
    static constexpr std::uint64_t hash = [] {
        std::uint64_t h = mix(type_id<Op>, bits_of(P.attr.value));
        for (std::int64_t n : P.attr.n) h = mix(h, static_cast<std::uint64_t>(n));
        for (int i = 0; i < P.target.rank(); ++i)
            h = mix(mix(h, static_cast<std::uint64_t>(P.target[i].code)), static_cast<std::uint64_t>(P.target[i].more));
        return h;
    }();
};

constexpr std::uint64_t hash_of_type(std::uint64_t h, tensor_type const& t) {
    h = mix(h, static_cast<std::uint64_t>(t.type));
    for (int i = 0; i < t.shape.rank(); ++i)
        h = mix(mix(h, static_cast<std::uint64_t>(t.shape[i].code)), static_cast<std::uint64_t>(t.shape[i].more));
    return h;
}
/// Result K of an operation.
template <class Op, int K>
constexpr parameters parameters_of_result() {
    constexpr parameters p = operation<Op>::given;
    // all elements are written: of an array with a gap before the last g++ 12 makes another template argument
    return {{p.attr.value, {p.attr.n[0], p.attr.n[1], p.attr.n[2], p.attr.n[3], p.attr.n[4], K}}, p.target};
}
template <class Op, class... A>
constexpr tensor_type infer(complaint& fail) {
    call c{operation<Op>::given.attr, operation<Op>::given.target, {A::type...}, sizeof...(A)};
    tensor_type const result = infer_checked<typename operation<Op>::type>(c, fail);
    return fail.failed || !result.shape.is_too_large() ? result : fail("the result has too many elements: it is ", result);
}

}  // namespace core

template <class T>
concept expression = std::is_base_of_v<core::expression_base, T>;

/// What every expression tells: its shape, its dtype, and, for the compiler's sake, a structural hash and a weight.
template <class Self>
struct expression_facts : core::expression_base {
    using gradus_symbolic = void;
    static constexpr gradus::shape shape() { return Self::type.shape; }
    static constexpr gradus::dtype dtype() { return Self::type.type; }
    static constexpr int rank() { return Self::type.shape.rank(); }
};

/// An operation on expressions.
template <class Op, class... A>
struct expr : expression_facts<expr<Op, A...>> {
    static constexpr tensor_type type = [] {
        complaint ignored;  // reported where the expression is built
        return core::infer<Op, A...>(ignored);
    }();
    static constexpr std::uint64_t hash = [] {
        std::uint64_t h = core::operation<Op>::hash;
        ((h = core::mix(h, A::hash)), ...);
        return h;
    }();
    /// Nodes of the expression as a tree, what the length of the type's name grows with.
    static constexpr int weight = 1 + (0 + ... + A::weight);
};

namespace core {
template <class T>
constexpr shape shape_of_numbers(T const&) {
    static_assert(std::is_arithmetic_v<T>, "gradus::constant: a number, or a std::array of numbers or of such arrays");
    return {};
}
template <class T, std::size_t N>
constexpr shape shape_of_numbers(std::array<T, N> const& rows) {
    static_assert(N > 0, "gradus::constant: an array of no numbers");
    shape result{N};
    shape const row = shape_of_numbers(rows[0]);
    for (int axis = 0; axis < row.rank(); ++axis) result.push_back(row[axis]);
    return result;
}
constexpr std::uint64_t hash_of_numbers(std::uint64_t h, auto const& numbers) {
    if constexpr (std::is_arithmetic_v<std::remove_cvref_t<decltype(numbers)>>) return mix(h, bits_of(static_cast<double>(numbers)));
    else {
        for (auto const& row : numbers) h = hash_of_numbers(h, row);
        return mix(h, numbers.size());
    }
}
}  // namespace core

/// A constant that takes the dtype of what it meets.
template <double V>
struct constant_expr : expression_facts<constant_expr<V>> {
    static constexpr tensor_type type{};
    static constexpr std::uint64_t hash = core::mix(core::hash_of("constant"), core::bits_of(V));
    static constexpr int weight = 1;
    constexpr auto operator-() const { return constant_expr<-V>{}; }
};

/// A vector, or a matrix by rows, of numbers, which take the dtype of what they meet.
template <auto V>
struct array_expr : expression_facts<array_expr<V>> {
    static constexpr tensor_type type{dtype::number, core::shape_of_numbers(V)};
    static constexpr std::uint64_t hash = core::hash_of_numbers(core::hash_of("array"), V);
    static constexpr int weight = 1;
};

/// `gr::constant<0.5>`, the same as `0.5_c`; `gr::constant<std::array{1.0, 2.0}>` is a vector, an array of arrays a matrix.
template <auto V>
inline constexpr auto constant = [] {
    if constexpr (std::is_arithmetic_v<decltype(V)>) return constant_expr<static_cast<double>(V)>{};
    else return array_expr<V>{};
}();

namespace core {

/// Nodes that an expression may have as a tree. Measured on h = h + tanh(matmul(h, w) + b) * h, which triples the tree, in
/// a program that returns the sum and its derivative (g++ 12 and clang 19, -g, seconds and peak memory of the slower):
/// 969 nodes 8 s, 0.5 GB; 2913 nodes 10 s, 0.7 GB; 8745 nodes 16 s, 1.7 GB; 26241 nodes 38 s, 5 GB.
inline constexpr int weight_limit = 2048;

template <class Op, class... A>
constexpr text complaint_of() {
    using O = typename operation<Op>::type;
    if ((0 + ... + A::weight) > weight_limit)
        return concat("gradus::", O::name, ": this expression has over ", weight_limit,
                      " nodes as a tree, because parts that are used twice stand in its type twice. Name them: auto h = gr::let([=] { "
                      "return ...; });");
    text message;
    complaint fail{&message};
    infer<Op, A...>(fail);
    if (!fail.failed) return {};
    constexpr std::string_view operands[] = {"()", "(a)", "(a, b)", "(a, b, c)"};
    return concat("gradus::", O::name, operands[sizeof...(A)], ": ", message);
}

/// What stands for a call that was refused, and for whatever is computed of it: a number. Nothing more is said of it, and its graph,
/// which is a right one, never runs.
struct refused {
    static constexpr auto name = "refused";
    static constexpr bool is_composite = true;
    static constexpr tensor_type infer(call const&, complaint&) { return {}; }
    static constexpr auto expand(attributes const&, auto x, auto... others) {
        auto of = x;
        ((of = of.is_number() ? decltype(x)(others) : of), ...);
        return decltype(x)::constant(of.owner(), 0, dtype::number);
    }
};
template <class E>
inline constexpr bool is_refused = false;
template <template <class...> class Expression, class... A>
inline constexpr bool is_refused<Expression<refused, A...>> = true;


/// The expression of `Op` on operands; a wrong call stops the compiler with a sentence.
template <class Op, class... A>
constexpr auto make_expression() {
    if constexpr ((is_refused<A> || ...)) return expr<refused, A...>{};
    else if constexpr (is_empty<&complaint_of<Op, A...>>) return expr<Op, A...>{};
    else {
        report<&complaint_of<Op, A...>>();
        // a small type, so that the compiler goes on to the end of the program quickly
        if constexpr ((0 + ... + A::weight) > weight_limit) return std::get<0>(std::tuple<A...>{});
        else return expr<refused, A...>{};
    }
}

template <class T>
constexpr text plain_literal() {
    return concat(
        "gradus: a plain number meets a symbol, which carries no state: write 0.5_c (using namespace gradus::literals) or "
        "gr::constant<0.5>; a number that changes from call to call is a symbol of rank 0, gr::var<\"rate\", float>");
}

template <class T>
constexpr auto as_expression(T operand) {
    if constexpr (expression<T>) return operand;
    else {
        report<&plain_literal<T>>();
        return constant_expr<0.0>{};
    }
}

}  // namespace core

/// What operations can be applied to: an expression, or what is one with values at run time (tensors).
template <class T>
concept operand = symbolic<T> && requires { typename std::bool_constant<T::type.shape.rank() >= 0>; };
template <class T>
concept run_time_operand = operand<T> && !expression<T>;

/// Is it a tensor of which only run time knows what it is? (tensor/state/any_tensor.hpp)
template <class T>
inline constexpr bool is_any_tensor = false;
/// What operations without axes of their own can be applied to: those tensors too.
template <class T>
concept general_operand = operand<T> || is_any_tensor<T>;

template <class Op, class... A>
    requires((expression<A> || ...) && !((run_time_operand<A> || is_any_tensor<A>) || ...))
constexpr auto build(op_tag<Op>, A... operands) {
    return core::make_expression<Op, decltype(core::as_expression(operands))...>();
}
/// A tuple of all results.
template <class Op, class... A>
constexpr auto build_all(op_tag<Op>, A... operands) {
    return [&]<int... K>(std::integer_sequence<int, K...>) {
        return std::tuple{build(op_tag<with<typename core::operation<Op>::type, core::parameters_of_result<Op, K>()>>{}, operands...)...};
    }(std::make_integer_sequence<int, result_count<Op>>{});
}

}  // namespace gradus::inline GRADUS_ARCH
