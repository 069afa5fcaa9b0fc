// SPDX-License-Identifier: BSL-1.0
#include "hidden.hpp"

namespace hidden {

bool records() { return gradus::is_grad_enabled(); }
vector<double> cubed(vector<double> const& x) { return vector<double>(x * x * x); }
vector<float> cubed(vector<float> const& x) { return vector<float>(x * x * x); }
vector<double> slope(vector<double> const& y, vector<double> const& x) {
    gradus::tensor<double> total = gradus::sum(y);
    return gradus::autograd::grad(total, x, {.create_graph = true});
}
void uses_undefined() { static_cast<void>(vector<double>().size()); }
void refuses_shapes() { static_cast<void>(vector<double>(vector<double>{1, 2} + vector<double>{1, 2, 3})); }
void warns() {
    vector<double> x{1, 2};
    x.requires_grad_();
    static_cast<void>(vector<double>(x * 2.0).grad());
}

}  // namespace hidden
