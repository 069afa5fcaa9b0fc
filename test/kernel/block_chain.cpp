// SPDX-License-Identifier: BSL-1.0
#include <gradus/kernel/block_chain.hpp>

#include <doctest/doctest.h>

#include <vector>

// Which instructions become a chain, and what a chain computes, beside the formula.

namespace k = gradus::kernel;
using gradus::arithmetic_kind;
using gradus::dtype;

namespace {

/// ((a - x) * b)^2 / b + -(c), with x read once more where `twice`; a, b, c are the first three instructions, x the fourth.
struct code_of_chain {
    gradus::core::list<k::instruction> code;
    gradus::core::list<arithmetic_kind> does;
    gradus::core::list<k::loop_output> outputs;

    int add(arithmetic_kind kind, std::int16_t a = -1, std::int16_t b = -1, dtype type = dtype::float64) {
        code.push_back({static_cast<std::int16_t>(kind == arithmetic_kind::none ? k::load : 0), a, b, -1, type});
        does.push_back(kind);
        return code.size() - 1;
    }
    k::chain_finding found() const { return {code, code.size(), does, outputs}; }
};

template <class T>
void check_values(std::int64_t n) {
    constexpr std::size_t room = 512;
    alignas(64) T a[room], b[room], to[room];
    for (std::size_t i = 0; i < room; ++i) a[i] = static_cast<T>(i % 7) - 3, b[i] = static_cast<T>(i % 5) + 1, to[i] = -1;
    k::chain_step const steps[] = {{arithmetic_kind::sub, true, 1},  {arithmetic_kind::mul, false, 1}, {arithmetic_kind::square},
                                   {arithmetic_kind::div, false, 1}, {arithmetic_kind::neg},           {arithmetic_kind::add, false, 1},
                                   {arithmetic_kind::sub, false, 0}, {arithmetic_kind::div, true, 1},  {arithmetic_kind::none}};
    T const* const other[] = {b, b, a, b, a, b, a, b, a};
    k::run_chain<T>(to, a, steps, other, 9, n);
    for (std::int64_t i = 0; i < n; ++i) {
        T const d = (b[i] - a[i]) * b[i];
        CHECK(to[i] == b[i] / ((-(d * d / b[i]) + b[i]) - a[i]));  // the same operations: the same bits
    }
    std::int64_t const written = (n + k::target::block_multiple - 1) / k::target::block_multiple * k::target::block_multiple;
    for (std::size_t i = static_cast<std::size_t>(written); i < room; ++i) CHECK(to[i] == -1);
}

}  // namespace

TEST_CASE("a chain is what only the next instruction reads, on numbers of one type") {
    code_of_chain c;
    using enum arithmetic_kind;
    c.add(none), c.add(none), c.add(none);  // loads
    c.add(sub, 0, 1);                       // 3
    c.add(mul, 2, 3);                       // 4: the chain's value is the second operand
    c.add(square, 4);                       // 5: read twice
    c.add(add, 5, 0);                       // 6
    c.add(neg, 6);                          // 7
    c.add(div, 5, 7);                       // 8
    c.outputs.push_back({8, dtype::float64});
    k::chain_finding const f = c.found();
    CHECK(f.chains[3].end == 5);
    CHECK(f.chains[4].end == 5);
    CHECK(f.chains[5].end == 5);
    CHECK(f.chains[5].count == 3);
    CHECK(f.chains[5].start == 0);
    CHECK(f.steps[f.chains[5].first + 1].is_second);
    CHECK(f.steps[f.chains[5].first + 1].other == 2);
    CHECK(f.chains[8].count == 3);
    CHECK(f.chains[8].start == 5);
    CHECK(f.steps[f.chains[8].first + 2].is_second);
    CHECK(f.steps[f.chains[8].first + 2].other == 5);
    CHECK(f.chains[0].end == 0);
}

TEST_CASE("results, other types and long chains end a chain") {
    code_of_chain c;
    using enum arithmetic_kind;
    c.add(none);
    c.add(neg, 0);                        // 1: a result of the loop
    c.add(neg, 1);                        // 2
    c.add(none, -1, -1, dtype::float32);  // 3
    c.add(neg, 2, -1, dtype::float32);    // 4: of another type
    c.outputs.push_back({1, dtype::float64});
    c.outputs.push_back({4, dtype::float32});
    k::chain_finding const f = c.found();
    for (int i = 0; i < c.code.size(); ++i) {
        CHECK(f.chains[i].end == i);
        CHECK(f.chains[i].count == 0);
    }
    code_of_chain l;
    l.add(none);
    for (int i = 0; i < 40; ++i) l.add(neg, static_cast<std::int16_t>(i));
    l.outputs.push_back({40, dtype::float64});
    k::chain_finding const g = l.found();
    CHECK(g.chains[1].end == k::longest_chain);
    CHECK(g.chains[40].count == 40 - 2 * k::longest_chain);
}

TEST_CASE("a chain computes what its operations do one by one, up to the end of the last vector") {
    for (std::int64_t n : {1, 15, 16, 17, 64, 100, 128, 131, 400}) {
        check_values<double>(n);
        check_values<float>(n);
    }
}
