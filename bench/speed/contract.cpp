// SPDX-License-Identifier: BSL-1.0
// Products of matrices as programs beside libxsmm's, oneDNN's and OpenBLAS's, one thread, all in turn: GFLOP/s of the fastest sample and
// ours over the better peer. NN, TN, NT, TT: which of the two is transposed.
#include "timing.hpp"

#include <gradus.hpp>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

#ifdef GRADUS_BENCH_LIBXSMM
#include <libxsmm.h>
#endif
#ifdef GRADUS_BENCH_DNNL
#include <dnnl.h>
#endif
#ifdef GRADUS_BENCH_OPENBLAS
#include <cblas.h>
#endif

namespace gr = gradus;

template <class T, int M, int N, int K, bool TA, bool TB>
struct product {
    static constexpr auto a = [] {
        if constexpr (TA) return gr::transpose(gr::var<"a", T, K, M>);
        else return gr::var<"a", T, M, K>;
    }();
    static constexpr auto b = [] {
        if constexpr (TB) return gr::transpose(gr::var<"b", T, N, K>);
        else return gr::var<"b", T, K, N>;
    }();
    static constexpr auto program = gr::compile(gr::matmul(a, b));
};

template <class T, int M, int N, int K, bool TA = false, bool TB = false>
void row() {
    using A = gr::array<T, TA ? K : M, TA ? M : K>;
    using B = gr::array<T, TB ? N : K, TB ? K : N>;
    gr::random random(1);
    auto a = A::uniform(random, T(-1), T(1));
    auto b = B::uniform(random, T(-1), T(1));
    gr::array<T, M, N> c, peer;
    auto ours = [&] {
        timing::clobber();
        product<T, M, N, K, TA, TB>::program(gr::out(c), gr::var < "a", T, TA ? K : M, TA ? M : K > = a, gr::var < "b", T, TB ? N : K,
                                             TB ? K : N > = b);
        timing::clobber();
    };
    ours();
    auto check = [&](char const* who) {
        double error = 0, size = 0;
        for (std::size_t i = 0; i < std::size_t{M} * N; ++i) {
            double d = static_cast<double>(c.data()[i]) - static_cast<double>(peer.data()[i]);
            error += d * d;
            size += static_cast<double>(c.data()[i]) * static_cast<double>(c.data()[i]);
        }
        if (error <= 1e-10 * size) return;
        std::printf("%s differs at %d x %d x %d\n", who, M, N, K);
        std::exit(1);
    };
    double const flops = 2e-9 * M * N * K;
    [[maybe_unused]] double best = 0;
    double mine = 0;
    int const rounds = flops > 0.01 ? 21 : 101;
    [[maybe_unused]] auto against = [&](char const* who, auto&& f) {
        f();
        check(who);
        timing::result r = timing::compare(ours, f, rounds);
        mine = std::max(mine, flops / r.first_least);
        double theirs = flops / r.second_least;
        best = std::max(best, theirs);
        std::printf(" %8.1f", theirs);
    };
    std::printf("| %s %s%s %4d x %4d x %4d |", sizeof(T) == 4 ? "f32" : "f64", TA ? "T" : "N", TB ? "T" : "N", M, K, N);
#ifdef GRADUS_BENCH_LIBXSMM
    if constexpr (sizeof(T) == 4 && !TB) {  // row-major C = A B is column-major C' = B' A'; a transposed B' is not in its generated kernels
        int lda = TA ? M : K, ldb = N, ldc = N, flags = TA ? LIBXSMM_GEMM_FLAG_TRANS_B : 0;
        float one = 1, zero = 0;
        libxsmm_smmfunction f = libxsmm_smmdispatch(N, M, K, &ldb, &lda, &ldc, &one, &zero, &flags, nullptr);
        if (f && M <= 512)
            against("libxsmm", [&] {
                f(b.data(), a.data(), peer.data());
                timing::clobber();
            });
        else std::printf("        -");
    } else std::printf("        -");
#endif
#ifdef GRADUS_BENCH_DNNL
    if constexpr (sizeof(T) == 4)
        against("oneDNN", [&] {
            dnnl_sgemm(TA ? 'T' : 'N', TB ? 'T' : 'N', M, N, K, 1, a.data(), TA ? M : K, b.data(), TB ? K : N, 0, peer.data(), N);
            timing::clobber();
        });
#endif
#ifdef GRADUS_BENCH_OPENBLAS
    if constexpr (sizeof(T) == 4)
        against("OpenBLAS", [&] {
            cblas_sgemm(CblasRowMajor, TA ? CblasTrans : CblasNoTrans, TB ? CblasTrans : CblasNoTrans, M, N, K, 1, a.data(), TA ? M : K,
                        b.data(), TB ? K : N, 0, peer.data(), N);
            timing::clobber();
        });
#endif
    if (mine == 0) mine = flops / timing::compare(ours, ours, rounds).first_least;
    std::printf(" | %8.1f | %.3f |\n", mine, best > 0 ? mine / best : 0);
    std::fflush(stdout);
}

template <class T, bool TA, bool TB>
void square() {
    row<T, 8, 8, 8, TA, TB>();
    row<T, 16, 16, 16, TA, TB>();
    row<T, 17, 17, 17, TA, TB>();
    row<T, 32, 32, 32, TA, TB>();
    row<T, 64, 64, 64, TA, TB>();
    row<T, 100, 100, 100, TA, TB>();
    row<T, 128, 128, 128, TA, TB>();
    row<T, 256, 256, 256, TA, TB>();
    row<T, 512, 512, 512, TA, TB>();
    row<T, 1024, 1024, 1024, TA, TB>();
}

int main() {
    setenv("OMP_NUM_THREADS", "1", 1);
#ifdef GRADUS_BENCH_OPENBLAS
    openblas_set_num_threads(1);
#endif
    std::printf("| M x K x N | libxsmm, oneDNN, OpenBLAS | gradus | ratio |\n|---|---|---|---|\n");
    square<float, false, false>();
    row<float, 64, 128, 784>();
    row<float, 784, 128, 64, true, false>();
    row<float, 256, 512, 512>();
    row<float, 128, 64, 10>();
    row<float, 64, 10, 128>();
    square<float, true, false>();
    square<float, false, true>();
}
