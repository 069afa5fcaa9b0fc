// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/exec/describe.hpp>
#include <gradus/exec/operations.hpp>
#include <gradus/graph/interpret.hpp>
#include <gradus/lower.hpp>

#include <cmath>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

// Runs a plan without kernels: groups in their order, blocks of rows by turns, on memory that knows whose elements it holds. A read of
// what is not there yet, or not there any more, is an error; so are results that are not the interpreter's.
namespace random_graphs {

namespace gr = gradus;

/// Those that programs may have, and what their derivatives use.
using all_elementwise = decltype(joined_lists(joined_lists(gr::op::kernel_list{}, gr::op::further_list{}), gr::op::derivative_list{}));
template <class List>
inline constexpr auto infos_of = 0;
template <class... Op>
inline constexpr std::array<gr::op_info const*, sizeof...(Op)> infos_of<gr::op::op_list<Op...>>{&gr::info_of<Op>...};

constexpr int plan_capacity = 1024;
using plan_type = gr::program_plan<plan_capacity>;
using numbers = std::vector<double>;

struct fault : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Bytes, each with the element that it is part of.
class memory {
    struct cell {
        double value = 0;
        int node = -1, part = 0;
        std::int64_t element = -1;
    };
    std::vector<cell> cells_;

public:
    explicit memory(std::int64_t bytes) : cells_(static_cast<std::size_t>(bytes)) {}
    void write(std::int64_t at, std::int64_t size, int node, std::int64_t element, double value) {
        if (at < 0 || at + size > static_cast<std::int64_t>(cells_.size()))
            throw fault("a write beyond the end of memory, by node " + std::to_string(node));
        for (int part = 0; part < size; ++part) cells_[static_cast<std::size_t>(at + part)] = {value, node, part, element};
    }
    double read(std::int64_t at, std::int64_t size, int node, std::int64_t element) const {
        if (at < 0 || at + size > static_cast<std::int64_t>(cells_.size()))
            throw fault("a read beyond the end of memory, of node " + std::to_string(node));
        for (int part = 0; part < size; ++part) {
            cell const& c = cells_[static_cast<std::size_t>(at + part)];
            if (c.node != node || c.element != element || c.part != part)
                throw fault("element " + std::to_string(element) + " of node " + std::to_string(node) + " is read where " +
                            (c.node < 0 ? "nothing was written" : "node " + std::to_string(c.node) + " stands"));
        }
        return cells_[static_cast<std::size_t>(at)].value;
    }
};

inline bool agree(double a, double b, double tolerance) {
    if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
    if (std::isinf(a) || std::isinf(b)) return a == b;
    return std::abs(a - b) <= tolerance * std::max({1.0, std::abs(a), std::abs(b)});
}

class executor {
public:
    /// `values` are those of every node, by the interpreter.
    executor(gr::graph const& g, plan_type const& plan, std::vector<numbers> const& values, std::int64_t const* sizes, double tolerance)
        : g_(g),
          plan_(plan),
          values_(values),
          sizes_(sizes),
          dimensions_(plan.dimensions),
          tolerance_(tolerance),
          arena_(plan.arena_bytes(sizes)) {
        for (gr::symbol_entry const& s : g.symbols) symbols_.emplace_back(elements(s.type.shape) * gr::size_of(s.type.type));
        for (gr::output_entry const& o : g.outputs)
            if (o.updates < 0) outputs_.emplace_back(elements(g[o.node].shape) * gr::size_of(g[o.node].type));
        for (int i = 0; i < g.size(); ++i)
            if (g[i].is<gr::op::symbol>()) write_all(i);
    }
    void run() {
        for (int k = 0; k < plan_.kernel_count; ++k) run_kernel(plan_.kernels[k]);
        for (int i = 0; i < plan_.copied_back_count; ++i) {
            gr::output_entry const& o = g_.outputs[plan_.copied_back[i]];
            int const base = plan_.base[o.node];
            for (std::int64_t e = 0; e < elements(g_[base].shape); ++e)
                symbols_[at(o.updates)].write(e * size_of(base), size_of(base), base, e, read(base, e));
        }
        int returned = 0;
        for (gr::output_entry const& o : g_.outputs) {
            int const base = plan_.base[o.node];
            memory const& m = o.updates < 0 ? outputs_[at(returned++)] : symbols_[at(o.updates)];
            for (std::int64_t e = 0; e < elements(g_[base].shape); ++e) compare(base, e, m.read(e * size_of(base), size_of(base), base, e));
        }
    }

private:
    static std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }
    std::int64_t elements(gr::shape const& s) const {
        std::int64_t n = 1;
        for (int i = 0; i < s.rank(); ++i) n *= dimensions_.of(s[i]).at(sizes_);
        return n;
    }
    std::int64_t size_of(int node) const { return gr::size_of(g_[node].type); }
    std::pair<memory*, std::int64_t> place_of(int node) {
        gr::buffer const& b = plan_.buffers[node];
        if (b.where == gr::buffer_kind::symbol) return {&symbols_[at(b.index)], 0};
        if (b.where == gr::buffer_kind::output) return {&outputs_[at(b.index)], 0};
        if (b.where == gr::buffer_kind::arena) return {&arena_, plan_.offset_of(b, sizes_)};
        throw fault("node " + std::to_string(node) + " has no memory");
    }
    double read(int node, std::int64_t element) {
        auto [m, offset] = place_of(node);
        return m->read(offset + element * size_of(node), size_of(node), node, element);
    }
    void write(int node, std::int64_t element, double value) {
        auto [m, offset] = place_of(node);
        m->write(offset + element * size_of(node), size_of(node), node, element, value);
    }
    /// What stood there is gone, and nothing is there yet.
    void clobber(int node) {
        if (plan_.buffers[node].where == gr::buffer_kind::none) return;
        auto [m, offset] = place_of(node);
        for (std::int64_t e = 0; e < elements(g_[node].shape); ++e) m->write(offset + e * size_of(node), size_of(node), node, -1, 0);
    }
    void write_all(int node) {
        if (plan_.buffers[node].where == gr::buffer_kind::none) return;
        for (std::int64_t e = 0; e < elements(g_[node].shape); ++e) write(node, e, values_[at(node)][at(e)]);
    }
    void compare(int node, std::int64_t e, double got) const {
        double const expected = values_[at(node)][at(e)];
        if (!agree(got, expected, tolerance_))
            throw fault("the plan makes " + std::to_string(got) + " of element " + std::to_string(e) + " of node " + std::to_string(node) +
                        ", the interpreter " + std::to_string(expected));
    }
    /// Reads elements of an operand: all, or those with an index along one axis.
    void read_operand(int id, int along = -1, std::int64_t first = 0, std::int64_t count = 0) {
        if (g_[id].op->kind == gr::op_kind::list) {
            read_operand(g_[id].in[0]);
            read_operand(g_[id].in[1]);
            return;
        }
        gr::access const a = gr::core::resolve(g_, id, dimensions_);
        if (a.base < 0) throw fault("an operand that no strides describe: node " + std::to_string(id));
        gr::shape const& s = g_[id].shape;
        std::int64_t const n = elements(s);
        for (std::int64_t e = 0; e < n; ++e) {
            std::int64_t rest = e, offset = a.offset.at(sizes_);
            bool inside = true;
            for (int axis = s.rank() - 1; axis >= 0; --axis) {
                std::int64_t const extent = dimensions_.of(s[axis]).at(sizes_), index = rest % extent;
                rest /= extent;
                offset += index * a.stride[axis].at(sizes_);
                inside = inside && (axis != along || (index >= first && index < first + count));
            }
            if (inside) compare(id, e, read(a.base, offset));
        }
    }

