// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "../splitmix.hpp"

#include <gradus.hpp>
#include <gradus/graph/interpret.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

// Runs a program's kernels and compares every result with the interpreter on the graph as it was before simplification.
namespace compare {

namespace gr = gradus;

using draws::splitmix;

/// Calls f with a value of the C++ type of `type`.
void with_type(gr::dtype type, auto f) {
    switch (type) {
        case gr::dtype::float32: return f(float{});
        case gr::dtype::float64: return f(double{});
        case gr::dtype::int32: return f(std::int32_t{});
        case gr::dtype::int64: return f(std::int64_t{});
        default: return f(bool{});
    }
}

/// Elements of one dtype, held as doubles outside, in front of guard bytes that nobody may touch.
class memory {
public:
    memory(gr::dtype type, std::size_t count) : type_(type), count_(count), bytes_(count * width() + guard, untouched) {}

    void* data() { return bytes_.data(); }
    void write(std::vector<double> const& from) {
        REQUIRE(from.size() == count_);
        with_type(type_, [&](auto one) {
            for (std::size_t i = 0; i < count_; ++i) {
                auto x = static_cast<decltype(one)>(from[i]);
                std::memcpy(&bytes_[i * sizeof x], &x, sizeof x);
            }
        });
    }
    std::vector<double> read() const {
        std::vector<double> to(count_);
        with_type(type_, [&](auto one) {
            for (std::size_t i = 0; i < count_; ++i) {
                std::memcpy(&one, &bytes_[i * sizeof one], sizeof one);
                to[i] = static_cast<double>(one);
            }
        });
        return to;
    }
    bool guarded() const {
        for (std::size_t i = count_ * width(); i < bytes_.size(); ++i)
            if (bytes_[i] != untouched) return false;
        return true;
    }
    gr::dtype type() const { return type_; }

private:
    static constexpr std::byte untouched{0xa5};
    static constexpr std::size_t guard = 128;
    std::size_t width() const { return static_cast<std::size_t>(gr::size_of(type_)); }
    gr::dtype type_;
    std::size_t count_;
    std::vector<std::byte> bytes_;
};

/// Which inputs are drawn: of both signs, positive, or each one different (for amax). Floating-point ones keep their
/// distance to 0 and to each other, where operations have kinks.
enum class inputs { signed_values, positive, distinct };

using values = std::map<std::string, std::vector<double>, std::less<>>;

/// A program, its types erased, so that the comparison is compiled once.
struct subject {
    gr::graph differentiated, optimized;
    std::function<std::int64_t(std::int64_t const* dimensions)> workspace_bytes;
    std::function<void(gr::core::run_context const&)> run;
    gr::dimension_table dimensions;
};
template <class Source>
subject subject_of() {
    using S = gr::stages<Source>;
    return {S::differentiated.thaw(), S::optimized.thaw(),
            [](std::int64_t const* dimensions) { return S::plan.workspace_bytes(dimensions); }, gr::core::run_program<Source>,
            S::plan.dimensions};
}

/// A program made at run time (made.cpp): the compiler neither evaluates its passes nor makes code for it.
subject made(gr::graph const& written);

/// Comparisons of a program with one size of its dimension "n".
class running {
public:
    running(subject const& program, std::int64_t size, std::uint64_t seed)
        : program_(program), g_(program.optimized), size_(size), seed_(seed) {
        for (gr::node const& n : g_.nodes) single_ = single_ || n.type == gr::dtype::float32;
    }
    void check(inputs how) {
        draw(how);
        CAPTURE(static_cast<int>(how));
        compare(interpreted(symbols_), how != inputs::signed_values);
    }

private:
    std::size_t elements(gr::shape const& s) const {
        std::size_t count = 1;
        auto const size = [&](gr::extent) { return size_; };
        for (int i = 0; i < s.rank(); ++i) count *= static_cast<std::size_t>(gr::core::form(s[i]).at(size));
        return count;
    }
    void draw(inputs how) {
        splitmix random(seed_);
        symbols_.clear();
        int operand = 0;
        for (auto const& symbol : g_.symbols) {
            ++operand;
            std::vector<double> data(elements(symbol.type.shape));
            for (std::size_t i = 0; i < data.size(); ++i) {
                double x = 0.2 + 0.1 * random.below(14) + 0.03 * (operand % 3), sign = random.below(2) ? -1 : 1;
                if (symbol.type.type == gr::dtype::boolean) x = random.below(2);
                else if (gr::is_integer(symbol.type.type)) x = symbol.name == "label" ? random.below(3) : random.below(21) - 10;
                else if (how == inputs::distinct)
                    x = 2.1 * (static_cast<double>(i * 7 % data.size()) + 0.5) / static_cast<double>(data.size()) - 1;
                else if (how == inputs::signed_values) x *= sign;
                data[i] = symbol.type.type == gr::dtype::float32 ? static_cast<double>(static_cast<float>(x)) : x;
            }
            symbols_[std::string(symbol.name)] = data;
        }
    }
    std::vector<std::vector<double>> interpreted(values const& symbols) const {
        return gr::interpret<double>(program_.differentiated, symbols, {{"n", size_}});
    }
    /// How far results move when every input moves by one ulp of float: what rounding of the inputs alone would do.
    std::vector<std::vector<double>> sensitivity(std::vector<std::vector<double>> const& at) const {
        splitmix random(seed_ + 1);
        std::vector<std::vector<double>> most = at;
        for (auto& r : most) r.assign(r.size(), 0);
        for (int trial = 0; trial < 4; ++trial) {
            values moved = symbols_;
            bool any = false;
            for (auto const& symbol : g_.symbols) {
                if (!gr::is_floating(symbol.type.type)) continue;
                any = true;
                for (double& x : moved[std::string(symbol.name)]) x *= random.below(2) ? 1 + float_ulp : 1 - float_ulp;
            }
            if (!any || !single_) return most;
            auto there = interpreted(moved);
            for (std::size_t o = 0; o < at.size(); ++o)
                for (std::size_t i = 0; i < at[o].size(); ++i) most[o][i] = std::max(most[o][i], std::abs(there[o][i] - at[o][i]));
        }
        return most;
    }
    void compare(std::vector<std::vector<double>> const& expected, bool everywhere) {
        std::int64_t dimensions[gr::max_dimensions] = {size_};
        program_.dimensions.complete(dimensions);
        std::vector<memory> symbols, outputs;
        std::vector<void*> symbol_memory, output_memory;
        for (auto const& symbol : g_.symbols) {
            symbols.emplace_back(symbol.type.type, elements(symbol.type.shape));
            symbols.back().write(symbols_.at(std::string(symbol.name)));
        }
        for (auto const& o : g_.outputs)
            if (o.updates < 0) outputs.emplace_back(g_[o.node].type, elements(g_[o.node].shape));
        for (auto& s : symbols) symbol_memory.push_back(s.data());
        for (auto& o : outputs) output_memory.push_back(o.data());
        // room to align the arena; what lies behind its last byte is guarded
        memory scratch(gr::dtype::boolean, static_cast<std::size_t>(program_.workspace_bytes(dimensions)) + 64);
        auto address = reinterpret_cast<std::uintptr_t>(scratch.data());
        program_.run(
            {symbol_memory.data(), output_memory.data(), static_cast<std::byte*>(scratch.data()) + (64 - address % 64) % 64, dimensions});

        auto const spread = sensitivity(expected);
        std::size_t returned = 0;
        for (std::size_t o = 0; o < expected.size(); ++o) {
            int updates = g_.outputs[static_cast<int>(o)].updates;
            memory const& got = updates >= 0 ? symbols[static_cast<std::size_t>(updates)] : outputs[returned++];
            auto const actual = got.read();
            CHECK(got.guarded());
            REQUIRE(actual.size() == expected[o].size());
            for (std::size_t i = 0; i < expected[o].size(); ++i) {
                if (!everywhere && !std::isfinite(expected[o][i])) continue;  // log of a negative number; see also golden/edges
                double scale = std::max(1.0, std::abs(expected[o][i]));
                // double: at most some 30 operations of at most 5 ulp each (digamma), 150 * 1.1e-16, and sums of at
                // most 40 terms; 1e-12 leaves a factor of 60. float: 16 ulp of the result (of 1 where it is smaller:
                // intermediates are near 1) and four times what one ulp in the inputs does. Everything else is exact.
                double tolerance = !gr::is_floating(got.type()) ? 0 : single_ ? 16 * float_ulp * scale + 4 * spread[o][i] : 1e-12 * scale;
                CHECK_MESSAGE(std::abs(actual[i] - expected[o][i]) <= tolerance, "output " << o << " element " << i << ": " << actual[i]
                                                                                           << " is not " << expected[o][i] << " within "
                                                                                           << tolerance);
            }
        }
        for (auto const& s : symbols) CHECK(s.guarded());
        CHECK(scratch.guarded());
    }

