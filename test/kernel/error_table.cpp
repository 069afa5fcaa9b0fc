// SPDX-License-Identifier: BSL-1.0
#include <gradus/kernel/loop.hpp>
#include <gradus/op/list.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

// The error of every elementwise primitive in float, in ulp of the result, on SIMD lanes and on one number: its formula in double
// is the reference. Prints a table; what is allowed stands below, with the reason where it is more than 4.
namespace {

namespace op = gradus::op;
namespace simd = gradus::simd;

constexpr double infinity = std::numeric_limits<double>::infinity();

/// Where an operation is defined, and how many ulp its formula may be off.
struct expectation {
    std::string_view name;
    double low, high;
    double allowed;
    double floor = 0;  ///< errors are in ulp of this number where the result is smaller, beside a root
};
constexpr expectation usual{"", -20, 20, 4};
constexpr expectation special[] = {
    {"pow", 0, 20, 4},
    {"log", 0, 1e30, 4},
    {"log1p", -1, 1e30, 4},
    {"logit", 0, 1, 4},
    {"acosh", 1, 1e10, 4},
    {"lgamma", 0, 30, 8, 1},            // roots at 1 and 2
    {"digamma", 0, 30, 16, 1},          // a root near 1.46; ten terms are added up
    {"trigamma", 0, 30, 16},            // ten terms
    {"polygamma_2", 0, 30, 16},         // ten terms
    {"logaddexp", -20, 20, 4, 1},       // a + log1p(...) cancels near a root
    {"erfcx", -9, 30, 8},               // two exponentials and a quotient of polynomials
    {"tanh_slope", -20, 20, 6},         // an exponential, and the square of a rounded sum or quotient
    {"tanh_slope_beside", -20, 20, 6},  // the same
    {"sigmoid_slope", -20, 20, 6},      // the same
    {"log_ndtr", -1000, 4, 16},         // x^2 / 2, rounded, is an exponent of up to 8, beside what erfcx is off
};
constexpr expectation expected_of(std::string_view name) {
    for (expectation const& e : special)
        if (e.name == name) return e;
    return usual;
}

struct measured {
    double error = 0;
    std::array<float, 3> at{};
};
/// ulp of a float result against the number it stands for; that of the smallest normal number where it is smaller.
double ulps(float got, double expected, double floor) {
    if (std::isnan(expected)) return std::isnan(got) ? 0 : infinity;
    if (std::abs(expected) > static_cast<double>(std::numeric_limits<float>::max())) return 0;
    if (static_cast<double>(got) == expected) return 0;
    double const spacing =
        std::ldexp(1.0, std::ilogb(std::max({std::abs(expected), floor, static_cast<double>(std::numeric_limits<float>::min())})) - 23);
    return std::abs(static_cast<double>(got) - expected) / spacing;
}

template <class Op, class... X>
auto evaluated(X... x) {
    if constexpr (std::is_same_v<Op, op::where>)
        return gradus::where([&](auto first, auto...) { return first > 0; }(x...), [](auto, auto b, auto) { return b; }(x...),
                             [](auto, auto, auto c) { return c; }(x...));
    else return Op::eval(x...);
}
/// Is the result a number, not a truth value?
template <class Op>
constexpr bool is_measured = [] {
    if constexpr (std::is_same_v<Op, op::cast> || std::is_base_of_v<op::connective<Op, Op::arity>, Op>) return false;
    else if constexpr (Op::arity == 1) return !std::is_same_v<decltype(evaluated<Op>(1.0)), bool>;
    else if constexpr (Op::arity == 2) return !std::is_same_v<decltype(evaluated<Op>(1.0, 1.0)), bool>;
    else return true;
}();

/// The worst of `count` draws, `Width` lanes at a time. Half of them are uniform in the range, half have uniform exponents.
template <class Op, int Width>
measured worst(expectation const& e, int count) {
    measured found;
    std::uint32_t state = 1;
    auto const next = [&] { return static_cast<double>((state = state * 1664525u + 1013904223u) >> 8) * 0x1p-24; };
    float x[3][Width], y[Width];
    for (int i = 0; i < count; i += Width) {
        for (auto& operand : x)
            for (float& lane : operand) {
                double const uniform = e.low + (e.high - e.low) * next(),
                             small = std::exp2(-30 * next()) * (e.low < 0 && next() < 0.5 ? std::max(e.low, -1.0) : std::min(e.high, 1.0));
                lane = static_cast<float>(next() < 0.5 || small < e.low || small > e.high ? uniform : small);
            }
        auto const apply = [&]<std::size_t... K>(std::index_sequence<K...>) {
            simd::store<float, Width>(y, evaluated<Op>(simd::load<float, Width>(x[K])...));
        };
        apply(std::make_index_sequence<Op::arity>{});
        for (int lane = 0; lane < Width; ++lane) {
            double const error = [&]<std::size_t... K>(std::index_sequence<K...>) {
                return ulps(y[lane], evaluated<Op>(static_cast<double>(x[K][lane])...), e.floor);
            }(std::make_index_sequence<Op::arity>{});
            if (error > found.error) found = {error, {x[0][lane], x[1][lane], x[2][lane]}};
        }
    }
    return found;
}
template <class Op>
void measure() {
    if constexpr (is_measured<Op>) {
        expectation const e = expected_of(Op::name);
        measured const lanes = worst<Op, simd::native_width<float>>(e, 1 << 15), one = worst<Op, 1>(e, 1 << 13);
        char row[200];
        std::snprintf(row, sizeof row, "%-14s | %8.2f | %8.2f | %g", std::string(Op::name).c_str(), lanes.error, one.error,
                      static_cast<double>(lanes.at[0]));
        MESSAGE(row);
        CAPTURE(Op::name);
        CAPTURE(lanes.at[0]);
        CAPTURE(lanes.at[1]);
        CHECK(lanes.error <= e.allowed);
        CHECK(one.error <= e.allowed);
    }
}
template <class... Op>
void measure_all(op::op_list<Op...>) {
    (measure<Op>(), ...);
}

}  // namespace

TEST_CASE("float errors in ulp: operation | lanes | one number | worst at") {
    measure_all(op::elementwise_list{});
    measure_all(op::further_list{});
}
