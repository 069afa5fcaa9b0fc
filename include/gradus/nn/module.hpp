// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/nn/state_dict.hpp>
#include <gradus/nn/summary.hpp>

namespace gradus::inline GRADUS_ARCH::nn {

/// The functions on modules as members: `struct net : gr::nn::module<net> { ... };`, then `model.train()`, `model.parameters()`.
///
/// A module needs no base: the functions of the namespace (`gr::nn::parameters(model)`) take any struct that tells its members. Copies of
/// a module share its tensors, as copies of a tensor do.
template <class Derived>
struct module {
    std::vector<any_tensor> parameters() const { return nn::parameters(self()); }
    tensor_dict named_parameters() const { return nn::named_parameters(self()); }
    tensor_dict state_dict() const { return nn::state_dict(self()); }
    loaded load_state_dict(tensor_dict const& dict, bool strict = true) const { return nn::load_state_dict(self(), dict, strict); }
    std::int64_t parameter_count() const { return nn::parameter_count(self()); }
    void zero_grad() const { nn::zero_grad(self()); }
    Derived const& requires_grad_(bool on = true) const { return nn::requires_grad_(self(), on), self(); }
    Derived const& train(bool on = true) const { return nn::train(self(), on), self(); }
    Derived const& eval() const { return train(false); }

private:
    Derived const& self() const { return static_cast<Derived const&>(*this); }
};

}  // namespace gradus::inline GRADUS_ARCH::nn