    static constexpr double float_ulp = std::numeric_limits<float>::epsilon();
    subject const& program_;
    gr::graph const& g_;
    std::int64_t size_;
    std::uint64_t seed_;
    bool single_ = false;  ///< some of the program is in float, which the interpreter does in double
    values symbols_;
};

inline void check_subject(subject const& program, bool distinct) {
    CAPTURE(gr::print(program.optimized).str());
    for (std::int64_t size : {3, 13}) {
        CAPTURE(size);
        if (distinct) running(program, size, 41).check(inputs::distinct);
        else
            for (inputs how : {inputs::signed_values, inputs::positive}) running(program, size, 41).check(how);
    }
}
/// Runs `Source` for two sizes of the dimension "n", on two sets of inputs.
template <class Source>
void check(bool distinct = false) {
    check_subject(subject_of<Source>(), distinct);
}
/// The same, but in interpreted builds as a program made at run time: for files of many programs, whose kernels are no others' than
/// those of the files that compile theirs.
template <class Source>
void check_values(bool distinct = false) {
    if constexpr (gr::interprets) check_subject(made(Source::lower()), distinct);
    else check<Source>(distinct);
}

/// A graph under construction: for every part, the value, the gradient of sum(value * c), the derivative along t, and the
/// derivative of the gradient along t.
class parts {
public:
    gr::graph g;

