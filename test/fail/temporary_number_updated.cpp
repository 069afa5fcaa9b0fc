// SPDX-License-Identifier: BSL-1.0
// expect: gradus::program(w = data): the data is a temporary, but the program updates w
#include <gradus.hpp>

namespace gr = gradus;

constexpr auto w = gr::var<"w", float>;
constexpr auto f = gr::compile(gr::update(w, w + w));

int main() {
    float W = 1;
#ifdef GRADUS_FAIL
    f(w = 1.0f);
#else
    f(w = W);
#endif
}
