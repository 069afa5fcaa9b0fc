// SPDX-License-Identifier: BSL-1.0
#include "operations.hpp"

#include <gradus/graph/print.hpp>

#include <map>
#include <set>

// For every operation: its value, vjp, jvp and second derivative under vmap are those of each instance, one after the other; derivatives
// of all instances are their derivatives; whatever is mapped and whatever is shared, along any axis, for named instances, and nested.
namespace {

using namespace laws;
using gradus::extent;
using numbers = std::vector<double>;

gradus::attributes instance_attributes(int level, int axis) {
    gradus::attributes attr;
    attr.n[0] = level;
    attr.n[1] = axis;
    return attr;
}

/// How instances are laid out: one axis of them, or one in another.
struct layout {
    std::vector<extent> extents;  // the outermost first
    std::vector<int> counts;
    bool behind = false;  // the axis of instances stands after the first axis of an operand that has one

    int count() const {
        int n = 1;
        for (int c : counts) n *= c;
        return n;
    }
};

/// A function of an operation with its derivatives, written for one instance.
struct function {
    program p;
    value y = 0;
    std::vector<value> results;
    std::map<std::string, value> stacked;  // under vmap: what a symbol is an instance of
    std::map<std::string, int> axes;
};

/// y, and for every input vjp, jvp and the second derivative along a direction.
void write_results(function& f) {
    program& p = f.p;
    f.results = {f.y};
    if (f.y.type() != gradus::dtype::float64) return;
    auto const inputs = p.inputs;
    value const loss = total(f.y * p.symbol("c", gradus::dtype::float64, f.y.shape()));
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        value const t = p.symbol("t" + std::to_string(i), gradus::dtype::float64, inputs[i].shape()), by_x = grad(loss, inputs[i]);
        for (value r : {by_x, jvp(f.y, inputs[i], t), grad(total(by_x * t), inputs[i])}) f.results.push_back(r);
    }
}

using builder = std::function<value(program&, splitmix&)>;

/// What is mapped: everything in the beginning, then all but the first operand, then each symbol by a bit of the seed. Cotangents always
/// are.
bool is_mapped(std::string const& name, std::uint64_t seed) {
    if (seed % 3 == 1 || name == "c" || name == "anchor") return true;
    if (seed % 3 == 2) return name != "x0";
    return (std::hash<char>{}(name.back()) + name.size() + seed) % 2 == 0 || name == "x0";
}

function build_mapped(builder const& build, std::uint64_t seed, layout const& l) {
    function f;
    f.p.instead = [&](program& p, std::string const& name, gradus::dtype type, shape const& s) -> value {
        if (!is_mapped(name, seed)) return p.plain_symbol(name, type, s);
        int const axis = l.behind && s.rank() > 0 ? 1 : 0;
        shape all;
        for (int i = 0; i < axis; ++i) all.push_back(s[i]);
        for (extent e : l.extents) all.push_back(e);
        for (int i = axis; i < s.rank(); ++i) all.push_back(s[i]);
        value one = p.plain_symbol(name, type, all);
        f.stacked.insert_or_assign(name, one);
        f.axes[name] = axis;
        for (std::size_t level = 0; level < l.extents.size(); ++level)
            one = value::emit<gradus::op::instance>(p.g, instance_attributes(static_cast<int>(level), axis), {}, {one});
        return one;
    };
    splitmix random(seed);
    f.y = build(f.p, random);
    write_results(f);
    f.p.symbol("anchor", gradus::dtype::float64, {});  // what tells how many instances there are
    value const first = f.stacked.at("anchor");
    for (value& r : f.results)
        for (std::size_t level = l.extents.size(); level-- > 0;) {
            value operand = first;  // inside of the outer levels it is an instance of theirs
            for (std::size_t outer = 0; outer < level; ++outer)
                operand =
                    value::emit<gradus::op::instance>(f.p.g, instance_attributes(static_cast<int>(outer), f.axes["anchor"]), {}, {operand});
            r = value::emit<gradus::op::vmap>(f.p.g, instance_attributes(static_cast<int>(level), f.axes["anchor"]), {}, {r, operand});
        }
    if (f.results.size() > 1)  // derivatives of all instances together
        for (value const x : std::vector<value>(f.p.inputs)) {
            std::string const name = "x" + std::to_string(f.results.size() - 1 - 3 * f.p.inputs.size());
            auto const found = f.stacked.find(name);
            value const c = f.stacked.at("c");
            value weights = c;  // of the instances' results, whose axes come first
            if (f.axes["c"] == 1) {
                gradus::attributes order;
                int const levels = static_cast<int>(l.extents.size());
                for (int i = 0; i < c.shape().rank(); ++i) order.n[i] = i < levels ? i + 1 : i == levels ? 0 : i;
                weights = c.transpose(order);
            }
            f.results.push_back(grad(total(f.results[0] * weights), found == f.stacked.end() ? x : found->second));
        }
    return f;
}

