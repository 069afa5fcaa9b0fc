// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/functions.hpp>
#include <gradus/optim/optimizer.hpp>

#include <cmath>

namespace gradus::inline GRADUS_ARCH::optim {

/// Options of adam, by name.
struct adam_options {
    double lr = 1e-3;
    double beta1 = 0.9, beta2 = 0.999;
    double eps = 1e-8;
    double weight_decay = 0;  ///< is added to the gradient
};
/// Options of adamw, by name: adam's, but what is not said decays.
struct adamw_options {
    double lr = 1e-3;
    double beta1 = 0.9, beta2 = 0.999;
    double eps = 1e-8;
    double weight_decay = 1e-2;  ///< the parameter shrinks by it
};

/// The step of adam for elements of one type: a compiled program on a parameter p, its gradient g and two moments.
template <class T>
struct adam_step {
    static constexpr auto p = var<"p", T, "n">, g = var<"g", T, "n">, m = var<"m", T, "n">, v = var<"v", T, "n">;
    static constexpr auto decay = var<"decay", T>, keep = var<"keep", T>, rate = var<"rate", T>, eps = var<"eps", T>;
    static constexpr auto share1 = var<"share1", T>, beta2 = var<"beta2", T>, share2 = var<"share2", T>, root = var<"root", T>;

    static constexpr auto decayed = g + decay * p;
    static constexpr auto first = m + share1 * (decayed - m);
    static constexpr auto second = beta2 * v + share2 * (decayed * decayed);
    static constexpr auto run =
        compile(update(p, keep* p - rate * first / (sqrt(second) / root + eps)), update(m, first), update(v, second));
};

/// What adam remembers of a parameter.
struct adam_state {
    any_tensor exp_avg, exp_avg_sq;
    int steps = 0;

    bool has_begun() const { return exp_avg_sq.defined(); }
    void begin(any_tensor const& p) {
        exp_avg = zeros_for(p);
        exp_avg_sq = zeros_for(p);
    }
};

/// Adam (D. Kingma, J. Ba, 2014): m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2, and in step t
/// p = p - lr m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps). Parameters without a gradient are left alone.
class adam : public optimizer<adam_state> {
public:
    adam_options options;

    explicit adam(std::vector<any_tensor> parameters, adam_options o = {}) : adam(std::move(parameters), o, false) {}

    template <class Elements = void>
    void step() {
        for_each_gradient(true, [this]<class T>(adam_state& s, std::span<T> p, std::span<T> g) {
            using S = adam_step<T>;
            auto const number = [](double x) { return static_cast<T>(x); };
            ++s.steps;
            double const correction1 = 1 - std::pow(options.beta1, s.steps), correction2 = 1 - std::pow(options.beta2, s.steps);
            S::run(S::p = p, S::g = g, S::m = s.exp_avg.template values<T>(), S::v = s.exp_avg_sq.template values<T>(),
                   S::decay = number(decoupled_ ? 0 : options.weight_decay),
                   S::keep = number(decoupled_ ? 1 - options.lr * options.weight_decay : 1), S::rate = number(options.lr / correction1),
                   S::eps = number(options.eps), S::share1 = number(1 - options.beta1), S::beta2 = number(options.beta2),
                   S::share2 = number(1 - options.beta2), S::root = number(std::sqrt(correction2)));
        });
    }

protected:
    adam(std::vector<any_tensor> parameters, adam_options o, bool decoupled)
        : optimizer(std::move(parameters)), options(o), decoupled_(decoupled) {
        if (!(o.lr >= 0 && o.eps >= 0 && o.weight_decay >= 0))
            throw error("gradus::optim::adam: lr, eps and weight_decay are not negative");
        if (!(o.beta1 >= 0 && o.beta1 < 1 && o.beta2 >= 0 && o.beta2 < 1))
            throw error("gradus::optim::adam: beta1 and beta2 are in [0, 1)");
    }

private:
    bool decoupled_;
};

/// Adam whose weight decay does not pass through the moments (I. Loshchilov, F. Hutter, 2017): p = (1 - lr weight_decay) p first.
class adamw : public adam {
public:
    explicit adamw(std::vector<any_tensor> parameters, adamw_options o = {})
        : adam(std::move(parameters), {o.lr, o.beta1, o.beta2, o.eps, o.weight_decay}, true) {}
    template <std::same_as<adam_options> Options>  // no braces are one
    adamw(std::vector<any_tensor> parameters, Options o) : adam(std::move(parameters), o, true) {}
};

}  // namespace gradus::inline GRADUS_ARCH::optim
