// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>

#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace gr = gradus;

namespace {

int count(std::string const& whole, std::string_view part) {
    int n = 0;
    for (auto at = whole.find(part); at != std::string::npos; at = whole.find(part, at + 1)) ++n;
    return n;
}
/// What Graphviz says of a picture: 0 where it reads it. 0 too where there is no Graphviz.
int graphviz_status(std::string const& picture) {
    if (std::system("dot -V > /dev/null 2>&1") != 0) return 0;
    std::FILE* dot = popen("dot -Tplain > /dev/null 2>&1", "w");
    std::fwrite(picture.data(), 1, picture.size(), dot);
    return pclose(dot);
}
gr::tensor<float, 2> next(gr::tensor<float, 2> const& y) { return y + 1.0f; }

}  // namespace

TEST_CASE("to_dot(tensor): draws leaves, statements with their expressions, and the result") {
    auto w = gr::ones<float, 2>().requires_grad_();
    auto b = gr::ones<float, 2>().requires_grad_();
    gr::tensor z = w * b;
    gr::tensor loss = gr::sum(z);
    std::string const picture = gr::to_dot(loss).str();
    CAPTURE(picture);
    CHECK(picture.starts_with("digraph gradus {\n"));
    CHECK(count(picture, "[label=\"float[2]\" style=filled") == 2);
    CHECK(count(picture, "[label=\"SumBackward0\\n%0 = symbol") == 1);
    CHECK(count(picture, "= sum axes=0 %0 : float\\lreturn %1\\l\"") == 1);
    CHECK(count(picture, "[label=\"MulBackward0\\n") == 1);
    CHECK(count(picture, "= mul %0 %1 : float[2]\\l") == 1);
    CHECK(count(picture, "tooltip=\"test/") + count(picture, "tooltip=\"../") + count(picture, "tooltip=\"/") == 2);
    // w and b into z, z into the sum, the sum into the result
    CHECK(count(picture, "  l0 -> n1\n") == 1);
    CHECK(count(picture, "  l1 -> n1\n") == 1);
    CHECK(count(picture, "  n1 -> n0\n") == 1);
    CHECK(count(picture, "  n0 -> r0\n") == 1);
    CHECK(count(picture, "->") == 4);
    CHECK(count(picture, "r0 [label=\"float\"") == 1);
    CHECK(graphviz_status(picture) == 0);
    CHECK(gr::to_dot(loss.grad_fn()).contains("r0 [label=\"result\""));
}

TEST_CASE("to_dot(tensor): a value that is used twice is one node, with an arrow for each use") {
    auto w = gr::ones<float, 2>().requires_grad_();
    gr::tensor z = w * w;
    gr::tensor both = z * z;
    std::string const picture = gr::to_dot(both).str();
    CHECK(count(picture, "MulBackward0") == 2);
    CHECK(count(picture, "  n1 -> n0\n") == 2);
    CHECK(count(picture, "  l0 -> n1\n") == 2);
    CHECK(graphviz_status(picture) == 0);
}

TEST_CASE("to_dot(tensor): what is not recorded is an empty picture, a leaf only itself; gradients are told") {
    auto w = gr::ones<float, 2>();
    CHECK(!gr::to_dot(w).contains("->"));
    CHECK(gr::to_dot(gr::tensor<float, 2>()) == gr::to_dot(w));
    w.requires_grad_();
    CHECK(gr::to_dot(w).contains("  l0 -> r0\n"));
    w.set_grad(gr::ones<float, 2>());
    CHECK(gr::to_dot(w).contains("l0 [label=\"float[2]\\nhas a gradient\""));
    CHECK(graphviz_status(gr::to_dot(w).str()) == 0);
}

TEST_CASE("to_dot(tensor): nodes without a graph have a name") {
    auto w = gr::ones<float, 2>().requires_grad_();
    std::string const picture = gr::to_dot(w.clone()).str();
    CHECK(count(picture, "[label=\"CloneBackward0\\n\"") == 1);
    CHECK(graphviz_status(picture) == 0);
}

TEST_CASE("41 to_dot(tensor): a chain of 150,000 statements is drawn without recursion") {
    gr::tensor<float, 2> y = gr::ones<float, 2>().requires_grad_();
    for (int i = 0; i < 150000; ++i) y = next(y);
    gr::text const picture = gr::to_dot(y);
    CHECK(picture.contains("  n149999 -> n149998\n"));
    CHECK(picture.contains("  l0 -> n149999\n"));
}
