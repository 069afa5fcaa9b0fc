// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/constants.hpp>
#include <gradus/tensor/state/tensor.hpp>

namespace gradus::inline GRADUS_ARCH {

namespace core {
/// The shape of a tensor of these extents, its run-time ones filled in from `given` in order.
template <extent... E>
shape filled(std::initializer_list<std::int64_t> given) {
    shape s{E...};
    auto next = given.begin();
    for (int axis = 0; axis < s.rank(); ++axis) {
        if (s[axis].is_static()) continue;
        if (*next < 0) throw shape_error(concat("gradus: a negative extent: ", *next, " for axis ", axis, " of ", shape{E...}).str());
        s[axis] = *next++;
    }
    if (s.is_too_large()) refuse_size(s);
    return s;
}
}  // namespace core

/// A tensor with elements not yet written; one argument per run-time extent: `gr::empty<float, gr::dyn, 5>(7)`.
template <element T, extent... E, std::integral... N>
    requires(sizeof...(N) == core::run_time_extents<E...>)
tensor<T, E...> empty(N... extents) {
    return tensor<T, E...>(core::filled<E...>({static_cast<std::int64_t>(extents)...}), nullptr);
}
namespace core {
// Constants (expr/constants.hpp) as tensors.
template <element T, extent... E, class... A>
tensor<T, E...> tensor_of(full_function<T, E...>, A... extents_and_value) {
    return [&]<std::size_t... I>(std::index_sequence<I...>, auto all) {
        auto made = empty<T, E...>(static_cast<std::int64_t>(std::get<I>(all))...);
        std::fill(made.begin(), made.end(), static_cast<T>(std::get<sizeof...(A) - 1>(all)));
        return made;
    }(std::make_index_sequence<sizeof...(A) - 1>{}, std::tuple<A...>(extents_and_value...));
}
template <double V, element T, extent... E, std::integral... N>
tensor<T, E...> tensor_of(filled_expr<V, T, E...>, N... extents) {
    return tensor_of(full<T, E...>, extents..., static_cast<T>(V));
}
template <element T, extent N, extent M>
tensor<T, N, M> tensor_of(identity_expr<T, N, M>) {
    auto made = filled_expr<0.0, T, N, M>{}();
    for (std::int64_t i = 0; i < N.code && i < M.code; ++i) made.data()[i * M.code + i] = T{1};
    return made;
}
template <element T, extent N>
tensor<T, N> tensor_of(counting_expr<T, N>) {
    auto made = empty<T, N>();
    for (std::int64_t i = 0; i < N.code; ++i) made.data()[i] = static_cast<T>(i);
    return made;
}
template <element T>
tensor<T, dyn> tensor_of(counting_expr<T, dyn>, T start, T stop, T step = T(1)) {
    auto const first = static_cast<double>(start), last = static_cast<double>(stop), by = static_cast<double>(step);
    if (!(by != 0) || (last - first) * by < 0)
        throw error(concat("gradus::arange(start, stop, step): no steps of ", by, " lead from ", first, " to ", last).str());
    auto made = empty<T, dyn>(static_cast<std::int64_t>(std::ceil((last - first) / by)));
    for (std::int64_t i = 0; i < made.size(); ++i) made.data()[i] = static_cast<T>(start + static_cast<T>(i) * step);
    return made;
}
template <element T>
tensor<T, dyn> tensor_of(counting_expr<T, dyn> e, T stop) {
    return tensor_of(e, T{}, stop);
}
template <element T, extent N, std::integral... Count>
tensor<T, N> tensor_of(linspace_function<T, N>, T start, T stop, Count... count) {
    auto made = empty<T, N>(count...);
    std::int64_t const last = made.size() - 1;
    T const step = (stop - start) / static_cast<T>(last > 0 ? last : 1);
    for (std::int64_t i = 0; i <= last; ++i)
        made.data()[i] = 2 * i < last || last == 0 ? start + step * static_cast<T>(i) : stop - step * static_cast<T>(last - i);
    return made;
}
}  // namespace core

/// N powers of 10 at equal ratios, from 10^start to 10^stop: `gr::logspace<double, 3>(0, 2)` is 1, 10, 100; the number of a gr::dyn comes
/// last.
template <floating_element T, extent N, std::integral... Count>
    requires(sizeof...(Count) == core::run_time_extents<N>)
tensor<T, N> logspace(double start, double stop, Count... count) {
    auto const exponents = linspace<double, N>(start, stop, count...);
    auto made = empty<T, N>(count...);
    for (std::int64_t i = 0; i < made.size(); ++i)
        made.data()[i] = static_cast<T>(static_cast<computed_t<dtype_of<T>>>(std::pow(10.0, exponents.data()[i])));
    return made;
}
/// Normal with mean 0 and standard deviation 1, in memory order.
template <element T, extent... E>
    requires(core::run_time_extents<E...> == 0 && floating_element<T>)
tensor<T, E...> randn(random& source) {
    auto made = empty<T, E...>();
    for (T& x : made) x = static_cast<T>(source.normal());
    return made;
}
/// The same with run-time extents, which come first: `gr::randn<float, gr::dyn, 5>(7, random)`.
template <element T, extent... E, class... A>
    requires(core::run_time_extents<E...> > 0 && sizeof...(A) == core::run_time_extents<E...> && floating_element<T>)
tensor<T, E...> randn(std::int64_t first, A&&... more_and_source) {
    return [&]<std::size_t... I>(std::index_sequence<I...>, auto all) {
        auto made = empty<T, E...>(first, static_cast<std::int64_t>(std::get<I>(all))...);
        for (T& x : made) x = static_cast<T>(std::get<sizeof...(A) - 1>(all).normal());
        return made;
    }(std::make_index_sequence<sizeof...(A) - 1>{}, std::forward_as_tuple(more_and_source...));
}
/// Uniform in [0, 1), in memory order.
template <element T, extent... E>
    requires(core::run_time_extents<E...> == 0 && floating_element<T>)
tensor<T, E...> rand(random& source) {
    return tensor<T, E...>(array<T, E...>::uniform(source, T{0}, T{1}));
}
/// A copy of contiguous data: `gr::from_span<float, gr::dyn, 5>(span, 7)`.
template <element T, extent... E, std::integral... N>
    requires(sizeof...(N) == core::run_time_extents<E...>)
tensor<T, E...> from_span(std::span<T const> values, N... extents) {
    if (!values.data() && !values.empty())
        core::refuse_null(std::string_view("gradus::from_span(values)"), static_cast<std::int64_t>(values.size()));
    auto made = empty<T, E...>(extents...);
    if (made.size() != static_cast<std::int64_t>(values.size()))
        throw shape_error(
            core::concat("gradus::from_span(values): ", static_cast<std::int64_t>(values.size()), " values for ", made.state()->described())
                .str());
    std::copy(values.begin(), values.end(), made.begin());
    return made;
}
/// A tensor of memory that stays the caller's, which has to outlive it and what is computed from it. Whoever writes to the
/// memory by other means tells the tape: increment_version(t).
template <element T, extent... E, std::integral... N>
    requires(sizeof...(N) == core::run_time_extents<E...>)
tensor<T, E...> from_blob(T* data, N... extents) {
    shape s = core::filled<E...>({static_cast<std::int64_t>(extents)...});
    if (!data && s.static_size() > 0) core::refuse_null(std::string_view("gradus::from_blob(data)"), s.static_size());
    core::tensor_ref made(new core::tensor_state);
    made->type = dtype_of<T>;
    made->rank = static_cast<std::int8_t>(s.rank());
    for (int i = 0; i < s.rank(); ++i) made->extents[i] = s[i].code;
    made->memory = core::borrow_storage(data, made->bytes());
    made->data = made->memory->data;
    return tensor<T, E...>(std::move(made));
}
/// The same, and `deleter(data)` is called when the last tensor and the last saved value that show the memory are gone; it
/// comes last: `gr::from_blob<float, gr::dyn, 5>(data, 7, deleter)`. If this throws, the memory is still the caller's.
template <element T, extent... E, class... A>
    requires(sizeof...(A) == core::run_time_extents<E...> + 1)
tensor<T, E...> from_blob(T* data, A... extents_and_deleter) {
    return [&]<std::size_t... I>(std::index_sequence<I...>, auto all) {
        using D = std::tuple_element_t<sizeof...(A) - 1, decltype(all)>;
        struct keeper {
            D deleter;
            T* data;
        };
        auto made = from_blob<T, E...>(data, static_cast<std::int64_t>(std::get<I>(all))...);
        core::storage& memory = *made.state()->memory;
        memory.keeper = new keeper{std::move(std::get<sizeof...(A) - 1>(all)), data};
        memory.let_go = [](void* k) {
            auto* kept = static_cast<keeper*>(k);
            kept->deleter(kept->data);
            delete kept;
        };
        return made;
    }(std::make_index_sequence<sizeof...(A) - 1>{}, std::tuple<A...>(std::move(extents_and_deleter)...));
}

/// |a - b| <= atol + rtol |b| for all elements (NumPy's rule). Operands are tensors or expressions.
template <operand A, operand B>
bool allclose(A const& a, B const& b, double rtol = 1e-5, double atol = 1e-8) {
    no_grad guard;
    tensor left = a, right = b;
    if (!left.defined() || !right.defined()) core::refuse_undefined();
    if (!(left.state()->shape() == right.state()->shape())) return false;
    auto x = left.contiguous(), y = right.contiguous();
    for (std::int64_t i = 0; i < x.size(); ++i) {
        auto p = static_cast<double>(x.data()[i]), q = static_cast<double>(y.data()[i]);
        if (!(p == q || (std::isfinite(q) && std::abs(p - q) <= atol + rtol * std::abs(q)))) return false;
    }
    return true;
}

}  // namespace gradus::inline GRADUS_ARCH
