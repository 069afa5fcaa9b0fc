// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/functions.hpp>
#include <gradus/graph/info.hpp>
#include <gradus/graph/selection.hpp>
#include <gradus/op/arithmetic.hpp>
#include <gradus/op/comparison.hpp>
#include <gradus/op/contraction.hpp>
#include <gradus/op/exponential.hpp>
#include <gradus/op/facets.hpp>
#include <gradus/op/leaf.hpp>
#include <gradus/op/reduction.hpp>
#include <gradus/op/shape.hpp>

// What values do. Templates come before their users: clang instantiates constexpr functions where they are named. The
// functions of the language are here because rules say exp(x) and find it by the type of x.
namespace gradus::inline GRADUS_ARCH {

template <class Op>
constexpr value value::emit(graph& g, attributes const& attr, gradus::shape const& target, std::initializer_list<value> operands) {
    node n{&info_of<Op>, {-1, -1, -1}, dtype::number, {}, attr};
    call c{attr, target, {}, 0, g.unknowns};
    dtype known = dtype::number;
    for (value const& v : operands)
        if (v.type() != dtype::number && v.type() != dtype::boolean) known = v.type();
    for (value const& v : operands) {
        value typed = v.is_number()                                         ? constant(g, v.number_, known)
                      : v.type() == dtype::number && known != dtype::number ? v.cast(known)
                                                                            : v;
        n.in[c.count] = typed.id();
        c.operand[c.count++] = typed.at().result();
    }
    complaint fail;
    tensor_type result = core::infer_checked<Op>(c, fail);
    if (fail.failed) core::refuse<"gradus: an operation was built on operands that its rule refuses", std::logic_error>();
    n.type = result.type;
    n.shape = result.shape;
    return {g, g.intern(n)};
}

/// A node of `Op` on operands, at least one of which is no plain number.
template <class Op>
constexpr value build_on(attributes const& attr, shape const& target, std::initializer_list<value> operands) {
    graph* g = nullptr;
    for (value const& v : operands)
        if (!v.is_number()) g = &v.owner();
    if (!g) core::refuse<"gradus: an operation on numbers alone", std::logic_error>();
    return value::emit<Op>(*g, attr, target, operands);
}

template <class Op, class... A>
    requires(on_values<A...> && result_count<Op> > 1)
constexpr std::array<value, static_cast<std::size_t>(result_count<Op>)> apply(A... a) {
    return [&]<int... K>(std::integer_sequence<int, K...>) {
        return std::array<value, sizeof...(K)>{
            build_on<typename core::operation<Op>::type>(core::parameters_of_result<Op, K>().attr, {}, {value(a)...})...};
    }(std::make_integer_sequence<int, result_count<Op>>{});
}
template <class Op, class... A>
    requires(on_values<A...> && result_count<Op> == 1)
constexpr value apply(A... a) {
    if constexpr (requires { Op::is_composite; }) return Op::expand(attributes{}, value(a)...);
    else return build_on<Op>({}, {}, {value(a)...});
}
template <class C, class A, class B>
    requires on_values<C, A, B>
constexpr value where(C condition, A a, B b) {
    return apply<op::where>(condition, a, b);
}

constexpr value operator-(value a) { return apply<op::neg>(a); }
constexpr value operator+(value a, value b) { return apply<op::add>(a, b); }
constexpr value operator-(value a, value b) { return apply<op::sub>(a, b); }
constexpr value operator*(value a, value b) { return apply<op::mul>(a, b); }
constexpr value operator/(value a, value b) { return apply<op::div>(a, b); }
constexpr value operator<(value a, value b) { return apply<op::less>(a, b); }
constexpr value operator<=(value a, value b) { return apply<op::less_equal>(a, b); }
constexpr value operator>(value a, value b) { return apply<op::greater>(a, b); }
constexpr value operator>=(value a, value b) { return apply<op::greater_equal>(a, b); }
constexpr value operator==(value a, value b) { return apply<op::equal>(a, b); }
constexpr value operator!=(value a, value b) { return apply<op::not_equal>(a, b); }

namespace core {
constexpr int both_of(graph& g, int a, int b) { return a == b ? a : apply<op::both>(value{g, a}, value{g, b}).id(); }
constexpr int either_of(graph& g, int a, int b) { return a == b ? a : apply<op::either>(value{g, a}, value{g, b}).id(); }
constexpr int negation_of(graph& g, int a) {
    return g[a].op->connects == connective_kind::negation ? g[a].in[0] : apply<op::negation>(value{g, a}).id();
}
constexpr int where_of(graph& g, int condition, int if_true, int if_false) {
    value const a = if_true < 0 ? value(0) : value{g, if_true}, b = if_false < 0 ? value(0) : value{g, if_false};
    return apply<op::where>(value{g, condition}, a, b).id();
}
constexpr int is_reached_of(graph& g, int derivative, int zero) {
    value const d{g, derivative};
    return apply<op::is_reached>(d, value{g, zero}.cast(d.type())).id();
}
constexpr int mul_no_nan_of(graph& g, int a, int b) { return apply<op::mul_no_nan>(value{g, a}, value{g, b}).id(); }
}  // namespace core

constexpr value value::constant(graph& g, double number, dtype type) {
    node n{&info_of<op::constant>, {-1, -1, -1}, type, {}, {}};
    n.attr.value = computed_in(type) == dtype::float32 ? static_cast<double>(static_cast<float>(number)) : number;
    return {g, g.intern(n)};
}
constexpr value value::number(double x) const { return constant(*graph_, x, type()); }

constexpr bool value::is_folded() const {
    bool folded = is_constant() || at().op->kind == op_kind::elementwise;
    for (int k = 0; folded && k < at().op->arity; ++k) folded = operand(k).is_folded();
    return folded;
}
constexpr value value::cast(dtype to) const {
    if (to == type()) return *this;
    if (is_constant()) return constant(*graph_, type() == dtype::number ? at().attr.value : core::rounded_to(to, at().attr.value), to);
    if (type() == dtype::number && at().op->converts) return operand(0).cast(to);  // a number beside 16 bits, which is kept as it is
    if (type() == dtype::number && !is_folded()) {  // a shape made of numbers, the size of an axis: its operands take the dtype
        node n = at();
        for (int k = 0; k < n.op->arity; ++k)
            if (value const in{*graph_, n.in[k]}; in.type() == dtype::number) n.in[k] = in.cast(to).id();
        n.type = to;
        return {*graph_, graph_->intern(n)};
    }
    return emit<op::cast>(*graph_, op::cast::to(to), {}, {*this});
}
constexpr value value::reshape(gradus::shape const& s) const { return s == shape() ? *this : emit<op::reshape>(*graph_, {}, s, {*this}); }
constexpr value value::broadcast_to(gradus::shape const& s) const {
    return s == shape() ? *this : emit<op::broadcast_to>(*graph_, {}, s, {*this});
}
constexpr value value::broadcast_to_any(gradus::shape const& s) const {
    gradus::shape const target = s;  // s may be part of a node, and nodes move when one is appended
    return reshape({}).broadcast_to(target);
}
constexpr value value::transpose(attributes const& axes) const { return emit<op::transpose>(*graph_, axes, {}, {*this}); }
constexpr value value::slice(attributes const& ranges, gradus::shape const& s) const {
    return emit<op::slice>(*graph_, ranges, s, {*this});
}
constexpr value value::pad(attributes const& ranges, gradus::shape const& s) const { return emit<op::pad>(*graph_, ranges, s, {*this}); }
constexpr value value::concatenate(value other, attributes const& axis) const {
    return emit<op::concatenate>(*graph_, axis, {}, {*this, other});
}
constexpr value value::transposed() const {
    attributes axes;
    int rank = shape().rank();
    for (int i = 0; i < rank; ++i) axes.n[i] = i < rank - 2 ? i : 2 * rank - 3 - i;
    return transpose(axes);
}
constexpr value value::matmul(value b) const {
    if (shape().rank() >= 2 && b.shape().rank() >= 2) return emit<op::matmul>(*graph_, {}, {}, {*this, b});
    gradus::shape row{1, shape()[0]}, column{b.shape()[0], 1};
    value left = shape().rank() == 1 ? reshape(row) : *this, right = b.shape().rank() == 1 ? b.reshape(column) : b;
    gradus::shape result = op::matmul::leading(shape().rank() > b.shape().rank() ? shape() : b.shape());
    if (shape().rank() > 1) result.push_back(shape()[shape().rank() - 2]);
    if (b.shape().rank() > 1) result.push_back(b.shape()[b.shape().rank() - 1]);
    return emit<op::matmul>(*graph_, {}, {}, {left, right}).reshape(result);
}

constexpr value value::sum(std::int64_t axes, bool keep) const {
    return axes ? emit<op::sum>(*graph_, op::reduction_attributes(axes, keep), {}, {*this}) : *this;
}
constexpr value value::amax(std::int64_t axes, bool keep, op::asked_by who) const {
    return axes ? emit<op::amax>(*graph_, op::asked(op::reduction_attributes(axes, keep), who), {}, {*this}) : *this;
}
constexpr value value::mean() const {
    auto all = (std::int64_t{1} << shape().rank()) - 1;
    return sum(all, false) / count(all);
}
constexpr value value::count(std::int64_t axes) const {
    node n{&info_of<op::size>, {-1, -1, -1}, type(), {}, {}};
    n.attr.value = 1;
    int named = 0;
    for (int i = 0; i < shape().rank(); ++i) {
        if (!(axes >> i & 1)) continue;
        if (shape()[i].is_static()) {
            n.attr.value *= static_cast<double>(shape()[i].code);
            continue;
        }
        if (named == op::size::most) core::refuse<"gradus: a mean over more than three named dimensions", std::length_error>();
        op::size::set_dimension(n.attr, named++, shape()[i]);
    }
    return named ? value{*graph_, graph_->intern(n)} : number(n.attr.value);
}
constexpr value value::sum_to(gradus::shape const& s) const {
    gradus::shape const target = s;  // see broadcast_to_any
    std::int64_t axes = 0;
    int lead = shape().rank() - target.rank();
    for (int i = 0; i < shape().rank(); ++i)
        if (i < lead || (target[i - lead].code == 1 && shape()[i].code != 1)) axes |= std::int64_t{1} << i;
    if (int const selected = axes ? core::selected_sum(*graph_, id_, axes, target) : -1; selected >= 0) return {*graph_, selected};
    return sum(axes, false).reshape(target);
}
constexpr value value::expand_reduced(value y) const {
    gradus::shape s = y.operand(0).shape();
    for (int i = 0; i < s.rank(); ++i)
        if (op::reduces(y.attr(), i)) s[i] = 1;
    return reshape(s);
}
constexpr value value::reduced_shape(std::int64_t axes) const {
    gradus::shape s;
    for (int i = 0; i < shape().rank(); ++i)
        if (!(axes >> i & 1)) s.push_back(shape()[i]);
    return reshape(s);
}
constexpr value value::like(value y) const {
    node n = y.at();
    n.in[0] = id_;
    return {*graph_, graph_->intern(n)};
}
constexpr value value::index(int axis) const {
    node n{&info_of<op::iota>, {-1, -1, -1}, size_integer(), shape(), {}};
    if (shape()[axis].code > INT32_MAX) n.type = dtype::int64;
    for (int i = 0; i < shape().rank(); ++i)
        if (i != axis) n.shape[i] = 1;
    n.attr = op::iota::along(axis);
    return {*graph_, graph_->intern(n)};
}

}  // namespace gradus::inline GRADUS_ARCH
