// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus.hpp>
#include <gradus/graph/interpret.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

// Random programs: a graph is drawn in the compiler, compiled to kernels, run, and compared with the interpreter. Numbers 72 to
// 215, the four files, have every elementwise operation that a program can state among them.
namespace random_program {

namespace gr = gradus;

struct generator {
    std::uint64_t state;
    constexpr int below(int n) {  // splitmix64
        std::uint64_t z = (state += 0x9e3779b97f4a7c15u);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return static_cast<int>((z ^ (z >> 31)) >> 33) % n;
    }
};

/// The named dimension of the programs; its size is given at run time.
inline constexpr gr::extent rows{std::string_view("rows")};

class drawing {
public:
    /// Seeds are far apart: with steps of the generator's own increment, programs would be each other's draws, one later.
    constexpr explicit drawing(std::uint64_t seed) : random_{seed * 0xd1342543de82ef95u + 1}, turn_(static_cast<int>(seed)) {}

    constexpr gr::graph run() {
        constexpr std::string_view names[] = {"a", "b", "c", "d"};
        type_ = random_.below(2) ? gr::dtype::float64 : gr::dtype::float32;
        gr::shape matrix{random_.below(3) == 0 ? rows : extent(), extent()};
        int symbols = 2 + random_.below(3);
        for (int s = 0; s < symbols; ++s) add_symbol(names[s], shape_like(matrix));
        int target = 5 + random_.below(56);
        for (int tries = 0; g_.size() < target && tries < 20 * target; ++tries) step();
        finish();
        return g_;
    }

private:
    constexpr gr::extent extent() {
        constexpr int sizes[] = {1, 2, 3, 5, 8, 17, 33};
        return sizes[random_.below(7)];
    }
    /// The same shape, a part of it that broadcasts, or another one.
    constexpr gr::shape shape_like(gr::shape const& s) {
        switch (random_.below(6)) {
            case 0: return gr::shape{s[1]};
            case 1: return gr::shape{s[0], 1};
            case 2: return gr::shape{};
            case 3: return gr::shape{s[1], extent()};
            default: return s;
        }
    }
    constexpr void add_symbol(std::string_view name, gr::shape const& s) {
        gr::node n{&gr::info_of<gr::op::symbol>, {-1, -1, -1}, type_, s, {}};
        n.attr.n[0] = g_.symbol_index(name, {type_, s});
        g_.intern(n);
    }
    constexpr gr::value any() {
        for (;;) {
            int id = random_.below(g_.size());
            if (random_.below(2))
                id = g_.size() - 1 - random_.below(g_.size() < 4 ? g_.size() : 4);  // recent ones, so that graphs get deep
            if (gr::is_floating(g_[id].type)) return {g_, id};
        }
    }
    constexpr bool broadcasts(gr::value a, gr::value b) const {
        gr::call c{{}, {}, {{type_, a.shape()}, {type_, b.shape()}}, 2};
        gr::complaint fail;
        gr::shape result = gr::op::broadcast(c, fail);
        return !fail.failed && (!result.is_static() || result.static_size() <= 4000);
    }
    template <class Op>
    constexpr void unary() {
        gr::apply<Op>(any());
    }
    constexpr void binary() {
        gr::value a = any(), b = any();
        if (!broadcasts(a, b)) return;
        switch (random_.below(8)) {
            case 0: a + b; break;
            case 1: a - b; break;
            case 2: gr::apply<gr::op::tanh>(a * b); break;
            case 3: a / (1 + gr::apply<gr::op::square>(b)); break;
            case 4: gr::apply<gr::op::maximum>(a, b); break;
            case 5: gr::apply<gr::op::minimum>(a, b); break;
            case 6: gr::where(a < b, a, b * 0.5); break;
            default: a * 0.25 - b; break;
        }
    }
    /// Any elementwise operation of the library. Operands are squashed to where it is defined and mildly conditioned. What steps
    /// takes symbols as they are, whose numbers the kernels and the interpreter agree on to the last bit.
    template <class... Op>
    constexpr void one_of(gr::op::op_list<Op...>) {
        int left = turn_++ % static_cast<int>(sizeof...(Op));  // in turn, so that every one is drawn somewhere
        ((left-- == 0 ? elementwise<Op>() : void()), ...);
    }
    template <class Op>
    constexpr void elementwise() {
        using namespace gr::op;
        constexpr std::string_view name = Op::name;
        constexpr bool truth = std::is_base_of_v<connective<Op, Op::arity>, Op>,
                       questions = std::is_base_of_v<comparison<Op>, Op> || std::is_base_of_v<predicate<Op, Op::arity>, Op>;
        constexpr bool steps = questions || truth || name == "floor" || name == "ceil" || name == "round" || name == "trunc" ||
                               name == "fmod" || name == "remainder" || name == "sign" || name == "heaviside" || name == "where";
        if constexpr (std::is_same_v<Op, cast> || std::is_same_v<Op, copy>) return;
        else {
            gr::value x[3]{0.0, 0.0, 0.0};
            for (int k = 0; k < Op::arity; ++k) {
                gr::value v = steps ? gr::value{g_, symbol(random_.below(g_.symbols.size()))} : any();
                if constexpr (truth || name == "where") x[k] = truth || k == 0 ? v < 0.25 : v;
                else if constexpr (name == "fmod" || name == "remainder") x[k] = k ? v.number(0.75) : v;
                else if constexpr (steps) x[k] = v;
                else x[k] = in_domain(name, gr::apply<sigmoid>(v) + 0.25);  // between 0.25 and 1.25
            }
            for (int k = 1; k < Op::arity; ++k)
                if (!broadcasts(x[0], x[k]) || !broadcasts(x[1], x[k])) {
                    if (x[0].type() != x[k].type()) return;
                    x[k] = x[0];
                }
            gr::value y = [&] {
                if constexpr (Op::arity == 1) return gr::apply<Op>(x[0]);
                else if constexpr (Op::arity == 2) return gr::apply<Op>(x[0], x[1]);
                else return gr::apply<Op>(x[0], x[1], x[2]);
            }();
            if (y.type() == gr::dtype::boolean) {
                gr::value other = any();
                if (!broadcasts(y, other)) return;
                y = gr::where(y, other, 0.5);
            }
            one_before_ = latest_;
            latest_ = y.id();
        }
    }
    static constexpr gr::value in_domain(std::string_view name, gr::value x) {
        if (name == "asin" || name == "acos" || name == "atanh" || name == "erfinv" || name == "logit") return x * 0.6;
        if (name == "acosh" || name == "lgamma" || name == "digamma" || name == "trigamma" || name == "polygamma_2") return x + 1;
        return x;
    }
    constexpr void reduce() {
        gr::value a = any();
        int rank = a.shape().rank();
        if (rank == 0) return;
        std::int64_t axes = 1 + random_.below((1 << rank) - 1);
        bool keep = random_.below(2) == 0;
        switch (random_.below(4)) {
            case 0: a.amax(axes, keep); break;
            case 1: a.sum(axes, keep) / a.count(axes); break;
            case 2: gr::apply<gr::op::sin>(a.sum(axes, keep)); break;
            default: gr::op::softmax::expand(gr::op::reduction_attributes(std::int64_t{1} << (rank - 1), false), a); break;
        }
    }
    constexpr void view() {
        gr::value a = any();
        gr::shape s = a.shape();
        if (s.rank() == 0) return;
        gr::attributes ranges;
        for (int i = 0; i < s.rank(); ++i) ranges.n[i] = gr::op::pack_range(0, 1);
        int last = s.rank() - 1;
        switch (random_.below(6)) {
            case 0:
                if (s.rank() == 2) a.transposed();
                break;
            case 1: {
                gr::shape to = s.rank() == 1 ? gr::shape{1, s[0]} : gr::shape{s[0], 1, s[1]};
                if (s.rank() < 3) a.reshape(to);
                break;
            }
            case 2:
                if (s.is_static() && s.rank() > 1) a.reshape(gr::shape{s.static_size()});
                break;
            case 3:
                if (s[last].is_static() && s[last].code > 2) {
                    ranges.n[last] = gr::op::pack_range(1, 2);
                    s[last] = (s[last].code - 1 + 1) / 2;
                    a.slice(ranges, s);
                }
                break;
            case 4:
                if (s[last].is_static() && s[last].code < 40) {
                    ranges.n[last] = gr::op::pack_range(2, 1);
                    s[last] = s[last].code + 3;
                    a.pad(ranges, s);
                }
                break;
            default: {
                gr::attributes axis;
                axis.n[0] = last;
                gr::value b = any();
                if (b.shape() == s && s[last].is_static()) a.concatenate(b, axis);
                break;
            }
        }
    }
    constexpr void product() {
        gr::value a = any(), b = any();
        if (a.shape().rank() != 2 || b.shape().rank() != 2) return;
        if (random_.below(2)) b = b.transposed();
        if (a.shape()[1] == b.shape()[0]) gr::apply<gr::op::tanh>(a.matmul(b) * 0.3);
    }
    constexpr void step() {
        switch (random_.below(18)) {
            case 0: unary<gr::op::tanh>(); break;
            case 1: unary<gr::op::sigmoid>(); break;
            case 2: unary<gr::op::softplus>(); break;
            case 3: unary<gr::op::relu>(); break;
            case 4: unary<gr::op::sin>(); break;
            case 5: unary<gr::op::erf>(); break;
            case 6: unary<gr::op::neg>(); break;
            case 7: reduce(); break;
            case 8: reduce(); break;
            case 9: view(); break;
            case 10: product(); break;
            case 11: one_of(gr::op::elementwise_list{}); break;
            case 12: one_of(joined_lists(gr::op::further_list{}, gr::op::connective_list{})); break;
            case 13: one_of(gr::op::composite_list{}); break;
            default: binary(); break;
        }
    }
    /// Results: the last nodes; the gradient of their sum, an update by it, or neither.
    constexpr void finish() {
        gr::value last = latest_ >= 0 && random_.below(2) ? gr::value{g_, latest_} : any();
        int results = random_.below(3);
        for (int id : {one_before_, latest_})  // so that most of what was drawn from the lists is not dead
            if (id >= 0) g_.outputs.push_back({id, -1});
            else ++results;
        for (int i = 0; i < results; ++i) g_.outputs.push_back({any().id(), -1});
        int kind = random_.below(3);
        if (kind == 0) return;
        gr::value loss = last.sum((1 << last.shape().rank()) - 1, false);
        for (int s = 0; s < g_.symbols.size(); ++s) {
            gr::value x{g_, symbol(s)};
            gr::value slope = gr::value::emit<gr::op::grad>(g_, {}, {}, {loss, x});
            if (kind == 1) g_.outputs.push_back({slope.id(), -1});
            else g_.outputs.push_back({(x - slope * 0.1).id(), s});
        }
    }
    constexpr int symbol(int s) const {
        int id = 0;
        while (!(g_[id].is<gr::op::symbol>() && g_[id].attr.n[0] == s)) ++id;
        return id;
    }

