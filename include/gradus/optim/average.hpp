// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/optim/state.hpp>

namespace gradus::inline GRADUS_ARCH::optim {

/// An exponential moving average of parameters: a = decay a + (1 - decay) p at each update(), from copies of the parameters on. Of 16-bit
/// parameters it is kept in float.
///
/// `swap()` exchanges: the parameters have the averages, to evaluate or to save with, until the next swap() gives them their own values.
class exponential_moving_average {
public:
    double decay;

    template <class Asked = void>
    explicit exponential_moving_average(std::vector<any_tensor> parameters, double d = 0.999)
        : decay(d), parameters_(std::move(parameters)) {
        if (!(d >= 0 && d <= 1)) throw error("gradus::optim::exponential_moving_average: decay is a number from 0 to 1");
        check_parameters(parameters_);
        for (any_tensor const& p : parameters_) averages_.push_back(zeros_for(p));
        each([](auto& a, auto const& p) { a = static_cast<std::remove_reference_t<decltype(a)>>(p); });
    }
    /// Of each parameter, in their order; tensors of its own.
    std::vector<any_tensor> const& averages() const { return averages_; }
    bool swapped() const { return !own_.empty(); }
    template <class Asked = void>
    void update() {
        if (swapped()) throw error("gradus::optim::exponential_moving_average::update(): the parameters have the averages: swap() first");
        each([this]<class A>(A& a, auto const& p) {
            a = static_cast<A>(decay * static_cast<double>(a) + (1 - decay) * static_cast<double>(p));
        });
        ++steps_;
    }
    template <class Asked = void>
    void swap() {
        if (!swapped()) {
            std::vector<any_tensor> own;
            for (any_tensor const& p : parameters_) own.push_back(p.detach().clone());
            own_ = std::move(own);
            return each([](auto const& a, auto& p) { p = static_cast<std::remove_reference_t<decltype(p)>>(a); }, true);
        }
        for (std::size_t i = 0; i < own_.size(); ++i) {
            std::memcpy(parameters_[i].data(), own_[i].data(), static_cast<std::size_t>(own_[i].state()->bytes()));
            increment_version(parameters_[i]);
        }
        own_.clear();
    }
    template <class Asked = void>
    nn::tensor_dict state_dict() const {
        nn::tensor_dict made;
        for (std::size_t i = 0; i < averages_.size(); ++i) made.emplace_back("average." + std::to_string(i), averages_[i]);
        made.emplace_back("n_averaged", as_tensor(steps_));
        return made;
    }
    template <class Asked = void>
    void load_state_dict(nn::tensor_dict const& dict) {
        nn::tensor_dict const into = state_dict();
        nn::load_tensors(into, dict, true, "gradus::optim::exponential_moving_average::load_state_dict(dict)");
        steps_ = static_cast<std::int64_t>(into.back().second.item());
    }

private:
    /// Calls f(average, parameter) for all elements.
    void each(auto const& f, bool writes = false) const {
        for (std::size_t i = 0; i < parameters_.size(); ++i)
            core::with_floating_dtype(parameters_[i].dtype(), [&]<class T>(T) {
                auto const a = averages_[i].template values<computed_t<dtype_of<T>>>();
                auto const p = parameters_[i].template values<T>();
                for (std::size_t k = 0; k < a.size(); ++k) f(a[k], p[k]);
                if (writes) increment_version(parameters_[i]);
            });
    }
    std::vector<any_tensor> parameters_, averages_, own_;
    std::int64_t steps_ = 0;
};

}  // namespace gradus::inline GRADUS_ARCH::optim
