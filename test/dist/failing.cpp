// SPDX-License-Identifier: BSL-1.0
// Rank 1 fails between two checkpoints while the others wait; failing.py looks at what is left. Argument: the checkpoint's file.
#include <gradus/dist.hpp>
#include <gradus/io.hpp>
#include <gradus/tensor.hpp>

#include <cstdio>

namespace gr = gradus;

int main(int, char** arguments) {
    return gr::dist::run([&](gr::dist::communicator const& world) {
        auto const weight = gr::full<float, 100000>(1);
        gr::dist::on_rank(world, 0, [&] { gr::io::save_npz(arguments[1], {{"weight", weight}}); });
        // the next one is half written
        gr::core::atomic_file next("io::save_npz", arguments[1]);
        if (world.rank() == 0) next.write("half of a checkpoint");
        world.barrier();
        if (world.rank() == 1) throw gr::error("no more samples");
        world.barrier();
        std::printf("rank %d has not waited\n", world.rank());
    });
}
