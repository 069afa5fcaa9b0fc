// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>

#include <doctest/doctest.h>

#include <boost/hana.hpp>

#include <stdexcept>
#include <string>

// What expressions and programs tell about themselves, in the compiler where extents are static.
namespace gr = gradus;
namespace hana = boost::hana;
using namespace gr::literals;

namespace {

constexpr auto x = gr::var<"x", float, "n", 5>;
constexpr auto w = gr::var<"w", float, 5, 3>;
constexpr auto b = gr::var<"b", float, 3>;
constexpr auto unused = gr::var<"unused", float>;
constexpr auto h = gr::tanh(gr::matmul(x, w) + b);
constexpr auto loss = gr::mean(gr::square(h));
constexpr auto graph = gr::graph_of(loss);
constexpr auto step = gr::compile(loss, gr::update(b, b - 0.5_c * gr::grad(loss, b)));

bool contains(gr::text const& t, std::string_view what) { return t.view().find(what) != std::string_view::npos; }

}  // namespace

TEST_CASE("graph_of: counts operations and follows symbols") {
    static_assert(graph.size() == 10 && graph.count("tanh") == 1 && graph.count("matmul") == 1 && graph.count("exp") == 0 &&
                  graph.count("symbol") == 3);
    static_assert(graph.depends_on("x") && graph.depends_on("w") && graph.depends_on("b") && !graph.depends_on("unused") &&
                  !graph.depends_on("h"));
    static_assert(gr::graph_of(loss, gr::exp(unused)).depends_on("unused"));
    // equal parts are one node; let changes nothing
    static_assert(gr::graph_of(h + h * h).count("tanh") == 1);
    constexpr auto named = gr::let([] { return gr::tanh(gr::matmul(x, w) + b); });
    static_assert(gr::graph_of(named + named * named).print() == gr::graph_of(h + h * h).print());
}
TEST_CASE("graph_of: prints a line per node, derivatives expanded") {
    static_assert(graph.print().view() == R"(%0 = symbol x : float[n,5]
%1 = symbol w : float[5,3]
%2 = matmul %0 %1 : float[n,3]
%3 = symbol b : float[3]
%4 = add %2 %3 : float[n,3]
%5 = tanh %4 : float[n,3]
%6 = square %5 : float[n,3]
%7 = sum axes=0,1 %6 : float
%8 = size : float
%9 = div %7 %8 : float
return %9
)");
    static_assert(gr::graph_of(gr::grad(loss, b)).count("grad") == 0 && gr::graph_of(gr::grad(loss, b)).count("sum") == 1);
}
TEST_CASE("graph_of: draws DOT and Mermaid") {
    CHECK(graph.to_dot().view().substr(0, 16) == "digraph gradus {");
    CHECK(contains(graph.to_dot(), "tanh"));
    CHECK(graph.to_mermaid().view().substr(0, 12) == "flowchart TD");
    CHECK(contains(graph.to_mermaid(), "tanh"));
    static_assert(!gr::graph_of(h).to_mermaid().empty());
}
TEST_CASE("nodes: a Hana sequence of typed nodes") {
    constexpr auto nodes = gr::nodes(loss);
    static_assert(hana::size(nodes) == hana::size_c<10>);
    static_assert(hana::count_if(nodes, [](auto n) { return n.template is<"symbol">(); }) == hana::size_c<3>);
    constexpr auto products = hana::filter(nodes, [](auto n) { return n.template is<"matmul">(); });
    static_assert(hana::size(products) == hana::size_c<1>);
    constexpr auto product = hana::front(products);
    static_assert(product.id() == 2 && product.name() == "matmul" && product.shape() == gr::shape{"n", 3} &&
                  product.dtype() == gr::dtype::float32);
    static_assert(product.operand_count() == 2 && product.operand(0) == 0 && product.operand(1) == 1);
    std::string names;
    hana::for_each(nodes, [&](auto n) { names += std::string(n.name()) + ' '; });
    CHECK(names == "symbol symbol matmul symbol add tanh square sum size div ");
}
TEST_CASE("program: flops in PyTorch's convention") {
    constexpr auto a = gr::var<"a", double, 4, 5>;
    constexpr auto c = gr::var<"c", double, 5, 6>;
    static_assert(gr::compile(gr::matmul(a, c)).flops() == 240);
    static_assert(gr::compile(gr::matmul(gr::transpose(c), gr::transpose(a))).flops() == 240);
    static_assert(gr::compile(gr::exp(a) + a).flops() == 40);
    constexpr auto image = gr::var<"image", float, "n", 4, 5, 5>;
    constexpr auto filter = gr::var<"filter", float, 6, 2, 3, 3>;
    static_assert(gr::compile(gr::conv2d<gr::windows{.padding = 1, .groups = 2}>(image, filter)).flops(gr::dim<"n"> = 2) ==
                  2 * 300 * 2 * 9);
    static_assert(gr::compile(gr::sum(a)).flops() == 20);
    static_assert(gr::compile(gr::transpose(a)).flops() == 0);
    // a product, 2 * 100 * 5 * 3; seven operations and two sums on 300 elements; the mean and its derivative; two on three
    static_assert(step.flops(gr::dim<"n"> = 100) == 3000 + 9 * 300 + 2 + 6);
    static_assert(step.flops(gr::dim<"n"> = 200) == 2 * (3000 + 9 * 300) + 2 + 6);
}
TEST_CASE("program: bytes moved count every kernel's inputs and outputs once") {
    constexpr auto a = gr::var<"a", double, 4, 5>;
    static_assert(gr::compile(gr::exp(a) + a * a).bytes_moved() == 2 * 20 * 8);
    static_assert(gr::compile(gr::exp(a), gr::sum(a)).bytes_moved() == 2 * 20 * 8 + 8);
    // x w h, then b loss db, then b, all in one kernel
    static_assert(step.bytes_moved(gr::dim<"n"> = 100) == 4 * ((500 + 15 + 300) + (3 + 1 + 3) + 3));
}
TEST_CASE("program: kernels") {
    constexpr auto p = gr::var<"p", float, "n">;
    constexpr auto q = gr::var<"q", float, "n">;
    constexpr auto f = gr::sum(gr::tanh(p * q + p) * gr::exp(-p * p));
    static_assert(gr::compile(f, gr::grad(f, p), gr::grad(f, q)).kernels() == 1, "several gradients and the full sum in one loop");
    constexpr auto m = gr::mean(gr::square(p - q));
    static_assert(gr::compile(m, gr::sqrt(m), gr::grad(m, p)).kernels() == 1, "a mean's division ends the same kernel");
    static_assert(gr::compile(gr::transpose(w), w).kernels() <= 2);
    static_assert(step.kernels() == 1);
    static_assert(gr::compile(gr::softmax(x)).kernels() == 1, "the maximum, the sum and the quotient of a row while it is in the cache");
}
TEST_CASE("program: explain is a table, and asks for every named dimension") {
    CHECK(step.explain(gr::dim<"n"> = 100).str() == R"(kernel | operations | shape | flops | bytes | results
0 | matmul; add tanh square sum div mul tanh_slope_beside mul mul sum; mul sub | [n,3] | 5707 | 3300 | %2 at 0 %9 result 0 %17 at 1600 %20 in b
workspace: 1616 bytes
)");
    static_assert(!gr::compile(gr::exp(w)).explain().empty());
    CHECK_THROWS_AS(step.flops(), std::invalid_argument);
    CHECK_THROWS_AS(step.explain(gr::dim<"m"> = 3), std::invalid_argument);
    CHECK(contains(gr::print(step.graph()), "update b = "));
}
