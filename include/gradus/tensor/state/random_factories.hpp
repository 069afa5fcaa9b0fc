// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/tensor/state/factories.hpp>

#include <algorithm>
#include <cmath>

// Tensors of random numbers, each from a generator that comes last, or from the thread's. And tensors like others.

namespace gradus::inline GRADUS_ARCH {

/// Starts it anew: what is drawn from here on depends on the seed alone.
inline void manual_seed(std::uint64_t seed) { default_random() = random(seed); }

namespace core {
template <class... A>
inline constexpr bool ends_with_random = false;
template <class First, class... A>
inline constexpr bool ends_with_random<First, A...> = ends_with_random<A...>;
template <>
inline constexpr bool ends_with_random<random> = true;

/// A tensor whose elements `draw(source)` gives, in memory order; the run-time extents and, maybe, a generator are `arguments`.
template <element T, extent... E, class... A>
tensor<T, E...> drawn(auto const& draw, A&&... arguments) {
    constexpr std::size_t extents = run_time_extents<E...>;
    static_assert(sizeof...(A) == extents || (sizeof...(A) == extents + 1 && ends_with_random<std::remove_cvref_t<A>...>),
                  "gradus: a tensor of random numbers takes one number for each gr::dyn, and a generator (gr::random) last");
    auto all = std::forward_as_tuple(arguments...);
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
        auto made = empty<T, E...>(static_cast<std::int64_t>(std::get<I>(all))...);
        random* source = nullptr;
        if constexpr (sizeof...(A) > extents) source = &std::get<extents>(all);
        else source = &default_random();
        for (T& x : made) x = static_cast<T>(static_cast<computed_t<dtype_of<T>>>(draw(*source)));
        return made;
    }(std::make_index_sequence<extents>{});
}
}  // namespace core

/// Normal with mean 0 and standard deviation 1, from the thread's generator: `gr::randn<float, gr::dyn, 5>(7)`.
template <element T, extent... E, std::integral... N>
    requires(sizeof...(N) == core::run_time_extents<E...> && floating_element<T>)
tensor<T, E...> randn(N... extents) {
    return core::drawn<T, E...>([](random& source) { return source.normal(); }, extents...);
}
/// Uniform in [0, 1): `gr::rand<float, 3>()`, `gr::rand<float, gr::dyn>(7)`, `gr::rand<float, gr::dyn>(7, random)`.
template <element T, extent... E, class... A>
    requires(floating_element<T> && !(sizeof...(A) == 1 && core::run_time_extents<E...> == 0))
tensor<T, E...> rand(A&&... extents_and_source) {
    return core::drawn<T, E...>([](random& source) { return core::below_one<T>(source); }, extents_and_source...);
}
/// Whole numbers in [low, high), all alike: `gr::randint<std::int64_t, gr::dyn>(0, 10, 7)`.
template <element T, extent... E, class... A>
tensor<T, E...> randint(std::int64_t low, std::int64_t high, A&&... extents_and_source) {
    if (low >= high) throw error(core::concat("gradus::randint(low, high): there is no number from ", low, " to below ", high).str());
    return core::drawn<T, E...>([=](random& source) { return low + core::whole_below(source, high - low); }, extents_and_source...);
}
/// 0 ... n-1 in random order.
inline tensor<std::int64_t, dyn> randperm(std::int64_t n, random& source = default_random()) {
    auto made = empty<std::int64_t, dyn>(n);
    for (std::int64_t i = 0; i < n; ++i) made.data()[i] = i;
    for (std::int64_t i = n - 1; i > 0; --i) std::swap(made.data()[i], made.data()[core::whole_below(source, i + 1)]);
    return made;
}
/// 1 with the probability that each element tells, else 0.
template <floating_element T, extent... E>
tensor<T, E...> bernoulli(tensor<T, E...> const& probability, random& source = default_random()) {
    auto const p = probability.contiguous();
    tensor<T, E...> made(p.state()->shape(), nullptr);
    for (std::int64_t i = 0; i < p.size(); ++i) {
        auto const x = static_cast<double>(p.data()[i]);
        if (!(x >= 0 && x <= 1)) throw error("gradus::bernoulli(probability): a probability is not between 0 and 1");
        made.data()[i] = static_cast<T>(source.uniform() < x ? 1 : 0);
    }
    return made;
}
/// Indices of `count` elements drawn with probabilities as their weights, which need not sum to 1; without replacement, no index twice.
template <floating_element T, extent N>
tensor<std::int64_t, dyn> multinomial(tensor<T, N> const& weights, std::int64_t count, bool replacement = false,
                                      random& source = default_random()) {
    auto const w = weights.contiguous();
    std::vector<double> left(w.begin(), w.end());
    std::int64_t positive = 0;
    double total = 0;
    for (double x : left) {
        if (!(x >= 0) || std::isinf(x)) throw error("gradus::multinomial(weights, count): a weight is negative, infinite or NaN");
        positive += x > 0;
        total += x;
    }
    if (count < 0 || positive == 0 || (!replacement && count > positive))
        throw error(core::concat("gradus::multinomial(weights, count): ", count, " draws", replacement ? "" : " without replacement",
                                 " from ", positive, " weights that are not 0")
                        .str());
    auto made = empty<std::int64_t, dyn>(count);
    for (std::int64_t& drawn : made) {
        double at = source.uniform() * total;
        drawn = -1;
        for (std::size_t i = 0; i < left.size() && (drawn < 0 || at >= 0); ++i) {
            if (left[i] == 0) continue;
            drawn = static_cast<std::int64_t>(i);  // the last one where rounding leaves something
            at -= left[i];
            if (at < 0) break;
        }
        if (replacement) continue;
        total -= std::exchange(left[static_cast<std::size_t>(drawn)], 0.0);
    }
    return made;
}

// ---- like another tensor

template <element T, extent... E>
tensor<T, E...> empty_like(tensor<T, E...> const& t) {
    if (!t.defined()) core::refuse_undefined();
    return tensor<T, E...>(t.state()->shape(), nullptr);
}
template <element T, extent... E>
tensor<T, E...> full_like(tensor<T, E...> const& t, T value) {
    auto made = empty_like(t);
    std::fill(made.begin(), made.end(), value);
    return made;
}
template <element T, extent... E>
tensor<T, E...> zeros_like(tensor<T, E...> const& t) {
    return full_like(t, T{});
}
template <element T, extent... E>
tensor<T, E...> ones_like(tensor<T, E...> const& t) {
    return full_like(t, static_cast<T>(1));
}
template <floating_element T, extent... E>
tensor<T, E...> randn_like(tensor<T, E...> const& t, random& source = default_random()) {
    auto made = empty_like(t);
    for (T& x : made) x = static_cast<T>(static_cast<computed_t<dtype_of<T>>>(source.normal()));
    return made;
}
template <floating_element T, extent... E>
tensor<T, E...> rand_like(tensor<T, E...> const& t, random& source = default_random()) {
    auto made = empty_like(t);
    for (T& x : made) x = static_cast<T>(static_cast<computed_t<dtype_of<T>>>(core::below_one<T>(source)));
    return made;
}

/// Whole numbers in [low, high).
template <element T, extent... E>
tensor<T, E...> randint_like(tensor<T, E...> const& t, std::int64_t low, std::int64_t high, random& source = default_random()) {
    auto made = empty_like(t);
    made.random_(low, high, source);
    return made;
}

}  // namespace gradus::inline GRADUS_ARCH
