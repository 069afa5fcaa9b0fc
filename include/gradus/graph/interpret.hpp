// SPDX-License-Identifier: BSL-1.0
#pragma once

// g++ takes names here for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

#include <gradus/core/error.hpp>
#include <gradus/graph/control_facts.hpp>
#include <gradus/op/contraction.hpp>
#include <gradus/op/gather.hpp>
#include <gradus/op/leaf.hpp>
#include <gradus/op/reduction.hpp>
#include <gradus/op/shape.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

// The reference interpreter: the oracle of every pass and every kernel. Slow and obviously right: every operation is one
// loop over the flat index of its result (of its operand, for reductions).
namespace gradus::inline GRADUS_ARCH {

/// Elements of every symbol by name, row-major.
template <class T>
using symbol_values = std::map<std::string, std::vector<T>, std::less<>>;
/// The numbers that named dimensions stand for.
using dimension_values = std::map<std::string, std::int64_t, std::less<>>;

namespace core {

/// A shape with all its numbers known; also an index into one.
using sizes = std::vector<std::int64_t>;

inline std::int64_t product(sizes const& s) {
    std::int64_t result = 1;
    for (std::int64_t n : s) result *= n;
    return result;
}
/// The index of element `flat` in row-major order.
inline sizes unravel(std::int64_t flat, sizes const& s) {
    sizes index(s.size());
    for (std::size_t axis = s.size(); axis-- > 0; flat /= s[axis]) index[axis] = flat % s[axis];
    return index;
}
/// The flat position of `index` in an array of shape `s` that is broadcast to the index's rank: trailing axes are
/// aligned, an axis of extent 1 has only index 0.
inline std::size_t offset(sizes const& index, sizes const& s) {
    std::int64_t flat = 0;
    for (std::size_t axis = 0, lead = index.size() - s.size(); axis < s.size(); ++axis)
        flat = flat * s[axis] + (s[axis] == 1 ? 0 : index[axis + lead]);
    return static_cast<std::size_t>(flat);
}

template <class T>
class interpreter {
public:
    interpreter(graph const& g, symbol_values<T> const& symbols, dimension_values const& dimensions)
        : graph_(g), symbols_(symbols), dimensions_(dimensions) {}

    std::vector<std::vector<T>> run() {
        std::vector<std::vector<T>> results;
        for (elements const& out : outputs()) {
            results.emplace_back();
            for (wide x : out) results.back().push_back(static_cast<T>(x));
        }
        return results;
    }

private:
    using wide = std::common_type_t<T, double>;
    using elements = std::vector<wide>;

    /// A body, whose symbols are given in order.
    interpreter(graph const& g, std::vector<elements> const& given, interpreter const& outer)
        : graph_(g), symbols_(outer.symbols_), dimensions_(outer.dimensions_), given_(&given) {}

    std::vector<elements> outputs() {
        for (node const& n : graph_.nodes) {
            shapes_.push_back(numbers(n.shape));
            values_.push_back(evaluate(n));
            for (wide& x : values_.back()) x = static_cast<wide>(static_cast<T>(x));  // a node's result is held as T
        }
        std::vector<elements> results;
        for (output_entry const& out : graph_.outputs) {
            results.push_back(values_[at(out.node)]);
            for (wide& x : results.back()) x = rounded(x, graph_.nodes[out.node].type);
        }
        return results;
    }

    static std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }
    std::int64_t number(extent e) const {
        if (e.is_static()) return e.code;
        if (e.is_form()) return form(e).at([this](extent name) { return number(name); });
        auto found = dimensions_.find(concat(e).view());
        if (found == dimensions_.end()) throw binding_error("gradus::interpret: no number is given for dimension " + concat(e).str());
        return found->second;
    }
    sizes numbers(shape const& s) const {
        sizes result;
        for (int axis = 0; axis < s.rank(); ++axis) result.push_back(number(s[axis]));
        return result;
    }

