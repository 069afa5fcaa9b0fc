// SPDX-License-Identifier: BSL-1.0
// Two networks with relu and cross entropy: the loss and all gradients, without and with a step of gradient descent,
// beside a hand-written pass whose products are libxsmm's and oneDNN's.
#include "by_hand.hpp"
#include "timing.hpp"

#include <gradus.hpp>

#ifdef GRADUS_BENCH_LIBXSMM
#include <libxsmm.h>
#endif
#ifdef GRADUS_BENCH_DNNL
#include <dnnl.h>
#endif

#include <map>

namespace gr = gradus;

namespace {

// ---- ours

template <int Batch>
struct shallow {
    static constexpr int batch = Batch;
    static constexpr auto x = gr::var<"x", float, Batch, 784>;
    static constexpr auto y = gr::var<"y", std::int32_t, Batch>;
    static constexpr auto w1 = gr::var<"w1", float, 784, 128>;
    static constexpr auto b1 = gr::var<"b1", float, 128>;
    static constexpr auto w2 = gr::var<"w2", float, 128, 10>;
    static constexpr auto b2 = gr::var<"b2", float, 10>;
    static constexpr auto rate = gr::var<"rate", float>;
    static constexpr auto hidden = gr::let([] { return gr::relu(gr::matmul(x, w1) + b1); });
    static constexpr auto loss = gr::let([] { return gr::cross_entropy(gr::matmul(hidden, w2) + b2, y); });
    static constexpr auto descend(auto p) { return gr::update(p, p - rate * gr::grad(loss, p)); }
    static constexpr auto gradients = gr::compile(loss, gr::grad(loss, w1), gr::grad(loss, b1), gr::grad(loss, w2), gr::grad(loss, b2));
    static constexpr auto step = gr::compile(loss, descend(w1), descend(b1), descend(w2), descend(b2));
    static std::vector<int> sizes() { return {784, 128, 10}; }
    static void run(auto& l, auto& p, auto& g, auto& scratch) {
        gradients(gr::out(l, g[0], g[1], g[2], g[3]), scratch, x = p.x, y = p.y, w1 = p.at[0], b1 = p.at[1], w2 = p.at[2], b2 = p.at[3]);
    }
    static void train(auto& l, auto& p, float r, auto& scratch) {
        step(gr::out(l), scratch, x = p.x, y = p.y, w1 = p.at[0], b1 = p.at[1], w2 = p.at[2], b2 = p.at[3], rate = r);
    }
};
template <int Batch>
struct deep {
    static constexpr int batch = Batch;
    static constexpr auto x = gr::var<"x", float, Batch, 784>;
    static constexpr auto y = gr::var<"y", std::int32_t, Batch>;
    static constexpr auto w1 = gr::var<"w1", float, 784, 512>;
    static constexpr auto b1 = gr::var<"b1", float, 512>;
    static constexpr auto w2 = gr::var<"w2", float, 512, 512>;
    static constexpr auto b2 = gr::var<"b2", float, 512>;
    static constexpr auto w3 = gr::var<"w3", float, 512, 10>;
    static constexpr auto b3 = gr::var<"b3", float, 10>;
    static constexpr auto rate = gr::var<"rate", float>;
    static constexpr auto first = gr::let([] { return gr::relu(gr::matmul(x, w1) + b1); });
    static constexpr auto second = gr::let([] { return gr::relu(gr::matmul(first, w2) + b2); });
    static constexpr auto loss = gr::let([] { return gr::cross_entropy(gr::matmul(second, w3) + b3, y); });
    static constexpr auto descend(auto p) { return gr::update(p, p - rate * gr::grad(loss, p)); }
    static constexpr auto gradients = gr::compile(loss, gr::grad(loss, w1), gr::grad(loss, b1), gr::grad(loss, w2), gr::grad(loss, b2),
                                                  gr::grad(loss, w3), gr::grad(loss, b3));
    static constexpr auto step = gr::compile(loss, descend(w1), descend(b1), descend(w2), descend(b2), descend(w3), descend(b3));
    static std::vector<int> sizes() { return {784, 512, 512, 10}; }
    static void run(auto& l, auto& p, auto& g, auto& scratch) {
        gradients(gr::out(l, g[0], g[1], g[2], g[3], g[4], g[5]), scratch, x = p.x, y = p.y, w1 = p.at[0], b1 = p.at[1], w2 = p.at[2],
                  b2 = p.at[3], w3 = p.at[4], b3 = p.at[5]);
    }
    static void train(auto& l, auto& p, float r, auto& scratch, auto const&... how) {
        step(gr::out(l), scratch, x = p.x, y = p.y, w1 = p.at[0], b1 = p.at[1], w2 = p.at[2], b2 = p.at[3], w3 = p.at[4], b3 = p.at[5],
             rate = r, how...);
    }
};

// ---- by hand

/// C = op(A) op(B), row-major, by a library: 'N' as they lie, 'A' with A transposed, 'B' with B transposed.
using product = void (*)(char op, int m, int n, int k, float const* a, float const* b, float* c);

#ifdef GRADUS_BENCH_DNNL
void by_dnnl(char op, int m, int n, int k, float const* a, float const* b, float* c) {
    dnnl_sgemm(op == 'A' ? 'T' : 'N', op == 'B' ? 'T' : 'N', m, n, k, 1.0f, a, op == 'A' ? m : k, b, op == 'B' ? k : n, 0.0f, c, n);
}
#endif
#ifdef GRADUS_BENCH_LIBXSMM
void by_libxsmm(char op, int m, int n, int k, float const* a, float const* b, float* c) {
    static std::vector<float> turned(512 * 512);
    static std::map<std::vector<int>, libxsmm_smmfunction> known;
    if (op == 'B') {  // it has no kernel for this one
        auto size = static_cast<libxsmm_blasint>(sizeof(float));
        libxsmm_otrans(turned.data(), b, static_cast<unsigned>(size), k, n, k, n);
        b = turned.data();
        op = 'N';
    }
    auto& kernel = known[{op, m, n, k}];
    if (!kernel) {
        int lda = op == 'A' ? m : k, flags = op == 'A' ? LIBXSMM_GEMM_FLAG_TRANS_B : 0;
        float one = 1, zero = 0;
        kernel = libxsmm_smmdispatch(n, m, k, &n, &lda, &n, &one, &zero, &flags, nullptr);
    }
    kernel(b, a, c);
}
#endif

struct parameters {
    std::vector<int> sizes;
    std::vector<float> x;
    std::vector<std::int32_t> y;
    std::vector<std::vector<float>> at;  ///< w, b, w, b, ...
};

parameters make(std::vector<int> sizes, int batch) {
    gr::random random(1);
    parameters p;
    p.sizes = sizes;
    auto fill = [&random](std::vector<float>& v, long n, float low, float high) {
        auto a = gr::array<float, gr::dyn>::uniform(n, random, low, high);
        v.assign(a.data(), a.data() + n);
    };
    fill(p.x, long{batch} * sizes[0], 0, 1);
    std::vector<float> labels;
    fill(labels, batch, 0, static_cast<float>(sizes.back()));
    for (float f : labels) p.y.push_back(std::min(static_cast<int>(f), sizes.back() - 1));
    for (std::size_t i = 0; i + 1 < sizes.size(); ++i) {
        float scale = 1 / std::sqrt(static_cast<float>(sizes[i]));
        fill(p.at.emplace_back(), long{sizes[i]} * sizes[i + 1], -scale, scale);
        fill(p.at.emplace_back(), sizes[i + 1], -scale, scale);
    }
    return p;
}

class hand_written {
public:
    parameters p;
    std::vector<std::vector<float>> gradient;
    float loss = 0;

