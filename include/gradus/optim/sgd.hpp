// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/functions.hpp>
#include <gradus/optim/optimizer.hpp>

namespace gradus::inline GRADUS_ARCH::optim {

/// Options of sgd, by name.
struct sgd_options {
    double lr = 1e-3;
    double momentum = 0;
    double dampening = 0;
    double weight_decay = 0;
    bool nesterov = false;

    void check() const {
        if (!(lr >= 0 && momentum >= 0 && weight_decay >= 0))
            throw error("gradus::optim::sgd: lr, momentum and weight_decay are not negative");
        if (nesterov && (momentum == 0 || dampening != 0))
            throw error("gradus::optim::sgd: Nesterov momentum requires a momentum and zero dampening");
    }
    static void visit(auto& o, auto const& f) {
        f("lr", o.lr), f("momentum", o.momentum), f("dampening", o.dampening), f("weight_decay", o.weight_decay);
        f("nesterov", o.nesterov);
    }
};

/// The steps of sgd for elements of one type: two compiled programs on a parameter p and its gradient g.
template <class T>
struct sgd_step {
    static constexpr auto p = var<"p", T, "n">, g = var<"g", T, "n">, b = var<"b", T, "n">;
    static constexpr auto rate = var<"rate", T>, decay = var<"decay", T>, momentum = var<"momentum", T>, share = var<"share", T>;
    static constexpr auto nesterov = var<"nesterov", bool>;

    static constexpr auto decayed = g + decay * p;
    static constexpr auto buffer = momentum * b + share * decayed;
    static constexpr auto plain = compile(update(p, p - rate * decayed));
    static constexpr auto with_momentum =
        compile(update(p, p - rate * where(nesterov, decayed + momentum * buffer, buffer)), update(b, buffer));
};

/// What sgd remembers of a parameter.
struct sgd_state {
    any_tensor momentum_buffer;
    bool has_stepped = false;  ///< the buffer is what an earlier step made it

    bool has_begun() const { return momentum_buffer.defined(); }
    bool lacks(sgd_options const& o) const { return o.momentum != 0 && !has_begun(); }
    void begin(any_tensor const& p, sgd_options const&) { momentum_buffer = zeros_for(p); }
    static void visit(auto& s, auto const& f) { f("momentum_buffer", s.momentum_buffer), f("has_stepped", s.has_stepped); }
};

/// Stochastic gradient descent: d = g + weight_decay p; with momentum, b = momentum b + (1 - dampening) d (b = d in the first
/// step) and d = b, or d + momentum b with nesterov; then p = p - lr d.
///
/// `gr::optim::sgd step({w, b}, {.lr = 0.1, .momentum = 0.9});`, then `step.step()` after each backward pass. Parameters without
/// a gradient are left alone.
class sgd : public optimizer<sgd_state, sgd_options> {
public:
    using optimizer::optimizer;
    template <class Elements = void>
    void step() {
        for_each_gradient([]<class T>(sgd_state& s, sgd_options const& o, std::span<T> p, std::span<T> g) {
            using S = sgd_step<T>;
            auto const number = [](double x) { return static_cast<T>(x); };
            if (o.momentum == 0) {
                S::plain(S::p = p, S::g = g, S::rate = number(o.lr), S::decay = number(o.weight_decay));
                return;
            }
            double const share = std::exchange(s.has_stepped, true) ? 1 - o.dampening : 1;
            S::with_momentum(S::p = p, S::g = g, S::b = s.momentum_buffer.template values<T>(), S::rate = number(o.lr),
                             S::decay = number(o.weight_decay), S::momentum = number(o.momentum), S::share = number(share),
                             S::nesterov = o.nesterov);
        });
    }
};

}  // namespace gradus::inline GRADUS_ARCH::optim
