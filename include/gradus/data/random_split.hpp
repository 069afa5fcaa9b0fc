// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/data/dataset.hpp>
#include <gradus/data/sampler.hpp>

#include <cmath>

namespace gradus::inline GRADUS_ARCH {

namespace core {

/// How many samples each part has: the numbers themselves, or fractions of the whole, rounded down; what is left goes to the first parts,
/// one each.
template <class N>
std::vector<std::int64_t> lengths_of_parts(std::int64_t size, std::span<N const> wanted) {
    std::vector<std::int64_t> lengths;
    double sum = 0;
    std::int64_t total = 0;
    for (N const part : wanted) {
        if (!(part >= 0)) throw error(concat("gradus::data::random_split: a negative part: ", static_cast<double>(part)).str());
        sum += static_cast<double>(part);
        lengths.push_back(static_cast<std::int64_t>(
            std::is_integral_v<N> ? static_cast<double>(part) : std::floor(static_cast<double>(part) * static_cast<double>(size))));
        total += lengths.back();
    }
    double const whole = std::is_integral_v<N> ? static_cast<double>(size) : 1;
    // fractions such as 0.7 are rounded when they are read: by a unit of the last place each
    if (!(std::abs(sum - whole) <= (std::is_integral_v<N> ? 0 : 1e-9)))
        throw error(
            concat("gradus::data::random_split: the parts add up to ", sum, ", not to ", whole, std::is_integral_v<N> ? " samples" : "")
                .str());
    for (std::size_t i = 0; total < size; i = (i + 1) % lengths.size(), ++total) ++lengths[i];
    return lengths;
}

}  // namespace core

namespace data {

/// Parts of a dataset that have no sample in common, by chance: `auto [train, test] = random_split(samples, {0.8, 0.2}, seed)`, or numbers
/// of samples,
/// `{48000, 12000}`. Throws error unless the parts are the whole.
template <dataset D, class N, std::size_t Parts>
    requires(std::is_arithmetic_v<N>)
std::array<subset<D>, Parts> random_split(D const& samples, N const (&parts)[Parts], std::uint64_t seed) {
    auto const lengths = core::lengths_of_parts<N>(samples.size(), parts);
    auto const order = random_sampler(samples.size(), seed)(0);
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
        auto next = order.begin();
        auto const part = [&](std::size_t i) {
            auto const first = std::exchange(next, next + lengths[i]);
            return subset<D>(samples, std::vector(first, next));
        };
        return std::array<subset<D>, Parts>{part(I)...};
    }(std::make_index_sequence<Parts>{});
}

}  // namespace data
}  // namespace gradus::inline GRADUS_ARCH
