// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/graph/graph.hpp>
#include <gradus/op/reduction.hpp>

#include <initializer_list>

namespace gradus::inline GRADUS_ARCH {

/// A node of a graph under construction, or a plain number until it meets one. Formulas and derivative rules are
/// written on values: every operation appends a node. Defined in graph/build.hpp.
class value {
public:
    using gradus_symbolic = void;

    constexpr value(double number) : number_(number) {}  // NOLINT: 1 - y * y
    constexpr value(graph& g, int id) : graph_(&g), id_(id) {}

    constexpr int id() const { return id_; }
    constexpr bool is_number() const { return !graph_; }
    constexpr graph& owner() const { return *graph_; }
    constexpr node const& at() const { return graph_->nodes[id_]; }
    constexpr gradus::shape shape() const { return graph_ ? at().shape : gradus::shape{}; }
    constexpr dtype type() const { return graph_ ? at().type : dtype::number; }
    constexpr attributes attr() const { return at().attr; }
    constexpr value operand(int i) const { return {*graph_, at().in[i]}; }
    template <class Op>
    constexpr bool is() const {
        return at().template is<Op>();
    }
    constexpr bool is_constant() const { return at().is_constant(); }
    constexpr bool is_constant(double x) const { return at().is_constant(x); }

    /// A node of `Op` on operands of one graph; plain numbers take the others' dtype.
    template <class Op>
    static constexpr value emit(graph& g, attributes const& attr, gradus::shape const& target, std::initializer_list<value> operands);
    static constexpr value constant(graph& g, double number, dtype type);
    /// A constant of this value's dtype.
    constexpr value number(double x) const;

    constexpr value cast(dtype to) const;
    constexpr value reshape(gradus::shape const& s) const;
    constexpr value broadcast_to(gradus::shape const& s) const;
    /// A single element, of whatever rank, repeated.
    constexpr value broadcast_to_any(gradus::shape const& s) const;
    constexpr value transpose(attributes const& axes) const;
    constexpr value slice(attributes const& ranges, gradus::shape const& s) const;
    constexpr value pad(attributes const& ranges, gradus::shape const& s) const;
    constexpr value concatenate(value other, attributes const& axis) const;
    /// Exchanges the last two axes.
    constexpr value transposed() const;
    /// NumPy's matmul: a vector is a row on the left and a column on the right, and its axis leaves the result.
    constexpr value matmul(value b) const;

    /// Reductions; `axes` has a bit per axis.
    constexpr value sum(std::int64_t axes, bool keep) const;
    constexpr value amax(std::int64_t axes, bool keep, op::asked_by who = op::asked_by::shift) const;
    constexpr value mean() const;
    /// The number of elements along `axes`, a scalar of this dtype.
    constexpr value count(std::int64_t axes) const;
    /// The sum that undoes a broadcast from shape `s`.
    constexpr value sum_to(gradus::shape const& s) const;
    /// This value, shaped like reduction `y`, with the folded axes back as 1.
    constexpr value expand_reduced(value y) const;
    /// This value without `axes`, whose extents are 1.
    constexpr value reduced_shape(std::int64_t axes) const;
    /// The operation of `y` on this operand.
    constexpr value like(value y) const;
    /// The index along `axis`, shaped to broadcast against this value, an integer of this element's size where that is enough.
    constexpr value index(int axis) const;
    constexpr dtype size_integer() const { return size_of(computed_in(type())) == 4 ? dtype::int32 : dtype::int64; }

private:
    /// Is this computed from constants alone, element by element? Folding then finds a number before it takes a dtype.
    constexpr bool is_folded() const;

    graph* graph_ = nullptr;
    int id_ = -1;
    double number_ = 0;
};

constexpr value operator-(value a);
constexpr value operator+(value a, value b);
constexpr value operator-(value a, value b);
constexpr value operator*(value a, value b);
constexpr value operator/(value a, value b);
constexpr value operator<(value a, value b);
constexpr value operator<=(value a, value b);
constexpr value operator>(value a, value b);
constexpr value operator>=(value a, value b);
constexpr value operator==(value a, value b);
constexpr value operator!=(value a, value b);

}  // namespace gradus::inline GRADUS_ARCH
