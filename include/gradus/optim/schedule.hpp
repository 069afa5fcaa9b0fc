// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/optim/state.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

// Learning rates that change. A schedule is a function of the number of steps that a scheduler has made and of the rate that a group
// began with; any function (std::int64_t t, double base) -> double is one. Those here have the numbers of torch.optim.lr_scheduler, as
// closed formulas, so that a schedule that is resumed has the same bits.

namespace gradus::inline GRADUS_ARCH::optim {

/// gamma^(t / step_size), whole steps.
struct step_lr {
    std::int64_t step_size;
    double gamma = 0.1;
    double operator()(std::int64_t t, double base) const { return base * std::pow(gamma, static_cast<double>(t / step_size)); }
};
/// A factor gamma for each milestone that is reached.
struct multistep_lr {
    std::vector<std::int64_t> milestones;
    double gamma = 0.1;
    double operator()(std::int64_t t, double base) const {
        auto const reached = std::count_if(milestones.begin(), milestones.end(), [t](std::int64_t m) { return m <= t; });
        return base * std::pow(gamma, static_cast<double>(reached));
    }
};
struct exponential_lr {
    double gamma;
    double operator()(std::int64_t t, double base) const { return base * std::pow(gamma, static_cast<double>(t)); }
};
/// From base to eta_min along half a cosine in t_max steps, and back in the next (I. Loshchilov, F. Hutter, 2016, without restarts).
struct cosine_annealing_lr {
    std::int64_t t_max;
    double eta_min = 0;
    double operator()(std::int64_t t, double base) const {
        return eta_min + (base - eta_min) * (1 + std::cos(std::numbers::pi * static_cast<double>(t) / static_cast<double>(t_max))) / 2;
    }
};
/// A factor that goes from start_factor to end_factor along a line in total_iters steps.
struct linear_lr {
    double start_factor = 1.0 / 3, end_factor = 1;
    std::int64_t total_iters = 5;
    double operator()(std::int64_t t, double base) const {
        double const done = total_iters > 0 ? std::min(1.0, static_cast<double>(t) / static_cast<double>(total_iters)) : 1;
        return base * (start_factor + (end_factor - start_factor) * done);
    }
};
/// A line from base / steps to base in the first steps, t + 1 of them in step t, then another schedule, which begins with its step 0.
template <class Then>
struct warmup {
    std::int64_t steps;
    Then then;
    double operator()(std::int64_t t, double base) const {
        return t < steps ? base * static_cast<double>(t + 1) / static_cast<double>(steps) : then(t - steps, base);
    }
};
template <class Then>
warmup(std::int64_t, Then) -> warmup<Then>;
/// Up from max_lr / div_factor to max_lr in the first pct_start of the steps, then down to the first rate / final_div_factor; along half
/// cosines, or along lines with `linear` (L. Smith, N. Topin, 2017). The group's own rate does not count; momentum stays as it is.
struct one_cycle_lr {
    double max_lr;
    std::int64_t total_steps;
    double pct_start = 0.3, div_factor = 25, final_div_factor = 1e4;
    bool linear = false;
    double operator()(std::int64_t t, double) const {
        double const first = max_lr / div_factor, last = first / final_div_factor;
        double const peak = pct_start * static_cast<double>(total_steps) - 1, end = static_cast<double>(total_steps - 1);
        double const now = std::min(static_cast<double>(t), end);
        return now < peak ? between(first, max_lr, now / peak) : between(max_lr, last, end > peak ? (now - peak) / (end - peak) : 0);
    }

private:
    double between(double from, double to, double share) const {
        return linear ? from + (to - from) * share : to + (from - to) / 2 * (1 + std::cos(std::numbers::pi * share));
    }
};

/// The rates of all groups of an optimiser by a schedule: `gr::optim::scheduler rate(optimizer, gr::optim::cosine_annealing_lr{100});`,
/// then `rate.step()` after each epoch or step. The optimiser has to outlive it. The rates are those of step 0 when it is made.
template <class Optimizer, class Schedule>
class scheduler {
public:
    scheduler(Optimizer& o, Schedule s) : optimizer_(&o), schedule_(std::move(s)) {
        for (std::size_t g = 0; g < o.groups(); ++g) base_.push_back(o.options_of(g).lr);
        set(0);
    }
    void step() { set(t_ + 1); }
    std::int64_t steps() const { return t_; }
    double lr(std::size_t group = 0) const { return optimizer_->options_of(group).lr; }

