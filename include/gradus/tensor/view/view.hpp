// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/kernel/move.hpp>
#include <gradus/tensor/state/leaves.hpp>

// Tensors that show elements of another: they share its memory and its version.

namespace gradus::inline GRADUS_ARCH::core {

/// Where the elements of a view stand in the memory of another tensor. Offset and strides are in elements.
struct view_place {
    int rank = 0;
    std::int64_t offset = 0, extents[max_rank]{}, strides[max_rank]{};

    view_place() = default;
    view_place(int count, std::int64_t const* sizes) { set_extents(count, sizes); }
    explicit view_place(tensor_state const& t) : rank(t.rank) {
        for (int i = 0; i < rank; ++i) {
            extents[i] = t.extents[i];
            strides[i] = t.stride(i);
        }
    }
    std::int64_t size() const {
        std::int64_t product = 1;
        for (int i = 0; i < rank; ++i) product *= extents[i];
        return product;
    }
    bool is_contiguous() const {
        std::int64_t step = 1;
        for (int i = rank - 1; i >= 0; --i) {
            if (extents[i] != 1 && strides[i] != step) return false;
            step *= extents[i];
        }
        return true;
    }
    /// Does one element of memory stand for several of the view?
    bool repeats() const {
        for (int i = 0; i < rank; ++i)
            if (strides[i] == 0 && extents[i] > 1) return true;
        return false;
    }
    /// The elements from the first to the last one.
    std::int64_t span() const {
        std::int64_t last = 0;
        for (int i = 0; i < rank; ++i) {
            if (extents[i] == 0) return 0;
            last += (extents[i] - 1) * strides[i];
        }
        return last + 1;
    }
    void set_extents(int count, std::int64_t const* sizes) {
        rank = count;
        std::int64_t step = 1;
        for (int i = rank - 1; i >= 0; --i) {
            extents[i] = sizes[i];
            strides[i] = step;
            step *= sizes[i];
        }
    }
    void narrow(int axis, std::int64_t start, std::int64_t length) {
        offset += start * strides[axis];
        extents[axis] = length;
    }
    void drop(int axis) {
        --rank;
        for (int i = axis; i < rank; ++i) {
            extents[i] = extents[i + 1];
            strides[i] = strides[i + 1];
        }
    }
    void insert(int axis) {
        for (int i = rank; i > axis; --i) {
            extents[i] = extents[i - 1];
            strides[i] = strides[i - 1];
        }
        extents[axis] = strides[axis] = 1;
        ++rank;
    }
    /// Repeats along new leading axes and along those that have another extent there.
    void expand(int count, std::int64_t const* sizes) {
        for (; rank < count; strides[0] = 0) insert(0);
        for (int i = 0; i < rank; ++i) {
            if (extents[i] != sizes[i]) strides[i] = 0;
            extents[i] = sizes[i];
        }
    }
};

/// The memory of a tensor under another contiguous shape, without history.
inline tensor_ref make_alias(tensor_state const& t, view_place const& place) {
    tensor_ref made(new tensor_state);
    made->type = t.type;
    made->rank = static_cast<std::int8_t>(place.rank);
    for (int i = 0; i < place.rank; ++i) made->extents[i] = place.extents[i];
    made->memory = t.memory;
    made->data = t.data + place.offset * size_of(t.type);
    return made;
}
/// A tensor that shows elements of `base`, without history.
inline tensor_ref make_view(tensor_ref const& base, view_place const& place) {
    tensor_ref made = make_alias(*base, place);
    tensor_extras& more = made->more();
    more.base = base->extras && base->extras->base ? base->extras->base : base;
    more.seen = base->memory->written_times();
    more.origin = modes.records ? view_origin::recording : view_origin::no_grad;
    more.is_view = true;
    more.is_contiguous = place.is_contiguous();
    for (int i = 0; i < place.rank; ++i) more.strides[i] = place.strides[i];
    return made;
}

/// Copies elements of one type from one place to another of the same extents, each place in its own memory.
inline void copy_elements(dtype type, std::byte const* from, view_place const& source, std::byte* to, view_place const& target) {
    if (target.size() == 0) return;
    with_dtype(type, [&]<class T>(T) {
        kernel::copy_strided(reinterpret_cast<T const*>(from) + source.offset, source.strides, reinterpret_cast<T*>(to) + target.offset,
                             target.strides, target.extents, target.rank);
    });
}
inline tensor_ref contiguous_copy(tensor_state const& t) {
    tensor_ref made = make_state(t.type, t.rank, t.extents);
    copy_elements(t.type, t.data, view_place(t), made->data, view_place(*made));
    return made;
}
inline constexpr node_kind clone_kind{"CloneBackward0", [](tape_node&, backward_call& call) { call.gradients[0] = call.cotangents[0]; },
                                      &node_block<>::destroy};

// ---- expressions that only look at a tensor in another way

template <class X>
inline constexpr bool is_view_chain = false;
template <class T, extent... E>
inline constexpr bool is_view_chain<tensor<T, E...>> = true;
/// The views that tensors show in place. Those of users are computed, by loops that read in place.
template <class Op>
concept view_operation = requires { operation<Op>::type::kind; } && has_kernel<typename operation<Op>::type> &&
                         operation<Op>::type::kind == op_kind::view;  // composites are of no kind
template <class Op, class A>
inline constexpr bool is_view_chain<tensor_expression<Op, A>> = is_view_chain<A> && view_operation<Op>;

template <class T, extent... E>
bool follow(std::type_identity<tensor<T, E...>>, view_place&) {
    return true;
}
/// From the place of an expression's tensor to that of the expression; false where no strides describe it: a reshape of
/// elements that do not stand in order.
template <class Op, class A>
bool follow(std::type_identity<tensor_expression<Op, A>>, view_place& place) {
    using O = typename operation<Op>::type;
    if (!follow(std::type_identity<A>{}, place)) return false;
    constexpr parameters const& given = operation<Op>::given;
    view_place const from = place;
    if constexpr (requires { requires O::only_repeats; }) {
        int const lead = given.target.rank() - from.rank;
        std::int64_t sizes[max_rank]{};
        for (int i = 0; i < given.target.rank(); ++i)
            sizes[i] = given.target[i].is_static() ? given.target[i].code : from.extents[i - lead];
        place.expand(given.target.rank(), sizes);
    } else if constexpr (requires { &O::view; }) {
        constexpr shape to = tensor_expression<Op, A>::type.shape;
        place.rank = to.rank();
        for (int i = 0; i < to.rank(); ++i) {
            view_axis const read = O::view(given.attr, A::type.shape, to, i);
            place.extents[i] = to[i].is_static() ? to[i].code : from.extents[read.from];
            place.offset += read.first * from.strides[read.from];
            place.strides[i] = from.strides[read.from] * read.step;
        }
    } else {
        static_assert(O::same_order);
        if (!from.is_contiguous()) return false;
        std::int64_t sizes[max_rank]{};
        int next = 0;
        for (int i = 0; i < given.target.rank(); ++i) {
            if (given.target[i].is_static()) {
                sizes[i] = given.target[i].code;
                continue;
            }
            while (next < from.rank && A::type.shape[next].is_static()) ++next;
            sizes[i] = from.extents[next++];
        }
        place.set_extents(given.target.rank(), sizes);
    }
    return true;
}

}  // namespace gradus::inline GRADUS_ARCH::core
