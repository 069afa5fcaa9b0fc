// SPDX-License-Identifier: BSL-1.0
#include <gradus/kernel/loop.hpp>
#include <gradus/op/list.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

// The loop kernel on descriptions written by hand, against plain loops and against itself one element at a time.
namespace gr = gradus;
namespace k = gradus::kernel;
namespace op = gradus::op;

namespace {

using gr::dtype;
using list = op::elementwise_list;

template <class Op, class... Known>
constexpr std::int16_t number_in(op::op_list<Known...>) {
    std::int16_t index = 0;
    bool found = false;
    ((found = found || std::is_same_v<Known, Op>, index += !found), ...);
    return index;
}
template <class Op>
constexpr std::int16_t number = number_in<Op>(list{});

constexpr k::instruction load(int input, dtype type) { return {k::load, static_cast<std::int16_t>(input), -1, -1, type, 0}; }
template <class Op>
constexpr k::instruction apply(dtype type, int a, int b = -1, int c = -1) {
    return {number<Op>, static_cast<std::int16_t>(a), static_cast<std::int16_t>(b), static_cast<std::int16_t>(c), type, 0};
}
constexpr k::loop_output plain(int source, dtype type) { return {static_cast<std::int16_t>(source), type, k::fold::none, true, 0}; }
constexpr k::loop_output folded(int source, dtype type, k::fold how, std::uint32_t axes) {
    return {static_cast<std::int16_t>(source), type, how, true, axes};
}
constexpr std::int64_t any = k::at_run_time;

/// An output between guards.
template <class T>
class target {
public:
    explicit target(std::int64_t size) : size_(static_cast<std::size_t>(size)), bytes_(2 * guard + size_ * sizeof(T), std::byte{0x5a}) {}
    void* data() { return bytes_.data() + guard; }
    T operator[](std::size_t i) const {
        T x;
        std::memcpy(&x, bytes_.data() + guard + i * sizeof(T), sizeof x);
        return x;
    }
    std::vector<T> values() const {
        std::vector<T> all;
        for (std::size_t i = 0; i < size_; ++i) all.push_back((*this)[i]);
        return all;
    }
    bool guarded() const {
        for (std::size_t i = 0; i < bytes_.size(); ++i)
            if ((i < guard || i >= guard + size_ * sizeof(T)) && bytes_[i] != std::byte{0x5a}) return false;
        return true;
    }

private:
    static constexpr std::size_t guard = 64;
    std::size_t size_;
    std::vector<std::byte> bytes_;
};

/// What is compiled of a description; the tests around it are compiled once for all.
using loop_function = void (*)(k::loop_arguments const&);
template <auto Description>
constexpr loop_function loop = k::loop<Description, list>::run;

void run(loop_function f, std::vector<void const*> in, std::vector<void*> out, std::vector<std::int64_t> extents,
         std::vector<std::int64_t> strides = {}, std::vector<double> sizes = {}) {
    in.push_back(nullptr);
    strides.resize(strides.size() + 8);
    f({in.data(), out.data(), extents.data(), strides.data(), sizes.data()});
}

// ---- one operation, on vectors and on single elements

template <class Op, class T>
constexpr dtype result_of = std::is_base_of_v<op::comparison<Op>, Op> ? dtype::boolean : gr::dtype_of<T>;
/// r = op(x, ...) over n elements; where reads a mask first.
template <class Op, class T, bool Scalar>
constexpr auto one_operation = [] {
    constexpr int arity = Op::arity, axes = Scalar ? 2 : 1;
    k::loop_description<arity + 1, arity, 1, axes> d;
    for (int a = 0; a < arity; ++a) {
        d.inputs[a].type = std::is_same_v<Op, op::where> && a == 0 ? dtype::boolean : gr::dtype_of<T>;
        d.inputs[a].stride[0] = 1;  // the inner axis of the scalar loop is a single element
        d.code[a] = load(a, d.inputs[a].type);
    }
    d.code[arity] = apply<Op>(result_of<Op, T>, 0, arity > 1 ? 1 : -1, arity > 2 ? 2 : -1);
    d.outputs[0] = plain(arity, result_of<Op, T>);
    d.extents[0] = any;
    if constexpr (Scalar) d.extents[1] = 1;
    d.body = arity + 1;
    return d;
}();

template <class T>
std::vector<T> inputs(std::size_t n, int seed, double low) {
    std::vector<T> x;
    for (std::size_t i = 0; i < n; ++i)
        x.push_back(static_cast<T>(low + (4 - low) * static_cast<double>((i * 37 + static_cast<std::size_t>(seed) * 11) % 101) / 101));
    return x;
}
double distance_in_ulp(double a, double b, double epsilon) {
    if (a == b || (std::isnan(a) && std::isnan(b))) return 0;
    int exponent = 0;
    std::frexp(b, &exponent);
    return std::abs(a - b) / std::ldexp(epsilon, exponent - 1);
}
/// Vectors of every length up to 70 equal single elements, within `ulp`.
template <class T, class R>
void lanes_agree(std::string const& name, loop_function of_vectors, loop_function of_elements, bool masked, double ulp, double low) {
    INFO(name);
    auto const a = inputs<T>(70, 1, low), b = inputs<T>(70, 2, low), c = inputs<T>(70, 3, low);
    bool mask[70];
    for (std::size_t i = 0; i < 70; ++i) mask[i] = i % 3 == 0;
    double worst = 0;
    for (std::int64_t n = 0; n <= 70; ++n) {
        target<R> vector(n), scalar(n);
        std::vector<void const*> in{a.data(), b.data(), c.data()};
        if (masked) in[0] = mask;
        run(of_vectors, in, {vector.data()}, {n});
        run(of_elements, in, {scalar.data()}, {n, 1});
        CHECK(vector.guarded());
        CHECK(scalar.guarded());
        for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
            double difference = distance_in_ulp(static_cast<double>(vector[i]), static_cast<double>(scalar[i]),
                                                static_cast<double>(std::numeric_limits<T>::epsilon()));
            if (!std::numeric_limits<T>::has_infinity && vector[i] != scalar[i]) difference = 1e9;
            worst = std::max(worst, difference);
        }
    }
    CAPTURE(worst);
    CHECK(worst <= ulp);
}
template <class T, class... Op>
void all_lanes_agree(double ulp = 0, double low = -4) {
    (lanes_agree<T, gr::element_t<result_of<Op, T>>>(std::string(Op::name), loop<one_operation<Op, T, false>>,
                                                     loop<one_operation<Op, T, true>>, std::is_same_v<Op, op::where>, ulp, low),
     ...);
}

}  // namespace

