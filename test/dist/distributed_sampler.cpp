// SPDX-License-Identifier: BSL-1.0
#include "world.hpp"

#include <vector>

namespace gr = gradus;
namespace dist = gr::dist;
using ranks::world;

TEST_CASE("distributed_sampler: every sample once, dealt out in blocks") {
    std::vector<std::int64_t> all;
    for (int rank = 0; rank < 3; ++rank) {
        dist::distributed_sampler const s(12, 3, rank, {.shuffle = false, .block = 2});
        CHECK(s.size() == 4);
        CHECK(s(5) == std::vector<std::int64_t>{2 * rank, 2 * rank + 1, 2 * rank + 6, 2 * rank + 7});
    }
    // PyTorch: DistributedSampler(range(10), 4, rank, shuffle=False), with the first samples again or without the last
    CHECK(dist::distributed_sampler(10, 4, 3, {.shuffle = false})(0) == std::vector<std::int64_t>{3, 7, 1});
    CHECK(dist::distributed_sampler(10, 4, 3, {.shuffle = false, .drop_last = true})(0) == std::vector<std::int64_t>{3, 7});
    CHECK(dist::distributed_sampler(2, 5, 4, {.shuffle = false})(0) == std::vector<std::int64_t>{0});
    CHECK(dist::distributed_sampler(0, 5, 4, {})(0).empty());
    // the same samples of a step, whatever the number of ranks
    dist::distributed_sampler const alone(24, 1, 0, {.seed = 3, .block = 8});
    for (int rank = 0; rank < 4; ++rank) {
        dist::distributed_sampler const s(24, 4, rank, {.seed = 3, .block = 2});
        for (std::uint64_t epoch : {0u, 1u})
            for (std::size_t i = 0; i < 6; ++i) CHECK(s(epoch)[i] == alone(epoch)[i / 2 * 8 + static_cast<std::size_t>(rank) * 2 + i % 2]);
    }
    CHECK(messages::of<gr::error>([] { dist::distributed_sampler(3, 2, 2, {}); }) ==
          "gradus::dist::distributed_sampler: no such rank: 2 of 2");
    CHECK(messages::of<gr::error>([] { dist::distributed_sampler(3, 2, 1, {.block = 0}); }) ==
          "gradus::dist::distributed_sampler: blocks of 0 samples");
    CHECK(dist::distributed_sampler(100, world(), {}).size() == (100 + world().size() - 1) / world().size());
}
