// SPDX-License-Identifier: BSL-1.0
#include <gradus/expr/structure.hpp>
#include <gradus/graph/print.hpp>
#include <gradus/lower/lower.hpp>

#include <doctest/doctest.h>

// let shortens types and changes nothing else.
namespace gr = gradus;
using namespace gr::literals;

namespace {

constexpr auto x = gr::var<"x", float, 4>;
constexpr auto plain = gr::tanh(x * 0.5_c);
constexpr auto named = gr::let([] { return gr::tanh(x * 0.5_c); });

template <int Depth>
constexpr auto deep() {
    if constexpr (Depth == 0) return x;
    else {
        constexpr auto below = gr::let([] { return deep<Depth - 1>(); });
        return below + gr::tanh(below) * below;
    }
}
template <class... E>
std::string text_of(E...) {
    return gr::print(gr::core::lower<E...>()).str();
}

}  // namespace

TEST_CASE("let: the type, the hash and the graph are those of what it names") {
    static_assert(named.shape() == plain.shape() && named.dtype() == plain.dtype() && named.hash == plain.hash);
    CHECK(text_of(named + named) == text_of(plain + plain));
    CHECK(text_of(gr::grad(gr::sum(named * x), x)) == text_of(gr::grad(gr::sum(plain * x), x)));
}
TEST_CASE("let: counts as one node of the tree, so that deep expressions stay small") {
    static_assert(named.weight == 1 && plain.weight == 4 && (named + named).weight == 3);
    static_assert(deep<40>().weight < 10);
    CHECK(gr::core::lower<decltype(deep<40>())>().size() == 1 + 3 * 40);
}
TEST_CASE("let of a value and a function: the graph is that of the function on the value") {
    static constexpr auto twice = [](auto const& h) { return h * h + h; };
    constexpr auto y = gr::let(gr::let(plain, twice), twice);
    CHECK(text_of(y) == text_of(twice(twice(plain))));
    static_assert(y.weight == 1 + (1 + plain.weight + 5) + 5);
    static_assert(std::is_same_v<decltype(gr::let(x, twice)), decltype(twice(x))>);  // what is short needs no name

    SUBCASE("names inside of names, and several of them") {
        constexpr auto f = gr::let(plain, gr::tanh(plain), [](auto const& a, auto const& b) {
            return gr::let(a * b, [=](auto const& c) { return c * a + c * b; });
        });
        constexpr auto c = plain * gr::tanh(plain);
        CHECK(text_of(f) == text_of(c * plain + c * gr::tanh(plain)));
    }
    SUBCASE("one function on two values, side by side and one in the other") {
        constexpr auto of = [](auto const& a) { return gr::let(a, twice); };
        CHECK(text_of(of(plain) * of(gr::tanh(plain))) == text_of(twice(plain) * twice(gr::tanh(plain))));
        constexpr auto inside = gr::let(plain, [](auto const& h) { return gr::let(gr::tanh(plain), twice) + h * h; });
        CHECK(text_of(inside) == text_of(twice(gr::tanh(plain)) + plain * plain));
    }
    SUBCASE("a tuple, and a loop that reads the value") {
        constexpr auto both = gr::let(plain, [](auto const& h) { return std::tuple{h + h, std::pair{h * h, h}}; });
        CHECK(text_of(std::get<0>(both), std::get<0>(std::get<1>(both))) == text_of(plain + plain, plain * plain));
    }
}
TEST_CASE("symbols: identity is the name, the dtype and the shape") {
    CHECK(gr::core::lower<decltype(x + gr::var<"x", float, 4>)>().symbols.size() == 1);
    CHECK(gr::core::lower<decltype(x + gr::var<"y", float, 4>)>().symbols.size() == 2);
    static_assert(gr::var<"x", float, 4>.hash != gr::var<"x", double, 4>.hash &&
                  gr::var<"x", float, 4>.hash != gr::var<"y", float, 4>.hash &&
                  gr::var<"x", float, 4>.hash != gr::var<"x", float, 2, 2>.hash);
}
