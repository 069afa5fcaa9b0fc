// SPDX-License-Identifier: BSL-1.0
#include "reductions.hpp"

#include <cstdint>
#include <limits>

// Maxima and what is shifted by them, through compiled kernels.
using namespace compare;

TEST_CASE_TEMPLATE("compiled kernels: amax and logsumexp, over any axes", T, float, double) {
    reductions<T>::all(amax_of{}, true);
    reductions<T>::all(logsumexp_of{});
}

namespace {

constexpr auto wide = gr::var<"wide", std::int64_t, 2, 3>;
constexpr auto narrow = gr::var<"narrow", std::int32_t, 2, 3>;
constexpr auto smallest = gr::compile(gr::amin(wide), gr::amin<1>(wide), gr::argmin<1>(wide), gr::amin<0>(narrow), gr::argmin<0>(narrow));

}  // namespace

TEST_CASE("the smallest integer, which has no negative, is the smallest element") {
    std::int64_t const least = std::numeric_limits<std::int64_t>::min(), most = std::numeric_limits<std::int64_t>::max();
    std::int32_t const least_narrow = std::numeric_limits<std::int32_t>::min(), most_narrow = std::numeric_limits<std::int32_t>::max();
    std::int64_t const of_wide[] = {5, least, most, least + 1, most, 0};
    std::int32_t const of_narrow[] = {5, least_narrow, most_narrow, least_narrow + 1, most_narrow, 0};
    auto const [all, rows, at, columns, at_row] = smallest(wide = of_wide, narrow = of_narrow);
    CHECK(all == least);
    CHECK((rows(0) == least && rows(1) == least + 1));
    CHECK((at(0) == 1 && at(1) == 0));
    CHECK((columns(0) == least_narrow + 1 && columns(1) == least_narrow && columns(2) == 0));
    CHECK((at_row(0) == 1 && at_row(1) == 0 && at_row(2) == 1));
}
