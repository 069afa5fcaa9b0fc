// SPDX-License-Identifier: BSL-1.0
#include "../tensor/messages.hpp"

#include <gradus/optim/lbfgs.hpp>

// L-BFGS: PyTorch's iterates, the strong Wolfe conditions, problems with known solutions, state and failures.

namespace gr = gradus;
namespace optim = gr::optim;
using optim::line_search;

namespace {

using numbers = gr::tensor<double, 2>;

gr::tensor<double> rosenbrock(numbers const& x) {
    return gr::square(1.0 - gr::select<0, 0>(x)) + 100.0 * gr::square(gr::select<0, 1>(x) - gr::square(gr::select<0, 0>(x)));
}
numbers start() { return numbers{-1.5, 2.0}.requires_grad_(); }
auto closure(optim::lbfgs const& step, numbers const& x) {
    return [&step, x] {
        step.zero_grad();
        gr::tensor const loss = rosenbrock(x);
        gr::tensor(loss).backward();
        return loss;
    };
}
double distance(numbers const& x, double a, double b) { return std::max(std::abs(x(0) - a), std::abs(x(1) - b)); }

}  // namespace

TEST_CASE("lbfgs: the iterates of PyTorch on Rosenbrock's function") {
    // torch 1.13.1, float64, three steps of max_iter = 5: x after each, func_evals and n_iter after the last
    struct run {
        optim::lbfgs_options options;
        double x[3][2];
        std::int64_t evaluations, iterations;
    };
    run const runs[] = {
        {{.lr = 0.002, .max_iter = 5},
         {{-1.4979095546183503, 2.000681669641427}, {-1.4971965558036466, 2.0009360403416703}, {-1.4964942716317815, 2.0012024330827707}},
         15,
         15},
        {{.lr = 0.001, .max_iter = 5, .history_size = 2},
         {{-1.4989517486814778, 2.0003419989821887}, {-1.4985902929817232, 2.000471690055643}, {-1.498232919441989, 2.0006088008322975}},
         15,
         15},
        {{.max_iter = 5, .line_search_fn = line_search::strong_wolfe},
         {{-1.4190151739012853, 2.015228881713949}, {-1.2050322831643026, 1.3935585763354525}, {-0.741182959696463, 0.512356777959665}},
         18,
         13},
        {{.lr = 0.3, .max_iter = 5, .history_size = 3, .line_search_fn = line_search::strong_wolfe},
         {{-1.4148525861884382, 2.001449177070189}, {-1.1711505904358424, 1.3404566330275633}, {-0.8845796743154867, 0.7403093315859544}},
         19,
         10},
        {{.max_iter = 5, .max_eval = 100, .line_search_fn = line_search::strong_wolfe},
         {{-1.4142309487677067, 1.9949020404366438},
          {-1.0768265614154306, 1.1112274823448032},
          {-0.49933158243680686, 0.19765759278618777}},
         21,
         15},
    };
    for (run const& r : runs) {
        numbers const x = start();
        optim::lbfgs step({x}, r.options);
        for (auto const& expected : r.x) {
            step.step(closure(step, x));
            CHECK(distance(x, expected[0], expected[1]) <
                  1e-7);  // roundings of 1e-16, which an iteration of this function makes 100 times larger
        }
        CHECK(step.state().func_evals == r.evaluations);
        CHECK(step.state().n_iter == r.iterations);
    }
}

TEST_CASE("lbfgs: finds the minimum of Rosenbrock's function, and ends there") {
    numbers const x = start();
    optim::lbfgs step({x}, {.max_iter = 100, .tolerance_change = 1e-16, .line_search_fn = line_search::strong_wolfe});
    double const first = step.step(closure(step, x));
    CHECK(first == 12.5);
    CHECK(distance(x, 1, 1) < 1e-6);  // tolerance_grad 1e-7 over the smallest curvature, 0.4, is 2.5e-7
    std::int64_t const iterations = step.state().n_iter;
    CHECK(iterations < 60);
    step.step(closure(step, x));
    CHECK(step.state().n_iter <= iterations + 1);
}

TEST_CASE("strong_wolfe_search: the step satisfies both conditions, whatever the first guess") {
    auto f = [](double t) {
        return optim::line_point{t, -t / (t * t + 2), (t * t - 2) / (t * t + 2) / (t * t + 2), {}};
    };  // J. More, D. Thuente, 1994
    for (double first : {1e-3, 1e-1, 1.0, 10.0}) {
        optim::strong_wolfe_search search(f, f(0), 1);
        optim::line_point const p = search(first);
        CHECK(p.value <= f(0).value + 1e-4 * p.t * f(0).slope);
        CHECK(std::abs(p.slope) <= 0.9 * std::abs(f(0).slope));
        CHECK(p.t > 0);
        CHECK(search.evaluations() <= 26);
    }
    // no step is one: the function falls for ever
    auto line = [](double t) { return optim::line_point{t, -t, -1, {}}; };
    optim::strong_wolfe_search endless(line, line(0), 1);
    CHECK(endless(1).t > 1);
    CHECK(endless.evaluations() == 26);
}

