// SPDX-License-Identifier: BSL-1.0
#include <gradus/expr/rearrange.hpp>
#include <gradus/graph/check.hpp>
#include <gradus/graph/interpret.hpp>
#include <gradus/op/list.hpp>
#include <gradus/transform/differentiate.hpp>
#include <gradus/transform/materialize.hpp>
#include <gradus/transform/simplify.hpp>

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

// Drawn equations of letters, repeated ones among them, against nested loops: values, derivatives by both operands and second ones.
namespace {

using gradus::graph;
using gradus::value;
using numbers = std::vector<double>;

struct drawing {
    std::uint64_t state;
    int below(int n) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        return static_cast<int>((state >> 33) % static_cast<std::uint64_t>(n));
    }
};

/// An equation, the extents of its letters, and what goes into it. Elements are small integers, so every sum is exact.
struct drawn_equation {
    std::vector<std::string> in;
    std::string out;
    std::map<char, int> extent;
    std::vector<numbers> operands, directions;
    numbers weights;  // of the result

    explicit drawn_equation(drawing& random) {
        std::string const alphabet = "abcdijkn";
        int const letters = 1 + random.below(6), operand_count = 1 + random.below(2);
        auto letter_of = [&](std::string const& some) {
            return some[static_cast<std::size_t>(random.below(static_cast<int>(some.size())))];
        };
        for (int i = 0; i < letters; ++i) {
            char const letter = letter_of(alphabet);
            extent[letter] = random.below(20) ? 1 + random.below(letters > 4 ? 2 : 3) : 0;
        }
        std::string used;
        for (auto const& [letter, size] : extent) used += letter;
        auto insert = [&](std::string& to, char letter) {
            to.insert(static_cast<std::size_t>(random.below(static_cast<int>(to.size()) + 1)), 1, letter);
        };
        bool const everywhere = random.below(8) == 0;  // every letter once in all operands and in the result
        for (int k = 0; k < operand_count; ++k) {
            in.emplace_back();
            for (std::size_t i = 0; everywhere && i < used.size(); ++i) insert(in.back(), used[i]);
            for (int axis = everywhere ? 0 : random.below(7); axis > 0; --axis) in.back() += letter_of(used);
        }
        for (char letter : used)
            if (everywhere || ((in[0] + in.back()).find(letter) != std::string::npos && random.below(2))) insert(out, letter);
        auto draw = [&](std::string const& of) {
            numbers all(elements(of));
            for (double& x : all) x = random.below(7) - 3;
            return all;
        };
        for (std::string const& of : in) operands.push_back(draw(of)), directions.push_back(draw(of));
        weights = draw(out);
    }
    std::size_t elements(std::string const& of) const {
        std::size_t n = 1;
        for (char letter : of) n *= static_cast<std::size_t>(extent.at(letter));
        return n;
    }
    gradus::shape shape(std::string const& of) const {
        gradus::shape s;
        for (char letter : of) s.push_back(extent.at(letter));
        return s;
    }
    std::string text() const { return in[0] + (in.size() == 2 ? "," + in[1] : "") + "->" + out; }

    /// Calls f(places) for all values of all letters, a place per operand and one in the result.
    void walk(auto f) const {
        std::map<char, int> at;
        auto place = [&](std::string const& of) {
            std::size_t flat = 0;
            for (char letter : of) flat = flat * static_cast<std::size_t>(extent.at(letter)) + static_cast<std::size_t>(at[letter]);
            return flat;
        };
        std::string used;
        for (auto const& [letter, size] : extent)
            if ((in[0] + in.back()).find(letter) != std::string::npos) used += letter;
        auto loop = [&](auto self, std::size_t depth) -> void {
            if (depth == used.size()) return f(place(in[0]), place(in.back()), place(out));
            for (at[used[depth]] = 0; at[used[depth]] < extent.at(used[depth]); ++at[used[depth]]) self(self, depth + 1);
        };
        loop(loop, 0);
    }
    /// The value; the derivatives of its sum with the weights; those of the first derivative's sum with the other's direction.
    std::vector<numbers> by_loops() const {
        bool const two = in.size() == 2;
        std::vector<numbers> all{numbers(elements(out))};
        for (int order = 1; order <= (two ? 2 : 1); ++order)
            for (std::string const& of : in) all.emplace_back(elements(of));
        walk([&](std::size_t a, std::size_t b, std::size_t y) {
            all[0][y] += operands[0][a] * (two ? operands[1][b] : 1);
            all[1][a] += weights[y] * (two ? operands[1][b] : 1);
            if (!two) return;
            all[2][b] += weights[y] * operands[0][a];
            all[3][a] += weights[y] * directions[1][b];
            all[4][b] += weights[y] * directions[0][a];
        });
        return all;
    }
    std::vector<numbers> by_graph() const {
        graph g;
        gradus::symbol_values<double> given;
        std::vector<std::string> names{"a", "b", "w", "da", "db"};
        auto symbol = [&](std::size_t k, std::string const& of, numbers const& data) {
            gradus::node n{&gradus::info_of<gradus::op::symbol>, {-1, -1, -1}, gradus::dtype::float64, shape(of), {}};
            n.attr.n[0] = g.symbol_index(names[k], {gradus::dtype::float64, shape(of)});
            given[names[k]] = data;
            return value{g, g.intern(n)};
        };
        auto total = [](value v) { return v.sum((std::int64_t{1} << v.shape().rank()) - 1, false); };
        auto grad = [](value f, value x) { return value::emit<gradus::op::grad>(x.owner(), {}, {}, {f, x}); };
        std::vector<value> x;
        for (std::size_t k = 0; k < in.size(); ++k) x.push_back(symbol(k, in[k], operands[k]));
        auto const attr = gradus::core::equation(text()).attr;
        value const y = in.size() == 2 ? gradus::op::einsum::expand(attr, x[0], x[1]) : gradus::op::einsum_of_one::expand(attr, x[0]);
        CHECK(y.shape() == shape(out));
        value const f = total(y * symbol(2, out, weights));
        std::vector<value> results{y};
        for (value v : x) results.push_back(grad(f, v));
        for (std::size_t k = 0; k < 2 && in.size() == 2; ++k) {
            value const along = total(results[2 - k] * symbol(4 - k, in[1 - k], directions[1 - k]));
            results.push_back(grad(along, x[k]));
        }
        for (value v : results) g.outputs.push_back({v.id(), -1});
        graph const derived = gradus::pass::materialize(gradus::pass::simplify(gradus::pass::differentiate(g)));
        REQUIRE(gradus::check(derived).str() == "");
        return gradus::interpret(derived, given);
    }
};

}  // namespace

TEST_CASE("einsum: drawn equations against nested loops") {
    drawing random{17};
    for (int trial = 0; trial < 1500; ++trial) {
        drawn_equation const e(random);
        INFO("equation ", e.text(), ", the ", trial, "th");
        auto const expected = e.by_loops(), found = e.by_graph();
        REQUIRE(found.size() == expected.size());
        bool same = true;
        for (std::size_t k = 0; k < expected.size(); ++k) same = same && found[k] == expected[k];  // exact: integers
        REQUIRE(same);
    }
}
