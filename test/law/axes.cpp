// SPDX-License-Identifier: BSL-1.0
#include <gradus/expr/convolution.hpp>
#include <gradus/expr/pooling.hpp>
#include <gradus/graph/check.hpp>
#include <gradus/graph/interpret.hpp>
#include <gradus/kernel/window_contract.hpp>
#include <gradus/op/list.hpp>
#include <gradus/transform/differentiate.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

// What holds for every operation on axes, for values and gradients: a batch of one is no batch, a stack is its parts, and
// permuted axes permute the result.
namespace {

using gradus::attributes;
using gradus::shape;
using gradus::value;
using values = std::vector<value>;

/// A graph with inputs of distinct values, and pairs of results that have to be equal.
class equalities {
public:
    values inputs;

    explicit equalities(std::vector<shape> const& shapes) {
        names_.reserve(shapes.size());
        for (shape const& s : shapes) inputs.push_back(symbol(s));
    }
    /// y and z, and their gradients with respect to all inputs, z being y in another order of computation.
    void require(value y, value z) {
        REQUIRE(y.shape() == z.shape());
        both(y, z);
        if (y.type() != gradus::dtype::float64) return;
        value weight = 0.6;  // a cotangent that is not the same everywhere
        if (y.shape().rank() > 0) weight = y.index(0).cast(gradus::dtype::float64) * 0.37 + 0.6;
        for (value x : inputs) both(gradient(y * weight, x), gradient(z * weight, x));
    }
    void check() {
        graph_.outputs = {};
        for (value v : results_) graph_.outputs.push_back({v.id(), -1});
        gradus::graph const derived = gradus::pass::differentiate(graph_);
        REQUIRE(gradus::check(derived).str() == "");
        auto const r = gradus::interpret(derived, data_);
        for (std::size_t k = 0; k < r.size(); k += 2)
            for (std::size_t i = 0; i < r[k].size(); ++i) {
                // sums of at most 24 terms in another order
                bool const same = r[k][i] == r[k + 1][i] || (std::isnan(r[k][i]) && std::isnan(r[k + 1][i]));
                CHECK_MESSAGE((same || std::abs(r[k][i] - r[k + 1][i]) <= 1e-12 * std::max(1.0, std::abs(r[k][i]))),
                              "pair " << k / 2 << ", element " << i << ": " << r[k][i] << " is not " << r[k + 1][i]);
            }
    }

private:
    value symbol(shape const& s) {
        auto const number = static_cast<int>(names_.size());
        names_.push_back("x" + std::to_string(number));
        std::int64_t const count = s.static_size();
        for (std::int64_t i = 0; i < count; ++i)  // distinct, positive and below 1
            data_[names_.back()].push_back((static_cast<double>(i * 7 % (count + (count % 7 == 0))) + 0.5 + 0.13 * number) /
                                           static_cast<double>(count + 1));
        gradus::node n{&gradus::info_of<gradus::op::symbol>, {-1, -1, -1}, gradus::dtype::float64, s, {}};
        n.attr.n[0] = graph_.symbol_index(names_.back(), {gradus::dtype::float64, s});
        return {graph_, graph_.intern(n)};
    }
    static value gradient(value y, value x) {
        value const loss = y.sum((std::int64_t{1} << y.shape().rank()) - 1, false);
        return value::emit<gradus::op::grad>(x.owner(), {}, {}, {loss, x});
    }
    void both(value a, value b) { results_.push_back(a), results_.push_back(b); }

