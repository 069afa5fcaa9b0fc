// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/error.hpp>
#include <gradus/program/random.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

// In which order samples are drawn: a sampler tells the indices of an epoch, the same for the same epoch.

namespace gradus::inline GRADUS_ARCH {

namespace core {

/// Random numbers of one epoch, or of one batch of it.
inline random random_of(std::uint64_t seed, std::uint64_t epoch, std::uint64_t batch = 0) {
    random of_seed(seed);
    random of_epoch(of_seed.next() + epoch);
    return random(of_epoch.next() + batch);
}
/// Uniform in [0, n), without the bias of a remainder: numbers of the last, incomplete round are drawn again.
inline std::int64_t random_below(random& source, std::int64_t n) {
    auto const bound = static_cast<std::uint64_t>(n);
    std::uint64_t const incomplete = (0 - bound) % bound;  // 2^64 mod n
    std::uint64_t drawn = source.next();
    while (drawn < incomplete) drawn = source.next();
    return static_cast<std::int64_t>(drawn % bound);
}
/// Exchanges each with one before it or itself (R. Durstenfeld, "Algorithm 235: Random permutation", 1964); the same on every platform.
inline void shuffle(std::vector<std::int64_t>& all, random& source) {
    for (std::size_t i = all.size(); i > 1; --i)
        std::swap(all[i - 1], all[static_cast<std::size_t>(random_below(source, static_cast<std::int64_t>(i)))]);
}
inline std::vector<std::int64_t> first_indices(std::int64_t count) {
    std::vector<std::int64_t> all(static_cast<std::size_t>(count));
    std::iota(all.begin(), all.end(), std::int64_t{0});
    return all;
}
inline std::int64_t checked_count(std::string_view call, std::int64_t count) {
    if (count < 0) throw error(concat("gradus::data::", call, ": a negative number of samples: ", count).str());
    return count;
}

}  // namespace core

namespace data {

/// `size()` indices, in an order that depends on the epoch alone.
template <class S>
concept sampler = requires(S const& s, std::uint64_t epoch) {
    { s.size() } -> std::convertible_to<std::int64_t>;
    { s(epoch) } -> std::convertible_to<std::vector<std::int64_t>>;
};

/// 0, 1, 2, ...
class sequential_sampler {
public:
    explicit sequential_sampler(std::int64_t size) : size_(core::checked_count("sequential_sampler", size)) {}
    std::int64_t size() const { return size_; }
    std::vector<std::int64_t> operator()(std::uint64_t) const { return core::first_indices(size_); }

private:
    std::int64_t size_;
};

/// Every index once, in another order in each epoch.
class random_sampler {
public:
    random_sampler(std::int64_t size, std::uint64_t seed) : size_(core::checked_count("random_sampler", size)), seed_(seed) {}
    std::int64_t size() const { return size_; }
    std::vector<std::int64_t> operator()(std::uint64_t epoch) const {
        auto all = core::first_indices(size_);
        random source = core::random_of(seed_, epoch);
        core::shuffle(all, source);
        return all;
    }

private:
    std::int64_t size_;
    std::uint64_t seed_;
};

/// `count` indices, index i with probability weights[i] / (their sum); each at most once if `replacement` is false, drawn one after the
/// other among those that are left. For classes that are rarer than others.
class weighted_random_sampler {
public:
    /// Throws error for weights that are negative or not finite, or too few that are not 0.
    weighted_random_sampler(std::vector<double> weights, std::int64_t count, std::uint64_t seed, bool replacement = true)
        : weights_(std::move(weights)),
          count_(core::checked_count("weighted_random_sampler", count)),
          seed_(seed),
          replacement_(replacement) {
        std::int64_t drawable = 0;
        double sum = 0;
        for (std::size_t i = 0; i < weights_.size(); ++i) {
            if (!(weights_[i] >= 0) || !std::isfinite(sum += weights_[i]))
                refuse("weight ", static_cast<std::int64_t>(i), " is ", weights_[i], ": weights are not negative, their sum is finite");
            drawable += weights_[i] > 0;
        }
        if (count_ > 0 && drawable < (replacement_ ? 1 : count_))
            refuse(count_, " samples cannot be drawn", replacement_ ? "" : " without replacement", " where ", drawable,
                   " weights are not 0");
    }
    std::int64_t size() const { return count_; }
    std::vector<std::int64_t> operator()(std::uint64_t epoch) const {
        random source = core::random_of(seed_, epoch);
        return replacement_ ? with_replacement(source) : without_replacement(source);
    }

private:
    template <class... Pieces>
    [[noreturn]] static void refuse(Pieces const&... what) {
        throw error(core::concat("gradus::data::weighted_random_sampler: ", what...).str());
    }
    /// The index in whose part of the whole a uniform number falls.
    std::vector<std::int64_t> with_replacement(random& source) const {
        std::vector<double> sums(weights_.size());
        std::partial_sum(weights_.begin(), weights_.end(), sums.begin());
        std::vector<std::int64_t> drawn;
        for (std::int64_t n = 0; n < count_; ++n) {
            double const at = source.uniform() * sums.back();
            auto found = std::upper_bound(sums.begin(), sums.end(), at);
            if (found == sums.end()) found = std::lower_bound(sums.begin(), sums.end(), sums.back());  // rounded up to the sum
            drawn.push_back(found - sums.begin());
        }
        return drawn;
    }
    /// The indices with the least log(u) / -weight (P. Efraimidis, P. Spirakis, "Weighted random sampling with a reservoir", 2006).
    std::vector<std::int64_t> without_replacement(random& source) const {
        std::vector<std::pair<double, std::int64_t>> keys;
        for (std::size_t i = 0; i < weights_.size(); ++i) {
            double const u = 1 - source.uniform();
            if (weights_[i] > 0) keys.emplace_back(-std::log(u) / weights_[i], static_cast<std::int64_t>(i));
        }
        std::partial_sort(keys.begin(), keys.begin() + count_, keys.end());
        std::vector<std::int64_t> drawn;
        for (std::int64_t n = 0; n < count_; ++n) drawn.push_back(keys[static_cast<std::size_t>(n)].second);
        return drawn;
    }
    std::vector<double> weights_;
    std::int64_t count_;
    std::uint64_t seed_;
    bool replacement_;
};

}  // namespace data
}  // namespace gradus::inline GRADUS_ARCH