TEST_CASE_TEMPLATE("loop: vectors compute what single elements do, to the last bit where one instruction does it", T, float, double) {
    all_lanes_agree<T, op::neg, op::abs, op::square, op::relu, op::copy, op::stop_gradient>();
    all_lanes_agree<T, op::add, op::sub, op::mul, op::div, op::maximum, op::minimum, op::where>();
    all_lanes_agree<T, op::less, op::less_equal, op::greater, op::greater_equal, op::equal, op::not_equal>();
    all_lanes_agree<T, op::sqrt, op::rsqrt>(0, 0.1);
}
TEST_CASE_TEMPLATE("loop: vectors compute what single elements do, integers", T, std::int32_t, std::int64_t) {
    all_lanes_agree<T, op::neg, op::abs, op::square, op::relu, op::add, op::sub, op::mul, op::maximum, op::minimum, op::where>();
    all_lanes_agree<T, op::less, op::greater_equal, op::equal, op::not_equal>();
}
TEST_CASE_TEMPLATE("loop: vectors of transcendental functions are as good as single elements", T, float, double) {
    // the C library is within 1 ulp, xsimd documents 1 to 3 for these; sigmoid and softplus add two rounded operations
    all_lanes_agree<T, op::exp, op::expm1, op::sin, op::cos, op::tanh>(4);
    // xsimd 8.1's erf in double is 7e-15 off near 2.2, where erfc is computed as a product: 64 ulp of a number below 1
    all_lanes_agree<T, op::erf>(std::is_same_v<T, double> ? 64 : 4);
    all_lanes_agree<T, op::log, op::log1p>(4, 0.01);
    all_lanes_agree<T, op::sigmoid, op::softplus>(6);
    // pow's error grows with |b log a|, here up to 4 log 4 = 5.5
    all_lanes_agree<T, op::pow>(16, 0.1);
}