    elements evaluate(node const& n) const {
        sizes const& result = shapes_.back();
        sizes const from = n.in[0] >= 0 ? shapes_[at(n.in[0])] : sizes{};
        if (n.op->kind == op_kind::list) return {};
        if (is_control(n)) return control(n, result);
        if (n.is_symbol() && given_) return (*given_)[at(n.symbol())];
        if (n.is_symbol()) return symbol(graph_.symbols[n.symbol()], result);
        if (n.is_constant()) return {static_cast<wide>(n.attr.value)};
        if (n.op->holds == leaf_kind::size) return {count(n)};
        if (n.op->holds == leaf_kind::iota)
            return each(result, [&](sizes const& i) { return static_cast<wide>(i[at(op::iota::axis(n.attr))]); });
        if (n.op->converts) {
            bool const plain = graph_.nodes[n.in[0]].type == dtype::number;  // a plain number takes a dtype without being rounded
            return each(result, [&](sizes const& i) { return converted(in(n, 0, i), plain ? computed_in(n.type) : n.type); });
        }
        if (n.op->kind == op_kind::elementwise && n.op->eval) return each(result, [&](sizes const& i) { return formula(n, i); });
        if (n.op->same_order) return values_[at(n.in[0])];
        if (n.op->view) return each(result, [&](sizes const& i) { return in(n, 0, viewed(n, i, numbered(from), numbered(result))); });
        if (n.op->runs_by == own_kernel::pad) {
            elements y(at(product(result)), 0);
            for (std::int64_t f = 0; f < product(from); ++f) y[offset(strided(n, unravel(f, from)), result)] = values_[at(n.in[0])][at(f)];
            return y;
        }
        if (n.op->runs_by == own_kernel::concatenate)
            return each(result, [&](sizes i) {
                auto axis = at(op::concatenate::axis(n.attr));
                if (i[axis] < from[axis]) return in(n, 0, i);
                i[axis] -= from[axis];
                return in(n, 1, i);
            });
        if (n.op->runs_by == own_kernel::take_rows)
            return each(result, [&](sizes const& i) {
                auto row = row_of(n, i, from[0]);
                return row ? in(n, 0, *row) : 0;
            });
        if (n.op->runs_by == own_kernel::add_rows) {
            elements y(at(product(result)), 0);
            for (std::int64_t f = 0; f < product(from); ++f)
                if (auto row = row_of(n, unravel(f, from), result[0])) y[offset(*row, result)] += values_[at(n.in[0])][at(f)];
            return y;
        }
        switch (n.op->reduces_by) {
            case reducer::sum: return fold(n, 0, [](wide a, wide b) { return a + b; });
            case reducer::max: return fold(n, lowest(n.type), [](wide a, wide b) { return a != a || a > b ? a : b; });
            case reducer::none: break;
        }
        if (n.op->runs_by == own_kernel::argmax) return argmax(n, from);
        if (n.op->whole) return whole(n, result);
        if (n.op->runs_by == own_kernel::product && from.size() >= 2) return each(result, [&](sizes const& i) { return dot(n, i); });
        throw std::logic_error("gradus::interpret: no rule for " + std::string(n.op->name));
    }

