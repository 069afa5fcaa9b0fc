// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>

#include <doctest/doctest.h>

#include <vector>

namespace gr = gradus;

static constexpr auto five = gr::var<"t", double, 5>;
static constexpr auto two = gr::var<"p", double, 2>;
static constexpr auto product = gr::slice<0, 1>(two) * gr::slice<1, 2>(two) * five;
static constexpr auto slope = gr::grad(gr::sum(product), two);
static constexpr auto first_row = gr::compile(gr::grad(gr::sum(gr::slice<0, 1>(slope)), two));

TEST_CASE("slices: a row of the Hessian of p0 p1 sum(t) is 0, sum(t)") {
    // The gradient pads single elements whose operand is a copied constant; and one-lane loops read values that do not vary.
    double times[5] = {1, 2, 3, 4, 5}, point[2] = {2, 3};
    auto [h] = first_row(five = times, two = point);
    CHECK(h(0) == 0);
    CHECK(h(1) == 15);
}

namespace {
constexpr std::int64_t much = 16'777'216;
constexpr auto flags = gr::var<"flags", bool, much + 5>;
constexpr auto far = gr::compile(gr::slice<3, much + 5, much>(flags), gr::narrow<0, -2, 2>(flags), gr::select<0, -1>(flags));
constexpr auto pairs = gr::var<"pairs", bool, 2, much + 2>;
constexpr auto both = gr::compile(gr::slice<gr::range{1, 2}, gr::range{1, much + 2, much}>(pairs));
constexpr auto z = gr::var<"z", float, 3>;
constexpr auto spread = gr::compile(gr::jvp(gr::slice<1, much + 5, much + 3>(gr::pad<1, much + 1>(z)), z, z),
                                    gr::grad(gr::sum(gr::slice<1, much + 5, much>(gr::pad<1, much + 1>(z))), z));
}  // namespace

TEST_CASE("slices: first indices and steps of more than 24 bits") {
    std::vector<char> memory(2 * (much + 5), 0);
    auto* const f = reinterpret_cast<bool*>(memory.data());
    f[3] = f[much + 4] = true;
    auto [stepped, narrowed, last] = far(flags = std::span<bool, much + 5>(f, much + 5));
    CHECK((stepped(0) && !stepped(1)));
    CHECK((!narrowed(0) && narrowed(1) && last));
    f[much + 2 + 1 + much] = true;
    auto [corner] = both(pairs = std::span<bool, 2 * (much + 2)>(f, 2 * (much + 2)));
    CHECK((!corner(0, 0) && corner(0, 1)));
    float const Z[3] = {5, 6, 7};
    auto [moved, pulled] = spread(z = Z);
    CHECK((moved(0) == 5 && moved(1) == 0));
    CHECK((pulled(0) == 1 && pulled(1) == 0 && pulled(2) == 0));
}
