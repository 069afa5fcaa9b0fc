// SPDX-License-Identifier: BSL-1.0
#include "../tensor/messages.hpp"

#include <numbers>

// The closed formulas against the recurrences of PyTorch's documentation, step by step.

namespace gr = gradus;
namespace optim = gr::optim;

namespace {

optim::sgd two_groups(double first = 0.1, double second = 0.02) {
    return optim::sgd({{{gr::ones<float, 1>()}, {.lr = first}}, {{gr::ones<float, 1>()}, {.lr = second}}});
}
/// The rates in steps 0 to n - 1 of a schedule of a group that begins with 0.1.
std::vector<double> rates(auto schedule, int n) {
    optim::sgd step = two_groups();
    optim::scheduler rate(step, schedule);
    std::vector<double> all;
    for (int t = 0; t < n; ++t, rate.step()) all.push_back(step.options.lr);
    return all;
}
// a handful of roundings of doubles
doctest::Approx near(double x) { return doctest::Approx(x).epsilon(1e-13); }

}  // namespace

TEST_CASE("schedules: step, multistep, exponential, linear by their recurrences") {
    auto const step = rates(optim::step_lr{.step_size = 3, .gamma = 0.5}, 10), multi = rates(optim::multistep_lr{{2, 3, 7}}, 10),
               power = rates(optim::exponential_lr{0.9}, 10), line = rates(optim::linear_lr{.start_factor = 0.25, .total_iters = 3}, 6);
    double a = 0.1, b = 0.1, c = 0.1;
    for (int t = 0; t < 10; ++t, c *= 0.9) {
        if (t > 0 && t % 3 == 0) a *= 0.5;
        if (t == 2 || t == 3 || t == 7) b *= 0.1;
        CHECK(step[static_cast<std::size_t>(t)] == near(a));
        CHECK(multi[static_cast<std::size_t>(t)] == near(b));
        CHECK(power[static_cast<std::size_t>(t)] == near(c));
    }
    double const factors[] = {0.25, 0.5, 0.75, 1, 1, 1};
    for (std::size_t t = 0; t < 6; ++t) CHECK(line[t] == near(0.1 * factors[t]));
}
TEST_CASE("schedules: cosine by PyTorch's recurrence, down and up again") {
    constexpr int n = 8;
    double const low = 0.01;
    auto const all = rates(optim::cosine_annealing_lr{.t_max = n, .eta_min = low}, 2 * n + 1);
    double lr = 0.1;
    for (int t = 1; t <= 2 * n; ++t) {
        auto const cosine = [](double x) { return std::cos(std::numbers::pi * x / n); };
        if ((t - 1 - n) % (2 * n) == 0) lr += (0.1 - low) * (1 - cosine(1)) / 2;
        else lr = (1 + cosine(t)) / (1 + cosine(t - 1)) * (lr - low) + low;
        CHECK(all[static_cast<std::size_t>(t)] == doctest::Approx(lr).epsilon(1e-10));  // the recurrence divides by numbers near 0
    }
    CHECK(all[n] == near(low));
    CHECK(all[2 * n] == near(0.1));
}
TEST_CASE("schedules: one cycle goes up to max_lr, and down to the first rate / final_div_factor") {
    // torch.optim.lr_scheduler.OneCycleLR(max_lr=1, total_steps=10, pct_start=0.3): up to step 2, then down to step 9
    auto const all = rates(optim::one_cycle_lr{.max_lr = 1, .total_steps = 10}, 12);
    CHECK(all[0] == near(0.04));
    CHECK(all[1] == near((1 + 0.04) / 2));
    CHECK(all[2] == near(1));
    double const last = 0.04 / 1e4;
    CHECK(all[3] == near(last + (1 - last) / 2 * (1 + std::cos(std::numbers::pi / 7))));
    CHECK(all[9] == near(last));
    CHECK(all[11] == near(last));
    auto const lines = rates(optim::one_cycle_lr{.max_lr = 1, .total_steps = 10, .linear = true}, 10);
    CHECK(lines[1] == near(0.52));
    CHECK(lines[3] == near(1 + (last - 1) / 7));
    for (double pct : {0.0, 0.1, 1.0})
        for (double r : rates(optim::one_cycle_lr{.max_lr = 1, .total_steps = 10, .pct_start = pct}, 10)) CHECK((r > 0 && r <= 1));
}
TEST_CASE("schedules: warmup, then another; any function is one; all groups move") {
    auto const all = rates(optim::warmup{4, optim::cosine_annealing_lr{6}}, 11);
    for (std::size_t t = 0; t < 4; ++t) CHECK(all[t] == near(0.1 * static_cast<double>(t + 1) / 4));
    for (std::size_t t = 4; t < 11; ++t) CHECK(all[t] == near(0.05 * (1 + std::cos(std::numbers::pi * static_cast<double>(t - 4) / 6))));
    optim::sgd step = two_groups();
    optim::scheduler rate(step, [](std::int64_t t, double base) { return base / static_cast<double>(1 + t); });
    rate.step();
    CHECK(rate.lr(0) == 0.05);
    CHECK(rate.lr(1) == 0.01);
    CHECK(rate.steps() == 1);
    optim::sgd other = two_groups(7, 8);
    optim::scheduler restored(other, optim::exponential_lr{0.5});
    restored.load_state_dict(rate.state_dict());
    CHECK(other.options.lr == 0.05);
    CHECK(other.options_of(1).lr == 0.01);
    CHECK_THROWS_AS(restored.load_state_dict({{"last_epoch", gr::full<std::int64_t>(3)}}), gr::error);
    CHECK(restored.steps() == 1);
}
TEST_CASE("reduce_lr_on_plateau: waits, reduces, cools down, and resumes") {
    optim::sgd step = two_groups(1, 0.5);
    optim::reduce_lr_on_plateau plateau(step, {.factor = 0.5, .patience = 1, .cooldown = 1, .min_lr = 0.2});
    auto const after = [&](double metric) {
        plateau.step(metric);
        return step.options.lr;
    };
    CHECK(after(10) == 1);
    CHECK(after(9.9995) == 1);  // not better by the share 1e-4 of 10: the first bad one
    CHECK(after(11) == 0.5);    // the second: more than patience
    CHECK(step.options_of(1).lr == 0.25);
    CHECK(after(11) == 0.5);  // cools down
    CHECK(after(11) == 0.5);
    CHECK(after(NAN) == 0.25);  // no number is not better
    CHECK(step.options_of(1).lr == 0.2);
    CHECK(after(9) == 0.25);
    CHECK(plateau.best() == 9);
    optim::sgd other = two_groups(0.25, 0.2);
    optim::reduce_lr_on_plateau resumed(other, plateau.options);
    resumed.load_state_dict(plateau.state_dict());
    for (double metric : {9.0, 9.0, 8.0, 9.0}) plateau.step(metric), resumed.step(metric);
    CHECK(step.options.lr == other.options.lr);
    CHECK(resumed.best() == 8);

    optim::sgd up = two_groups(1);
    optim::reduce_lr_on_plateau best(up, {.maximize = true, .patience = 0, .threshold = 0.5, .absolute = true});
    best.step(1);
    best.step(1.4);
    CHECK(up.options.lr == near(0.1));
    best.step(1.6);
    CHECK(up.options.lr == near(0.1));
    CHECK_THROWS_AS(optim::reduce_lr_on_plateau(up, {.factor = 1}), gr::error);
}

