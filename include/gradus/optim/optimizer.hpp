// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/nn/state_dict.hpp>
#include <gradus/optim/state.hpp>

#include <span>
#include <vector>

namespace gradus::inline GRADUS_ARCH::optim {

/// Parameters with options of their own: `gr::optim::adamw step({{matrices, {.weight_decay = 0.1}}, {rest, {.weight_decay = 0}}});`.
template <class Options>
struct parameter_group {
    std::vector<any_tensor> parameters;
    Options options{};
};

/// What optimisers share: the leaves that they write to, in groups, and what they remember of each.
///
/// A step is a compiled program that reads and writes the elements in place: nothing is recorded, whatever the grad mode, and
/// a graph that has saved an old parameter refuses a later backward pass. A step that throws has changed nothing.
///
/// Optimisers inherit its constructors: those of their own would be compiled, and all of this with them, by everyone who includes it.
template <class State, class Options>
class optimizer {
public:
    using group = parameter_group<Options>;
    Options options;  ///< of the first group

    /// Of all groups, one after the other.
    std::vector<any_tensor> const& parameters() const { return parameters_; }
    std::size_t groups() const { return more_.size() + 1; }
    Options& options_of(std::size_t g) { return g == 0 ? options : more_.at(g - 1).options; }
    Options const& options_of(std::size_t g) const { return g == 0 ? options : more_.at(g - 1).options; }
    /// Throws as the constructor does, and has changed nothing then.
    void add_param_group(group const& g) {
        g.options.check();
        std::vector<any_tensor> all = parameters_;
        all.insert(all.end(), g.parameters.begin(), g.parameters.end());
        if (g.parameters.empty()) throw error("gradus::optim: a parameter group is empty");
        check_parameters(all);
        more_.reserve(more_.size() + 1);
        states_.resize(all.size());
        more_.push_back({parameters_.size(), g.options});
        parameters_ = std::move(all);
    }
    /// Drops the gradients of all parameters, or fills them with zeros (none if memory is refused).
    void zero_grad(bool set_to_none = true) const { zero_gradients(parameters_, set_to_none); }
    /// What is remembered of parameter `i`.
    State const& state(std::size_t i) const { return states_[i]; }

    /// All that a step depends on beside parameters and gradients: "state.3.exp_avg", "param_groups.0.lr". Tensors are the optimiser's own.
    nn::tensor_dict state_dict() const {
        nn::tensor_dict made;
        for (std::size_t i = 0; i < states_.size(); ++i)
            if (states_[i].has_begun()) entries_of(states_[i], state_path(i), made);
        for (std::size_t g = 0; g < groups(); ++g) entries_of(options_of(g), group_path(g), made);
        return made;
    }
    /// Restores it exactly: the steps that follow have the same bits. Throws error with every mismatch, and has changed nothing then.
    void load_state_dict(nn::tensor_dict const& dict) {
        std::vector<Options> next_options;
        std::vector<State> next(states_.size());
        fields to_read;
        for (std::size_t g = 0; g < groups(); ++g) next_options.push_back(options_of(g));
        for (std::size_t g = 0; g < groups(); ++g) to_read.expect(next_options[g], group_path(g));
        nn::load_tensors(to_read.into, dict, false, who());  // first: they tell what is remembered
        to_read.take();
        for (Options const& o : next_options) o.check();
        for (std::size_t i = 0; i < next.size(); ++i) {
            bool known = false;
            for (auto const& [name, value] : dict) known = known || name.starts_with(state_path(i));
            if (!known) continue;
            next[i].begin(parameters_[i], next_options[group_of(i)]);
            to_read.expect(next[i], state_path(i));
        }
        nn::load_tensors(to_read.into, dict, true, who());
        to_read.take();
        states_ = std::move(next);
        for (std::size_t g = 0; g < groups(); ++g) options_of(g) = next_options[g];
    }

