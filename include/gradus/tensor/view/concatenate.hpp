// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/tensor/view/index.hpp>

#include <vector>

// Tensors joined along an axis whose extents run time tells. (Static ones are an operation of the language.)

namespace gradus::inline GRADUS_ARCH {
namespace core {

/// A node about parts that stand side by side along an axis.
struct cat_node : tape_node {
    dtype type;
    int axis;
    view_place whole;
    list<std::int64_t> starts;

    cat_node(tensor_state const& made, int along) : type(made.type), axis(along), whole(made.rank, made.extents) {}
};
inline void backward_of_cat(tape_node& base, backward_call& call) {
    auto& n = static_cast<cat_node&>(base);
    for (int k = 0; k + 1 < n.starts.size(); ++k) {
        if (!call.wants(static_cast<std::size_t>(k)) || !n.edges[static_cast<std::size_t>(k)]) continue;
        view_place part = n.whole;
        part.narrow(n.axis, n.starts[k], n.starts[k + 1] - n.starts[k]);
        region_node const region(n.type, n.whole, part);
        call.gradients[static_cast<std::size_t>(k)] = taken_out(call.cotangents[0], region);
    }
}
inline constexpr node_kind cat_kind{"CatBackward0", &backward_of_cat, &node_block<cat_node>::destroy};

inline tensor_ref joined(array_view<tensor_ref const> parts, int axis, std::source_location where) {
    if (parts.empty()) throw shape_error("gradus::cat(parts): there are no parts");
    for (tensor_ref const& t : parts)
        if (!t) refuse_undefined();
    std::int64_t extents[max_rank];
    for (int i = 0; i < parts[0]->rank; ++i) extents[i] = parts[0]->extents[i];
    bool recorded = is_recording(parts[0]);
    for (tensor_ref const& t : parts.part(1, parts.size() - 1)) {
        for (int i = 0; i < t->rank; ++i)
            if (i != axis && t->extents[i] != extents[i])
                throw shape_error(concat("gradus::cat(parts): shapes differ beside axis ", axis, ": one is ", parts[0]->described(),
                                         ", another is ", t->described())
                                      .str());
        extents[axis] += t->extents[axis];
        recorded = recorded || is_recording(t);
    }
    tensor_ref made = make_state(parts[0]->type, parts[0]->rank, extents);
    node_ref const owner(recorded ? node_block<cat_node>::make(cat_kind, parts.size(), 0, 0, *made, axis) : nullptr);
    auto* n = static_cast<cat_node*>(owner.get());
    std::int64_t start = 0;
    for (std::size_t k = 0; k < parts.size(); ++k) {
        tensor_ref const& t = parts[k];
        view_place part(*made);
        part.narrow(axis, start, t->extents[axis]);
        copy_elements(t->type, t->data, view_place(*t), made->data, part);
        if (n) {
            n->starts.push_back(start);
            n->connect(k, edge_of(t));
        }
        start += t->extents[axis];
    }
    if (!n) return made;
    n->starts.push_back(start);
    n->file = where.file_name();
    n->line = where.line();
    made->node = owner;
    return made;
}

/// A node whose results are the parts of a tensor along axis 0, one index each.
struct unstack_node : tape_node {
    dtype type;
    view_place whole;

