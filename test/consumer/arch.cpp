// SPDX-License-Identifier: BSL-1.0
// A unit of arch.py's program: -DUNIT=name -march=... -DGRADUS_INTERPRET
#include "arch.hpp"

#include <gradus.hpp>

namespace {

constexpr auto x = gradus::var<"x", float, "n">;
constexpr auto program = gradus::compile(gradus::sum(gradus::exp(gradus::tanh(x)) * x));

bool records() { return gradus::is_grad_enabled(); }
float run(float const* from, int n) {
    std::span<float const> const all(from, static_cast<std::size_t>(n));
    gradus::tensor<float, gradus::dyn> t(std::vector<float>(all.begin(), all.end()));
    t.requires_grad_();
    gradus::tensor<float> y = gradus::sum(t * t);
    if (y.requires_grad()) y.backward();
    auto const [value] = program(x = all);
    return value + (y.requires_grad() ? t.grad().values()[0] : 0.0f);
}
void refuses() { throw gradus::shape_error("a unit's"); }

}  // namespace

extern unit const UNIT;
unit const UNIT{gradus::simd::native_width<float>, &records, &run, &refuses};
