// SPDX-License-Identifier: BSL-1.0
// all_reduce_ on the ranks that there are, beside a model of two numbers: `mpirun -n 4 bench_all_reduce`. docs/distributed.md tells what
// comes of it.
//
// A message of n bytes takes latency + n / bandwidth, between processes of one machine a little more where MPI copies twice: the times of
// messages that two ranks send to and fro are measured, of a network they are two numbers. To add a byte to another takes some time, too.
// A reduction is ceil(log2 p) steps of whole messages, or, if it is long, of halves, quarters and so on, to and fro, or of p-th parts in a
// ring (R. Thakur, R. Rabenseifner, W. Gropp, "Optimization of collective communication operations in MPICH", 2005): the least of the
// three. Where ranks share a core they take turns.
#include <gradus/dist.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

namespace dist = gradus::dist;

namespace {

/// The least of several runs, in seconds, of the rank that takes longest.
double least_time(dist::communicator const& all, int repeats, auto const& f) {
    double best = 1e9;
    for (int i = 0; i < repeats; ++i) {
        all.barrier();
        auto const begin = std::chrono::steady_clock::now();
        f();
        double took[1] = {std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count()};
        dist::all_reduce_(all, took, {.op = dist::reduction::max});
        best = std::min(best, took[0]);
    }
    return best;
}
/// Half of a message to and fro between the first two ranks.
double message_time(dist::communicator const& all, std::vector<char>& data, int bytes) {
    int const rounds = 20;
    return least_time(all, 50,
                      [&] {
                          for (int i = 0; i < rounds && all.rank() < 2; ++i)
                              for (int from : {0, 1})
                                  if (all.rank() == from) MPI_Send(data.data(), bytes, MPI_BYTE, 1 - from, 0, all.mpi());
                                  else MPI_Recv(data.data(), bytes, MPI_BYTE, from, 0, all.mpi(), MPI_STATUS_IGNORE);
                      }) /
           (2 * rounds);
}

struct network {
    std::vector<std::pair<double, double>> times;  ///< of messages: bytes, seconds
    double per_added_byte = 0;

    static network of(double latency, double per_byte) { return {{{0, latency}, {1e12, latency + 1e12 * per_byte}}, 0}; }
    double message(double bytes) const {
        std::size_t k = 1;
        while (k + 1 < times.size() && times[k].first < bytes) ++k;
        auto const [x, y] = times[k - 1];
        auto const [u, v] = times[k];
        return y + (bytes - x) / (u - x) * (v - y);
    }
    double all_reduce(double bytes, double ranks) const {
        if (ranks < 2) return 0;
        double whole = 0, halves = bytes * (ranks - 1) / ranks * per_added_byte;
        double const ring = 2 * (ranks - 1) * message(bytes / ranks) + halves;
        for (double share = bytes / 2, p = ranks; p > 1; share /= 2, p /= 2) {
            whole += message(bytes) + bytes * per_added_byte;
            halves += 2 * message(share);
        }
        return std::min({whole, halves, ring});
    }
};

void print_curve(network const& n, double bytes, double backward, double forward) {
    std::printf("%.0f MB of gradients; %.0f ms forward, %.0f ms backward on each rank\n", bytes / 1e6, 1e3 * forward, 1e3 * backward);
    std::printf("| ranks | all_reduce, ms | efficiency, reduced afterwards | efficiency, reduced meanwhile |\n|---|---|---|---|\n");
    for (double p = 1; p <= 4096; p *= 4) {
        double const t = n.all_reduce(bytes, p),
                     last = n.all_reduce(std::min(bytes, 1e6), p);  // the last bucket has nothing to hide behind
        double const work = forward + backward, hidden = std::max(t - last - backward, 0.0) + last;
        std::printf("| %.0f | %.2f | %.3f | %.3f |\n", p, 1e3 * t, work / (work + t), work / (work + hidden));
    }
}

}  // namespace

int main(int argc, char** argv) {
    return dist::run([&](dist::communicator const& world) {
        bool const talks = world.rank() == 0;
        if (argc == 5 && talks) {  // a network of yours: latency in us, GB/s, MB of gradients, ms of a backward pass
            double const backward = std::atof(argv[4]) / 1e3;
            print_curve(network::of(std::atof(argv[1]) / 1e6, 1e-9 / std::atof(argv[2])), 1e6 * std::atof(argv[3]), backward, backward / 2);
        }
        if (argc == 5) return;
        std::vector<char> data(1 << 22);
        network n = network::of(1e-6, 1e-10);
        if (world.size() > 1) {
            n.times.clear();
            for (int bytes = 8; bytes <= 1 << 22; bytes *= 4) n.times.emplace_back(bytes, message_time(world, data, bytes));
            std::vector<float> a(1 << 16), b(1 << 16);
            n.per_added_byte =
                least_time(world, 50, [&] { MPI_Reduce_local(a.data(), b.data(), 1 << 16, MPI_FLOAT, MPI_SUM); }) / (1 << 18);
        }
        double const cores = std::thread::hardware_concurrency(), turns = std::max(1.0, world.size() / cores);
        if (talks)
            std::printf("%d ranks: %.2f us a message, %.2f GB/s\n", world.size(), 1e6 * n.message(8),
                        1e-9 * (1 << 22) / n.message(1 << 22));
        if (talks) std::printf("| bytes | measured, us | model, us | ratio | in the order of ranks, us |\n|---|---|---|---|---|\n");
        for (std::size_t bytes = 8; bytes <= 1 << 24; bytes *= 8) {
            std::vector<float> x(bytes / sizeof(float), 1.0f);
            int const repeats = bytes < 1 << 20 ? 300 : 30;
            double const got = least_time(world, repeats, [&] { dist::all_reduce_(world, x); });
            double const ordered = least_time(world, repeats, [&] { dist::all_reduce_(world, x, {.in_rank_order = true}); });
            double const model = turns * n.all_reduce(static_cast<double>(bytes), world.size());
            if (talks)
                std::printf("| %zu | %.2f | %.2f | %.2f | %.2f |\n", bytes, 1e6 * got, 1e6 * model, model > 0 ? got / model : 0.0,
                            1e6 * ordered);
        }
    });
}
