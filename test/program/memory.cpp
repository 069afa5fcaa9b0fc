// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <new>
#include <vector>

// What a call allocates, and what it touches of its scratch memory.
namespace gr = gradus;
using namespace gr::literals;

namespace {

thread_local int allocations = 0;

void* counted(std::size_t bytes, std::size_t alignment) {
    ++allocations;
    void* p = std::aligned_alloc(alignment, (bytes + alignment) / alignment * alignment);
    if (!p) throw std::bad_alloc();
    return p;
}

}  // namespace

// All of this program's memory: the others, for arrays and without throwing, go through these.
[[gnu::noinline]] void* operator new(std::size_t bytes) { return counted(bytes, alignof(std::max_align_t)); }
[[gnu::noinline]] void* operator new(std::size_t bytes, std::align_val_t alignment) {
    return counted(bytes, static_cast<std::size_t>(alignment));
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

namespace {

/// How often `f` asks for memory while none is kept.
int allocations_of(auto f) {
    gr::set_cache_limit(0);
    int before = allocations;
    f();
    gr::set_cache_limit(256 << 20);
    return allocations - before;
}

constexpr auto x = gr::var<"x", float, "n", 8>;
constexpr auto w = gr::var<"w", float, 8, 8>;
constexpr auto v = gr::var<"v", float, 8>;
constexpr auto rate = gr::var<"rate", float>;

constexpr auto small_loss = gr::mean(gr::square(gr::tanh(gr::matmul(v, w)) - v));
constexpr auto small = gr::compile(small_loss, gr::grad(small_loss, v), gr::update(w, w - rate * gr::grad(small_loss, w)));

constexpr auto loss = gr::mean(gr::square(gr::tanh(gr::matmul(gr::tanh(gr::matmul(x, w)), w)) - x));
constexpr auto step = gr::compile(loss, gr::update(w, w - rate * gr::grad(loss, w)));

/// Depth layers, each a product and a tanh.
template <int Depth>
constexpr auto layers() {
    if constexpr (Depth == 0) return x;
    else return gr::let([] { return gr::tanh(gr::matmul(layers<Depth - 1>(), w)); });
}
template <int Depth>
inline constexpr auto chain = gr::compile(layers<Depth>());

/// The number of results of [n,8] that live in scratch memory at the same time, whatever n is.
template <int Depth>
constexpr std::int64_t buffers = chain<Depth>.workspace_bytes(gr::dim<"n"> = 1000) / (1000 * 8 * 4);

}  // namespace

TEST_CASE("memory: the counter counts") {
    CHECK(allocations_of([] { std::vector<double> one(1); }) == 1);
    CHECK(allocations_of([] { gr::workspace one(64); }) == 1);
    CHECK(allocations_of([] {}) == 0);
}

TEST_CASE("memory: a call with small static scratch memory never allocates") {
    gr::array<float, 8> V = gr::array<float, 8>::full(0.5f);
    gr::array<float, 8, 8> W = gr::array<float, 8, 8>::full(0.1f);
    float l = 0;
    gr::array<float, 8> gradient;
    CHECK(allocations_of([&] {
              auto [value, slope] = small(v = V, w = W, rate = 0.1f);
              l = value;
              gradient = slope;
          }) == 0);
    CHECK(l > 0);
    CHECK(allocations_of([&] { small(gr::out(l, gradient), v = V, w = W, rate = 0.1f); }) == 0);
    static_assert(small.workspace_bytes() <= 1024);
}

TEST_CASE("memory: a call with the caller's workspace allocates once, and again only for more") {
    std::vector<float> X(8 * 40, 0.3f);
    gr::array<float, 8, 8> W = gr::array<float, 8, 8>::full(0.1f);
    gr::workspace scratch;
    float l = 0;
    auto call = [&](std::size_t rows) {
        return allocations_of([&] { step(gr::out(l), x = std::span<float const>(X).first(rows * 8), w = W, rate = 0.1f, scratch); });
    };
    CHECK(call(20) == 1);
    CHECK(call(20) == 0);
    CHECK(call(3) == 0);
    CHECK(call(40) == 1);
    CHECK(call(40) == 0);
    CHECK(scratch.size() == static_cast<std::size_t>((step.workspace_bytes(gr::dim<"n"> = 40) + 63) / 64 * 64));
    // without a workspace: one for the scratch memory
    CHECK(allocations_of([&] { step(gr::out(l), x = X, w = W, rate = 0.1f); }) == 1);
    // a result of run-time size, by value, is one more
    CHECK(allocations_of([&] { auto [r] = chain<2>(x = X, w = W, scratch); }) == 1);
    std::vector<float> target(8 * 40);
    CHECK(allocations_of([&] { chain<2>(gr::out(target), x = X, w = W, scratch); }) == 0);
    // and from the second call on, none but what is kept
    gr::set_cache_limit(1 << 20);
    int last = 0;
    for (int k = 0; k < 2; ++k) {
        int const before = allocations;
        auto [r] = chain<2>(x = X, w = W);
        last = allocations - before;
    }
    CHECK(last == (gr::sanitizes_memory ? 2 : 0));
    gr::set_cache_limit(256 << 20);
}

TEST_CASE("memory: workspace_bytes is exact") {
    // two sections, of [n,8] and of [8,8]; run on an arena of exactly that size, with canaries in front and behind
    using Source =
        gr::expressions<std::remove_const_t<decltype(loss)>, std::remove_const_t<decltype(gr::update(w, w - rate * gr::grad(loss, w)))>>;
    for (std::int64_t n : {1, 5, 16, 33}) {
        std::int64_t bytes = step.workspace_bytes(gr::dim<"n"> = n);
        std::vector<float> X(static_cast<std::size_t>(8 * n), 0.3f);
        gr::array<float, 8, 8> W = gr::array<float, 8, 8>::full(0.1f), expected = W;
        float l = 0, same = 0, rate_value = 0.1f;
        std::int64_t dimensions[gr::max_dimensions] = {n};
        std::vector<void*> symbols;
        for (int s = 0; s < gr::stages<Source>::optimized.symbol_count; ++s) {
            auto name = gr::stages<Source>::optimized.symbols[s].name;
            symbols.push_back(name == "x"   ? static_cast<void*>(X.data())
                              : name == "w" ? static_cast<void*>(W.data())
                                            : static_cast<void*>(&rate_value));
        }
        void* outputs[] = {&l};
        gr::workspace around(static_cast<std::size_t>(bytes) + 128);
        std::memset(around.data(), 0x5a, around.size());
        gr::core::run_program<Source>({symbols.data(), outputs, around.data() + 64, dimensions});
        bool touched = false, last = false;
        for (std::size_t i = 0; i < around.size(); ++i) {
            bool inside = i >= 64 && i < 64 + static_cast<std::size_t>(bytes), changed = around.data()[i] != std::byte{0x5a};
            if (!inside) touched = touched || changed;
            else if (i + 64 > static_cast<std::size_t>(bytes)) last = last || changed;
        }
        CHECK(!touched);
        CHECK(last);  // the last line is used: the number is no larger than it has to be
        step(gr::out(same), x = X, w = expected, rate = 0.1f);
        CHECK(same == l);
        CHECK(W == expected);
    }
}

TEST_CASE("memory: a chain of any depth needs two buffers, an elementwise step none") {
    static_assert(buffers<2> <= 2);
    static_assert(buffers<6> == 2 && buffers<12> == 2, "tanh writes over the product, the next product reads it");
    static_assert(chain<12>.kernels() == 12);

    // elementwise programs need nothing, whatever they return
    constexpr auto e = gr::compile(gr::sum(gr::exp(x) * gr::tanh(x)), gr::grad(gr::sum(gr::exp(x) * gr::tanh(x)), x));
    static_assert(e.workspace_bytes(gr::dim<"n"> = 1000) == 0);

    // rows of 8 floats: the product (later the product of its cotangent), the difference, the cotangent
    static_assert(small.workspace_bytes() == 3 * 8 * 4);
    std::vector<float> X(8 * 5, 0.25f);
    gr::array<float, 8, 8> W = gr::array<float, 8, 8>::full(0.125f);
    auto [r] = chain<12>(x = X, w = W);
    float expected = 0.25f;  // all elements stay equal: 8 * 0.125 * h
    for (int k = 0; k < 12; ++k) expected = std::tanh(expected);
    for (float y : r) CHECK(std::abs(y - expected) < 12 * 2e-7f);  // an ulp or two a layer
}
