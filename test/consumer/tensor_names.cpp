// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>

// As names.cpp, for tensors: templates are instantiated where users call their globals what they like.
#include "globals.hpp"

int names_of_users_of_tensors() {
    gradus::random source(1);
    gradus::nn::linear<float, 2, 2> layer(source);
    gradus::optim::adamw adamw(gradus::nn::parameters(layer));
    gradus::optim::sgd sgd(gradus::nn::parameters(layer), {.momentum = 0.9});
    gradus::tensor cost = gradus::sum(layer(gradus::tensor<float, gradus::dyn, 2>{{1, 2}}));
    cost.backward();
    adamw.step();
    sgd.step();
    auto blob = gradus::from_blob<float, gradus::dyn>(new float[2]{}, 2, [](float* owned) { delete[] owned; });
    return gradus::to_string(cost).size() + gradus::to_dot(cost).size() + gradus::to_string(gradus::any_tensor(blob)).size();
}
