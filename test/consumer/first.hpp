// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "model.hpp"

#include <tuple>
#include <typeindex>
#include <vector>

// What the other translation unit makes of the model. The declaration itself names types with closures in them: it links
// only if they are the same types there.
namespace first {

using result = std::tuple<float, gradus::array<float, 4, 3>, gradus::array<float, 3>>;

std::type_index type_of_step();
std::type_index type_of_twice();
void const* address_of_step();
result run(std::vector<float> const& x, std::vector<float> const& y, std::vector<float> const& w);
bool same_program(decltype(model::step));

}  // namespace first
