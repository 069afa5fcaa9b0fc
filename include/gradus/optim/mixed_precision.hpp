// SPDX-License-Identifier: BSL-1.0
#pragma once

// g++ takes names here for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

#include <gradus/nn/clip.hpp>
#include <gradus/optim/state.hpp>

// Training with numbers of 16 bits: gradients that are kept in their range, parameters that add up small steps in float.
// Source: P. Micikevicius et al., "Mixed precision training", 2018; the names are those of torch.amp.
// Not part of optim.hpp: few programs need it.

namespace gradus::inline GRADUS_ARCH::amp {

/// Options of grad_scaler, by name.
struct grad_scaler_options {
    double init_scale = 65536;
    double growth_factor = 2;
    double backoff_factor = 0.5;
    int growth_interval = 2000;  ///< steps without an overflow before the scale grows
    bool enabled = true;         ///< if not, scale() and unscale_() change nothing and every step is taken

    void check() const {
        if (!(init_scale > 0 && growth_factor > 1 && backoff_factor > 0 && backoff_factor < 1 && growth_interval >= 1))
            throw error(
                "gradus::amp::grad_scaler: init_scale is above 0, growth_factor above 1, backoff_factor between 0 and 1, growth_interval "
                "at "
                "least 1");
    }
};

/// Multiplies losses by a number so that gradients of 16 bits do not vanish, divides gradients by it again, and leaves out steps whose
/// gradients have overflowed. As `torch.amp.GradScaler`:
///
/// `scaler.scale(loss).backward(); scaler.step(optimizer); scaler.update();`, or with `scaler.unscale_(optimizer)` before the gradients
/// are clipped. Gradients of float16 are refused, as their quotients would vanish: see master_weights.
class grad_scaler {
public:
    explicit grad_scaler(grad_scaler_options const& o = {}) : options_(o), scale_(o.init_scale) { options_.check(); }

    bool is_enabled() const { return options_.enabled; }
    double get_scale() const { return options_.enabled ? scale_ : 1; }
    grad_scaler_options const& options() const { return options_; }

    /// The loss, a tensor or an expression on tensors, times the scale; one of 16 bits in float.
    template <class X>
    auto scale(X const& loss) const {
        if constexpr (is_any_tensor<X>) return any_tensor(loss.to(computed_in(loss.dtype())) * get_scale());
        else {
            using T = computed_t<X::type.type>;
            if constexpr (is_half(X::type.type)) return tensor(cast<T>(loss) * static_cast<T>(get_scale()));
            else return tensor(loss * static_cast<T>(get_scale()));
        }
    }
    /// Divides the gradients by the scale, and finds out whether all are finite. Throws error for a second call before update(), for
    /// gradients of float16 and for those with gaps, and has changed nothing then.
    template <class Optimizer>
    void unscale_(Optimizer const& optimizer) {
        if (options_.enabled) unscale(progress_of(&optimizer), optimizer.parameters());
    }
    /// optimizer.step(), where all gradients are finite once they are divided; returns whether it was taken.
    template <class Optimizer>
    bool step(Optimizer& optimizer) {
        if (!options_.enabled) return optimizer.step(), true;
        progress& p = progress_of(&optimizer);
        if (p.at == stage::stepped) throw error("gradus::amp::grad_scaler: step() has already been called since the last update()");
        if (p.at == stage::ready) unscale(p, optimizer.parameters());
        if (!p.overflowed) optimizer.step();
        p.at = stage::stepped;
        return !p.overflowed;
    }
    /// After the steps of all optimizers: a smaller scale where gradients have overflowed, a larger one after growth_interval times
    /// without, unless float has no such number.
    void update() {
        if (!options_.enabled) return;
        bool any = false;
        for (progress const& p : optimizers_) any = any || p.overflowed;
        if (optimizers_.empty())
            throw error(
                "gradus::amp::grad_scaler: no gradients were looked at before update(): call step(optimizer) or unscale_(optimizer)");
        if (any) scale_ *= options_.backoff_factor, growth_tracker_ = 0;
        else if (++growth_tracker_ == options_.growth_interval) {
            double const grown = scale_ * options_.growth_factor;
            if (grown <= static_cast<double>(std::numeric_limits<float>::max())) scale_ = grown;
            growth_tracker_ = 0;
        }
        optimizers_.clear();
    }
    /// Sets the scale.
    void update(double new_scale) {
        if (!(new_scale > 0)) throw error("gradus::amp::grad_scaler::update(scale): a scale is above 0");
        scale_ = new_scale;
        optimizers_.clear();
    }

