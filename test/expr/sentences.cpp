// SPDX-License-Identifier: BSL-1.0
#include <gradus/core/text.hpp>
#include <gradus/op/list.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

// What the shape rules of operations say of calls that are wrong, where no program of test/fail/ has the sentence.
namespace {

namespace gr = gradus;
namespace op = gradus::op;
using gr::dtype, gr::shape;

constexpr gr::tensor_type f(shape s) { return {dtype::float32, s}; }
constexpr gr::tensor_type d(shape s) { return {dtype::float64, s}; }
constexpr gr::tensor_type n(shape s) { return {dtype::int64, s}; }
constexpr gr::tensor_type b(shape s) { return {dtype::boolean, s}; }
gr::attributes with(std::vector<std::int64_t> numbers, double value = 0) {
    gr::attributes attr;
    attr.value = value;
    for (std::size_t i = 0; i < numbers.size(); ++i) attr.n[i] = numbers[i];
    return attr;
}

/// What Op says of these operands; empty where it takes them.
template <class Op>
std::string said(std::vector<gr::tensor_type> const& operands, gr::attributes attr = {}, shape target = {}) {
    gr::call c{attr, target, {}, static_cast<int>(operands.size())};
    for (std::size_t i = 0; i < operands.size(); ++i) c.operand[i] = operands[i];
    gr::text text;
    gr::complaint fail{&text};
    Op::infer(c, fail);
    return fail.failed ? text.str() : "";
}

}  // namespace

