// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/tensor/any_tensor.hpp>

#include <vector>

namespace gradus::inline GRADUS_ARCH::nn {

/// The parameters of modules in one list, for an optimiser: `gr::optim::adam step(gr::nn::parameters(body, head));`.
template <class... Module>
std::vector<any_tensor> parameters(Module const&... modules) {
    std::vector<any_tensor> all;
    auto append = [&all](std::vector<any_tensor> const& more) { all.insert(all.end(), more.begin(), more.end()); };
    (append(modules.parameters()), ...);
    return all;
}

}  // namespace gradus::inline GRADUS_ARCH::nn
