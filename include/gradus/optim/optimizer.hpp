// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/tensor/tensor.hpp>

#include <vector>

namespace gradus::inline GRADUS_ARCH::optim {

/// Zeros to remember of a parameter; of one of 16 bits in float, as small shares of what is remembered change.
inline any_tensor zeros_for(any_tensor const& p) {
    return any_tensor(core::zeros_like(computed_in(p.dtype()), p.rank(), p.state()->extents));
}

/// What optimisers share: the leaves that they write to, and what they remember of each.
///
/// A step is a compiled program that reads and writes the elements in place: nothing is recorded, whatever the grad mode, and
/// a graph that has saved an old parameter refuses a later backward pass. A step that throws has changed nothing.
template <class State>
class optimizer {
public:
    std::vector<any_tensor> const& parameters() const { return parameters_; }
    /// Drops the gradients of all parameters, or fills them with zeros (none if memory is refused).
    void zero_grad(bool set_to_none = true) const {
        if (set_to_none) {
            for (any_tensor const& p : parameters_) p.zero_grad();
            return;
        }
        core::list<core::tensor_ref> fresh(static_cast<int>(parameters_.size()));
        for (int i = 0; i < fresh.size(); ++i) fresh[i] = core::fresh_zeros(state_of(i)->grad);
        for (int i = 0; i < fresh.size(); ++i) core::set_to_zero(*state_of(i), fresh[i], false);
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
    /// Calls `update(state, p, g)` with the elements of each parameter that has a gradient, and of that gradient. What may throw
    /// (memory for what is remembered, `state.begin(p)`, and for gradients with gaps) is done for all of them before the first
    /// is changed.
    void for_each_gradient(bool remembers, auto const& update) {
        std::vector<any_tensor> copies;  // few steps need these
        std::vector<State> begun;
        for (std::size_t i = 0; i < parameters_.size(); ++i) {
            any_tensor const g = parameters_[i].grad();
            if (!g.defined()) continue;
            bool const in_part = g.data() != parameters_[i].data() && core::overlap(*g.state(), *parameters_[i].state());
            if (!g.is_contiguous() || in_part) put(copies, i, g.detach().clone());
            if (!remembers || states_[i].has_begun()) continue;
            State first;
            first.begin(parameters_[i]);
            put(begun, i, std::move(first));
        }
        for (std::size_t i = 0; i < begun.size(); ++i)
            if (begun[i].has_begun()) states_[i] = std::move(begun[i]);
        for (std::size_t i = 0; i < parameters_.size(); ++i) {
            any_tensor const& p = parameters_[i];
            any_tensor const g = copies.empty() || !copies[i].defined() ? p.grad() : copies[i];
            if (!g.defined()) continue;
            if (computed_in(p.dtype()) != p.dtype()) update_in_float(states_[i], p, g, update);
            else if (p.dtype() == dtype::float32) update(states_[i], p.values<float>(), g.values<float>());
            else update(states_[i], p.values<double>(), g.values<double>());
            increment_version(p);
        }
    }

private:
    /// Elements of 16 bits are updated in float and rounded once.
    static void update_in_float(State& state, any_tensor const& p, any_tensor const& g, auto const& update) {
        core::with_floating_dtype(p.dtype(), [&]<class T>(T) {
            std::span<T> const elements = p.values<T>(), slopes = g.values<T>();
            std::vector<float> wide(elements.begin(), elements.end()), of(slopes.begin(), slopes.end());
            update(state, std::span<float>(wide), std::span<float>(of));
            for (std::size_t k = 0; k < wide.size(); ++k) elements[k] = static_cast<T>(wide[k]);
        });
    }
    core::tensor_ref const& state_of(int i) const { return parameters_[static_cast<std::size_t>(i)].state(); }
    template <class X>
    void put(std::vector<X>& list, std::size_t at, X what) const {
        if (list.empty()) list.resize(parameters_.size());
        list[at] = std::move(what);
    }
    std::vector<any_tensor> parameters_;
    std::vector<State> states_;
};

}  // namespace gradus::inline GRADUS_ARCH::optim
