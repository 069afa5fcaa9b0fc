// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/functions.hpp>
#include <gradus/optim/optimizer.hpp>

namespace gradus::inline GRADUS_ARCH::optim {

/// Options of lion, by name.
struct lion_options {
    double lr = 1e-4;
    double beta1 = 0.9, beta2 = 0.99;
    double weight_decay = 0;  ///< the parameter shrinks by it

    void check() const {
        if (!(lr >= 0 && weight_decay >= 0)) throw error("gradus::optim::lion: lr and weight_decay are not negative");
        if (!(beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1)) throw error("gradus::optim::lion: beta1 and beta2 are in [0, 1)");
    }
    static void visit(auto& o, auto const& f) {
        f("lr", o.lr), f("beta1", o.beta1), f("beta2", o.beta2), f("weight_decay", o.weight_decay);
    }
};

/// The step of lion for elements of one type, a compiled program.
template <class T>
struct lion_step {
    static constexpr auto p = var<"p", T, "n">, g = var<"g", T, "n">, m = var<"m", T, "n">;
    static constexpr auto keep = var<"keep", T>, rate = var<"rate", T>, beta1 = var<"beta1", T>, share1 = var<"share1", T>;
    static constexpr auto beta2 = var<"beta2", T>, share2 = var<"share2", T>;

    static constexpr auto run = compile(update(p, keep* p - rate * sign(beta1 * m + share1 * g)), update(m, beta2* m + share2 * g));
};

/// What lion remembers of a parameter.
struct lion_state {
    any_tensor exp_avg;

    bool has_begun() const { return exp_avg.defined(); }
    bool lacks(lion_options const&) const { return !has_begun(); }
    void begin(any_tensor const& p, lion_options const&) { exp_avg = zeros_for(p); }
    static void visit(auto& s, auto const& f) { f("exp_avg", s.exp_avg); }
};

/// Lion (X. Chen et al., 2023): p = (1 - lr weight_decay) p - lr sign(beta1 m + (1 - beta1) g), then m = beta2 m + (1 - beta2) g.
class lion : public optimizer<lion_state, lion_options> {
public:
    using optimizer::optimizer;
    template <class Elements = void>
    void step() {
        for_each_gradient([]<class T>(lion_state& s, lion_options const& o, std::span<T> p, std::span<T> g) {
            using S = lion_step<T>;
            auto const number = [](double x) { return static_cast<T>(x); };
            S::run(S::p = p, S::g = g, S::m = s.exp_avg.template values<T>(), S::keep = number(1 - o.lr * o.weight_decay),
                   S::rate = number(o.lr), S::beta1 = number(o.beta1), S::share1 = number(1 - o.beta1), S::beta2 = number(o.beta2),
                   S::share2 = number(1 - o.beta2));
        });
    }
};

}  // namespace gradus::inline GRADUS_ARCH::optim