    hand_written(parameters const& given, product multiply)
        : p(given),
          gradient(p.at),
          multiply_(multiply),
          batch_(static_cast<int>(p.y.size())),
          layers_(static_cast<int>(p.sizes.size()) - 1) {
        for (int size : p.sizes)
            h_.emplace_back(static_cast<std::size_t>(batch_ * size)), d_.emplace_back(static_cast<std::size_t>(batch_ * size));
        h_[0] = p.x;
    }
    void run() {
        for (int i = 0; i < layers_; ++i) {
            int n = p.sizes[i + 1];
            float* __restrict o = h_[i + 1].data();
            float const* __restrict b = p.at[2 * i + 1].data();
            multiply_('N', batch_, n, p.sizes[i], h_[i].data(), p.at[2 * i].data(), o);
            if (i + 1 < layers_) {
                for (int r = 0; r < batch_; ++r)
                    for (int j = 0; j < n; ++j) o[r * n + j] = std::max(o[r * n + j] + b[j], 0.0f);
            } else {
                for (int r = 0; r < batch_; ++r)
                    for (int j = 0; j < n; ++j) o[r * n + j] += b[j];
            }
        }
        cross_entropy();
        for (int i = layers_ - 1; i >= 0; --i) {
            int n = p.sizes[i + 1], k = p.sizes[i];
            float const* __restrict e = d_[i + 1].data();
            float* __restrict sum = gradient[2 * i + 1].data();
            for (int j = 0; j < n; ++j) sum[j] = 0;
            for (int r = 0; r < batch_; ++r)
                for (int j = 0; j < n; ++j) sum[j] += e[r * n + j];
            multiply_('A', k, n, batch_, h_[i].data(), e, gradient[2 * i].data());
            if (i == 0) continue;
            float* __restrict q = d_[i].data();
            float const* __restrict a = h_[i].data();
            multiply_('B', batch_, k, n, e, p.at[2 * i].data(), q);
            for (long t = 0; t < long{batch_} * k; ++t) q[t] = a[t] > 0 ? q[t] : 0.0f;
        }
    }
    void train(float rate) {
        run();
        for (std::size_t i = 0; i < gradient.size(); ++i) {
            float* __restrict w = p.at[i].data();
            float const* __restrict g = gradient[i].data();
            for (std::size_t t = 0; t < gradient[i].size(); ++t) w[t] -= rate * g[t];
        }
    }

private:
    void cross_entropy() {
        int classes = p.sizes.back();
        float const* z = h_.back().data();
        float* d = d_.back().data();
        float l = 0, share = 1 / static_cast<float>(batch_);
        for (int r = 0; r < batch_; ++r, z += classes, d += classes) {
            float m = *std::max_element(z, z + classes), s = 0;
            for (int j = 0; j < classes; ++j) s += d[j] = std::exp(z[j] - m);
            l += m + std::log(s) - z[p.y[r]];
            for (int j = 0; j < classes; ++j) d[j] *= share / s;
            d[p.y[r]] -= share;
        }
        loss = l * share;
    }
    product multiply_;
    int batch_, layers_;
    std::vector<std::vector<float>> h_, d_;
};

template <class Network>
struct ours {
    parameters p;
    std::vector<std::vector<float>> gradient;
    float loss = 0;
    gr::workspace scratch;

