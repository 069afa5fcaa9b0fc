// SPDX-License-Identifier: BSL-1.0
#include <gradus/expr/convolution.hpp>
#include <gradus/expr/pooling.hpp>
#include <gradus/expr/rearrange.hpp>
#include <gradus/graph/check.hpp>
#include <gradus/graph/interpret.hpp>
#include <gradus/graph/print.hpp>
#include <gradus/op/list.hpp>
#include <gradus/pass/pipeline.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <functional>
#include <string>
#include <vector>

// What holds for every operation, on random shapes and inputs: reverse and forward mode are transposes of each other,
// both are the slope, second derivatives are symmetric; a pass changes no value and has nothing to do the second time.
namespace {

using gradus::graph;
using gradus::shape;
using gradus::value;

/// splitmix64 (S. Vigna): the same numbers on every machine, if no two draws stand in one argument list (the compiler
/// chooses their order).
class splitmix {
public:
    explicit splitmix(std::uint64_t seed) : state_(seed) {}
    std::uint64_t operator()() {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }
    int below(int n) { return static_cast<int>((*this)() % static_cast<unsigned>(n)); }
    double uniform(double low, double high) { return low + (high - low) * static_cast<double>((*this)() >> 11) * 0x1p-53; }

private:
    std::uint64_t state_;
};

std::int64_t size_of_shape(shape const& s) { return s.static_size(); }

/// A graph with its symbols; differentiable ones get a cotangent's or a direction's company.
struct program {
    graph g;
    gradus::symbol_values<double> symbols;
    std::vector<value> inputs;      // float64, differentiable
    std::deque<std::string> names;  // what the graph's names refer to: stays where it is

