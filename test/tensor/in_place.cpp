// SPDX-License-Identifier: BSL-1.0
#include "messages.hpp"

#include <sys/resource.h>

// Of what PyTorch's users expect: writing over elements, and what the tape makes of it. All numbers are small whole ones, which
// float holds exactly, or are compared with the same operation on single numbers.

namespace gr = gradus;
using messages::contains;

namespace {

using vector = gr::tensor<float, 2>;
using matrix = gr::tensor<float, 3, 3>;

vector leaf(float a, float b) { return vector{a, b}.requires_grad_(); }
vector product(vector const& a, vector const& b) { return a * b; }
vector sum(vector const& a, vector const& b) { return a + b; }
void multiply(vector const& a, vector const& b) { a *= b; }
void add_one(vector const& a) { a += 1.0f; }
void backward(vector const& y) { y.backward(gr::ones<float, 2>()); }

matrix counting() { return {0, 1, 2, 3, 4, 5, 6, 7, 8}; }
template <class T>
bool equal(T const& t, std::initializer_list<float> expected) {
    auto const a = t.to_array();
    return a.size() == static_cast<std::int64_t>(expected.size()) && std::equal(a.begin(), a.end(), expected.begin());
}

/// The most memory that this process has used, in bytes.
std::int64_t peak_memory() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss * 1024;
}

}  // namespace

TEST_CASE("in place: an elementwise update takes no memory for a second tensor") {
    constexpr std::int64_t n = 1 << 24;  // 64 MB
    gr::tensor<float, gr::dyn> w = gr::ones<float, gr::dyn>(n).requires_grad_();
    w.set_grad(gr::full<float, gr::dyn>(n, 2.0f));
    float* const memory = w.data();
    std::int64_t const before = peak_memory();
    {
        gr::no_grad guard;
        w -= 0.25f * w.grad();
    }
    CHECK(peak_memory() - before < n * 4 / 4);
    CHECK(w.data() == memory);
    CHECK(w(0) == 0.5f);
    CHECK(w(n - 1) == 0.5f);
    CHECK(w.version() == 1);
}

TEST_CASE("in place: operands that read the target elsewhere see its old elements") {
    gr::no_grad guard;
    matrix a = counting();
    SUBCASE("itself") {
        a -= 2.0f * a;
        CHECK(equal(a, {0, -1, -2, -3, -4, -5, -6, -7, -8}));
        a = a - 2.0f * a;
        CHECK(equal(a, {0, 1, 2, 3, 4, 5, 6, 7, 8}));
    }
    SUBCASE("transposed, as a view") {
        a -= a.t();
        CHECK(equal(a, {0, -2, -4, 2, 0, -2, 4, 2, 0}));
    }
    SUBCASE("transposed, in the expression") {
        a -= gr::transpose<>(a);
        CHECK(equal(a, {0, -2, -4, 2, 0, -2, 4, 2, 0}));
    }
    SUBCASE("the target is transposed") {
        a.t() -= a;
        CHECK(equal(a, {0, -2, -4, 2, 0, -2, 4, 2, 0}));
    }
    SUBCASE("copied from its own transpose") {
        a.copy_(a.t());
        CHECK(equal(a, {0, 3, 6, 1, 4, 7, 2, 5, 8}));
    }
    SUBCASE("a row of it") {
        a -= a[0];
        CHECK(equal(a, {0, 0, 0, 3, 3, 3, 6, 6, 6}));
    }
    SUBCASE("its product with another") {
        matrix b = counting();
        a -= gr::matmul(a, b);
        // the rows of a b are (15, 18, 21), (42, 54, 66), (69, 90, 111)
        CHECK(equal(a, {-15, -17, -19, -39, -50, -61, -63, -83, -103}));
    }
}

TEST_CASE("in place: overlapping slices, forwards and backwards, over several vectors") {
    gr::no_grad guard;
    constexpr int n = 70;
    auto x = gr::arange<float, n>();
    auto add = [](auto const& to, auto const& from) { to += from; };
    add(x.slice(0, n - 1), x.slice(1, n));
    bool right = true;
    for (int i = 0; i < n; ++i) right = right && x(i) == static_cast<float>(i + 1 < n ? i + i + 1 : i);
    CHECK(right);
    x.copy_(gr::arange<float, n>());
    add(x.slice(1, n), x.slice(0, n - 1));
    right = true;
    for (int i = 0; i < n; ++i) right = right && x(i) == static_cast<float>(i > 0 ? i + i - 1 : i);
    CHECK(right);
    x.copy_(gr::arange<float, n>());
    x.slice(1, n).copy_(x.slice(0, n - 1));  // a move of elements
    right = true;
    for (int i = 0; i < n; ++i) right = right && x(i) == static_cast<float>(i > 0 ? i - 1 : 0);
    CHECK(right);

    // memory that is known by its address only
    float memory[] = {1, 2, 3, 4};
    auto a = gr::from_blob<float, gr::dyn>(memory, 3), b = gr::from_blob<float, gr::dyn>(memory + 1, 3);
    add(b, a);
    CHECK(memory[1] == 3);
    CHECK(memory[2] == 5);
    CHECK(memory[3] == 7);
}

