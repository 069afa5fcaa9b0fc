// SPDX-License-Identifier: BSL-1.0
// expect: gradus::tensor::requires_grad_(): only Tensors of floating point dtype can require gradients: the tensor is int64[3]
#include <gradus.hpp>

namespace gr = gradus;

int main() {
    auto labels = gr::arange<std::int64_t, 3>();
    auto weights = gr::arange<float, 3>();
#ifdef GRADUS_FAIL
    labels.requires_grad_();
#else
    weights.requires_grad_();
#endif
}
