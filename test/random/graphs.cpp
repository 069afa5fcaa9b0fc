// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>

#include "draw_graph.hpp"
#include "run_plan.hpp"
#include "walk_plan.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>

// Random graphs at run time: passes are functions on values. Each graph goes through all of them; after each, the checker has to accept
// it and the interpreter to find the values that were there before. Forward and reverse mode have to agree, and a plan, walked through
// step by step, has to read what it wrote and to end with the interpreter's values. So have kernels that run it on real memory, for
// several sizes of a named dimension.
//
// GRADUS_GRAPHS is their number (20000), GRADUS_GRAPHS_FIRST the first seed. A failure prints its seed and the smallest graph that fails.
namespace {

using namespace random_graphs;

using symbol_map = std::map<std::string, numbers, std::less<>>;
using size_map = std::map<std::string, std::int64_t, std::less<>>;

/// Elements by a symbol's name and its seed, so that a smaller graph has the same.
symbol_map data_of(gr::graph const& g, std::uint64_t seed, std::int64_t row_count) {
    symbol_map result;
    for (gr::symbol_entry const& s : g.symbols) {
        generator random{seed * 31 + gr::core::hash_of(s.name)};
        std::int64_t n = 1;
        for (int i = 0; i < s.type.shape.rank(); ++i) n *= s.type.shape[i].is_static() ? s.type.shape[i].code : row_count;
        numbers data;
        for (; n > 0; --n)
            data.push_back(gr::is_integer(s.type.type) ? random.below(5) - 1 : static_cast<double>(random.below(4001) - 2000) / 1024.0);
        result[std::string(s.name)] = data;
    }
    return result;
}

/// What is wrong with a graph, and in which step; empty where nothing is.
class checking {
public:
    checking(std::uint64_t seed, bool float32)
        : seed_(seed),
          rows_(generator{seed}.below(8) ? generator{seed + 7}.below(6) : 14 + generator{seed + 7}.below(30)),
          tolerance_(float32 ? 2e-5 : 1e-8),
          kernel_tolerance_(float32 ? 2e-5 : 1e-11),
          float32_(float32) {}

