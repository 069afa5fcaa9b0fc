// SPDX-License-Identifier: BSL-1.0
#include "../splitmix.hpp"

#include <gradus/kernel/window_contract.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

// The kernels of convolutions against the textbook's sums: drawn extents, strides, paddings, dilations, groups, instances and threads;
// every element of the operands and of the scratch memory is where it belongs.
namespace {

using namespace gradus;
using draws::splitmix;

struct convolution_call {
    shape x, w, y;
    attributes attr;
};
convolution_call draw_call(splitmix& random, bool large) {
    convolution_call c;
    int const axes = 1 + random.below(3), groups = random.below(3) ? 1 : 1 + random.below(3), most = large ? (axes == 3 ? 9 : 40) : 6;
    std::int64_t const in = 1 + random.below(large ? 9 : 3), out = 1 + random.below(large ? 19 : 4);
    c.attr.n[0] = 1 + random.below(3);
    c.attr.n[1] = random.below(4);
    c.attr.n[2] = 1 + random.below(3);
    c.attr.n[3] = groups;
    c.attr.n[4] = axes;
    if (random.below(2))  // instances, of all or of one
        for (shape* s : {&c.x, &c.w})
            for (int i = 0, rank = axes < 3 ? 2 : 1; i < rank; ++i) s->push_back(random.below(2) ? 1 : i + 2);
    c.x.push_back(random.below(5) ? 1 + random.below(3) : random.below(25));
    c.x.push_back(in * groups);
    c.w.push_back(out * groups);
    c.w.push_back(in);
    for (int i = 0; i < axes; ++i) {
        std::int64_t const window = 1 + random.below(4);
        std::int64_t const least = std::max<std::int64_t>(1, c.attr.n[2] * (window - 1) + 1 - 2 * c.attr.n[1]);
        c.x.push_back(least + random.below(most));
        c.w.push_back(window);
    }
    complaint fail;
    call const rule{c.attr, {}, {{dtype::float64, c.x}, {dtype::float64, c.w}}, 2};
    c.y = op::convolution::infer(rule, fail).shape;
    REQUIRE(!fail.failed);
    return c;
}
std::vector<double> numbers(splitmix& random, shape const& s) {
    std::vector<double> v;
    for (std::int64_t i = 0; i < s.static_size(); ++i) v.push_back(random.below(17) / 8.0 - 1);  // sums are exact
    return v;
}
template <class Op, class T>
std::vector<T> by_kernel(call const& c, std::vector<double> const& a, std::vector<double> const& b, int threads) {
    std::vector<T> const x(a.begin(), a.end()), y(b.begin(), b.end());
    T const* const in[]{x.data(), y.data()};
    std::vector<T> made(static_cast<std::size_t>(c.target.static_size()), std::numeric_limits<T>::quiet_NaN());
    auto const bytes = static_cast<std::size_t>(core::whole_lines(Op::scratch_bytes(dtype_of<T>, c)));
    std::byte* const scratch = static_cast<std::byte*>(std::aligned_alloc(64, bytes));
    for (int t = 0; t < threads; ++t) {
        std::fill_n(reinterpret_cast<T*>(scratch), bytes / sizeof(T), std::numeric_limits<T>::quiet_NaN());
        Op::template kernel<T>(c, in, made.data(), {scratch, t, threads});
    }
    std::free(scratch);
    return made;
}
template <class Op>
void check_kernels(splitmix& random, attributes const& attr, shape const& a, shape const& b, shape const& made) {
    call const c{attr, made, {{dtype::float64, a}, {dtype::float64, b}}, 2};
    complaint fail;
    CHECK(Op::infer(c, fail).shape == made);
    auto const x = numbers(random, a), y = numbers(random, b);
    double const* const in[]{x.data(), y.data()};
    std::vector<double> expected(static_cast<std::size_t>(made.static_size()));
    Op::whole(c, in, expected.data());
    CHECK(by_kernel<Op, double>(c, x, y, 1) == expected);
    std::vector<float> const rounded(expected.begin(), expected.end());
    CHECK(by_kernel<Op, float>(c, x, y, 1) == rounded);
    CHECK(by_kernel<Op, float>(c, x, y, 3) == rounded);
}
void check_all(std::uint64_t seed, bool large) {
    splitmix random(seed);
    convolution_call const c = draw_call(random, large);
    INFO("seed " << seed << ": x " << core::concat(c.x).str() << ", w " << core::concat(c.w).str() << ", y " << core::concat(c.y).str()
                 << ", stride " << c.attr.n[0] << ", padding " << c.attr.n[1] << ", dilation " << c.attr.n[2] << ", groups "
                 << c.attr.n[3]);
    shape x = c.x, w = c.w;
    check_kernels<op::convolution>(random, c.attr, x, w, c.y);
    int const lead = c.y.rank() - static_cast<int>(c.attr.n[4]) - 2;
    for (int i = 0; i < lead; ++i) x[i] = w[i] = c.y[i];  // derivatives have all instances
    check_kernels<op::convolution_input_gradient>(random, c.attr, c.y, c.w, x);
    check_kernels<op::convolution_weight_gradient>(random, c.attr, c.x, c.y, w);
}

}  // namespace

TEST_CASE("windows: kernels of convolutions are the textbook's sums") {
    for (std::uint64_t seed = 0; seed < 400; ++seed) check_all(seed, false);
}
TEST_CASE("windows: kernels of convolutions with more channels than tiles and longer rows than vectors") {
    for (std::uint64_t seed = 1000; seed < 1040; ++seed) check_all(seed, true);
}
TEST_CASE("windows: zeros around results do not meet weights that are not finite") {
    call c{{}, {1, 1, 2, 2}, {{dtype::float64, {1, 1, 2, 2}}, {dtype::float64, {1, 1, 3, 3}}}, 2};
    c.attr.n[0] = c.attr.n[1] = c.attr.n[2] = c.attr.n[3] = 1;
    std::vector<double> const y{1, 2, 3, 4};
    std::vector<double> w(9, 1.0);
    w[0] = std::numeric_limits<double>::infinity();  // what only the first input does not meet
    auto const x = by_kernel<op::convolution_input_gradient, double>(c, y, w, 1);
    CHECK(x[3] == 10);
    CHECK(std::isinf(x[0]));
}
