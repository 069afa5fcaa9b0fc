// SPDX-License-Identifier: BSL-1.0
#include "first.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

// Two translation units share a header with expressions; this is the second.

TEST_CASE("one definition: a model with let is the same type and the same object in two translation units") {
    CHECK(first::type_of_step() == std::type_index(typeid(model::step)));
    CHECK(first::type_of_twice() == std::type_index(typeid(model::twice)));
    CHECK(first::address_of_step() == static_cast<void const*>(&model::step));
    CHECK(first::same_program(model::step));
}

TEST_CASE("one definition: both translation units compute the same bits") {
    std::vector<float> x(20), y(15), w(12);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::sin(static_cast<float>(i));
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = std::cos(static_cast<float>(i));
    for (std::size_t i = 0; i < w.size(); ++i) w[i] = 0.1f * static_cast<float>(i) - 0.5f;
    float const bias[3] = {0.1f, 0.2f, 0.3f};
    auto [l1, dw1, db1] = first::run(x, y, w);
    auto [l2, dw2, db2] = model::step(model::x = x, model::y = y, model::w = w, model::b = bias);
    CHECK(l1 == l2);
    for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 3; ++j) CHECK(dw1(i, j) == dw2(i, j));
    for (int j = 0; j < 3; ++j) CHECK(db1(j) == db2(j));
}
