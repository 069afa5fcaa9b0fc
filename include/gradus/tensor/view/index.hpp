// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/tensor/tape/evaluate.hpp>

// Elements that a tensor of integers names. Picking them out and adding to them are each other's derivative.

namespace gradus::inline GRADUS_ARCH {
namespace core {

/// A node about an axis of a tensor, and the indices along it (its saved value). Several axes may be taken as one.
struct index_node : tape_node {
    dtype type, index_type;
    int axis;
    bool gathers;      ///< indices have the result's shape; else they replace the axis
    view_place of;     ///< the tensor
    view_place whole;  ///< the same with one axis for those that are taken as one
    view_place indices;

    index_node(tensor_state const& t, tensor_state const& names, int along, bool gather, int taken_as_one = 1)
        : type(t.type),
          index_type(names.type),
          axis(along),
          gathers(gather),
          of(t.rank, t.extents),
          whole(of),
          indices(names.rank, names.extents) {
        for (; taken_as_one > 1; --taken_as_one) {
            std::int64_t const count = whole.extents[axis] * whole.extents[axis + 1];
            whole.drop(axis);
            whole.extents[axis] = count;
        }
    }
    index_node(index_node const& n)
        : tape_node(),
          type(n.type),
          index_type(n.index_type),
          axis(n.axis),
          gathers(n.gathers),
          of(n.of),
          whole(n.whole),
          indices(n.indices) {}
    /// The shape of what the indices pick out.
    view_place picked() const {
        if (gathers) return indices;
        view_place p = whole;
        p.drop(axis);
        for (int i = 0; i < indices.rank; ++i) p.insert(axis + i);
        for (int i = 0; i < indices.rank; ++i) p.extents[axis + i] = indices.extents[i];
        std::int64_t sizes[max_rank];
        for (int i = 0; i < p.rank; ++i) sizes[i] = p.extents[i];
        p.set_extents(p.rank, sizes);
        return p;
    }
};

/// Calls f(offset in the whole, offset in what is picked, elements in a row) for all that contiguous indices name.
template <class I>
void each_index(index_node const& n, I const* names, auto f) {
    std::int64_t const count = n.whole.extents[n.axis], step = n.whole.strides[n.axis], total = n.indices.size();
    auto at = [&](std::int64_t i) { return static_cast<std::int64_t>(names[i]) + (names[i] < 0 ? count : 0); };
    if (n.gathers) {
        std::int64_t index[max_rank]{}, offset = 0;
        for (std::int64_t i = 0; i < total; ++i) {
            f(offset + at(i) * step, i, std::int64_t{1});
            for (int axis = n.indices.rank - 1; axis >= 0; --axis) {
                std::int64_t const stride = axis == n.axis ? 0 : n.whole.strides[axis];
                offset += stride;
                if (++index[axis] < n.indices.extents[axis]) break;
                offset -= stride * index[axis];
                index[axis] = 0;
            }
        }
    } else {
        std::int64_t const outer = count == 0 ? 0 : n.whole.size() == 0 ? 0 : n.whole.size() / (count * step);
        for (std::int64_t o = 0; o < outer; ++o)
            for (std::int64_t i = 0; i < total; ++i) f((o * count + at(i)) * step, (o * total + i) * step, step);
    }
}
/// The same with the indices' type.
void each_index(index_node const& n, void const* names, auto f) {
    if (n.index_type == dtype::int32) each_index(n, static_cast<std::int32_t const*>(names), f);
    else each_index(n, static_cast<std::int64_t const*>(names), f);
}
inline void pick(index_node const& n, void const* names, std::byte const* from, std::byte* to) {
    std::int64_t const size = size_of(n.type);
    each_index(n, names, [&](std::int64_t whole, std::int64_t picked, std::int64_t row) {
        std::memcpy(to + picked * size, from + whole * size, static_cast<std::size_t>(row * size));
    });
}
inline void add_to_picked(index_node const& n, void const* names, std::byte const* from, std::byte* to) {
    with_dtype(n.type, [&]<class T>(T) {
        each_index(n, names, [&](std::int64_t whole, std::int64_t picked, std::int64_t row) {
            for (std::int64_t i = 0; i < row; ++i) reinterpret_cast<T*>(to)[whole + i] += reinterpret_cast<T const*>(from)[picked + i];
        });
    });
}

/// The indices that a node saved. Refused where they have been written to.
inline void const* saved_indices(index_node const& n) {
    saved_value const& s = n.saved[0];
    if (s.memory->written_times() != s.version) {
        tensor_type type{n.index_type, {}};
        for (int i = 0; i < n.indices.rank; ++i) type.shape.push_back(n.indices.extents[i]);
        refuse_modified(n, s, {}, type);
    }
    return s.data;
}
/// Enters `made`, which was computed from `from` with the same indices as another node.
inline void enter_same(tensor_ref const& made, tensor_ref const& from, index_node const& n, node_kind const& kind) {
    if (!is_recording(from)) return;
    index_node* same = node_block<index_node>::make(kind, 1, 1, 0, n);
    same->saved[0] = n.saved[0];
    enter(made, from, same, n);
}
inline void backward_of_pick(tape_node& base, backward_call& call);
inline void backward_of_add(tape_node& base, backward_call& call);
inline constexpr node_kind index_select_kind{"IndexSelectBackward0", &backward_of_pick, &node_block<index_node>::destroy};
inline constexpr node_kind index_kind{"IndexBackward0", &backward_of_pick, &node_block<index_node>::destroy};
inline constexpr node_kind masked_select_kind{"MaskedSelectBackward0", &backward_of_pick, &node_block<index_node>::destroy};
inline constexpr node_kind gather_kind{"GatherBackward0", &backward_of_pick, &node_block<index_node>::destroy};
inline constexpr node_kind index_add_kind{"IndexAddBackward0", &backward_of_add, &node_block<index_node>::destroy};

inline void backward_of_pick(tape_node& base, backward_call& call) {
    auto& n = static_cast<index_node&>(base);
    tensor_ref made = zeros_like(n.type, n.of.rank, n.of.extents);
    add_to_picked(n, saved_indices(n), call.cotangents[0]->data, made->data);
    enter_same(made, call.cotangents[0], n, index_add_kind);
    call.gradients[0] = std::move(made);
}
/// The elements of `from` that the indices of a node name.
inline tensor_ref picked_by(tensor_ref const& from, index_node const& n) {
    view_place const shape = n.picked();
    tensor_ref made = make_state(n.type, shape.rank, shape.extents);
    pick(n, saved_indices(n), from->data, made->data);
    enter_same(made, from, n, n.gathers ? gather_kind : index_select_kind);
    return made;
}
inline void backward_of_add(tape_node& base, backward_call& call) {
    call.gradients[0] = picked_by(call.cotangents[0], static_cast<index_node&>(base));
}

/// Throws where an index leaves the axis.
inline void require_indices(std::string_view call, tensor_state const& t, int axis, index_node const& n, std::byte const* names) {
    std::int64_t const count = n.whole.extents[axis], total = n.indices.size();
    for (std::int64_t i = 0; i < total; ++i) {
        std::int64_t const index = n.index_type == dtype::int32 ? reinterpret_cast<std::int32_t const*>(names)[i]
                                                                : reinterpret_cast<std::int64_t const*>(names)[i];
        if (index < -count || index >= count) refuse_index(call, t, index, axis);
    }
}
inline tensor_ref indexed(tensor_ref const& t, int axis, tensor_ref const& indices, node_kind const& kind, std::source_location where,
                          int taken_as_one = 1) {
    if (!t || !indices) refuse_undefined();
    bool const gathers = &kind == &gather_kind;
    std::string_view const call = gathers                       ? "gather(x, indices)"
                                  : &kind == &index_select_kind ? "index_select(x, indices)"
                                                                : "tensor::operator[](indices)";
    tensor_ref const from = t->is_contiguous() ? t : contiguous_copy(*t),
                     names = indices->is_contiguous() ? indices : contiguous_copy(*indices);
    bool fits = !gathers || names->rank == t->rank;
    for (int i = 0; gathers && fits && i < t->rank; ++i) fits = i == axis || names->extents[i] <= t->extents[i];
    if (!fits)
        throw shape_error(concat("gradus::gather(x, indices): the indices reach beyond x beside axis ", axis, ": x is ", t->described(),
                                 ", indices is ", names->described())
                              .str());
    node_ref const owner(node_block<index_node>::make(kind, 1, 1, 0, *t, *names, axis, gathers, taken_as_one));
    auto& n = static_cast<index_node&>(*owner);
    require_indices(call, *t, axis, n, names->data);
    view_place const shape = n.picked();
    tensor_ref made = make_state(t->type, shape.rank, shape.extents);
    pick(n, names->data, from->data, made->data);
    if (!is_recording(t)) return made;
    n.save(0, *names);
    n.connect(0, edge_of(t));
    n.file = where.file_name();
    n.line = where.line();
    made->node = owner;
    return made;
}
template <int Axis, class X>
constexpr int axis_in() {
    constexpr int axis = static_cast<int>(axis_of(Axis, X::type.shape.rank()));
    static_assert(axis < X::type.shape.rank(), "gradus::index_select, gradus::gather: no such axis");
    return axis;
}
template <class I>
concept index_element = std::integral<I> && !std::is_same_v<I, bool>;
/// The tensor that an operand is or is computed as.
template <class X>
auto computed(X const& x, std::source_location where) {
    if constexpr (is_tensor<X>) return x;
    else return typename X::tensor_type_of(evaluate(x, where));
}

}  // namespace core

/// The elements of an axis that `indices` names, in its order: result[.., i, ..] = x[.., indices[i], ..]. Negative indices count
/// from the end; shape_error names one that is out of bounds. Derivatives of elements named twice add up.
template <int Axis = 0, run_time_operand X, core::index_element I, extent N>
auto index_select(X const& x, tensor<I, N> const& indices, std::source_location where = std::source_location::current()) {
    constexpr int axis = core::axis_in<Axis, X>();
    return core::declared_as<core::with_extent(X::type, axis, N)>(
        core::indexed(core::computed(x, where).state(), axis, indices.state(), core::index_select_kind, where));
}
/// One element of an axis for each index: result[i][j] = x[indices[i][j]][j] along axis 0, and alike along others. Indices have as
/// many axes as x and reach no further than x beside `Axis`.
template <int Axis, run_time_operand X, core::index_element I, extent... N>
    requires(sizeof...(N) == static_cast<std::size_t>(X::type.shape.rank()))
auto gather(X const& x, tensor<I, N...> const& indices, std::source_location where = std::source_location::current()) {
    constexpr int axis = core::axis_in<Axis, X>();
    return tensor<element_t<X::type.type>, N...>(
        core::indexed(core::computed(x, where).state(), axis, indices.state(), core::gather_kind, where));
}

}  // namespace gradus::inline GRADUS_ARCH
