// SPDX-License-Identifier: BSL-1.0
#include "world.hpp"

#include <cmath>
#include <string>
#include <vector>

namespace gr = gradus;
namespace dist = gr::dist;
using ranks::sum_of_ranks;
using ranks::world;

TEST_CASE("all_reduce_: arrays of every type, by every reduction, both ways of adding up") {
    int const n = world().size(), r = world().rank();
    for (bool in_order : {false, true}) {
        CAPTURE(in_order);
        std::vector<float> x{1.0f + static_cast<float>(r), -1, 0.25f};
        dist::all_reduce_(world(), x, {.in_rank_order = in_order});
        CHECK(x == std::vector<float>{static_cast<float>(n + sum_of_ranks()), static_cast<float>(-n), 0.25f * static_cast<float>(n)});
        gr::array<double, 2, 3> const zero{};
        auto means = zero;
        for (double& e : means) e = r;
        dist::all_reduce_(world(), means, {.op = dist::reduction::mean, .in_rank_order = in_order});
        for (double e : means) CHECK(e == (n - 1) / 2.0);
        std::int64_t numbers[] = {r, 10 - r, std::int64_t{1} << 40};
        dist::all_reduce_(world(), numbers, {.op = dist::reduction::max, .in_rank_order = in_order});
        CHECK(numbers[0] == n - 1);
        CHECK(numbers[1] == 10);
        CHECK(numbers[2] == std::int64_t{1} << 40);
        std::int32_t least[] = {r - 3};
        dist::all_reduce_(world(), least, {.op = dist::reduction::min, .in_rank_order = in_order});
        CHECK(least[0] == -3);
        // of 16 bits: added up in float. 257 is no bfloat16, 256 + n * 0.5 is rounded once
        std::vector<gr::bfloat16> half(5, gr::bfloat16(1.5f));
        dist::all_reduce_(world(), half, {.in_rank_order = in_order});
        for (gr::bfloat16 e : half) CHECK(static_cast<float>(e) == 1.5f * static_cast<float>(n));
        std::vector<double> none;
        dist::all_reduce_(world(), none, {.in_rank_order = in_order});
    }
    std::vector<int> whole{1};
    CHECK(messages::of<gr::error>([&] { dist::all_reduce_(world(), whole, {.op = dist::reduction::mean}); }) ==
          "gradus::dist::all_reduce_(communicator, x): the mean of integers of type int32 is none: take reduction::sum");
    CHECK(whole[0] == 1);
    CHECK(messages::of<gr::error>([&] { dist::all_reduce_(world(), gr::any_tensor(gr::full<bool, 2>(true))); }) ==
          "gradus::dist::all_reduce_(communicator, x): truth values cannot be added up: convert them");
}

TEST_CASE("all_reduce_: in the order of the ranks the same parts have the same bits, however many ranks share them") {
    // four parts whose sum depends on the order; every rank has its share of them, added up by it or, if there are four, by nobody
    int const n = world().size(), r = world().rank();
    if (4 % n) return;
    std::int64_t const size = 1003;
    std::vector<std::vector<float>> parts(4, std::vector<float>(size));
    for (std::size_t p = 0; p < 4; ++p)
        for (std::size_t i = 0; i < size; ++i)
            parts[p][i] = std::sin(static_cast<float>(i * 4 + p)) * std::pow(10.0f, static_cast<float>(p * 5 % 4));
    std::vector<float> wanted = parts[0], got(size);
    for (std::size_t p = 1; p < 4; ++p)
        for (std::size_t i = 0; i < size; ++i) wanted[i] += parts[p][i];
    std::vector<float const*> mine;
    for (int p = r * 4 / n; p < (r + 1) * 4 / n; ++p) mine.push_back(parts[static_cast<std::size_t>(p)].data());
    gr::core::ordered_reduction<float>(world(), mine, size).end(dist::reduction::sum, got.data());
    CHECK(got == wanted);
}

TEST_CASE("all_reduce_, broadcast_, all_gather: tensors and lists of them") {
    int const n = world().size(), r = world().rank();
    auto const a = gr::full<float, 2, 3>(static_cast<float>(r));
    auto const b = gr::full<double, 4>(1.0);
    auto const c = gr::full<std::int64_t>(2);
    auto const before = a.version();
    dist::all_reduce_(world(), std::vector<gr::any_tensor>{a, b, {}, c, gr::full<float>(1)});
    CHECK(a(1, 2) == static_cast<float>(sum_of_ranks()));
    CHECK(b(3) == n);
    CHECK(c.item() == 2 * n);
    CHECK(a.version() > before);
    // what was saved before is refused
    auto x = gr::full<float, 3>(2).requires_grad_();
    gr::tensor y = x * x;
    {
        gr::no_grad guard;
        dist::broadcast_(world(), x, n - 1);
    }
    CHECK(messages::of<gr::error>([&] { y.backward(gr::ones<float, 3>()); }).find("modified by an inplace operation") != std::string::npos);
    auto t = gr::full<float, 3>(static_cast<float>(r));
    dist::broadcast_(world(), t, n - 1);
    CHECK(t(2) == static_cast<float>(n - 1));
    std::vector<int> ints{r, r};
    dist::broadcast_(world(), ints);
    CHECK(ints == std::vector<int>{0, 0});
    CHECK(messages::of<gr::error>([&] { dist::broadcast_(world(), t, n); }).find("no such rank") != std::string::npos);
    auto const gaps = gr::full<float, 2, 3>(1).transpose<1, 0>();
    CHECK(messages::of<gr::error>([&] { dist::all_reduce_(world(), gr::any_tensor(gaps)); }).find("use clone()") != std::string::npos);

    std::vector<std::int64_t> const mine{r, 10 * r};
    auto const everybodys = dist::all_gather(world(), mine);
    REQUIRE(static_cast<int>(everybodys.size()) == 2 * n);
    for (int k = 0; k < n; ++k) CHECK(everybodys[static_cast<std::size_t>(2 * k + 1)] == 10 * k);
    gr::tensor<float, gr::dyn, 2> const rows = dist::all_gather(world(), gr::full<float, 2>(static_cast<float>(r)));
    CHECK(rows.size(0) == n);
    CHECK(rows(n - 1, 1) == static_cast<float>(n - 1));
    auto const flags =
        dist::all_gather(world(), std::vector<gr::any_tensor>{gr::full<bool>(r == 0), gr::full<gr::float16, 1>(gr::float16(0.5f))});
    CHECK(flags[0].values<bool>()[0]);
    CHECK(static_cast<float>(flags[1].values<gr::float16>()[static_cast<std::size_t>(n - 1)]) == 0.5f);
}
