// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/program/random.hpp>
#include <gradus/tensor/state/tensor.hpp>

#include <array>
#include <cstring>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

// What there is to learn from, sample by sample or in batches.

namespace gradus::inline GRADUS_ARCH {

namespace data {

/// Indices of samples, of which a batch is made.
using indices = std::span<std::int64_t const>;

}  // namespace data

namespace core {

/// A tensor like X with another first extent, or of an axis more, known at run time.
template <class X>
struct batched {
    using type = std::vector<X>;
};
template <element T>
struct batched<T> {
    using type = tensor<T, dyn>;
};
template <element T, extent... E>
struct batched<tensor<T, E...>> {
    using type = tensor<T, dyn, E...>;
};
template <element T, extent... E>
struct batched<array<T, E...>> {
    using type = tensor<T, dyn, E...>;
};
template <class X>
struct rows_of;
template <element T, extent First, extent... E>
struct rows_of<tensor<T, First, E...>> {
    using type = tensor<T, dyn, E...>;
};

/// The shape of `count` samples of that shape.
inline gradus::shape batch_shape(std::int64_t count, gradus::shape const& sample, int from_axis) {
    gradus::shape s{count};
    for (int i = from_axis; i < sample.rank(); ++i) s.push_back(sample[i]);
    return s;
}
inline void require_sample(std::int64_t index, std::int64_t size) {
    if (index < 0 || index >= size) throw error(concat("gradus::data: there is no sample ", index, " among ", size).str());
}
/// Rows of a contiguous tensor, in the order of their indices.
template <class X>
auto taken_rows(X const& from, data::indices indices) {
    typename rows_of<X>::type made(batch_shape(static_cast<std::int64_t>(indices.size()), from.shape(), 1), nullptr);
    std::int64_t const rows = from.size(0), row = rows ? from.size() / rows : 0;
    auto* to = made.data();
    for (std::int64_t const i : indices) {
        require_sample(i, rows);
        if (row) std::memcpy(static_cast<void*>(to), from.data() + i * row, static_cast<std::size_t>(row) * sizeof(*to));
        to += row;
    }
    return made;
}

/// A sample as a tuple: what is no tuple is one of one part.
template <class X>
struct sample_parts {
    using type = std::tuple<X>;
    static type of(X x) { return {std::move(x)}; }
};
template <class... X>
struct sample_parts<std::tuple<X...>> {
    using type = std::tuple<X...>;
    static type of(type x) { return x; }
};
template <class A, class B>
struct sample_parts<std::pair<A, B>> {
    using type = std::tuple<A, B>;
    static type of(std::pair<A, B> x) { return {std::move(x.first), std::move(x.second)}; }
};

/// The samples' parts number I in one tensor, whose first axis counts them; in a vector if they are neither tensors nor numbers.
template <class X>
typename batched<X>::type stacked(std::vector<X> const& samples) {
    if constexpr (std::is_same_v<typename batched<X>::type, std::vector<X>>) return samples;
    else if constexpr (element<X>) {
        tensor<X, dyn> made(gradus::shape{static_cast<std::int64_t>(samples.size())}, nullptr);
        for (std::size_t i = 0; i < samples.size(); ++i) made.data()[i] = samples[i];
        return made;
    } else {
        if (samples.empty()) throw error("gradus::data: a batch of no samples");
        gradus::shape const first = samples[0].shape();
        typename batched<X>::type made(batch_shape(static_cast<std::int64_t>(samples.size()), first, 0), nullptr);
        auto* to = made.data();
        for (std::size_t i = 0; i < samples.size(); ++i) {
            if (!(samples[i].shape() == first))
                throw shape_error(concat("gradus::data: samples of one batch differ: the first is ", tensor_type{X::type.type, first},
                                         ", number ", static_cast<std::int64_t>(i), " is ", tensor_type{X::type.type, samples[i].shape()})
                                      .str());
            auto const values = [&] {
                if constexpr (requires { samples[i].contiguous(); }) return samples[i].contiguous();
                else return std::span(samples[i].data(), static_cast<std::size_t>(samples[i].size()));
            }();
            if (samples[i].size())
                std::memcpy(static_cast<void*>(to), values.data(), static_cast<std::size_t>(samples[i].size()) * sizeof(*to));
            to += samples[i].size();
        }
        return made;
    }
}
template <class D>
auto collated(D const& dataset, data::indices indices) {
    using sample = std::remove_cvref_t<decltype(dataset.get(std::int64_t{}))>;
    std::vector<typename sample_parts<sample>::type> samples;
    for (std::int64_t const i : indices) {
        require_sample(i, dataset.size());
        samples.push_back(sample_parts<sample>::of(dataset.get(i)));
    }
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
        auto const part = [&]<std::size_t N>() {
            std::vector<std::tuple_element_t<N, typename sample_parts<sample>::type>> all;
            for (auto& s : samples) all.push_back(std::move(std::get<N>(s)));
            return stacked(all);
        };
        return std::tuple(part.template operator()<I>()...);
    }(std::make_index_sequence<std::tuple_size_v<typename sample_parts<sample>::type>>{});
}
/// A batch of a dataset, however it makes one.
template <class D>
auto batch_of(D const& dataset, data::indices indices, random& source) {
    if constexpr (requires { dataset.get_batch(indices, source); }) return dataset.get_batch(indices, source);
    else if constexpr (requires { dataset.get_batch(indices); }) return dataset.get_batch(indices);
    else return collated(dataset, indices);
}

}  // namespace core