TEST_CASE("loop: operands repeat, turn and step; tails touch nothing else") {
    // r[i,j] = m[i,j] * v[j] + c[i] - t[j,i] with a scalar s added, m [3,n], t [n,3]
    static constexpr auto d = [] {
        k::loop_description<9, 5, 1, 2> x;
        std::int64_t const strides[5][2] = {{any, 1}, {0, 1}, {1, 0}, {1, any}, {0, 0}};
        for (int j = 0; j < 5; ++j) {
            x.inputs[j] = {dtype::float64, {strides[j][0], strides[j][1]}};
            x.code[j] = load(j, dtype::float64);
        }
        x.code[5] = apply<op::mul>(dtype::float64, 0, 1);
        x.code[6] = apply<op::add>(dtype::float64, 5, 2);
        x.code[7] = apply<op::sub>(dtype::float64, 6, 3);
        x.code[8] = apply<op::add>(dtype::float64, 7, 4);
        x.outputs[0] = plain(8, dtype::float64);
        x.extents[0] = x.extents[1] = any;
        x.body = 9;
        return x;
    }();
    for (std::size_t n : {1u, 2u, 3u, 7u, 8u, 9u, 31u, 40u}) {
        std::vector<double> m(3 * n), v(n), c{100, 200, 300}, t(3 * n), s{0.5}, expected;
        for (std::size_t i = 0; i < 3 * n; ++i) m[i] = static_cast<double>(i), t[i] = static_cast<double>(i % 13);
        for (std::size_t j = 0; j < n; ++j) v[j] = static_cast<double>(j % 5) - 2;
        for (std::size_t i = 0; i < 3; ++i)
            for (std::size_t j = 0; j < n; ++j) expected.push_back(m[i * n + j] * v[j] + c[i] - t[j * 3 + i] + 0.5);
        auto width = static_cast<std::int64_t>(n);
        target<double> out(3 * width);
        run(loop<d>, {m.data(), v.data(), c.data(), t.data(), s.data()}, {out.data()}, {3, width}, {width, 1, 0, 1, 1, 0, 1, 3, 0, 0});
        CHECK(out.values() == expected);  // whole and half numbers
        CHECK(out.guarded());
    }
}

namespace {

/// Sum and maximum of x [a,b,n] over the axes in `Axes`, and the sum of squares too.
template <class T, std::uint32_t Axes>
constexpr auto folds = [] {
    k::loop_description<2, 1, 3, 3> x;
    x.inputs[0] = {gr::dtype_of<T>, {any, any, 1}};
    x.code[0] = load(0, gr::dtype_of<T>);
    x.code[1] = apply<op::square>(gr::dtype_of<T>, 0);
    x.outputs[0] = folded(0, gr::dtype_of<T>, k::fold::sum, Axes);
    x.outputs[1] = folded(0, gr::dtype_of<T>, k::fold::amax, Axes);
    x.outputs[2] = folded(1, gr::dtype_of<T>, k::fold::sum, Axes);
    for (auto& e : x.extents) e = any;
    x.body = 2;
    return x;
}();

template <class T>
void check_folds(loop_function f, std::uint32_t axes, std::int64_t a, std::int64_t b, std::int64_t n) {
    CAPTURE(axes);
    CAPTURE(n);
    std::int64_t const extent[] = {a, b, n};
    std::int64_t size = 1;
    for (int axis = 0; axis < 3; ++axis) size *= axes >> axis & 1 ? 1 : extent[axis];
    std::vector<T> x(static_cast<std::size_t>(a * b * n));
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<T>(static_cast<int>(i * 29 % 41) - 30);
    T const lowest = std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
    std::vector<T> sum(static_cast<std::size_t>(size)), squares = sum, most(sum.size(), lowest);
    for (std::size_t i = 0; i < x.size(); ++i) {
        std::int64_t rest = static_cast<std::int64_t>(i), to = 0, step = 1;
        for (int axis = 2; axis >= 0; --axis) {
            if (!(axes >> axis & 1)) to += step * (rest % extent[axis]), step *= extent[axis];
            rest /= extent[axis];
        }
        auto place = static_cast<std::size_t>(to);
        sum[place] += x[i], squares[place] += x[i] * x[i], most[place] = std::max(most[place], x[i]);
    }
    target<T> s(size), m(size), q(size);
    run(f, {x.data()}, {s.data(), m.data(), q.data()}, {a, b, n}, {b * n, n, 1});
    CHECK(s.values() == sum);  // whole numbers: exact in any order
    CHECK(m.values() == most);
    CHECK(q.values() == squares);
    CHECK(s.guarded());
    CHECK(m.guarded());
    CHECK(q.guarded());
}
template <class T, std::uint32_t Axes>
void check_folds(std::int64_t a, std::int64_t b, std::int64_t n) {
    check_folds<T>(loop<folds<T, Axes>>, Axes, a, b, n);
}
template <class T>
void check_all_folds() {
    for (std::int64_t n : {0, 1, 2, 3, 5, 8, 15, 16, 17, 33, 64, 70}) {
        check_folds<T, 1>(2, 3, n);
        check_folds<T, 2>(2, 3, n);
        check_folds<T, 3>(2, 3, n);
        check_folds<T, 4>(2, 3, n);
        check_folds<T, 5>(2, 3, n);
        check_folds<T, 6>(2, 3, n);
        check_folds<T, 7>(2, 3, n);
    }
    check_folds<T, 4>(0, 3, 5);
    check_folds<T, 7>(2, 0, 5);
    check_folds<T, 1>(0, 2, 9);
}

}  // namespace

