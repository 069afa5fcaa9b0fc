// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>

#include <doctest/doctest.h>

#include <limits>
#include <sstream>

// What is expected follows the rules of torch/_tensor_str.py: finite values other than zero choose the notation (whole
// numbers; four digits; exponents if max / min > 1000, max > 1e8, or min < 1e-4 with fractions) and the common width; lines
// have 80 columns; over 1000 elements, three are shown at each end of an axis.

namespace gr = gradus;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity(), not_a_number = std::numeric_limits<double>::quiet_NaN();

std::string spelled(gr::any_tensor const& t) { return gr::to_string(t).str(); }
template <class T>
std::string vector(auto... values) {
    T const given[sizeof...(values) + 1] = {static_cast<T>(values)...};
    auto t = gr::empty<T, gr::dyn>(sizeof...(values));
    std::copy(given, given + sizeof...(values), t.begin());
    return spelled(t);
}
/// 0, 1, 2, ... in a given shape, made of bytes that the test owns.
template <class T>
gr::any_tensor counted(gr::shape const& s) {
    std::int64_t extents[gr::max_rank]{};
    for (int i = 0; i < s.rank(); ++i) extents[i] = s[i].code;
    gr::any_tensor t(gr::core::make_state(gr::dtype_of<T>, s.rank(), extents));
    for (std::int64_t i = 0; i < t.size(); ++i) static_cast<T*>(t.data())[i] = static_cast<T>(i);
    return t;
}

}  // namespace

TEST_CASE("print: whole numbers end in a point, fractions have four digits") {
    CHECK(vector<float>(1, 2, 3) == "tensor([1., 2., 3.])");
    CHECK(vector<float>(1, 1.5, 2) == "tensor([1.0000, 1.5000, 2.0000])");
    CHECK(vector<float>(0.1f, -10) == "tensor([  0.1000, -10.0000])");
    CHECK(vector<float>(100, -1) == "tensor([100.,  -1.])");
    CHECK(vector<float>(0, 0) == "tensor([0., 0.])");
    CHECK(vector<float>(-0.0f) == "tensor([-0.])");
}

TEST_CASE("print: exponents where magnitudes are far apart, large or small") {
    CHECK(vector<float>(1e-10f, 1e-5f, 1, 1e5f, 1e10f) == "tensor([1.0000e-10, 1.0000e-05, 1.0000e+00, 1.0000e+05, 1.0000e+10])");
    CHECK(vector<float>(1, 1000) == "tensor([   1., 1000.])");
    CHECK(vector<float>(1, 1001) == "tensor([1.0000e+00, 1.0010e+03])");
    CHECK(vector<float>(0.5, -500) == "tensor([   0.5000, -500.0000])");
    CHECK(vector<float>(0.5, 500.5) == "tensor([5.0000e-01, 5.0050e+02])");
    CHECK(vector<float>(1e8f) == "tensor([100000000.])");
    CHECK(vector<float>(2e8f) == "tensor([2.0000e+08])");
    CHECK(vector<float>(0.00005f) == "tensor([5.0000e-05])");
    CHECK(vector<float>(0.0005f, 0) == "tensor([0.0005, 0.0000])");
    CHECK(vector<float>(-1e-5f, 0) == "tensor([-1.0000e-05,  0.0000e+00])");
    // PyTorch's own test (test_torch.py, test_print), but for the dtype's name
    CHECK(vector<double>(0, 1e-323, 1e-322, 1e307, 1e308, inf) ==
          "tensor([ 0.0000e+00, 9.8813e-324, 9.8813e-323, 1.0000e+307, 1.0000e+308,\n"
          "                inf], dtype=double)");
    CHECK(vector<double>(1e-300, -1e300) == "tensor([ 1.0000e-300, -1.0000e+300], dtype=double)");
}

TEST_CASE("print: infinities and NaN take no part in the choice") {
    CHECK(vector<float>(4, inf, 1.5, -inf, 0, not_a_number, 1) == "tensor([4.0000,    inf, 1.5000,   -inf, 0.0000,    nan, 1.0000])");
    CHECK(vector<float>(1, not_a_number) == "tensor([1., nan])");
    CHECK(vector<float>(inf, -not_a_number) == "tensor([inf, nan])");
    CHECK(vector<float>(1e10f, inf) == "tensor([1.0000e+10,        inf])");
}

TEST_CASE("print: integers and masks are aligned; dtypes that literals do not have are named") {
    CHECK(vector<std::int64_t>(1, -20, 300) == "tensor([  1, -20, 300])");
    CHECK(vector<std::int64_t>(std::numeric_limits<std::int64_t>::min()) == "tensor([-9223372036854775808])");
    CHECK(vector<std::int32_t>(7) == "tensor([7], dtype=int32)");
    CHECK(vector<bool>(true, false) == "tensor([ True, False])");
    CHECK(vector<bool>(true) == "tensor([True])");
    CHECK(vector<double>(0.25) == "tensor([0.2500], dtype=double)");
}

TEST_CASE("print: scalars, nothing and zero elements") {
    CHECK(spelled(gr::full<float>(27.0f)) == "tensor(27.)");
    CHECK(spelled(gr::full<float>(0.693147f)) == "tensor(0.6931)");
    CHECK(spelled(gr::any_tensor()) == "tensor(undefined)");
    CHECK(gr::to_string(gr::tensor<float, 3>()) == "tensor(undefined)");
    CHECK(vector<float>() == "tensor([])");
    CHECK(spelled(counted<float>({0, 4})) == "tensor([], size=(0, 4))");
    CHECK(spelled(counted<std::int64_t>({0})) == "tensor([], dtype=int64)");
    CHECK(spelled(counted<double>({2, 0, 1})) == "tensor([], size=(2, 0, 1), dtype=double)");
}

