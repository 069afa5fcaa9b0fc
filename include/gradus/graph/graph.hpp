// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/exchange.hpp>
#include <gradus/core/list.hpp>
#include <gradus/op/batching.hpp>
#include <gradus/op/leaf.hpp>

#include <stdexcept>
#include <string_view>

namespace gradus::inline GRADUS_ARCH {

class graph;
struct node;

/// What passes know of an operation: its rules as functions on graphs. One constant per operation, made from its struct.
struct op_info {
    op_info const* label;  ///< the same without the rules, for graphs that are only printed at run time; null in labels
    std::string_view name;
    std::uint64_t id;
    op_kind kind;
    int arity;
    bool foldable;        ///< `eval` may run in the compiler
    bool differentiable;  ///< has vjp and jvp; a flag, as g++ compares no pointer with null in a sanitized constant expression
    tensor_type (*infer)(call const&, complaint&);
    void (*vjp)(graph&, int node, int const* cotangents, int* out);  ///< appends the cotangents of the operands, -1 for none
    int (*jvp)(graph&, int node, int const* tangents);               ///< appends the tangent of the node
    double (*eval)(double const*);                                   ///< elementwise operations on one element
    void (*whole)(call const&, double const* const* in,
                  double* const* out) = nullptr;  ///< operations with a kernel of their own, or none, on all elements at static extents
    void (*kernel)(dtype, call const&, void const* const* in, void* const* out, kernel_work const&) = nullptr;  ///< in an element type
    bool shares_threads = false;  ///< several threads may share the work of that kernel; then it says what it needs and does:
    std::int64_t (*scratch_bytes)(dtype, call const&) = nullptr;  ///< for a thread; a constant, whatever the named extents are
    operation_count (*operations)(call const&) = nullptr;
    std::uint32_t kernel_types = 0;       ///< a bit for each dtype of that: operands and result are of one
    bool steps = false;                   ///< jumps where an operand changes by its last bit
    bool reverse = true, forward = true;  ///< false where an operation of users' does not state the derivative of that mode
    bool exact = false;                   ///< elementwise and without rounding: the same operands give the same bits in every kernel
    view_axis (*view)(attributes const&, shape const& from, shape const& to, int axis) = nullptr;  ///< what a view reads, axis by axis
    bool same_order = false;             ///< a view of the same elements in the same order under another shape
    reducer reduces_by = reducer::none;  ///< of a reduction that loops compute as they make its operand
    int results = 1;                     ///< see graph/results.hpp
    /// What a rule that an operation states makes of all instances: `in` are its operands. Null where facets say it, or nothing does.
    int (*batch)(graph&, batched_call const&, int const* in) = nullptr;
    bool batches = false;      ///< has such a rule; a flag, see `differentiable`
    bool unlisted = false;     ///< no list of the library has it: graphs that are described at run time bring its rules
    bool has_linkage = false;  ///< its name is that of one type in all translation units
    leaf_kind holds = leaf_kind::none;
    marker_kind marks = marker_kind::none;
    connective_kind connects = connective_kind::none;
    control_kind runs = control_kind::none;
    own_kernel runs_by = own_kernel::none;
    int call_attributes = result_attribute;     ///< so many are the same in all results of a call (graph/results.hpp)
    int bodies = 0;                             ///< graphs that a node of it runs
    int shares = 0;                             ///< op::exponential_form: what it can be computed from beside others of its operand
    int flops_per_column = 0;                   ///< of an operation on matrices: per element of the result and column of the first operand
    bool copies = false;                        ///< the operand itself, in memory of its own
    bool converts = false;                      ///< the operand under another dtype
    bool rearranges = false;                    ///< all elements of the operand, in other places
    bool cuts = false;                          ///< a view of a part of them, with the attributes of op::slice
    bool only_repeats = false;                  ///< a view that repeats, as loops do by themselves
    bool stops_gradient = false;                ///< no derivative goes through
    bool differs_in_derivative = false;         ///< the first operand, where nothing is differentiated any more
    bool needs_elements = false;                ///< a reduction that none of no elements has a value for
    bool divides = false;                       ///< a quotient of two operands
    bool adds = false;                          ///< their sum or difference
    arithmetic_kind arithmetic = arithmetic_kind::none;
    bool simplifies = false;                    ///< states rules
    int (*simplify)(graph&, int id) = nullptr;  ///< what its rules make of node `id`, -1 where none applies
    bool prints = false;                        ///< has `print`, which appends its attributes as text
    void (*print)(text&, attributes const&, tensor_type const& result) = nullptr;
};

/// The same for an operation that runs bodies (transform/control_derivatives.hpp).
struct control_info : op_info {
    void (*control_vjp)(graph&, int first, core::list<int>& cotangents);  ///< of all nodes that run together with node `first`
    void (*control_jvp)(graph&, int first, core::list<int>& tangents);
    shape (*domain)(graph const&, node const&);             ///< what it walks along
    text (*fault)(graph const&, node const&);               ///< what is wrong with a node, empty where nothing is
    void (*describe)(text&, graph const&, node const&);     ///< appends its attributes as text
    bool (*recomputes)(graph const&, node const&, int id);  ///< does a branch compute node `id` again?
    /// Node `id` for `count` instances; `mapped` says which nodes depend on the instance, `all` what these are for all of them.
    int (*control_batch)(graph&, int id, extent count, core::list<char> const& mapped, core::list<int> const& all);
};

/// One value of a program: an operation on earlier values.
struct node {
    op_info const* op = nullptr;
    int in[3] = {-1, -1, -1};
    dtype type = dtype::number;
    gradus::shape shape{};
    attributes attr{};

