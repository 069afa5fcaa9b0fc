// SPDX-License-Identifier: BSL-1.0
#include "../golden/exact.hpp"

#include <gradus/kernel/loop.hpp>
#include <gradus/op/list.hpp>
#include <gradus/schedule/schedule_kernels.hpp>
#include <gradus/transform/pipeline.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

// Every elementwise operation against exact values (test/golden/exact.txt, made by tools/exact.py): value, first and second
// derivatives, in float and double, on SIMD lanes and on one number. Graphs of derivatives are built, simplified and finished at run
// time as programs' are, and evaluated node by node with the operations' own formulas in the element type.
namespace {

namespace gr = gradus;
namespace op = gradus::op;
namespace simd = gradus::simd;
using gr::value;

using exact::errors, exact::row, exact::subject, exact::ulps;

template <class Op, class... X>
auto formula(X... x) {
    auto const truth = [](auto v) { return v > 0; };
    if constexpr (std::is_same_v<Op, op::where>) return [&](auto c, auto a, auto b) { return gr::where(truth(c), a, b); }(x...);
    else if constexpr (std::is_base_of_v<op::connective<Op, Op::arity>, Op>) return Op::eval(truth(x)...);
    else return Op::eval(x...);
}

/// A formula on columns of numbers, truth being 1.
template <class T>
using columns = T const* const*;
template <class T>
using column_formula = void (*)(columns<T>, T*, std::size_t);

template <class Op, class T, int W>
void on_columns(columns<T> x, T* y, std::size_t n) {
    for (std::size_t i = 0; i < n; i += W) {
        auto const result = [&]<std::size_t... K>(std::index_sequence<K...>) {
            return formula<Op>(simd::load<T, W>(x[K] + i)...);
        }(std::make_index_sequence<static_cast<std::size_t>(Op::arity)>{});
        if constexpr (std::is_convertible_v<decltype(result), simd::vec<T, W>>) simd::store<T, W>(y + i, result);
        else simd::store<T, W>(y + i, gr::where(result, simd::vec<T, W>(1), simd::vec<T, W>(0)));
    }
}
template <class T, int W, class... Op>
void collect(std::map<std::uint64_t, column_formula<T>>& found, op::op_list<Op...>) {
    auto const add = [&]<class O>(op::op_list<O>) {
        if constexpr (!std::is_same_v<O, op::cast>) found[gr::core::type_id<O>] = on_columns<O, T, W>;
    };
    (add(op::op_list<Op>{}), ...);
}
template <class T, int W>
std::map<std::uint64_t, column_formula<T>> const& formulas() {
    static auto const all = [] {
        std::map<std::uint64_t, column_formula<T>> found;
        collect<T, W>(found, op::kernel_list{});
        collect<T, W>(found, op::further_list{});
        collect<T, W>(found, op::derivative_list{});
        return found;
    }();
    return all;
}

/// The outputs of a graph of scalars, for every row of the symbols' columns. Their number is a multiple of every width.
template <class T, int W>
std::vector<std::vector<T>> evaluated(gr::graph const& g, std::vector<std::vector<T>> const& symbols) {
    std::size_t const n = symbols[0].size();
    std::vector<std::vector<T>> values;
    for (gr::node const& node : g.nodes) {
        if (node.is<op::symbol>()) values.push_back(symbols[static_cast<std::size_t>(node.attr.n[0])]);
        else if (node.is<op::constant>()) values.emplace_back(n, static_cast<T>(node.attr.value));
        else if (node.is<op::cast>()) values.push_back(values[static_cast<std::size_t>(node.in[0])]);
        else {
            auto const found = formulas<T, W>().find(node.op->id);
            if (found == formulas<T, W>().end()) throw std::logic_error("no formula of " + std::string(node.op->name));
            T const* x[3]{};
            for (int k = 0; k < node.op->arity; ++k) x[k] = values[static_cast<std::size_t>(node.in[k])].data();
            std::vector<T> y(n);
            found->second(x, y.data(), n);
            values.push_back(std::move(y));
        }
    }
    std::vector<std::vector<T>> out;
    for (gr::output_entry const& o : g.outputs) out.push_back(values[static_cast<std::size_t>(o.node)]);
    return out;
}

using builder = value (*)(value, value);
std::map<std::string, builder, std::less<>> const& builders() {
    static auto const all = [] {
        std::map<std::string, builder, std::less<>> found;
        auto const add = [&]<class... Op>(op::op_list<Op...>) {
            auto const one = [&]<class O>(op::op_list<O>) {
                if constexpr (std::is_base_of_v<op::elementwise<O, 1>, O>)
                    found[std::string(O::name)] = [](value a, value) { return gr::apply<O>(a); };
                else if constexpr (std::is_base_of_v<op::elementwise<O, 2>, O> || std::is_base_of_v<op::loss<O>, O>)
                    found[std::string(O::name)] = [](value a, value b) { return gr::apply<O>(a, b); };
            };
            (one(op::op_list<Op>{}), ...);
        };
        add(op::elementwise_list{});
        add(op::further_list{});
        add(op::composite_list{});
        add(op::op_list<op::mse_loss, op::kl_div, op::binary_cross_entropy, op::binary_cross_entropy_with_logits>{});
        gr::attributes static constexpr one = [] {
            gr::attributes a;
            a.value = 1;
            return a;
        }();
        found["huber_loss"] = [](value a, value b) { return op::huber_loss::expand(one, a, b); };
        found["smooth_l1_loss"] = [](value a, value b) { return op::smooth_l1_loss::expand(one, a, b); };
        found["elu"] = [](value a, value) { return gr::apply<op::elu>(a, value(1.5)); };
        return found;
    }();
    return all;
}

/// Value, first and second derivatives, in the order of the file.
gr::graph derivatives(builder build, int operands, gr::dtype type, bool forward) {
    gr::graph g;
    value x[2]{value(0), value(0)};
    for (int k = 0; k < operands; ++k) {
        g.symbols.push_back({k ? "b" : "a", {type, {}}});
        gr::node n{&gr::info_of<op::symbol>, {-1, -1, -1}, type, {}, {}};
        n.attr.n[0] = k;
        x[k] = {g, g.intern(n)};
    }
    int const zero = value::constant(g, 0, type).id(), one = value::constant(g, 1, type).id();
    int const y = build(x[0], x[1]).id();
    auto const by_all = [&](int of) {
        std::vector<int> found;
        gr::core::gradients reverse;
        for (int k = 0; k < operands; ++k) {
            int const id = x[k].id() > of ? -1 : forward ? gr::core::tangent(g, of, x[k].id(), one) : reverse(g, of, x[k].id());
            found.push_back(id < 0 ? zero : id);
        }
        return found;
    };
    g.outputs.push_back({y, -1});
    auto const first = by_all(y);
    for (int id : first) g.outputs.push_back({id, -1});
    for (int k = 0; k < operands; ++k) {
        auto const second = by_all(first[static_cast<std::size_t>(k)]);
        for (int m = k; m < operands; ++m) g.outputs.push_back({second[static_cast<std::size_t>(m)], -1});
    }
    return gr::pass::dead_code(g);
}

template <class T, int W>
void measure(subject const& s, gr::graph const& g, errors& found) {
    std::vector<row> rows;
    for (row const& r : s.rows)
        if (std::all_of(r.x.begin(), r.x.end(), [](double x) { return static_cast<double>(static_cast<T>(x)) == x; })) rows.push_back(r);
    std::vector<std::vector<T>> symbols(static_cast<std::size_t>(s.operands));
    for (std::size_t k = 0; k < symbols.size(); ++k) {
        for (row const& r : rows) symbols[k].push_back(static_cast<T>(r.x[k]));
        while (symbols[k].size() % 64) symbols[k].push_back(symbols[k].back());
    }
    static bool const verbose = std::getenv("GRADUS_EXACT_VERBOSE") != nullptr;
    auto const out = evaluated<T, W>(g, symbols);
    for (std::size_t o = 0; o < out.size(); ++o)
        for (std::size_t i = 0; i < rows.size(); ++i) {
            double const error = ulps(out[o][i], rows[i].exact[o]);
            double& most = found[o == 0 ? 0 : static_cast<int>(o) <= s.operands ? 1 : 2];
            most = std::max(most, error);
            if (verbose && error > 64)
                std::printf("%s %s width %d, result %zu at %.9g %.9g: %.9g, exact %.9g, %.3g ulp\n", s.name.c_str(),
                            sizeof(T) == 4 ? "float" : "double", W, o, rows[i].x.front(), rows[i].x.back(), static_cast<double>(out[o][i]),
                            rows[i].exact[o], error);
        }
}
/// Reverse and forward mode, as written and as compiled.
template <class T>
errors measured(subject const& s) {
    errors found{};
    gr::dtype const type = sizeof(T) == 4 ? gr::dtype::float32 : gr::dtype::float64;
    for (bool forward : {false, true}) {
        gr::graph const written = derivatives(builders().at(s.name), s.operands, type, forward),
                        finished = gr::pass::prepare(gr::pass::simplify(written));
        for (gr::graph const* g : {&written, &finished}) {
            measure<T, simd::native_width<T>>(s, *g, found);
            measure<T, 1>(s, *g, found);
        }
    }
    return found;
}

}  // namespace

