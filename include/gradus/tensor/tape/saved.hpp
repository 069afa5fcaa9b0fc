// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/tensor/state/tensor.hpp>

#include <array>
#include <tuple>

// Whole tensors among the saved values of the tape: for functions and checkpoints of the user's.

namespace gradus::inline GRADUS_ARCH::core {

/// A tensor beside its memory, which is a saved_value. It holds no history: an operand's is an edge of the node that saves
/// it, a result's is that node, and a handle of it would never end.
struct saved_tensor {
    dtype type = dtype::float32;
    std::int8_t rank = 0;
    bool is_contiguous = true;
    std::int16_t input = -1, output = -1;  ///< which operand or result it is
    std::int64_t extents[max_rank]{}, strides[max_rank]{};

    saved_tensor() = default;
    explicit saved_tensor(tensor_state const& t) : type(t.type), rank(t.rank), is_contiguous(t.is_contiguous()) {
        for (int i = 0; i < rank; ++i) {
            extents[i] = t.extents[i];
            strides[i] = t.stride(i);
        }
    }
    tensor_type described() const {
        tensor_type d{type, {}};
        for (int i = 0; i < rank; ++i) d.shape.push_back(extents[i]);
        return d;
    }
    /// The tensor again, computed by what `from` says.
    tensor_ref with(saved_value const& v, edge const& from) const {
        if (!v.memory) return {};
        if (from.leaf) return from.leaf;
        tensor_ref made(new tensor_state);
        made->type = type;
        made->rank = rank;
        for (int i = 0; i < rank; ++i) made->extents[i] = extents[i];
        made->memory = v.memory;
        made->data = v.data;
        made->node = from.node;
        made->output = from.output;
        if (is_contiguous) return made;
        tensor_extras& more = made->more();
        more.is_view = true;
        more.is_contiguous = false;
        for (int i = 0; i < rank; ++i) more.strides[i] = strides[i];
        return made;
    }
};
inline saved_value saved_from(tensor_state const& t) {
    saved_value v;
    v.memory = t.memory;
    v.data = t.data;
    v.version = t.memory->written_times();
    return v;
}

template <class X>
concept tensor_handle = is_tensor<X> || std::is_same_v<X, any_tensor>;
template <class X>
inline constexpr bool is_tensor_tuple = false;
template <class... T>
inline constexpr bool is_tensor_tuple<std::tuple<T...>> = true;

/// An expression is computed; everything else stays as it is.
template <class X>
decltype(auto) computed(X&& x) {
    if constexpr (tensor_value<std::remove_cvref_t<X>>) return tensor(x);
    else return std::forward<X>(x);
}
/// What a function of the user's returned, its expressions computed.
template <class R>
auto computed_results(R const& r) {
    if constexpr (is_tensor_tuple<R>)
        return std::apply(
            [](auto const&... each) { return std::tuple<std::remove_cvref_t<decltype(computed(each))>...>(computed(each)...); }, r);
    else return std::remove_cvref_t<decltype(computed(r))>(computed(r));
}

}  // namespace gradus::inline GRADUS_ARCH::core
