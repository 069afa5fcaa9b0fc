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
    bool amsgrad = false;     ///< divides by the largest second moment so far

    void check() const {
        if (!(lr >= 0 && eps >= 0 && weight_decay >= 0)) throw error("gradus::optim::adam: lr, eps and weight_decay are not negative");
        if (!(beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1)) throw error("gradus::optim::adam: beta1 and beta2 are in [0, 1)");
    }
    static void visit(auto& o, auto const& f) {
        f("lr", o.lr), f("beta1", o.beta1), f("beta2", o.beta2), f("eps", o.eps), f("weight_decay", o.weight_decay);
        f("amsgrad", o.amsgrad);
    }
};
/// Options of adamw, by name: adam's, but what is not said decays.
struct adamw_options {
    double lr = 1e-3;
    double beta1 = 0.9, beta2 = 0.999;
    double eps = 1e-8;
    double weight_decay = 1e-2;  ///< the parameter shrinks by it
    bool amsgrad = false;

    operator adam_options() const { return {lr, beta1, beta2, eps, weight_decay, amsgrad}; }  // NOLINT: they say the same
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
    any_tensor exp_avg, exp_avg_sq, max_exp_avg_sq;  ///< the last with amsgrad
    int steps = 0;

    bool has_begun() const { return exp_avg_sq.defined(); }
    bool lacks(adam_options const& o) const { return !has_begun() || (o.amsgrad && !max_exp_avg_sq.defined()); }
    void begin(any_tensor const& p, adam_options const& o) {
        if (!has_begun()) {
            exp_avg = zeros_for(p);
            exp_avg_sq = zeros_for(p);
        }
        if (o.amsgrad) max_exp_avg_sq = zeros_for(p);
    }
    static void visit(auto& s, auto const& f) {
        f("exp_avg", s.exp_avg), f("exp_avg_sq", s.exp_avg_sq), f("max_exp_avg_sq", s.max_exp_avg_sq), f("step", s.steps);
    }
};

/// Adam (D. Kingma, J. Ba, 2014): m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2, and in step t
/// p = p - lr m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps). Parameters without a gradient are left alone.
/// With amsgrad (S. Reddi, S. Kale, S. Kumar, 2018) v is the largest so far there.
class adam : public optimizer<adam_state, adam_options> {
public:
    using optimizer::optimizer;

    template <class Elements = void>
    void step() {
        for_each_gradient([this]<class T>(adam_state& s, adam_options const& o, std::span<T> p, std::span<T> g) {
            using S = adam_step<T>;
            ++s.steps;
            double const correction1 = 1 - std::pow(o.beta1, s.steps), correction2 = 1 - std::pow(o.beta2, s.steps);
            numbers<T> const n{decoupled_ ? 0 : o.weight_decay,
                               decoupled_ ? 1 - o.lr * o.weight_decay : 1,
                               o.lr / correction1,
                               o.eps,
                               1 - o.beta1,
                               o.beta2,
                               1 - o.beta2,
                               std::sqrt(correction2)};
            std::span<T> const m = s.exp_avg.template values<T>(), v = s.exp_avg_sq.template values<T>();
            if (o.amsgrad) return amsgrad_step<T>(n, p, g, m, v, s.max_exp_avg_sq.template values<T>());
            S::run(S::p = p, S::g = g, S::m = m, S::v = v, S::decay = n.decay, S::keep = n.keep, S::rate = n.rate, S::eps = n.eps,
                   S::share1 = n.share1, S::beta2 = n.beta2, S::share2 = n.share2, S::root = n.root);
        });
    }

protected:
    bool decoupled_ = false;  ///< weight decay does not pass through the moments

private:
    /// The numbers of a step, as the program names them.
    template <class T>
    struct numbers {
        T decay, keep, rate, eps, share1, beta2, share2, root;
        numbers(double d, double k, double r, double e, double s1, double b2, double s2, double q)
            : decay(static_cast<T>(d)),
              keep(static_cast<T>(k)),
              rate(static_cast<T>(r)),
              eps(static_cast<T>(e)),
              share1(static_cast<T>(s1)),
              beta2(static_cast<T>(b2)),
              share2(static_cast<T>(s2)),
              root(static_cast<T>(q)) {}
    };
    /// The same step with the largest second moment, a loop: as a program it would cost everyone who uses adam two seconds of the
    /// compiler's.
    template <class T>
    static void amsgrad_step(numbers<T> const& n, std::span<T> p, std::span<T> g, std::span<T> m, std::span<T> v, std::span<T> top) {
        for (std::size_t i = 0; i < p.size(); ++i) {
            T const slope = g[i] + n.decay * p[i];
            m[i] += n.share1 * (slope - m[i]);
            v[i] = n.beta2 * v[i] + n.share2 * (slope * slope);
            top[i] = top[i] < v[i] || v[i] != v[i] ? v[i] : top[i];  // NaN stays
            p[i] = n.keep * p[i] - n.rate * m[i] / (std::sqrt(top[i]) / n.root + n.eps);
        }
    }
};

/// Adam whose weight decay does not pass through the moments (I. Loshchilov, F. Hutter, 2017): p = (1 - lr weight_decay) p first.
class adamw : public adam {
public:
    using group = parameter_group<adamw_options>;

    template <class Asked = void>
    explicit adamw(std::vector<any_tensor> parameters, adamw_options o = {}) : adam(std::move(parameters), adam_options(o)) {
        decoupled_ = true;
    }
    template <std::same_as<adam_options> Options>  // no braces are one
    adamw(std::vector<any_tensor> parameters, Options o) : adam(std::move(parameters), o) {
        decoupled_ = true;
    }
    template <class Asked = void>
    explicit adamw(std::vector<group> const& groups) : adam(of_adam(groups)) {
        decoupled_ = true;
    }
    template <class Asked = void>
    void add_param_group(group const& g) { adam::add_param_group({g.parameters, g.options}); }

private:
    template <class Asked = void>
    static std::vector<adam::group> of_adam(std::vector<group> const& groups) {
        std::vector<adam::group> all;
        for (group const& g : groups) all.push_back({g.parameters, g.options});
        return all;
    }
};

}  // namespace gradus::inline GRADUS_ARCH::optim
