// SPDX-License-Identifier: BSL-1.0
#include <gradus/graph/build.hpp>
#include <gradus/graph/interpret.hpp>
#include <gradus/op/marker.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace {

using gradus::attributes;
using gradus::dtype;
using gradus::graph;
using gradus::shape;
using gradus::value;
using numbers = std::vector<double>;

constexpr double infinity = std::numeric_limits<double>::infinity();
double const not_a_number = std::numeric_limits<double>::quiet_NaN();

value symbol(graph& g, std::string_view name, shape const& s, dtype type = dtype::float64) {
    gradus::node n{&gradus::info_of<gradus::op::symbol>, {-1, -1, -1}, type, s, {}};
    n.attr.n[0] = g.symbol_index(name, {type, s});
    return {g, g.intern(n)};
}
numbers evaluate(value v, gradus::symbol_values<double> const& symbols = {}, gradus::dimension_values const& dimensions = {}) {
    v.owner().outputs = {};
    v.owner().outputs.push_back({v.id(), -1});
    return gradus::interpret(v.owner(), symbols, dimensions)[0];
}
value argmax(value v, std::int64_t axes) {
    return value::emit<gradus::op::argmax>(v.owner(), gradus::op::reduction_attributes(axes, false), {}, {v});
}
attributes ranges(std::initializer_list<std::pair<int, int>> start_and_step) {
    attributes attr;
    int axis = 0;
    for (auto [start, step] : start_and_step) attr.n[axis++] = gradus::op::pack_range(start, step);
    return attr;
}

}  // namespace

TEST_CASE("interpret: elementwise operations broadcast") {
    graph g;
    value a = symbol(g, "a", {2, 1}), b = symbol(g, "b", {3}), c = symbol(g, "c", {});
    CHECK(evaluate(a * b + c, {{"a", {1, 10}}, {"b", {1, 2, 3}}, {"c", {0.5}}}) == numbers{1.5, 2.5, 3.5, 10.5, 20.5, 30.5});
    CHECK(evaluate(gradus::where(b > 1.5, b, -c), {{"b", {1, 2, 3}}, {"c", {0.5}}, {"a", {0, 0}}}) == numbers{-0.5, 2, 3});
    CHECK(evaluate(b >= 2, {{"b", {1, 2, 3}}, {"c", {0.5}}, {"a", {0, 0}}}) == numbers{0, 1, 1});
}

TEST_CASE("interpret: constants, sizes and indices") {
    graph g;
    value x = symbol(g, "x", {"batch", 4});
    gradus::symbol_values<double> const eight{{"x", numbers(8)}};
    CHECK(evaluate(x.number(2.5), eight, {{"batch", 2}}) == numbers{2.5});
    CHECK(evaluate(x.count(3), eight, {{"batch", 2}}) == numbers{8});
    CHECK(evaluate(x.count(1), eight, {{"batch", 2}}) == numbers{2});
    CHECK(evaluate(x.count(2), eight, {{"batch", 2}}) == numbers{4});
    CHECK(evaluate(x.index(1), eight, {{"batch", 2}}) == numbers{0, 1, 2, 3});
    CHECK(evaluate(x.index(0), eight, {{"batch", 2}}) == numbers{0, 1});
    CHECK(evaluate(x.index(0) * x.index(1), eight, {{"batch", 2}}) == numbers{0, 0, 0, 0, 0, 1, 2, 3});
}

TEST_CASE("interpret: reshape, broadcast_to, transpose") {
    graph g;
    value x = symbol(g, "x", {2, 3});
    gradus::symbol_values<double> const six{{"x", {1, 2, 3, 4, 5, 6}}};
    CHECK(evaluate(x.reshape({3, 2}), six) == numbers{1, 2, 3, 4, 5, 6});
    CHECK(evaluate(x.transposed(), six) == numbers{1, 4, 2, 5, 3, 6});
    CHECK(evaluate(x.reshape({2, 1, 3}).broadcast_to({2, 2, 3}), six) == numbers{1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6});
    attributes rotated;  // axis i of the result is axis n[i] of the operand
    rotated.n[0] = 2;
    rotated.n[2] = 1;
    CHECK(evaluate(x.reshape({1, 2, 3}).transpose(rotated), six) == numbers{1, 4, 2, 5, 3, 6});
}

