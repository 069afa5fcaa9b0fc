// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus.hpp>

// A model that two translation units share. `inline constexpr`: a closure in the initialiser of an inline variable is
// one type in every translation unit.
namespace model {

namespace gr = gradus;
using namespace gr::literals;

inline constexpr auto x = gr::var<"x", float, "batch", 4>;
inline constexpr auto y = gr::var<"y", float, "batch", 3>;
inline constexpr auto w = gr::var<"w", float, 4, 3>;
inline constexpr auto b = gr::var<"b", float, 3>;

inline constexpr auto hidden = gr::let([] { return gr::tanh(gr::matmul(x, w) + b); });
inline constexpr auto loss = gr::let([] { return gr::mse_loss(hidden, y) + 0.01_c * gr::sum(gr::square(w)); });
inline constexpr auto step = gr::compile(loss, gr::grad(loss, w), gr::grad(loss, b));

inline constexpr auto scaled(auto factor) {
    return gr::let([=] { return factor * loss; });
}
inline constexpr auto twice = scaled(2_c);

}  // namespace model
