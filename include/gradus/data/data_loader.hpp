// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/data/dataset.hpp>
#include <gradus/data/prefetch.hpp>
#include <gradus/data/sampler.hpp>

#include <iterator>
#include <memory>

namespace gradus::inline GRADUS_ARCH::data {

struct data_loader_options {
    std::int64_t batch_size = 1;
    bool shuffle = false;    ///< another order in each epoch, by the seed
    std::uint64_t seed = 0;  ///< of the order, and of what transforms draw
    bool drop_last = false;  ///< leaves out a last batch that is not full
    int prefetch = 0;        ///< how many batches a thread makes ahead; 0: each is made when it is asked for
};

/// Batches of a dataset, in a range-for loop that is an epoch:
///
///     gr::data::data_loader loader(gr::data::tensor_dataset(x, y), {.batch_size = 32, .shuffle = true, .seed = 1});
///     for (auto [images, labels] : loader) ...
///
/// The order depends on the seed and the epoch alone: an epoch that is repeated after a restart (set_epoch) has the same batches, with
/// prefetching or without. Batches are tensors of their own, not recorded.
template <dataset D>
class data_loader {
public:
    using batch = decltype(core::batch_of(std::declval<D const&>(), indices(), std::declval<random&>()));

    /// Throws error for batches of no samples, and a negative number of batches ahead.
    data_loader(D samples, data_loader_options const& options)
        : data_loader(std::move(samples), options, [options](std::int64_t size) -> order {
              if (options.shuffle) return random_sampler(size, options.seed);
              return sequential_sampler(size);
          }) {}
    /// The sampler tells which samples are drawn, and their order; options that shuffle are refused.
    template <sampler S>
    data_loader(D samples, data_loader_options const& options, S order_of_samples)
        : data_loader(std::move(samples), options, [&](std::int64_t) -> order { return order_of_samples; }) {
        if (options_.shuffle)
            throw error("gradus::data::data_loader(dataset, options, sampler): the sampler tells the order, and the options shuffle");
        count_ = order_of_samples.size();
    }

    /// The number of batches of an epoch.
    std::int64_t size() const {
        std::int64_t const n = options_.batch_size;
        return count_ / n + (!options_.drop_last && count_ % n != 0);
    }
    /// The epoch that the next loop is; the first is 0.
    std::uint64_t epoch() const { return epoch_; }
    void set_epoch(std::uint64_t number) { epoch_ = number; }
    D const& samples() const { return dataset_; }

private:
    /// Makes the batches of an epoch, in whatever thread.
    class batches {
    public:
        batches(data_loader const& from, std::uint64_t epoch) : from_(from), epoch_(epoch), order_(from.order_(epoch)) {}
        std::optional<batch> make() {
            auto const size = static_cast<std::size_t>(from_.options_.batch_size), left = order_.size() - first_;
            if (left == 0 || (left < size && from_.options_.drop_last)) return {};
            no_grad guard;
            random source = core::random_of(from_.options_.seed, epoch_, ++number_);
            auto const which = indices(order_).subspan(first_, std::min(size, left));
            first_ += which.size();
            return core::batch_of(from_.dataset_, which, source);
        }

    private:
        data_loader const& from_;
        std::uint64_t epoch_;
        std::vector<std::int64_t> order_;
        std::size_t first_ = 0;
        std::uint64_t number_ = 0;  // of the batch, from 1: number 0 of an epoch is its order
    };

public:
    /// The batches of one epoch, one after the other. The loader outlives it.
    class iterator {
    public:
        using value_type = batch;
        using difference_type = std::ptrdiff_t;
        using iterator_concept = std::input_iterator_tag;

        iterator(data_loader const& from, std::uint64_t epoch) : next_(std::make_unique<batches>(from, epoch)) {
            if (from.options_.prefetch > 0)
                ahead_ = std::make_unique<core::prefetcher<batch>>([from_next = next_.get()] { return from_next->make(); },
                                                                   from.options_.prefetch);
            ++*this;
        }
        batch& operator*() const { return *now_; }
        iterator& operator++() {
            now_.reset();  // its memory is there for the next one
            now_ = ahead_ ? ahead_->take() : next_->make();
            return *this;
        }
        void operator++(int) { ++*this; }
        friend bool operator==(iterator const& i, std::default_sentinel_t) { return !i.now_; }

    private:
        std::unique_ptr<batches> next_;
        std::unique_ptr<core::prefetcher<batch>> ahead_;  // after what its thread uses
        mutable std::optional<batch> now_;                // `*i` is the batch, whether i changes or not
    };
    /// Begins an epoch.
    iterator begin() {
        iterator first(*this, epoch_);
        ++epoch_;
        return first;
    }
    std::default_sentinel_t end() const { return {}; }

private:
    using order = std::function<std::vector<std::int64_t>(std::uint64_t)>;
    template <class F>
        requires(!sampler<F>)
    data_loader(D samples, data_loader_options const& options, F order_of)
        : dataset_(std::move(samples)), options_(options), count_(dataset_.size()) {
        if (options.batch_size < 1)
            throw error(core::concat("gradus::data::data_loader: batches of ", options.batch_size, " samples").str());
        if (options.prefetch < 0) throw error(core::concat("gradus::data::data_loader: ", options.prefetch, " batches ahead").str());
        order_ = order_of(count_);
    }

    D dataset_;
    data_loader_options options_;
    std::int64_t count_;
    order order_;
    std::uint64_t epoch_ = 0;
};

}  // namespace gradus::inline GRADUS_ARCH::data
