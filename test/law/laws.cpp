// SPDX-License-Identifier: BSL-1.0
#include "operations.hpp"

#include <gradus/graph/print.hpp>

// What holds for every operation, on random shapes and inputs: reverse and forward mode are transposes of each other,
// both are the slope, second derivatives are symmetric; a pass changes no value and has nothing to do the second time.
namespace {

using namespace laws;

double dot(std::vector<double> const& a, std::vector<double> const& b) {
    REQUIRE(a.size() == b.size());
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
    return sum;
}
double magnitude(std::vector<double> const& a, std::vector<double> const& b) {
    double sum = 1;
    for (std::size_t i = 0; i < a.size(); ++i) sum += std::abs(a[i] * b[i]);
    return sum;
}

struct expectations {
    bool slope = true;  ///< compare with finite differences
};

/// All laws of derivatives of y with respect to p.inputs, where their values are.
void check_derivatives(program& p, value y, splitmix& random, expectations what = {}) {
    auto const inputs = p.inputs;
    auto const n = inputs.size();
    value c = p.draw(random, "c", y.shape());
    std::vector<value> t, u;
    for (std::size_t i = 0; i < n; ++i) {
        t.push_back(p.draw(random, "t" + std::to_string(i), inputs[i].shape()));
        u.push_back(p.draw(random, "u" + std::to_string(i), inputs[i].shape()));
    }
    value loss = total(y * c), along = 0, slope_t = 0, slope_u = 0;
    std::vector<value> vjp;
    for (std::size_t i = 0; i < n; ++i) vjp.push_back(grad(loss, inputs[i]));
    for (std::size_t i = 0; i < n; ++i) {
        value part = jvp(y, inputs[i], t[i]), part_t = total(vjp[i] * t[i]), part_u = total(vjp[i] * u[i]);
        along = i ? along + part : part;
        slope_t = i ? slope_t + part_t : part_t;
        slope_u = i ? slope_u + part_u : part_u;
    }
    // results: y, jvp, vjp_i, then H t, H u by reverse over reverse, then H t by forward over reverse
    std::vector<value> results{y, along};
    results.insert(results.end(), vjp.begin(), vjp.end());
    for (value x : inputs) results.push_back(grad(slope_t, x));
    for (value x : inputs) results.push_back(grad(slope_u, x));
    for (std::size_t i = 0; i < n; ++i) {
        value forward = 0;
        for (std::size_t k = 0; k < n; ++k) forward = k ? forward + jvp(vjp[i], inputs[k], t[k]) : jvp(vjp[i], inputs[k], t[k]);
        results.push_back(forward);
    }
    auto const r = p.run(results);
    REQUIRE(finite(r));

    auto const weights = p.symbols.at("c");
    double forward = dot(weights, r[1]), scale = magnitude(weights, r[1]), reverse = 0, u_h_t = 0, t_h_u = 0, curvature = 1;
    for (std::size_t i = 0; i < n; ++i) {
        auto const &ti = p.symbols.at("t" + std::to_string(i)), &ui = p.symbols.at("u" + std::to_string(i));
        reverse += dot(r[2 + i], ti);
        scale += magnitude(r[2 + i], ti);
        u_h_t += dot(ui, r[2 + n + i]);
        t_h_u += dot(ti, r[2 + 2 * n + i]);
        curvature += magnitude(ui, r[2 + n + i]) + magnitude(ti, r[2 + 2 * n + i]);
        for (std::size_t j = 0; j < r[2 + i].size(); ++j)
            CHECK(std::abs(r[2 + n + i][j] - r[2 + 3 * n + i][j]) <= 1e-11 * std::max(1.0, std::abs(r[2 + n + i][j])));
    }
    INFO("<c, jvp t> = " << forward << ", <vjp c, t> = " << reverse << ", u H t = " << u_h_t << ", t H u = " << t_h_u);
    // rounding of some hundred terms: 1e-14; a wrong factor is of order 1
    CHECK(std::abs(forward - reverse) <= 1e-11 * scale);
    CHECK(std::abs(u_h_t - t_h_u) <= 1e-11 * curvature);

    if (!what.slope) return;
    // Central differences of fourth order with step h: the error is h^4 / 30 times a fifth derivative along t, which for
    // rsqrt and pow at 0.2 reaches 1e6 times the slope, and 1e-16 / h of rounding. At h = 1e-4: 1e-11 and 1e-12.
    constexpr double h = 1e-4;
    auto const start = p.symbols;
    auto moved = [&](double step) {
        p.symbols = start;
        for (std::size_t i = 0; i < n; ++i) {
            auto& x = p.symbols["x" + std::to_string(i)];
            for (std::size_t j = 0; j < x.size(); ++j) x[j] += step * h * start.at("t" + std::to_string(i))[j];
        }
        return dot(weights, p.run({y})[0]);
    };
    double measured = (8 * (moved(1) - moved(-1)) - (moved(2) - moved(-2))) / (12 * h);
    p.symbols = start;
    INFO("measured slope " << measured);
    CHECK(std::abs(measured - forward) <= 1e-9 * scale);
}

/// Passes that keep every value.
std::vector<gradus::pass::graph_pass> const passes{
    {"dead_code", gradus::pass::dead_code},
    {"simplify", gradus::pass::simplify},
    {"reciprocals", gradus::pass::reciprocals},
    {"materialize", gradus::pass::materialize},
};

/// A pass keeps the values (up to the rounding of a reordered sum), leaves a graph that the checker accepts and that the
/// same pass leaves alone.
void check_passes(program const& p, graph const& g) {
    auto const expected = gradus::interpret(g, p.symbols);
    for (gradus::pass::graph_pass const& pass : passes) {
        CAPTURE(pass.name);
        graph once = pass.run(g);
        REQUIRE(gradus::check(once).str() == "");
        CHECK(gradus::print(pass.run(once)).str() == gradus::print(once).str());
        auto const actual = gradus::interpret(once, p.symbols);
        REQUIRE(actual.size() == expected.size());
        for (std::size_t k = 0; k < actual.size(); ++k) {
            REQUIRE(actual[k].size() == expected[k].size());
            for (std::size_t i = 0; i < actual[k].size(); ++i) {
                bool both_nan = std::isnan(actual[k][i]) && std::isnan(expected[k][i]);
                CHECK((both_nan || actual[k][i] == expected[k][i] ||
                       std::abs(actual[k][i] - expected[k][i]) <= 1e-11 * std::max(1.0, std::abs(expected[k][i]))));
            }
        }
    }
}
/// The passes on a graph with its first derivatives.
void check_passes_of(program& p, value y) {
    std::vector<value> results{y};
    if (y.type() == gradus::dtype::float64)
        for (value x : p.inputs) results.push_back(grad(total(y * y), x));
    p.g.outputs = {};
    for (value v : results) p.g.outputs.push_back({v.id(), -1});
    check_passes(p, gradus::pass::differentiate(p.g));
}

/// Operations whose derivative is that of a constant, or that step: no difference quotient says so.
bool has_slope(std::string_view name) {
    constexpr std::string_view without[] = {"stop_gradient", "floor", "ceil", "round", "trunc", "fmod", "remainder", "sign", "heaviside"};
    return std::find(std::begin(without), std::end(without), name) == std::end(without);
}
void check_elementwise(elementwise_entry const& operation, std::uint64_t seed) {
    INFO(std::string(operation.name) << ", seed " << seed);
    splitmix random(seed);
    program p;
    operands x;
    for (shape const& s : broadcasting_shapes(random, operation.arity)) x.push_back(in_domain(operation.name, p.input(s)));
    if (operation.name == "both" || operation.name == "either" || operation.name == "negation")
        for (value& v : x) v = v > 0.45;
    value y = operation.build(x);
    draw_inputs(p, random, true);
    if (!finite(p.run({y}))) draw_inputs(p, random, false);  // log, sqrt, pow: positive operands only
    check_passes_of(p, y);
    if (y.type() == gradus::dtype::float64) check_derivatives(p, y, random, {has_slope(operation.name)});
}

bool broadcast_together(operands const& x) {
    gradus::call c;
    for (value const& v : x) c.operand[c.count++] = v.at().result();
    gradus::complaint fail;
    gradus::op::broadcast(c, fail);
    return !fail.failed;
}

/// A random composition: a pool of matrices, vectors and scalars, every step an operation on some of them. Operands are
/// squashed, so that values stay near 1 and where every operation is defined.
value random_program(program& p, splitmix& random, std::vector<elementwise_entry> const& table) {
    using gradus::apply;
    int rows = 1 + random.below(4), columns = 1 + random.below(4);
    shape const shapes[] = {{rows, columns}, {columns}, {rows, 1}, {}};
    std::vector<value> pool;
    for (shape const& s : shapes) pool.push_back(p.input(s));
    auto any = [&] { return pool[static_cast<std::size_t>(random.below(static_cast<int>(pool.size())))]; };
    while (pool.size() < 16) {
        value x = any(), flat = apply<gradus::op::tanh>(x);
        int const rank = x.shape().rank(), kind = random.below(12);
        if (kind == 0 && rank > 0) pool.push_back(flat.sum(some_axes(random, rank).n[0], true));
        else if (kind == 1 && rank > 0) pool.push_back(x.amax(some_axes(random, rank).n[0], true));
        else if (kind == 2 && rank > 0) pool.push_back(gradus::op::softmax::expand(one_axis(random, rank), x));
        else if (kind == 3 && rank == 2) pool.push_back(flat.transposed().matmul(flat));
        else if (kind == 4 && rank == 2) pool.push_back(flat.matmul(flat.transposed()));
        else if (kind > 4) {
            auto const& entry = table[static_cast<std::size_t>(random.below(static_cast<int>(table.size())))];
            operands operand;
            for (int k = 0; k < entry.arity; ++k) operand.push_back(apply<gradus::op::sigmoid>(k ? any() : x) + 0.25);
            if (!broadcast_together(operand)) continue;
            value y = entry.build(operand);
            pool.push_back(y.type() == gradus::dtype::boolean ? gradus::where(y, x, operand[0]) : y);
        }
    }
    value result = total(pool[4]);
    for (std::size_t i = 5; i < pool.size(); ++i) result = result + total(pool[i]);
    return result;
}

}  // namespace

TEST_CASE("laws: elementwise operations") {
    for (auto const& operation : elementwise_operations)
        for (std::uint64_t seed = 1; seed <= 12; ++seed) check_elementwise(operation, seed);
}

TEST_CASE("laws: structural operations and composites") {
    for (structural const& s : structurals) {
        for (std::uint64_t seed = 1; seed <= 12; ++seed) {
            INFO(s.name << ", seed " << seed);
            splitmix random(seed);
            program p;
            value y = s.build(p, random);
            s.distinct ? draw_distinct_inputs(p, random) : draw_inputs(p, random, true);
            check_passes_of(p, y);
            check_derivatives(p, y, random);
        }
    }
}

TEST_CASE("laws: random compositions") {
    auto const table = entries(gradus::op::elementwise_list{});
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        INFO("seed " << seed);
        splitmix random(seed);
        program p;
        value y = random_program(p, random, table);
        draw_inputs(p, random, true);
        check_passes_of(p, y);
        check_derivatives(p, y, random, {false});  // maximum, relu, ... have kinks that a random program may hit
    }
}