    template <class Asked = void>
    nn::tensor_dict state_dict() const {
        return {{"scale", optim::as_tensor(scale_)},
                {"growth_factor", optim::as_tensor(options_.growth_factor)},
                {"backoff_factor", optim::as_tensor(options_.backoff_factor)},
                {"growth_interval", optim::as_tensor(options_.growth_interval)},
                {"_growth_tracker", optim::as_tensor(growth_tracker_)}};
    }
    /// Throws error with every mismatch, and has changed nothing then.
    template <class Asked = void>
    void load_state_dict(nn::tensor_dict const& dict) {
        nn::tensor_dict const into = state_dict();
        nn::load_tensors(into, dict, true, "gradus::amp::grad_scaler::load_state_dict(dict)");
        grad_scaler_options next = options_;
        next.init_scale = into[0].second.item();
        next.growth_factor = into[1].second.item();
        next.backoff_factor = into[2].second.item();
        next.growth_interval = static_cast<int>(into[3].second.item());
        next.check();
        scale_ = std::exchange(next.init_scale, options_.init_scale);
        growth_tracker_ = static_cast<int>(into[4].second.item());
        options_ = next;
    }

private:
    enum class stage : std::uint8_t { ready, unscaled, stepped };
    /// What has been done for an optimizer since the last update().
    struct progress {
        void const* optimizer;
        stage at = stage::ready;
        bool overflowed = false;
    };
    progress& progress_of(void const* optimizer) {
        for (progress& p : optimizers_)
            if (p.optimizer == optimizer) return p;
        return optimizers_.emplace_back(progress{optimizer});
    }
    void unscale(progress& p, std::vector<any_tensor> const& parameters) const {
        if (p.at != stage::ready)
            throw error(p.at == stage::unscaled
                            ? "gradus::amp::grad_scaler: unscale_() has already been called on this optimizer since the last update()"
                            : "gradus::amp::grad_scaler: unscale_() is being called after step()");
        auto const all = nn::gradients_of(parameters);
        for (any_tensor const& g : all)
            if (g.dtype() == dtype::float16)
                throw error(
                    "gradus::amp::grad_scaler: attempting to unscale gradients of float16, which would vanish: let the optimizer have the "
                    "parameters of gr::amp::master_weights");
        double const factor = 1 / scale_;
        nn::replace_elements(all, [&](double x) {
            p.overflowed = p.overflowed || !std::isfinite(x);
            return x * factor;
        });
        p.at = stage::unscaled;
    }

    grad_scaler_options options_;
    double scale_;
    int growth_tracker_ = 0;
    std::vector<progress> optimizers_;
};

/// Parameters in float for a model that has them in 16 bits: an optimizer changes these, so that steps which are too small for 16 bits add
/// up. Parameters of other types are the model's own.
///
/// `gr::amp::master_weights master(net.parameters()); gr::optim::adam step(master.parameters());`, and in each step
/// `step.zero_grad(); loss.backward(); master.take_gradients(); step.step(); master.copy_to_model();`.
class master_weights {
public:
    template <class Asked = void>
    explicit master_weights(std::vector<any_tensor> model) : model_(std::move(model)) {
        optim::check_parameters(model_);
        for (any_tensor const& p : model_) {
            masters_.push_back(is_half(p.dtype()) ? in_float(p) : p);
            if (is_half(p.dtype())) masters_.back().requires_grad_(p.requires_grad());
        }
    }
    /// One for each parameter of the model, in their order.
    std::vector<any_tensor> const& parameters() const { return masters_; }
    /// Gives the masters the model's gradients in float, and drops the model's.
    template <class Asked = void>
    void take_gradients() const {
        std::vector<any_tensor> taken(model_.size());
        for (std::size_t i = 0; i < model_.size(); ++i)  // what may throw
            if (is_apart(i) && model_[i].grad().defined()) taken[i] = in_float(model_[i].grad().detach().contiguous());
        for (std::size_t i = 0; i < model_.size(); ++i) {
            if (!is_apart(i)) continue;
            core::replace_gradient(*masters_[i].state(), taken[i].state());
            model_[i].zero_grad();
        }
    }
    /// Rounds the masters to the model's parameters.
    template <class Asked = void>
    void copy_to_model() const {
        for (std::size_t i = 0; i < model_.size(); ++i) {
            if (!is_apart(i)) continue;
            core::with_floating_dtype(model_[i].dtype(), [&]<class T>(T) {
                float const* from = masters_[i].template values<float>().data();
                for (T& x : model_[i].template values<T>()) x = static_cast<T>(*from++);
            });
            increment_version(model_[i]);
        }
    }
    /// Of those that are not the model's own: "masters.0", ... in the order of the parameters.
    template <class Asked = void>
    nn::tensor_dict state_dict() const {
        nn::tensor_dict made;
        for (std::size_t i = 0; i < model_.size(); ++i)
            if (is_apart(i)) made.emplace_back("masters." + std::to_string(i), masters_[i].detach());
        return made;
    }
    /// Throws error with every mismatch, and has changed nothing then.
    template <class Asked = void>
    void load_state_dict(nn::tensor_dict const& dict) const {
        nn::load_tensors(state_dict(), dict, true, "gradus::amp::master_weights::load_state_dict(dict)");
    }

private:
    bool is_apart(std::size_t i) const { return !(masters_[i] == model_[i]); }
    static any_tensor in_float(any_tensor const& from) {
        any_tensor const made = optim::zeros_for(from);
        core::with_floating_dtype(from.dtype(), [&]<class T>(T) {
            float* to = made.values<float>().data();
            for (T const& x : from.values<T>()) *to++ = static_cast<float>(x);
        });
        return made;
    }
    std::vector<any_tensor> model_, masters_;
};

}  // namespace gradus::inline GRADUS_ARCH::amp

#pragma GCC diagnostic pop
