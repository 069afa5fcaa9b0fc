// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/tensor/view/index_range.hpp>

#include <source_location>

// Views in the tape. A view is a linear map, a region of the whole; its derivative puts the region back among zeros, whose
// derivative takes it out again: each is recorded as the other, so that views can be differentiated any number of times.

namespace gradus::inline GRADUS_ARCH::core {

/// A node about a region of a tensor. Gradients are contiguous, so `region` refers to contiguous memory of the whole's
/// shape; only where a whole that is no view has strides of its own, `whole` has them and `region` refers to those.
struct region_node : tape_node {
    dtype type;
    view_place whole, region;

    region_node(dtype element_type, view_place const& all, view_place const& part) : type(element_type), whole(all), region(part) {}
    bool is_everything() const { return whole.is_contiguous() && region.is_contiguous() && region.size() == whole.size(); }
};

template <class Node>
void enter(tensor_ref const& made, tensor_ref const& from, Node* n, std::source_location where) {
    n->connect(0, edge_of(from));
    n->file = where.file_name();
    n->line = where.line();
    made->node = node_ref(n);
}
template <class Node>
void enter(tensor_ref const& made, tensor_ref const& from, Node* n, tape_node const& origin) {
    n->connect(0, edge_of(from));
    n->file = origin.file;
    n->line = origin.line;
    made->node = node_ref(n);
}
/// Does what is computed from this tensor now have a history?
inline bool is_recording(tensor_ref const& t) { return modes.records && t->is_recorded(); }

/// to += from, elements of different places.
template <class T>
void add_strided(T const* from, std::int64_t const* from_stride, T* to, std::int64_t const* to_stride, std::int64_t const* extent,
                 int rank) {
    if (rank == 0) {
        *to += *from;
        return;
    }
    for (std::int64_t i = 0; i < *extent; ++i)
        add_strided(from + i * *from_stride, from_stride + 1, to + i * *to_stride, to_stride + 1, extent + 1, rank - 1);
}
/// Adds to places that may repeat elements.
inline void add_at(dtype type, std::byte const* from, view_place const& source, std::byte* to, view_place const& target) {
    with_floating_dtype(type, [&]<class T>(T) {
        add_strided(reinterpret_cast<T const*>(from) + source.offset, source.strides, reinterpret_cast<T*>(to) + target.offset,
                    target.strides, target.extents, target.rank);
    });
}
/// The elements of `g` as they stand in memory that has the strides of `whole`, and back.
inline tensor_ref to_layout(tensor_ref const& g, view_place const& whole) {
    if (whole.is_contiguous()) return g;
    std::int64_t const span = whole.span();
    tensor_ref made = zeros_like(g->type, 1, &span);
    copy_elements(g->type, g->data, view_place(*g), made->data, whole);
    return made;
}
inline tensor_ref from_layout(tensor_ref made, view_place const& whole) {
    if (whole.is_contiguous()) return made;
    tensor_ref g = make_state(made->type, whole.rank, whole.extents);
    copy_elements(g->type, made->data, whole, g->data, view_place(*g));
    return g;
}

tensor_ref taken_out(tensor_ref const& g, region_node const& n);
tensor_ref put_back(tensor_ref const& g, region_node const& n);

inline void backward_of_region(tape_node& n, backward_call& call) {
    call.gradients[0] = put_back(call.cotangents[0], static_cast<region_node&>(n));
}
inline void backward_of_put_back(tape_node& n, backward_call& call) {
    call.gradients[0] = taken_out(call.cotangents[0], static_cast<region_node&>(n));
}
template <void (*Backward)(tape_node&, backward_call&)>
constexpr node_kind region_kind(std::string_view name) {
    return {name, Backward, &node_block<region_node>::destroy};
}
inline constexpr node_kind slice_kind = region_kind<&backward_of_region>("SliceBackward0");
inline constexpr node_kind select_kind = region_kind<&backward_of_region>("SelectBackward0");
inline constexpr node_kind squeeze_kind = region_kind<&backward_of_region>("SqueezeBackward0");
inline constexpr node_kind unsqueeze_kind = region_kind<&backward_of_region>("UnsqueezeBackward0");
inline constexpr node_kind unbind_kind = region_kind<&backward_of_region>("UnbindBackward0");
inline constexpr node_kind expand_kind = region_kind<&backward_of_region>("ExpandBackward0");
inline constexpr node_kind reshape_kind = region_kind<&backward_of_region>("ViewBackward0");
inline constexpr node_kind permute_kind = region_kind<&backward_of_region>("PermuteBackward0");
inline constexpr node_kind as_strided_kind = region_kind<&backward_of_region>("AsStridedBackward0");
inline constexpr node_kind put_back_kind = region_kind<&backward_of_put_back>("SliceBackwardBackward0");

/// The region of `g`, which is shaped like the whole.
inline tensor_ref taken_out(tensor_ref const& g, region_node const& n) {
    tensor_ref made;
    if (n.is_everything()) made = make_alias(*g, n.region);
    else {
        made = make_state(n.type, n.region.rank, n.region.extents);
        copy_elements(n.type, to_layout(g, n.whole)->data, n.region, made->data, view_place(*made));
    }
    if (is_recording(g)) enter(made, g, node_block<region_node>::make(slice_kind, 1, 0, 0, n.type, n.whole, n.region), n);
    return made;
}
/// Zeros shaped like the whole, plus `g` in the region.
inline tensor_ref put_back(tensor_ref const& g, region_node const& n) {
    tensor_ref made;
    if (n.is_everything()) made = make_alias(*g, n.whole);
    else {
        std::int64_t const span = n.whole.span();
        made = n.whole.is_contiguous() ? zeros_like(n.type, n.whole.rank, n.whole.extents) : zeros_like(n.type, 1, &span);
        (n.region.repeats() ? add_at : copy_elements)(n.type, g->data, view_place(*g), made->data, n.region);
        made = from_layout(made, n.whole);
    }
    if (is_recording(g)) enter(made, g, node_block<region_node>::make(put_back_kind, 1, 0, 0, n.type, n.whole, n.region), n);
    return made;
}

/// The same region in two layouts of one tensor: as it is, and as if it were contiguous.
struct view_places {
    view_place actual, contiguous;
    explicit view_places(tensor_state const& t) : actual(t), contiguous(t.rank, t.extents) {}
    void each(auto change) {
        change(actual);
        change(contiguous);
    }
};
/// A view of `whole` at a place, recorded.
inline tensor_ref region_of(tensor_ref const& whole, view_places const& at, node_kind const& kind, std::source_location where) {
    tensor_ref made = make_view(whole, at.actual);
    if (is_recording(whole))
        enter(made, whole,
              node_block<region_node>::make(kind, 1, 0, 0, whole->type, view_place(whole->rank, whole->extents), at.contiguous), where);
    return made;
}
/// The elements in row-major order under another shape; a view where they stand in that order.
inline tensor_ref reshaped_to(tensor_ref const& t, view_place const& shape, node_kind const& kind, std::source_location where) {
    tensor_ref made = t->is_contiguous() ? make_view(t, shape) : make_alias(*contiguous_copy(*t), shape);
    if (is_recording(t))
        enter(made, t, node_block<region_node>::make(kind, 1, 0, 0, t->type, view_place(t->rank, t->extents), shape), where);
    return made;
}
inline tensor_ref flattened(tensor_ref const& t, std::source_location where) {
    if (!t) refuse_undefined();
    std::int64_t const size = t->size();
    return reshaped_to(t, view_place(1, &size), reshape_kind, where);
}
inline tensor_ref clone_of(tensor_ref const& t, std::source_location where) {
    if (!t) refuse_undefined();
    tensor_ref made = contiguous_copy(*t);
    if (is_recording(t)) enter(made, t, node_block<>::make(clone_kind, 1, 0, 0), where);
    return made;
}

// ---- ranges and elements of an axis that run time tells

[[noreturn, gnu::cold]] inline void refuse_index(std::string_view call, tensor_state const& t, std::int64_t index, int axis) {
    refuse_index(call, t.described(), index, axis);
}
inline tensor_ref selected(tensor_ref const& t, int axis, std::int64_t index, node_kind const& kind, std::source_location where) {
    if (!t) refuse_undefined();
    std::int64_t const n = t->extents[axis], at_axis = index < 0 ? index + n : index;
    if (at_axis < 0 || at_axis >= n) refuse_index("tensor::select(index)", *t, index, axis);
    view_places at(*t);
    at.each([&](view_place& p) { p.narrow(axis, at_axis, 1), p.drop(axis); });
    return region_of(t, at, kind, where);
}
inline tensor_ref squeezed(tensor_ref const& t, int axis, std::source_location where) {
    if (!t) refuse_undefined();
    if (t->extents[axis] != 1)
        throw shape_error(concat("gradus::tensor::squeeze(): axis ", axis, " of ", t->described(), " has more than one element").str());
    view_places at(*t);
    at.each([&](view_place& p) { p.drop(axis); });
    return region_of(t, at, squeeze_kind, where);
}
inline tensor_ref unsqueezed(tensor_ref const& t, int axis, std::source_location where) {
    if (!t) refuse_undefined();
    view_places at(*t);
    at.each([&](view_place& p) { p.insert(axis); });
    return region_of(t, at, unsqueeze_kind, where);
}
/// Repeated along leading axes and axes of one element.
inline tensor_ref expanded_to(tensor_ref const& t, int rank, std::int64_t const* extents, std::source_location where) {
    view_places at(*t);
    at.each([&](view_place& p) { p.expand(rank, extents); });
    return region_of(t, at, expand_kind, where);
}

// ---- histories that change when memory is written to

inline void stop_retaining(tensor_state& t) {
    if (!t.retains_grad || !t.node || !t.node->extras) return;
    locked held(t.node->lock);
    t.node->extras->stop_retaining(&t);
}
/// Makes a node nobody else knows yet ready to be the history of a tensor: if that keeps its gradient it will do so there.
inline void prepare_history(tensor_state& t, node_ref const& node) {
    if (t.retains_grad && t.node && t.node->extras && node) node->more().retaining.push_back(&t);
}
/// Gives a tensor another history, which has been prepared.
inline void set_history(tensor_state& t, node_ref node, std::int32_t output) noexcept {
    stop_retaining(t);
    t.node = std::move(node);
    t.output = output;
}
inline void forget_history(tensor_state& t) noexcept {
    if (t.node) ++t.turns;
    set_history(t, {}, t.output);
    t.requires_grad = t.retains_grad = false;
}
/// Where a view stands in its base.
inline region_node* make_region_in_base(tensor_state const& view, node_kind const& kind, std::size_t edges) {
    tensor_state const& base = *view.extras->base;
    view_place region(view);
    region.offset = (view.data - base.data) / size_of(view.type);
    return node_block<region_node>::make(kind, edges, 0, 0, view.type, view_place(base), region);
}
/// A view whose base, or another view of it, was written to is from then on a region of what the base has become. Whichever
/// thread asks first sees to it; a checkpoint does not count the node, which is not made when it asks again.
inline void renew(tensor_state const& view) {
    auto& t = const_cast<tensor_state&>(view);
    mode_guard<node_watcher*, &thread_work::watcher, thread_work> unwatched(nullptr);
    node_ref before;  // ends after the lock
    locked held(t.lock);
    tensor_extras& more = *t.extras;
    std::uint32_t const now = t.memory->written_times();
    if (more.seen == now) return;
    if (more.origin != view_origin::no_grad && (t.node || more.base->is_recorded())) {
        node_ref node;
        if (more.base->is_recorded()) {
            region_node* n = make_region_in_base(t, as_strided_kind, 1);
            node = node_ref(n);
            n->connect(0, edge_of(more.base));
            prepare_history(t, node);
        }
        before = t.node;
        set_history(t, std::move(node), 0);
    }
    __atomic_store_n(&more.seen, now, __ATOMIC_RELEASE);
}

}  // namespace gradus::inline GRADUS_ARCH::core
