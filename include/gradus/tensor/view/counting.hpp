// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/sort.hpp>
#include <gradus/tensor/state/factories.hpp>

#include <algorithm>

// What elements there are, and how many of each. Nothing of this is recorded but quantiles.

namespace gradus::inline GRADUS_ARCH {

/// The different elements in order; of each element of x the place of its like there; and how often each occurs.
template <element T>
struct unique_elements {
    tensor<T, dyn> values;
    tensor<std::int64_t, dyn> inverse, counts;
};
template <element T, extent... E>
unique_elements<T> unique(tensor<T, E...> const& t) {
    auto const x = t.contiguous();
    std::vector<std::int64_t> order(static_cast<std::size_t>(x.size()));
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i);
    T const* const data = x.data();
    std::stable_sort(order.begin(), order.end(), [data](std::int64_t a, std::int64_t b) { return data[a] < data[b]; });
    std::vector<T> values;
    std::vector<std::int64_t> counts;
    auto inverse = empty<std::int64_t, dyn>(x.size());
    for (std::int64_t i : order) {
        if (values.empty() || !(values.back() == data[i])) values.push_back(data[i]), counts.push_back(0);
        ++counts.back();
        inverse.data()[i] = static_cast<std::int64_t>(values.size()) - 1;
    }
    return {tensor<T, dyn>(values.begin(), values.end()), inverse, tensor<std::int64_t, dyn>(counts)};
}

namespace core {
template <class I, class T, class Weight>
tensor<T, dyn> counted(tensor<I, dyn> const& t, std::int64_t at_least, Weight const& weight) {
    auto const x = t.contiguous();
    std::int64_t count = at_least;
    for (I i : x) {
        if (i < 0) throw error(concat("gradus::bincount(x): a number is negative: ", static_cast<std::int64_t>(i)).str());
        count = std::max(count, static_cast<std::int64_t>(i) + 1);
    }
    auto made = empty<T, dyn>(count);
    std::fill(made.begin(), made.end(), T{});
    std::int64_t next = 0;
    for (I i : x) made.data()[i] += weight(next++);
    return made;
}
}  // namespace core
/// How often 0, 1, ... are in x: up to the largest, and at least `at_least` of them.
template <std::integral I, extent N>
tensor<std::int64_t, dyn> bincount(tensor<I, N> const& x, std::int64_t at_least = 0) {
    return core::counted<I, std::int64_t>(tensor<I, dyn>(x), at_least, [](std::int64_t) { return std::int64_t{1}; });
}
/// The sums of the weights of 0, 1, ...
template <std::integral I, extent N, floating_element T, extent M>
tensor<T, dyn> bincount(tensor<I, N> const& x, tensor<T, M> const& weights, std::int64_t at_least = 0) {
    if (x.size() != weights.size())
        throw shape_error(
            core::concat("gradus::bincount(x, weights): x is ", x.state()->described(), ", weights is ", weights.state()->described())
                .str());
    auto const w = weights.contiguous();
    return core::counted<I, T>(tensor<I, dyn>(x), at_least, [&](std::int64_t i) { return w.data()[i]; });
}
/// How many elements fall into each of `bins` equal parts of [low, high], the last of which has its end; others do not count. Where
/// both are 0 they are the smallest and largest element.
template <floating_element T, extent... E>
tensor<T, dyn> histc(tensor<T, E...> const& t, std::int64_t bins = 100, double low = 0, double high = 0) {
    auto const x = t.contiguous();
    if (bins <= 0 || low > high)
        throw error(core::concat("gradus::histc(x, bins, low, high): ", bins, " bins from ", low, " to ", high).str());
    if (low == 0 && high == 0 && x.size() > 0) {
        low = high = static_cast<double>(x.data()[0]);
        for (T v : x) low = std::min(low, static_cast<double>(v)), high = std::max(high, static_cast<double>(v));
    }
    if (low == high) low -= 1, high += 1;
    std::vector<std::int64_t> counts(static_cast<std::size_t>(bins));
    for (T v : x) {
        auto const value = static_cast<double>(v);
        if (!(value >= low && value <= high)) continue;
        auto const bin = static_cast<std::int64_t>((value - low) / (high - low) * static_cast<double>(bins));
        ++counts[static_cast<std::size_t>(std::min(bin, bins - 1))];
    }
    return tensor<T, dyn>(counts.begin(), counts.end());
}
/// The value below which a part q of an axis' elements is (of all where no axis is given), interpolated between two of them.
template <int... Axis, floating_element T, extent... E>
    requires(sizeof...(Axis) <= 1)
auto quantile(tensor<T, E...> const& x, double q) {
    if constexpr (sizeof...(Axis) == 0) return quantile<0>(x.flatten(), q);
    else {
        constexpr int axis = static_cast<int>((core::axis_of(Axis, sizeof...(E)), ...));
        std::int64_t const n = x.size(axis);
        if (!(q >= 0 && q <= 1) || n == 0)
            throw error(core::concat("gradus::quantile(x, q): q is between 0 and 1, and there is an element: q is ", q, ", x is ",
                                     x.state()->described())
                            .str());
        tensor const sorted = sort<axis>(x);
        double const at = q * static_cast<double>(n - 1);
        auto const below = static_cast<std::int64_t>(at);
        tensor const a = sorted.template select<axis>(below), b = sorted.template select<axis>(std::min(below + 1, n - 1));
        return tensor(a + (b - a) * static_cast<computed_t<dtype_of<T>>>(at - static_cast<double>(below)));
    }
}

}  // namespace gradus::inline GRADUS_ARCH
