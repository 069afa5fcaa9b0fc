// SPDX-License-Identifier: BSL-1.0
#include "first.hpp"

std::type_index first::type_of_step() { return typeid(model::step); }
std::type_index first::type_of_twice() { return typeid(model::twice); }
void const* first::address_of_step() { return &model::step; }
first::result first::run(std::vector<float> const& x, std::vector<float> const& y, std::vector<float> const& w) {
    float const bias[3] = {0.1f, 0.2f, 0.3f};
    return model::step(model::x = x, model::y = y, model::w = w, model::b = bias);
}
bool first::same_program(decltype(model::step)) { return true; }
