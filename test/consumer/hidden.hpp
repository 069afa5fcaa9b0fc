// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus.hpp>

// What hidden.cpp, a shared library that hides its other symbols, exports.
#define HIDDEN_EXPORT __attribute__((visibility("default")))

namespace hidden {
template <class T>
using vector = gradus::tensor<T, gradus::dyn>;

HIDDEN_EXPORT bool records();
HIDDEN_EXPORT vector<double> cubed(vector<double> const& x);
HIDDEN_EXPORT vector<float> cubed(vector<float> const& x);
/// The derivative of sum(y) with respect to x, recorded.
HIDDEN_EXPORT vector<double> slope(vector<double> const& y, vector<double> const& x);
HIDDEN_EXPORT void uses_undefined();
HIDDEN_EXPORT void refuses_shapes();
HIDDEN_EXPORT void warns();
}  // namespace hidden
