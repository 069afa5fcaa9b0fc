// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/functions.hpp>
#include <gradus/nn/init.hpp>
#include <gradus/optim/optimizer.hpp>

namespace gradus::inline GRADUS_ARCH::optim {

/// Options of adagrad, by name.
struct adagrad_options {
    double lr = 1e-2;
    double lr_decay = 0;
    double weight_decay = 0;  ///< is added to the gradient
    double initial_accumulator_value = 0;
    double eps = 1e-10;

    void check() const {
        if (!(lr >= 0 && lr_decay >= 0 && weight_decay >= 0 && initial_accumulator_value >= 0 && eps >= 0))
            throw error("gradus::optim::adagrad: options are not negative");
    }
    static void visit(auto& o, auto const& f) {
        f("lr", o.lr), f("lr_decay", o.lr_decay), f("weight_decay", o.weight_decay);
        f("initial_accumulator_value", o.initial_accumulator_value), f("eps", o.eps);
    }
};

/// The step of adagrad for elements of one type, a compiled program.
template <class T>
struct adagrad_step {
    static constexpr auto p = var<"p", T, "n">, g = var<"g", T, "n">, v = var<"v", T, "n">;
    static constexpr auto decay = var<"decay", T>, rate = var<"rate", T>, eps = var<"eps", T>;

    static constexpr auto decayed = g + decay * p;
    static constexpr auto sum = v + decayed * decayed;
    static constexpr auto run = compile(update(p, p - rate * decayed / (sqrt(sum) + eps)), update(v, sum));
};

/// What adagrad remembers of a parameter.
struct adagrad_state {
    any_tensor sum;
    int steps = 0;

    bool has_begun() const { return sum.defined(); }
    bool lacks(adagrad_options const&) const { return !has_begun(); }
    void begin(any_tensor const& p, adagrad_options const& o) {
        sum = zeros_for(p);
        nn::init::constant_(sum, o.initial_accumulator_value);
    }
    static void visit(auto& s, auto const& f) { f("sum", s.sum), f("step", s.steps); }
};

/// Adagrad (J. Duchi, E. Hazan, Y. Singer, 2011): v = v + g^2, and in step t p = p - lr / (1 + (t - 1) lr_decay) g / (sqrt(v) + eps).
class adagrad : public optimizer<adagrad_state, adagrad_options> {
public:
    using optimizer::optimizer;
    template <class Elements = void>
    void step() {
        for_each_gradient([]<class T>(adagrad_state& s, adagrad_options const& o, std::span<T> p, std::span<T> g) {
            using S = adagrad_step<T>;
            S::run(S::p = p, S::g = g, S::v = s.sum.template values<T>(), S::decay = static_cast<T>(o.weight_decay),
                   S::rate = static_cast<T>(o.lr / (1 + s.steps * o.lr_decay)), S::eps = static_cast<T>(o.eps));
            ++s.steps;
        });
    }
};

}  // namespace gradus::inline GRADUS_ARCH::optim
