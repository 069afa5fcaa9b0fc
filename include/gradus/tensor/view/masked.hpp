// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/tensor/state/tensor.hpp>
#include <gradus/tensor/view/indexing.hpp>

// Where masks are true, and what stands there.

namespace gradus::inline GRADUS_ARCH {

/// The places of the elements that are not 0, a row of indices for each: int64[dyn, rank].
template <run_time_operand X>
tensor<std::int64_t, dyn, X::type.shape.rank()> nonzero(X const& x, std::source_location where = std::source_location::current()) {
    core::list<core::tensor_ref> const places = core::places_of(core::computed(x, where).state());
    constexpr std::int64_t rank = X::type.shape.rank();
    static_assert(rank > 0, "gradus::nonzero(x): x is a scalar");
    auto made = tensor<std::int64_t, dyn, rank>(shape{places[0]->extents[0], rank}, nullptr);
    for (std::int64_t i = 0; i < places[0]->extents[0]; ++i)
        for (int axis = 0; axis < static_cast<int>(rank); ++axis)
            made.data()[i * rank + axis] = reinterpret_cast<std::int64_t const*>(places[axis]->data)[i];
    return made;
}
/// The same as an array of index tensors, one per axis: `x.index(i, j)` of them are the elements.
template <run_time_operand M>
std::array<tensor<std::int64_t, dyn>, static_cast<std::size_t>(M::type.shape.rank())> where(M const& mask) {
    core::list<core::tensor_ref> const places = core::places_of(core::computed(mask, std::source_location::current()).state());
    std::array<tensor<std::int64_t, dyn>, static_cast<std::size_t>(M::type.shape.rank())> made;
    for (std::size_t axis = 0; axis < made.size(); ++axis) made[axis] = tensor<std::int64_t, dyn>(places[static_cast<int>(axis)]);
    return made;
}
/// The elements of x where the mask is true, in memory order: a vector whose extent run time tells. Both broadcast.
template <run_time_operand X, run_time_operand M>
    requires(M::type.type == dtype::boolean)
tensor<element_t<X::type.type>, dyn> masked_select(X const& x, M const& mask,
                                                   std::source_location where = std::source_location::current()) {
    core::tensor_ref from = core::computed(x, where).state(), m = core::computed(mask, where).state();
    core::broadcast_both(from, m, "masked_select(x, mask)", where);
    core::index_value const items[] = {{core::index_kind_t::mask, {}, m}};
    core::index_source const place = core::indexed_place<>(from, items, where);
    return tensor<element_t<X::type.type>, dyn>(
        core::indexed(place.whole, place.axis, place.indices, core::masked_select_kind, where, place.taken_as_one));
}
/// gather of indices that broadcast with x beside the axis: what argmax, argsort and argmin with keepdim give.
template <int Axis, run_time_operand X, core::index_element I, extent... N>
    requires(sizeof...(N) == static_cast<std::size_t>(X::type.shape.rank()))
auto take_along_axis(X const& x, tensor<I, N...> const& indices, std::source_location where = std::source_location::current()) {
    constexpr int axis = core::axis_in<Axis, X>();
    core::tensor_ref from = core::computed(x, where).state(), names = indices.state();
    if (!from || !names) core::refuse_undefined();
    std::int64_t of_x[max_rank]{}, of_names[max_rank]{};
    for (int i = 0; i < from->rank; ++i) {
        std::int64_t const m = from->extents[i], n = names->extents[i];
        of_x[i] = i == axis ? m : m == 1 ? n : m;
        of_names[i] = i == axis ? n : n == 1 ? m : n;
    }
    names = core::expanded_to(names, names->rank, of_names, where);
    from = core::expanded_to(from, from->rank, of_x, where);
    constexpr tensor_type result = [] {
        tensor_type t{X::type.type, shape{N...}};
        for (int i = 0; i < t.shape.rank(); ++i)
            if (i != axis) t.shape[i] = core::common_extent(t.shape[i], X::type.shape[i]);
        return t;
    }();
    return core::declared_as<result>(core::indexed(from, axis, names, core::gather_kind, where));
}

}  // namespace gradus::inline GRADUS_ARCH