TEST_CASE("in place: an expanded tensor is refused, a failed call changes nothing") {
    gr::tensor<float, 1> one{3};
    CHECK_THROWS_WITH_AS(one.expand<2>().zero_(),
                         doctest::Contains("more than one element of the written-to tensor refers to a single memory location"),
                         gr::autograd_error);
    CHECK(one(0) == 3);
    gr::tensor<float, gr::dyn> a = gr::ones<float, gr::dyn>(3), b = gr::ones<float, gr::dyn>(4);
    CHECK_THROWS_AS(a += b, gr::shape_error);
    CHECK_THROWS_WITH_AS(a.copy_(b),
                         doctest::Contains("copy_(a): a does not broadcast to the tensor: the tensor is float[3], a is float[4]"),
                         gr::shape_error);
    CHECK(a(0) == 1);
    CHECK(a.version() == 0);
}

TEST_CASE("in place: functions are those of their names") {
    gr::no_grad guard;
    auto check = [](auto change, auto expected) {
        vector x{0.25f, 0.75f};
        change(x);
        for (int i = 0; i < 2; ++i) CHECK(x(i) == doctest::Approx(expected(i ? 0.75 : 0.25)).epsilon(1e-6));  // a few ulps of float
        CHECK(x.version() == 1);
    };
    check([](vector x) { x.sub_(2.0f); }, [](double v) { return v - 2; });
    check([](vector x) { x.div_(2.0f); }, [](double v) { return v / 2; });
    check([](vector x) { x.pow_(3.0f); }, [](double v) { return v * v * v; });
    check([](vector x) { x.neg_(); }, [](double v) { return -v; });
    check([](vector x) { x.exp_(); }, [](double v) { return std::exp(v); });
    check([](vector x) { x.log_(); }, [](double v) { return std::log(v); });
    check([](vector x) { x.sqrt_(); }, [](double v) { return std::sqrt(v); });
    check([](vector x) { x.tanh_(); }, [](double v) { return std::tanh(v); });
    check([](vector x) { x.sigmoid_(); }, [](double v) { return 1 / (1 + std::exp(-v)); });
    check([](vector x) { x.fill_(7); }, [](double) { return 7; });
    vector x{-1, 2};
    CHECK(equal(x.relu_(), {0, 2}));
    CHECK(equal(x.zero_(), {0, 0}));
}

TEST_CASE("58 detach_: makes a leaf, refuses views; what saved the tensor keeps its derivative") {
    auto x = leaf(2, 3);
    vector y = product(x, x), z = product(y, y);
    y.detach_();
    CHECK(y.is_leaf());
    CHECK_FALSE(y.requires_grad());
    backward(z);  // PyTorch refuses this (it finds the history in the tensor); here the node has it
    CHECK(equal(x.grad(), {4 * 2 * 2 * 2, 4 * 3 * 3 * 3}));
    vector whole = product(x, x);
    CHECK_THROWS_WITH_AS(whole.slice(0, 1).detach_(), doctest::Contains("Can't detach views in-place. Use detach() instead."),
                         gr::autograd_error);
}

TEST_CASE("60 in place: leaves that require a gradient, and views of them, are refused") {
    auto w = leaf(1, 2);
    CHECK(messages::of<gr::autograd_error>([&] { add_one(w); }) ==
          "a leaf Variable that requires grad is being used in an in-place operation.");
    CHECK(messages::of<gr::autograd_error>([&] { w.zero_(); }) ==
          "a leaf Variable that requires grad is being used in an in-place operation.");
    CHECK(messages::of<gr::autograd_error>([&] { w.copy_(vector{3, 4}); }) ==
          "a leaf Variable that requires grad is being used in an in-place operation.");
    CHECK(messages::of<gr::autograd_error>([&] { w.slice(0, 1).zero_(); }) ==
          "a view of a leaf Variable that requires grad is being used in an in-place operation.");
    CHECK(messages::of<gr::autograd_error>([&] { w[0] = 3.0f; }) ==
          "a view of a leaf Variable that requires grad is being used in an in-place operation.");
    CHECK(equal(w, {1, 2}));
    CHECK(w.version() == 0);
}

TEST_CASE("61 version: counts writes, for all that share the memory") {
    vector x{1, 2};
    auto view = x.slice(0, 1);
    CHECK(x.version() == 0);
    add_one(x);
    CHECK(x.version() == 1);
    view.zero_();
    CHECK(x.version() == 2);
    CHECK(view.version() == 2);
    CHECK(x.detach().version() == 2);
    x.copy_(vector{5, 6});
    CHECK(view.version() == 3);
    CHECK(x.clone().version() == 0);
}