    constexpr gr::value symbol(std::string_view name, gr::dtype type, gr::shape const& s) {
        gr::node n{&gr::info_of<gr::op::symbol>, {-1, -1, -1}, type, s, {}};
        n.attr.n[0] = g.symbol_index(name, {type, s});
        return {g, g.intern(n)};
    }
    /// Operand k of the current part.
    constexpr gr::value input(int k, gr::dtype type, gr::shape const& s) { return symbol(names[part_][k], type, s); }
    constexpr void result(gr::value v) { g.outputs.push_back({v.id(), -1}); }
    static constexpr gr::value total(gr::value v) { return v.sum((std::int64_t{1} << v.shape().rank()) - 1, false); }

    constexpr void finish(gr::value y, std::initializer_list<gr::value> x) {
        result(y);
        if (gr::is_floating(y.type())) derivatives(y, x);
    }
    /// Operands from here on have names of their own; until then, parts that name the same operands share them.
    constexpr void next() { ++part_; }

private:
    static constexpr gr::value grad(gr::value f, gr::value x) { return gr::value::emit<gr::op::grad>(x.owner(), {}, {}, {f, x}); }
    static constexpr gr::value jvp(gr::value f, gr::value x, gr::value t) {
        return gr::value::emit<gr::op::jvp>(x.owner(), {}, {}, {f, x, t});
    }

    constexpr void derivatives(gr::value y, std::initializer_list<gr::value> x) {
        gr::value loss = total(y * symbol(names[part_][3], y.type(), y.shape())), along = 0, slope = 0;
        int k = 0;
        for (gr::value v : x) {
            gr::value t = symbol(names[part_][4 + k], v.type(), v.shape()), slope_k = grad(loss, v);
            result(slope_k);
            along = k ? along + jvp(y, v, t) : jvp(y, v, t);
            slope = k ? slope + total(slope_k * t) : total(slope_k * t);
            ++k;
        }
        if (k == 0) return;
        result(along);
        for (gr::value v : x) result(grad(slope, v));
    }
    // x0 x1 x2 c t0 t1 t2 of every part
    static constexpr std::string_view names[6][7] = {
        {"a0", "a1", "a2", "ac", "at0", "at1", "at2"}, {"b0", "b1", "b2", "bc", "bt0", "bt1", "bt2"},
        {"c0", "c1", "c2", "cc", "ct0", "ct1", "ct2"}, {"d0", "d1", "d2", "dc", "dt0", "dt1", "dt2"},
        {"e0", "e1", "e2", "ec", "et0", "et1", "et2"}, {"f0", "f1", "f2", "fc", "ft0", "ft1", "ft2"}};
    int part_ = 0;
};

/// A program of these expressions.
template <class... F>
void check_all(F...) {
    check<gr::expressions<F...>>();
}

}  // namespace compare
