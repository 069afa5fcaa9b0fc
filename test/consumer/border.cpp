// SPDX-License-Identifier: BSL-1.0
#include "hidden.hpp"

#include <doctest/doctest.h>

#include <string>

// A shared library that hides its symbols has the modes, the errors and the tape of the program that it is part of.

namespace gr = gradus;

TEST_CASE("border: a mode that the program sets holds in the library") {
    CHECK(hidden::records());
    gr::no_grad guard;
    CHECK(!hidden::records());
    auto x = hidden::vector<double>{1, 2, 3};
    x.requires_grad_();
    CHECK(!hidden::cubed(x).requires_grad());
}

TEST_CASE("border: a warning of the library arrives where the program sends warnings") {
    static std::string seen;
    gr::warning_sink guard([](std::string_view text) { seen = text; });
    hidden::warns();
    CHECK(seen.find("not a leaf") != std::string::npos);
}

TEST_CASE("border: errors of the library are caught by their types") {
    CHECK_THROWS_AS(hidden::uses_undefined(), gr::error);
    CHECK_THROWS_AS(hidden::refuses_shapes(), gr::shape_error);
}

TEST_CASE("border: derivatives cross it, both ways and again and again") {
    auto x = hidden::vector<float>{1, 2};
    x.requires_grad_();
    gr::tensor<float> total = gr::sum(hidden::cubed(x) * 2.0f);
    total.backward();
    CHECK(x.grad().values()[1] == 24.0f);  // 6 x^2

    auto z = hidden::vector<double>{1, 3};
    z.requires_grad_();
    gr::tensor y = hidden::cubed(z) * z;
    auto first = hidden::slope(y, z);  // 4 z^3
    CHECK(first.values()[1] == 108.0);
    auto second = gr::autograd::grad(gr::tensor<double>(gr::sum(first)), z, {.create_graph = true});
    CHECK(second.values()[1] == 108.0);  // 12 z^2
    auto third = hidden::slope(second, z);
    CHECK(third.values()[1] == 72.0);  // 24 z
}
