// SPDX-License-Identifier: BSL-1.0
// The program of somebody else's project: ways.py builds it in every way in which gradus can be had.
#include <gradus.hpp>

static_assert(GRADUS_VERSION >= 100);

constexpr auto x = gradus::var<"x", double, 3>;
constexpr auto f = gradus::compile(gradus::grad(gradus::sum(gradus::square(x)), x));

int main() {
    double const at[3] = {1, 2, 3};
    auto [g] = f(x = at);
    return g(0) == 2 && g(1) == 4 && g(2) == 6 ? 0 : 1;
}
