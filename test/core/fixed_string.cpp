// SPDX-License-Identifier: BSL-1.0
#include <gradus/core/fixed_string.hpp>

#include <doctest/doctest.h>

#include <type_traits>

namespace gr = gradus;

namespace {
template <gr::fixed_string Name>
struct named {
    static constexpr std::string_view name = Name.view();
};
}  // namespace

TEST_CASE("fixed_string: is a template argument that makes equal types of equal names") {
    static_assert(std::is_same_v<named<"w">, named<"w">> && !std::is_same_v<named<"w">, named<"b">> &&
                  !std::is_same_v<named<"w">, named<"w1">>);
    static_assert(named<"weight">::name == "weight" && named<"weight">::name.size() == 6);
    CHECK(named<"w">::name == "w");
}

TEST_CASE("fixed_string: an empty one has an empty view") {
    static_assert(named<"">::name.empty());
    CHECK(gr::fixed_string("").view().empty());
}
