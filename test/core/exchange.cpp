// SPDX-License-Identifier: BSL-1.0
#include <gradus/core/exchange.hpp>

#include <doctest/doctest.h>

#include <memory>

TEST_CASE("exchange: moves, and the same object stays") {
    auto a = std::make_unique<int>(1), b = std::make_unique<int>(2);
    int* const first = a.get();
    gradus::core::exchange(a, b);
    CHECK(*a == 2);
    CHECK(b.get() == first);
    int n = 3;
    gradus::core::exchange(n, n);
    CHECK(n == 3);
}

TEST_CASE("taken: the pointer that was there, which is null from then on") {
    int n = 1;
    int* p = &n;
    CHECK(gradus::core::taken(p) == &n);
    CHECK(p == nullptr);
    CHECK(gradus::core::taken(p) == nullptr);
    static_assert([] {
        int a = 1, b = 2;
        gradus::core::exchange(a, b);
        return a == 2 && b == 1;
    }());
}