TEST_CASE("loop: sums and maxima over any axes, of any length, also of nothing") {
    check_all_folds<float>();
    check_all_folds<double>();
    check_all_folds<std::int32_t>();
}
TEST_CASE("loop: a maximum passes NaN on, wherever it stands") {
    for (std::size_t n : {1u, 7u, 20u, 67u})
        for (std::size_t at = 0; at < n; ++at) {
            std::vector<double> x(n, 1.0);
            x[at] = std::nan("");
            target<double> sum(1), most(1), squares(1);
            run(loop<folds<double, 7>>, {x.data()}, {sum.data(), most.data(), squares.data()}, {1, 1, static_cast<std::int64_t>(n)},
                {0, 0, 1});
            CHECK(std::isnan(most[0]));
        }
}
TEST_CASE("loop: element types of one size are converted in vectors, of two sizes one by one") {
    // i = int(x * 2), b = x > 0, f = float(b), and as double: one loop of 4 byte lanes, one mixed
    static constexpr auto same = [] {
        k::loop_description<6, 1, 3, 1> d;
        d.inputs[0] = {dtype::float32, {1}};
        d.code[0] = load(0, dtype::float32);
        d.code[1] = apply<op::add>(dtype::float32, 0, 0);
        d.code[2] = apply<op::cast>(dtype::int32, 1);
        d.code[3] = {k::constant, -1, -1, -1, dtype::float32, 0};
        d.code[4] = apply<op::greater>(dtype::boolean, 0, 3);
        d.code[5] = apply<op::cast>(dtype::float32, 4);
        d.outputs[0] = plain(2, dtype::int32);
        d.outputs[1] = plain(4, dtype::boolean);
        d.outputs[2] = plain(5, dtype::float32);
        d.extents[0] = any;
        d.body = 6;
        return d;
    }();
    static constexpr auto mixed = [] {
        k::loop_description<5, 2, 3, 1> d;
        d.inputs[0] = {dtype::float32, {1}};
        d.inputs[1] = {dtype::boolean, {1}};
        d.code[0] = load(0, dtype::float32);
        d.code[1] = load(1, dtype::boolean);
        d.code[2] = apply<op::cast>(dtype::float64, 0);
        d.code[3] = apply<op::cast>(dtype::int64, 2);
        d.code[4] = apply<op::cast>(dtype::float64, 1);
        d.outputs[0] = plain(3, dtype::int64);
        d.outputs[1] = plain(2, dtype::float64);
        d.outputs[2] = folded(4, dtype::float64, k::fold::sum, 1);
        d.extents[0] = any;
        d.body = 5;
        return d;
    }();
    static_assert(k::loop_facts<same>::bytes == 4 && k::loop_facts<mixed>::bytes == 0 && k::loop_facts<mixed>::width == 1);
    for (std::size_t n = 0; n <= 40; ++n) {
        std::vector<float> x(n);
        for (std::size_t i = 0; i < n; ++i) x[i] = 0.375f * static_cast<float>(static_cast<int>(i * 7 % 23) - 11);
        auto size = static_cast<std::int64_t>(n);
        target<std::int32_t> whole(size);
        target<bool> positive(size);
        target<float> one(size);
        run(loop<same>, {x.data()}, {whole.data(), positive.data(), one.data()}, {size});
        target<std::int64_t> truncated(size);
        target<double> wide(size), count(1);
        run(loop<mixed>, {x.data(), positive.data()}, {truncated.data(), wide.data(), count.data()}, {size});
        double expected_count = 0;
        for (std::size_t i = 0; i < n; ++i) {
            CHECK(whole[i] == static_cast<std::int32_t>(2 * x[i]));
            CHECK(positive[i] == (x[i] > 0));
            CHECK(one[i] == (x[i] > 0 ? 1.0f : 0.0f));
            CHECK(truncated[i] == static_cast<std::int64_t>(x[i]));
            CHECK(wide[i] == static_cast<double>(x[i]));
            expected_count += x[i] > 0;
        }
        CHECK(count[0] == expected_count);
        CHECK((whole.guarded() && positive.guarded() && one.guarded() && truncated.guarded() && wide.guarded() && count.guarded()));
    }
}
TEST_CASE("loop: indices, sizes and constants; scalars of full sums at the end") {
    // r[i,j] = i * 1000 + j + size, and sqrt(sum(r) / size) with the bias b
    static constexpr auto d = [] {
        k::loop_description<13, 1, 3, 2> x;
        x.inputs[0] = {dtype::float64, {0, 0}};
        x.code[0] = {k::index, 0, -1, -1, dtype::int64, 0};
        x.code[1] = {k::index, 1, -1, -1, dtype::int64, 0};
        x.code[2] = apply<op::cast>(dtype::float64, 0);
        x.code[3] = apply<op::cast>(dtype::float64, 1);
        x.code[4] = {k::constant, -1, -1, -1, dtype::float64, 1000};
        x.code[5] = apply<op::mul>(dtype::float64, 2, 4);
        x.code[6] = apply<op::add>(dtype::float64, 5, 3);
        x.code[7] = {k::size, 0, -1, -1, dtype::float64, 0};
        x.code[8] = apply<op::add>(dtype::float64, 6, 7);
        x.outputs[0] = plain(8, dtype::float64);
        x.outputs[1] = {8, dtype::float64, k::fold::sum, false, 3};  // read by the epilogue only
        x.code[9] = {k::reduced, 1, -1, -1, dtype::float64, 0};
        x.code[10] = load(0, dtype::float64);
        x.code[11] = apply<op::div>(dtype::float64, 9, 10);
        x.code[12] = apply<op::sqrt>(dtype::float64, 11);
        x.outputs[2] = {12, dtype::float64, k::fold::epilogue, true, 0};
        x.extents[0] = x.extents[1] = any;
        x.body = 9;
        return x;
    }();
    for (std::int64_t n : {1, 4, 8, 19, 33}) {
        double divisor = 4, sum = 0;
        target<double> out(2 * n), root(1);
        run(loop<d>, {&divisor}, {out.data(), nullptr, root.data()}, {2, n}, {}, {0.25});
        for (std::int64_t i = 0; i < 2; ++i)
            for (std::int64_t j = 0; j < n; ++j) {
                double expected = static_cast<double>(i * 1000 + j) + 0.25;
                CHECK(out[static_cast<std::size_t>(i * n + j)] == expected);
                sum += expected;  // quarters: exact
            }
        CHECK(root[0] == std::sqrt(sum / 4));
        CHECK(out.guarded());
        CHECK(root.guarded());
    }
}
template <class T>
constexpr auto side_by_side = [] {
    k::loop_description<4, 2, 3, 1> d;
    for (int a = 0; a < 2; ++a) {
        d.inputs[a] = {gr::dtype_of<T>, {any}, {}, {}};
        d.code[a] = load(a, gr::dtype_of<T>);
    }
    d.code[2] = apply<op::add>(gr::dtype_of<T>, 0, 1);
    d.code[3] = apply<op::less>(dtype::boolean, 0, 1);
    for (int o = 0; o < 3; ++o) {
        d.outputs[o] = o < 2 ? plain(o + 1, gr::dtype_of<T>) : plain(3, dtype::boolean);
        d.outputs[o].columns = o < 2 ? 3 : 2;
    }
    d.extents[0] = any;
    d.body = 4;
    return d;
}();
TEST_CASE_TEMPLATE("loop: results stand side by side, with others between them", T, float, double, std::int32_t, gr::float16) {
    auto const x = inputs<T>(120, 1, -4), y = inputs<T>(40, 2, -4);
    for (std::int64_t n = 0; n <= 40; ++n) {
        target<T> both(3 * n);
        target<bool> smaller(2 * n);
        T* const first = static_cast<T*>(both.data());
        run(loop<side_by_side<T>>, {x.data(), y.data()}, {first + 2, first, smaller.data()}, {n}, {3, 1});
        CHECK(both.guarded());
        CHECK(smaller.guarded());
        target<T> untouched(1);
        for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
            CHECK(both[3 * i + 2] == y[i]);
            CHECK(both[3 * i] == static_cast<T>(x[3 * i] + y[i]));
            CHECK(std::memcmp(first + 3 * i + 1, untouched.data(), sizeof(T)) == 0);
            CHECK(smaller[2 * i] == (x[3 * i] < y[i]));
        }
    }
}
TEST_CASE("loop: short static loops take vectors that fit") {
    static constexpr auto fixed = []<std::int64_t N>(std::integral_constant<std::int64_t, N>) {
        k::loop_description<2, 1, 2, 1> x;
        x.inputs[0] = {dtype::float32, {1}};
        x.code[0] = load(0, dtype::float32);
        x.code[1] = apply<op::square>(dtype::float32, 0);
        x.outputs[0] = plain(1, dtype::float32);
        x.outputs[1] = folded(1, dtype::float32, k::fold::sum, 1);
        x.extents[0] = N;
        x.body = 2;
        return x;
    };
    auto check = [](loop_function f, std::int64_t n) {
        float x[40], expected = 0;
        for (int i = 0; i < 40; ++i) x[i] = static_cast<float>(i + 1);
        for (int i = 0; i < n; ++i) expected += x[i] * x[i];
        target<float> out(n), sum(1);
        run(f, {x}, {out.data(), sum.data()}, {n});
        for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) CHECK(out[i] == x[i] * x[i]);
        CHECK(sum[0] == expected);  // whole numbers below 2^24
        CHECK((out.guarded() && sum.guarded()));
    };
    [&]<std::int64_t... N>(std::integer_sequence<std::int64_t, N...>) {
        (check(loop<fixed(std::integral_constant<std::int64_t, N + 1>{})>, N + 1), ...);
    }(std::make_integer_sequence<std::int64_t, 18>{});
}