TEST_CASE("exponential_moving_average: the loop's numbers; swap gives and takes back") {
    auto const p = gr::tensor<double, 2>{1, 2}.requires_grad_();
    gr::tensor<gr::bfloat16, 1> const h{gr::bfloat16(1.0f)};
    optim::exponential_moving_average average({p, h}, 0.75);
    double expected[2] = {1, 2}, of_h = 1;
    for (int t = 0; t < 4; ++t) {
        gr::no_grad guard;
        p += 1.0;
        h += 1;
        average.update();
        for (int i = 0; i < 2; ++i) expected[i] = 0.75 * expected[i] + 0.25 * (i + 2 + t);
        of_h = 0.75 * of_h + 0.25 * (t + 2);
    }
    CHECK(average.averages()[0].values<double>()[1] == near(expected[1]));
    CHECK(average.averages()[1].values<float>()[0] == doctest::Approx(of_h).epsilon(1e-6));  // float
    std::uint32_t const version = p.version();
    average.swap();
    CHECK(p(0) == near(expected[0]));
    CHECK(p.version() == version + 1);
    CHECK(p.requires_grad());
    CHECK_THROWS_AS(average.update(), gr::error);
    average.swap();
    CHECK(p(0) == 5);
    CHECK(static_cast<float>(h(0)) == 5);
    CHECK(average.averages()[0].values<double>()[1] == near(expected[1]));
    CHECK_THROWS_AS(optim::exponential_moving_average({p}, 1.5), gr::error);
}