/// The elements of instances as one array: those before the axis of instances, the instances, the rest.
numbers stack(std::vector<numbers> const& parts, std::int64_t before) {
    numbers all;
    std::size_t const block = parts[0].size() / static_cast<std::size_t>(before);
    for (std::size_t b = 0; b < static_cast<std::size_t>(before); ++b)
        for (numbers const& part : parts)
            all.insert(all.end(), part.begin() + static_cast<std::ptrdiff_t>(b * block),
                       part.begin() + static_cast<std::ptrdiff_t>((b + 1) * block));
    return all;
}
void require_same(numbers const& actual, numbers const& expected) {
    REQUIRE(actual.size() == expected.size());
    for (std::size_t i = 0; i < actual.size(); ++i) {
        bool const same = actual[i] == expected[i] || (std::isnan(actual[i]) && std::isnan(expected[i]));
        // sums of some dozen terms of order 1 in another order: 1e-14
        CHECK_MESSAGE((same || std::abs(actual[i] - expected[i]) <= 1e-11 * std::max(1.0, std::abs(expected[i]))),
                      "element " << i << ": " << actual[i] << " is not " << expected[i]);
    }
}

/// The instances' data: of each symbol that is not mapped that of the first one.
void draw_instances(std::vector<function>& each, std::uint64_t seed, bool distinct, bool signs) {
    for (std::size_t r = 0; r < each.size(); ++r) {
        program& p = each[r].p;
        splitmix random(seed * 1000 + r);
        distinct ? draw_distinct_inputs(p, random) : draw_inputs(p, random, signs);
        for (auto& [name, data] : p.symbols) {
            if (name == "labels") std::rotate(data.begin(), data.begin() + static_cast<std::ptrdiff_t>(r % data.size()), data.end());
            if (name == "key") data[0] += static_cast<double>(r);
        }
        for (int s = 0; s < p.g.symbols.size(); ++s) {
            std::string const name(p.g.symbols[s].name);
            auto& data = p.symbols[name];
            for (auto i = static_cast<std::int64_t>(data.size()); i < size_of_shape(p.g.symbols[s].type.shape); ++i)
                data.push_back(random.uniform(-1, 1));
        }
        for (auto& [name, data] : p.symbols)
            if (r > 0 && !is_mapped(name, seed)) data = each[0].p.symbols[name];
    }
}

