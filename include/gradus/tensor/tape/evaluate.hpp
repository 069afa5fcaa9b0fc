// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/tensor/state/leaves.hpp>
#include <gradus/tensor/tape/recorded.hpp>
#include <gradus/tensor/tape/region.hpp>
#include <gradus/tensor/view/index_range.hpp>

// What happens when an expression is assigned to a tensor: its forward program runs, and one node is recorded.

namespace gradus::inline GRADUS_ARCH::core {

/// The name of a node as PyTorch has it: the operation in capitals, or the name that its function has there.
constexpr text backward_name(std::string_view op, int rank_a, int rank_b) {
    if (op == "matmul")
        return std::string_view(rank_a == 1 && rank_b == 1   ? "DotBackward0"
                                : rank_a == 1 || rank_b == 1 ? "MvBackward0"
                                : rank_a == 2 && rank_b == 2 ? "MmBackward0"
                                                             : "BmmBackward0");
    constexpr std::string_view others[][2] = {{"square", "PowBackward0"},
                                              {"concatenate", "CatBackward0"},
                                              {"broadcast_to", "ExpandBackward0"},
                                              {"reshape", "ViewBackward0"},
                                              {"transpose", "PermuteBackward0"},
                                              {"cast", "ToCopyBackward0"},
                                              {"cross_entropy", "NllLossBackward0"},
                                              {"stop_gradient", "DetachBackward0"}};
    for (auto const& [name, torch] : others)
        if (op == name) return torch;
    text made;
    bool capital = true;
    for (char c : op) {
        if (c != '_') made += capital && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        capital = c == '_';
    }
    made += "Backward0";
    return made;
}
template <class Op, int RankA, int RankB>
struct node_name {
    static constexpr int size = backward_name(operation<Op>::type::name, RankA, RankB).size();
    static constexpr std::array<char, static_cast<std::size_t>(size)> letters = [] {
        std::array<char, static_cast<std::size_t>(size)> to{};
        text made = backward_name(operation<Op>::type::name, RankA, RankB);
        for (std::size_t i = 0; i < to.size(); ++i) to[i] = made.view()[i];
        return to;
    }();
    static constexpr std::string_view value{letters.data(), letters.size()};
};
template <class X>
struct root_name;
template <class Op, class A, class... Rest>
struct root_name<tensor_expression<Op, A, Rest...>> {
    static constexpr int rank_b = [] {
        int rank = 0;
        ((rank = Rest::type.shape.rank()), ...);
        return rank;
    }();
    static constexpr std::string_view value = node_name<Op, A::type.shape.rank(), rank_b>::value;
};

/// Pointers to the rules of a user's operations in a source, for derivatives of derivatives; null where there are none.
template <class List>
struct user_operations {
    static op_info const* const* get() { return nullptr; }
};
template <class... Op>
    requires(sizeof...(Op) > op::kernel_list::size)
struct user_operations<op::op_list<Op...>> {
    using list = op::op_list<Op...>;
    static constexpr auto theirs = []<int... I>(std::integer_sequence<int, I...>) {
        return std::array<op_info const*, sizeof...(I) + 1>{&info_of<typename kernel::op_at<list, op::kernel_list::size + I>::type>...,
                                                            nullptr};
    }(std::make_integer_sequence<int, static_cast<int>(sizeof...(Op)) - op::kernel_list::size>{});
    static op_info const* const* get() { return theirs.data(); }
};

/// An expression on tensors as a source of programs: its leaves are slots. `Interpreted`: see recorded.
template <class X, bool Interpreted = interprets_statements>
struct slot_source {
    using E = typename slotted<X, 0>::type;
    using parts = expressions<E>;
    static constexpr int leaves = leaf_count<X>;
    static constexpr bool is_static = [] {
        for (leaf_facts const& l : facts_of_leaves<X>)
            if (!l.type.shape.is_static()) return false;
        return true;
    }();
    static constexpr std::uint64_t constants = [] {
        std::uint64_t bits = 0;
        for (int k = 0; k < leaves && k < 64; ++k)
            if (facts_of_leaves<X>[static_cast<std::size_t>(k)].is_number) bits |= std::uint64_t{1} << k;
        return bits;
    }();
    static constexpr written_as form = written_as::operations;
    static constexpr bool is_differentiated_later = true;
    static constexpr bool is_statement = true;
    static constexpr std::string_view name = root_name<X>::value;
    static constexpr graph lower() {
        if constexpr (maps_function<X>) return pass::differentiation(lower_slots<E, is_static>());
        else return lower_slots<E, is_static>();
    }
    static op_info const* const* operations() { return user_operations<operations_of<slot_source>>::get(); }
};

template <class X>
[[noreturn, gnu::cold]] inline void refuse_shapes(leaf const* leaves) {
    actual_type<X>::of(leaves);
    throw shape_error("gradus: extents known at run time only are not what an operation needs");
}
/// An extent that only run time tells: where it is found, and the dimension that it is, or the number that it has to be.
struct measured_extent {
    int leaf = 0, axis = 0;
    int dimension = -1;
    std::int64_t number = 0;
};
template <class X>
struct measured_extents {
    std::array<measured_extent, static_cast<std::size_t>(leaf_count<X>) * max_rank> of{};
    int count = 0;
};
template <class X>
inline constexpr auto extents_to_measure = [] {
    using S = slot_source<X>;
    measured_extents<X> found;
    for (int k = 0; k < S::leaves; ++k) {
        leaf_facts const& facts = facts_of_leaves<X>[static_cast<std::size_t>(k)];
        for (int axis = 0; axis < facts.type.shape.rank(); ++axis) {
            if (facts.type.shape[axis].is_static()) continue;
            extent const demanded = recorded<S>::f.symbols[k].type.shape[axis];
            measured_extent e{k, axis, -1, demanded.code};
            for (int i = 0; i < dimensions_of<S>.count; ++i)
                if (dimensions_of<S>.names[i] == demanded) e.dimension = i;
            found.of[static_cast<std::size_t>(found.count++)] = e;
        }
    }
    return found;
}();
inline void require_defined(leaf_facts const* facts, leaf const* leaves, int count) {
    for (int k = 0; k < count; ++k)
        if (!facts[k].is_number && !leaves[k].tensor) refuse_undefined();
}
/// Checks the extents that only run time tells against what the operations demand, once per leaf, and numbers the
/// dimensions.
template <class X>
void measure(leaf const* leaves, std::int64_t* sizes) {
    using S = slot_source<X>;
    constexpr auto const& facts = facts_of_leaves<X>;
    require_defined(facts.data(), leaves, S::leaves);
    if constexpr (!S::is_static) {
        constexpr auto const& all = extents_to_measure<X>;
        for (int i = 0; i < dimensions_of<S>.count; ++i) sizes[i] = -1;
        for (int i = 0; i < all.count; ++i) {
            measured_extent const e = all.of[static_cast<std::size_t>(i)];
            std::int64_t const n = leaves[e.leaf].tensor->extents[e.axis];
            if (e.dimension >= 0 && sizes[e.dimension] < 0) sizes[e.dimension] = n;
            if ((e.dimension < 0 ? e.number : sizes[e.dimension]) != n) refuse_shapes<X>(leaves);
        }
        require_elements<S, dimensions_of<S>>(sizes);
    }
}

/// Memory for the operands of a statement and what a node of the tape will know of them. Statements of equally many operands share its
/// functions: they are called, not inlined, since every statement of a program would have them in it.
template <int Count>
struct operand_frame {
    leaf leaves[Count + 1];
    saved_value operands[Count];
    edge edges[Count];
    void* in[Count]{};
    std::uint64_t wanted_edges = 0;
    std::uint64_t keep = 0;  ///< the derivatives that wanted edges will ask for

