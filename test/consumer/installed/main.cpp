// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>

constexpr auto x = gradus::var<"x", double, 3>;
constexpr auto f = gradus::compile(gradus::grad(gradus::sum(gradus::square(x)), x));

int main() {
    double const at[3] = {1, 2, 3};
    auto [g] = f(x = at);
    return g(0) == 2 && g(1) == 4 && g(2) == 6 ? 0 : 1;
}
