// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/transform/constant_elements.hpp>
#include <gradus/transform/dependence_reshape.hpp>

// On which elements of one symbol each element of a node depends, as pieces (transform/dependence_piece.hpp), from the first node to the
// last. On a graph that is linear in the symbol, as gr::jvp's is in the direction, that is the pattern of a Jacobian. Operations are asked
// for their facets; what states nothing depends on all that its operands depend on.
namespace gradus::inline GRADUS_ARCH::core {

/// Steps of a loop that are followed one by one.
inline constexpr std::int64_t most_steps_followed = 128;

class dependence {
public:
    /// Of symbol `symbol`; -1 where symbols are given (`given`), as those of a body are.
    constexpr dependence(graph const& g, int symbol, list<pieces> const* given = nullptr)
        : g_(g), of_(g.size()), constants_(g), is_body_(given != nullptr) {
        for (int i = 0; i < g.size(); ++i) {
            node const& n = g[i];
            if (n.is_symbol() && given) of_[i] = (*given)[n.symbol()];
            else if (n.is_symbol() && n.symbol() == symbol) of_[i].push_back(identity(n.shape));
            else if (depends(n)) of_[i] = distinct(rule(n));
        }
    }
    constexpr pieces const& operator[](int id) const { return of_[id]; }

private:
    /// Does an operand depend on the symbol? What a list of operands has, those ask for that are applied to it.
    constexpr bool depends(node const& n) {
        if (n.op->kind == op_kind::list) return false;
        if (is_control(n)) return true;
        for (int k = 0; k < 3 && n.in[k] >= 0; ++k)
            if (!of_[n.in[k]].empty()) return true;
        return false;
    }
    constexpr shape const& from(node const& n, int k) const { return g_[n.in[k]].shape; }
    /// `f(piece, out)` on every piece of operand k.
    constexpr pieces each(node const& n, int k, auto f) {
        pieces out;
        for (relation const& p : of_[n.in[k]]) f(p, out);
        return out;
    }
    constexpr pieces rule(node const& n) {
        if (n.op->kind == op_kind::elementwise) return elementwise(n);
        if (n.op->same_order) return each(n, 0, [&](relation const& p, pieces& out) { reshaped(p, from(n, 0), n.shape, out); });
        if (n.op->kind == op_kind::view && n.op->view) return viewed(n);
        if (n.op->reduces_by != reducer::none) return reduced(n);
        if (is_control(n)) return control(n);
        if (is_on_matrices(n.op->runs_by)) return matrices(n);
        switch (n.op->runs_by) {
            case own_kernel::pad: return padded(n);
            case own_kernel::concatenate: return joined(n);
            case own_kernel::product: return product(n);
            case own_kernel::take_rows: return taken(n);
            case own_kernel::add_rows: return added(n);
            default: return dense(n);
        }
    }
    constexpr pieces dense(node const& n) {
        pieces out;
        for (int k = 0; k < 3 && n.in[k] >= 0; ++k)
            for (relation p : of_[n.in[k]]) {
                for (int axis = 0; axis < n.shape.rank(); ++axis) p.free(axis, n.shape[axis]);
                p.drop_axes_from(n.shape.rank());
                out.push_back(p);
            }
        return out;
    }
    /// Axis `axis` of an operand of shape `s`, under a result of shape `to`: the trailing axes are aligned, those of 1 repeat.
    static constexpr relation aligned(relation const& p, shape const& s, shape const& to, int trailing) {
        relation q = p;
        int const lead = to.rank() - s.rank();
        for (int axis = to.rank() - 1; axis >= 0; --axis) {
            if (axis >= to.rank() - trailing) continue;
            if (axis < lead || (s[axis - lead].code == 1 && to[axis].code != 1)) q.free(axis, to[axis]);
            else q.y[axis] = p.y[axis - lead];
        }
        return q;
    }
    constexpr pieces elementwise(node const& n) {
        pieces out;
        for (int k = 0; k < 3 && n.in[k] >= 0; ++k)
            for (relation const& p : of_[n.in[k]]) out.push_back(from(n, k) == n.shape ? p : aligned(p, from(n, k), n.shape, 0));
        return out;
    }
    constexpr pieces viewed(node const& n) {
        shape const& s = from(n, 0);
        if (!reads_axes_once(n.op->view, n.attr, s, n.shape)) return dense(n);
        return each(n, 0, [&](relation const& p, pieces& out) {
            relation q = p;
            std::int64_t read = 0;
            for (int axis = 0; axis < n.shape.rank(); ++axis) {
                view_axis const v = n.op->view(n.attr, s, n.shape, axis);
                if (v.from < 0) {
                    q.free(axis, n.shape[axis]);
                    continue;
                }
                read |= std::int64_t{1} << v.from;
                q.y[axis] = p.y[v.from];
            }
            for (int axis = 0; axis < n.shape.rank(); ++axis) {
                view_axis const v = n.op->view(n.attr, s, n.shape, axis);
                if (v.from >= 0 && !(s[v.from] == n.shape[axis] && v.first == 0 && v.step == 1) && !q.read(axis, v, n.shape[axis])) return;
            }
            for (int axis = 0; axis < s.rank(); ++axis)  // what no axis reads is at 0
                if (!(read >> axis & 1) && s[axis].code != 1 && !p.y[axis].is_at(0) && p.y[axis].variable < 0) return;
            q.drop_axes_from(n.shape.rank());
            out.push_back(q);
        });
    }
    constexpr pieces reduced(node const& n) {
        return each(n, 0, [&](relation const& p, pieces& out) {
            relation q = p;
            int to = 0;
            for (int axis = 0; axis < from(n, 0).rank(); ++axis) {
                if (!op::reduces(n.attr, axis)) q.y[to++] = p.y[axis];
                else if (op::keeps(n.attr)) q.y[to++] = {};
            }
            q.drop_axes_from(to);
            out.push_back(q);
        });
    }
    constexpr pieces padded(node const& n) {
        return each(n, 0, [&](relation p, pieces& out) {
            for (int axis = 0; axis < n.shape.rank(); ++axis)
                p.y[axis] = {op::start_of(n.attr, axis) + op::step_of(n.attr, axis) * p.y[axis].base,
                             op::step_of(n.attr, axis) * p.y[axis].step, p.y[axis].variable};
            out.push_back(p);
        });
    }
    constexpr pieces joined(node const& n) {
        pieces out = of_[n.in[0]];
        int const axis = op::concatenate::axis(n.attr);
        for (relation p : of_[n.in[1]]) {
            p.y[axis].base += from(n, 0)[axis].code;
            out.push_back(p);
        }
        return out;
    }
    constexpr pieces product(node const& n) {
        pieces out;
        int const rank = n.shape.rank();
        for (int k = 0; k < 2; ++k) {
            int const own = k == op::matmul::transposes(n.attr, k) ? 0 : 1;  // the operand's axis that stays: its rows, or its columns
            for (relation const& p : of_[n.in[k]]) {
                int const of = from(n, k).rank();
                relation q = aligned(p, from(n, k), n.shape, 2);
                q.y[rank - 2 + k] = p.y[of - 2 + own];
                q.free(rank - 1 - k, n.shape[rank - 1 - k]);
                out.push_back(q);
            }
        }
        return out;
    }
    /// Matrices of a batch: all of one of them depends on all of the operands' there.
    constexpr pieces matrices(node const& n) {
        int const rank = n.shape.rank();
        pieces out;
        for (int k = 0; k < 3 && n.in[k] >= 0; ++k) {
            if (from(n, k).rank() != rank || rank < 2) return dense(n);
            for (relation const& p : of_[n.in[k]]) {
                relation q = aligned(p, from(n, k), n.shape, 2);
                for (int axis = rank - 2; axis < rank; ++axis) q.free(axis, n.shape[axis]);
                out.push_back(q);
            }
        }
        return out;
    }
    constexpr pieces taken(node const& n) {
        shape const &rows = from(n, 0), &index = from(n, 1);
        list<double> const& constant = constants_(n.in[1]);
        return each(n, 0, [&](relation const& p, pieces& out) {
            relation q = p;
            for (int axis = 1; axis < rows.rank(); ++axis) q.y[index.rank() + axis - 1] = p.y[axis];
            if (constant.empty()) {
                for (int axis = 0; axis < index.rank(); ++axis) q.free(axis, index[axis]);
                if (!is_body_) q.gather(p.y[0], rows[0], n.in[1], index.rank());
                q.drop_axes_from(n.shape.rank());
                out.push_back(q);
                return;
            }
            for (int e = 0; e < constant.size(); ++e) {
                relation r = q;
                if (!r.fix(p.y[0], static_cast<std::int64_t>(constant[e]))) continue;
                r.place(e, index);
                r.drop_axes_from(n.shape.rank());
                out.push_back(r);
            }
        });
    }
    constexpr pieces added(node const& n) {
        shape const& index = from(n, 1);
        list<double> const& constant = constants_(n.in[1]);
        if (constant.empty()) return scattered(n, index.rank());
        return each(n, 0, [&](relation const& p, pieces& out) {
            for (int e = 0; e < constant.size(); ++e) {
                relation q = p;
                auto const row = static_cast<std::int64_t>(constant[e]);
                if (row < 0 || row >= n.shape[0].code || !q.fix_first(e, index)) continue;
                relation r = q;
                r.y[0] = {row, 0, -1};
                for (int axis = 1; axis < n.shape.rank(); ++axis) r.y[axis] = q.y[index.rank() + axis - 1];
                r.drop_axes_from(n.shape.rank());
                out.push_back(r);
            }
        });
    }
    /// Rows that are added where only run time tells.
    constexpr pieces scattered(node const& n, int indices) {
        return each(n, 0, [&](relation const& p, pieces& out) {
            relation q = p;
            for (int axis = 1; axis < n.shape.rank(); ++axis) q.y[axis] = p.y[indices + axis - 1];
            q.free(0, n.shape[0]);
            q.drop_axes_from(n.shape.rank());
            out.push_back(q);
        });
    }