    /// Throws autograd_error for a computed tensor, error for a list that is empty or has a tensor twice or with gaps.
    explicit optimizer(std::vector<any_tensor> parameters, Options const& o = {})
        : options(o), parameters_(std::move(parameters)), states_(parameters_.size()) {
        options.check();
        if (parameters_.empty()) throw error("gradus::optim: optimizer got an empty parameter list");
        check_parameters(parameters_);
    }
    explicit optimizer(std::vector<group> const& all)
        : optimizer(all.empty() ? std::vector<any_tensor>{} : all[0].parameters, all.empty() ? Options{} : all[0].options) {
        for (std::size_t g = 1; g < all.size(); ++g) add_param_group(all[g]);
    }

protected:
    /// Calls `update(state, options, p, g)` with the elements of each parameter that has a gradient, and of that gradient. What may throw
    /// (memory for what is remembered, `state.begin(p, options)`, and for gradients with gaps) is done for all of them before the first
    /// is changed.
    void for_each_gradient(auto const& update) {
        std::vector<any_tensor> copies;  // few steps need these
        std::vector<State> begun;
        for (std::size_t i = 0; i < parameters_.size(); ++i) {
            any_tensor const g = parameters_[i].grad();
            if (!g.defined()) continue;
            bool const in_part = g.data() != parameters_[i].data() && core::overlap(*g.state(), *parameters_[i].state());
            if (!g.is_contiguous() || in_part) put(copies, i, g.detach().clone());
            Options const& o = options_of(group_of(i));
            if (!states_[i].lacks(o)) continue;
            State first = states_[i];
            first.begin(parameters_[i], o);
            put(begun, i, std::move(first));
        }
        for (std::size_t i = 0; i < begun.size(); ++i)
            if (begun[i].has_begun()) states_[i] = std::move(begun[i]);
        for (std::size_t i = 0; i < parameters_.size(); ++i) {
            any_tensor const& p = parameters_[i];
            any_tensor const g = copies.empty() || !copies[i].defined() ? p.grad() : copies[i];
            if (!g.defined()) continue;
            Options const& o = options_of(group_of(i));
            if (computed_in(p.dtype()) != p.dtype()) update_in_float(states_[i], o, p, g, update);
            else if (p.dtype() == dtype::float32) update(states_[i], o, p.values<float>(), g.values<float>());
            else update(states_[i], o, p.values<double>(), g.values<double>());
            increment_version(p);
        }
    }

private:
    struct later_group {
        std::size_t begin;
        Options options;
    };
    static std::string who() { return "gradus::optim::load_state_dict(dict)"; }
    static std::string state_path(std::size_t i) { return "state." + std::to_string(i) + '.'; }
    static std::string group_path(std::size_t g) { return "param_groups." + std::to_string(g) + '.'; }
    std::size_t group_of(std::size_t i) const {
        std::size_t g = more_.size();
        while (g > 0 && more_[g - 1].begin > i) --g;
        return g;
    }
    /// Elements of 16 bits are updated in float and rounded once.
    static void update_in_float(State& state, Options const& o, any_tensor const& p, any_tensor const& g, auto const& update) {
        core::with_floating_dtype(p.dtype(), [&]<class T>(T) {
            std::span<T> const elements = p.values<T>(), slopes = g.values<T>();
            std::vector<float> wide(elements.begin(), elements.end()), of(slopes.begin(), slopes.end());
            update(state, o, std::span<float>(wide.data(), wide.size()), std::span<float>(of.data(), of.size()));
            for (std::size_t k = 0; k < wide.size(); ++k) elements[k] = static_cast<T>(wide[k]);
        });
    }
    template <class X>
    void put(std::vector<X>& list, std::size_t at, X what) const {
        if (list.empty()) list.resize(parameters_.size());
        list[at] = std::move(what);
    }
    std::vector<any_tensor> parameters_;
    std::vector<State> states_;
    std::vector<later_group> more_;
};

}  // namespace gradus::inline GRADUS_ARCH::optim