TEST_CASE("62 saved values: a sum saves nothing, a product its operands, exp its result") {
    auto x = leaf(1, 2), y = leaf(3, 4);
    vector a = product(x, x), b = product(y, y);  // computed, so that they can be written to
    vector s = sum(a, b);
    add_one(a);
    backward(s);
    CHECK(equal(x.grad(), {2, 4}));

    vector c = product(x, x), p = product(c, b);
    add_one(c);
    CHECK(contains(messages::of<gr::autograd_error>([&] { backward(p); }), "modified by an inplace operation"));

    vector d = product(x, x), e = gr::exp(d);
    add_one(d);
    e.backward(gr::ones<float, 2>(), {.retain_graph = true});  // exp saves its result, not d
    add_one(e);
    auto f = [&] { backward(sum(e, e)); };
    CHECK(contains(messages::of<gr::autograd_error>(f), "modified by an inplace operation"));
}

TEST_CASE("63 modified values: the error names type, sizes, producer and both versions") {
    auto x = leaf(1, 2);
    vector y = product(x, x), z = product(y, y);
    add_one(y);
    std::string const message = messages::of<gr::autograd_error>([&] { backward(z); });
    CHECK(contains(message,
                   "one of the variables needed for gradient computation has been modified by an inplace operation: [float[2]], which is "
                   "output 0 of MulBackward0, is at version 1; expected version 0 instead. Hint: enable anomaly detection to find the "
                   "operation that failed to compute its gradient"));
    CHECK(contains(message, "in_place.cpp:"));
    // with run-time extents the sizes are those of the tensor
    gr::tensor<float, gr::dyn> v = gr::ones<float, gr::dyn>(3).requires_grad_(), u = v * v;
    v.detach().zero_();
    CHECK(contains(messages::of<gr::autograd_error>([&] { u.backward(gr::ones<float, 3>()); }),
                   "[float[3]] is at version 1; expected version 0"));
}

TEST_CASE("64 in place: an operand that requires a gradient makes the target require it") {
    auto w = leaf(3, 4);
    vector a{1, 2};
    a += w;
    CHECK(a.requires_grad());
    CHECK(a.grad_fn().name() == "AddBackward0");
    backward(a);
    CHECK(equal(w.grad(), {1, 1}));
}

TEST_CASE("in place: the derivative goes through the operation to what was there before") {
    auto x = leaf(2, 3);
    vector y = product(x, x);
    multiply(y, y);  // saves its old elements, which are copied before they are overwritten
    CHECK(equal(y, {16, 81}));
    backward(y);
    CHECK(equal(x.grad(), {32, 108}));

    x.zero_grad();
    vector z = product(x, x);
    multiply(z, x);
    CHECK(equal(z, {8, 27}));
    backward(z);
    CHECK(equal(x.grad(), {12, 27}));

    x.zero_grad();
    vector u = product(x, x);
    u.tanh_();  // saves its result, which is the target
    backward(u);
    for (int i = 0; i < 2; ++i) {
        double const t = std::tanh(x(i) * x(i));
        CHECK(x.grad()(i) == doctest::Approx((1 - t * t) * 2 * x(i)).epsilon(1e-3));  // 1 - tanh^2 cancels: 1e-7 / (1 - tanh^2(4)) = 1e-4
    }
}

TEST_CASE("in place: constants written over a computed tensor cut its derivative, not its history") {
    auto x = leaf(2, 3);
    vector y = product(x, x);
    y.fill_(5);
    CHECK(y.requires_grad());
    CHECK(y.grad_fn().name() == "FillBackward0");
    backward(y);
    CHECK(equal(x.grad(), {0, 0}));
    vector z = product(x, x);
    z.copy_(x);
    CHECK(z.grad_fn().name() == "CopyBackwards");
    backward(z);
    CHECK(equal(x.grad(), {1, 1}));
}

TEST_CASE("in place: a matrix in a statement that reads it as a whole is recorded with its old elements") {
    gr::tensor<float, 3, 3> x = counting().requires_grad_();
    gr::tensor<float, 3, 3> y = x + 0.0f;
    y -= gr::transpose<>(y);
    CHECK(equal(y, {0, -2, -4, 2, 0, -2, 4, 2, 0}));
    y.backward(matrix{1, 2, 3, 4, 5, 6, 7, 8, 9});
    // g - g^T
    CHECK(equal(x.grad(), {0, -2, -4, 2, 0, -2, 4, 2, 0}));
}

TEST_CASE("in place: rounding, limits and functions of two") {
    vector const x{1.5f, -2.25f};
    vector y = x + 0.0f;
    y.floor_();
    CHECK(equal(y, {1, -3}));
    y.clamp_(-2.0f, 0.5f);
    CHECK(equal(y, {0.5f, -2}));
    y.lerp_(x, 0.5f);
    CHECK(equal(y, {1, -2.125f}));
    y.reciprocal_().sign_().copysign_(-1.0f);
    CHECK(equal(y, {-1, -1}));
    y.addcmul_(x, x);
    CHECK(equal(y, {1.25f, 4.0625f}));
    y.fmod_(1.0f);
    CHECK(equal(y, {0.25f, 0.0625f}));
    auto w = leaf(2, 4);
    vector z = w * 1.0f;
    z.log2_();
    backward(z);
    CHECK(w.grad()(1) == doctest::Approx(1 / (4 * std::log(2.0))));
}
