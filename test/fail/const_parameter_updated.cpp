// SPDX-License-Identifier: BSL-1.0
// expect: gradus::program(w = data): the data is const, but the program updates w
#include <gradus.hpp>

namespace gr = gradus;

constexpr auto w = gr::var<"w", float, 4>;
constexpr auto f = gr::compile(gr::update(w, w - w * w));

int main() {
    gr::array<float, 4> W{};
    gr::array<float, 4> const fixed{};
    static_cast<void>(fixed);
#ifdef GRADUS_FAIL
    f(w = fixed);
#else
    f(w = W);
#endif
}
