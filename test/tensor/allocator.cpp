// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>

#include <doctest/doctest.h>

#include <sys/resource.h>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

// Memory of tensors is kept and taken again. Sanitizers see what is given back: under them nothing is kept.
namespace gr = gradus;

namespace {

using row = gr::tensor<float, gr::dyn>;

constexpr bool keeps = !gr::sanitizes_memory;

row ones(std::int64_t n) { return gr::ones<float, gr::dyn>(n); }
/// Runs f in a thread of its own, which has its own cache.
void in_thread(auto f) { std::thread(f).join(); }
long faults() {
    rusage used{};
    getrusage(RUSAGE_THREAD, &used);
    return used.ru_minflt;
}

}  // namespace

TEST_CASE("what a tensor gave back, the next one of its size takes") {
    in_thread([] {
        void const* first = nullptr;
        {
            row a = ones(1000);
            first = a.data();
        }
        gr::memory_counts const before = gr::memory_statistics();
        row b = gr::zeros<float, gr::dyn>(1000);
        CHECK(b(999) == 0);
        if (!keeps) return;
        CHECK(b.data() == first);
        CHECK(gr::memory_statistics().hits == before.hits + 1);
        CHECK(gr::memory_statistics().misses == before.misses);
        row other = ones(2000);
        CHECK(gr::memory_statistics().misses == before.misses + 1);
    });
}

TEST_CASE("statistics: bytes in use, their most, bytes that are kept") {
    in_thread([] {
        CHECK(gr::memory_statistics().allocated == 0);
        std::int64_t two = 0;
        {
            row a = ones(1000);
            std::int64_t const one = gr::memory_statistics().allocated;
            CHECK(one >= 4000);
            row b = ones(1000);
            two = gr::memory_statistics().allocated;
            CHECK(two == 2 * one);
            row view = b.slice(0, 10), handle = a;
            CHECK(gr::memory_statistics().allocated == two);
        }
        gr::memory_counts const after = gr::memory_statistics();
        CHECK(after.allocated == 0);
        CHECK(after.max_allocated == two);
        CHECK(after.cached == (keeps ? two : 0));
        CHECK(after.reserved() == after.cached);
        gr::reset_peak_memory_statistics();
        CHECK(gr::memory_statistics().max_allocated == 0);
        gr::empty_cache();
        CHECK(gr::memory_statistics().cached == 0);
        row small = ones(3);
        CHECK(gr::memory_statistics().allocated == 0);  // malloc's
    });
}

TEST_CASE("a saved value keeps its memory") {
    in_thread([] {
        row w = ones(1000).requires_grad_();
        row y;
        {
            row saved = w * 2.0f;
            y = saved * saved;
        }
        row other = ones(1000) * 7.0f;
        y.backward(ones(1000));
        CHECK(w.grad()(500) == 8);  // 2 (2 w) 2
        CHECK(other(500) == 7);
    });
}

TEST_CASE("no more is kept than the limit says, and what is asked for drives out what is not") {
    in_thread([] {
        gr::set_cache_limit(100000);
        auto const use = [](std::int64_t n, int count) {
            std::vector<row> all;
            for (int i = 0; i < count; ++i) all.push_back(ones(n));
        };
        use(1000, 100);  // blocks of 5120 bytes
        std::int64_t const kept = gr::memory_statistics().cached;
        CHECK(kept <= 100000);
        CHECK((kept > 90000 || !keeps));
        use(20000, 1);  // of 81920
        CHECK(gr::memory_statistics().cached <= 100000);
        gr::memory_counts const before = gr::memory_statistics();
        use(20000, 1);
        CHECK(gr::memory_statistics().hits == before.hits + keeps);
        use(1000000, 1);  // too large for it
        CHECK(gr::memory_statistics().cached <= 100000);
        gr::set_cache_limit(10000);
        CHECK(gr::memory_statistics().cached <= 10000);
        gr::set_cache_limit(0);
        use(1000, 2);
        CHECK(gr::memory_statistics().cached == 0);
    });
}

TEST_CASE("what cannot be had is bad_alloc, and counts for nothing") {
    in_thread([] {
        { row a = ones(1000); }
        std::int64_t const before = gr::memory_statistics().allocated;
        // under AddressSanitizer what is larger than it can map ends the program
        if (keeps) CHECK_THROWS_AS(ones(std::int64_t{1} << 50), std::bad_alloc);
        CHECK(gr::memory_statistics().allocated == before);
        CHECK(gr::memory_statistics().cached == 0);  // it was given to the system first
    });
}

TEST_CASE("a block may go to another thread, and outlive its own") {
    row made;
    in_thread([&] {
        made = ones(1000) * 3.0f;
        CHECK(gr::memory_statistics().allocated > 4000);
    });
    CHECK(made(999) == 3);
    in_thread([&] {
        std::int64_t const before = gr::memory_statistics().allocated;
        made = {};
        CHECK(gr::memory_statistics().allocated < before);
        CHECK(gr::memory_statistics().cached == -keeps * gr::memory_statistics().allocated);
    });
}

TEST_CASE("many threads take and give at once") {
    std::vector<row> given(8);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < given.size(); ++i)
        threads.emplace_back([&given, i] {
            row sum = ones(500);
            for (int k = 0; k < 200; ++k) sum = sum + ones(500);
            given[i] = sum;
        });
    for (std::thread& t : threads) t.join();
    for (row const& r : given) CHECK(r(499) == 201);
}

namespace {

/// Objects that end after the cache of their thread: both were there before it.
thread_local std::optional<row> of_thread;
std::optional<row> of_program;

}  // namespace

TEST_CASE("tensors that end after the cache give their memory to the system") {
    in_thread([] {
        of_thread.emplace();
        *of_thread = ones(1000);
    });
    of_program = ones(1000);  // the leak sanitizer looks at the end
    CHECK(of_program->size() == 1000);
}

TEST_CASE("arrays and workspaces of programs take the same blocks") {
    in_thread([] {
        { gr::array<double, gr::dyn> a(1000); }
        gr::memory_counts const before = gr::memory_statistics();
        gr::array<double, gr::dyn> a(1000);
        CHECK(gr::memory_statistics().hits == before.hits + keeps);
        gr::array<double, gr::dyn> b = std::move(a);
        { gr::workspace w(8000); }
        b = gr::array<double, gr::dyn>(2000);
        CHECK(gr::memory_statistics().allocated >= before.allocated + 16000);
    });
}

TEST_CASE("a step that is repeated has no page faults") {
    if (!keeps) return;
    in_thread([] {
        std::int64_t const n = 1000000;
        auto w = gr::full<float, gr::dyn>(n, 0.5f).requires_grad_();
        row const c = ones(n), given = ones(n);
        auto const step = [&] {
            w.zero_grad();
            row y = gr::tanh(w * c + 0.5f) * gr::exp(-w);
            y.backward(given);
        };
        for (int i = 0; i < 3; ++i) step();
        gr::memory_counts const before = gr::memory_statistics();
        long const first = faults();
        for (int i = 0; i < 20; ++i) step();
        // ten thousand a step when each block is new: 4 MB are a thousand pages; a few are the kernel's own business
        CHECK(faults() - first <= 2);
        CHECK(gr::memory_statistics().misses == before.misses);
        CHECK(w.grad().size() == n);
    });
}
