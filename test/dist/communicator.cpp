// SPDX-License-Identifier: BSL-1.0
#include "world.hpp"

#include <string>

namespace gr = gradus;
namespace dist = gr::dist;
using ranks::world;

TEST_CASE("communicator: ranks, groups of them, and handles of the same group") {
    CHECK(world().rank() >= 0);
    CHECK(world().rank() < world().size());
    dist::communicator const same = world();
    CHECK(same.mpi() == world().mpi());
    dist::communicator const other(MPI_COMM_WORLD);
    CHECK(other.mpi() != world().mpi());
    CHECK(other.size() == world().size());
    other.barrier();
    int const parity = world().rank() % 2;
    dist::communicator const half = world().split(parity);
    CHECK(half.size() == (world().size() + 1 - parity) / 2);
    CHECK(half.rank() == world().rank() / 2);
    double one = 1;
    dist::all_reduce_(half, std::span(&one, 1));
    CHECK(one == half.size());
}

TEST_CASE("on_rank: what one rank throws all ranks throw") {
    int const last = world().size() - 1;
    int calls = 0;
    dist::on_rank(world(), last, [&] { ++calls; });
    CHECK(calls == (world().rank() == last));
    CHECK(messages::of<gr::error>([&] { dist::on_rank(world(), last, [] { throw gr::io_error("disk full"); }); }) ==
          "gradus::dist: on rank " + std::to_string(last) + ": disk full");
}