    constexpr tensor_type result() const { return {type, shape}; }
    constexpr int operands() const { return (in[0] >= 0) + (in[1] >= 0) + (in[2] >= 0); }
    constexpr bool is_symbol() const { return op->holds == leaf_kind::symbol; }
    /// Of a symbol: its number among the graph's.
    constexpr int symbol() const { return gradus::op::symbol::number(attr); }
    constexpr bool is_constant() const { return op->holds == leaf_kind::constant; }
    constexpr bool is_constant(double x) const { return is_constant() && attr.value == x; }
    template <class Op>
    constexpr bool is() const {
        return op->id == core::type_id<Op>;
    }
    constexpr bool operator==(node const& o) const {
        return op->id == o.op->id && in[0] == o.in[0] && in[1] == o.in[1] && in[2] == o.in[2] && type == o.type && shape == o.shape &&
               attr == o.attr;
    }
    constexpr std::uint64_t hash() const {
        std::uint64_t h = core::mix(op->id, static_cast<std::uint64_t>(in[0] + 1) | static_cast<std::uint64_t>(in[1] + 1) << 20 |
                                                static_cast<std::uint64_t>(in[2] + 1) << 40);
        h = core::mix(h, core::bits_of(attr.value) + static_cast<std::uint64_t>(type));
        h = core::mix(h, static_cast<std::uint64_t>(attr.n[0] * 31 + attr.n[1]));
        for (int i = 0; i < shape.rank(); ++i) h = core::mix(h, static_cast<std::uint64_t>(shape[i].code + shape[i].more));
        return h;
    }
};

/// A variable of the program, in the order of first use.
struct symbol_entry {
    std::string_view name;
    tensor_type type;
    int of = -1;           ///< in derivatives: the result or the node of the forward graph that this symbol stands for
    bool selects = false;  ///< in derivatives: the symbol's derivative is 0 where a condition of the graph does not hold
};

/// A result: a node, and the symbol whose memory takes it (-1: the caller's).
struct output_entry {
    int node = -1;
    int updates = -1;
};

/// Graphs inside of a graph: what a scan repeats, branches. They do not change any more, so copies of the list share them.
class subgraphs {
public:
    constexpr subgraphs() = default;
    constexpr subgraphs(subgraphs const& that);
    constexpr subgraphs(subgraphs&& that) noexcept : last_(core::taken(that.last_)) {}
    constexpr subgraphs& operator=(subgraphs that) noexcept {
        core::exchange(last_, that.last_);
        return *this;
    }
    constexpr ~subgraphs();
    constexpr int size() const;
    constexpr graph const& operator[](int number) const;
    constexpr void push_back(graph body);

private:
    struct cell;
    cell* last_ = nullptr;
};

/// A typed graph under construction: nodes in the order of evaluation, operands before their users, equal nodes once.
class graph {
public:
    core::list<node> nodes;
    core::list<symbol_entry> symbols;
    core::list<output_entry> outputs;
    subgraphs bodies;         ///< of control nodes, which know their numbers
    bool zeros_stay = false;  ///< derivatives are written so that a cotangent which only run time tells to be 0 stays 0 (op::mul_no_nan)
    core::unifier* unknowns = nullptr;  ///< where operations on extents that are not known yet note their demands

