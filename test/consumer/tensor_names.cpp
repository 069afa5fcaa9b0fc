// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>

// As names.cpp, for tensors: templates are instantiated where users call their globals what they like.
inline constexpr int a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, i = 0, j = 0, k = 0, l = 0, m = 0, n = 0, o = 0, p = 0, q = 0,
                     r = 0, s = 0, t = 0, u = 0, v = 0, w = 0, x = 0, y = 0, z = 0;
inline constexpr int T = 0, E = 0, I = 0, D = 0, S = 0, X = 0;
inline constexpr int value = 0, values = 0, data = 0, size = 0, count = 0, rank = 0, axis = 0, name = 0, text = 0, first = 0, last = 0,
                     in = 0, out = 0, all = 0, more = 0, made = 0, result = 0, rows = 0, state = 0, type = 0, memory = 0, extents = 0,
                     gradient = 0, base = 0, node = 0, place = 0, parameters = 0, options = 0, step = 0, number = 0, share = 0, edge = 0,
                     leaf = 0, item = 0, shape = 0;

int names_of_users_of_tensors() {
    gradus::random source(1);
    gradus::nn::linear<float, 2, 2> layer(source);
    gradus::optim::adamw adamw(gradus::nn::parameters(layer));
    gradus::optim::sgd sgd(gradus::nn::parameters(layer), {.momentum = 0.9});
    gradus::tensor loss = gradus::sum(layer(gradus::tensor<float, gradus::dyn, 2>{{1, 2}}));
    loss.backward();
    adamw.step();
    sgd.step();
    auto blob = gradus::from_blob<float, gradus::dyn>(new float[2]{}, 2, [](float* owned) { delete[] owned; });
    return gradus::to_string(loss).size() + gradus::to_dot(loss).size() + gradus::to_string(gradus::any_tensor(blob)).size();
}
