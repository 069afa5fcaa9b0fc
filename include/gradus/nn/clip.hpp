// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/nn/parameters.hpp>

#include <cmath>
#include <limits>

// torch.nn.utils: gradients that are too large. They write over the gradients in place, which counts as a write.

namespace gradus::inline GRADUS_ARCH::nn {

/// The gradients that there are. Throws, before anything is changed, where one has gaps.
template <class Asked = void>
std::vector<any_tensor> gradients_of(std::vector<any_tensor> const& parameters) {
    core::when<Asked, std::vector<any_tensor>> all;
    for (any_tensor const& p : parameters) {
        any_tensor const g = p.grad();
        if (!g.defined()) continue;
        if (!g.is_contiguous())
            throw error("gradus::nn::clip_grad: a gradient is a view whose elements do not follow each other in memory");
        all.push_back(g);
    }
    return all;
}
/// Calls f(x) for each element, a double.
inline void for_each_element(std::vector<any_tensor> const& all, auto const& f) {
    for (any_tensor const& g : all)
        core::with_floating_dtype(g.dtype(), [&]<class T>(T) {
            for (T const& x : g.values<T>()) f(static_cast<double>(x));
        });
}
/// x = f(x) for each element.
inline void replace_elements(std::vector<any_tensor> const& all, auto const& f) {
    for (any_tensor const& g : all) {
        core::with_floating_dtype(g.dtype(), [&]<class T>(T) {
            for (T& x : g.values<T>()) x = static_cast<T>(f(static_cast<double>(x)));
        });
        increment_version(g);
    }
}

/// Multiplies all gradients by one number, so that the norm of all of them together is at most `max_norm`; returns the norm that it was.
/// The norm is the `norm_type`-th root of the sum of powers, or with infinity the largest, in double. As in PyTorch the factor is
/// max_norm / (norm + 1e-6) where that is below 1. With `error_if_nonfinite` a norm that is no number throws, and nothing has changed.
template <class Asked = void>
double clip_grad_norm_(std::vector<any_tensor> const& parameters, double max_norm, double norm_type = 2, bool error_if_nonfinite = false) {
    if (!(norm_type > 0)) throw error("gradus::nn::clip_grad_norm_: the type of a norm is a positive number");
    auto const all = gradients_of<Asked>(parameters);
    double largest = 0, sum = 0;
    for_each_element(all, [&](double x) { largest = std::abs(x) <= largest ? largest : std::abs(x); });  // NaN stays
    bool const plain = largest == 0 || !std::isfinite(largest) || std::isinf(norm_type);
    if (!plain)  // of numbers of at most 1, so that powers do not overflow
        for_each_element(
            all, [&](double x) { sum += norm_type == 2 ? x / largest * (x / largest) : std::pow(std::abs(x) / largest, norm_type); });
    double const norm = plain ? largest : largest * std::pow(sum, 1 / norm_type);
    if (error_if_nonfinite && !std::isfinite(norm))
        throw error("gradus::nn::clip_grad_norm_: the norm of the gradients is not finite, so they cannot be clipped");
    double const factor = max_norm / (norm + 1e-6);
    if (!(factor >= 1)) replace_elements(all, [factor](double x) { return x * factor; });
    return norm;
}
/// The norm of all gradients together.
template <class Asked = void>
double grad_norm(std::vector<any_tensor> const& parameters, double norm_type = 2) {
    return clip_grad_norm_<Asked>(parameters, std::numeric_limits<double>::infinity(), norm_type);
}
/// Every element of every gradient between -clip_value and clip_value; NaN stays NaN.
template <class Asked = void>
void clip_grad_value_(std::vector<any_tensor> const& parameters, double clip_value) {
    if (!(clip_value >= 0)) throw error("gradus::nn::clip_grad_value_: the bound is not negative");
    replace_elements(gradients_of<Asked>(parameters), [clip_value](double x) {
        return x > clip_value ? clip_value : x < -clip_value ? -clip_value : x;
    });
}

}  // namespace gradus::inline GRADUS_ARCH::nn