    /// A scan step by step, all of it again for each of its results; the chosen branch of a cond.
    elements control(node const& n, sizes const& result) const {
        list<int> const operands = control_operands(graph_, n);
        std::vector<elements> given;
        for (int id : operands) given.push_back(values_[at(id)]);
        auto const k = at(output_of(n));
        if (is_function(n)) return interpreter(body_of(graph_, n), given, *this).outputs()[k];
        if (is_choice(n)) return interpreter(body_of(graph_, n, given[0][0] != 0 ? 0 : 1), given, *this).outputs()[k];
        auto const part = op::scan::part(n.attr);
        std::int64_t const steps = number(steps_of(graph_, n));
        std::vector<elements> const rows = given;
        elements y(at(product(result)), 0);
        for (std::int64_t i = 0; i < steps; ++i) {
            if (op::scan::end(n.attr) != op::loop_end::steps && part == op::scan_part::last && given[0][0] == 0) break;
            std::int64_t const step = op::scan::is_reversed(n.attr) ? steps - 1 - i : i;
            for (int s = 0; s < operands.size(); ++s) {
                if (!is_walked(n, s)) continue;
                auto const size = static_cast<std::ptrdiff_t>(rows[at(s)].size()) / steps;
                given[at(s)].assign(rows[at(s)].begin() + step * size, rows[at(s)].begin() + (step + 1) * size);
            }
            if (part == op::scan_part::states)
                std::copy(given[k].begin(), given[k].end(), y.begin() + step * static_cast<std::ptrdiff_t>(given[k].size()));
            std::vector<elements> const out = interpreter(body_of(graph_, n), given, *this).outputs();
            for (int s = 0; s < op::scan::carries(n.attr); ++s) given[at(s)] = out[at(s)];
            if (part == op::scan_part::stack)
                std::copy(out[k].begin(), out[k].end(), y.begin() + step * static_cast<std::ptrdiff_t>(out[k].size()));
            for (std::size_t e = 0; part == op::scan_part::sum && e < y.size(); ++e) y[e] += out[k][e];
        }
        return part == op::scan_part::last ? given[k] : y;
    }
    /// Operations that are no loop over the elements of their result.
    elements whole(node const& n, sizes const& result) const {
        call c{n.attr, n.op->results > 1 ? shape{} : numbered(result), {}, n.op->arity};
        if (n.op->results > 1) c.attr = of_result(c.attr, 0);
        std::vector<double> copies[3];
        double const* in[3]{};
        for (int k = 0; k < c.count; ++k) {
            elements const& from = values_[at(n.in[k])];
            copies[k].assign(from.begin(), from.end());
            in[k] = copies[k].data();
            c.operand[k] = {graph_.nodes[n.in[k]].type, numbered(shapes_[at(n.in[k])])};
        }
        std::vector<double> results[max_results];
        double* out[max_results]{};
        for (int k = 0; k < n.op->results; ++k) {
            sizes const shape = n.op->results > 1 ? numbers(result_node(graph_, n, k).shape) : result;
            results[k].resize(at(product(shape)));
            out[k] = results[k].data();
        }
        n.op->whole(c, in, out);
        std::vector<double> const& y = results[n.op->results > 1 ? result_of(n.attr) : 0];
        return elements(y.begin(), y.end());
    }
    static shape numbered(sizes const& s) {
        shape result;
        for (std::int64_t e : s) result.push_back(e);
        return result;
    }
    elements each(sizes const& result, auto rule) const {
        elements y;
        for (std::int64_t f = 0; f < product(result); ++f) y.push_back(rule(unravel(f, result)));
        return y;
    }
    wide in(node const& n, int operand, sizes const& index) const {
        return values_[at(n.in[operand])][offset(index, shapes_[at(n.in[operand])])];
    }