    constexpr graph() = default;

    constexpr int size() const { return nodes.size(); }
    constexpr node const& operator[](int i) const { return nodes[i]; }

    /// The node equal to `n`, appended if there is none yet.
    constexpr int intern(node const& n) {
        if (2 * (nodes.size() + 1) > slots_.size()) rehash();
        std::uint64_t hash = n.hash();
        int slot = find(n, hash);
        if (slots_[slot] >= 0) return slots_[slot];
        slots_[slot] = nodes.size();
        nodes.push_back(n);
        hashes_.push_back(hash);
        return nodes.size() - 1;
    }
    /// The symbol of that name; the same name with another type is an error.
    constexpr int symbol_index(std::string_view name, tensor_type type) {
        for (int i = 0; i < symbols.size(); ++i) {
            if (symbols[i].name != name) continue;
            if (!(symbols[i].type == type)) core::refuse<"gradus: one name with two types", std::logic_error>();
            return i;
        }
        symbols.push_back({name, type});
        return symbols.size() - 1;
    }

private:
    constexpr int find(node const& n, std::uint64_t hash) const {
        auto mask = static_cast<std::uint64_t>(slots_.size() - 1);
        auto slot = hash & mask;
        for (int at = slots_[static_cast<int>(slot)]; at >= 0 && !(hashes_[at] == hash && nodes[at] == n);
             at = slots_[static_cast<int>(slot)])
            slot = (slot + 1) & mask;
        return static_cast<int>(slot);
    }
    constexpr void rehash() {
        for (int i = hashes_.size(); i < nodes.size(); ++i) hashes_.push_back(nodes[i].hash());
        int size = 64;
        while (size < 4 * nodes.size()) size *= 2;
        slots_ = core::list<int>(size, -1);
        for (int i = 0; i < nodes.size(); ++i) slots_[find(nodes[i], hashes_[i])] = i;
    }
    core::list<std::uint64_t> hashes_;
    core::list<int> slots_;  // open addressing, -1 is empty
};

struct subgraphs::cell {
    graph body;
    subgraphs before;
    int number, owners = 1;
};
constexpr subgraphs::subgraphs(subgraphs const& that) : last_(that.last_) {
    if (last_) ++last_->owners;
}
constexpr subgraphs::~subgraphs() {
    if (last_ && --last_->owners == 0) delete last_;
}
constexpr int subgraphs::size() const { return last_ ? last_->number + 1 : 0; }
constexpr graph const& subgraphs::operator[](int number) const {
    cell const* at = last_;
    while (at->number != number) at = at->before.last_;
    return at->body;
}
constexpr void subgraphs::push_back(graph body) {
    int const number = size();
    last_ = new cell{std::move(body), std::move(*this), number};
}

}  // namespace gradus::inline GRADUS_ARCH