    gradus::graph graph_;
    gradus::symbol_values<double> data_;
    std::vector<std::string> names_;
    values results_;
};

/// With an axis of 1 in front, or at the end.
value in_front(value x) {
    shape s{1};
    for (int i = 0; i < x.shape().rank(); ++i) s.push_back(x.shape()[i]);
    return x.reshape(s);
}
value behind(value x) {
    shape s = x.shape();
    s.push_back(1);
    return x.reshape(s);
}
/// Part i of a stack, as a stack of one.
value part_of(value x, int i) {
    attributes ranges;
    for (int axis = 0; axis < x.shape().rank(); ++axis) ranges.n[axis] = gradus::op::pack_range(axis ? 0 : i, 1);
    shape s = x.shape();
    s[0] = 1;
    return x.slice(ranges, s);
}
value without_first(value x) {
    shape s;
    for (int i = 1; i < x.shape().rank(); ++i) s.push_back(x.shape()[i]);
    return x.reshape(s);
}
template <class F>
values each(values const& x, F f) {
    values result;
    for (value v : x) result.push_back(f(v));
    return result;
}

struct elementwise_rule {
    std::string_view name;
    int arity;
    value (*of)(values const&);
};
template <class Op>
value applied(values const& given) {
    values x = given;
    constexpr std::string_view name = Op::name;
    if (std::is_same_v<Op, gradus::op::where>) x[0] = x[0] > 0.4;
    if (name == "both" || name == "either" || name == "negation") x = each(x, [](value v) { return v > 0.4; });
    if (name == "acosh") x[0] = x[0] + 1;
    if constexpr (std::is_same_v<Op, gradus::op::cast>) return x[0].cast(gradus::dtype::float32).cast(gradus::dtype::float64);
    else if constexpr (Op::arity == 1) return gradus::apply<Op>(x[0]);
    else if constexpr (Op::arity == 2) return gradus::apply<Op>(x[0], x[1]);
    else return gradus::apply<Op>(x[0], x[1], x[2]);
}
template <class... Op>
void add_entries(std::vector<elementwise_rule>& all, gradus::op::op_list<Op...>) {
    (all.push_back({Op::name, Op::arity, applied<Op>}), ...);
}

struct axis_rule {
    std::string name;
    value (*of)(value x, int axis);
};
attributes folds(int axis, double number = 0) {
    attributes a = gradus::op::reduction_attributes(std::int64_t{1} << axis, false);
    a.value = number;
    return a;
}
attributes numbered(int axis, int second = 0, int third = 0) {
    attributes a;
    a.n[0] = axis, a.n[1] = second, a.n[2] = third;
    return a;
}
std::vector<axis_rule> const reductions{
    {"sum", [](value x, int a) { return x.sum(std::int64_t{1} << a, false); }},
    {"amax", [](value x, int a) { return x.amax(std::int64_t{1} << a, false); }},
    {"mean", [](value x, int a) { return gradus::op::mean::expand(folds(a), x); }},
    {"amin", [](value x, int a) { return gradus::op::amin::expand(folds(a), x); }},
    {"prod", [](value x, int a) { return gradus::op::prod::expand(folds(a), x); }},
    {"logsumexp", [](value x, int a) { return gradus::op::logsumexp::expand(folds(a), x); }},
    {"variance", [](value x, int a) { return gradus::op::variance::expand(folds(a, 1), x); }},
    {"stddev", [](value x, int a) { return gradus::op::stddev::expand(folds(a, 0), x); }},
    {"norm", [](value x, int a) { return gradus::op::norm::expand(folds(a, 3), x); }},
    {"median", [](value x, int a) { return gradus::op::median::expand(numbered(a), x); }},
};
std::vector<axis_rule> const along_an_axis{
    {"softmax", [](value x, int a) { return gradus::op::softmax::expand(folds(a), x); }},
    {"log_softmax", [](value x, int a) { return gradus::op::log_softmax::expand(folds(a), x); }},
    {"cumsum", [](value x, int a) { return gradus::op::cumsum::expand(folds(a), x); }},
    {"cumprod", [](value x, int a) { return gradus::op::cumprod::expand(folds(a), x); }},
    {"logcumsumexp", [](value x, int a) { return gradus::op::logcumsumexp::expand(folds(a), x); }},
    {"cummax", [](value x, int a) { return gradus::op::cummax::expand(folds(a), x); }},
    {"cummin", [](value x, int a) { return gradus::op::cummin::expand(folds(a), x); }},
    {"flip", [](value x, int a) { return gradus::op::flip::expand(folds(a), x); }},
    {"roll", [](value x, int a) { return gradus::op::roll::expand(numbered(a, 1), x); }},
    {"sort", [](value x, int a) { return gradus::op::sort::expand(numbered(a, 1), x); }},
    {"topk", [](value x, int a) { return gradus::op::topk::expand(numbered(a, 1, 2), x); }},
};

/// Operations on stacks: axis 0 of the first `stacked` operands counts. With `bare`, they take a part without that axis too.
struct stack_rule {
    std::string name;
    std::vector<shape> shapes;
    int stacked;
    bool bare;
    value (*of)(values const&);
};
value positive_definite(value a) { return a.matmul(a.transposed()) + gradus::op::identity_like(a) * 2; }
value apart(value a) { return a + gradus::op::identity_like(a) * 4; }
std::vector<stack_rule> const on_stacks{
    {"matmul", {{2, 3, 4}, {2, 4, 2}}, 2, true, [](values const& x) { return x[0].matmul(x[1]); }},
    {"matmul with a shared matrix", {{2, 3, 4}, {4, 2}}, 1, true, [](values const& x) { return x[0].matmul(x[1]); }},
    {"cholesky", {{2, 3, 3}}, 1, true, [](values const& x) { return gradus::apply<gradus::op::cholesky>(positive_definite(x[0])); }},
    {"solve_triangular",
     {{2, 3, 3}, {2, 3, 2}},
     2,
     true,
     [](values const& x) { return gradus::op::solve_triangular::expand({}, apart(x[0]), x[1]); }},
    {"solve", {{2, 3, 3}, {2, 3, 2}}, 2, true, [](values const& x) { return gradus::op::solve::expand({}, apart(x[0]), x[1]); }},
    {"inv", {{2, 3, 3}}, 1, true, [](values const& x) { return gradus::op::inv::expand({}, apart(x[0])); }},
    {"det", {{2, 3, 3}}, 1, true, [](values const& x) { return gradus::op::det::expand({}, apart(x[0])); }},
    {"slogdet", {{2, 3, 3}}, 1, true, [](values const& x) { return gradus::op::slogdet::expand({}, apart(x[0])); }},
    {"logdet", {{2, 3, 3}}, 1, true, [](values const& x) { return gradus::op::logdet::expand({}, positive_definite(x[0])); }},
    {"attention",
     {{2, 3, 2}, {2, 3, 2}, {2, 3, 2}},
     3,
     true,
     [](values const& x) { return gradus::op::scaled_dot_product_attention::expand({}, x[0], x[1], x[2]); }},
    {"linear", {{2, 4}, {3, 4}, {3}}, 1, true, [](values const& x) { return gradus::op::linear_layer::expand({}, x[0], x[1], x[2]); }},
    {"layer_norm",
     {{2, 3, 4}, {4}, {4}},
     1,
     true,
     [](values const& x) { return gradus::op::layer_norm::expand(folds(0, 0.1), x[0], x[1], x[2]); }},
    {"rms_norm", {{2, 3, 4}, {4}}, 1, true, [](values const& x) { return gradus::op::rms_norm::expand(folds(0, 0.1), x[0], x[1]); }},
    {"conv2d",
     {{2, 2, 4, 3}, {2, 2, 2, 2}},
     1,
     false,
     [](values const& x) { return gradus::op::convolution::of(gradus::core::window_parameters({1, 1, 1, 1}).attr, x[0], x[1]); }},
    {"conv_transpose2d",
     {{2, 2, 3, 3}, {2, 2, 2, 2}},
     1,
     false,
     [](values const& x) {
         return gradus::op::transposed_convolution::expand(gradus::core::window_parameters({2, 0, 1, 1}).attr, x[0], x[1]);
     }},
    {"max_pool2d",
     {{2, 2, 4, 3}},
     1,
     false,
     [](values const& x) { return gradus::op::max_pool::expand(gradus::core::pool_parameters({2, 1, 0, false}).attr, x[0]); }},
    {"avg_pool2d",
     {{2, 2, 4, 3}},
     1,
     false,
     [](values const& x) { return gradus::op::avg_pool::expand(gradus::core::pool_parameters({2, 1, 0, false}).attr, x[0]); }},
    {"adaptive_avg_pool2d",
     {{2, 2, 5, 4}},
     1,
     false,
     [](values const& x) { return gradus::op::adaptive_avg_pool::expand(gradus::core::adaptive_parameters(2, 3).attr, x[0]); }},
    {"lstm",
     {{2, 8}, {2, 2}},
     2,
     false,
     [](values const& x) { return gradus::op::lstm_output::expand({}, x[0], gradus::op::lstm_memory::expand({}, x[0], x[1])); }},
    {"gru", {{2, 6}, {2, 6}, {2, 2}}, 3, false, [](values const& x) { return gradus::op::gru_state::expand({}, x[0], x[1], x[2]); }},
};

}  // namespace

