// SPDX-License-Identifier: BSL-1.0
// Tensors beside libtorch: the same models in one process, in turn, after their values and gradients have been compared.
//
//     OPENBLAS_NUM_THREADS=1 taskset -c 1 build/bench/bench_tensor
#include "../speed/timing.hpp"
#include "memory.hpp"
#include "workload.hpp"

#include <sys/single_threaded.h>
#include <cmath>
#include <cstdlib>
#include <cstring>

static void agree(workload const& ours, workload const& theirs) {
    auto const a = ours.outcome(), b = theirs.outcome();
    bool same = a.size() == b.size() && ours.name == theirs.name;
    // float sums of up to a thousand terms in different orders: a few hundred rounding errors of 6e-8, relative to the sum
    for (std::size_t i = 0; same && i < a.size(); ++i) same = std::abs(a[i] - b[i]) <= 2e-5f * (1 + std::abs(b[i]));
    if (same) return;
    std::printf("%s: values or gradients differ\n", ours.name.c_str());
    std::exit(1);
}

struct footprint {
    long bytes, calls;
};
/// What a forward pass leaves behind: results, saved values, nodes.
static footprint left_by_forward(workload const& w) {
    allocated::bytes = allocated::calls = 0;
    allocated::counting = true;
    w.forward();
    allocated::counting = false;
    footprint const left{allocated::bytes, allocated::calls};
    w.drop();
    return left;
}

int main(int argc, char** argv) {
    char const* const only = argc > 1 ? argv[1] : "";
    auto const ours = gradus_workloads();
    auto measured = [](workload const& w) { return [&w] { timing::clobber(), w.step(), timing::clobber(); }; };
    // libtorch starts threads, which makes our reference counts atomic: first without
    bool const alone = __libc_single_threaded;
    std::vector<double> before;
    for (workload const& w : ours)
        before.push_back(
            std::strstr(w.name.c_str(), only) && alone ? timing::compare(measured(w), measured(w), w.parts > 1 ? 5 : 31).first_least : 0);

    auto const theirs = torch_workloads();
    bool kept_less = true;
    std::printf(
        "| workload | gradus before threads | gradus, least | median | libtorch, least | median | ratio | of least | kept: gradus | "
        "libtorch | allocations: gradus | libtorch |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n");
    for (std::size_t i = 0; i < ours.size(); ++i) {
        workload const& a = ours[i];
        if (!std::strstr(a.name.c_str(), only)) continue;
        double const us = 1e6 / a.parts;
        std::printf("| %s | %.4g us |", a.name.c_str(), before[i] * us);
        if (theirs.empty()) {
            a.step();
            footprint const left = left_by_forward(a);
            std::printf(" - | - | - | - | - | - | %ld B | - | %ld | - |\n", left.bytes, left.calls);
            continue;
        }
        workload const& b = theirs[i];
        a.step();
        b.step();
        agree(a, b);
        auto const r = timing::compare(measured(a), measured(b), a.parts > 1 || a.name.ends_with("10^6") ? 31 : 201);
        footprint const left = left_by_forward(a), there = left_by_forward(b);
        kept_less = kept_less && left.bytes <= there.bytes;
        std::printf(" %.4g us | %.4g us | %.4g us | %.4g us | %.1f | %.1f | %ld B | %ld B | %ld | %ld |\n", r.first_least * us,
                    r.first * us, r.second_least * us, r.second * us, 1 / r.ratio, 1 / r.best, left.bytes, there.bytes, left.calls,
                    there.calls);
        std::fflush(stdout);
    }
    if (!alone)
        std::printf(
            "\na library had started threads before main (OPENBLAS_NUM_THREADS=1 keeps OpenBLAS from it): our reference counts were atomic "
            "from the beginning\n");
    if (!kept_less) std::printf("\nour tape keeps more than libtorch's\n");
    return kept_less ? 0 : 1;
}
