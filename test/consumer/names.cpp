// SPDX-License-Identifier: BSL-1.0
#include "model.hpp"

// A second program, so that templates are instantiated behind these declarations.
#include "globals.hpp"

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

float names_of_users(float const* rows_of_x, gradus::array<float, 4, 3>& weights, float const (&shifts)[3]) {
    std::int32_t const labels[2] = {0, 1};
    auto const answer = train(model::x = std::span(rows_of_x, 8), model::w = weights, model::b = shifts,
                              gradus::var<"label", std::int32_t, "batch"> = std::span(labels));
    float const pixels[16] = {};
    auto const others = further(image = pixels, key = 1);
    return std::get<0>(answer) + std::get<0>(others)(0, 0);
}