    operand_frame() = default;
    [[gnu::noinline]] ~operand_frame() {}
    operand_frame(operand_frame const&) = delete;
    operand_frame& operator=(operand_frame const&) = delete;
};
/// Binds operands to memory and notes what a node of the tape will know of them; returns the edges that want a derivative, a bit each.
/// `facts` is null where none can.
[[gnu::noinline]] inline std::uint64_t bind_operands(leaf_facts const* leaf_of, recorded_facts const* facts, int count, leaf* leaves,
                                                     saved_value* operands, edge* edges, void** in) {
    bool records = false;
    for (int k = 0; facts && k < count; ++k) records = records || leaves[k].records;
    std::uint64_t wanted = 0;
    for (int k = 0; k < count; ++k) {
        if (leaf_of[k].is_number) {
            operands[k].is_number = true;
            operands[k].number = leaves[k].number;
            in[k] = &leaves[k].number;
            continue;
        }
        tensor_state& t = *leaves[k].tensor;
        forget_source(t);
        if (t.is_contiguous()) {
            in[k] = t.data;
        } else {
            tensor_ref copy = contiguous_copy(t);
            operands[k].memory = copy->memory;
            in[k] = operands[k].data = copy->data;
        }
        if (!records) continue;
        if (!operands[k].memory && facts->reads[k]) {
            operands[k].memory = t.memory;
            operands[k].data = t.data;
            operands[k].version = t.memory->written_times();
        }
        if (facts->gradient[k] >= 0 && leaves[k].records && t.is_recorded()) {
            edges[k] = edge_of(tensor_ref::sharing(&t));
            wanted |= std::uint64_t{1} << k;
        }
    }
    return wanted;
}

/// The operands of an expression at run time: memory for its programs, and what a node of the tape will know of them.
template <class X>
struct statement_operands : operand_frame<slot_source<X>::leaves> {
    using S = slot_source<X>;
    using R = recorded<S>;
    static constexpr int n = S::leaves;
    static_assert(n > 0 && n <= 64, "gradus: an expression on tensors has at most 64 operands: assign a part of it to a tensor");
    using frame = operand_frame<n>;
    using frame::edges, frame::in, frame::keep, frame::leaves, frame::operands, frame::wanted_edges;