    elements symbol(symbol_entry const& s, sizes const& expected) const {
        auto found = symbols_.find(s.name);
        if (found == symbols_.end()) throw binding_error("gradus::interpret: no value is given for symbol " + std::string(s.name));
        if (found->second.size() != at(product(expected)))
            throw shape_error(concat("gradus::interpret: ", s.name, " is ", s.type, " and has ", product(expected), " elements, ",
                                     static_cast<std::int64_t>(found->second.size()), " are given")
                                  .str());
        return elements(found->second.begin(), found->second.end());
    }
    wide count(node const& n) const {
        auto result = static_cast<wide>(n.attr.value);
        for (int k = 0; k < op::size::most; ++k)
            if (extent const e = op::size::dimension(n.attr, k); e.code != 0) result *= static_cast<wide>(number(e));
        return result;
    }
    static wide converted(wide x, dtype to) { return to == dtype::boolean ? x != 0 : is_integer(to) ? std::trunc(x) : rounded(x, to); }
    static wide rounded(wide x, dtype to) { return is_half(to) ? static_cast<wide>(rounded_to(to, static_cast<double>(x))) : x; }
    /// What amax of nothing is.
    static wide lowest(dtype type) {
        if (type == dtype::int32) return static_cast<wide>(op::amax::identity<std::int32_t>);
        return type == dtype::int64 ? static_cast<wide>(op::amax::identity<std::int64_t>) : op::amax::identity<wide>;
    }
    wide formula(node const& n, sizes const& index) const {
        double operand[3]{};
        for (int k = 0; k < n.op->arity; ++k) operand[k] = static_cast<double>(in(n, k, index));
        return static_cast<wide>(n.op->eval(operand));
    }
    /// What element `index` of a view reads of its operand.
    sizes viewed(node const& n, sizes const& index, shape const& from, shape const& to) const {
        sizes source(at(from.rank()));
        for (int axis = 0; axis < to.rank(); ++axis) {
            view_axis const read = n.op->view(n.attr, from, to, axis);
            if (read.from >= 0) source[at(read.from)] += read.first + number(read.named_first) + index[at(axis)] * read.step;
        }
        return source;
    }
    /// Where element `index` of the small side of a pad lies on the large side.
    sizes strided(node const& n, sizes index) const {
        for (std::size_t axis = 0; axis < index.size(); ++axis) {
            int k = static_cast<int>(axis);
            index[axis] = number(op::first_of(n.attr, k)) + index[axis] * op::step_of(n.attr, k);
        }
        return index;
    }
    /// The place among `rows` rows that element (i..., j...) of the indexed side has; none where the index is out of range.
    std::optional<sizes> row_of(node const& n, sizes const& index, std::int64_t rows) const {
        auto rank = static_cast<std::ptrdiff_t>(shapes_[at(n.in[1])].size());
        auto row = static_cast<std::int64_t>(in(n, 1, sizes(index.begin(), index.begin() + rank)));
        if (row < 0 || row >= rows) return {};
        sizes place{row};
        place.insert(place.end(), index.begin() + rank, index.end());
        return place;
    }
    /// The operand's shape with 1 for the axes that are folded (or for the others): offset() into it finds an element's place.
    sizes without(node const& n, bool folded) const {
        sizes s = shapes_[at(n.in[0])];
        for (std::size_t axis = 0; axis < s.size(); ++axis)
            if (op::reduces(n.attr, static_cast<int>(axis)) == folded) s[axis] = 1;
        return s;
    }
    elements fold(node const& n, wide identity, auto combine) const {
        sizes const from = shapes_[at(n.in[0])], kept = without(n, true);
        elements y(at(product(kept)), identity);
        for (std::int64_t f = 0; f < product(from); ++f) {
            wide& total = y[offset(unravel(f, from), kept)];
            total = combine(total, values_[at(n.in[0])][at(f)]);
        }
        return y;
    }
    elements argmax(node const& n, sizes const& from) const {
        sizes const kept = without(n, true), folded = without(n, false);
        elements y(at(product(kept)), 0), best(y.size(), 0);
        std::vector<bool> seen(y.size(), false);
        for (std::int64_t f = 0; f < product(from); ++f) {
            sizes index = unravel(f, from);
            auto place = offset(index, kept);
            wide x = values_[at(n.in[0])][at(f)];
            if (seen[place] && !(x > best[place] || (x != x && best[place] == best[place]))) continue;
            seen[place] = true;
            best[place] = x;
            y[place] = static_cast<wide>(offset(index, folded));
        }
        return y;
    }
    wide dot(node const& n, sizes index) const {
        auto rank = index.size();
        sizes a = index, b = index;
        auto const& shape_a = shapes_[at(n.in[0])];
        bool const turned_a = op::matmul::transposes(n.attr, 0), turned_b = op::matmul::transposes(n.attr, 1);
        std::int64_t inner = shape_a[shape_a.size() - (turned_a ? 2 : 1)];
        wide total = 0;
        for (std::int64_t k = 0; k < inner; ++k) {
            a[rank - 2] = turned_a ? k : index[rank - 2];
            a[rank - 1] = turned_a ? index[rank - 2] : k;
            b[rank - 2] = turned_b ? index[rank - 1] : k;
            b[rank - 1] = turned_b ? k : index[rank - 1];
            total += in(n, 0, a) * in(n, 1, b);
        }
        return total;
    }

    graph const& graph_;
    symbol_values<T> const& symbols_;
    dimension_values const& dimensions_;
    std::vector<elements> const* given_ = nullptr;
    std::vector<sizes> shapes_;
    std::vector<elements> values_;
};

}  // namespace core

/// The value of every result, row-major: what the graph means, the oracle of passes and kernels. Every node is computed
/// in double or better and held as T, integers and booleans too; elementwise formulas see doubles.
/// O(elements of all nodes), with a large constant.
template <class T>
std::vector<std::vector<T>> interpret(graph const& g, std::map<std::string, std::vector<T>, std::less<>> const& symbols,
                                      std::map<std::string, std::int64_t, std::less<>> const& dimensions = {}) {
    return core::interpreter<T>(g, symbols, dimensions).run();
}

}  // namespace gradus::inline GRADUS_ARCH

#pragma GCC diagnostic pop
