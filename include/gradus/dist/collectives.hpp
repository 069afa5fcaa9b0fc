// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/dist/reduction.hpp>
#include <gradus/nn/parameters.hpp>
#include <gradus/tensor/state/any_factories.hpp>
#include <gradus/tensor/state/tensor.hpp>

#include <ranges>

// Collective operations on arrays, tensors and lists of tensors. All ranks call them, with arrays of the same type and size.

namespace gradus::inline GRADUS_ARCH {

namespace core {

template <class R>
concept plain_array = std::ranges::contiguous_range<R> && !is_tensor<std::remove_cvref_t<R>> && element<std::ranges::range_value_t<R>>;
template <class R>
concept writable_array = plain_array<R> && !std::is_const_v<std::remove_reference_t<std::ranges::range_reference_t<R>>>;

inline void refuse_gaps(any_tensor const& t, std::string_view call) {
    if (!t.is_contiguous())
        throw error(concat("gradus::dist::", call, ": the elements of this view do not follow each other in memory: use clone()").str());
}
inline void broadcast_bytes(dist::communicator const& all, void* data, std::int64_t bytes, int root) {
    constexpr std::int64_t most = std::int64_t{1} << 30;
    for (std::int64_t i = 0; i < bytes; i += most)
        check_mpi(MPI_Bcast(static_cast<std::byte*>(data) + i, static_cast<int>(std::min(most, bytes - i)), MPI_BYTE, root, all.mpi()),
                  "broadcast_(communicator, x, root)");
}
inline void check_root(dist::communicator const& all, int root, std::string_view call) {
    if (root < 0 || root >= all.size()) throw error(concat("gradus::dist::", call, ": no such rank: ", root, " of ", all.size()).str());
}
/// Elements of tensors of one dtype, one after the other, as registers hold them: to `flat`, or from it.
template <bool ToFlat, class T>
void copy_flat(std::vector<any_tensor> const& tensors, dtype type, T* flat) {
    for (any_tensor const& t : tensors) {
        if (t.dtype() != type) continue;
        with_dtype(type, [&]<class E>(E) {
            if constexpr (std::is_same_v<T, computed_t<dtype_of<E>>>) {
                for (E& x : t.values<E>())
                    if constexpr (ToFlat) *flat++ = static_cast<T>(x);
                    else x = static_cast<E>(*flat++);
            }
        });
        if (!ToFlat) increment_version(t);
    }
}

}  // namespace core

namespace dist {

// ---- all ranks get what all have, reduced

/// x = the sum over ranks of their x (or the mean, the least, the largest), on all ranks; x is an array: std::vector, gr::array, std::span.
template <core::writable_array R>
void all_reduce_(communicator const& all, R&& x, reduce_options const& options = {}) {
    using T = std::ranges::range_value_t<R>;
    auto const n = static_cast<std::int64_t>(std::ranges::size(x));
    if constexpr (half_element<T>) {  // added up in float, rounded once
        std::vector<float> wide(std::ranges::begin(x), std::ranges::end(x));
        core::reduce_in_place(all, wide.data(), n, options);
        for (std::int64_t i = 0; i < n; ++i) std::ranges::data(x)[i] = static_cast<T>(wide[static_cast<std::size_t>(i)]);
    } else core::reduce_in_place(all, std::ranges::data(x), n, options);
}
/// The same for the elements of a tensor, in place; nothing is recorded. See all_reduce for what has a derivative.
inline void all_reduce_(communicator const& all, any_tensor const& x, reduce_options const& options = {}) {
    core::refuse_gaps(x, "all_reduce_(communicator, x)");
    core::check_reduction(x.dtype(), options.op, "all_reduce_(communicator, x)");
    core::with_dtype(x.dtype(), [&]<class T>(T) {
        if constexpr (!std::is_same_v<T, bool>) all_reduce_(all, x.values<T>(), options);
    });
    increment_version(x);
}
/// The same for a list of tensors: those of one dtype are one message. Undefined ones are passed over, on all ranks the same.
template <class Asked = void>
void all_reduce_(communicator const& all, std::vector<any_tensor> const& list, reduce_options const& options = {}) {
    core::when<Asked, std::vector<any_tensor>> defined;
    for (any_tensor const& t : list)
        if (t.defined()) core::refuse_gaps(t, "all_reduce_(communicator, tensors)"), defined.push_back(t);
    for (std::size_t i = 0; i < defined.size(); ++i) {
        dtype const type = defined[i].dtype();
        core::check_reduction(type, options.op, "all_reduce_(communicator, tensors)");
        bool first = true;
        for (std::size_t k = 0; k < i; ++k) first = first && defined[k].dtype() != type;
        if (!first) continue;
        core::with_dtype(computed_in(type), [&]<class T>(T) {
            if constexpr (!std::is_same_v<T, bool>) {
                std::int64_t size = 0;
                for (any_tensor const& t : defined) size += t.dtype() == type ? t.size() : 0;
                tensor<T, dyn> const flat = empty<T, dyn>(size);
                core::copy_flat<true>(defined, type, flat.data());
                core::reduce_in_place(all, flat.data(), size, options);
                core::copy_flat<false>(defined, type, flat.data());
            }
        });
    }
}

// ---- all ranks get what one has

/// x = the x of rank `root`, on all ranks.
template <core::writable_array R>
void broadcast_(communicator const& all, R&& x, int root = 0) {
    core::check_root(all, root, "broadcast_(communicator, x, root)");
    core::broadcast_bytes(all, std::ranges::data(x),
                          static_cast<std::int64_t>(std::ranges::size(x) * sizeof(std::ranges::range_value_t<R>)), root);
}
inline void broadcast_(communicator const& all, any_tensor const& x, int root = 0) {
    core::check_root(all, root, "broadcast_(communicator, x, root)");
    core::refuse_gaps(x, "broadcast_(communicator, x, root)");
    core::broadcast_bytes(all, x.data(), x.state()->bytes(), root);
    increment_version(x);
}
inline void broadcast_(communicator const& all, std::vector<any_tensor> const& list, int root = 0) {
    for (any_tensor const& t : list)
        if (t.defined()) broadcast_(all, t, root);
}
/// The tensors of a module, an optimiser or a file by name: all ranks have the same names.
inline void broadcast_(communicator const& all, nn::tensor_dict const& dict, int root = 0) {
    for (auto const& [name, t] : dict) broadcast_(all, t, root);
}

// ---- all ranks get what all have

/// The arrays of all ranks, one after the other.
template <core::plain_array R>
auto all_gather(communicator const& all, R const& x) {
    using T = std::ranges::range_value_t<R>;
    std::string_view const call = "all_gather(communicator, x)";
    int const n = core::mpi_count(static_cast<std::int64_t>(std::ranges::size(x)), call);
    std::vector<T> made(static_cast<std::size_t>(n) * static_cast<std::size_t>(all.size()));
    MPI_Datatype const type = core::mpi_type(dtype_of<T>);
    core::check_mpi(MPI_Allgather(std::ranges::data(x), n, type, made.data(), n, type, all.mpi()), call);
    return made;
}
/// The tensors of all ranks, stacked along a new first axis. Not recorded.
inline any_tensor all_gather(communicator const& all, any_tensor const& x) {
    std::string_view const call = "all_gather(communicator, x)";
    core::refuse_gaps(x, call);
    if (x.rank() == max_rank)
        throw shape_error(core::concat("gradus::dist::", call, ": no axis is left for the ranks: x is ", x.state()->described()).str());
    shape stacked{static_cast<std::int64_t>(all.size())};
    for (int axis = 0; axis < x.rank(); ++axis) stacked.push_back(x.size(axis));
    any_tensor const made = empty(stacked, x.dtype());
    int const n = core::mpi_count(x.size(), call);
    MPI_Datatype const type = core::mpi_type(x.dtype());
    core::check_mpi(MPI_Allgather(x.data(), n, type, made.data(), n, type, all.mpi()), call);
    return made;
}
template <element T, extent... E>
    requires(sizeof...(E) < max_rank)
tensor<T, dyn, E...> all_gather(communicator const& all, tensor<T, E...> const& x) {
    return all_gather(all, any_tensor(x)).template as<T, dyn, E...>();
}
inline std::vector<any_tensor> all_gather(communicator const& all, std::vector<any_tensor> const& list) {
    std::vector<any_tensor> made;
    for (any_tensor const& t : list) made.push_back(t.defined() ? all_gather(all, t) : any_tensor());
    return made;
}

}  // namespace dist
}  // namespace gradus::inline GRADUS_ARCH
