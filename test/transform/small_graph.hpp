// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/graph/build.hpp>
#include <gradus/graph/check.hpp>
#include <gradus/graph/print.hpp>
#include <gradus/op/list.hpp>

#include <doctest/doctest.h>

#include <string>

// Small graphs written with values, in the compiler or at run time.
namespace small_graph {

namespace gr = gradus;
using gr::value;

struct builder {
    gr::graph g;

    constexpr value symbol(std::string_view name, gr::shape const& s, gr::dtype type = gr::dtype::float64) {
        gr::node n{&gr::info_of<gr::op::symbol>, {-1, -1, -1}, type, s, {}};
        n.attr.n[0] = g.symbol_index(name, {type, s});
        return {g, g.intern(n)};
    }
    constexpr void result(value v) { g.outputs.push_back({v.id(), -1}); }
    constexpr void update(value symbol, value v) { g.outputs.push_back({v.id(), static_cast<int>(symbol.attr().n[0])}); }
};
constexpr value total(value v) { return v.sum((std::int64_t{1} << v.shape().rank()) - 1, false); }
constexpr value grad(value f, value x) { return value::emit<gr::op::grad>(x.owner(), {}, {}, {f, x}); }
constexpr value jvp(value f, value x, value t) { return value::emit<gr::op::jvp>(x.owner(), {}, {}, {f, x, t}); }

/// The graph that `build(builder&)` makes.
constexpr gr::graph made(auto build) {
    builder b;
    build(b);
    return b.g;
}
/// What a pass makes of it, as text; the checker has to accept it.
inline std::string text_after(auto pass, gr::graph const& g) {
    gr::graph result = pass(g);
    CHECK(gr::check(result).str() == "");
    return "\n" + gr::print(result).str();
}

}  // namespace small_graph