namespace data {

/// What a loader draws from: `size()` samples, and `get(i)`, one of them (a tensor, a number, or a tuple of such), or `get_batch(indices)`,
/// many at once, with a `gr::random&` behind the indices if it draws numbers.
template <class D>
concept dataset = requires(D const& d, indices i, random& source) {
    { d.size() } -> std::convertible_to<std::int64_t>;
    core::batch_of(d, i, source);
};

/// Tensors whose first axis counts samples: `tensor_dataset samples(x, y)`. A batch is a tuple of tensors of the same types, but for the
/// first extent, which is run time's: `tensor<float, 1000, 784>` gives `tensor<float, gr::dyn, 784>`.
template <class... X>
class tensor_dataset {
    static_assert(sizeof...(X) > 0, "gradus::data::tensor_dataset: no tensors");

public:
    /// Throws shape_error unless the tensors have as many samples as each other.
    explicit tensor_dataset(X const&... tensors) {
        no_grad guard;
        tensors_ = std::tuple(tensors.detach().contiguous()...);
        std::apply([this](auto const&... t) { (require_count(*t.state()), ...); }, tensors_);
    }
    std::int64_t size() const { return std::get<0>(tensors_).size(0); }
    auto get_batch(indices which) const {
        return std::apply([which](auto const&... t) { return std::tuple(core::taken_rows(t, which)...); }, tensors_);
    }
    std::tuple<X...> const& tensors() const { return tensors_; }

private:
    void require_count(core::tensor_state const& t) const {
        if (t.extents[0] != size())
            throw shape_error(core::concat("gradus::data::tensor_dataset: ", t.extents[0], " samples in ", t.described(), ", ", size(),
                                           " in the first tensor")
                                  .str());
    }
    std::tuple<X...> tensors_;
};

/// Some samples of a dataset.
template <dataset D>
class subset {
public:
    /// Throws error for an index that the dataset has not.
    subset(D whole, std::vector<std::int64_t> which) : dataset_(std::move(whole)), indices_(std::move(which)) {
        for (std::int64_t const i : indices_) core::require_sample(i, dataset_.size());
    }
    std::int64_t size() const { return static_cast<std::int64_t>(indices_.size()); }
    auto get_batch(indices which, random& source) const {
        std::vector<std::int64_t> there;
        for (std::int64_t const i : which) {
            core::require_sample(i, size());
            there.push_back(indices_[static_cast<std::size_t>(i)]);
        }
        return core::batch_of(dataset_, there, source);
    }
    std::vector<std::int64_t> const& which() const { return indices_; }

private:
    D dataset_;
    std::vector<std::int64_t> indices_;
};

/// A dataset whose batches go through a function: `transformed(samples, [](auto x, auto y) { return std::tuple(gr::tensor(x / 255.0f), y);
/// })`. If it takes a `gr::random&` last, that depends on the loader's seed, the epoch and the batch alone, not on threads.
template <dataset D, class F>
class transformed {
public:
    transformed(D from, F function) : dataset_(std::move(from)), function_(std::move(function)) {}
    std::int64_t size() const { return dataset_.size(); }
    auto get_batch(indices which, random& source) const {
        return std::apply(
            [&](auto&&... part) {
                if constexpr (std::is_invocable_v<F const&, decltype(part)..., random&>)
                    return function_(std::forward<decltype(part)>(part)..., source);
                else return function_(std::forward<decltype(part)>(part)...);
            },
            core::batch_of(dataset_, which, source));
    }

private:
    D dataset_;
    F function_;
};

}  // namespace data
}  // namespace gradus::inline GRADUS_ARCH