    explicit unstack_node(tensor_state const& t) : type(t.type), whole(t.rank, t.extents) {}
    tensor_ref part(std::byte const* from, view_place const& layout, std::int64_t index) const {
        view_place at = layout;
        at.narrow(0, index, 1);
        tensor_ref made = make_state(type, whole.rank - 1, whole.extents + 1);
        copy_elements(type, from, at, made->data, view_place(at.rank, at.extents));
        return made;
    }
};
inline void backward_of_unstack(tape_node& base, backward_call& call) {
    auto const& n = static_cast<unstack_node&>(base);
    auto const where = std::source_location::current();
    list<tensor_ref> parts(static_cast<int>(n.results));
    std::int64_t one[max_rank];
    for (int i = 0; i < n.whole.rank; ++i) one[i] = i ? n.whole.extents[i] : 1;
    for (int k = 0; k < parts.size(); ++k) {
        tensor_ref const& g = call.cotangents[static_cast<std::size_t>(k)];
        parts[k] = g ? reshaped_to(g, view_place(n.whole.rank, one), reshape_kind, where) : zeros_like(n.type, n.whole.rank, one);
    }
    call.gradients[0] = joined({parts.begin(), parts.end()}, 0, where);
}
inline constexpr node_kind unstack_kind{"UnbindBackward0", &backward_of_unstack, &node_block<unstack_node>::destroy};

/// Copies of what each index of axis 0 names.
inline list<tensor_ref> unstacked(tensor_ref const& t, std::source_location where) {
    if (!t) refuse_undefined();
    constexpr std::int64_t most = 0xffff;  // results of a node
    std::int64_t const count = t->extents[0];
    list<tensor_ref> parts;
    if (count > most) {  // each a node of its own
        for (std::int64_t i = 0; i < count; ++i) parts.push_back(clone_of(selected(t, 0, i, select_kind, where), where));
        return parts;
    }
    node_ref const owner(is_recording(t) && count > 0 ? node_block<unstack_node>::make(unstack_kind, 1, 0, 0, *t) : nullptr);
    unstack_node const of_values(*t);
    for (std::int64_t i = 0; i < count; ++i) parts.push_back(of_values.part(t->data, view_place(*t), i));
    if (!owner) return parts;
    owner->results = static_cast<std::uint16_t>(count);
    owner->connect(0, edge_of(t));
    owner->file = where.file_name();
    owner->line = where.line();
    for (std::int64_t i = 0; i < count; ++i) {
        tensor_state& part = *parts[static_cast<int>(i)];
        part.node = owner;
        part.output = static_cast<decltype(part.output)>(i);
    }
    return parts;
}

/// The type of operands joined: extents beside the axis are as exact as the most exact operand tells.
template <int Axis, class... X>
constexpr tensor_type joined_type() {
    tensor_type const all[] = {X::type...};
    tensor_type made = all[0];
    for (tensor_type const& t : all) {
        if (&t == all) continue;
        for (int i = 0; i < made.shape.rank(); ++i) {
            extent &a = made.shape[i], b = t.shape[i];
            if (i == Axis) a = a.is_static() && b.is_static() ? extent(a.code + b.code) : dyn;
            else if (b.is_static()) a = b;
        }
    }
    return made;
}
template <int Axis, class First, class... X>
constexpr text cat_complaint() {
    tensor_type const& a = First::type;
    tensor_type const all[] = {X::type..., a};
    if (Axis < 0 || Axis >= a.shape.rank()) return concat("gradus::cat(a, b): no such axis: a is ", a);
    for (tensor_type const& b : all) {
        if (a.type != b.type) return concat("gradus::cat(a, b): operands differ in type: a is ", a, ", b is ", b);
        bool fits = a.shape.rank() == b.shape.rank();
        for (int i = 0; fits && i < a.shape.rank(); ++i) fits = i == Axis || call{}.same(a.shape[i], b.shape[i]);
        if (!fits) return concat("gradus::cat(a, b): shapes differ beside axis ", Axis, ": a is ", a, ", b is ", b);
    }
    return {};
}

template <int Axis, element T, extent... E>
auto cat_list(std::span<tensor<T, E...> const> parts, std::source_location where) {
    constexpr int axis = static_cast<int>(axis_of(Axis, sizeof...(E)));
    static_assert(axis < static_cast<int>(sizeof...(E)), "gradus::cat(parts): no such axis");
    list<tensor_ref> states;
    for (auto const& t : parts) states.push_back(t.state());
    return declared_as<with_extent({dtype_of<T>, {E...}}, axis, dyn)>(joined({states.begin(), states.end()}, axis, where));
}
template <tensor_type A, tensor_type B, std::int64_t Axis>
inline constexpr bool joins_at_run_time =
    Axis < A.shape.rank() && Axis < B.shape.rank() &&
    !(A.shape[static_cast<int>(Axis % max_rank)].is_static() && B.shape[static_cast<int>(Axis % max_rank)].is_static());

}  // namespace core

/// Tensors or expressions joined along an axis, computed at once: `gr::cat<0>(a, b, c)`. Extents may be known at run time only;
/// shape_error where they differ beside the axis.
template <int Axis, run_time_operand... X>
    requires(sizeof...(X) > 1)
auto cat(X const&... parts) {
    constexpr int axis = static_cast<int>(core::axis_of(Axis, std::tuple_element_t<0, std::tuple<X...>>::type.shape.rank()));
    core::report<&core::cat_complaint<axis, X...>>();
    if constexpr (core::is_empty<&core::cat_complaint<axis, X...>>) {
        auto const where = std::source_location::current();
        core::tensor_ref const states[] = {core::computed(parts, where).state()...};
        return core::declared_as<core::joined_type<axis, X...>()>(core::joined(states, axis, where));
    }
}
/// The same for a list of any length: `gr::cat<0>({a, b})`, `gr::cat<0>(vector)`. The result's extent is known at run time.
template <int Axis, element T, extent... E>
auto cat(std::initializer_list<tensor<T, E...>> parts, std::source_location where = std::source_location::current()) {
    return core::cat_list<Axis, T, E...>({parts.begin(), parts.size()}, where);
}
template <int Axis, element T, extent... E>
auto cat(std::vector<tensor<T, E...>> const& parts, std::source_location where = std::source_location::current()) {
    return core::cat_list<Axis, T, E...>({parts.data(), parts.size()}, where);
}

/// The rows x[0], x[1], ... as a list of copies: one node of the tape, whose backward pass joins their gradients once, where each x[i]
/// would add to all of x. What a loop over the steps of a sequence reads.
template <element T, extent N, extent... E>
std::vector<tensor<T, E...>> rows(tensor<T, N, E...> const& x, std::source_location where = std::source_location::current()) {
    std::vector<tensor<T, E...>> all;
    for (core::tensor_ref const& part : core::unstacked(x.state(), where)) all.push_back(tensor<T, E...>(part));
    return all;
}

/// concatenate where run time tells the extents of the axis: see cat.
template <int Axis, run_time_operand A, run_time_operand B>
    requires(core::joins_at_run_time<A::type, B::type, core::axis_of(Axis, A::type.shape.rank())>)
auto concatenate(A a, B b) {
    return cat<Axis>(a, b);
}

}  // namespace gradus::inline GRADUS_ARCH