    value symbol(std::string const& name, gradus::dtype type, shape const& s) {
        names.push_back(name);
        gradus::node n{&gradus::info_of<gradus::op::symbol>, {-1, -1, -1}, type, s, {}};
        n.attr.n[0] = g.symbol_index(names.back(), {type, s});
        return {g, g.intern(n)};
    }
    value input(shape const& s) {
        inputs.push_back(symbol("x" + std::to_string(inputs.size()), gradus::dtype::float64, s));
        return inputs.back();
    }
    value draw(splitmix& random, std::string const& name, shape const& s) {
        auto& data = symbols[name];
        for (std::int64_t i = 0; i < size_of_shape(s); ++i) data.push_back(random.uniform(-1, 1));
        return symbol(name, gradus::dtype::float64, s);
    }
    std::vector<std::vector<double>> run(std::vector<value> const& results) {
        g.outputs = {};
        for (value v : results) g.outputs.push_back({v.id(), -1});
        graph derived = gradus::pass::differentiate(g);
        REQUIRE(gradus::check(derived).str() == "");
        return gradus::interpret(derived, symbols);
    }
};

std::int64_t all_axes(value v) { return (std::int64_t{1} << v.shape().rank()) - 1; }
value total(value v) { return v.sum(all_axes(v), false); }
value grad(value f, value x) { return value::emit<gradus::op::grad>(x.owner(), {}, {}, {f, x}); }
value jvp(value f, value x, value t) { return value::emit<gradus::op::jvp>(x.owner(), {}, {}, {f, x, t}); }

bool finite(std::vector<std::vector<double>> const& results) {
    for (auto const& r : results)
        for (double x : r)
            if (!std::isfinite(x)) return false;
    return true;
}
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

/// Operand values at which every operation is smooth: multiples of 0.1 plus an offset per operand, so that none is nearer
/// than 0.2 to 0 and none of one operand nearer than 0.03 to one of another. `signs`: negative ones too.
void draw_inputs(program& p, splitmix& random, bool signs) {
    for (std::size_t k = 0; k < p.inputs.size(); ++k) {
        shape s = p.inputs[k].shape();
        std::vector<double> data;
        for (std::int64_t i = 0; i < size_of_shape(s); ++i) {
            double x = 0.2 + 0.1 * random.below(14) + 0.03 * static_cast<double>(k);
            data.push_back(signs && random.below(2) ? -x : x);
        }
        p.symbols["x" + std::to_string(k)] = data;
    }
}
/// The same for amax, where the elements of one operand must differ too.
void draw_distinct_inputs(program& p, splitmix& random) {
    for (std::size_t k = 0; k < p.inputs.size(); ++k) {
        auto count = size_of_shape(p.inputs[k].shape());
        std::vector<double> data;
        for (std::int64_t i = 0; i < count; ++i) data.push_back(2.1 * (static_cast<double>(i) + 0.5) / static_cast<double>(count) - 1);
        for (auto i = data.size(); i > 1; --i) std::swap(data[i - 1], data[static_cast<std::size_t>(random.below(static_cast<int>(i)))]);
        p.symbols["x" + std::to_string(k)] = data;
    }
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

/// Shapes of `count` operands that broadcast: some axes absent or 1.
std::vector<shape> broadcasting_shapes(splitmix& random, int count) {
    int rank = random.below(4);
    std::vector<int> extents;
    for (int i = 0; i < rank; ++i) extents.push_back(1 + random.below(4));
    std::vector<shape> shapes;
    for (int k = 0; k < count; ++k) {
        shape s;
        for (int i = k ? random.below(rank + 1) : 0; i < rank; ++i) s.push_back(random.below(4) ? extents[static_cast<std::size_t>(i)] : 1);
        shapes.push_back(s);
    }
    return shapes;
}
shape random_shape(splitmix& random, int rank) {
    shape s;
    for (int i = 0; i < rank; ++i) s.push_back(1 + random.below(4));
    return s;
}

using operands = std::vector<value>;
template <class Op>
value apply_to(operands const& x) {
    if constexpr (Op::arity == 1) return gradus::apply<Op>(x.at(0));
    else if constexpr (Op::arity == 2) return gradus::apply<Op>(x.at(0), x.at(1));
    else return gradus::apply<Op>(x.at(0), x.at(1), x.at(2));
}
template <class Op>
value applied(operands x) {
    if constexpr (std::is_same_v<Op, gradus::op::where>) x.at(0) = x.at(0) > 0.45;  // between the inputs' steps
    if constexpr (std::is_same_v<Op, gradus::op::cast>) return x.at(0).cast(gradus::dtype::float32).cast(gradus::dtype::float64);
    else return apply_to<Op>(x);
}

using elementwise_builder = value (*)(operands const&);
struct elementwise_entry {
    std::string_view name;
    int arity;
    elementwise_builder build;
};
template <class... Op>
std::vector<elementwise_entry> entries(gradus::op::op_list<Op...>) {
    return {{Op::name, Op::arity, [](operands const& x) { return applied<Op>(x); }}...};
}
/// Every elementwise operation of the library.
std::vector<elementwise_entry> const elementwise_operations = [] {
    auto all = entries(gradus::op::elementwise_list{});
    for (auto const& more :
         {entries(gradus::op::further_list{}), entries(gradus::op::connective_list{}), entries(gradus::op::composite_list{})})
        all.insert(all.end(), more.begin(), more.end());
    return all;
}();
/// Operations whose derivative is that of a constant, or that step: no difference quotient says so.
bool has_slope(std::string_view name) {
    constexpr std::string_view without[] = {"stop_gradient", "floor", "ceil", "round", "trunc", "fmod", "remainder", "sign", "heaviside"};
    return std::find(std::begin(without), std::end(without), name) == std::end(without);
}
/// What operations need of their operands' domains beside their signs.
value in_domain(std::string_view name, value x) {
    if (name == "asin" || name == "acos" || name == "atanh" || name == "erfinv") return x * 0.6;  // |x| < 1
    if (name == "hardtanh") return x + 0.05;                                                      // no operand where it bends
    if (name == "logit") return gradus::apply<gradus::op::abs>(x) * 0.6;
    if (name == "lgamma" || name == "digamma" || name == "trigamma" || name == "polygamma_2") return gradus::apply<gradus::op::abs>(x);
    if (name == "acosh") return gradus::apply<gradus::op::abs>(x) + 1;
    return x;
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

/// Structural operations and composites on random shapes; each draws its own inputs.
struct structural {
    std::string name;
    value (*build)(program&, splitmix&);
    bool distinct = false;
};

gradus::attributes one_axis(splitmix& random, int rank) {
    return gradus::op::reduction_attributes(std::int64_t{1} << random.below(rank), false);
}
gradus::attributes some_axes(splitmix& random, int rank) {
    int axes = 1 + random.below((1 << rank) - 1);
    return gradus::op::reduction_attributes(axes, random.below(2) == 1);
}
gradus::attributes with_value(gradus::attributes attr, double value) {
    attr.value = value;
    return attr;
}
/// A large shape and the shape of a strided part of it.
struct strided_part {
    gradus::attributes attr;
    shape whole, part;
};
strided_part random_part(splitmix& random) {
    strided_part s;
    int rank = 1 + random.below(3);
    for (int i = 0; i < rank; ++i) {
        int start = random.below(3), step = 1 + random.below(3), count = 1 + random.below(3);
        s.attr.n[i] = gradus::op::pack_range(start, step);
        s.part.push_back(count);
        s.whole.push_back(start + (count - 1) * step + 1 + random.below(3));
    }
    return s;
}
gradus::attributes one_range(std::int64_t start) {
    gradus::attributes attr;
    attr.n[0] = gradus::op::pack_range(start, 1);
    return attr;
}
gradus::attributes two_ranges() {
    auto attr = one_range(0);
    attr.n[1] = gradus::op::pack_range(1, 1);
    return attr;
}
value labels(program& p, splitmix& random, int rows, int classes) {
    auto& data = p.symbols["labels"];
    for (int i = 0; i < rows; ++i) data.push_back(random.below(classes));
    return p.symbol("labels", gradus::dtype::int64, {rows});
}

using random_ref = splitmix&;
std::vector<structural> const structurals{
    {"sum",
     [](program& p, random_ref r) {
         value x = p.input(random_shape(r, 3));
         auto a = some_axes(r, 3);
         return x.sum(a.n[0], gradus::op::keeps(a));
     }},
    {"mean",
     [](program& p, random_ref r) {
         auto a = some_axes(r, 3);
         return gradus::op::mean::expand(a, p.input(random_shape(r, 3)));
     }},
    {"amax",
     [](program& p, random_ref r) {
         value x = p.input(random_shape(r, 3));
         auto a = some_axes(r, 3);
         return x.amax(a.n[0], gradus::op::keeps(a));
     },
     true},
    {"logsumexp",
     [](program& p, random_ref r) {
         auto a = some_axes(r, 3);
         return gradus::op::logsumexp::expand(a, p.input(random_shape(r, 3)));
     }},
    {"softmax",
     [](program& p, random_ref r) {
         auto a = one_axis(r, 3);
         return gradus::op::softmax::expand(a, p.input(random_shape(r, 3)));
     }},
    {"log_softmax",
     [](program& p, random_ref r) {
         auto a = one_axis(r, 3);
         return gradus::op::log_softmax::expand(a, p.input(random_shape(r, 3)));
     }},
    {"matmul",
     [](program& p, random_ref r) {
         int m = 1 + r.below(4), k = 1 + r.below(4), n = 1 + r.below(4);
         return p.input({m, k}).matmul(p.input({k, n}));
     }},
    {"matmul of vectors",
     [](program& p, random_ref r) {
         int k = 1 + r.below(4), n = 1 + r.below(4);
         switch (r.below(3)) {
             case 0: return p.input({k}).matmul(p.input({k}));
             case 1: return p.input({k}).matmul(p.input({k, n}));
             default: return p.input({2, n, k}).matmul(p.input({k}));
         }
     }},
    {"matmul, leading axes broadcast",
     [](program& p, random_ref r) {
         int m = 1 + r.below(4), k = 1 + r.below(4), n = 1 + r.below(4), lead = 2 + r.below(2);
         value a = r.below(2) ? p.input({3, 1, m, k}) : p.input({lead, m, k});
         value b = r.below(2) ? p.input({lead, k, n}) : p.input({k, n});
         return a.matmul(b);
     }},
    {"reshape",
     [](program& p, random_ref r) {
         shape s = random_shape(r, 3);
         return p.input(s).reshape({s[1].code * s[0].code, 1, s[2]});
     }},
    {"transpose",
     [](program& p, random_ref r) {
         gradus::attributes axes;
         for (int i = 0; i < 4; ++i) axes.n[i] = i;
         for (int i = 3; i > 0; --i) std::swap(axes.n[i], axes.n[r.below(i + 1)]);
         return p.input(random_shape(r, 4)).transpose(axes);
     }},
    {"broadcast_to",
     [](program& p, random_ref r) {
         shape s = random_shape(r, 2);
         return p.input({s[0], 1}).broadcast_to({2, s[0], s[1]});
     }},
    {"slice",
     [](program& p, random_ref r) {
         auto s = random_part(r);
         return p.input(s.whole).slice(s.attr, s.part);
     }},
    {"pad",
     [](program& p, random_ref r) {
         auto s = random_part(r);
         return p.input(s.part).pad(s.attr, s.whole);
     }},
    {"concatenate",
     [](program& p, random_ref r) {
         shape a = random_shape(r, 3), b = a;
         gradus::attributes axis;
         axis.n[0] = r.below(3);
         b[static_cast<int>(axis.n[0])] = 1 + r.below(4);
         return p.input(a).concatenate(p.input(b), axis);
     }},
    {"mse_loss",
     [](program& p, random_ref r) {
         shape s = random_shape(r, 2);
         value a = p.input(s), b = p.input(s);
         return gradus::op::mse_loss::expand({}, a, b);
     }},
    {"binary_cross_entropy_with_logits",
     [](program& p, random_ref r) {
         shape s = random_shape(r, 2);
         value logits = p.input(s), target = p.input(s);
         return gradus::op::binary_cross_entropy_with_logits::expand({}, logits, target);
     }},
    {"cross_entropy",
     [](program& p, random_ref r) {
         int rows = 1 + r.below(4), classes = 1 + r.below(4);
         value logits = p.input({rows, classes});
         return gradus::op::cross_entropy::expand({}, logits, labels(p, r, rows, classes));
     }},
    {"amin",
     [](program& p, random_ref r) {
         auto a = some_axes(r, 3);
         return gradus::op::amin::expand(a, p.input(random_shape(r, 3)));
     },
     true},
    {"prod",
     [](program& p, random_ref r) {
         auto a = some_axes(r, 3);
         return gradus::op::prod::expand(a, p.input(random_shape(r, 3)));
     }},
    {"variance",
     [](program& p, random_ref r) {
         shape s{2 + r.below(3), 2 + r.below(3)};
         return gradus::op::variance::expand(with_value(some_axes(r, 2), 1), p.input(s));
     },
     true},
    {"stddev",
     [](program& p, random_ref r) {
         return gradus::op::stddev::expand(with_value(some_axes(r, 2), 0), p.input({2 + r.below(3), 2 + r.below(3)}));
     },
     true},
    {"norm",
     [](program& p, random_ref r) {
         constexpr double orders[] = {2, 1, 3, 0.5, std::numeric_limits<double>::infinity()};
         double order = orders[r.below(5)];
         return gradus::op::norm::expand(with_value(some_axes(r, 2), order), p.input(random_shape(r, 2)));
     },
     true},
    {"cumsum",
     [](program& p, random_ref r) {
         auto a = one_axis(r, 2);
         return gradus::op::cumsum::expand(a, p.input({1 + r.below(6), 1 + r.below(6)}));
     }},
    {"cumprod",
     [](program& p, random_ref r) {
         auto a = one_axis(r, 2);
         return gradus::op::cumprod::expand(a, p.input({1 + r.below(6), 1 + r.below(6)}));
     }},
    {"logcumsumexp",
     [](program& p, random_ref r) {
         auto a = one_axis(r, 2);
         return gradus::op::logcumsumexp::expand(a, p.input({1 + r.below(6), 1 + r.below(6)}));
     }},
    {"flip and roll",
     [](program& p, random_ref r) {
         gradus::attributes a;
         a.n[0] = r.below(2);
         a.n[1] = r.below(5) - 2;
         return gradus::op::flip::expand(some_axes(r, 2), p.input(random_shape(r, 2))) +
                gradus::op::roll::expand(a, p.input({1, 1}).broadcast_to({3, 4})).sum(3, false);
     }},
    {"triangles and diagonals",
     [](program& p, random_ref r) {
         gradus::attributes k;
         k.n[0] = r.below(5) - 2;
         int n = 3 + r.below(2), m = 3 + r.below(2);
         value x = p.input({n, m}), v = p.input({n});
         return total(gradus::op::tril::expand(k, x * x)) +
                total(gradus::op::triu::expand(k, x)) * total(gradus::op::diagonal::expand(k, x)) +
                total(gradus::op::diag_embed::expand(k, v * v));
     }},
    {"losses",
     [](program& p, random_ref r) {
         shape s = random_shape(r, 2);
         value a = p.input(s), b = p.input(s), v = gradus::apply<gradus::op::abs>(p.input(s)), q = gradus::apply<gradus::op::sigmoid>(a);
         auto at = with_value({}, 0.9);
         return gradus::op::l1_loss::expand({}, a, b) + gradus::op::huber_loss::expand(at, a, b * 1.01) +
                gradus::op::smooth_l1_loss::expand(at, a, b * 1.01) + gradus::op::kl_div::expand({}, a, v) +
                gradus::op::binary_cross_entropy::expand({}, q, v) + gradus::op::hinge_embedding_loss::expand(with_value({}, 0.95), a, b) +
                gradus::op::gaussian_nll_loss::expand(with_value({}, 1e-6), a, b, v);
     }},
    {"layer_norm, rms_norm",
     [](program& p, random_ref r) {
         int n = 2 + r.below(3);
         value x = p.input({1 + r.below(3), n}), scale = p.input({n}), shift = p.input({n});
         return gradus::op::layer_norm::expand(with_value({}, 0.1), x, scale, shift) *
                gradus::op::rms_norm::expand(with_value({}, 0.1), x, scale);
     }},
    {"batch_norm, group_norm",
     [](program& p, random_ref r) {
         auto groups = with_value({}, 0.1);
         groups.n[0] = 2;
         value x = p.input({2 + r.below(2), 4, 1 + r.below(3)}), scale = p.input({4}), shift = p.input({4});
         return gradus::op::batch_norm::expand(groups, x, scale, shift) * gradus::op::group_norm::expand(groups, x, scale, shift);
     }},
    {"linear, attention",
     [](program& p, random_ref r) {
         int n = 1 + r.below(3), d = 1 + r.below(3);
         gradus::attributes causal;
         causal.n[0] = r.below(2);
         value x = p.input({n, d}), w = p.input({d, d}), b = p.input({d});
         return gradus::op::scaled_dot_product_attention::expand(causal, gradus::op::linear_layer::expand({}, x, w, b), x, x * x);
     }},
    {"rows by indices",
     [](program& p, random_ref r) {
         gradus::attributes axis;
         axis.n[0] = r.below(2);
         value x = p.input({3, 3}), source = p.input({2, 2}), rows = labels(p, r, 4, 4).reshape({2, 2});  // 3 is out of range
         return gradus::op::scatter_add::expand(axis, x, rows, source) *
                gradus::op::index_select::expand(axis, x * x, p.symbol("labels", gradus::dtype::int64, {4}).slice(one_range(1), {3})) *
                total(gradus::op::gather::expand(axis, x, rows) *
                      gradus::op::embedding::expand({}, x.slice(two_ranges(), {3, 2}), rows).sum(4, false));
     }},
    {"einsum",
     [](program& p, random_ref r) {
         int b = 1 + r.below(3), i = 1 + r.below(3), j = 1 + r.below(3), k = 1 + r.below(3);
         value x = p.input({b, i, j}), y = p.input({j, k, b});
         switch (r.below(4)) {
             case 0: return gradus::op::einsum::expand(gradus::core::equation("bij,jkb->kbi").attr, x, y);
             case 1: return gradus::op::einsum::expand(gradus::core::equation("bij,ckd->jk").attr, x, y);
             case 2: return gradus::op::einsum::expand(gradus::core::equation("ijk,kij->k").attr, p.input({2, i, j}), p.input({j, 2, i}));
             default: return gradus::op::einsum_of_one::expand(gradus::core::equation("iji->ji").attr, p.input({i, j, i}));
         }
     }},
    {"cholesky, solve_triangular",
     [](program& p, random_ref r) {
         int n = 1 + r.below(4);
         gradus::attributes which;
         for (int i = 0; i < 3; ++i) which.n[i] = r.below(2);
         value a = p.input({2, n, n}), b = r.below(2) ? p.input({n, 2}) : p.input({n});
         value l = gradus::apply<gradus::op::cholesky>(a.matmul(a.transposed()) + gradus::op::identity_like(a) * 2);
         return total(l * l.number(0.7)) * gradus::op::solve_triangular::expand(which, a + gradus::op::identity_like(a) * 4, b) +
                total(gradus::op::solve_triangular::expand({}, l, b));
     }},
    {"solve, inv, determinants",
     [](program& p, random_ref r) {
         int n = 1 + r.below(4);
         value a = p.input({n, n}), b = r.below(2) ? p.input({2, n, 3}) : p.input({n});
         value apart = a + gradus::op::identity_like(a) * (r.below(2) ? 4 : -4);  // no matrix near a singular one
         value definite = a.matmul(a.transposed()) + gradus::op::identity_like(a) * 2;
         gradus::attributes sign;
         sign.n[0] = 1;
         return gradus::op::solve::expand({}, apart, b) * gradus::op::det::expand({}, apart) + total(gradus::op::inv::expand({}, apart)) +
                gradus::op::slogdet::expand({}, apart) * gradus::op::slogdet::expand(sign, apart) +
                gradus::op::logdet::expand({}, definite);
     }},
    {"sort, topk, median, cummax, cummin",
     [](program& p, random_ref r) {
         int n = 1 + r.below(4), axis = r.below(2);
         gradus::attributes order, along = gradus::op::reduction_attributes(std::int64_t{1} << axis, false);
         order.n[0] = axis;
         order.n[1] = r.below(2);
         order.n[2] = 1 + r.below(n);
         value x = p.input({n, n}), weight = p.input({n, n});
         return gradus::op::sort::expand(order, x) * weight + total(gradus::op::topk::expand(order, x * x)) +
                total(gradus::op::median::expand(order, x)) + gradus::op::cummax::expand(along, x) * gradus::op::cummin::expand(along, x);
     },
     true},
    {"dropout",
     [](program& p, random_ref r) {
         p.symbols["key"] = {static_cast<double>(r.below(1000) - 500)};
         value key = p.symbol("key", gradus::dtype::int64, {}), x = p.input(random_shape(r, 3));
         return gradus::op::dropout::expand(with_value({}, 0.25 * r.below(5)), x * x, key);
     }},
    {"cells",
     [](program& p, random_ref r) {
         int n = 1 + r.below(3), hidden = 1 + r.below(3);
         value gates = p.input({n, 4 * hidden}), in = p.input({n, 3 * hidden}), h = p.input({n, hidden});
         value c = gradus::op::lstm_memory::expand({}, gates, h);
         return gradus::op::lstm_output::expand({}, gates, c) + gradus::op::gru_state::expand({}, in, in * in, c);
     }},
    {"convolutions",
     [](program& p, random_ref r) {
         gradus::windows w{1 + r.below(2), r.below(2), 1 + r.below(2), 1};
         auto attr = gradus::core::window_parameters(w).attr;
         value x = p.input({1, 2, 5, 4}), weight = p.input({2, 2, 2, 1 + r.below(2)});
         return total(gradus::op::convolution::expand(attr, x, weight)) * gradus::op::transposed_convolution::expand(attr, x, weight);
     }},
    {"pooling",
     [](program& p, random_ref r) {
         gradus::height_width size(2 + r.below(2), 1 + r.below(2)), stride(1 + r.below(2), 1 + r.below(3)), padding(r.below(2), 0);
         auto attr = gradus::core::pool_parameters({size, stride, padding, r.below(2) == 1}).attr;
         value x = p.input({1, 2, 4, 3});
         return gradus::op::max_pool::expand(attr, x) * gradus::op::avg_pool::expand(attr, x) +
                total(gradus::op::avg_pool::expand(attr, x * x));
     },
     true},
    {"adaptive pooling",
     [](program& p, random_ref r) {
         auto attr = gradus::core::adaptive_parameters(1 + r.below(5), 1 + r.below(3)).attr;
         value x = p.input({1, 2, 5, 4});
         return gradus::op::adaptive_max_pool::expand(attr, x) * gradus::op::adaptive_avg_pool::expand(attr, x);
     },
     true},
    {"attention with a mask",
     [](program& p, random_ref r) {
         int n = 1 + r.below(3), d = 1 + r.below(3);
         value x = p.input({n, d}), mask = p.input({n, n});
         value weights = gradus::op::attention_weights::expand({}, x, x * x, r.below(2) ? mask : x.index(0) >= mask.index(1));
         return weights.matmul(x);
     }},
    {"two layers",
     [](program& p, random_ref r) {
         int batch = 1 + r.below(4), in = 1 + r.below(4), wide = 1 + r.below(4), out = 1 + r.below(4);
         value x = p.input({batch, in}), w1 = p.input({in, wide}), b = p.input({wide}), w2 = p.input({wide, out});
         value h = gradus::apply<gradus::op::tanh>(x.matmul(w1) + b);
         return gradus::op::softmax::expand(gradus::op::reduction_attributes(2, false), h.matmul(w2));
     }},
};

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
