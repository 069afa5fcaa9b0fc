// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>

#include <doctest/doctest.h>

#include <type_traits>

// Programs are known by the hash of their graph.
namespace gr = gradus;
using namespace gr::literals;

namespace operations {
struct twice : gr::unary<twice> {
    static constexpr auto name = "twice";
    static auto eval(auto x) { return x + x; }
    static constexpr auto derivative(auto x, auto) { return 2 + 0 * x; }
};
}  // namespace operations
namespace {

/// Another translation unit may have an operation of this name and another meaning.
struct hidden : gr::unary<hidden> {
    static constexpr auto name = "twice";
    static auto eval(auto x) { return x + x; }
    static constexpr auto derivative(auto x, auto) { return 2 + 0 * x; }
};
constexpr auto x = gr::var<"x", float, 4>;
constexpr auto longer = gr::var<"x", float, 5>;
constexpr auto y = gr::var<"y", float, 4>;
template <class T>
constexpr bool is_short = false;
template <std::uint64_t Hash>
constexpr bool is_short<gr::program<gr::core::named_source<Hash>> const> = true;
template <class A, class B>
constexpr bool are_one(A const&, B const&) {
    return std::is_same_v<A, B>;
}

constexpr auto first = gr::compile(gr::let([] { return gr::tanh(x); }) * y);
constexpr auto again = gr::compile(gr::let([] { return gr::tanh(x); }) * y);
constexpr auto known = gr::compile(gr::apply<operations::twice>(x));
constexpr auto unknown = gr::compile(gr::apply<hidden>(x));
static_assert(is_short<decltype(first)> && is_short<decltype(known)> && !is_short<decltype(unknown)>);
static_assert(are_one(first, again), "the graph is the same, whatever the types of the expressions");
static_assert(!are_one(first, gr::compile(gr::tanh(y) * x)));
static_assert(!are_one(gr::compile(gr::tanh(x)), gr::compile(gr::tanh(longer))));
static_assert(!are_one(gr::compile(gr::tanh(x)), gr::compile(gr::update(x, gr::tanh(x)))));
static_assert(!are_one(gr::compile(x + 1_c), gr::compile(x + 2_c)));
static_assert(!are_one(gr::compile(gr::sum<0>(x), x* x), gr::compile(x* x, gr::sum<0>(x))));

}  // namespace

TEST_CASE("names: programs of one graph, of users' operations, of operations that other translation units may have too") {
    gr::array<float, 4> const a{1, 2, 3, 4}, b{2, 2, 2, 2};
    auto [p] = first(x = a, y = b);
    auto [q] = again(y = b, x = a);
    for (int i = 0; i < 4; ++i) CHECK(p[i] == q[i]);
    auto [k] = known(x = a);
    auto [u] = unknown(x = a);
    for (int i = 0; i < 4; ++i) CHECK((k[i] == 2 * a[i] && u[i] == k[i]));
}