    // ---- groups, which may run in pieces

    struct piece {
        virtual ~piece() = default;
        virtual void begin() = 0;
        virtual void rows(std::int64_t first, std::int64_t count) = 0;
        virtual void end() = 0;
    };
    struct loop_piece : piece {
        executor& x;
        gr::loop_draft d;
        std::vector<std::int64_t> extents;
        std::vector<double> never, totals;
        loop_piece(executor& owner, int group)
            : x(owner),
              d(gr::core::describing<gr::graph, plan_type>(x.g_, x.plan_, group, gr::core::op_ids<all_elementwise>.data(),
                                                           static_cast<int>(gr::core::op_ids<all_elementwise>.size()))
                    .run()) {
            for (gr::monomial const& m : d.extents) extents.push_back(m.at(x.sizes_));
        }
        bool changes(int input) const {
            for (std::size_t a = 0; a < extents.size(); ++a)
                if (d.inputs[input].stride[a].c != 0 || d.inputs[input].end[a] > 0) return true;
            return false;
        }
        bool folds(int o) const { return d.outputs[o].how == gr::kernel::fold::sum || d.outputs[o].how == gr::kernel::fold::amax; }
        bool folds_all(int o) const { return d.outputs[o].axes == (1u << extents.size()) - 1; }
        double load(int input, std::vector<std::int64_t> const& index) const {
            gr::input_binding const& in = d.inputs[input];
            std::int64_t offset = in.offset.at(x.sizes_);
            for (std::size_t a = 0; a < extents.size(); ++a) {
                if (in.end[a] > 0 && (index[a] < in.begin[a] || index[a] >= in.end[a])) return 0;
                offset += (index[a] - in.begin[a]) * in.stride[a].at(x.sizes_);
            }
            return x.read(in.base, offset);
        }
        double operate(gr::kernel::instruction const& i, std::vector<double> const& r) const {
            double operand[3]{};
            std::int16_t const from[] = {i.a, i.b, i.c};
            for (int k = 0; k < 3; ++k)
                if (from[k] >= 0) operand[k] = r[at(from[k])];
            gr::op_info const& op = *infos_of<all_elementwise>[at(i.op)];
            if (op.id == gr::core::type_id<gr::op::cast>)
                return i.type == gr::dtype::boolean ? operand[0] != 0 : gr::is_integer(i.type) ? std::trunc(operand[0]) : operand[0];
            return op.eval(operand);
        }
        double leaf(gr::kernel::instruction const& i) const {
            return i.op == gr::kernel::size ? static_cast<double>(d.sizes[i.a].at(x.sizes_)) : i.value;
        }
        static double identity(gr::kernel::fold how) { return how == gr::kernel::fold::sum ? 0 : -std::numeric_limits<double>::infinity(); }
        static double combine(gr::kernel::fold how, double a, double b) {
            return how == gr::kernel::fold::sum ? a + b : a != a || a > b ? a : b;
        }
        std::vector<std::vector<double>> in_memory;  ///< sums that grow there
        bool ran = false;
        void begin() override {
            never.assign(at(d.code.size()), 0);
            totals.assign(at(d.outputs.size()), 0);
            in_memory.assign(at(d.outputs.size()), {});
            std::vector<std::int64_t> const zero(extents.size(), 0);
            for (int k = 0; k < d.body; ++k)
                if (d.code[k].op == gr::kernel::load && !changes(d.code[k].a)) never[at(k)] = load(d.code[k].a, zero);
            for (int o = 0; o < d.outputs.size(); ++o) {
                if (!folds(o)) continue;
                totals[at(o)] = identity(d.outputs[o].how);
                if (folds_all(o)) continue;
                in_memory[at(o)].assign(at(x.elements(x.g_[d.output_nodes[o]].shape)), identity(d.outputs[o].how));
                x.clobber(d.output_nodes[o]);
            }
        }
        void rows(std::int64_t first, std::int64_t count) override {
            std::int64_t const row = d.row.at(x.sizes_);
            std::vector<std::int64_t> index(extents.size(), 0);
            std::vector<double> r(at(d.code.size()));
            std::int64_t inner = 1;
            for (std::size_t a = 1; a < extents.size(); ++a) inner *= extents[a];
            for (int o = 0; o < d.outputs.size(); ++o) {  // a row of nothing has a sum, too
                if (!folds(o) || d.outputs[o].axes & 1) continue;
                std::int64_t const width = extents[0] ? static_cast<std::int64_t>(in_memory[at(o)].size()) / extents[0] : 0;
                for (std::int64_t e = first * row * width; e < (first + count) * row * width; ++e)
                    x.write(d.output_nodes[o], e, in_memory[at(o)][at(e)]);
            }
            for (std::int64_t e = first * row * inner; e < (first + count) * row * inner; ++e) {
                ran = true;
                std::int64_t rest = e;
                for (std::size_t a = extents.size(); a-- > 0; rest /= extents[a]) index[a] = a ? rest % extents[a] : rest;
                for (int k = 0; k < d.body; ++k) {
                    gr::kernel::instruction const& i = d.code[k];
                    if (i.op == gr::kernel::load) r[at(k)] = changes(i.a) ? load(i.a, index) : never[at(k)];
                    else if (i.op == gr::kernel::index) r[at(k)] = static_cast<double>(index[at(i.a)]);
                    else r[at(k)] = i.op < 0 ? leaf(i) : operate(i, r);
                }
                for (int o = 0; o < d.outputs.size(); ++o) deliver(o, e, index, r);
            }
        }
        void deliver(int o, std::int64_t e, std::vector<std::int64_t> const& index, std::vector<double> const& r) {
            gr::kernel::loop_output const& out = d.outputs[o];
            if (out.how == gr::kernel::fold::epilogue) return;
            double const value = r[at(out.source)];
            if (!folds(o)) return x.write(d.output_nodes[o], e * out.columns + d.output_offsets[o], value);
            double* total = &totals[at(o)];
            if (!folds_all(o)) {
                std::int64_t place = 0;
                for (std::size_t a = 0; a < extents.size(); ++a)
                    if (!(out.axes >> a & 1)) place = place * extents[a] + index[a];
                total = &in_memory[at(o)][at(place)];
            }
            *total = combine(out.how, *total, value);
            // a sum that grows in memory can be read by groups behind it in the row that it is complete for
            if (!folds_all(o)) x.write(d.output_nodes[o], total - in_memory[at(o)].data(), *total);
        }
        void end() override {
            for (int o = 0; o < d.outputs.size(); ++o)
                if (folds(o) && !folds_all(o))
                    for (std::size_t e = 0; e < in_memory[at(o)].size(); ++e) {
                        if (x.values_[at(d.output_nodes[o])].size() > e)
                            x.compare(d.output_nodes[o], static_cast<std::int64_t>(e), in_memory[at(o)][e]);
                        if (!ran && d.outputs[o].axes & 1) x.write(d.output_nodes[o], static_cast<std::int64_t>(e), in_memory[at(o)][e]);
                    }
            std::vector<double> r(at(d.code.size()));
            for (int k = d.body; k < d.code.size(); ++k) {
                gr::kernel::instruction const& i = d.code[k];
                if (i.op == gr::kernel::load) r[at(k)] = x.read(d.inputs[i.a].base, d.inputs[i.a].offset.at(x.sizes_));
                else if (i.op == gr::kernel::reduced) r[at(k)] = totals[at(i.a)];
                else r[at(k)] = i.op < 0 ? leaf(i) : operate(i, r);
            }
            for (int o = 0; o < d.outputs.size(); ++o) {
                if (d.outputs[o].how == gr::kernel::fold::epilogue) x.write(d.output_nodes[o], 0, r[at(d.outputs[o].source)]);
                else if (folds(o) && folds_all(o) && d.outputs[o].stored) x.write(d.output_nodes[o], 0, totals[at(o)]);
            }
        }
    };
    struct product_piece : piece {
        executor& x;
        int node;
        gr::row_part part;
        product_piece(executor& owner, int id, gr::row_part p) : x(owner), node(id), part(p) {}
        void begin() override { x.clobber(node); }
        void rows(std::int64_t first, std::int64_t count) override {
            gr::node const& n = x.g_[node];
            int const rank_a = x.g_[n.in[0]].shape.rank(), rank_b = x.g_[n.in[1]].shape.rank();
            if (part == gr::row_part::adds) {
                x.read_operand(n.in[0], gr::core::row_axis(rank_a, n.attr.n[0] == 0), first, count);
                x.read_operand(n.in[1], gr::core::row_axis(rank_b, n.attr.n[1] != 0), first, count);
                return;
            }
            x.read_operand(n.in[0], gr::core::row_axis(rank_a, n.attr.n[0] != 0), first, count);
            x.read_operand(n.in[1]);
            std::int64_t const columns = x.dimensions_.of(n.shape[n.shape.rank() - 1]).at(x.sizes_);
            for (std::int64_t e = first * columns; e < (first + count) * columns; ++e) x.write(node, e, x.values_[at(node)][at(e)]);
        }
        void end() override {
            if (part == gr::row_part::adds) x.write_all(node);
        }
    };

