// SPDX-License-Identifier: BSL-1.0
#include "compare.hpp"

#include <tuple>

// Dropout and the generator behind it.
namespace {

namespace gr = gradus;
using gr::op::philox;

constexpr auto x = gr::var<"x", double, "n", 6>;
constexpr auto y = gr::var<"y", float, 2, "n", 6>;
constexpr auto key = gr::var<"key", std::int64_t>;

using compare::check_all;

}  // namespace

TEST_CASE("dropout: the generator gives the known answers of Random123 1.09 for philox2x32 with 10 rounds") {
    struct known {
        philox::words counter;
        std::uint32_t key;
        philox::words answer;
    };
    constexpr known all[] = {{{0, 0}, 0, {0xff1dae59u, 0x6cd10df2u}},
                             {{0xffffffffu, 0xffffffffu}, 0xffffffffu, {0x2c3f628bu, 0xab4fd7adu}},
                             {{0x243f6a88u, 0x85a308d3u}, 0x13198a2eu, {0xdd7ce038u, 0xf62a4c12u}}};
    for (known const& k : all) {
        CHECK(philox::block(k.counter, k.key).first == k.answer.first);
        CHECK(philox::block(k.counter, k.key).second == k.answer.second);
        // numbers, integers of either size and lanes see the same words
        auto const wrapped = [](std::uint32_t v) { return static_cast<std::int32_t>(v); };
        CHECK(philox::eval(wrapped(k.counter.first), wrapped(k.counter.second), wrapped(k.key)) ==
              static_cast<std::int32_t>(k.answer.first >> 1));
        CHECK(philox::eval(static_cast<double>(k.counter.first), static_cast<double>(k.counter.second), static_cast<double>(k.key)) ==
              static_cast<double>(k.answer.first >> 1));
    }
}
TEST_CASE("compiled kernels: dropout, with masks that differ by stream and by place") {
    constexpr auto f = gr::dropout<0.25>(x, key);
    constexpr auto g = gr::dropout<0.5, 3>(gr::exp(y), key);
    check_all(f, g, gr::grad(gr::sum(f * f * x), x), gr::grad(gr::sum(g), y));
}
TEST_CASE("dropout: one mask for value and derivative, for float and double, of about the right density") {
    constexpr int n = 2000;
    constexpr auto wide = gr::var<"wide", double, n>;
    constexpr auto single = gr::var<"single", float, n>;
    constexpr auto dropped = gr::dropout<0.3>(wide, key);
    constexpr auto program = gr::compile(dropped, gr::grad(gr::sum(dropped), wide), gr::dropout<0.3>(single, key),
                                         gr::dropout<0.3, 1>(wide, key), gr::dropout<0.0>(wide, key), gr::dropout<1.0>(wide, key));
    std::vector<double> ones(n, 1);
    std::vector<float> floats(n, 1);
    int zeros = 0, both = 0, same_as_next_key = 0;
    std::vector<double> last;
    for (std::int64_t k : {1, 2}) {
        auto const [value, slope, in_float, other, all, none] = program(wide = ones, single = floats, key = k);
        std::vector<double> now;
        for (int i = 0; i < n; ++i) {
            now.push_back(value(i));
            CHECK((value(i) == 0 || value(i) == 1 / (1 - 0.3)));
            CHECK(slope(i) == value(i));
            CHECK((in_float(i) == 0) == (value(i) == 0));
            CHECK(all(i) == 1);
            CHECK(none(i) == 0);
            zeros += value(i) == 0;
            both += value(i) == 0 && other(i) == 0;
            if (!last.empty()) same_as_next_key += value(i) == 0 && last[static_cast<std::size_t>(i)] == 0;
        }
        last = now;
    }
    // binomial: 4000 draws of 0.3, 4000 and 2000 of 0.09; five standard deviations, 145, 91 and 64. The key is fixed: nothing flickers
    CHECK(std::abs(zeros - 1200) < 145);
    CHECK(std::abs(both - 360) < 91);
    CHECK(std::abs(same_as_next_key - 180) < 64);
}
