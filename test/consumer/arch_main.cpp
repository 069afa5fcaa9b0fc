// SPDX-License-Identifier: BSL-1.0
#include "arch.hpp"

#include <gradus/core/error.hpp>
#include <gradus/tensor/state/mode.hpp>

#include <cmath>
#include <cstdio>

extern unit const plain, wide, interpreted;

int main() {
    float x[37];
    double exact = 0;
    for (int i = 0; i < 37; ++i) {
        x[i] = static_cast<float>(i - 18) / 8;
        exact += std::exp(std::tanh(static_cast<double>(x[i]))) * x[i];
    }
    int faults = 0;
    auto expect = [&](bool holds, char const* what) {
        if (!holds) std::printf("%s\n", what), ++faults;
    };
    expect(plain.lanes == 4, "the plain unit has not 4 lanes");
    for (unit const* u : {&plain, &wide, &interpreted}) {
        if (u == &wide && !__builtin_cpu_supports("avx2")) continue;                     // it is compiled, linked and looked at
        expect(std::fabs(u->run(x, 37) - (exact + 2 * x[0])) < 1e-4, "a sum is wrong");  // 37 terms below 8 of 2 ulp each
        {
            gradus::no_grad guard;
            expect(!u->records(), "no_grad does not hold in a unit");
            expect(std::fabs(u->run(x, 37) - exact) < 1e-4, "a sum is wrong without gradients");
        }
        try {
            u->refuses();
            expect(false, "nothing was thrown");
        } catch (gradus::error const&) {}
    }
    return faults;
}
