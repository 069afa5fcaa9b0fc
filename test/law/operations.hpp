// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "../splitmix.hpp"

#include <gradus/expr/convolution.hpp>
#include <gradus/expr/pooling.hpp>
#include <gradus/expr/rearrange.hpp>
#include <gradus/graph/check.hpp>
#include <gradus/graph/interpret.hpp>
#include <gradus/kernel/window_contract.hpp>
#include <gradus/op/list.hpp>
#include <gradus/schedule/schedule_kernels.hpp>
#include <gradus/transform/pipeline.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <functional>
#include <limits>
#include <string>
#include <vector>

// Every operation on random shapes and inputs, for what holds of all of them.
namespace laws {

using gradus::graph;
using gradus::shape;
using gradus::value;

using draws::splitmix;

inline std::int64_t size_of_shape(shape const& s) { return s.static_size(); }

/// A graph with its symbols; differentiable ones get a cotangent's or a direction's company.
struct program {
    graph g;
    gradus::symbol_values<double> symbols;
    std::vector<value> inputs;      // float64, differentiable
    std::deque<std::string> names;  // what the graph's names refer to: stays where it is
    // what a symbol is of a function under vmap: an instance of another one
    std::function<value(program&, std::string const&, gradus::dtype, shape const&)> instead;

    value symbol(std::string const& name, gradus::dtype type, shape const& s) {
        return instead ? instead(*this, name, type, s) : plain_symbol(name, type, s);
    }
    value plain_symbol(std::string const& name, gradus::dtype type, shape const& s) {
        names.push_back(name);
        gradus::node n{&gradus::info_of<gradus::op::symbol>, {-1, -1, -1}, type, s, {}};
        n.attr.n[0] = g.symbol_index(names.back(), {type, s});
        return {g, g.intern(n)};
    }
    value input(shape const& s) {
        inputs.push_back(symbol("x" + std::to_string(inputs.size()), gradus::dtype::float64, s));
        return inputs.back();
    }
    value draw(splitmix& random, std::string const& name, shape const& s) {
        auto& data = symbols[name];
        for (std::int64_t i = 0; i < size_of_shape(s); ++i) data.push_back(random.uniform(-1, 1));
        return symbol(name, gradus::dtype::float64, s);
    }
    std::vector<std::vector<double>> run(std::vector<value> const& results) {
        g.outputs = {};
        for (value v : results) g.outputs.push_back({v.id(), -1});
        graph derived = gradus::pass::differentiate(g);
        REQUIRE(gradus::check(derived).str() == "");
        return gradus::interpret(derived, symbols);
    }
};

inline std::int64_t all_axes(value v) { return (std::int64_t{1} << v.shape().rank()) - 1; }
inline value total(value v) { return v.sum(all_axes(v), false); }
inline value grad(value f, value x) { return value::emit<gradus::op::grad>(x.owner(), {}, {}, {f, x}); }
inline value jvp(value f, value x, value t) { return value::emit<gradus::op::jvp>(x.owner(), {}, {}, {f, x, t}); }

inline bool finite(std::vector<std::vector<double>> const& results) {
    for (auto const& r : results)
        for (double x : r)
            if (!std::isfinite(x)) return false;
    return true;
}
/// Operand values at which every operation is smooth: multiples of 0.1 plus an offset per operand, so that none is nearer
/// than 0.2 to 0 and none of one operand nearer than 0.03 to one of another. `signs`: negative ones too.
inline void draw_inputs(program& p, splitmix& random, bool signs) {
    for (std::size_t k = 0; k < p.inputs.size(); ++k) {
        shape s = p.inputs[k].shape();
        std::vector<double> data;
        for (std::int64_t i = 0; i < size_of_shape(s); ++i) {
            double x = 0.2 + 0.1 * random.below(14) + 0.03 * static_cast<double>(k);
            data.push_back(signs && random.below(2) ? -x : x);
        }
        p.symbols["x" + std::to_string(k)] = data;
    }
}
/// The same for amax, where the elements of one operand must differ too.
inline void draw_distinct_inputs(program& p, splitmix& random) {
    for (std::size_t k = 0; k < p.inputs.size(); ++k) {
        auto count = size_of_shape(p.inputs[k].shape());
        std::vector<double> data;
        for (std::int64_t i = 0; i < count; ++i) data.push_back(2.1 * (static_cast<double>(i) + 0.5) / static_cast<double>(count) - 1);
        for (auto i = data.size(); i > 1; --i) std::swap(data[i - 1], data[static_cast<std::size_t>(random.below(static_cast<int>(i)))]);
        p.symbols["x" + std::to_string(k)] = data;
    }
}

/// Shapes of `count` operands that broadcast: some axes absent or 1.
inline std::vector<shape> broadcasting_shapes(splitmix& random, int count) {
    int rank = random.below(4);
    std::vector<int> extents;
    for (int i = 0; i < rank; ++i) extents.push_back(1 + random.below(4));
    std::vector<shape> shapes;
    for (int k = 0; k < count; ++k) {
        shape s;
        for (int i = k ? random.below(rank + 1) : 0; i < rank; ++i) s.push_back(random.below(4) ? extents[static_cast<std::size_t>(i)] : 1);
        shapes.push_back(s);
    }
    return shapes;
}
inline shape random_shape(splitmix& random, int rank) {
    shape s;
    for (int i = 0; i < rank; ++i) s.push_back(1 + random.below(4));
    return s;
}

using operands = std::vector<value>;
template <class Op>
inline value apply_to(operands const& x) {
    if constexpr (Op::arity == 1) return gradus::apply<Op>(x.at(0));
    else if constexpr (Op::arity == 2) return gradus::apply<Op>(x.at(0), x.at(1));
    else return gradus::apply<Op>(x.at(0), x.at(1), x.at(2));
}
template <class Op>
inline value applied(operands x) {
    if constexpr (std::is_same_v<Op, gradus::op::where>) x.at(0) = x.at(0) > 0.45;  // between the inputs' steps
    if constexpr (std::is_same_v<Op, gradus::op::cast>) return x.at(0).cast(gradus::dtype::float32).cast(gradus::dtype::float64);
    else return apply_to<Op>(x);
}

using elementwise_builder = value (*)(operands const&);
struct elementwise_entry {
    std::string_view name;
    int arity;
    elementwise_builder build;
};
template <class... Op>
inline std::vector<elementwise_entry> entries(gradus::op::op_list<Op...>) {
    return {{Op::name, Op::arity, [](operands const& x) { return applied<Op>(x); }}...};
}
/// Every elementwise operation of the library.
inline std::vector<elementwise_entry> const elementwise_operations = [] {
    auto all = entries(gradus::op::elementwise_list{});
    for (auto const& more :
         {entries(gradus::op::further_list{}), entries(gradus::op::connective_list{}), entries(gradus::op::composite_list{})})
        all.insert(all.end(), more.begin(), more.end());
    return all;
}();
/// What operations need of their operands' domains beside their signs.
inline value in_domain(std::string_view name, value x) {
    if (name == "asin" || name == "acos" || name == "atanh" || name == "erfinv") return x * 0.6;  // |x| < 1
    if (name == "hardtanh") return x + 0.05;                                                      // no operand where it bends
    if (name == "logit") return gradus::apply<gradus::op::abs>(x) * 0.6;
    if (name == "lgamma" || name == "digamma" || name == "trigamma" || name == "polygamma_2") return gradus::apply<gradus::op::abs>(x);
    if (name == "acosh") return gradus::apply<gradus::op::abs>(x) + 1;
    return x;
}

/// Structural operations and composites on random shapes; each draws its own inputs.
struct structural {
    std::string name;
    value (*build)(program&, splitmix&);
    bool distinct = false;
};

inline gradus::attributes one_axis(splitmix& random, int rank) {
    return gradus::op::reduction_attributes(std::int64_t{1} << random.below(rank), false);
}
inline gradus::attributes some_axes(splitmix& random, int rank) {
    int axes = 1 + random.below((1 << rank) - 1);
    return gradus::op::reduction_attributes(axes, random.below(2) == 1);
}
inline gradus::attributes with_value(gradus::attributes attr, double value) {
    attr.value = value;
    return attr;
}
/// A large shape and the shape of a strided part of it.
struct strided_part {
    gradus::attributes attr;
    shape whole, part;
};
inline strided_part random_part(splitmix& random) {
    strided_part s;
    int rank = 1 + random.below(3);
    for (int i = 0; i < rank; ++i) {
        int start = random.below(3), step = 1 + random.below(3), count = 1 + random.below(3);
        s.attr.n[i] = gradus::op::pack_range(start, step);
        s.part.push_back(count);
        s.whole.push_back(start + (count - 1) * step + 1 + random.below(3));
    }
    return s;
}
inline gradus::attributes one_range(std::int64_t start) {
    gradus::attributes attr;
    attr.n[0] = gradus::op::pack_range(start, 1);
    return attr;
}
inline gradus::attributes two_ranges() {
    auto attr = one_range(0);
    attr.n[1] = gradus::op::pack_range(1, 1);
    return attr;
}
inline value labels(program& p, splitmix& random, int rows, int classes) {
    auto& data = p.symbols["labels"];
    for (int i = 0; i < rows; ++i) data.push_back(random.below(classes));
    return p.symbol("labels", gradus::dtype::int64, {rows});
}

using random_ref = splitmix&;
inline std::vector<structural> const structurals{
    {"sum",
     [](program& p, random_ref r) {
         value x = p.input(random_shape(r, 3));
         auto a = some_axes(r, 3);
         return x.sum(a.n[0], gradus::op::keeps(a));
     }},
    {"mean",
     [](program& p, random_ref r) {
         auto a = some_axes(r, 3);
         return gradus::op::mean::expand(a, p.input(random_shape(r, 3)));
     }},
    {"amax",
     [](program& p, random_ref r) {
         value x = p.input(random_shape(r, 3));
         auto a = some_axes(r, 3);
         return x.amax(a.n[0], gradus::op::keeps(a));
     },
     true},
    {"logsumexp",
     [](program& p, random_ref r) {
         auto a = some_axes(r, 3);
         return gradus::op::logsumexp::expand(a, p.input(random_shape(r, 3)));
     }},
    {"softmax",
     [](program& p, random_ref r) {
         auto a = one_axis(r, 3);
         return gradus::op::softmax::expand(a, p.input(random_shape(r, 3)));
     }},
    {"log_softmax",
     [](program& p, random_ref r) {
         auto a = one_axis(r, 3);
         return gradus::op::log_softmax::expand(a, p.input(random_shape(r, 3)));
     }},
    {"matmul",
     [](program& p, random_ref r) {
         int m = 1 + r.below(4), k = 1 + r.below(4), n = 1 + r.below(4);
         return p.input({m, k}).matmul(p.input({k, n}));
     }},
    {"matmul of vectors",
     [](program& p, random_ref r) {
         int k = 1 + r.below(4), n = 1 + r.below(4);
         switch (r.below(3)) {
             case 0: return p.input({k}).matmul(p.input({k}));
             case 1: return p.input({k}).matmul(p.input({k, n}));
             default: return p.input({2, n, k}).matmul(p.input({k}));
         }
     }},
    {"matmul, leading axes broadcast",
     [](program& p, random_ref r) {
         int m = 1 + r.below(4), k = 1 + r.below(4), n = 1 + r.below(4), lead = 2 + r.below(2);
         value a = r.below(2) ? p.input({3, 1, m, k}) : p.input({lead, m, k});
         value b = r.below(2) ? p.input({lead, k, n}) : p.input({k, n});
         return a.matmul(b);
     }},
    {"reshape",
     [](program& p, random_ref r) {
         shape s = random_shape(r, 3);
         return p.input(s).reshape({s[1].code * s[0].code, 1, s[2]});
     }},
    {"transpose",
     [](program& p, random_ref r) {
         gradus::attributes axes;
         for (int i = 0; i < 4; ++i) axes.n[i] = i;
         for (int i = 3; i > 0; --i) std::swap(axes.n[i], axes.n[r.below(i + 1)]);
         return p.input(random_shape(r, 4)).transpose(axes);
     }},
    {"broadcast_to",
     [](program& p, random_ref r) {
         shape s = random_shape(r, 2);
         return p.input({s[0], 1}).broadcast_to({2, s[0], s[1]});
     }},
    {"slice",
     [](program& p, random_ref r) {
         auto s = random_part(r);
         return p.input(s.whole).slice(s.attr, s.part);
     }},
    {"pad",
     [](program& p, random_ref r) {
         auto s = random_part(r);
         return p.input(s.part).pad(s.attr, s.whole);
     }},
    {"concatenate",
     [](program& p, random_ref r) {
         shape a = random_shape(r, 3), b = a;
         gradus::attributes axis;
         axis.n[0] = r.below(3);
         b[static_cast<int>(axis.n[0])] = 1 + r.below(4);
         return p.input(a).concatenate(p.input(b), axis);
     }},
    {"mse_loss",
     [](program& p, random_ref r) {
         shape s = random_shape(r, 2);
         value a = p.input(s), b = p.input(s);
         return gradus::op::mse_loss::expand({}, a, b);
     }},
    {"binary_cross_entropy_with_logits",
     [](program& p, random_ref r) {
         shape s = random_shape(r, 2);
         value logits = p.input(s), target = p.input(s);
         return gradus::op::binary_cross_entropy_with_logits::expand({}, logits, target);
     }},
    {"cross_entropy",
     [](program& p, random_ref r) {
         int rows = 1 + r.below(4), classes = 1 + r.below(4);
         value logits = p.input({rows, classes});
         return gradus::op::cross_entropy::expand({}, logits, labels(p, r, rows, classes));
     }},
    {"amin",
     [](program& p, random_ref r) {
         auto a = some_axes(r, 3);
         return gradus::op::amin::expand(a, p.input(random_shape(r, 3)));
     },
     true},
    {"prod",
     [](program& p, random_ref r) {
         auto a = some_axes(r, 3);
         return gradus::op::prod::expand(a, p.input(random_shape(r, 3)));
     }},
    {"variance",
     [](program& p, random_ref r) {
         shape s{2 + r.below(3), 2 + r.below(3)};
         return gradus::op::variance::expand(with_value(some_axes(r, 2), 1), p.input(s));
     },
     true},
    {"stddev",
     [](program& p, random_ref r) {
         return gradus::op::stddev::expand(with_value(some_axes(r, 2), 0), p.input({2 + r.below(3), 2 + r.below(3)}));
     },
     true},
    {"norm",
     [](program& p, random_ref r) {
         constexpr double orders[] = {2, 1, 3, 0.5, std::numeric_limits<double>::infinity()};
         double order = orders[r.below(5)];
         return gradus::op::norm::expand(with_value(some_axes(r, 2), order), p.input(random_shape(r, 2)));
     },
     true},
    {"cumsum",
     [](program& p, random_ref r) {
         auto a = one_axis(r, 2);
         return gradus::op::cumsum::expand(a, p.input({1 + r.below(6), 1 + r.below(6)}));
     }},
    {"cumprod",
     [](program& p, random_ref r) {
         auto a = one_axis(r, 2);
         return gradus::op::cumprod::expand(a, p.input({1 + r.below(6), 1 + r.below(6)}));
     }},
    {"logcumsumexp",
     [](program& p, random_ref r) {
         auto a = one_axis(r, 2);
         return gradus::op::logcumsumexp::expand(a, p.input({1 + r.below(6), 1 + r.below(6)}));
     }},
    {"flip and roll",
     [](program& p, random_ref r) {
         gradus::attributes a;
         a.n[0] = r.below(2);
         a.n[1] = r.below(5) - 2;
         return gradus::op::flip::expand(some_axes(r, 2), p.input(random_shape(r, 2))) +
                gradus::op::roll::expand(a, p.input({1, 1}).broadcast_to({3, 4})).sum(3, false);
     }},
    {"triangles and diagonals",
     [](program& p, random_ref r) {
         gradus::attributes k;
         k.n[0] = r.below(5) - 2;
         int n = 3 + r.below(2), m = 3 + r.below(2);
         value x = p.input({n, m}), v = p.input({n});
         return total(gradus::op::tril::expand(k, x * x)) +
                total(gradus::op::triu::expand(k, x)) * total(gradus::op::diagonal::expand(k, x)) +
                total(gradus::op::diag_embed::expand(k, v * v));
     }},
    {"losses",
     [](program& p, random_ref r) {
         shape s = random_shape(r, 2);
         value a = p.input(s), b = p.input(s), v = gradus::apply<gradus::op::abs>(p.input(s)), q = gradus::apply<gradus::op::sigmoid>(a);
         auto at = with_value({}, 0.9);
         return gradus::op::l1_loss::expand({}, a, b) + gradus::op::huber_loss::expand(at, a, b * 1.01) +
                gradus::op::smooth_l1_loss::expand(at, a, b * 1.01) + gradus::op::kl_div::expand({}, a, v) +
                gradus::op::binary_cross_entropy::expand({}, q, v) + gradus::op::hinge_embedding_loss::expand(with_value({}, 0.95), a, b) +
                gradus::op::gaussian_nll_loss::expand(with_value({}, 1e-6), a, b, v);
     }},
    {"layer_norm, rms_norm",
     [](program& p, random_ref r) {
         int n = 2 + r.below(3);
         value x = p.input({1 + r.below(3), n}), scale = p.input({n}), shift = p.input({n});
         return gradus::op::layer_norm::expand(with_value({}, 0.1), x, scale, shift) *
                gradus::op::rms_norm::expand(with_value({}, 0.1), x, scale);
     }},
    {"batch_norm, group_norm",
     [](program& p, random_ref r) {
         auto groups = with_value({}, 0.1);
         groups.n[0] = 2;
         value x = p.input({2 + r.below(2), 4, 1 + r.below(3)}), scale = p.input({4}), shift = p.input({4});
         return gradus::op::batch_norm::expand(groups, x, scale, shift) * gradus::op::group_norm::expand(groups, x, scale, shift);
     }},
    {"linear, attention",
     [](program& p, random_ref r) {
         int n = 1 + r.below(3), d = 1 + r.below(3);
         gradus::attributes causal;
         causal.n[0] = r.below(2);
         value x = p.input({n, d}), w = p.input({d, d}), b = p.input({d});
         return gradus::op::scaled_dot_product_attention::expand(causal, gradus::op::linear_layer::expand({}, x, w, b), x, x * x);
     }},
    {"rows by indices",
     [](program& p, random_ref r) {
         gradus::attributes axis;
         axis.n[0] = r.below(2);
         value x = p.input({3, 3}), source = p.input({2, 2}), rows = labels(p, r, 4, 4).reshape({2, 2});  // 3 is out of range
         return gradus::op::scatter_add::expand(axis, x, rows, source) *
                gradus::op::index_select::expand(axis, x * x, p.symbol("labels", gradus::dtype::int64, {4}).slice(one_range(1), {3})) *
                total(gradus::op::gather::expand(axis, x, rows) *
                      gradus::op::embedding::expand({}, x.slice(two_ranges(), {3, 2}), rows).sum(4, false));
     }},
    {"einsum",
     [](program& p, random_ref r) {
         int b = 1 + r.below(3), i = 1 + r.below(3), j = 1 + r.below(3), k = 1 + r.below(3);
         value x = p.input({b, i, j}), y = p.input({j, k, b});
         switch (r.below(4)) {
             case 0: return gradus::op::einsum::expand(gradus::core::equation("bij,jkb->kbi").attr, x, y);
             case 1: return gradus::op::einsum::expand(gradus::core::equation("bij,ckd->jk").attr, x, y);
             case 2: return gradus::op::einsum::expand(gradus::core::equation("ijk,kij->k").attr, p.input({2, i, j}), p.input({j, 2, i}));
             default: return gradus::op::einsum_of_one::expand(gradus::core::equation("iji->ji").attr, p.input({i, j, i}));
         }
     }},
    {"cholesky, solve_triangular",
     [](program& p, random_ref r) {
         int n = 1 + r.below(4);
         gradus::attributes which;
         for (int i = 0; i < 3; ++i) which.n[i] = r.below(2);
         value a = p.input({2, n, n}), b = r.below(2) ? p.input({n, 2}) : p.input({n});
         value l = gradus::apply<gradus::op::cholesky>(a.matmul(a.transposed()) + gradus::op::identity_like(a) * 2);
         return total(l * l.number(0.7)) * gradus::op::solve_triangular::expand(which, a + gradus::op::identity_like(a) * 4, b) +
                total(gradus::op::solve_triangular::expand({}, l, b));
     }},
    {"systems with one matrix",
     [](program& p, random_ref r) {
         int n = 1 + r.below(3), columns = 1 + r.below(3);
         gradus::attributes which;
         for (int i = 0; i < 3; ++i) which.n[i] = r.below(2);
         value a = p.input({n, n}), b = p.input({n, columns}), apart = a + gradus::op::identity_like(a) * 4;
         return gradus::op::solve::expand({}, apart, b) + gradus::op::solve_triangular::expand(which, apart, b) + apart.matmul(b);
     }},
    {"solve, inv, determinants",
     [](program& p, random_ref r) {
         int n = 1 + r.below(4);
         value a = p.input({n, n}), b = r.below(2) ? p.input({2, n, 3}) : p.input({n});
         value apart = a + gradus::op::identity_like(a) * (r.below(2) ? 4 : -4);  // no matrix near a singular one
         value definite = a.matmul(a.transposed()) + gradus::op::identity_like(a) * 2;
         gradus::attributes sign;
         sign.n[0] = 1;
         return gradus::op::solve::expand({}, apart, b) * gradus::op::det::expand({}, apart) + total(gradus::op::inv::expand({}, apart)) +
                gradus::op::slogdet::expand({}, apart) * gradus::op::slogdet::expand(sign, apart) +
                gradus::op::logdet::expand({}, definite);
     }},
    {"sort, topk, median, cummax, cummin",
     [](program& p, random_ref r) {
         int n = 1 + r.below(4), axis = r.below(2);
         gradus::attributes order, along = gradus::op::reduction_attributes(std::int64_t{1} << axis, false);
         order.n[0] = axis;
         order.n[1] = r.below(2);
         order.n[2] = 1 + r.below(n);
         value x = p.input({n, n}), weight = p.input({n, n});
         return gradus::op::sort::expand(order, x) * weight + total(gradus::op::topk::expand(order, x * x)) +
                total(gradus::op::median::expand(order, x)) + gradus::op::cummax::expand(along, x) * gradus::op::cummin::expand(along, x);
     },
     true},
    {"dropout",
     [](program& p, random_ref r) {
         p.symbols["key"] = {static_cast<double>(r.below(1000) - 500)};
         value key = p.symbol("key", gradus::dtype::int64, {}), x = p.input(random_shape(r, 3));
         return gradus::op::dropout::expand(with_value({}, 0.25 * r.below(5)), x * x, key);
     }},
    {"cells",
     [](program& p, random_ref r) {
         int n = 1 + r.below(3), hidden = 1 + r.below(3);
         value gates = p.input({n, 4 * hidden}), in = p.input({n, 3 * hidden}), h = p.input({n, hidden});
         value c = gradus::op::lstm_memory::expand({}, gates, h);
         return gradus::op::lstm_output::expand({}, gates, c) + gradus::op::gru_state::expand({}, in, in * in, c);
     }},
    {"convolutions",
     [](program& p, random_ref r) {
         gradus::windows w{1 + r.below(2), r.below(2), 1 + r.below(2), 1};
         auto attr = gradus::core::window_parameters(w).attr;
         value x = p.input({1, 2, 5, 4}), weight = p.input({2, 2, 2, 1 + r.below(2)});
         return total(gradus::op::convolution::of(attr, x, weight)) * gradus::op::transposed_convolution::expand(attr, x, weight);
     }},
    {"grouped convolutions",
     [](program& p, random_ref r) {
         auto attr = gradus::core::window_parameters({1 + r.below(3), r.below(2), 1 + r.below(2), 2}).attr;
         value x = p.input({2, 4, 4}), weight = p.input({4, 2, 2}), y = gradus::op::convolution::of(attr, x, weight);
         value of_x = value::emit<gradus::op::convolution_input_gradient>(p.g, attr, x.shape(), {y, weight}),
               of_weight = value::emit<gradus::op::convolution_weight_gradient>(p.g, attr, weight.shape(), {of_x, y});
         return total(of_x * x) * total(of_weight) * y;
     }},
    {"pooling",
     [](program& p, random_ref r) {
         gradus::height_width size(2 + r.below(2), 1 + r.below(2)), stride(1 + r.below(2), 1 + r.below(3)), padding(r.below(2), 0);
         auto attr = gradus::core::pool_parameters({size, stride, padding, r.below(2) == 1}).attr;
         value x = p.input({1, 2, 4, 3});
         return gradus::op::max_pool::expand(attr, x) * gradus::op::avg_pool::expand(attr, x) +
                total(gradus::op::avg_pool::expand(attr, x * x));
     },
     true},
    {"adaptive pooling",
     [](program& p, random_ref r) {
         auto attr = gradus::core::adaptive_parameters(1 + r.below(5), 1 + r.below(3)).attr;
         value x = p.input({1, 2, 5, 4});
         return gradus::op::adaptive_max_pool::expand(attr, x) * gradus::op::adaptive_avg_pool::expand(attr, x);
     },
     true},
    {"attention with a mask",
     [](program& p, random_ref r) {
         int n = 1 + r.below(3), d = 1 + r.below(3);
         value x = p.input({n, d}), mask = p.input({n, n});
         value weights = gradus::op::attention_weights::expand({}, x, x * x, r.below(2) ? mask : x.index(0) >= mask.index(1));
         return weights.matmul(x);
     }},
    {"two layers",
     [](program& p, random_ref r) {
         int batch = 1 + r.below(4), in = 1 + r.below(4), wide = 1 + r.below(4), out = 1 + r.below(4);
         value x = p.input({batch, in}), w1 = p.input({in, wide}), b = p.input({wide}), w2 = p.input({wide, out});
         value h = gradus::apply<gradus::op::tanh>(x.matmul(w1) + b);
         return gradus::op::softmax::expand(gradus::op::reduction_attributes(2, false), h.matmul(w2));
     }},
};

}  // namespace laws