    // ---- loops and choices

    constexpr pieces control(node const& n) {
        list<int> const operands = control_operands(g_, n);
        list<pieces> given(operands.size());
        bool any = false;
        for (int k = 0; k < operands.size(); ++k) {
            given[k] = of_[operands[k]];
            any = any || !given[k].empty();
        }
        if (!any) return {};
        if (is_loop(n)) return loop(n, given);
        pieces out;
        for (int which = 0; which < body_count(n); ++which) {
            graph const& body = body_of(g_, n, which);
            for (relation const& p : dependence(body, -1, &given)[body.outputs[output_of(n)].node]) out.push_back(p);
        }
        return out;
    }
    constexpr pieces loop(node const& n, list<pieces> const& all) {
        extent const steps = steps_of(g_, n);
        int const carries = op::scan::carries(n.attr);
        bool const follows = steps.is_static() && steps.code <= most_steps_followed && op::scan::end(n.attr) == op::loop_end::steps;
        if (!follows) return all_steps(n, all, steps);
        list<pieces> now = all;
        pieces out;
        graph const& body = body_of(g_, n);
        auto const part = op::scan::part(n.attr);
        for (std::int64_t i = 0; i < steps.code; ++i) {
            std::int64_t const step = op::scan::is_reversed(n.attr) ? steps.code - 1 - i : i;
            for (int k = 0; k < all.size(); ++k) {
                if (!is_walked(n, k)) continue;
                now[k] = {};
                for (relation p : all[k])
                    if (p.fix(p.y[0], step)) {
                        p.drop_axis(0);
                        now[k].push_back(p);
                    }
            }
            if (part == op::scan_part::states) stack(now[output_of(n)], step, out);
            dependence const one(body, -1, &now);
            for (int k = 0; k < carries; ++k) now[k] = one[body.outputs[k].node];
            pieces const& y = one[body.outputs[output_of(n)].node];
            if (part == op::scan_part::stack) stack(y, step, out);
            if (part == op::scan_part::sum) out.append(y.begin(), y.size());
        }
        return part == op::scan_part::last ? now[output_of(n)] : out;
    }
    static constexpr void stack(pieces const& rows, std::int64_t step, pieces& out) {
        for (relation p : rows) {
            p.insert_first({step, 0, -1});
            out.push_back(p);
        }
    }
    /// All steps at once. Where carries depend on nothing, each row of the result depends on the rows of its step; else on all there is.
    constexpr pieces all_steps(node const& n, list<pieces> const& all, extent steps) {
        graph const& body = body_of(g_, n);
        list<pieces> now = all;
        bool apart = op::scan::part(n.attr) == op::scan_part::stack || op::scan::part(n.attr) == op::scan_part::sum;
        for (int k = 0; k < op::scan::carries(n.attr); ++k) apart = apart && all[k].empty();
        for (int k = 0; k < all.size(); ++k)
            for (relation& p : now[k]) {
                if (p.keeps_step) apart = false;
                if (!is_walked(n, k)) continue;
                p.begin_step();
            }
        pieces out;
        if (apart) {
            dependence const one(body, -1, &now);
            for (int k = 0; k < op::scan::carries(n.attr); ++k) apart = apart && one[body.outputs[k].node].empty();
            if (apart) {
                for (relation p : one[body.outputs[output_of(n)].node]) {
                    p.end_step(steps, op::scan::part(n.attr) == op::scan_part::stack);
                    out.push_back(p);
                }
                return out;
            }
        }
        for (pieces const& operand : all)
            for (relation p : operand) {
                for (int axis = 0; axis < n.shape.rank(); ++axis) p.free(axis, n.shape[axis]);
                p.drop_axes_from(n.shape.rank());
                out.push_back(p);
            }
        return out;
    }

    graph const& g_;
    list<pieces> of_;
    constant_elements constants_;
    bool is_body_;  ///< then arrays of integers are looked up elsewhere: any row
};

}  // namespace gradus::inline GRADUS_ARCH::core
