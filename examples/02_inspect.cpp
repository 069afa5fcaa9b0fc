// SPDX-License-Identifier: BSL-1.0
// Looking into a model: its graph as text and as a drawing, its kernels and its costs, all known before it runs.
//
//     ./02_inspect > graph.dot && dot -Tpng graph.dot -o graph.png     (or: ./02_inspect graph.dot)
//
// The text goes to stderr when the drawing goes to stdout.
#include <gradus.hpp>

#include <boost/hana/count_if.hpp>
#include <boost/hana/equal.hpp>
#include <boost/hana/filter.hpp>
#include <boost/hana/for_each.hpp>
#include <boost/hana/integral_constant.hpp>
#include <boost/hana/size.hpp>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <string_view>

namespace gr = gradus;
namespace hana = boost::hana;

constexpr auto x = gr::var<"x", float, "batch", 8>;  // "batch" is a named dimension: its size comes with the data
constexpr auto y = gr::var<"y", float, "batch", 3>;
constexpr auto w1 = gr::var<"w1", float, 8, 16>;
constexpr auto b1 = gr::var<"b1", float, 16>;
constexpr auto w2 = gr::var<"w2", float, 16, 3>;
constexpr auto b2 = gr::var<"b2", float, 3>;

// let names a part that is used more than once; it never changes the graph.
constexpr auto hidden = gr::let([] { return gr::tanh(gr::matmul(x, w1) + b1); });
constexpr auto prediction = gr::matmul(hidden, w2) + b2;
constexpr auto loss = gr::mse_loss(prediction, y);
constexpr auto step = gr::compile(loss, gr::grad(loss, w1), gr::grad(loss, b1), gr::grad(loss, w2), gr::grad(loss, b2));

// Questions to the graph as it was written. A derivative costs two products per product, less the one for x.
static_assert(gr::graph_of(prediction).count("matmul") == 2 && gr::graph_of(prediction).count("tanh") == 1);
static_assert(gr::graph_of(loss, gr::grad(loss, w1), gr::grad(loss, w2)).count("matmul") == 5);
static_assert(gr::graph_of(loss, gr::grad(loss, w1)).count("tanh") == 1);  // the derivative reuses the value
static_assert(gr::graph_of(gr::grad(loss, b2)).depends_on("w1") && !gr::graph_of(hidden).depends_on("w2"));

// Questions to the program as it runs; those that depend on the batch are answered for a size.
constexpr auto batch = gr::dim<"batch"> = 64;
constexpr auto products = 2 * 64 * (8 * 16 + 16 * 3) * 2 + 2 * 64 * 16 * 3;  // multiply-adds count as two
static_assert(step.flops(batch) >= products && step.flops(batch) < products * 5 / 4);
static_assert(step.workspace_bytes(batch) <= 4 * 64 * 16 * 4);  // memory is reused: of nine matrices at most four hidden layers' worth
static_assert(step.kernels() <= 12);

// The nodes as a Hana sequence, each with its facts in its type.
constexpr auto all = gr::nodes(prediction);
constexpr auto matmuls = hana::filter(all, [](auto node) { return node.template is<"matmul">(); });
static_assert(hana::count_if(all, [](auto node) { return node.template is<"symbol">(); }) == hana::size_c<5>);
static_assert(hana::size(matmuls) == hana::size_c<2>);
static_assert(matmuls[hana::size_c<0>].shape() == gr::shape{"batch", 16});

int main(int argc, char** argv) {
    std::ofstream file;
    if (argc > 1) file.open(argv[1]);
    std::ostream& drawing = argc > 1 ? file : std::cout;
    std::ostream& out = argc > 1 ? std::cout : std::cerr;

    out << "The model, a line per node:\n" << gr::graph_of(prediction).print().view();

    out << "\nIts products:\n";
    hana::for_each(matmuls, [&out](auto node) {
        out << "  %" << node.id() << " = matmul %" << node.operand(0) << " %" << node.operand(1) << ", rank " << node.shape().rank()
            << '\n';
    });

    out << "\nLoss and four gradients as they run, for a batch of 64:\n" << step.explain(batch).view();
    out << "flops: " << step.flops(batch) << ", bytes moved: " << step.bytes_moved(batch) << ", kernels: " << step.kernels()
        << ", workspace: " << step.workspace_bytes(batch) << " bytes\n";

    drawing << gr::graph_of(loss, gr::grad(loss, w1)).to_dot().view() << std::flush;
    if (!drawing) {
        std::cerr << "cannot write " << (argc > 1 ? argv[1] : "to stdout") << '\n';
        return 1;
    }
    return 0;
}
