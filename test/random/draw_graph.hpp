// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/graph/build.hpp>
#include <gradus/op/list.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

// Small graphs drawn at run time over the library's operations. Operands are brought to where an operation is defined and mildly
// conditioned; zero extents, named dimensions, sharing, gradients of both modes and orders, updates.
namespace random_graphs {

namespace gr = gradus;
using gr::value;

struct generator {
    std::uint64_t state;
    int below(int n) {  // splitmix64
        std::uint64_t z = (state += 0x9e3779b97f4a7c15u);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return static_cast<int>((z ^ (z >> 31)) >> 33) % n;
    }
};

inline constexpr gr::extent rows{std::string_view("rows")};
inline std::int64_t full(value v) { return (std::int64_t{1} << v.shape().rank()) - 1; }
inline value total(value v) { return v.sum(full(v), false); }

class drawing {
public:
    explicit drawing(std::uint64_t seed) : random_{seed * 0xd1342543de82ef95u + 1} {}

    gr::graph run() {
        constexpr std::string_view names[] = {"a", "b", "c", "d"};
        type_ = random_.below(2) ? gr::dtype::float64 : gr::dtype::float32;
        gr::shape const matrix{random_.below(3) == 0 ? rows : extent(), extent()};
        for (int s = 0, n = 1 + random_.below(4); s < n; ++s) symbol(names[s], type_, like(matrix));
        int const target = g_.size() + 1 + random_.below(14);
        for (int tries = 0; g_.size() < target && tries < 60; ++tries) step();
        finish();
        return g_;
    }

private:
    gr::extent extent() {
        constexpr int sizes[] = {1, 2, 3, 3, 4, 5, 0};
        return sizes[random_.below(random_.below(6) ? 6 : 7)];
    }
    gr::shape like(gr::shape const& s) {
        switch (random_.below(6)) {
            case 0: return {s[1]};
            case 1: return {s[0], 1};
            case 2: return {};
            case 3: return {s[1], extent()};
            default: return s;
        }
    }
    value symbol(std::string_view name, gr::dtype type, gr::shape const& s) {
        gr::node n{&gr::info_of<gr::op::symbol>, {-1, -1, -1}, type, s, {}};
        n.attr.n[0] = g_.symbol_index(name, {type, s});
        return {g_, g_.intern(n)};
    }
    bool flip() { return random_.below(2) == 0; }
    value any() {
        for (;;) {
            int id = random_.below(g_.size());
            if (flip()) id = g_.size() - 1 - random_.below(std::min(g_.size(), 4));  // recent ones, so that graphs get deep
            if (g_[id].type == type_) return {g_, id};
        }
    }
    /// Within -1 .. 1, so that deep graphs stay mild.
    static value tame(value v) { return gr::apply<gr::op::tanh>(v * 0.5); }
    static bool is_static(value v) { return v.shape().is_static(); }
    bool broadcasts(value a, value b) const {
        gr::call c{{}, {}, {{type_, a.shape()}, {type_, b.shape()}}, 2};
        gr::complaint fail;
        gr::shape const s = gr::op::broadcast(c, fail);
        return !fail.failed && (!s.is_static() || s.static_size() <= 200);
    }
    template <class... Op>
    void one_of(gr::op::op_list<Op...>) {
        int left = random_.below(static_cast<int>(sizeof...(Op)));
        ((left-- == 0 ? elementwise<Op>() : void()), ...);
    }
    template <class Op>
    void elementwise() {
        constexpr std::string_view name = Op::name;
        if constexpr (std::is_same_v<Op, gr::op::cast> || std::is_same_v<Op, gr::op::copy>) return;
        else {
            constexpr bool truth = std::is_base_of_v<gr::op::connective<Op, Op::arity>, Op>;
            value x[3]{0.0, 0.0, 0.0};
            for (int k = 0; k < Op::arity; ++k) {
                value const v = any();
                if constexpr (truth || name == "where") x[k] = truth || k == 0 ? v < 0.25 : v;
                else
                    x[k] = flip() ? in_domain(name, gr::apply<gr::op::sigmoid>(v) + 0.25)
                                  : in_domain(name, gr::apply<gr::op::sigmoid>(v) * 0.5 + 0.5);
            }
            for (int k = 1; k < Op::arity; ++k)
                if (!broadcasts(x[0], x[k]) || !broadcasts(x[1], x[k])) {
                    if (x[0].type() != x[k].type()) return;
                    x[k] = x[0];
                }
            value y = [&] {
                if constexpr (Op::arity == 1) return gr::apply<Op>(x[0]);
                else if constexpr (Op::arity == 2) return gr::apply<Op>(x[0], x[1]);
                else return gr::apply<Op>(x[0], x[1], x[2]);
            }();
            if (y.type() != gr::dtype::boolean) return;
            value const other = any();
            if (broadcasts(y, other)) gr::where(y, other, other * other);
        }
    }
    static value in_domain(std::string_view name, value x) {
        if (name == "asin" || name == "acos" || name == "atanh" || name == "erfinv" || name == "logit") return x * 0.6;
        if (name == "acosh" || name == "lgamma" || name == "digamma" || name == "trigamma" || name == "polygamma_2") return x + 1;
        return x;
    }
    void binary() {
        value const a = any(), b = any();
        if (!broadcasts(a, b)) return;
        switch (random_.below(8)) {
            case 0: a + b; break;
            case 1: a - b; break;
            case 2: tame(a * b); break;
            case 3: a / (1 + gr::apply<gr::op::square>(b)); break;
            case 4: gr::apply<gr::op::maximum>(a, b); break;
            case 5: gr::apply<gr::op::minimum>(a, b); break;
            case 6: gr::where(a < b, a, b * 0.5); break;
            default: a * 0.25 - b; break;
        }
    }
    void reduce() {
        value const a = any();
        int const rank = a.shape().rank();
        if (rank == 0) return;
        std::int64_t const axes = 1 + random_.below((1 << rank) - 1);
        bool const keep = flip();
        gr::attributes const last = gr::op::reduction_attributes(std::int64_t{1} << (rank - 1), keep);
        switch (random_.below(9)) {
            case 0: tame(a.amax(axes, keep)); break;
            case 1: tame(a.sum(axes, keep)); break;
            case 2: gr::apply<gr::op::sin>(a.sum(axes, keep)); break;
            case 3: gr::op::softmax::expand(last, a); break;
            case 4: gr::op::log_softmax::expand(last, a); break;
            case 5: gr::op::logsumexp::expand(gr::op::reduction_attributes(axes, keep), a); break;
            case 6: tame(a.sum(axes, keep) / (a.count(axes) + 1)); break;
            case 7:
                if (is_static(a)) gr::op::prod::expand(gr::op::reduction_attributes(axes, keep), tame(a));
                break;
            default: {
                // as what is shifted asks, which may have no elements
                value const index = value::emit<gr::op::argmax>(g_, gr::op::asked(last, gr::op::asked_by::shift), {}, {a});
                tame(index.cast(type_));
                break;
            }
        }
    }
    void view() {
        value const a = any();
        gr::shape s = a.shape();
        if (s.rank() == 0) return;
        gr::attributes ranges;
        for (int i = 0; i < s.rank(); ++i) ranges.n[i] = gr::op::pack_range(0, 1);
        int const axis = random_.below(s.rank());
        bool const fixed = s[axis].is_static();
        switch (random_.below(7)) {
            case 0:
                if (s.rank() == 2) a.transposed();
                break;
            case 1:
                if (s.rank() < 3) a.reshape(s.rank() == 1 ? gr::shape{1, s[0]} : gr::shape{s[0], 1, s[1]});
                break;
            case 2:
                if (s.is_static() && s.rank() > 1) a.reshape({s.static_size()});
                break;
            case 3:
                if (!fixed || s[axis].code < 2) break;
                if (flip()) ranges.n[axis] = gr::op::pack_range(s[axis].code - 1, -1);
                else {
                    ranges.n[axis] = gr::op::pack_range(1, 2);
                    s[axis] = s[axis].code / 2;
                }
                a.slice(ranges, s);
                break;
            case 4:
                if (!fixed) break;
                if (flip()) {
                    ranges.n[axis] = gr::op::pack_range(1, 1);
                    s[axis] = s[axis].code + 2;
                } else {
                    ranges.n[axis] = gr::op::pack_range(1, 2);
                    s[axis] = 2 * s[axis].code + 1;
                }
                a.pad(ranges, s);
                break;
            case 5:
                if (s.rank() < 3)
                    a.reshape(s.rank() == 1 ? gr::shape{s[0], 1} : gr::shape{s[0], s[1], 1})
                        .broadcast_to(s.rank() == 1 ? gr::shape{s[0], 2} : gr::shape{s[0], s[1], 2});
                break;
            default: {
                gr::attributes where;
                where.n[0] = axis;
                value const b = any();
                if (b.shape() == s && fixed) a.concatenate(b, where);
                break;
            }
        }
    }
    void product() {
        value const a = any(), b = any();
        int const ra = a.shape().rank(), rb = b.shape().rank();
        if (ra == 0 || rb == 0) return;
        value const right = rb == 2 && flip() ? b.transposed() : b;
        gr::shape const& s = right.shape();
        if (ra == 3 || rb == 3 || !(a.shape()[ra - 1] == s[rb == 1 ? 0 : rb - 2])) return;
        tame(a.matmul(right));
    }
    void rows_by_indices() {
        value const a = any();
        if (a.shape().rank() == 0) return;
        value const index = symbol("i", gr::dtype::int64, {3});
        if (flip()) gr::apply<gr::op::take_rows>(a, index);
        else if (is_static(a)) {
            value const taken = gr::apply<gr::op::take_rows>(a, index);
            tame(value::emit<gr::op::add_rows>(g_, {}, a.shape(), {taken, index}));
        }
    }
    void order() {
        value const a = any();
        int const rank = a.shape().rank();
        if (rank == 0 || !is_static(a)) return;
        gr::attributes attr;
        attr.n[0] = rank - 1;
        attr.n[1] = flip();
        if (a.shape()[rank - 1].code == 0) return;
        if (flip()) gr::op::sort::expand(attr, a);
        else if (flip()) gr::op::cumsum::expand(gr::op::reduction_attributes(std::int64_t{1} << (rank - 1), false), tame(a));
        else gr::op::tril::expand({}, rank >= 2 ? a : a.reshape({1, a.shape()[0]}));
    }
    /// A matrix near the identity, and what is solved with it.
    void matrices() {
        value const a = any();
        if (a.shape().rank() != 2 || !is_static(a) || a.shape()[0].code > 4) return;
        value const square = tame(a).matmul(tame(a).transposed()) * 0.2 + gr::op::identity_like(tame(a).matmul(tame(a).transposed()));
        switch (random_.below(4)) {
            case 0: gr::apply<gr::op::cholesky>(square); break;
            case 1: gr::op::det::expand({}, square); break;
            case 2: gr::op::solve::expand({}, square, a); break;
            default: gr::op::inv::expand({}, square); break;
        }
    }
    void step() {
        switch (random_.below(18)) {
            case 0: tame(any()); break;
            case 1: gr::apply<gr::op::exp>(tame(any())); break;
            case 2:
            case 3:
            case 4: reduce(); break;
            case 5:
            case 6: view(); break;
            case 7:
            case 8: product(); break;
            case 9: one_of(gr::op::elementwise_list{}); break;
            case 10: one_of(gr::op::further_list{}); break;
            case 11: one_of(gr::op::composite_list{}); break;
            case 12: rows_by_indices(); break;
            case 13: order(); break;
            case 14: matrices(); break;
            default: binary(); break;
        }
    }
    value grad(value f, value x) { return value::emit<gr::op::grad>(g_, {}, {}, {f, x}); }
    value jvp(value f, value x, value t) { return value::emit<gr::op::jvp>(g_, {}, {}, {f, x, t}); }
    /// Results; gradients of one, updates by them, or y with its derivatives of both modes.
    void finish() {
        std::vector<int> symbols;
        for (int i = 0; i < g_.size(); ++i)
            if (g_[i].is<gr::op::symbol>() && g_[i].type == type_) symbols.push_back(i);
        value const y = any();
        g_.outputs.push_back({y.id(), -1});
        for (int i = random_.below(3); i > 0; --i) g_.outputs.push_back({any().id(), -1});
        int const kind = random_.below(5);
        if (kind == 0) return;
        value const c = symbol("cotangent", type_, y.shape()), loss = total(tame(y) * c);
        for (int id : symbols) {
            value const x{g_, id};
            value const slope = grad(loss, x);
            if (kind == 1) g_.outputs.push_back({slope.id(), -1});
            else if (kind == 2) g_.outputs.push_back({(x - slope * 0.1).id(), static_cast<int>(g_[id].attr.n[0])});
            else if (kind == 3) {
                value const t = symbol("direction", type_, x.shape());
                // the two have to agree: results "forward" and "reverse", the last two of the graph
                value const forward = jvp(loss, x, t), reverse = total(slope * t);
                g_.outputs.push_back({forward.id(), -1});
                g_.outputs.push_back({reverse.id(), -1});
                return;
            } else {
                g_.outputs.push_back({grad(total(slope * slope), x).id(), -1});
                return;
            }
        }
    }

    generator random_;
    gr::graph g_;
    gr::dtype type_ = gr::dtype::float64;
};

}  // namespace random_graphs
