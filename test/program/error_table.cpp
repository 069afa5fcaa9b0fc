// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>
#include <gradus/graph/interpret.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdio>
#include <limits>
#include <vector>

// The error in float, in ulp of the result, of the elementwise operations that are made of others: kernels against the
// interpreter in double. Prints a table, as test/kernel/error_table.cpp does for primitives.
namespace {

namespace gr = gradus;
constexpr int count = 4096;
constexpr auto x = gr::var<"x", float, count>;  // in [-20, 20], half of them near 0
constexpr auto y = gr::var<"y", float, count>;
constexpr auto w = gr::var<"w", float, count>;

/// `floor`: errors are in ulp of this number where the result is smaller.
struct row {
    char const* name;
    double allowed, floor = 0;
};

template <class... F>
void measure(std::vector<row> const& rows, F...) {
    using Source = gr::expressions<F...>;
    using S = gr::stages<Source>;
    std::vector<float> in[3];
    std::uint32_t state = 1;
    auto const next = [&] { return static_cast<double>((state = state * 1664525u + 1013904223u) >> 8) * 0x1p-24; };
    for (auto& operand : in)
        for (int i = 0; i < count; ++i) {
            double const size = i % 2 ? 20 * next() : std::exp2(-30 * next());
            operand.push_back(static_cast<float>(next() < 0.5 ? -size : size));
        }
    std::vector<std::vector<float>> out(sizeof...(F), std::vector<float>(count));
    std::vector<void*> symbols, outputs;
    gr::symbol_values<double> values;
    for (auto const& s : S::optimized.symbols) {
        if (s.name.empty()) continue;
        auto& operand = in[s.name == "x" ? 0 : s.name == "y" ? 1 : 2];
        symbols.push_back(operand.data());
        values[std::string(s.name)] = {operand.begin(), operand.end()};
    }
    for (auto& o : out) outputs.push_back(o.data());
    gr::workspace scratch(static_cast<std::size_t>(S::plan.workspace_bytes(nullptr)) + 64);
    gr::core::run_program<Source>({symbols.data(), outputs.data(), scratch.data(), nullptr});
    // constants are what a float makes of them on both sides
    auto const expected = gr::interpret<double>(S::differentiated.thaw(), values);
    REQUIRE(rows.size() == sizeof...(F));
    for (std::size_t k = 0; k < rows.size(); ++k) {
        double most = 0;
        float at = 0;
        for (std::size_t i = 0; i < count; ++i) {
            double const right = expected[k][i], got = static_cast<double>(out[k][i]);
            if (std::abs(right) < static_cast<double>(std::numeric_limits<float>::min()) || right == got) continue;
            double const error = std::abs(got - right) / std::ldexp(1.0, std::ilogb(std::max(std::abs(right), rows[k].floor)) - 23);
            if (!(error <= most)) most = error, at = in[0][i];
        }
        char text[100];
        std::snprintf(text, sizeof text, "%-12s | %8.2f | %g", rows[k].name, most, static_cast<double>(at));
        MESSAGE(text);
        CHECK(most <= rows[k].allowed);
    }
}

}  // namespace

// Derivatives and the whole range are compared with exact values in test/kernel/exact.cpp. gelu_tanh: its cubic is an exponent. lerp: a + w
// (b - a) with operands up to 20 cancels; so do fma and addcmul, up to 420, where the machine rounds twice.
TEST_CASE("float errors in ulp: activation | kernel | worst at") {
    measure({{"logsigmoid", 4},
             {"silu", 4},
             {"gelu", 4},
             {"gelu_tanh", 4, 1},
             {"elu", 4},
             {"selu", 4},
             {"leaky_relu", 4},
             {"hardtanh", 4},
             {"mish", 4},
             {"ndtr", 4}},
            gr::logsigmoid(x), gr::silu(x), gr::gelu(x), gr::gelu_tanh(x), gr::elu(x), gr::selu(x), gr::leaky_relu(x), gr::hardtanh(x),
            gr::mish(x), gr::ndtr(x));
}
TEST_CASE("float errors in ulp: composite | kernel | worst at") {
    measure({{"reciprocal", 4},
             {"lerp", 4, 16},
             {"fma", 4, 256},
             {"addcmul", 4, 256},
             {"xlog1py", 4},
             {"remainder", 4},
             {"sign", 0},
             {"heaviside", 0},
             {"clamp", 0},
             {"nan_to_num", 0}},
            gr::reciprocal(x), gr::lerp(x, y, w), gr::fma(x, y, w), gr::addcmul(x, y, w), gr::xlog1py(x, gr::abs(y)), gr::remainder(x, y),
            gr::sign(x), gr::heaviside(x, y), gr::clamp(x, y, w), gr::nan_to_num(x));
}
