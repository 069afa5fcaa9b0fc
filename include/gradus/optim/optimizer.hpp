// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/tensor/tensor.hpp>

#include <vector>

// g++ takes names in an instantiated template for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

namespace gradus::optim {

/// What optimisers share: the leaves that they write to, and what they remember of each.
///
/// A step is a compiled program that reads and writes the elements in place: nothing is recorded, whatever the grad mode, and
/// a graph that has saved an old parameter refuses a later backward pass.
template <class State>
class optimizer {
public:
    std::vector<any_tensor> const& parameters() const { return parameters_; }
    /// Drops the gradients of all parameters, or fills them with zeros.
    void zero_grad(bool set_to_none = true) const {
        for (any_tensor const& p : parameters_) p.zero_grad(set_to_none);
    }
    /// What is remembered of parameter `i`.
    State const& state(std::size_t i) const { return states_[i]; }

protected:
    /// Throws autograd_error for a computed tensor, error for a list that is empty or has a tensor twice or with gaps.
    explicit optimizer(std::vector<any_tensor> parameters) : parameters_(std::move(parameters)), states_(parameters_.size()) {
        if (parameters_.empty()) throw error("gradus::optim: optimizer got an empty parameter list");
        for (std::size_t i = 0; i < parameters_.size(); ++i) {
            any_tensor const& p = parameters_[i];
            if (!p.is_leaf()) throw autograd_error("gradus::optim: can't optimize a non-leaf Tensor");
            if (!p.is_contiguous()) throw error("gradus::optim: a parameter is a view whose elements do not follow each other in memory");
            for (std::size_t k = 0; k < i; ++k)
                if (parameters_[k] == p) throw error("gradus::optim: a parameter appears twice in the list");
        }
    }
    /// Calls `update(state, p, g)` with the elements of each parameter that has a gradient, and of that gradient.
    void for_each_gradient(auto const& update) {
        for (std::size_t i = 0; i < parameters_.size(); ++i) {
            any_tensor const& p = parameters_[i];
            any_tensor g = p.grad();
            if (!g.defined()) continue;
            if (!g.is_contiguous()) g = g.detach().clone();
            if (p.dtype() == dtype::float32) update(states_[i], p.values<float>(), g.values<float>());
            else update(states_[i], p.values<double>(), g.values<double>());
            increment_version(p);
        }
    }
    /// Memory for as many elements, zeros at first.
    template <class T>
    static std::span<T> remembered(any_tensor& memory, std::span<T> like) {
        if (!memory.defined()) memory = tensor<T, dyn>(std::vector<T>(like.size()));
        return memory.values<T>();
    }

private:
    std::vector<any_tensor> parameters_;
    std::vector<State> states_;
};

}  // namespace gradus::optim

#pragma GCC diagnostic pop