TEST_CASE("print: axes are nested, with an empty line between matrices") {
    CHECK(spelled(counted<std::int64_t>({2, 3})) == "tensor([[0, 1, 2],\n        [3, 4, 5]])");
    CHECK(spelled(counted<std::int64_t>({2, 2, 1})) == "tensor([[[0],\n         [1]],\n\n        [[2],\n         [3]]])");
    CHECK(spelled(counted<std::int64_t>({2, 1, 1, 1})) == "tensor([[[[0]]],\n\n\n        [[[1]]]])");
}

TEST_CASE("print: lines are broken before column 80") {
    // "tensor(" leaves 73 columns; an element of two letters takes four with ", ": 18 on a line
    CHECK(spelled(counted<std::int64_t>({20})) ==
          "tensor([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15, 16, 17,\n"
          "        18, 19])");
}

TEST_CASE("print: over 1000 elements only the edges are shown, and only they choose the notation") {
    CHECK(spelled(counted<float>({1001})) == "tensor([   0.,    1.,    2.,  ...,  998.,  999., 1000.])");
    CHECK(spelled(counted<float>({1002})) ==
          "tensor([0.0000e+00, 1.0000e+00, 2.0000e+00,  ..., 9.9900e+02, 1.0000e+03,\n        1.0010e+03])");
    CHECK(spelled(counted<std::int64_t>({1001})) == "tensor([   0,    1,    2,  ...,  998,  999, 1000])");
    CHECK(spelled(counted<std::int64_t>({1000, 2})) ==
          "tensor([[   0,    1],\n        [   2,    3],\n        [   4,    5],\n        ...,\n        [1994, 1995],\n        [1996, "
          "1997],\n        [1998, 1999]])");
    CHECK(spelled(counted<std::int64_t>({2, 1000})) ==
          "tensor([[   0,    1,    2,  ...,  997,  998,  999],\n        [1000, 1001, 1002,  ..., 1997, 1998, 1999]])");
    CHECK(spelled(counted<std::int64_t>({1000})).size() > 4000);  // not cut

    gr::any_tensor spike = counted<float>({1001});
    for (int i = 0; i < 1001; ++i) static_cast<float*>(spike.data())[i] = i == 500 ? 1e30f : 1.0f;
    CHECK(spelled(spike) == "tensor([1., 1., 1.,  ..., 1., 1., 1.])");
}

TEST_CASE("13 printing tells what computed a tensor, or that it wants a gradient") {
    auto x = gr::ones<float, 1>().requires_grad_();
    CHECK(spelled(x) == "tensor([1.], requires_grad=True)");
    CHECK(spelled(x.clone()) == "tensor([1.], grad_fn=<CloneBackward0>)");
    CHECK(spelled(x.detach()) == "tensor([1.])");
    gr::tensor loss = gr::mean(3.0f * gr::square(x + 2.0f));
    CHECK(spelled(loss) == "tensor(27., grad_fn=<MeanBackward0>)");
    auto matrix = gr::tensor<float, 2, 2>{{0.1f, 2}, {3, 4}}.requires_grad_();
    CHECK(spelled(matrix) == "tensor([[0.1000, 2.0000],\n        [3.0000, 4.0000]], requires_grad=True)");
    CHECK(spelled(gr::full<double>(0.5).requires_grad_()) == "tensor(0.5000, dtype=double, requires_grad=True)");
}

TEST_CASE("print: a fact that does not fit on the line begins one") {
    // 18 elements fill the line up to column 78
    auto row = gr::empty<float, gr::dyn>(18);
    for (float& v : row) v = 10;
    CHECK(spelled(row.requires_grad_()) ==
          "tensor([10., 10., 10., 10., 10., 10., 10., 10., 10., 10., 10., 10., 10., 10.,\n"
          "        10., 10., 10., 10.], requires_grad=True)");
    auto short_row = gr::empty<float, gr::dyn>(14);
    for (float& v : short_row) v = 10;
    CHECK(spelled(short_row.requires_grad_()) ==
          "tensor([10., 10., 10., 10., 10., 10., 10., 10., 10., 10., 10., 10., 10., 10.],\n"
          "       requires_grad=True)");
}

TEST_CASE("print: a view shows its elements, not its memory") {
    gr::any_tensor const square = counted<float>({2, 2});
    CHECK(spelled(square.as<float, 2, 2>().t()) == "tensor([[0., 2.],\n        [1., 3.]])");
    CHECK(spelled(square.as<float, 2, 2>().select<1>(1)) == "tensor([1., 3.])");
}

TEST_CASE("65 print: a view tells the history that its base has by now") {
    gr::tensor<float, 2> x{1, 2};
    gr::tensor first = x.slice(0, 1);
    CHECK(spelled(first) == "tensor([1.])");
    x *= gr::full<float>(3.0f).requires_grad_();
    std::string const after = spelled(first);
    CHECK(after.starts_with("tensor([3.], grad_fn=<"));
}

TEST_CASE("print: any stream takes tensors, typed or not, and functions of the tape") {
    auto x = gr::ones<float, 1>().requires_grad_();
    auto y = x.clone();
    std::ostringstream out;
    out << x << '\n' << gr::any_tensor(x) << '\n' << y.grad_fn() << ' ' << x.grad_fn();
    CHECK(out.str() == "tensor([1.], requires_grad=True)\ntensor([1.], requires_grad=True)\n<CloneBackward0> null");
}
