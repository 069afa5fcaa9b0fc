// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus.hpp>
#include <gradus/tensor/autograd/pullback.hpp>
#include <gradus/tensor/gradcheck.hpp>

#include <string>
#include <vector>

// The cases of test/golden through tensors: values; derivatives by backward(gradient), and with create_graph those of these;
// derivatives forwards; and gradgradcheck of the same statement.
namespace golden_tensors {

namespace gr = gradus;

template <gr::extent... E>
using t = gr::tensor<double, E...>;

struct values {
    gr::shape shape;
    std::vector<double> data;
    bool integer = false;
};
struct test_case {
    std::string family, op, name;
    std::vector<values> inputs;
    values output, cotangent, jvp;
    std::vector<values> vjp, direction, hvp, tangents;
};

using tensors = gr::core::list<gr::core::tensor_ref>;
using function = gr::core::callback<tensors const&, gr::core::tensor_ref&>;

/// Runs all cases of an operation whose name begins with `name`; fails if there is none.
void run(std::string const& family, std::string const& op, std::string const& name, int operands, function const& f);

/// What is run is `f` on tensors of types X.
template <class... X, class F>
void check(std::string const& family, std::string const& op, std::string const& name, F f) {
    run(family, op, name, sizeof...(X), function([f](tensors const& in, gr::core::tensor_ref& out) {
            out = [&]<std::size_t... I>(std::index_sequence<I...>) {
                return gr::tensor(f(X(in[static_cast<int>(I)])...)).state();
            }(std::index_sequence_for<X...>{});
        }));
}

}  // namespace golden_tensors