namespace {

/// Sum and maximum of each row of x [rows,N], whose number run time tells.
template <class T, std::int64_t N>
constexpr auto short_rows = [] {
    k::loop_description<2, 1, 2, 2> x;
    x.inputs[0] = {gr::dtype_of<T>, {any, 1}};
    x.code[0] = load(0, gr::dtype_of<T>);
    x.code[1] = apply<op::square>(gr::dtype_of<T>, 0);
    x.outputs[0] = folded(1, gr::dtype_of<T>, k::fold::sum, 2);
    x.outputs[1] = folded(0, gr::dtype_of<T>, k::fold::amax, 2);
    x.extents[0] = any;
    x.extents[1] = N;
    x.body = 2;
    return x;
}();
template <class T, std::int64_t N>
void check_short_rows() {
    CAPTURE(N);
    constexpr std::int64_t step = N + 1;
    for (std::int64_t rows : {0, 1, 3, 4, 5, 8, 15, 16, 17, 35}) {
        std::vector<T> x(static_cast<std::size_t>(rows * step)), squares, most;
        for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<T>(static_cast<int>(i * 29 % 41) - 30);
        for (std::int64_t i = 0; i < rows; ++i) {
            T sum = 0, largest = x[static_cast<std::size_t>(i * step)];
            for (std::int64_t j = 0; j < N; ++j) {
                T const e = x[static_cast<std::size_t>(i * step + j)];
                sum += e * e, largest = std::max(largest, e);
            }
            squares.push_back(sum), most.push_back(largest);
        }
        target<T> s(rows), m(rows);
        run(loop<short_rows<T, N>>, {x.data()}, {s.data(), m.data()}, {rows, N}, {step, 1});
        CHECK(s.values() == squares);  // whole numbers: exact in any order
        CHECK(m.values() == most);
        CHECK(s.guarded());
        CHECK(m.guarded());
    }
}

/// sum_i where(c, x[i,j,l] * y[i,j], 0) for each j and l, and its sum over these; c[i,j] is loaded, or a[i,j] >= b[i] - j.
template <class T, bool Loaded, std::int64_t N>
constexpr auto selected_rows = [] {
    constexpr dtype type = gr::dtype_of<T>;
    k::loop_description<12, 5, 2, 3> d;
    d.inputs[0] = {Loaded ? dtype::boolean : type, {any, any, 0}};
    d.inputs[1] = {type, {any, 0, 0}};
    d.inputs[2] = {type, {any, any, 1}};
    d.inputs[3] = {type, {any, any, 0}};
    d.code[0] = load(0, d.inputs[0].type);
    d.code[1] = load(1, type);
    d.code[2] = {k::index, 1, -1, -1, type, 0};
    d.code[3] = apply<op::sub>(type, 1, 2);
    d.code[4] = Loaded ? load(0, dtype::boolean) : apply<op::greater_equal>(dtype::boolean, 0, 3);
    d.code[5] = load(2, type);
    d.code[6] = load(3, type);
    d.code[7] = apply<op::mul>(type, 5, 6);
    d.code[8] = {k::constant, -1, -1, -1, type, 0};
    d.code[9] = apply<op::where>(type, 4, 7, 8);
    d.code[10] = apply<op::where>(type, 4, 6, 8);
    d.outputs[0] = folded(9, type, k::fold::sum, 1);
    d.outputs[1] = folded(10, type, k::fold::sum, 7);
    d.extents[0] = d.extents[1] = any;
    d.extents[2] = N;
    d.body = 11;
    d.code[11] = {k::reduced, 1, -1, -1, type, 0};
    return d;
}();
template <class T, bool Loaded, std::int64_t N>
void check_selected_rows() {
    static_assert(k::loop_guard<selected_rows<T, Loaded, N>, list>::exists);
    CAPTURE(N);
    for (std::size_t rows : {0u, 1u, 2u, 7u, 8u, 9u, 16u, 21u})
        for (std::size_t step : {1u, 2u}) {  // from one condition to the next
            std::size_t const n = 5, all = n * rows;
            bool conditions[2 * 5 * 21] = {};
            std::vector<T> a(2 * all), b(n), x(all * N), y(all), sums(rows * N);
            T total = 0;
            for (std::size_t i = 0; i < n; ++i) b[i] = static_cast<T>(static_cast<int>(i % 3) + 7);
            for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<T>(static_cast<int>(i * 29 % 41) - 30);
            for (std::size_t i = 0; i < all; ++i) {
                y[i] = static_cast<T>(static_cast<int>(i % 4) - 1);
                a[i * step] = static_cast<T>(i * 5 % 11);
                bool const holds = a[i * step] >= b[i / rows] - static_cast<T>(i % rows);
                conditions[i * step] = holds;
                for (std::size_t l = 0; l < N && holds; ++l) sums[i % rows * N + l] += x[i * N + l] * y[i], total += y[i];
            }
            target<T> s(static_cast<std::int64_t>(sums.size())), t(1);
            auto const r = static_cast<std::int64_t>(rows), by = static_cast<std::int64_t>(step);
            void const* const first = Loaded ? static_cast<void const*>(conditions) : a.data();
            run(loop<selected_rows<T, Loaded, N>>, {first, b.data(), x.data(), y.data()}, {s.data(), t.data()}, {5, r, N},
                {r * by, by, 0, 1, 0, 0, r * N, N, 1, r, 1, 0});
            CHECK(s.values() == sums);  // whole numbers: exact in any order
            CHECK(t[0] == total);
            CHECK(s.guarded());
        }
}

}  // namespace

TEST_CASE_TEMPLATE("loop: short rows end together, whatever their number", T, float, double, std::int32_t, std::int64_t) {
    check_short_rows<T, 2>();
    check_short_rows<T, 3>();
    check_short_rows<T, 8>();
    check_short_rows<T, 17>();
}
TEST_CASE_TEMPLATE("loop: of sums of what a condition selects only the rows run where it holds", T, float, double, std::int64_t) {
    check_selected_rows<T, false, 3>();
    check_selected_rows<T, true, 3>();
    check_selected_rows<T, false, 16>();
    check_selected_rows<T, true, 16>();
}
