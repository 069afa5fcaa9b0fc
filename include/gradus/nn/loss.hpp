// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/reductions.hpp>

// Losses as objects, for code that takes the loss as an argument. Each is the function of its name: a mean, an expression.

namespace gradus::inline GRADUS_ARCH::nn {

struct mse_loss {
    auto operator()(operand auto const& x, operand auto const& y) const { return gradus::mse_loss(x, y); }
};
struct l1_loss {
    auto operator()(operand auto const& x, operand auto const& y) const { return gradus::l1_loss(x, y); }
};
template <double Beta = 1.0>
struct smooth_l1_loss {
    auto operator()(operand auto const& x, operand auto const& y) const { return gradus::smooth_l1_loss<Beta>(x, y); }
};
template <double Delta = 1.0>
struct huber_loss {
    auto operator()(operand auto const& x, operand auto const& y) const { return gradus::huber_loss<Delta>(x, y); }
};
/// x is a probability; prefer the one with logits.
struct bce_loss {
    auto operator()(operand auto const& x, operand auto const& y) const { return gradus::binary_cross_entropy(x, y); }
};
struct bce_with_logits_loss {
    auto operator()(operand auto const& x, operand auto const& y) const { return gradus::binary_cross_entropy_with_logits(x, y); }
};
/// Rows of scores and the numbers of the classes that are right.
template <labels L = labels{}>
struct cross_entropy_loss {
    auto operator()(operand auto const& x, operand auto const& label) const { return gradus::cross_entropy<L>(x, label); }
};
/// Rows of logarithms of probabilities.
template <labels L = labels{}>
struct nll_loss {
    auto operator()(operand auto const& x, operand auto const& label) const { return gradus::nll_loss<L>(x, label); }
};
/// By rows, PyTorch's "batchmean".
struct kl_div_loss {
    auto operator()(operand auto const& x, operand auto const& y) const { return gradus::kl_div(x, y); }
};
struct gaussian_nll_loss {
    auto operator()(operand auto const& x, operand auto const& y, operand auto const& variance) const {
        return gradus::gaussian_nll_loss(x, y, variance);
    }
};

}  // namespace gradus::inline GRADUS_ARCH::nn