    std::int64_t sizes[dimensions_of<S>.count + 1]{};

    statement_operands(X const& x, std::source_location where) {
        collect_leaves(x, leaves, where);
        measure<X>(leaves, sizes);
        if constexpr (has_indices<X>) {
            leaf const* at = leaves;
            require_in_range(x, at, where);
        }
        if constexpr (R::differentiable) {
            wanted_edges = bind_operands(facts_of_leaves<X>.data(), &R::facts, n, leaves, operands, edges, in);
            if (wanted_edges) keep = R::facts.wanted([&](int k) { return wanted_edges >> k & 1; });
        } else {
            bind_operands(facts_of_leaves<X>.data(), nullptr, n, leaves, operands, edges, in);
        }
    }
    /// Nothing of this is recorded.
    void forget() { wanted_edges = keep = 0; }
    /// Enters what has been computed into the tape.
    void enter(tensor_ref const* out, std::source_location where) {
        if constexpr (R::differentiable)
            if (wanted_edges) record(R::facts, edges, operands, out, sizes, dimensions_of<S>.count, keep, where);
    }
};

template <class X>
inline constexpr node_kind view_kind = region_kind<&backward_of_region>(root_name<X>::value);
/// An expression that only looks at a tensor in another way: no program, a view.
template <class X>
tensor_ref view_of(X const& x, std::source_location where) {
    leaf leaves[2];
    collect_leaves(x, leaves, where);
    tensor_ref const t = tensor_ref::sharing(leaves[0].tensor);
    if (!t) refuse_undefined();
    if constexpr (!facts_of_leaves<X>[0].type.shape.is_static()) {
        leaf const* at = leaves;
        actual_type<X>::of(at);
    }
    mode_guard<bool, &thread_modes::records> as_written(leaves[0].records);
    view_places at(*t);
    follow(std::type_identity<X>{}, at.contiguous);
    if (follow(std::type_identity<X>{}, at.actual)) return region_of(t, at, view_kind<X>, where);
    tensor_ref made = contiguous_copy(*t);
    made = at.contiguous.is_contiguous() ? make_alias(*made, at.contiguous) : make_view(made, at.contiguous);
    if (is_recording(t))
        enter(made, t, node_block<region_node>::make(view_kind<X>, 1, 0, 0, t->type, view_place(t->rank, t->extents), at.contiguous),
              where);
    return made;
}

/// Computes an expression; records a node if the thread recorded where it was written and an operand wants a derivative.
template <class X>
tensor_ref evaluate(X const& x, std::source_location where) {
    if constexpr (is_view_chain<X>) return view_of(x, where);
    else {
        using R = typename statement_operands<X>::R;
        statement_operands<X> operands(x, where);
        tensor_ref out[R::results + R::saved + 1];
        R::run(operands.in, operands.sizes, operands.keep, out);
        operands.enter(out, where);
        return std::move(out[0]);
    }
}

}  // namespace gradus::inline GRADUS_ARCH::core
