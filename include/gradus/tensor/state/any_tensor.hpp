// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/tensor/any/in_place.hpp>
#include <gradus/tensor/tape/region.hpp>

#include <span>

namespace gradus::inline GRADUS_ARCH {

template <element T, extent... E>
class tensor;

namespace core {

/// Do these sizes fit the declared type? `dyn` takes any.
inline bool fits(tensor_state const& t, tensor_type const& declared) {
    bool good = t.type == declared.type && t.rank == declared.shape.rank();
    for (int axis = 0; good && axis < t.rank; ++axis)
        good = !declared.shape[axis].is_static() || declared.shape[axis].code == t.extents[axis];
    return good;
}
[[noreturn, gnu::cold]] inline void refuse_type(std::string_view call, tensor_state const& t, tensor_type const& declared) {
    throw shape_error(concat("gradus::", call, ": the tensor is ", t.described(), ", wanted is ", declared).str());
}
/// An axis as a number from 0; negative ones count from the end.
inline int axis_in(std::string_view call, tensor_state const& t, std::int64_t axis) {
    std::int64_t const from_start = axis < 0 ? axis + t.rank : axis;
    if (from_start < 0 || from_start >= t.rank)
        throw shape_error(concat("gradus::", call, ": no such axis: the tensor is ", t.described(), " (", axis, " is not in [", -t.rank,
                                 ", ", t.rank, "))")
                              .str());
    return static_cast<int>(from_start);
}
/// Asks for a gradient of a leaf, or no longer does.
inline void require_grad(tensor_state& t, bool on) {
    forget_source(t);
    t.update_history();
    if (t.node) {
        if (on) return;
        throw autograd_error(
            "you can only change requires_grad flags of leaf variables. If you want to use a computed variable in a subgraph that doesn't "
            "require differentiation use var_no_grad = var.detach().");
    }
    if (on && !is_floating(t.type))
        throw autograd_error(
            concat("gradus::any_tensor::requires_grad_(): only Tensors of floating point dtype can require gradients: the tensor is ",
                   t.described())
                .str());
    t.requires_grad = on;
}
/// The element of a tensor with one element, as a number of any type. (A template for the sake of programs without it.)
template <class Number>
Number item_of(tensor_state const& t) {
    if (t.size() != 1)
        throw error(concat("gradus::any_tensor::item(): a tensor with ", t.size(), " elements cannot be converted to a number").str());
    return with_dtype(t.type, [&]<class T>(T) { return static_cast<Number>(*reinterpret_cast<T const*>(t.data)); });
}

inline bool is_overwritten(tensor_ref const& gradient) { return gradient && gradient->is_contiguous() && !gradient->node; }
/// Zeros in the place of a gradient that cannot be overwritten with them.
inline tensor_ref fresh_zeros(tensor_ref const& gradient) {
    if (!gradient || is_overwritten(gradient)) return {};
    return zeros_like(gradient->type, gradient->rank, gradient->extents);
}
/// Makes `gradient` that of a tensor; an undefined one drops it. What is replaced ends after the lock, with the parameter.
inline void replace_gradient(tensor_state& t, tensor_ref gradient) {
    locked held(t.lock);
    exchange(t.grad, gradient);
}
/// Puts fresh zeros in the place of a gradient or overwrites it.
inline void set_to_zero(tensor_state& t, tensor_ref fresh) {
    locked held(t.lock);
    if (fresh || !is_overwritten(t.grad)) return exchange(t.grad, fresh);
    std::memset(t.grad->data, 0, static_cast<std::size_t>(t.grad->bytes()));
    t.grad->memory->written();
}

}  // namespace core

/// A tensor whose dtype and shape are known at run time: for lists of parameters, optimisers, files, and models that are made when the
/// program runs. It is a handle of the same tensor: gradients, history and versions are shared with the typed ones. It computes as they do,
/// one operation at a time by the loop interpreter; dtypes are promoted by PyTorch's table, and an axis broadcasts where its extent is 1.
class any_tensor : public core::run_time_updates<any_tensor> {
    using location = std::source_location;

public:
    using gradus_symbolic = void;  ///< the functions of the language take it: gr::exp(a), gr::matmul(a, b)