TEST_CASE("sentences: elementwise operations, bools, reductions") {
    CHECK(said<op::where>({f({3}), f({3}), f({3})}) == "the condition is not bool: a is float[3]");
    CHECK(said<op::where>({b({3}), f({3}), f({3})}) == "");
    CHECK(said<op::relu>({b({3})}) == "needs numbers: a is bool[3]");
    CHECK(said<op::both>({b({3}), f({3})}) == "needs bools: b is float[3]");
    CHECK(said<op::sum>({b({3})}, with({1})) == "needs numbers: a is bool[3]");
    CHECK(said<op::softmax>({n({3})}, with({1})) == "needs a floating-point operand: a is int64[3]");
    CHECK(said<op::variance>({n({3})}, with({1})) == "needs a floating-point operand: a is int64[3]");
    CHECK(said<op::prod>({f({"rows"})}, with({1})) == "the product along an axis needs its extent: a is float[rows]");
    CHECK(said<op::mse_loss>({n({3}), n({3})}) == "needs floating-point operands: a is int64[3]");
    CHECK(said<op::cross_entropy>({n({5, 3}), n({5})}) == "needs floating-point logits and integer labels: a is int64[5,3], b is int64[5]");
}
TEST_CASE("sentences: labels") {
    CHECK(said<op::weighted_cross_entropy>({f({5, 3}), n({5}), f({4})}) == "needs a weight per class: a is float[5,3], c is float[4]");
    CHECK(said<op::weighted_nll_loss>({f({5, 3}), n({5}), d({3})}) == "needs a weight per class: a is float[5,3], c is double[3]");
    CHECK(said<op::cross_entropy>({f({5, 3}), n({5})}, op::cross_entropy::told({.label_smoothing = 1.5})) ==
          "label_smoothing is a number from 0 to 1");
}
TEST_CASE("sentences: ranges are of 64 bits") {
    std::int64_t const much = std::int64_t{1} << 62;
    for (auto [start, step] : {std::pair{std::int64_t{0}, std::int64_t{1}}, {5, -(1 << 22)}, {much, 1 << 23}, {7, much}, {-much, -much}}) {
        gr::attributes const attr = op::range_along(3, 1, start, step);
        CHECK((op::start_of(attr, 0) == 0 && op::step_of(attr, 2) == 1 && op::start_of(attr, 1) == start && op::step_of(attr, 1) == step));
    }
    CHECK(said<op::slice>({f({much})}, op::range_along(1, 0, 5, much / 2), {2}) == "");
    CHECK(said<op::slice>({f({much})}, op::range_along(1, 0, 5, much / 2), {3}) ==
          "the range leaves axis 0: a is float[4611686018427387904], the last index is 4611686018427387909");
    CHECK(said<op::slice>({f({much})}, op::range_along(1, 0, 5, much), {3}).find("the range leaves axis 0") ==
          0);  // its last index has more bits
    shape none{1};
    none[0].code = op::no_range;
    CHECK(said<op::slice>({f({8})}, op::range_along(1, 0, 5, 0), none) == "needs a step of at least 1 along axis 0: a is float[8]");
}
TEST_CASE("sentences: products and matrices") {
    CHECK(said<op::matmul>({f({3, 3}), d({3, 3})}) == "operands differ in type: a is float[3,3], b is double[3,3]");
    CHECK(said<op::matmul>({n({3, 3}), n({3, 3})}) == "needs floating-point operands: a is int64[3,3], b is int64[3,3]");
    CHECK(said<op::matmul>({f({}), f({3, 3})}) == "a scalar has no product of this kind: a is float, b is float[3,3]. Write a * b");
    CHECK(said<op::matmul>({f({2, 3, 3}), f({4, 3, 3})}) == "leading axes do not broadcast: a is float[2,3,3], b is float[4,3,3]");
    CHECK(said<op::solve>({f({3, 3}), f({})}) == "needs a vector or matrices on the right: a is float[3,3], b is float");
    CHECK(said<op::solve>({f({"n", "n"}), f({"n"})}) == "");
    CHECK(said<op::det>({f({"a_name_of_19_letters", "a_name_of_19_letters"})}) ==
          "the number of rows of the factors is longer than a name: a is float[a_name_of_19_letters,a_name_of_19_letters]");
    CHECK(said<op::solve_triangular>({f({"n", "n"}), f({"n"})}) == "");
    CHECK(said<op::solve>({f({2, 3, 3}), f({4, 3, 1})}) == "leading axes do not broadcast: a is float[2,3,3], b is float[4,3,1]");
    CHECK(
        said<op::attention_weights>({f({5, 8}), d({6, 8}), b({5, 6})}) ==
        "needs [..., queries, d], [..., keys, d] and a mask of bools or of their type: a is float[5,8], b is double[6,8], c is bool[5,6]");
    CHECK(said<op::gru_state>({f({2, 9}), f({2, 9}), f({2, 4})}) ==
          "needs 3 gates for each element of the state, static: a is float[2,9], c is float[2,4]");
    CHECK(said<op::tril>({b({3, 3})}) == "needs numbers: a is bool[3,3]");
    CHECK(said<op::diagonal>({f({"n", "m"})}) == "a matrix with a named dimension has a diagonal where it is square: a is float[n,m]");
    CHECK(said<op::diag_embed>({f({3, 3})}) == "needs a vector: a is float[3,3]");
}
TEST_CASE("sentences: windows") {
    CHECK(said<op::convolution>({f({3, 8, 8}), f({4, 3, 3, 3})}, with({1, 0, 1, 1})) ==
          "needs [N, C, ...] and weights with as many axes: a is float[3,8,8], b is float[4,3,3,3]");
    CHECK(said<op::convolution>({f({2, 3, "h", 8}), f({4, 3, 3, 3})}, with({1, 0, 1, 1})) ==
          "all extents but N are static: a is float[2,3,h,8], b is float[4,3,3,3]");
    CHECK(said<op::convolution>({f({"batch", 3, 8, 8}), f({4, 3, 3, 3})}, with({1, 0, 1, 1})) == "");
    CHECK(said<op::convolution>({f({2, 3, 8, 8}), f({4, 3, 3, 3})}, with({0, 0, 1, 1})) ==
          "needs a positive stride, dilation and number of groups, and padding of at least 0");
    CHECK(said<op::convolution>({f({2, 4, 8, 8}), f({4, 4, 3, 3})}, with({1, 0, 1, 2})) ==
          "the weights are for other channels: a is float[2,4,8,8], b is float[4,4,3,3], in 2 groups");
    auto const window = [](std::int64_t size, std::int64_t stride, std::int64_t padding) {
        gr::attributes attr;
        for (int axis : {2, 3}) op::pooled_axis{size, stride, padding}.pack(attr, axis);
        return attr;
    };
    CHECK(said<op::max_pool>({f({8, 8})}, window(2, 2, 0)) == "needs floating-point [N, C, ...]: a is float[8,8]");
    CHECK(said<op::max_pool>({f({2, 3, 8, "w"})}, window(2, 2, 0)) == "");
    CHECK(said<op::max_pool>({f({2, 3, 8, "a_name_of_19_letters"})}, window(2, 2, 0)) ==
          "the number of windows along axis 3 is longer than a name: a is float[2,3,8,a_name_of_19_letters]");
    CHECK(said<op::avg_pool>({f({2, 3, 8, 8})}, window(2, 2, 2)) ==
          "needs a positive window and stride, and padding of at most half of the window");
    CHECK(said<op::avg_pool>({f({2, 3, 8, 8})}, window(0, 1, 0)) ==
          "needs a positive window and stride, and padding of at most half of the window");
    CHECK(said<op::max_pool>({f({2, 3, 3, 8})}, window(6, 1, 1)) == "the window is larger than axis 2: a is float[2,3,3,8] (6 > 5)");
    CHECK(said<op::max_pool>({f({2, 3, 3, 8})}, window(5, 1, 1)) == "");
    CHECK(said<op::adaptive_avg_pool>({f({2, 3, 8, "w"})}, with({2, 2})) ==
          "needs floating-point [N, C, ...] with static extents from the third axis on: a is float[2,3,8,w]");
}
TEST_CASE("sentences: elements in other places") {
    CHECK(said<op::broadcast_to>({f({3})}, {}, {4}) == "a does not broadcast to the shape: a is float[3], the shape is [4]");
    CHECK(said<op::slice>({f({3})}, {}, {3, 3}) == "one range per axis: a is float[3], the result is [3,3]");
    CHECK(said<op::concatenate>({f({3}), d({3})}) == "operands differ in type: a is float[3], b is double[3]");
    CHECK(said<op::concatenate>({f({3}), {dtype::bfloat16, {3}}}) == "operands differ in type: a is float[3], b is bfloat16[3]");
    CHECK(said<op::add>({{dtype::float16, {3}}, {dtype::bfloat16, {3}}}) ==
          "operands differ in type: a is float16[3], b is bfloat16[3]. Convert one with gr::cast");
    CHECK(said<op::concatenate>({f({3}), f({3})}, with({1})) == "no such axis: a is float[3] and has 1 axes");
    CHECK(said<op::flip>({f({3})}, with({2})) == "no such axis: a is float[3] and has 1 axes");
    CHECK(said<op::roll>({f({3})}, with({1, 1})) == "no such axis: a is float[3] and has 1 axes");
    CHECK(said<op::constant_pad>({f({3}), f({3})}, with({0, 1, 1})) == "pads with one number: b is float[3]");
    CHECK(said<op::constant_pad>({f({3}), f({})}, with({1, 1, 1})) == "no such axis: a is float[3] and has 1 axes");
    CHECK(said<op::embedding>({f({}), n({3})}) == "a scalar has no rows: a is float");
    CHECK(said<op::embedding>({f({3, 2, 2, 2}), n({2, 2, 2, 2})}) == "too many axes: a is float[3,2,2,2], b is int64[2,2,2,2]");
    CHECK(said<op::index_select>({f({3}), n({2, 2})}) == "needs a vector of indices: b is int64[2,2]");
    CHECK(said<op::index_select>({f({3}), n({2})}, with({1})) == "no such axis: a is float[3] and has 1 axes");
    CHECK(said<op::gather>({f({3, 2}), n({3, 2})}, with({2})) == "no such axis: a is float[3,2] and has 2 axes");
    CHECK(said<op::gather>({f({"rows", 2}), n({3, 2})}) == "");
    CHECK(said<op::gather>({f({"rows", "m"}), n({3, "m - 1"})}) == "");
    CHECK(said<op::gather>({f({"rows", "m"}), n({3, 2})}) ==
          "needs indices with as many axes, beside axis 0 no longer: a is float[rows,m], b is int64[3,2]");
    CHECK(said<op::gather>({f({3, 2}), n({5, 3})}) ==
          "needs indices with as many axes, beside axis 0 no longer: a is float[3,2], b is int64[5,3]");
    CHECK(said<op::gather>({f({3, 2}), n({5, 2})}) == "");
    CHECK(said<op::scatter_add>({f({3}), n({2}), f({3})}) == "needs an element for every index: b is int64[2], c is float[3]");
}
TEST_CASE("sentences: order") {
    CHECK(said<op::sort>({b({3})}) == "needs numbers: a is bool[3]");
    CHECK(said<op::sort>({f({"rows", 3})}, with({1})) == "");
    CHECK(said<op::sort>({f({"eleven_rows", "more_columns"})}, with({1})) ==
          "the number of elements is longer than a name: a is float[eleven_rows,more_columns]");
    CHECK(said<op::argsort>({f({"rows", 3})}, with({1})) == "");
    CHECK(said<op::topk_index>({f({"rows", 3})}, with({0, 1, 2})) == "");
    CHECK(said<op::topk_index>({f({3})}, with({0, 1, 4})) == "there are not so many elements along axis 0: a is float[3] (4 > 3)");
    CHECK(said<op::median>({n({3})}) == "needs floating-point elements: a is int64[3]");
    CHECK(said<op::sorting_order>({f({})}) == "a scalar has no order: a is float");
}