TEST_CASE("axes: elementwise operations, with an axis of one more, and transposed") {
    std::vector<elementwise_rule> rules;
    add_entries(rules, gradus::op::elementwise_list{});
    add_entries(rules, gradus::op::further_list{});
    add_entries(rules, gradus::op::connective_list{});
    add_entries(rules, gradus::op::composite_list{});
    for (elementwise_rule const& rule : rules) {
        INFO(std::string(rule.name));
        equalities e(std::vector<shape>(static_cast<std::size_t>(rule.arity), shape{2, 3}));
        value const y = rule.of(e.inputs);
        value const transposed = rule.of(each(e.inputs, [](value v) { return v.transposed(); }));
        if (y.shape().rank() == 0) {  // a loss
            e.require(y, transposed);
            e.require(y, rule.of(each(e.inputs, in_front)));
        } else {
            e.require(y, transposed.transposed());
            e.require(y, rule.of(each(e.inputs, in_front)).reshape(y.shape()));
            e.require(y, rule.of(each(e.inputs, behind)).reshape(y.shape()));
        }
        e.check();
    }
}
TEST_CASE("axes: reductions and what runs along an axis, on the other axis of the transpose and beside an axis of one") {
    for (auto const* rules : {&reductions, &along_an_axis})
        for (axis_rule const& rule : *rules) {
            INFO(rule.name);
            for (int axis : {0, 1}) {
                equalities e({{3, 4}});
                value const x = e.inputs[0], y = rule.of(x, axis), other = rule.of(x.transposed(), 1 - axis);
                e.require(y, rules == &reductions ? other : other.transposed());
                e.require(y, rule.of(in_front(x), axis + 1).reshape(y.shape()));
                e.require(y, rule.of(behind(x), axis).reshape(y.shape()));
                e.check();
            }
        }
}
TEST_CASE("axes: a stack is its parts, and a part needs no stack") {
    for (stack_rule const& rule : on_stacks) {
        INFO(rule.name);
        equalities e(rule.shapes);
        value const y = rule.of(e.inputs);
        for (int i : {0, 1}) {
            values one = e.inputs, bare = e.inputs;
            for (std::size_t k = 0; k < static_cast<std::size_t>(rule.stacked); ++k)
                one[k] = part_of(one[k], i), bare[k] = without_first(one[k]);
            e.require(part_of(y, i), rule.of(one));
            if (rule.bare) e.require(without_first(part_of(y, i)), rule.of(bare));
        }
        e.check();
    }
}