    std::string operator()(gr::graph const& drawn) {
        step_ = "drawing";
        try {
            symbols_ = data_of(drawn, seed_, rows_);
            return run(drawn);
        } catch (std::exception const& e) { return step_ + ": " + e.what(); }
    }

private:
    std::string run(gr::graph const& drawn) {
        if (auto fault = gr::check(drawn).str(); !fault.empty()) return "drawing: " + fault;
        gr::graph g = pass("differentiate", drawn, gr::pass::differentiation);
        values_ = gr::interpret<double>(g, symbols_, sizes());
        // elements that rounding decides (an infinity, a number of millions) tell nothing
        for (numbers const& v : values_)
            for (double x : v)
                if (!(std::abs(x) < 1e6)) return {};
        if (auto different = modes_differ(drawn); !different.empty()) return different;
        for (gr::pass::graph_pass const& p : gr::pass::pipeline) {
            if (p.name == "differentiate") continue;
            g = kept(p.name, g, p.run);
            if (!(gr::print(p.run(g)).str() == gr::print(g).str())) return std::string(p.name) + ": not idempotent";
        }
        step_ = "plan";
        if (g.size() >= plan_capacity) return {};
        auto const plan = std::make_unique<plan_type>(gr::core::make_plan<plan_capacity>(g));
        gr::graph all = g;
        all.outputs = {};
        for (int i = 0; i < g.size(); ++i) all.outputs.push_back({i, -1});
        std::int64_t sizes_of[gr::max_dimensions] = {rows_};
        std::vector<numbers> const values = gr::interpret<double>(all, symbols_, sizes());
        executor(g, *plan, values, sizes_of, tolerance_).run();
        run_kernels(drawn, g);
        return {};
    }
    size_map sizes() const { return {{"rows", rows_}}; }
    /// Runs the kernels with the size drawn, and with some around the widths of vectors.
    void run_kernels(gr::graph const& drawn, gr::graph const& finished) {
        step_ = "kernels";
        compare_kernels(finished, symbols_, values_, rows_);
        if (!names_dimension(finished)) return;
        constexpr std::int64_t around[] = {1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 65};
        gr::graph const differentiated = gr::pass::differentiation(drawn);
        generator random{seed_ + 11};
        for (int i = 0; i < 2; ++i) {
            std::int64_t const size = around[random.below(11)];
            symbol_map const symbols = data_of(drawn, seed_, size);
            compare_kernels(finished, symbols, gr::interpret<double>(differentiated, symbols, {{"rows", size}}), size);
        }
    }
    static bool names_dimension(gr::graph const& g) {
        for (gr::symbol_entry const& s : g.symbols)
            if (!s.type.shape.is_static()) return true;
        return false;
    }
    /// Kernels round as programs of their types do. The longest graphs have some hundred operations, of at most 5 ulp each: 3e-5 in float
    /// and 1e-13 in double if all of them add up, which they do not. Where that is not enough, a program in float may be off by what
    /// rounding every value to float does to the results of the interpreter, up to a factor: it rounds in another order, to another side.
    void compare_kernels(gr::graph const& g, symbol_map const& symbols, std::vector<numbers> const& expected, std::int64_t size) const {
        std::vector<numbers> const got = run_by_kernels(g, symbols, size);
        std::vector<double> rounding;
        for (std::size_t o = 0; o < expected.size(); ++o)
            for (std::size_t e = 0; e < expected[o].size(); ++e) {
                if (agree(got[o][e], expected[o][e], kernel_tolerance_)) continue;
                if (rounding.empty()) rounding = rounding_of(g, symbols, expected, size);
                if (float32_ && std::abs(got[o][e] - expected[o][e]) <= 8 * rounding[o]) continue;
                throw fault("of " + std::to_string(size) + " rows, output " + std::to_string(o) + " element " + std::to_string(e) + " is " +
                            std::to_string(got[o][e]) + ", the interpreter says " + std::to_string(expected[o][e]) +
                            ", and rounding to float moves it by " + std::to_string(rounding[o]));
            }
    }
    /// How far rounding every value of a graph to float moves each result.
    static std::vector<double> rounding_of(gr::graph const& g, symbol_map const& symbols, std::vector<numbers> const& expected,
                                           std::int64_t size) {
        std::map<std::string, std::vector<float>, std::less<>> single;
        for (auto const& [name, values] : symbols) {
            std::vector<float>& to = single[name];
            for (double x : values) to.push_back(static_cast<float>(x));
        }
        std::vector<std::vector<float>> const rounded = gr::interpret<float>(g, single, {{"rows", size}});
        std::vector<double> moved(expected.size(), 0);
        for (std::size_t o = 0; o < expected.size(); ++o)
            for (std::size_t e = 0; e < expected[o].size(); ++e)
                moved[o] = std::max(moved[o], std::abs(static_cast<double>(rounded[o][e]) - expected[o][e]));
        return moved;
    }
    gr::graph pass(std::string_view name, gr::graph const& g, gr::graph (*f)(gr::graph const&)) {
        step_ = name;
        gr::graph made = f(g);
        if (auto fault = gr::check(made).str(); !fault.empty()) throw fault_of(fault);
        return made;
    }
    static fault fault_of(std::string const& what) { return fault("the checker says: " + what); }
    gr::graph kept(std::string_view name, gr::graph const& g, gr::graph (*f)(gr::graph const&)) {
        gr::graph made = pass(name, g, f);
        std::vector<numbers> const now = gr::interpret<double>(made, symbols_, sizes());
        for (std::size_t o = 0; o < values_.size(); ++o)
            for (std::size_t e = 0; e < values_[o].size(); ++e)
                if (!agree(now[o][e], values_[o][e], tolerance_))
                    throw fault("output " + std::to_string(o) + " element " + std::to_string(e) + " was " + std::to_string(values_[o][e]) +
                                " and is " + std::to_string(now[o][e]));
        return made;
    }
    /// The last two results of a graph with a direction are the derivative along it in both modes.
    std::string modes_differ(gr::graph const& drawn) const {
        int const n = drawn.outputs.size();
        if (n < 2 || !drawn[drawn.outputs[n - 2].node].is<gr::op::jvp>()) return {};
        double const forward = values_[static_cast<std::size_t>(n - 2)][0], reverse = values_[static_cast<std::size_t>(n - 1)][0];
        if (agree(forward, reverse, tolerance_)) return {};
        return "derivatives: forward mode says " + std::to_string(forward) + ", reverse mode " + std::to_string(reverse);
    }

