// SPDX-License-Identifier: BSL-1.0
#include <gradus/kernel/move.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

// Kernels that move elements, and argmax, with strides.
namespace k = gradus::kernel;

namespace {

using numbers = std::vector<std::int64_t>;

std::vector<double> counted(std::size_t n) {
    std::vector<double> x(n);
    for (std::size_t i = 0; i < n; ++i) x[i] = static_cast<double>(i);
    return x;
}
numbers argmax(std::vector<double> const& x, numbers const& stride, numbers const& extent, std::int64_t folded, std::size_t results) {
    numbers out(results + 2, -9);
    k::argmax_over(x.data(), stride.data(), extent.data(), static_cast<int>(extent.size()), folded, out.data());
    CHECK(out[results] == -9);
    CHECK(out[results + 1] == -9);
    out.resize(results);
    return out;
}

}  // namespace

TEST_CASE("copy_strided: contiguous rows, transposes, steps, repeated elements, and nothing beside them") {
    auto const from = counted(12);
    auto copied = [&](numbers const& from_stride, numbers const& to_stride, numbers const& extent, std::size_t size) {
        std::vector<double> to(size + 4, -1);
        k::copy_strided(from.data(), from_stride.data(), to.data(), to_stride.data(), extent.data(), static_cast<int>(extent.size()));
        for (std::size_t i = size; i < to.size(); ++i) CHECK(to[i] == -1);
        to.resize(size);
        return to;
    };
    using list = std::vector<double>;
    CHECK(copied({4, 1}, {4, 1}, {3, 4}, 12) == from);
    CHECK(copied({1, 4}, {2, 1}, {4, 2}, 8) == list{0, 4, 1, 5, 2, 6, 3, 7});
    CHECK(copied({4, 1}, {5, 2}, {2, 2}, 8) == list{0, -1, 1, -1, -1, 4, -1, 5});
    CHECK(copied({0, 1}, {3, 1}, {2, 3}, 6) == list{0, 1, 2, 0, 1, 2});
    CHECK(copied({}, {}, {}, 1) == list{0});
    CHECK(copied({4, 1}, {4, 1}, {3, 0}, 0).empty());
    CHECK(copied({1}, {1}, {0}, 0).empty());
    CHECK(copied({6, 3, 1}, {6, 1, 2}, {2, 2, 3}, 12) == list{0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11});
}
TEST_CASE("argmax: the first of equal ones, and NaN before all") {
    double const nan = std::nan(""), infinity = std::numeric_limits<double>::infinity();
    auto of = [](std::vector<double> const& x) { return k::argmax(x.data(), 1, static_cast<std::int64_t>(x.size())); };
    CHECK(of({3, 7, 7, 1}) == 1);
    CHECK(of({nan, infinity, nan}) == 0);
    CHECK(of({1, infinity, nan, nan}) == 2);
    CHECK(of({-infinity, -infinity}) == 0);
    CHECK(of({5}) == 0);
    CHECK(argmax({1, infinity, 4, nan, 2, nan}, {2, 1}, {3, 2}, 3, 1) == numbers{3});
}
TEST_CASE("argmax_over: any axes, in row-major order of the axes whatever the strides") {
    std::vector<double> const x{3, 9, 1, 4, 0, 5};  // [2,3]: 3 9 1 | 4 0 5
    CHECK(argmax(x, {3, 1}, {2, 3}, 2, 2) == numbers{1, 2});
    CHECK(argmax(x, {3, 1}, {2, 3}, 1, 3) == numbers{1, 0, 1});
    CHECK(argmax(x, {3, 1}, {2, 3}, 3, 1) == numbers{1});
    CHECK(argmax(x, {1, 3}, {3, 2}, 3, 1) == numbers{2});  // transposed: 3 4 | 9 0 | 1 5
    CHECK(argmax(x, {2}, {3}, 1, 1) == numbers{0});        // 3 1 0
    CHECK(argmax(x, {}, {}, 0, 1) == numbers{0});
    // [2,2,3], folded over the outer and the inner axis
    std::vector<double> y(12);
    for (std::size_t i = 0; i < 12; ++i) y[i] = static_cast<double>(i * 7 % 12);  // 0 7 2 | 9 4 11 || 6 1 8 | 3 10 5
    CHECK(argmax(y, {6, 3, 1}, {2, 2, 3}, 5, 2) == numbers{5, 2});                // 0 7 2 6 1 8 and 9 4 11 3 10 5
    CHECK(argmax(y, {6, 3, 1}, {2, 2, 3}, 7, 1) == numbers{5});
    CHECK(argmax(y, {6, 3, 1}, {2, 2, 3}, 1, 6) == numbers{1, 0, 1, 0, 1, 0});
}