TEST_CASE("interpret: slice, pad, concatenate") {
    graph g;
    value x = symbol(g, "x", {2, 3}), y = symbol(g, "y", {2, 1});
    gradus::symbol_values<double> const data{{"x", {1, 2, 3, 4, 5, 6}}, {"y", {7, 8}}};
    CHECK(evaluate(x.slice(ranges({{1, 1}, {0, 2}}), {1, 2}), data) == numbers{4, 6});
    CHECK(evaluate(y.pad(ranges({{0, 1}, {1, 1}}), {2, 3}), data) == numbers{0, 7, 0, 0, 8, 0});
    CHECK(evaluate(y.pad(ranges({{0, 2}, {0, 1}}), {4, 1}), data) == numbers{7, 0, 8, 0});
    attributes last;
    last.n[0] = 1;
    CHECK(evaluate(x.concatenate(y, last), data) == numbers{1, 2, 3, 7, 4, 5, 6, 8});
    CHECK(evaluate(y.concatenate(y, {}), data) == numbers{7, 8, 7, 8});
}

TEST_CASE("interpret: sums and maxima over axes") {
    graph g;
    value x = symbol(g, "x", {2, 3});
    gradus::symbol_values<double> const data{{"x", {1, 5, 3, 4, 2, 6}}};
    CHECK(evaluate(x.sum(1, false), data) == numbers{5, 7, 9});
    CHECK(evaluate(x.sum(2, true), data) == numbers{9, 12});
    CHECK(evaluate(x.sum(3, false), data) == numbers{21});
    CHECK(evaluate(x.amax(1, false), data) == numbers{4, 5, 6});
    CHECK(evaluate(x.amax(2, false), data) == numbers{5, 6});
    CHECK(evaluate(argmax(x, 2), data) == numbers{1, 2});
    CHECK(evaluate(argmax(x, 3), data) == numbers{5});
}

TEST_CASE("interpret: amax and argmax on NaN, ties and infinities") {
    graph g;
    value x = symbol(g, "x", {4});
    auto both = [&](numbers const& data) {
        return std::pair{evaluate(x.amax(1, false), {{"x", data}})[0], evaluate(argmax(x, 1), {{"x", data}})[0]};
    };
    CHECK(both({1, 3, 3, 2}) == std::pair{3.0, 1.0});
    CHECK(both({-infinity, -infinity, -infinity, -infinity}) == std::pair{-infinity, 0.0});
    for (auto const& data : {numbers{1, not_a_number, infinity, not_a_number}, numbers{infinity, not_a_number, 3, 4}}) {
        auto [largest, index] = both(data);
        CHECK(std::isnan(largest));
        CHECK(index == 1);
    }
    CHECK(std::isnan(both({not_a_number, 1, 2, 3}).first));
    CHECK(both({not_a_number, 1, 2, 3}).second == 0);
}

TEST_CASE("interpret: matrix products, transposed and with leading axes") {
    graph g;
    value a = symbol(g, "a", {2, 3}), b = symbol(g, "b", {3, 2});
    gradus::symbol_values<double> const data{{"a", {1, 2, 3, 4, 5, 6}}, {"b", {1, 0, 0, 1, 1, 1}}};
    numbers const product{4, 5, 10, 11};
    CHECK(evaluate(a.matmul(b), data) == product);
    auto transposed = [&](value left, value right, bool l, bool r) {
        attributes attr;
        attr.n[0] = l;
        attr.n[1] = r;
        return evaluate(value::emit<gradus::op::matmul>(g, attr, {}, {left, right}), data);
    };
    CHECK(transposed(a.transposed(), b, true, false) == product);
    CHECK(transposed(a, b.transposed(), false, true) == product);
    CHECK(transposed(a.transposed(), b.transposed(), true, true) == product);
    CHECK(evaluate(a.reshape({2, 1, 3}).matmul(b), data) == product);
    CHECK(evaluate(a.reshape({2, 1, 1, 3}).matmul(b.transposed().reshape({2, 3, 1})), data) == numbers{4, 5, 10, 11});
    CHECK(evaluate(a.slice(ranges({{0, 1}, {0, 1}}), {1, 3}).reshape({3}).matmul(b), data) == numbers{4, 5});
}