    std::unique_ptr<piece> piece_of(gr::planned_group const& group) {
        if (group.kind == gr::kernel_kind::loop) return std::make_unique<loop_piece>(*this, group.number);
        return std::make_unique<product_piece>(*this, group.node, group.part);
    }
    void run_group(gr::planned_group const& group) {
        if (group.kind == gr::kernel_kind::loop) {
            loop_piece loop(*this, group.number);
            loop.begin();
            loop.rows(0, loop.extents[0] / std::max<std::int64_t>(1, loop.d.row.at(sizes_)));
            loop.end();
            return;
        }
        for (int m = group.first_member; m < group.first_member + group.members; ++m)
            clobber(plan_.members[m]);  // kernels of one node do not read where they write
        for (int m = group.first_member; m < group.first_member + group.members; ++m)
            for (int k = 0; k < g_[plan_.members[m]].op->arity; ++k) read_operand(g_[plan_.members[m]].in[k]);
        for (int m = group.first_member; m < group.first_member + group.members; ++m) write_all(plan_.members[m]);
    }
    void run_kernel(gr::planned_kernel const& kernel) {
        if (kernel.rows == gr::fused_rows::none) {
            for (int k = 0; k < kernel.groups; ++k) run_group(plan_.groups[kernel.first + k]);
        } else {
            // what runs behind a product, and rows of which run time knows the length, follow on blocks of any size
            std::int64_t const row_count = dimensions_.of(plan_.groups[kernel.first].domain[0]).at(sizes_),
                               block = kernel.rows == gr::fused_rows::blocks && kernel.block > 0 ? kernel.block : 2;
            std::vector<std::unique_ptr<piece>> pieces;
            for (int k = 0; k < kernel.groups; ++k) pieces.push_back(piece_of(plan_.groups[kernel.first + k]));
            for (auto& p : pieces) p->begin();
            std::int64_t row = 0;
            do {
                for (auto& p : pieces) p->rows(row, std::min(block, row_count - row));
                row += block;
            } while (row < row_count);
            for (auto& p : pieces) p->end();
        }
        for (int k = 0; k < kernel.after; ++k) run_group(plan_.groups[kernel.first + kernel.groups + k]);
    }

    gr::graph const& g_;
    plan_type const& plan_;
    std::vector<numbers> const& values_;
    std::int64_t const* sizes_;
    mutable gr::dimension_table dimensions_;
    double tolerance_;
    memory arena_;
    std::vector<memory> symbols_, outputs_;
};

}  // namespace random_graphs
