// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/recurrent.hpp>
#include <gradus/nn/linear.hpp>
#include <gradus/tensor/state/let.hpp>

namespace gradus::inline GRADUS_ARCH::nn {

/// While training 0 with probability P, x / (1 - P) elsewhere; in eval() x. A call computes a tensor, as its mode decides at run time
/// what that is.
///
/// The mask is a function of `key`, which each call increases: training that is resumed with the same key drops the same elements. A
/// function that is called again for its derivative (gr::checkpoint) has to hand in the key itself: `drop(x, step)`.
template <double P = 0.5>
struct dropout : module<dropout<P>> {
    static_assert(P >= 0 && P <= 1, "gradus::nn::dropout: a probability is a number from 0 to 1");
    mutable std::int64_t key;  ///< of the next call; its last 32 bits count
    training_mode training;

    /// Another key for each layer: 31 random bits.
    explicit dropout(random& source) { manual_seed(source); }
    void manual_seed(random& source) const { key = static_cast<std::int64_t>(source.next() >> 33); }
    template <operand X>
    auto operator()(X const& x) const {
        std::int64_t const now = training && P > 0 ? key++ : key;
        if constexpr (core::has_symbol(std::type_identity<X>{})) return compiled(x, now);
        else return dropped(x, now);
    }
    template <operand X>
    auto operator()(X const& x, std::int64_t of_this_call) const {
        return dropped(x, of_this_call);
    }
    auto members() const { return nn::members("training", training); }

private:
    /// In a program, whose type the mode cannot change: it is one of its numbers.
    template <class X>
    auto compiled(X const& x, std::int64_t now) const {
        return gradus::let(x, [this, now](auto const& h) {
            return gradus::where(full<bool>(training.on), gradus::dropout<P>(h, full<std::int64_t>(now & 0x7fffffff)), h);
        });
    }
    template <class X>
    auto dropped(X const& x, std::int64_t now) const {
        using result = decltype(gradus::tensor(x));
        if constexpr (P > 0)
            if (training) return result(gradus::dropout<P>(x, full<std::int64_t>(now & 0x7fffffff)));
        return result(x);
    }
};

/// Sets the keys of all dropout layers of a module: what their next calls drop is a function of `seed` and the layer's place alone. Once
/// for each step or epoch, with its number, it makes training that goes on from a checkpoint drop what it would have dropped.
template <class M>
void manual_seed(M const& module, std::uint64_t seed) {
    random keys(seed);
    nn::apply(module, [&keys]<class L>(L const& layer) {
        if constexpr (requires { layer.manual_seed(keys); }) layer.manual_seed(keys);
    });
}

}  // namespace gradus::inline GRADUS_ARCH::nn
