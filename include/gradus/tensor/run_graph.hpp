// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/error.hpp>
#include <gradus/graph/graph.hpp>
#include <gradus/op/gather.hpp>
#include <gradus/op/leaf.hpp>
#include <gradus/op/reduction.hpp>
#include <gradus/op/shape.hpp>

// Runs a graph that only run time knows, node by node in double: for derivatives of derivatives on the tape. Programs that
// need them fast compile them (gr::grad of gr::grad).

// g++ takes names in an instantiated lambda for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

namespace gradus::core {

/// Computes nodes of a graph of static shapes. Values that are known already are put in with `know`.
class graph_run {
public:
    explicit graph_run(graph const& g) : g_(g), values_(g.size()), known_(g.size(), 0) {}

    list<double>& know(int id) {
        known_[id] = 1;
        return values_[id] = list<double>(static_cast<int>(g_[id].shape.static_size()));
    }
    bool knows(int id) const { return known_[id] != 0; }
    /// What node `id` is, computed with all it needs. Throws where a symbol that it needs has no value.
    list<double> const& operator()(int id) {
        list<char> needed(g_.size(), 0);
        needed[id] = 1;
        for (int i = id; i >= 0; --i)
            if (needed[i] && !knows(i))
                for (int k = 0; k < g_[i].op->arity; ++k) needed[g_[i].in[k]] = 1;
        for (int i = 0; i <= id; ++i) {
            if (!needed[i] || knows(i)) continue;
            list<double> value = compute(g_[i]);
            if (g_[i].type == dtype::float32)
                for (double& x : value) x = static_cast<double>(static_cast<float>(x));
            values_[i].swap(value);
            known_[i] = 1;
        }
        return values_[id];
    }

private:
    struct strides {
        std::int64_t of[max_rank]{};
    };
    static strides row_major(shape const& s) {
        strides result;
        std::int64_t step = 1;
        for (int i = s.rank() - 1; i >= 0; --i) {
            result.of[i] = step;
            step *= s[i].code;
        }
        return result;
    }
    /// Strides of an operand along the axes of a result that it is broadcast to.
    static strides broadcast(shape const& from, shape const& to) {
        strides const own = row_major(from);
        strides result;
        for (int i = 0, lead = to.rank() - from.rank(); i < from.rank(); ++i) result.of[i + lead] = from[i].code == 1 ? 0 : own.of[i];
        return result;
    }
    /// Calls f(offsets) for every index of a shape in row-major order; offsets follow `count` sets of strides.
    template <int Count>
    static void walk(shape const& s, strides const (&by)[Count], auto f) {
        std::int64_t index[max_rank]{}, at[Count]{};
        for (std::int64_t n = s.static_size(); n > 0; --n) {
            f(at);
            for (int axis = s.rank() - 1; axis >= 0; --axis) {
                for (int k = 0; k < Count; ++k) at[k] += by[k].of[axis];
                if (++index[axis] < s[axis].code) break;
                for (int k = 0; k < Count; ++k) at[k] -= by[k].of[axis] * s[axis].code;
                index[axis] = 0;
            }
        }
    }
    list<double> const& in(node const& n, int k) const { return values_[n.in[k]]; }
    shape const& shape_in(node const& n, int k) const { return g_[n.in[k]].shape; }