TEST_CASE("interpret: casts") {
    graph g;
    value x = symbol(g, "x", {4});
    gradus::symbol_values<double> const data{{"x", {-1.5, 0, 0.25, 2.75}}};
    CHECK(evaluate(x.cast(dtype::int32), data) == numbers{-1, 0, 0, 2});
    CHECK(evaluate(x.cast(dtype::boolean), data) == numbers{1, 0, 1, 1});
    CHECK(evaluate(gradus::apply<gradus::op::copy>(gradus::apply<gradus::op::stop_gradient>(x)), data) == numbers{-1.5, 0, 0.25, 2.75});
}

TEST_CASE("interpret: scalars and empty arrays") {
    graph g;
    value s = symbol(g, "s", {}), none = symbol(g, "none", {0, 3});
    gradus::symbol_values<double> const data{{"s", {2}}, {"none", {}}};
    CHECK(evaluate(s * s, data) == numbers{4});
    CHECK(evaluate(s.broadcast_to({2, 2}), data) == numbers{2, 2, 2, 2});
    CHECK(evaluate(none + s, data) == numbers{});
    CHECK(evaluate(none.sum(1, false), data) == numbers{0, 0, 0});
    CHECK(evaluate(none.sum(2, false), data) == numbers{});
    CHECK(evaluate(none.sum(3, false), data) == numbers{0});
    CHECK(evaluate(none.amax(1, false), data) == numbers{-infinity, -infinity, -infinity});
    CHECK(evaluate(none.transposed().matmul(none), data) == numbers(9));
    CHECK(evaluate(none.pad(ranges({{0, 1}, {0, 1}}), {1, 3}), data) == numbers{0, 0, 0});
    CHECK(evaluate(none.concatenate(none, {}), data) == numbers{});
}

TEST_CASE("interpret: every node is rounded to the element type") {
    graph g;
    value x = symbol(g, "x", {2}, dtype::float32);
    value y = (x + 1) - 1;
    g.outputs.push_back({y.id(), -1});
    g.outputs.push_back({x.sum(1, false).id(), -1});
    auto single = gradus::interpret<float>(g, {{"x", {1e-9f, 0.5f}}});
    CHECK(single[0] == std::vector<float>{0.0f, 0.5f});
    auto doubled = gradus::interpret<double>(g, {{"x", {1e-9, 0.5}}});
    CHECK(doubled[0][0] == (1e-9 + 1.0) - 1.0);
    CHECK(doubled[1][0] == 0.5 + 1e-9);
    // formulas are evaluated in double; sums in the wider type
    auto longer = gradus::interpret<long double>(g, {{"x", {1e-9L, 0.5L}}});
    CHECK(longer[1][0] == 0.5L + 1e-9L);
}

TEST_CASE("interpret: what is missing or does not fit is an error that names it") {
    graph g;
    value x = symbol(g, "x", {"batch", 2});
    value y = x + 1;
    CHECK_THROWS_WITH_AS(evaluate(y, {}, {{"batch", 2}}), "gradus::interpret: no value is given for symbol x", gradus::error);
    CHECK_THROWS_WITH_AS(evaluate(y, {{"x", {1, 2}}}), "gradus::interpret: no number is given for dimension batch", gradus::error);
    CHECK_THROWS_WITH_AS(evaluate(y, {{"x", {1, 2, 3}}}, {{"batch", 2}}),
                         "gradus::interpret: x is double[batch,2] and has 4 elements, 3 are given", gradus::shape_error);
    value marker = value::emit<gradus::op::grad>(g, {}, {}, {x.sum(3, false), x});
    CHECK_THROWS_WITH_AS(evaluate(marker, {{"x", {1, 2}}}, {{"batch", 1}}), "gradus::interpret: no rule for grad", std::logic_error);
}
