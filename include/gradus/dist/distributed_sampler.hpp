// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/data/sampler.hpp>
#include <gradus/dist/communicator.hpp>

namespace gradus::inline GRADUS_ARCH::dist {

struct distributed_sampler_options {
    bool shuffle = true;     ///< another order in each epoch, by the seed, the same on all ranks
    std::uint64_t seed = 0;  ///< the same on all ranks
    bool drop_last = false;  ///< leaves samples out that do not go round; otherwise the first ones come again
    std::int64_t block = 1;  ///< how many samples in a row are one rank's
};

/// A rank's part of the samples: PyTorch's DistributedSampler. Of all samples in the order of the epoch, rank 0 has the first `block`, rank
/// 1 the next, and so on round and round; all ranks have the same number.
///
///     gr::data::data_loader loader(samples, {.batch_size = 32}, gr::dist::distributed_sampler(samples.size(), world, {.seed = 1}));
///
/// With `block` the global batch divided by the number of ranks, a step sees the same samples whatever that number is.
class distributed_sampler {
public:
    using options = distributed_sampler_options;

    /// Throws error for a negative number of samples and for blocks of none.
    distributed_sampler(std::int64_t size, communicator const& all, options const& o = {})
        : distributed_sampler(size, all.size(), all.rank(), o) {}
    distributed_sampler(std::int64_t size, int ranks, int rank, options const& o)
        : total_(core::checked_count("distributed_sampler", size)), ranks_(ranks), rank_(rank), options_(o) {
        if (ranks < 1 || rank < 0 || rank >= ranks)
            throw error(core::concat("gradus::dist::distributed_sampler: no such rank: ", rank, " of ", ranks).str());
        if (o.block < 1) throw error(core::concat("gradus::dist::distributed_sampler: blocks of ", o.block, " samples").str());
        std::int64_t const round = o.block * ranks, full = total_ / round;
        size_ = o.block * (o.drop_last || full * round == total_ ? full : full + 1);
    }
    std::int64_t size() const { return size_; }
    std::vector<std::int64_t> operator()(std::uint64_t epoch) const {
        auto const all = options_.shuffle ? data::random_sampler(total_, options_.seed)(epoch) : core::first_indices(total_);
        std::vector<std::int64_t> mine;
        for (std::int64_t i = 0; i < size_; ++i) {
            std::int64_t const place = (i / options_.block * ranks_ + rank_) * options_.block + i % options_.block;
            mine.push_back(all[static_cast<std::size_t>(place % total_)]);
        }
        return mine;
    }

private:
    std::int64_t total_, size_ = 0;
    int ranks_, rank_;
    options options_;
};

}  // namespace gradus::inline GRADUS_ARCH::dist
