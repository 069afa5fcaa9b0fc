// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "messages.hpp"

// Row 40 of what PyTorch's users expect: a node saves what PyTorch's formula for the operation saves, never more. The
// formulas are those of tools/autograd/derivatives.yaml. Each derivative is also compared with a difference quotient, so
// that less is not too little.
namespace saved {

namespace gr = gradus;

struct count {
    int tensors = 0;
    std::int64_t bytes = 0;
};
template <class T>
count of(T const& t) {
    return {t.grad_fn().saved_count(), t.grad_fn().saved_bytes()};
}

/// Random numbers away from the kinks at 0 and from each other's ties: 0.2 to 1.8.
template <gr::extent... E>
gr::tensor<double, E...> operand(int seed) {
    gr::random random(static_cast<std::uint64_t>(seed));
    auto t = gr::rand<double, E...>(random);
    for (double& e : t) e = 0.2 + 1.6 * e;
    return t;
}

template <class F, class... T>
double along(F const& f, double step, std::vector<double> const& weights, T const&... at) {
    gr::no_grad guard;
    int seed = 100;
    auto moved = [&](auto const& t) {
        auto m = t.detach().clone();
        gr::random random(static_cast<std::uint64_t>(++seed));
        for (double& e : m) e += step * random.normal();
        return m;
    };
    auto const operands = std::tuple{moved(at)...};
    gr::tensor y = std::apply(f, operands);
    double total = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) total += weights[i] * static_cast<double>(y.contiguous().data()[i]);
    return total;
}
template <class T>
double slope_of(T const& t, int seed) {
    if (!t.requires_grad()) return 0;
    gr::random random(static_cast<std::uint64_t>(seed));
    double total = 0;
    for (double g : t.grad()) total += g * random.normal();
    return total;
}

/// Computes `f` of the operands, counts what its node saves, and compares its derivative with a difference quotient. All
/// operands are moved for the quotient, so all of them have to require a gradient.
template <class F, class... T>
count by(F const& f, T const&... operands) {
    (operands.zero_grad(), ...);
    gr::tensor y = f(operands.requires_grad_()...);
    count const found = of(y);
    auto g = y.detach().clone();
    std::vector<double> weights;
    gr::random random(9);
    for (auto& e : g) {
        e = static_cast<std::remove_reference_t<decltype(e)>>(random.normal());
        weights.push_back(static_cast<double>(e));
    }
    y.backward(g);
    int seed = 100;
    double slope = 0;
    ((slope += slope_of(operands, ++seed)), ...);
    // central difference: h^2 = 1e-10 of a third derivative and 1e-16 / h = 1e-11 of rounding, both times some ten terms
    double const h = 1e-5, quotient = (along(f, h, weights, operands...) - along(f, -h, weights, operands...)) / (2 * h);
    CHECK(slope == doctest::Approx(quotient).epsilon(1e-7));
    return found;
}

/// At most what is said.
inline bool within(count found, int tensors, std::int64_t bytes) {
    INFO("saves ", found.tensors, " tensors of ", found.bytes, " bytes, PyTorch ", tensors, " of ", bytes);
    bool const good = found.tensors <= tensors && found.bytes <= bytes;
    CHECK(good);
    return good;
}

}  // namespace saved
