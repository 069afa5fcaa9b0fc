// SPDX-License-Identifier: BSL-1.0
#include <gradus/core/array_view.hpp>

#include <doctest/doctest.h>

#include <array>
#include <type_traits>
#include <vector>

using gradus::core::array_view;

TEST_CASE("array_view: arrays, vectors, pointers and parts, without a copy") {
    int all[] = {1, 2, 3, 4};
    array_view<int> const view = all;
    CHECK(view.size() == 4);
    CHECK(view.data() == all);
    view[3] = 40;
    CHECK(all[3] == 40);
    auto const middle = view.part(1, 2);
    CHECK(middle.begin() == all + 1);
    CHECK(middle.end() == all + 3);
    CHECK(array_view<int>(all, all + 3).size() == 3);
    std::vector<int> const numbers{5, 6};
    int sum = 0;
    for (int n : array_view<int const>(numbers)) sum += n;
    CHECK(sum == 11);
    CHECK(array_view<int const>(std::array{7, 8})[1] == 8);
    CHECK(array_view<int const>(view).data() == all);
    CHECK(array_view<int>().empty());
    CHECK_FALSE(view.empty());
}

TEST_CASE("array_view: of constants only a view of constants") {
    static_assert(!std::is_constructible_v<array_view<int>, std::vector<int> const&>);
    static_assert(!std::is_constructible_v<array_view<int>, array_view<int const>>);
    static_assert(std::is_constructible_v<array_view<int const>, array_view<int>>);
    static constexpr int numbers[] = {1, 2, 3};
    static_assert(array_view<int const>(numbers).part(1, 2)[1] == 3);
}