    std::uint64_t seed_;
    std::int64_t rows_;
    double tolerance_;  ///< graphs are mild, at most some tens of operations deep; constants of float programs are rounded to float
    double kernel_tolerance_;
    bool float32_;
    symbol_map symbols_;
    std::vector<numbers> values_;
    std::string step_;
};

/// The first words of a failure: what stays the same while the graph shrinks.
std::string kind_of(std::string const& failure) { return failure.substr(0, failure.find(':')); }

/// Drops results and replaces nodes by operands, symbols and constants, as long as the same step fails.
gr::graph smallest(gr::graph g, std::string const& failure, std::function<std::string(gr::graph const&)> const& check) {
    auto fails = [&](gr::graph const& candidate) { return kind_of(check(candidate)) == kind_of(failure); };
    auto with = [](gr::graph const& from, int at, auto replacement) {
        return gr::pass::dead_code(gr::core::rebuild(from, [&, id = -1](gr::graph& out, gr::node const& n) mutable {
            do ++id;
            while (!(gr::core::needed_nodes(from)[id]));
            return id == at ? replacement(out, n) : out.intern(n);
        }));
    };
    for (bool smaller = true; smaller;) {
        smaller = false;
        for (int o = 0; o < g.outputs.size() && g.outputs.size() > 1; ++o) {
            gr::graph candidate = g;
            candidate.outputs.erase(o);
            candidate = gr::pass::dead_code(candidate);
            if (!fails(candidate)) continue;
            g = std::move(candidate);
            smaller = true;
            break;
        }
        for (int i = g.size() - 1; i >= 0 && !smaller; --i) {
            if (g[i].op->kind == gr::op_kind::leaf) continue;
            std::vector<std::function<int(gr::graph&, gr::node const&)>> replacements;
            for (int k = 0; k < g[i].operands(); ++k)
                if (g[g[i].in[k]].result() == g[i].result()) replacements.push_back([k](gr::graph&, gr::node const& n) { return n.in[k]; });
            std::string_view const name = [](int number) {
                static std::vector<std::string> names(2000);
                std::string& s = names[static_cast<std::size_t>(number)];
                if (s.empty()) s = "s" + std::to_string(number);
                return std::string_view(s);
            }(i);
            if (gr::is_floating(g[i].type))
                replacements.push_back([name](gr::graph& out, gr::node const& n) {
                    gr::node s{&gr::info_of<gr::op::symbol>, {-1, -1, -1}, n.type, n.shape, {}};
                    int number = 0;
                    while (number < out.symbols.size() && out.symbols[number].name != name) ++number;
                    if (number < out.symbols.size() && !(out.symbols[number].type == n.result())) return out.intern(n);
                    s.attr.n[0] = out.symbol_index(name, n.result());
                    return out.intern(s);
                });
            for (auto const& replacement : replacements) {
                gr::graph candidate = with(g, i, replacement);
                if (candidate.size() > g.size() || gr::print(candidate).str() == gr::print(g).str() || !fails(candidate)) continue;
                g = std::move(candidate);
                smaller = true;
                break;
            }
        }
    }
    return g;
}

std::int64_t from_environment(char const* name, std::int64_t otherwise) {
    char const* const text = std::getenv(name);
    return text ? std::atoll(text) : otherwise;
}

}  // namespace

TEST_CASE("random graphs: passes keep values, modes agree, plans read what they wrote, kernels compute it") {
    std::int64_t const count = from_environment("GRADUS_GRAPHS", 20000), first = from_environment("GRADUS_GRAPHS_FIRST", 1);
    std::printf("random graphs: seeds %lld to %lld\n", static_cast<long long>(first), static_cast<long long>(first + count - 1));
    int failures = 0;
    auto const start = std::chrono::steady_clock::now();
    for (std::int64_t i = 0; i < count && failures < 5; ++i) {
        auto const seed = static_cast<std::uint64_t>(first + i);
        gr::graph g;
        try {
            g = gr::pass::dead_code(drawing(seed).run());
        } catch (std::exception const& e) {
            ++failures;
            FAIL_CHECK("seed " << seed << ": drawing: " << std::string(e.what()));
            continue;
        }
        bool const float32 = g.symbols.size() > 0 && g.symbols[0].type.type == gr::dtype::float32;
        auto check = [&](gr::graph const& candidate) { return checking(seed, float32)(candidate); };
        std::string const failure = check(g);
        if (failure.empty()) continue;
        ++failures;
        gr::graph const small = smallest(g, failure, check);
        FAIL_CHECK("seed " << seed << ": " << check(small) << "\n" << gr::print(small).str());
    }
    CHECK(failures == 0);
    std::chrono::duration<double> const taken = std::chrono::steady_clock::now() - start;
    std::printf("%.0f graphs a second\n", static_cast<double>(count) / taken.count());
}