void check_instances(builder const& build, std::uint64_t seed, layout const& l, bool distinct, bool signs) {
    std::vector<function> each(static_cast<std::size_t>(l.count()));
    for (function& f : each) {
        splitmix random(seed);
        f.y = build(f.p, random);
        write_results(f);
    }
    std::vector<std::vector<numbers>> expected;
    auto run_each = [&](bool with_signs) {
        draw_instances(each, seed, distinct, with_signs);
        expected.clear();
        for (function& f : each) expected.push_back(f.p.run(f.results));
    };
    run_each(signs);
    if (!finite(expected[0])) run_each(false);

    function f = build_mapped(build, seed, l);
    for (auto const& [name, data] : each[0].p.symbols) {
        auto const found = f.stacked.find(name);
        if (found == f.stacked.end()) {
            f.p.symbols[name] = data;
            continue;
        }
        std::vector<numbers> parts;
        for (function& one : each) parts.push_back(one.p.symbols.at(name));
        f.p.symbols[name] = stack(parts, f.axes[name] ? found->second.shape()[0].code : 1);
    }
    f.p.g.outputs = {};
    for (value v : f.results) f.p.g.outputs.push_back({v.id(), -1});
    graph const mapped = gradus::pass::differentiation(f.p.g);
    REQUIRE(gradus::check(mapped).str() == "");
    std::map<std::string, std::int64_t, std::less<>> dimensions;
    for (std::size_t i = 0; i < l.extents.size(); ++i)
        if (!l.extents[i].is_static()) dimensions[gradus::core::concat(l.extents[i]).str()] = l.counts[i];
    auto const actual = gradus::interpret(mapped, f.p.symbols, dimensions);
    for (std::size_t k = 0; k < expected[0].size(); ++k) {
        CAPTURE(k);
        std::vector<numbers> parts;
        for (auto const& one : expected) parts.push_back(one[k]);
        require_same(actual[k], stack(parts, 1));
    }
    for (std::size_t i = 0; i + expected[0].size() < actual.size(); ++i) {  // of all instances together
        CAPTURE(i);
        std::string const name = "x" + std::to_string(i);
        std::vector<numbers> parts;
        for (auto const& one : expected) parts.push_back(one[1 + 3 * i]);
        if (auto const found = f.stacked.find(name); found != f.stacked.end()) {
            require_same(actual[expected[0].size() + i], stack(parts, f.axes[name] ? found->second.shape()[0].code : 1));
        } else {
            numbers sum(parts[0].size(), 0);
            for (numbers const& part : parts)
                for (std::size_t j = 0; j < sum.size(); ++j) sum[j] += part[j];
            require_same(actual[expected[0].size() + i], sum);
        }
    }
    REQUIRE(gradus::check(gradus::pass::simplify(mapped)).str() == "");  // what follows takes it as any other graph
}

layout const layouts[] = {{{3}, {3}}, {{"n"}, {3}}, {{1}, {1}}, {{3}, {3}, true}, {{"n"}, {2}, true}};
/// Instances of instances take two axes.
layout const nested[] = {{{2, 3}, {2, 3}}, {{"m", "n"}, {2, 2}}};

void check_all_layouts(std::string const& name, builder const& build, bool distinct, std::uint64_t seeds, bool is_nested) {
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        for (layout const& l : layouts) {
            INFO(name << ", seed " << seed << ", layout " << &l - layouts);
            check_instances(build, seed, l, distinct, true);
        }
        for (layout const& l : nested) {
            if (!is_nested) break;
            INFO(name << ", seed " << seed << ", nested layout " << &l - nested);
            check_instances(build, seed, l, distinct, true);
        }
    }
}

}  // namespace

TEST_CASE("batching: elementwise operations") {
    for (elementwise_entry const& operation : elementwise_operations) {
        auto const build = [&](program& p, splitmix& random) {
            operands x;
            for (shape const& s : broadcasting_shapes(random, operation.arity)) x.push_back(in_domain(operation.name, p.input(s)));
            if (operation.name == "both" || operation.name == "either" || operation.name == "negation")
                for (value& v : x) v = v > 0.45;
            return operation.build(x);
        };
        check_all_layouts(std::string(operation.name), build, false, 2, true);
    }
}

TEST_CASE("batching: structural operations and composites") {
    std::set<std::string> const wide{"transpose", "convolutions", "pooling", "adaptive pooling"};  // four axes themselves
    for (structural const& s : structurals) check_all_layouts(s.name, s.build, s.distinct, 3, !wide.contains(s.name));
}