TEST_CASE("lbfgs: a quadratic function of n numbers is solved in about n iterations; several parameters, one in float") {
    auto a = gr::tensor<double, 3>{1, -2, 3}.requires_grad_();
    auto b = gr::tensor<float, 2>{4, 5}.requires_grad_();
    auto const unused = gr::ones<double, 2>().requires_grad_();
    optim::lbfgs step({a, b, unused}, {.max_iter = 12, .line_search_fn = line_search::strong_wolfe});
    step.step([&] {
        step.zero_grad();
        gr::tensor loss =
            gr::sum(gr::tensor<double, 3>{1, 10, 100} * gr::square(a - 1.0)) + gr::cast<double>(gr::sum(gr::square(b + 2.0f)));
        loss.backward();
        return loss.item();
    });
    for (double v : a) CHECK(std::abs(v - 1) < 1e-5);  // it ends where gradients are below 1e-7 or steps below 1e-9
    for (float v : b) CHECK(std::abs(v + 2) < 1e-5f);  // float has 2e-7 there
    for (double v : unused) CHECK(v == 1);
    CHECK(step.state().n_iter <= 12);
}

TEST_CASE("lbfgs: a least-squares line and a logistic fit end where the gradient vanishes") {
    gr::tensor<double, 5, 2> const x{{1, 0}, {1, 1}, {1, 2}, {1, 3}, {1, 4}};
    auto w = gr::zeros<double, 2>().requires_grad_();
    optim::lbfgs line({w}, {.max_iter = 50});  // no search: steps of length lr
    line.step([&] {
        line.zero_grad();
        gr::tensor loss = gr::mse_loss(gr::matmul(x, w), gr::tensor<double, 5>{1, 3, 2, 5, 4});
        loss.backward();
        return loss;
    });
    CHECK(distance(w, 1.4, 0.8) < 1e-6);  // by hand: slope 8 / 10, mean 3 - 2 * 0.8

    auto v = gr::zeros<double, 2>().requires_grad_();
    optim::lbfgs fit({v}, {.max_iter = 50, .tolerance_change = 1e-16, .line_search_fn = line_search::strong_wolfe});
    fit.step([&] {
        fit.zero_grad();
        gr::tensor loss = gr::binary_cross_entropy_with_logits(gr::matmul(x, v), gr::tensor<double, 5>{0, 0, 1, 0, 1});
        loss.backward();
        return loss;
    });
    // the sums of residuals, plain and by x, are 0 at the maximum of the likelihood
    double plain = 0, by_x = 0;
    double const y[] = {0, 0, 1, 0, 1};
    for (int i = 0; i < 5; ++i) {
        double const residual = 1 / (1 + std::exp(-(v(0) + v(1) * i))) - y[i];
        plain += residual, by_x += residual * i;
    }
    CHECK(std::abs(plain) < 5e-7);  // tolerance_grad of means of five
    CHECK(std::abs(by_x) < 5e-7);
}

TEST_CASE("lbfgs: training that is saved and resumed has the same bits") {
    for (line_search how : {line_search::none, line_search::strong_wolfe}) {
        optim::lbfgs_options const options{
            .lr = how == line_search::none ? 0.002 : 1.0, .max_iter = 4, .history_size = 3, .line_search_fn = how};
        numbers const x = start();
        optim::lbfgs whole({x}, options);
        whole.step(closure(whole, x)), whole.step(closure(whole, x));
        gr::nn::tensor_dict saved = whole.state_dict();
        for (auto& [name, value] : saved) value = value.clone();
        numbers const y = x.clone().detach().requires_grad_(), z = x.clone().detach().requires_grad_();
        optim::lbfgs resumed({y}, {.lr = 7}), forgetful({z}, options);
        resumed.load_state_dict(saved);
        CHECK(resumed.options.line_search_fn == how);
        for (int i = 0; i < 2; ++i) whole.step(closure(whole, x)), resumed.step(closure(resumed, y)), forgetful.step(closure(forgetful, z));
        CHECK(distance(y, x(0), x(1)) == 0);
        CHECK(distance(z, x(0), x(1)) > 0);
        CHECK(resumed.state().func_evals == whole.state().func_evals);
        saved[0].first = "state.0.calls";
        CHECK(messages::contains(messages::of<gr::error>([&] { resumed.load_state_dict(saved); }),
                                 "missing in the dict: state.0.func_evals"));
        CHECK(resumed.state().func_evals == whole.state().func_evals);
    }
}

TEST_CASE("lbfgs: a step whose closure throws has changed nothing; options and parameters are checked") {
    numbers const x = start();
    optim::lbfgs step({x}, {.line_search_fn = line_search::strong_wolfe});
    int calls = 0;
    auto const failing = [&] {
        if (++calls == 3) throw std::runtime_error("enough");
        return closure(step, x)();
    };
    CHECK_THROWS_AS(step.step(failing), std::runtime_error);
    CHECK(distance(x, -1.5, 2) == 0);
    CHECK(step.state().func_evals == 0);
    {
        gr::no_grad guard;  // the closure records all the same
        step.step(closure(step, x));
    }
    CHECK(step.state().n_iter > 1);
    CHECK_THROWS_AS(optim::lbfgs({x}, {.lr = -1}), gr::error);
    CHECK_THROWS_AS(optim::lbfgs({x}, {.history_size = 0}), gr::error);
    CHECK_THROWS_AS(optim::lbfgs(std::vector<gr::any_tensor>{}), gr::error);
    CHECK_THROWS_AS(optim::lbfgs({x, x}), gr::error);
}
