// SPDX-License-Identifier: BSL-1.0
#include <gradus/graph/render.hpp>

#include <gradus/graph/build.hpp>
#include <gradus/op/trigonometric.hpp>

#include <doctest/doctest.h>

namespace gr = gradus;
namespace op = gradus::op;

namespace {

constexpr gr::value input(gr::graph& g, std::string_view name, gr::shape const& shape) {
    gr::tensor_type type{gr::dtype::float32, shape};
    gr::node n{&gr::info_of<op::symbol>, {-1, -1, -1}, type.type, type.shape, {}};
    n.attr.n[0] = g.symbol_index(name, type);
    return {g, g.intern(n)};
}

/// Returns sum(w - 0.5 w), updates w.
constexpr gr::graph example() {
    gr::graph g;
    auto w = input(g, "w", {"n", 3});
    auto less = w - w * gr::value(0.5);
    g.outputs.push_back({less.id(), 0});
    g.outputs.push_back({less.sum(3, false).id(), -1});
    return g;
}

constexpr gr::graph with_name(std::string_view name) {
    gr::graph g;
    g.outputs.push_back({input(g, name, {}).id(), -1});
    return g;
}

constexpr bool in_order(gr::text const& whole, std::string_view first, std::string_view second) {
    auto a = whole.view().find(first), b = whole.view().find(second);
    return a != std::string_view::npos && b != std::string_view::npos && a < b;
}

}  // namespace

TEST_CASE("to_dot: draws nodes, then edges in the order of operands, then results") {
    constexpr auto body = [] {
        gr::text dot = to_dot(example());
        std::string_view expected =
            "  n0 [label=\"w\\nfloat[n,3]\" fillcolor=\"#fff4cc\" style=filled]\n"
            "  n1 [label=\"0.5\\nfloat\" fillcolor=white shape=ellipse style=filled margin=\"0.02,0.02\"]\n"
            "  n2 [label=\"mul\\nfloat[n,3]\" fillcolor=\"#dcebfb\"]\n"
            "  n3 [label=\"sub\\nfloat[n,3]\" fillcolor=\"#dcebfb\"]\n"
            "  n4 [label=\"sum axes=0,1\\nfloat\" fillcolor=\"#fde3cf\"]\n"
            "  n0 -> n2\n"
            "  n1 -> n2\n"
            "  n0 -> n3\n"
            "  n2 -> n3\n"
            "  n3 -> n4\n"
            "  r0 [label=\"update w\" style=\"filled,dashed\" fillcolor=\"#fff4cc\"]\n"
            "  n3 -> r0 [style=dashed]\n"
            "  r1 [label=\"result 0\" fillcolor=\"#5f6b7a\" fontcolor=white]\n"
            "  n4 -> r1\n"
            "}\n";
        return dot.view().starts_with("digraph gradus {\n") && dot.view().ends_with(expected);
    };
    static_assert(body());
    CHECK(body());
}

TEST_CASE("to_mermaid: draws the same picture") {
    constexpr auto body = [] {
        return to_mermaid(example()) ==
               "flowchart TD\n"
               "  n0[\"w<br/>float[n,3]\"]:::leaf\n"
               "  n1([\"0.5<br/>float\"]):::constant\n"
               "  n2(\"mul<br/>float[n,3]\"):::elementwise\n"
               "  n3(\"sub<br/>float[n,3]\"):::elementwise\n"
               "  n4(\"sum axes=0,1<br/>float\"):::reduction\n"
               "  n0 --> n2\n"
               "  n1 --> n2\n"
               "  n0 --> n3\n"
               "  n2 --> n3\n"
               "  n3 --> n4\n"
               "  n3 -.-> r0[\"update w\"]:::leaf\n"
               "  n4 --> r1([\"result 0\"]):::result\n"
               "  classDef leaf fill:#fff4cc,stroke:#5f6b7a,color:#1c2430\n"
               "  classDef elementwise fill:#dcebfb,stroke:#5f6b7a,color:#1c2430\n"
               "  classDef reduction fill:#fde3cf,stroke:#5f6b7a,color:#1c2430\n"
               "  classDef constant fill:#ffffff,stroke:#5f6b7a,color:#1c2430\n"
               "  classDef result fill:#5f6b7a,stroke:#5f6b7a,color:#ffffff\n";
    };
    static_assert(body());
    CHECK(body());
}

TEST_CASE("to_dot: quotes what a label cannot hold") {
    constexpr auto body = [] {
        return to_dot(with_name("a\"b\\c\nd")).contains("[label=\"a\\\"b\\\\c\\nd\\nfloat\"") &&
               to_dot(with_name("<b>")).contains("label=\"<b>\\n");
    };
    static_assert(body());
    CHECK(body());
}

TEST_CASE("to_mermaid: quotes what HTML and Markdown would read") {
    constexpr auto body = [] {
        return to_mermaid(with_name("a\"b")).contains("n0[\"a#34;b<br/>float\"]") &&
               to_mermaid(with_name("<i>&#")).contains("\"#60;i#62;#38;#35;<br/>") &&
               to_mermaid(with_name("x_1*")).contains("\"x_1#42;<br/>") && to_mermaid(with_name("a\nb")).contains("\"a<br/>b<br/>");
    };
    static_assert(body());
    CHECK(body());
}

TEST_CASE("render: an empty graph is an empty picture") {
    static_assert(to_dot(gr::graph()).view().ends_with("\n}\n") && !to_dot(gr::graph()).contains("->"));
    CHECK(!to_mermaid(gr::graph()).contains("-->"));
}

TEST_CASE("render: an operand that is used twice has two edges") {
    constexpr auto body = [] {
        gr::graph g;
        auto x = input(g, "x", {3});
        g.outputs.push_back({(x * x).id(), -1});
        return to_dot(g).contains("  n0 -> n1\n  n0 -> n1\n");
    };
    static_assert(body());
    CHECK(body());
}

TEST_CASE("render: two hundred nodes fit into one evaluation of the compiler") {
    constexpr auto body = [] {
        gr::graph g;
        gr::value chain = input(g, "x", {"batch", 128});
        for (int i = 0; i < 200; ++i) chain = gr::apply<op::tanh>(chain);
        g.outputs.push_back({chain.id(), -1});
        return in_order(to_dot(g), "n199 -> n200", "n200 -> r0");
    };
    static_assert(body());
    CHECK(body());
}