// The table has the second power of two above what was found: GRADUS_EXACT_TABLE prints it anew. More than 64 has a reason in its last
// column.
TEST_CASE("elementwise operations and their derivatives err by no more than the table says") {
    auto const promises = exact::read_promises();
    auto const subjects = exact::read_subjects();
    CHECK(promises.size() == subjects.size());
    bool const table = std::getenv("GRADUS_EXACT_TABLE") != nullptr;
    for (subject const& s : subjects) {
        CAPTURE(s.name);
        REQUIRE(builders().count(s.name) == 1);
        std::array<errors, 2> const found{measured<float>(s), measured<double>(s)};
        if (table) {
            std::printf("| `%s` ", s.name.c_str());
            for (errors const& all : found) {
                std::printf("|");
                for (double e : all)
                    std::printf(std::isinf(e) ? " inf" : " %.0f",
                                e <= 1 ? 4 : std::exp2(std::ceil(std::log2(e)) + (e > 32 && e <= 64 ? 0 : 1)));
                std::printf(" ");
            }
            std::puts("| |");
            continue;
        }
        auto const promised = promises.find(s.name);
        REQUIRE(promised != promises.end());
        for (std::size_t type = 0; type < 2; ++type)
            for (std::size_t order = 0; order < 3; ++order) {
                CAPTURE(type);
                CAPTURE(order);
                CHECK(found[type][order] <= promised->second.allowed[type][order]);
                if (promised->second.allowed[type][order] > 64) CHECK(promised->second.reasoned);
            }
    }
}