    nn::tensor_dict state_dict() const {
        nn::tensor_dict made{{"last_epoch", as_tensor(t_)}};
        for (std::size_t g = 0; g < base_.size(); ++g) made.emplace_back("base_lrs." + std::to_string(g), as_tensor(base_[g]));
        return made;
    }
    /// Restores the step and sets the rates of it; the schedule itself is the program's.
    void load_state_dict(nn::tensor_dict const& dict) {
        nn::tensor_dict const into = state_dict();
        nn::load_tensors(into, dict, true, "gradus::optim::scheduler::load_state_dict(dict)");
        for (std::size_t g = 0; g < base_.size(); ++g) base_[g] = into[g + 1].second.item();
        set(static_cast<std::int64_t>(into[0].second.item()));
    }

private:
    void set(std::int64_t t) {
        t_ = t;
        for (std::size_t g = 0; g < base_.size(); ++g) optimizer_->options_of(g).lr = schedule_(t, base_[g]);
    }
    Optimizer* optimizer_;
    Schedule schedule_;
    std::vector<double> base_;
    std::int64_t t_ = 0;
};

/// Options of reduce_lr_on_plateau, by name.
struct plateau_options {
    bool maximize = false;  ///< is a larger metric better?
    double factor = 0.1;
    std::int64_t patience = 10;
    double threshold = 1e-4;
    bool absolute = false;  ///< is the threshold a difference, no share of the best?
    std::int64_t cooldown = 0;
    double min_lr = 0, eps = 1e-8;
};
/// Multiplies the rates by a factor when a metric has not become better for more than `patience` steps.
template <class Optimizer>
class reduce_lr_on_plateau {
public:
    plateau_options options;

    explicit reduce_lr_on_plateau(Optimizer& o, plateau_options p = {}) : options(p), optimizer_(&o), best_(worst()) {
        if (!(p.factor < 1)) throw error("gradus::optim::reduce_lr_on_plateau: the factor is below 1");
    }
    void step(double metric) {
        if (is_better(metric)) best_ = metric, bad_ = 0;
        else ++bad_;
        if (cooling_ > 0) --cooling_, bad_ = 0;
        if (bad_ <= options.patience) return;
        for (std::size_t g = 0; g < optimizer_->groups(); ++g) {
            double& lr = optimizer_->options_of(g).lr;
            double const next = std::max(lr * options.factor, options.min_lr);
            if (lr - next > options.eps) lr = next;
        }
        cooling_ = options.cooldown;
        bad_ = 0;
    }
    double best() const { return best_; }
    nn::tensor_dict state_dict() const {
        return {{"best", as_tensor(best_)}, {"num_bad_epochs", as_tensor(bad_)}, {"cooldown_counter", as_tensor(cooling_)}};
    }
    void load_state_dict(nn::tensor_dict const& dict) {
        nn::tensor_dict const into = state_dict();
        nn::load_tensors(into, dict, true, "gradus::optim::reduce_lr_on_plateau::load_state_dict(dict)");
        best_ = into[0].second.item();
        bad_ = static_cast<std::int64_t>(into[1].second.item());
        cooling_ = static_cast<std::int64_t>(into[2].second.item());
    }

private:
    double worst() const { return options.maximize ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity(); }
    bool is_better(double metric) const {
        double const sign = options.maximize ? 1 : -1;
        if (options.absolute) return options.maximize ? metric > best_ + options.threshold : metric < best_ - options.threshold;
        double const bound = best_ * (1 + sign * options.threshold);
        return options.maximize ? metric > bound : metric < bound;
    }
    Optimizer* optimizer_;
    double best_;
    std::int64_t bad_ = 0, cooling_ = 0;
};

}  // namespace gradus::inline GRADUS_ARCH::optim