    list<double> compute(node const& n) const {
        list<double> y(static_cast<int>(n.shape.static_size()), 0);
        if (n.is<op::symbol>()) throw autograd_error("gradus: a derivative of a derivative needs a value that the statement did not save");
        if (n.is<op::constant>() || n.is<op::size>()) y[0] = n.attr.value;
        else if (n.is<op::iota>()) along(n, y);
        else if (n.is<op::cast>()) {
            for (int i = 0; i < y.size(); ++i) y[i] = n.type == dtype::boolean ? in(n, 0)[i] != 0 : is_integer(n.type) ? static_cast<double>(static_cast<std::int64_t>(in(n, 0)[i])) : in(n, 0)[i];
        } else if (n.op->kind == op_kind::elementwise) elementwise(n, y);
        else if (n.op->kind == op_kind::contraction) product(n, y);
        else if (n.op->whole) whole(n, y);
        else if (n.is<op::argmax>()) largest(n, y);
        else if (n.op->kind == op_kind::reduction) fold(n, y);
        else move(n, y);
        return y;
    }
    void whole(node const& n, list<double>& y) const {
        call c{n.attr, n.shape, {}, n.op->arity};
        double const* from[3]{};
        for (int k = 0; k < c.count; ++k) {
            c.operand[k] = g_[n.in[k]].result();
            from[k] = in(n, k).begin();
        }
        n.op->whole(c, from, y.begin());
    }
    void along(node const& n, list<double>& y) const {
        strides by[1];
        by[0].of[n.attr.n[0]] = 1;
        int next = 0;
        walk(n.shape, by, [&](auto const& at) { y[next++] = static_cast<double>(at[0]); });
    }
    void elementwise(node const& n, list<double>& y) const {
        strides by[3];
        for (int k = 0; k < n.op->arity; ++k) by[k] = broadcast(shape_in(n, k), n.shape);
        int next = 0;
        walk(n.shape, by, [&](auto const& at) {
            double x[3]{};
            for (int k = 0; k < n.op->arity; ++k) x[k] = in(n, k)[static_cast<int>(at[k])];
            y[next++] = n.op->eval(x);
        });
    }
    /// Strides of a reduction's result along the axes of its operand.
    strides folded(node const& n) const {
        shape const& from = shape_in(n, 0);
        strides result;
        std::int64_t step = 1;
        for (int axis = from.rank() - 1; axis >= 0; --axis) {
            if (op::reduces(n.attr, axis)) continue;
            result.of[axis] = step;
            step *= from[axis].code;
        }
        return result;
    }
    void fold(node const& n, list<double>& y) const {
        bool const sum = n.is<op::sum>();
        if (!sum) for (double& x : y) x = op::amax::identity<double>;
        strides const by[] = {folded(n)};
        int next = 0;
        walk(shape_in(n, 0), by, [&](auto const& at) {
            double const x = in(n, 0)[next++];
            double& total = y[static_cast<int>(at[0])];
            total = sum ? total + x : total != total || total > x ? total : x;
        });
    }
    void largest(node const& n, list<double>& y) const {
        list<double> best(y.size(), 0), count(y.size(), 0);
        strides const by[] = {folded(n)};
        int next = 0;
        walk(shape_in(n, 0), by, [&](auto const& at) {
            int const to = static_cast<int>(at[0]);
            double const x = in(n, 0)[next++];
            if (count[to] == 0 || x > best[to] || (x != x && best[to] == best[to])) {
                best[to] = x;
                y[to] = count[to];
            }
            ++count[to];
        });
    }
    void product(node const& n, list<double>& y) const {
        int const rank = n.shape.rank();
        strides by[2] = {broadcast(shape_in(n, 0), n.shape), broadcast(shape_in(n, 1), n.shape)};
        std::int64_t inner = 1, step[2] = {0, 0};
        for (int k = 0; k < 2; ++k) {
            shape const& s = shape_in(n, k);
            strides const own = row_major(s);
            int const row = s.rank() - 2, column = s.rank() - 1, across = n.attr.n[k] ? 1 - k : k;  // across: the inner axis is column of a, row of b
            int const inner_axis = across ? row : column, outer_axis = across ? column : row;
            inner = s[inner_axis].code;
            step[k] = own.of[inner_axis];
            by[k].of[rank - 2] = k == 0 ? own.of[outer_axis] : 0;
            by[k].of[rank - 1] = k == 1 ? own.of[outer_axis] : 0;
        }
        int next = 0;
        walk(n.shape, by, [&](auto const& at) {
            double total = 0;
            for (std::int64_t p = 0; p < inner; ++p) total += in(n, 0)[static_cast<int>(at[0] + p * step[0])] * in(n, 1)[static_cast<int>(at[1] + p * step[1])];
            y[next++] = total;
        });
    }
    /// Elements at other places: every one of the smaller side has an offset on the larger one.
    void move(node const& n, list<double>& y) const {
        shape const& from = shape_in(n, 0);
        strides by[1];
        int next = 0;
        auto gather = [&](shape const& s, std::int64_t start) {
            walk(s, by, [&](auto const& at) { y[next++] = in(n, 0)[static_cast<int>(start + at[0])]; });
        };
        if (n.is<op::reshape>()) y = in(n, 0);
        else if (n.is<op::broadcast_to>()) by[0] = broadcast(from, n.shape), gather(n.shape, 0);
        else if (n.is<op::transpose>()) {
            strides const own = row_major(from);
            for (int i = 0; i < n.shape.rank(); ++i) by[0].of[i] = own.of[n.attr.n[i]];
            gather(n.shape, 0);
        } else if (n.is<op::slice>() || n.is<op::pad>()) {
            bool const slice = n.is<op::slice>();
            strides const large = row_major(slice ? from : n.shape);
            std::int64_t start = 0;
            for (int i = 0; i < n.shape.rank(); ++i) {
                start += op::start_of(n.attr, i) * large.of[i];
                by[0].of[i] = op::step_of(n.attr, i) * large.of[i];
            }
            if (slice) gather(n.shape, start);
            else walk(from, by, [&](auto const& at) { y[static_cast<int>(start + at[0])] = in(n, 0)[next++]; });
        } else if (n.is<op::take_rows>() || n.is<op::add_rows>()) {
            bool const adds = n.is<op::add_rows>();
            std::int64_t const count = (adds ? n.shape : from)[0].code;
            auto const width = static_cast<int>((adds ? n.shape : from).static_size() / (count ? count : 1));
            for (double const index : in(n, 1)) {
                for (int j = 0; j < width && index >= 0 && index < static_cast<double>(count); ++j) {
                    int const row = static_cast<int>(index) * width + j;
                    if (adds) y[row] += in(n, 0)[next + j];
                    else y[next + j] = in(n, 0)[row];
                }
                next += width;
            }
        } else {  // concatenate
            by[0] = row_major(n.shape);
            std::int64_t const second = from[static_cast<int>(n.attr.n[0])].code * by[0].of[n.attr.n[0]];
            for (int k = 0; k < 2; ++k) {
                next = 0;
                walk(shape_in(n, k), by, [&](auto const& at) { y[static_cast<int>(k * second + at[0])] = in(n, k)[next++]; });
            }
        }
    }

    graph const& g_;
    list<list<double>> values_;
    list<char> known_;
};

}  // namespace gradus::core

#pragma GCC diagnostic pop
