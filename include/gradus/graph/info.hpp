// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/error.hpp>
#include <gradus/graph/batch.hpp>
#include <gradus/graph/derive.hpp>
#include <gradus/op/facets.hpp>

#include <type_traits>

// From the struct of an operation to its op_info.
namespace gradus::inline GRADUS_ARCH {

namespace core {

/// Whether operations of that kind have a vjp and a jvp.
constexpr bool has_derivative(op_kind kind) {
    return kind != op_kind::leaf && kind != op_kind::marker && kind != op_kind::control && kind != op_kind::list;
}
/// True where the formula is constexpr: then constants fold in the compiler.
template <class Op>
concept foldable = requires { typename std::integral_constant<bool, (static_cast<void>(Op::eval(1.0)), true)>; } ||
                   requires { typename std::integral_constant<bool, (static_cast<void>(Op::eval(1.0, 1.0)), true)>; };
template <class Op>
concept has_formula = requires(double x) { Op::eval(x); } || requires(double x) { Op::eval(x, x); } ||
                      requires(double x) { Op::eval(true, x, x); } || requires(double x) { Op::eval(x, x, x); };

/// A reduction that says how two elements become one, on all elements.
template <class Op>
void fold_whole(call const& c, double const* const* in, double* const* results) {
    double* const out = results[0];
    shape const& from = c.operand[0].shape;
    std::int64_t stride[max_rank]{}, index[max_rank]{}, size = 1, at = 0;
    for (int axis = from.rank() - 1; axis >= 0; --axis)
        if (!op::reduces(c.attr, axis)) {
            stride[axis] = size;
            size *= from[axis].code;
        }
    for (std::int64_t i = 0; i < size; ++i) out[i] = Op::template identity<double>;
    for (std::int64_t i = 0, n = from.static_size(); i < n; ++i) {
        out[at] = static_cast<double>(Op::combine(out[at], in[0][i]));
        for (int axis = from.rank() - 1; axis >= 0; --axis) {
            at += stride[axis];
            if (++index[axis] < from[axis].code) break;
            at -= stride[axis] * from[axis].code;
            index[axis] = 0;
        }
    }
}
template <class Op>
concept folds = Op::kind == op_kind::reduction && requires(double x) {
    Op::template identity<double>;
    Op::combine(x, x);
};

/// Where an operation writes its result, or its results.
template <class Op, class T>
using targets = std::conditional_t<(result_count<Op> > 1), T* const*, T*>;
template <class Op, class T>
constexpr targets<Op, T> targets_of(T* const* out) {
    if constexpr (result_count<Op> > 1) return out;
    else return out[0];
}
/// Does an operation on whole tensors compute elements of that type itself, perhaps on several threads? Integers where it says that it
/// accepts them.
template <class Op, class T>
concept shares_kernel =
    requires(call const& c, T const* const* in, targets<Op, T> out, kernel_work const& work) { Op::template kernel<T>(c, in, out, work); };
template <class Op, class T>
concept computes =
    (std::is_same_v<T, float> || std::is_same_v<T, double> ||
     (is_integer(dtype_of<T>) && requires { requires Op::accepted == accepts::numbers; })) &&
    (shares_kernel<Op, T> || requires(call const& c, T const* const* in, targets<Op, T> out) { Op::template kernel<T>(c, in, out); });
template <class Op>
inline constexpr std::uint32_t kernel_types = [] {
    std::uint32_t types = 0;
    for (dtype type : {dtype::int32, dtype::int64, dtype::float32, dtype::float64})
        types |= with_dtype(type, []<class T>(T) { return std::uint32_t{computes<Op, T>}; }) << static_cast<int>(type);
    return types;
}();
/// The operation's own kernel; where it has none for a type its `whole` runs.
template <class Op>
void run_kernel_of(dtype type, call const& c, void const* const* in, void* const* out, [[maybe_unused]] kernel_work const& work) {
    with_dtype(type, [&]<class T>(T) {
        if constexpr (computes<Op, T>) {
            T const* from[3]{};
            T* to[max_results]{};
            for (int k = 0; k < c.count; ++k) from[k] = static_cast<T const*>(in[k]);
            for (int k = 0; k < result_count<Op>; ++k) to[k] = static_cast<T*>(out[k]);
            if constexpr (shares_kernel<Op, T>) Op::template kernel<T>(c, from, targets_of<Op, T>(to), work);
            else Op::template kernel<T>(c, from, targets_of<Op, T>(to));
        }
    });
}
template <class Op>
void run_whole_of(call const& c, double const* const* in, double* const* out) {
    if constexpr (requires { &Op::whole; }) Op::whole(c, in, targets_of<Op, double>(out));
    else Op::template kernel<double>(c, in, targets_of<Op, double>(out));
}
/// Is there a value on all elements in double?
template <class Op>
concept states_whole = requires { &Op::whole; } || computes<Op, double>;
template <class Op, int... I, int... R>
constexpr bool states_vjp(std::integer_sequence<int, I...>, std::integer_sequence<int, R...>) {
    return requires(value v) { Op::vjp((static_cast<void>(R), v)..., (static_cast<void>(R), v)..., (static_cast<void>(I), v)...); };
}
template <class Op, int... I, int... R>
constexpr bool states_jvp(std::integer_sequence<int, I...>, std::integer_sequence<int, R...>) {
    return requires(value v) { Op::jvp((static_cast<void>(I), v)..., (static_cast<void>(R), v)..., (static_cast<void>(I), v)...); } ||
           requires(value v) { Op::template directional<0>(v, v, (static_cast<void>(I), v)...); };
}
template <class Op, int... I>
constexpr bool states_simplify(std::integer_sequence<int, I...>) {
    return requires(value v) { Op::simplify(v, (static_cast<void>(I), v)...); };
}
template <class Op, int... I>
constexpr int simplified_on(graph& g, int id, std::integer_sequence<int, I...>) {
    value const y{g, id}, simple = Op::simplify(y, y.operand(I)...);
    return simple.id() == id ? -1 : simple.broadcast_to(y.shape()).id();
}
/// What the rules of an operation make of node `id`; -1 where none applies.
template <class Op>
constexpr int simplified_by(graph& g, int id) {
    return simplified_on<Op>(g, id, operand_indices<Op>{});
}
/// What is wrong with what an operation on whole tensors states, empty where nothing is.
template <class Op>
constexpr text structure_complaint() {
    constexpr bool viewed = requires { &Op::view; }, ordered = requires { requires Op::same_order; };
    if constexpr (viewed && ordered)
        return concat("gradus: operation ", Op::name,
                      " states `view` and `same_order`: the first says what each axis of the result reads, ",
                      "the second that the elements keep their order. State one");
    else if constexpr ((viewed || ordered) && (Op::kind != op_kind::view || Op::arity != 1))
        return concat("gradus: operation ", Op::name, " states `", viewed ? "view" : "same_order",
                      "`, which says how loops read its operand: that needs `kind` to be gr::op_kind::view and one operand");
    else if constexpr (result_count<Op> > 1 && (result_count<Op> > max_results || kind_of_operation<Op> != op_kind::whole))
        return concat("gradus: operation ", Op::name, " states ", result_count<Op>, " results: there are at most ", max_results,
                      ", and `whole` or `kernel` has to compute them");
    else if constexpr (states_reducer<Op> && !std::is_base_of_v<op::reduction<Op>, Op>)
        return concat("gradus: operation ", Op::name, " states `reduces_by`: which axes it folds its base has to say, gr::op::reduction<",
                      Op::name, ">");
    else return {};
}
/// A formula of elements that states no structure has nothing to be wrong about.
template <class Op>
concept plain_formula = kind_of_operation<Op> == op_kind::elementwise && result_count<Op> == 1 && !states_reducer<Op> &&
                        !requires { &Op::view; } && !requires { requires Op::same_order; };
/// What is wrong with an operation that no kernel of the library runs; empty where nothing is.
template <class Op>
constexpr text unknown_operation() {
    if (text wrong = structure_complaint<Op>(); !wrong.empty()) return wrong;
    if constexpr (kind_of_operation<Op> != op_kind::whole || folds<Op> || states_whole<Op>) return {};
    else
        return concat(
            "gradus: nothing computes operation ", Op::name,
            ": it is no formula of elements, and the library has no kernel for it. State its value on all elements: static void "
            "whole(gr::call const& c, double const* const* in, double* out), or template <class T> static void kernel(...) on elements "
            "of type T");
}
}  // namespace core

namespace core {
/// What an operation says beside its rules: all of it constants, and how its attributes are printed.
template <class Op>
constexpr void state_facts(op_info& info) {
    if constexpr (requires { Op::holds; }) info.holds = Op::holds;
    if constexpr (requires { Op::marks; }) info.marks = Op::marks;
    if constexpr (requires { Op::connects; }) info.connects = Op::connects;
    if constexpr (requires { Op::runs; }) info.runs = Op::runs, info.bodies = Op::bodies;
    if constexpr (requires { Op::runs_by; }) info.runs_by = Op::runs_by;
    if constexpr (requires { Op::call_attributes; }) info.call_attributes = Op::call_attributes;
    if constexpr (requires { Op::shares; }) info.shares = Op::shares;
    if constexpr (requires { Op::flops_per_column; }) info.flops_per_column = Op::flops_per_column;
    info.copies = requires { requires Op::copies; };
    info.converts = requires { requires Op::converts; };
    info.rearranges = requires { requires Op::rearranges; };
    info.cuts = requires { requires Op::cuts; };
    info.divides = requires { requires Op::divides; };
    if constexpr (requires { Op::arithmetic; }) info.arithmetic = Op::arithmetic;
    info.adds = requires { requires Op::adds; };
    info.only_repeats = requires { requires Op::only_repeats; };
    info.stops_gradient = requires { requires Op::stops_gradient; };
    info.differs_in_derivative = requires { requires Op::differs_in_derivative; };
    info.needs_elements = requires { requires Op::needs_elements; };
    if constexpr (requires { &Op::print; }) info.prints = true, info.print = &Op::print;
}
/// How a view maps axes, or that it keeps the order of the elements; what loops reduce by.
template <class Op>
constexpr void state_structure(op_info& info) {
    state_facts<Op>(info);
    info.results = result_count<Op>;
    if constexpr (requires { Op::reduces_by; }) info.reduces_by = Op::reduces_by;
    if constexpr (kind_of_operation<Op> == op_kind::view) {
        if constexpr (requires { &Op::view; }) info.view = &Op::view;
        info.same_order = requires { requires Op::same_order; };
    }
}
/// The shape rule, held against what loops are told.
template <class Op>
constexpr auto rule_of() {
    if constexpr (runs_in_loops<Op> || result_count<Op> > 1) return &infer_checked<Op>;
    else return &Op::infer;
}
/// Does the text of a type's name mean one type in all translation units? Not in functions, nor in namespaces without a name.
template <class T>
constexpr bool has_linkage() {
    std::string_view const text = __PRETTY_FUNCTION__;
    for (std::size_t i = text.find('='); i < text.size(); ++i)
        if (text[i] == '(' || text[i] == '{') return false;
    return true;
}
template <class Op>
constexpr op_info make_label() {
    op_info info{nullptr, Op::name, type_id<Op>, kind_of_operation<Op>, Op::arity, false, false, nullptr, nullptr, nullptr, nullptr};
    state_structure<Op>(info);
    return info;
}
}  // namespace core

/// The name and the kind of an operation, without its rules.
template <class Op>
inline constexpr op_info label_of = core::make_label<Op>();

template <class Op>
constexpr op_info make_info() {
    if constexpr (!core::plain_formula<Op>) core::report<&core::unknown_operation<Op>>();
    op_info info{&label_of<Op>,
                 Op::name,
                 core::type_id<Op>,
                 core::kind_of_operation<Op>,
                 Op::arity,
                 core::foldable<Op>,
                 false,
                 core::rule_of<Op>(),
                 nullptr,
                 nullptr,
                 nullptr};
    if constexpr (core::has_derivative(Op::kind)) {
        info.differentiable = true;
        info.vjp = &core::vjp_of<Op>;
        info.jvp = &core::jvp_of<Op>;
        constexpr bool of_elements = Op::kind == op_kind::elementwise || core::has_kernel<Op>;
        info.reverse = of_elements || core::states_vjp<Op>(core::operand_indices<Op>{}, core::result_indices<Op>{});
        info.forward = of_elements || core::states_jvp<Op>(core::operand_indices<Op>{}, core::result_indices<Op>{});
    }
    core::state_structure<Op>(info);
    if constexpr (core::states_batch<Op>(core::operand_indices<Op>{})) {
        info.batches = true;
        info.batch = &core::batch_of<Op>;
    }
    if constexpr (core::states_simplify<Op>(core::operand_indices<Op>{})) {
        info.simplifies = true;
        info.simplify = &core::simplified_by<Op>;
    }
    info.steps = requires { requires Op::steps; };
    if constexpr (core::has_formula<Op>) info.eval = &core::eval_of<Op>;
    if constexpr (requires { requires Op::exact; }) info.exact = true;
    if constexpr (core::states_whole<Op>) info.whole = &core::run_whole_of<Op>;
    else if constexpr (core::folds<Op> && !core::has_kernel<Op>) info.whole = &core::fold_whole<Op>;
    if constexpr (core::kind_of_operation<Op> == op_kind::whole)
        if constexpr (core::kernel_types<Op> != 0) {  // inside: for other kinds the compiler need not look
            info.kernel = &core::run_kernel_of<Op>;
            info.kernel_types = core::kernel_types<Op>;
            if constexpr (requires { &Op::operations; }) {
                info.shares_threads = true;
                info.scratch_bytes = &Op::scratch_bytes;
                info.operations = &Op::operations;
            }
        }
    info.has_linkage = core::has_linkage<Op>();
    info.unlisted = core::runs_in_loops<Op> || requires { &Op::whole; } || core::kind_of_operation<Op> == op_kind::whole;
    return info;
}

/// The rules of an operation as a constant.
template <class Op>
inline constexpr op_info info_of = make_info<Op>();

}  // namespace gradus::inline GRADUS_ARCH

#include <gradus/graph/build.hpp>  // last: it defines what derivative rules call