    any_tensor() = default;
    explicit any_tensor(core::tensor_ref state) : state_(std::move(state)) {}
    template <class T, extent... E>
    any_tensor(tensor<T, E...> const& t) : state_(t.state()) {}  // NOLINT: every tensor is one

    // ---- what it is

    bool defined() const { return static_cast<bool>(state_); }
    gradus::dtype dtype() const { return need().type; }
    gradus::shape shape() const { return need().shape(); }
    int rank() const { return need().rank; }
    std::int64_t size() const { return need().size(); }
    std::int64_t size(int axis) const { return need().extents[core::axis_in("any_tensor::size(axis)", *state_, axis)]; }
    /// The first element; the others follow row by row only if is_contiguous().
    void* data() const { return state_ ? state_->data : nullptr; }
    bool is_contiguous() const { return need().is_contiguous(); }
    std::int64_t stride(int axis) const { return need().stride(core::axis_in("any_tensor::stride(axis)", *state_, axis)); }
    /// All elements in memory order. Throws shape_error for another dtype, error for a view with gaps.
    template <element T>
    std::span<T> values() const {
        if (need().type != dtype_of<T>) core::refuse_type("any_tensor::values", *state_, {dtype_of<T>, state_->shape()});
        if (!is_contiguous())
            throw error("gradus::any_tensor::values(): the elements of this view do not follow each other in memory: use clone()");
        return {reinterpret_cast<T*>(state_->data), static_cast<std::size_t>(size())};
    }
    /// The only element, of whatever dtype (64-bit integers lose digits beyond 2^53).
    double item() const { return core::item_of<double>(need()); }

    /// The same tensor with its type: `a.as<float, gr::dyn, 64>()`. Throws shape_error if dtype, rank or a static extent differ.
    template <element T, extent... E>
    tensor<T, E...> as() const {
        constexpr tensor_type declared{dtype_of<T>, {E...}};
        if (state_ && !core::fits(*state_, declared)) core::refuse_type("any_tensor::as", *state_, declared);
        return tensor<T, E...>(state_);
    }

    // ---- its part in the tape

    bool requires_grad() const { return need().is_recorded(); }
    /// Asks for a gradient of this leaf, or no longer does. Throws autograd_error for integers and for computed tensors.
    any_tensor const& requires_grad_(bool on = true) const { return core::require_grad(need(), on), *this; }
    bool is_leaf() const { return need().update_history(), !state_->node; }
    /// The gradient that backward passes have collected, undefined if there is none.
    any_tensor grad() const { return any_tensor(need().grad); }
    /// Drops the gradient, or fills it with zeros.
    void zero_grad(bool set_to_none = true) const {
        core::tensor_state& t = need();
        if (set_to_none) core::replace_gradient(t, {});
        else core::set_to_zero(t, core::fresh_zeros(t.grad));
    }
    /// The same elements in the same memory, not recorded.
    any_tensor detach() const { return any_tensor(core::detached(need())); }
    /// A copy in memory of its own; its derivative is this tensor's.
    any_tensor clone(location where = location::current()) const { return any_tensor(core::clone_of(state_, where)); }
    /// How often its memory was written to in place.
    std::uint32_t version() const { return need().memory->written_times(); }

    /// Handles of the same tensor (not: tensors of equal elements).
    friend bool operator==(any_tensor const& a, any_tensor const& b) { return a.state_.get() == b.state_.get(); }
    core::tensor_ref const& state() const { return state_; }

private:
    core::tensor_state& need() const {
        if (!state_) core::refuse_undefined();
        return *state_;
    }
    core::tensor_ref state_;
};

template <>
inline constexpr bool is_any_tensor<any_tensor> = true;

/// Tells the tape that the elements of a tensor were written to by other means: a backward pass that needs the old ones
/// throws then, instead of computing with the new ones.
inline void increment_version(any_tensor const& t) {
    if (t.defined()) t.state()->memory->written();
}

}  // namespace gradus::inline GRADUS_ARCH
