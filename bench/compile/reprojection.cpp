// SPDX-License-Identifier: BSL-1.0
// Scalars: the error of one point in a camera's picture and its derivatives by rotation, translation, the point and the camera's
// own numbers, 30 results of scalar formulas.
#include <gradus.hpp>

#include <utility>

namespace gr = gradus;
using namespace gr::literals;

constexpr auto rotation = gr::var<"rotation", double, 3>;
constexpr auto translation = gr::var<"translation", double, 3>;
constexpr auto point = gr::var<"point", double, 3>;
constexpr auto camera = gr::var<"camera", double, 6>;  // focal lengths, centre, distortion
constexpr auto seen = gr::var<"seen", double, 2>;

template <int I>
constexpr auto r = gr::select<0, I>(rotation);
template <int I>
constexpr auto p = gr::select<0, I>(point);
template <int I>
constexpr auto c = gr::select<0, I>(camera);

constexpr auto angle = gr::let([] { return gr::sqrt(r<0> * r<0> + r<1> * r<1> + r<2> * r<2>); });
constexpr auto cosine = gr::let([] { return gr::cos(angle); });
constexpr auto sine = gr::let([] { return gr::sin(angle); });
template <int I>
constexpr auto axis = gr::let([] { return r<I> / angle; });
constexpr auto along = gr::let([] { return (axis<0> * p<0> + axis<1> * p<1> + axis<2> * p<2>)*(1_c - cosine); });
/// Rodrigues' formula.
template <int I>
constexpr auto turned = gr::let([] {
    constexpr int J = (I + 1) % 3, K = (I + 2) % 3;
    return p<I> * cosine + (axis<J> * p<K> - axis<K> * p<J>)*sine + axis<I> * along + gr::select<0, I>(translation);
});
constexpr auto u = gr::let([] { return turned<0> / turned<2>; });
constexpr auto v = gr::let([] { return turned<1> / turned<2>; });
constexpr auto square = gr::let([] { return u * u + v * v; });
constexpr auto distortion = gr::let([] { return 1_c + square * (c<4> + c<5> * square); });
constexpr auto error_u = c<0> * distortion * u + c<2> - gr::select<0, 0>(seen);
constexpr auto error_v = c<1> * distortion * v + c<3> - gr::select<0, 1>(seen);

template <class E>
constexpr auto row(E error) {
    return gr::concatenate<0>(gr::grad(error, rotation), gr::grad(error, translation), gr::grad(error, point), gr::grad(error, camera));
}
constexpr auto program = gr::compile(gr::stack<0>(row(error_u), row(error_v)));

int main() {
    double const w[3] = {0.1, -0.2, 0.3}, t[3] = {0.5, 0.25, 4}, x[3] = {1, 2, 3}, k[6] = {500, 510, 320, 240, 0.01, 0.001},
                 s[2] = {400, 500};
    auto [jacobian] = program(rotation = w, translation = t, point = x, camera = k, seen = s);
    return jacobian(0, 3) > 0 ? 0 : 1;
}