    generator random_;
    int turn_ = 0, one_before_ = -1, latest_ = -1;  ///< of the lists: what comes next, the values of the last two
    gr::graph g_;
    gr::dtype type_ = gr::dtype::float64;
};

template <std::uint64_t Seed>
struct source {
    static constexpr gr::graph lower() { return gr::pass::dead_code(drawing(Seed).run()); }
};

/// A program, its type erased, so that the comparison is compiled once for each element type.
struct subject {
    gr::graph differentiated, optimized;
    gr::text explained;
    std::int64_t (*workspace_bytes)(std::int64_t const* dimensions);
    void (*run)(gr::core::run_context const&);
};

/// Within the tolerance, or the same where numbers are not finite.
inline bool agree(double got, double expected, double tolerance) {
    if (std::isnan(got) || std::isnan(expected)) return std::isnan(got) && std::isnan(expected);
    return got == expected || std::abs(got - expected) <= tolerance;
}

/// Runs the kernels on memory that ends in guard values, in elements of T.
template <class T>
void compare(subject const& program, std::int64_t row_count) {
    gr::graph const& g = program.optimized;
    std::map<std::string, std::int64_t, std::less<>> sizes{{"rows", row_count}};
    std::int64_t dimensions[gr::max_dimensions] = {row_count};
    generator random{static_cast<std::uint64_t>(row_count) * 977 + 5};
    auto elements = [&](gr::shape const& s) {
        std::size_t count = 1;
        for (int i = 0; i < s.rank(); ++i) count *= static_cast<std::size_t>(s[i].is_static() ? s[i].code : row_count);
        return count;
    };
    constexpr std::size_t guard = 16;
    std::vector<std::vector<T>> symbols, outputs;
    std::map<std::string, std::vector<double>, std::less<>> inputs;
    std::vector<void*> symbol_memory, output_memory;
    for (auto const& symbol : g.symbols) {
        std::vector<T> data(elements(symbol.type.shape) + guard, T(-77));
        for (std::size_t i = 0; i + guard < data.size(); ++i) data[i] = static_cast<T>(random.below(4001) - 2000) / T(1000);
        inputs[std::string(symbol.name)] = std::vector<double>(data.begin(), data.end() - guard);
        symbols.push_back(data);
    }
    for (auto const& o : g.outputs)
        if (o.updates < 0) outputs.emplace_back(elements(g[o.node].shape) + guard, T(-77));
    for (auto& s : symbols) symbol_memory.push_back(s.data());
    for (auto& o : outputs) output_memory.push_back(o.data());
    gr::workspace scratch(static_cast<std::size_t>(program.workspace_bytes(dimensions)) + 64);
    program.run({symbol_memory.data(), output_memory.data(), scratch.data(), dimensions});

    // every pass kept the value, and the kernels computed it: both graphs are interpreted in double
    auto expected = gr::interpret<double>(program.differentiated, inputs, sizes), optimized = gr::interpret<double>(g, inputs, sizes);
    // rounding grows with the depth of the graph, at most 60 operations deep and mildly conditioned: 2^12 ulp
    double const tolerance = std::is_same_v<T, float> ? 4096 * 1.2e-7 : 4096 * 2.3e-16;
    // a constant that a pass computes is rounded to the program's type
    double const pass_tolerance = std::is_same_v<T, float> ? 16 * 1.2e-7 : 1e-11;
    std::size_t returned = 0;
    for (std::size_t o = 0; o < expected.size(); ++o) {
        int updates = g.outputs[static_cast<int>(o)].updates;
        std::vector<T> const& got = updates >= 0 ? symbols[static_cast<std::size_t>(updates)] : outputs[returned++];
        REQUIRE(got.size() == expected[o].size() + guard);
        for (std::size_t i = 0; i < expected[o].size(); ++i) {
            double scale = std::max(1.0, std::abs(expected[o][i]));
            CHECK_MESSAGE(agree(optimized[o][i], expected[o][i], pass_tolerance * scale),
                          "pass, output " << o << " element " << i << ": " << optimized[o][i] << " is not " << expected[o][i]);
            CHECK_MESSAGE(agree(static_cast<double>(got[i]), expected[o][i], tolerance * scale),
                          "kernel, output " << o << " element " << i << ": " << got[i] << " is not " << expected[o][i]);
        }
        for (std::size_t i = 0; i < guard; ++i) CHECK(got[expected[o].size() + i] == T(-77));
    }
}

inline void check(subject const& program, std::uint64_t seed) {
    INFO("seed " << seed);
    CAPTURE(gr::print(program.optimized).str());
    CAPTURE(program.explained.str());
    bool const single = program.optimized.symbols[0].type.type == gr::dtype::float32;
    for (std::int64_t rows_given : {7, 20}) single ? compare<float>(program, rows_given) : compare<double>(program, rows_given);
}
template <std::uint64_t Seed>
subject subject_of() {
    using S = gr::stages<source<Seed>>;
    return {S::differentiated.thaw(), S::optimized.thaw(), gr::program_report<source<Seed>>::explain(gr::dim<"rows"> = 1),
            [](std::int64_t const* dimensions) { return S::plan.workspace_bytes(dimensions); }, gr::core::run_program<source<Seed>>};
}
template <std::uint64_t First, std::uint64_t... I>
void check_all(std::integer_sequence<std::uint64_t, I...>) {
    (check(subject_of<First + I>(), First + I), ...);
}

}  // namespace random_program

/// Graphs have no expressions in which operations are found: kernels know all of them, and what their derivatives use.
template <std::uint64_t Seed>
struct gradus::core::operations_for<random_program::source<Seed>> {
    using type = decltype(joined_lists(joined_lists(op::kernel_list{}, op::further_list{}), op::derivative_list{}));
};