    explicit ours(parameters const& given) : p(given), gradient(p.at) {}
    void run() { Network::run(loss, p, gradient, scratch); }
    void train(float rate) { Network::train(loss, p, rate, scratch); }
};

template <class Network>
void run(char const* name, int rounds) {
    parameters const given = make(Network::sizes(), Network::batch);
    ours<Network> gradus(given);
    std::vector<std::pair<char const*, product>> libraries;
#ifdef GRADUS_BENCH_LIBXSMM
    libraries.emplace_back("by hand on libxsmm", by_libxsmm);
#endif
#ifdef GRADUS_BENCH_DNNL
    libraries.emplace_back("by hand on oneDNN", by_dnnl);
#endif
    std::vector<hand_written> hands;
    for (auto [library, multiply] : libraries) hands.emplace_back(given, multiply);
    constexpr float rate = 1e-6f;
    auto enter = [](char const* who, auto& net, bool train) {
        auto call = [&net, train] { train ? net.train(rate) : net.run(); };
        timing::contestant c{who,
                             [call](int n) {
                                 for (int i = 0; i < n; ++i) timing::clobber(), call(), timing::clobber();
                             },
                             [&net, train] {
                                 std::vector<std::vector<double>> all{{net.loss}};
                                 for (auto const& v : train ? net.p.at : net.gradient) all.emplace_back(v.begin(), v.end());
                                 return all;
                             }};
        return c;
    };
    for (bool train : {false, true}) {
        std::vector<timing::contestant> all{enter("gradus", gradus, train)};
        for (std::size_t i = 0; i < hands.size(); ++i) all.push_back(enter(libraries[i].first, hands[i], train));
        timing::race((std::string(name) + (train ? " with a step" : "")).c_str(), all, 1e-5, rounds);
    }
}

#ifdef _OPENMP
/// A step on two threads beside one on one thread; the results are the same bits.
void run_threads() {
    using Network = deep<256>;
    parameters const given = make(Network::sizes(), Network::batch);
    ours<Network> one(given), two(given);
    auto on_openmp = [](int n, auto f) {
#pragma omp parallel for num_threads(n) schedule(static, 1)
        for (int i = 0; i < n; ++i) f(i);
    };
    auto enter = [](char const* who, auto& net, auto call) {
        return timing::contestant{who,
                                  [call](int n) {
                                      for (int i = 0; i < n; ++i) timing::clobber(), call(), timing::clobber();
                                  },
                                  [&net] {
                                      std::vector<std::vector<double>> all{{net.loss}};
                                      for (auto const& v : net.p.at) all.emplace_back(v.begin(), v.end());
                                      return all;
                                  }};
    };
    timing::race("network 784-512-512-10 batch 256 float with a step, two threads",
                 {enter("gradus", two, [&] { Network::train(two.loss, two.p, 1e-6f, two.scratch, gr::parallel(2, on_openmp)); }),
                  enter("gradus on one thread", one, [&] { one.train(1e-6f); })},
                 0, 51);
}
#endif

}  // namespace

int main([[maybe_unused]] int count, char**) {
#ifdef _OPENMP
    if (count > 1) return run_threads(), 0;  // `bench_network threads`, on a machine with two processors
#endif
    run<shallow<64>>("network 784-128-10 batch 64 float", 101);
    run<deep<256>>("network 784-512-512-10 batch 256 float", 31);
}
