// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/functions.hpp>
#include <gradus/optim/optimizer.hpp>

namespace gradus::inline GRADUS_ARCH::optim {

/// Options of rmsprop, by name.
struct rmsprop_options {
    double lr = 1e-2;
    double alpha = 0.99;
    double eps = 1e-8;
    double weight_decay = 0;  ///< is added to the gradient
    double momentum = 0;
    bool centered = false;  ///< divides by the deviation instead of the root of the mean square

    void check() const {
        if (!(lr >= 0 && eps >= 0 && weight_decay >= 0 && momentum >= 0 && alpha >= 0))
            throw error("gradus::optim::rmsprop: lr, alpha, eps, momentum and weight_decay are not negative");
    }
    static void visit(auto& o, auto const& f) {
        f("lr", o.lr), f("alpha", o.alpha), f("eps", o.eps), f("weight_decay", o.weight_decay), f("momentum", o.momentum);
        f("centered", o.centered);
    }
};

/// The steps of rmsprop for elements of one type: compiled programs, the second with all that is remembered.
template <class T>
struct rmsprop_step {
    static constexpr auto p = var<"p", T, "n">, g = var<"g", T, "n">, v = var<"v", T, "n">, a = var<"a", T, "n">, b = var<"b", T, "n">;
    static constexpr auto decay = var<"decay", T>, rate = var<"rate", T>, alpha = var<"alpha", T>, share = var<"share", T>;
    static constexpr auto eps = var<"eps", T>, momentum = var<"momentum", T>, centered = var<"centered", T>;

    static constexpr auto decayed = g + decay * p;
    static constexpr auto square_mean = alpha * v + share * (decayed * decayed);
    static constexpr auto mean = alpha * a + share * decayed;
    static constexpr auto plain = compile(update(p, p - rate * decayed / (sqrt(square_mean) + eps)), update(v, square_mean));
    static constexpr auto buffer = momentum * b + decayed / (sqrt(square_mean - centered * (mean * mean)) + eps);
    static constexpr auto full = compile(update(p, p - rate * buffer), update(v, square_mean), update(a, mean), update(b, buffer));
};

/// What rmsprop remembers of a parameter.
struct rmsprop_state {
    any_tensor square_avg, grad_avg, momentum_buffer;  ///< the last two with momentum or `centered`

    static bool is_full(rmsprop_options const& o) { return o.momentum != 0 || o.centered; }
    bool has_begun() const { return square_avg.defined(); }
    bool lacks(rmsprop_options const& o) const { return !has_begun() || (is_full(o) && !grad_avg.defined()); }
    void begin(any_tensor const& p, rmsprop_options const& o) {
        if (!has_begun()) square_avg = zeros_for(p);
        if (is_full(o)) grad_avg = zeros_for(p), momentum_buffer = zeros_for(p);
    }
    static void visit(auto& s, auto const& f) {
        f("square_avg", s.square_avg), f("grad_avg", s.grad_avg), f("momentum_buffer", s.momentum_buffer);
    }
};

/// RMSProp (G. Hinton, 2012): v = alpha v + (1 - alpha) g^2, p = p - lr g / (sqrt(v) + eps); centered, v - mean(g)^2 stands for v; with
/// momentum, b = momentum b + g / (sqrt(v) + eps) and p = p - lr b.
class rmsprop : public optimizer<rmsprop_state, rmsprop_options> {
public:
    using optimizer::optimizer;
    template <class Elements = void>
    void step() {
        for_each_gradient([]<class T>(rmsprop_state& s, rmsprop_options const& o, std::span<T> p, std::span<T> g) {
            using S = rmsprop_step<T>;
            auto const number = [](double x) { return static_cast<T>(x); };
            auto const run = [&](auto const& program, auto... more) {
                program(S::p = p, S::g = g, S::v = s.square_avg.template values<T>(), S::decay = number(o.weight_decay),
                        S::rate = number(o.lr), S::alpha = number(o.alpha), S::share = number(1 - o.alpha), S::eps = number(o.eps),
                        more...);
            };
            if (!rmsprop_state::is_full(o)) return run(S::plain);
            run(S::full, S::a = s.grad_avg.template values<T>(), S::b = s.momentum_buffer.template values<T>(),
                S::momentum = number(o.momentum), S::centered = number(o.centered));
        });
    }
};

}  // namespace gradus::inline GRADUS_ARCH::optim
