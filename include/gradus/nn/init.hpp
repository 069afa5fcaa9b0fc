// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/special.hpp>
#include <gradus/program/random.hpp>
#include <gradus/tensor/state/any_tensor.hpp>

#include <cmath>

// torch.nn.init: they write over the elements of tensors of any dtype with floating point, whatever the grad mode, and count as a write.

namespace gradus::inline GRADUS_ARCH::nn::init {

/// Writes what `next()` gives, a double, over each element.
inline void fill_with(any_tensor const& t, auto next) {
    if (!is_floating(t.dtype()))
        throw error(core::concat("gradus::nn::init: needs floating-point elements: the tensor is ", t.state()->described()).str());
    core::with_floating_dtype(t.dtype(), [&]<class T>(T) {
        for (T& x : t.values<T>()) x = static_cast<T>(next());
    });
    increment_version(t);
}
template <class Asked = void>
void constant_(any_tensor const& t, double value) {
    fill_with(t, [value] { return value; });
}
template <class Asked = void>
void zeros_(any_tensor const& t) { constant_(t, 0); }
template <class Asked = void>
void ones_(any_tensor const& t) { constant_(t, 1); }
/// Uniform in [low, high).
template <class Asked = void>
void uniform_(any_tensor const& t, random& source, double low = 0, double high = 1) {
    if (!(low <= high)) throw error("gradus::nn::init::uniform_: low is not above high");
    core::with_floating_dtype(t.dtype(), [&]<class T>(T) {
        T const end = static_cast<T>(high);
        fill_with(t, [&] {
            T const drawn = static_cast<T>(low + (high - low) * source.uniform());
            return static_cast<double>(drawn < end ? drawn : static_cast<T>(low));  // rounded up to high
        });
    });
}
template <class Asked = void>
void normal_(any_tensor const& t, random& source, double mean = 0, double stddev = 1) {
    if (!(stddev >= 0)) throw error("gradus::nn::init::normal_: the standard deviation is not negative");
    fill_with(t, [&] { return mean + stddev * source.normal(); });
}
/// Normal, but between a and b only: the inverse of the distribution function at a uniform number, by PyTorch's formula.
template <class Asked = void>
void trunc_normal_(any_tensor const& t, random& source, double mean = 0, double stddev = 1, double a = -2, double b = 2) {
    if (!(stddev > 0 && a < b)) throw error("gradus::nn::init::trunc_normal_: the standard deviation is positive, a is below b");
    auto const below = [&](double x) { return std::erf((x - mean) / stddev / std::sqrt(2.0)); };
    double const low = below(a), high = below(b);
    fill_with(t, [&] {
        double const z = op::erfinv::eval(low + (high - low) * source.uniform());
        return std::fmin(b, std::fmax(a, mean + stddev * std::sqrt(2.0) * z));
    });
}
/// The identity matrix.
template <class Asked = void>
void eye_(any_tensor const& t) {
    if (t.rank() != 2)
        throw shape_error(core::concat("gradus::nn::init::eye_: needs a matrix: the tensor is ", t.state()->described()).str());
    std::int64_t place = 0;
    fill_with(t, [&] {
        std::int64_t const i = place++;
        return i / t.size(1) == i % t.size(1) ? 1.0 : 0.0;
    });
}

/// How many numbers an output depends on, and how many outputs a number goes to: weights are [out, in, window...].
struct fans {
    double in, out;
};
inline fans fans_of(any_tensor const& t) {
    if (t.rank() < 2)
        throw shape_error(core::concat("gradus::nn::init: fan in and fan out need two axes: the tensor is ", t.state()->described()).str());
    double const window = static_cast<double>(t.size()) / static_cast<double>(t.size(0)) / static_cast<double>(t.size(1));
    return {static_cast<double>(t.size(1)) * window, static_cast<double>(t.size(0)) * window};
}
enum class nonlinearity { linear, sigmoid, tanh, relu, leaky_relu, selu };
/// By how much a layer's numbers have to be larger so that the variance stays what it is behind the nonlinearity.
inline double calculate_gain(nonlinearity f, double slope = 0.01) {
    switch (f) {
        case nonlinearity::tanh: return 5.0 / 3;
        case nonlinearity::relu: return std::sqrt(2.0);
        case nonlinearity::leaky_relu: return std::sqrt(2 / (1 + slope * slope));
        case nonlinearity::selu: return 0.75;
        case nonlinearity::linear:
        case nonlinearity::sigmoid: break;
    }
    return 1;
}
/// X. Glorot, Y. Bengio (2010): variance 2 / (fan in + fan out).
template <class Asked = void>
void xavier_uniform_(any_tensor const& t, random& source, double gain = 1) {
    fans const f = fans_of(t);
    double const bound = gain * std::sqrt(6 / (f.in + f.out));
    uniform_(t, source, -bound, bound);
}
template <class Asked = void>
void xavier_normal_(any_tensor const& t, random& source, double gain = 1) {
    fans const f = fans_of(t);
    normal_(t, source, 0, gain * std::sqrt(2 / (f.in + f.out)));
}
/// What kaiming_uniform_ and kaiming_normal_ can be told.
struct kaiming {
    double a = 0;  ///< the slope of leaky_relu
    bool fan_out = false;
    init::nonlinearity nonlinearity = init::nonlinearity::leaky_relu;
};
inline double kaiming_deviation(any_tensor const& t, kaiming const& k) {
    fans const f = fans_of(t);
    return calculate_gain(k.nonlinearity, k.a) / std::sqrt(k.fan_out ? f.out : f.in);
}
/// K. He et al. (2015): variance gain^2 / fan.
template <class Asked = void>
void kaiming_uniform_(any_tensor const& t, random& source, kaiming k = {}) {
    double const bound = std::sqrt(3.0) * kaiming_deviation(t, k);
    uniform_(t, source, -bound, bound);
}
template <class Asked = void>
void kaiming_normal_(any_tensor const& t, random& source, kaiming k = {}) { normal_(t, source, 0, kaiming_deviation(t, k)); }

}  // namespace gradus::inline GRADUS_ARCH::nn::init
