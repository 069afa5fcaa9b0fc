// SPDX-License-Identifier: BSL-1.0
#include "model.hpp"

// Users call their globals what they like: g++ must not take the library's own locals for shadows of them.
// -Wshadow -Werror is the test. A second program, so that templates are instantiated after these declarations.
inline constexpr int a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, i = 0, j = 0, k = 0, l = 0, m = 0, n = 0, o = 0, p = 0, q = 0,
                     r = 0, s = 0, t = 0, u = 0, v = 0, w = 0, x = 0, y = 0, z = 0;
inline constexpr int A = 0, B = 0, C = 0, D = 0, E = 0, F = 0, G = 0, H = 0, I = 0, J = 0, K = 0, L = 0, M = 0, N = 0, O = 0, P = 0, Q = 0,
                     R = 0, S = 0, T = 0, U = 0, V = 0, W = 0, X = 0, Y = 0, Z = 0;
inline constexpr int value = 0, data = 0, size = 0, count = 0, rank = 0, axis = 0, name = 0, text = 0, first = 0, last = 0, left = 0,
                     right = 0, top = 0, in = 0, out = 0, body = 0, result = 0, results = 0, rows = 0, columns = 0, batch = 0, offset = 0,
                     stride = 0, code = 0, node = 0, kernel = 0, group = 0, shape = 0, extent = 0, total = 0, scale = 0, dimensions = 0,
                     arguments = 0, symbols = 0, step = 0;

namespace {
constexpr auto loss =
    gradus::cross_entropy(model::hidden, gradus::var<"label", std::int32_t, "batch">) + gradus::sum(gradus::square(model::b));
constexpr auto train =
    gradus::compile(loss, gradus::update(model::w, model::w - gradus::grad(loss, model::w)), gradus::argmax<1>(model::hidden),
                    gradus::softmax(model::hidden), gradus::concatenate<0>(model::b, gradus::slice<0, 2>(model::b)));
constexpr auto image = gradus::var<"image", float, 1, 1, 4, 4>;
constexpr auto key = gradus::var<"key", std::int32_t>;
constexpr auto square_matrix = gradus::reshape<4, 4>(gradus::avg_pool2d<gradus::pool{.size = 3, .stride = 1, .padding = 1}>(image));
constexpr auto further = gradus::compile(gradus::sort(square_matrix), gradus::solve(square_matrix, gradus::cholesky(square_matrix)),
                                         gradus::dropout(square_matrix, key), std::get<0>(gradus::cummax<0>(square_matrix)));
static_assert(train.explain(gradus::dim<"batch"> = 8).size() > 0);
static_assert(gradus::graph_of(loss).count("matmul") == 1);
}  // namespace

float names_of_users(float const* rows_of_x, gradus::array<float, 4, 3>& weights, float const (&bias)[3]) {
    std::int32_t const labels[2] = {0, 1};
    auto const answer = train(model::x = std::span(rows_of_x, 8), model::w = weights, model::b = bias,
                              gradus::var<"label", std::int32_t, "batch"> = std::span(labels));
    float const pixels[16] = {};
    auto const others = further(image = pixels, key = 1);
    return std::get<0>(answer) + std::get<0>(others)(0, 0);
}
