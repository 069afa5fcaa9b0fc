// SPDX-License-Identifier: BSL-1.0
#include "extents.hpp"

#include <string>

// Arithmetic on named extents.

TEST_CASE("extents: arithmetic on names prints, compares and unifies by its value") {
    constexpr gr::extent n("n"), m("m");
    static_assert(gr::extent("n - 2") == n - 2 && n - 2 + 2 == n && n * m == m * n && gr::extent("n-n") == 0);
    static_assert((n + 5) / 2 - 1 == gr::extent("(n + 3) / 2") && (4 * n + 6) / 4 == n + 1);
    static_assert(gr::core::concat(n * (n + 1) / 2) == "(n*n + n) / 2" && gr::core::concat(n - 2) == "n - 2");
    static_assert(gr::dim<"n"> - 2 == n - 2 && 2 * gr::dim<"n"> == gr::extent("2 * n"));
    static_assert(gr::extent("-n + 10") == 10 - n && gr::extent(2) - 5 == gr::dyn && n / 2 + m / 2 == gr::dyn);
    constexpr auto u = gr::var<"u", double, "n">;
    constexpr auto v = gr::var<"v", double, gr::dim<"n"> - 2>;
    static_assert(decltype(gr::slice<1, -1>(u) + gr::slice<2, gr::end>(u) + v)::type.shape == gr::shape{"n - 2"});
    static_assert(decltype(gr::slice<0, gr::end, 2>(u))::type.shape == gr::shape{"(n + 1) / 2"});
    static_assert(decltype(gr::flatten(gr::var<"a", double, "n", 3, "m">))::type.shape == gr::shape{"3*m*n"});
    static_assert(decltype(gr::reshape<-1, 2>(gr::var<"a", double, "n", 4>))::type.shape == gr::shape{"2*n", 2});
    CHECK_THROWS_AS(gr::extent("n +"), std::invalid_argument);
    CHECK_THROWS_AS(gr::extent("n * (m"), std::invalid_argument);
}

TEST_CASE("extents: parts of named axes, in order and backwards") {
    same_as_static<[](auto x) {
        auto const inner = gr::slice<2, gr::end>(x) - 2_c * gr::slice<1, -1>(x) + gr::slice<0, -2>(x);
        auto const last = gr::sum<1>(gr::slice<-3, gr::end, 1, 1>(x) * gr::slice<1, 4, 1, 1>(x));
        return inner * gr::unsqueeze<1>(gr::slice<1, -1>(last)) + gr::select<0, -1>(x) * gr::select<0, 1>(x) + gr::narrow<0, -4, 1>(x);
    }>();
    same_as_static<[](auto x) {
        return gr::slice<1, gr::end, 2>(gr::flip(x) * gr::flip<1>(x) + gr::roll<2, 0>(x) * gr::roll<-1, 1>(x));
    }>();
}

TEST_CASE("extents: a stencil of five points on two named axes") {
    same_as_static<[](auto x) {
        constexpr gr::range all{1, -1}, before{0, -2}, behind{2, gr::end};
        return gr::slice<before, all>(x) + gr::slice<behind, all>(x) + gr::slice<all, before>(x) + gr::slice<all, behind>(x) -
               4_c * gr::slice<all, all>(x);
    }>();
}

TEST_CASE("extents: pad, concatenate, tile, flatten, diagonals") {
    same_as_static<[](auto x) {
        auto const wide = gr::pad<1, 2>(x, 0.5_c) * gr::pad<2, 1>(x);
        return gr::flatten(gr::slice<1, -2, 1, 1>(wide)) * gr::reshape<-1>(gr::flip<1>(x));
    }>();
    same_as_static<[](auto x) {
        auto const joined = gr::concatenate<0>(gr::slice<1, gr::end>(x), x, gr::flip<0>(x)) * gr::slice<1, gr::end>(gr::tile<3, 1>(x));
        return gr::concatenate<0>(gr::select<1, 0>(joined), gr::select<0, 0>(x), gr::select<1, -1>(x));
    }>();
    same_as_static<[](auto x) {
        auto const square = gr::matmul(x, gr::transpose(x));
        auto const wide = gr::diag<1>(gr::select<1, 0>(x)) + gr::diag<-1>(gr::diagonal(square));
        return gr::slice<2, gr::end>(gr::diagonal<-1>(wide)) * gr::diagonal<2>(square) + gr::diagonal<-2>(square);
    }>();
}

TEST_CASE("extents: instances of parts") {
    same_as_static<[](auto x) {
        auto const rows = gr::vmap([](auto row) {
            auto const steps = gr::sum(gr::square(gr::slice<1, gr::end>(row) - gr::slice<0, -1>(row)));
            return gr::slice<1, gr::end>(row) * gr::slice<0, -1>(row) + gr::select<0, -1>(row) +
                   gr::slice<1, gr::end>(gr::grad(steps, row));
        })(x);
        auto const columns = gr::vmap<1>([](auto c) { return gr::concatenate<0>(gr::flip(c), gr::roll<1, 0>(c)); })(x);
        return gr::slice<1, gr::end>(columns) * gr::sum(rows);
    }>();
}

TEST_CASE("extents: binding solves arithmetic for names, and refuses what does not fit") {
    constexpr auto u = gr::var<"u", double, "n">;
    constexpr auto inner = gr::var<"inner", double, "n - 2">;
    constexpr auto packed = gr::var<"packed", double, "n * (n + 1) / 2">;
    constexpr auto both = gr::compile(gr::sum(u) + gr::sum(inner));
    std::vector<double> five(5, 1.0), three(3, 1.0), four(4, 1.0), one(1, 1.0), six(6, 1.0);
    CHECK(std::get<0>(both(u = five, inner = three)) == 8);
    auto message = [](auto const& call) -> std::string {
        try {
            call();
        } catch (gr::shape_error const& e) { return e.what(); }
        return "";
    };
    CHECK(message([&] { both(u = five, inner = four); }) == "gradus::program: dimension n - 2 is 3 where n is 5, and 4 in the data");
    CHECK(message([&] { both(u = one, inner = one); }) == "gradus::program: dimension n - 2 is -1 where n is 1, and 1 in the data");
    constexpr auto alone = gr::compile(gr::sum(inner) * gr::size<"n">);
    CHECK(std::get<0>(alone(inner = three)) == 15);
    constexpr auto triangle = gr::compile(gr::sum(packed) * gr::size<"n">);
    CHECK(std::get<0>(triangle(packed = six)) == 18);
    CHECK(message([&] { triangle(packed = five); }) == "gradus::program: dimension (n*n + n) / 2 is 5, and no n makes it that");
    constexpr auto first = gr::compile(gr::slice<0, 3>(u));
    CHECK(std::get<0>(first(u = three)).size() == 3);
    CHECK(message([&] { first(u = one); }) ==
          "gradus::slice(a): the range leaves axis 0: a is double[n], the last index is 2, the extent 1");
    constexpr auto rest = gr::compile(gr::slice<2, gr::end>(u));
    CHECK(std::get<0>(rest(u = three)).size() == 1);
    CHECK(message([&] { rest(u = one); }) == "gradus::program: dimension n - 2 is -1 where n is 1");
    constexpr auto backwards = gr::compile(gr::flip(u));
    CHECK(std::get<0>(backwards(u = std::vector<double>())).size() == 0);
    static_assert(gr::compile(gr::sin(gr::flip(gr::exp(u)))).workspace_bytes(gr::dim<"n"> = 5) >= 0);
}
