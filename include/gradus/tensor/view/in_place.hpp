// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/tensor/tape/evaluate.hpp>

// Writing over the elements of a tensor, as far as the tape allows.

namespace gradus::inline GRADUS_ARCH::core {

/// Refused: a leaf's elements are what its gradient is about.
inline void require_writable(tensor_ref const& t) {
    if (!t) refuse_undefined();
    tensor_extras const* more = t->extras ? &*t->extras : nullptr;
    if (more && more->is_view && view_place(*t).repeats())
        throw autograd_error(
            "unsupported operation: more than one element of the written-to tensor refers to a single memory location. Please clone() the "
            "tensor before performing the operation.");
    if (!modes.records) return;
    if (t->requires_grad && !t->node) throw autograd_error("a leaf Variable that requires grad is being used in an in-place operation.");
    if (more && more->base && more->base->requires_grad && !more->base->node)
        throw autograd_error("a view of a leaf Variable that requires grad is being used in an in-place operation.");
}
/// Refused: views whose base cannot be told what is written through them.
inline void require_writable_view(tensor_state const& t) {
    if (!t.extras || !t.extras->base || t.extras->origin == view_origin::recording) return;
    if (t.extras->origin == view_origin::no_grad)
        throw autograd_error(
            "A view was created in no_grad mode and is being modified inplace with grad mode enabled. Given that this use case is "
            "ambiguous and error-prone, it is forbidden. You can clarify your code by "
            "moving both the view and the inplace either both inside the no_grad block (if you don't want the inplace to be tracked) or "
            "both outside (if you want the inplace to be tracked).");
    throw autograd_error(concat("Output ", t.output, " of ", t.node ? t.node->kind->name : unbind_kind.name,
                                " is a view and is being modified inplace. This view is the output of a function that returns multiple "
                                "views. Such functions do not allow the output views to be modified inplace. You should "
                                "replace the inplace operation by an out-of-place one.")
                             .str());
}

// ---- what the tape learns

/// `g` with zeros in the region.
inline tensor_ref without_region(tensor_ref const& g, region_node const& n);
inline void backward_of_without_region(tape_node& n, backward_call& call) {
    call.gradients[0] = without_region(call.cotangents[0], static_cast<region_node&>(n));
}
inline constexpr node_kind without_region_kind = region_kind<&backward_of_without_region>("CopySlicesBackward0");
inline tensor_ref without_region(tensor_ref const& g, region_node const& n) {
    tensor_ref made = n.whole.is_contiguous() ? contiguous_copy(*g) : to_layout(g, n.whole);
    tensor_ref const zeros = zeros_like(n.type, n.region.rank, n.region.extents);
    copy_elements(n.type, zeros->data, view_place(*zeros), made->data, n.region);
    made = from_layout(made, n.whole);
    if (is_recording(g)) enter(made, g, node_block<region_node>::make(without_region_kind, 1, 0, 0, n.type, n.whole, n.region), n);
    return made;
}
/// What a tensor becomes when a region of it is overwritten: the derivative of the region goes to what was written, the rest
/// to what the tensor was before.
inline void backward_of_overwritten(tape_node& base, backward_call& call) {
    auto& n = static_cast<region_node&>(base);
    if (call.wants(0)) call.gradients[0] = without_region(call.cotangents[0], n);
    if (call.wants(1)) call.gradients[1] = taken_out(call.cotangents[0], n);
}
inline constexpr node_kind overwritten_kind = region_kind<&backward_of_overwritten>("CopySlices");
/// Nothing of what the tensor was is left.
inline constexpr node_kind filled_kind{"FillBackward0",
                                       [](tape_node&, backward_call& call) {
                                           tensor_state const& g = *call.cotangents[0];
                                           call.gradients[0] = zeros_like(g.type, g.rank, g.extents);
                                       },
                                       &node_block<>::destroy};
inline constexpr node_kind copied_kind{"CopyBackwards", [](tape_node&, backward_call& call) { call.gradients[0] = call.cotangents[0]; },
                                       &node_block<>::destroy};

/// Does the tape know where the elements of this memory come from?
inline bool is_recorded_memory(tensor_state const& t) {
    return t.is_recorded() || (t.extras && t.extras->base && t.extras->base->is_recorded());
}
/// What the tape learns of a write: `t` will hold what `written` computed (null: constants), and a view's base changes with
/// it. Made before the elements are written, as that may throw; `take_effect` when they have been.
class history_of_write {
public:
    history_of_write(tensor_ref const& t, node_ref written, std::int32_t output) : t_(t), written_(std::move(written)), output_(output) {
        base_ = t->extras ? t->extras->base.get() : nullptr;
        is_noticed_ = modes.records && (written_ || is_recorded_memory(*t));
        if (!is_noticed_) return;
        require_writable_view(*t);
        if (base_ && (written_ || base_->is_recorded())) {
            region_node* n = make_region_in_base(*t, overwritten_kind, 2);
            of_base_ = node_ref(n);
            n->connect(0, edge_of(t->extras->base));
            if (written_) n->connect(1, {written_, {}, output});
            prepare_history(*base_, of_base_);
        } else if (!written_) {
            tape_node* n = node_block<>::make(filled_kind, 1, 0, 0);
            written_ = node_ref(n);
            n->connect(0, edge_of(t));
        }
        prepare_history(*t, written_);
    }
    void take_effect() noexcept {
        t_->memory->written();
        if (!is_noticed_) return;
        if (of_base_) {
            set_history(*base_, std::move(of_base_), 0);
            t_->extras->seen = t_->memory->written_times() - (written_ ? 0 : 1);  // without a history of its own: the base's, when asked
        }
        set_history(*t_, std::move(written_), output_);
    }

private:
    tensor_ref const& t_;
    tensor_state* base_;
    node_ref written_, of_base_;
    std::int32_t output_;
    bool is_noticed_;
};

// ---- elements

/// Do the elements of two tensors have memory in common? (By address: memory may be borrowed.)
inline bool overlap(std::byte const* a, std::int64_t bytes_a, std::byte const* b, std::int64_t bytes_b) {
    auto const first = reinterpret_cast<std::uintptr_t>(a), second = reinterpret_cast<std::uintptr_t>(b);
    return first < second + static_cast<std::uintptr_t>(bytes_b) && second < first + static_cast<std::uintptr_t>(bytes_a);
}
inline bool overlap(tensor_state const& a, tensor_state const& b) {
    return overlap(a.data, view_place(a).span() * size_of(a.type), b.data, view_place(b).span() * size_of(b.type));
}
/// What a recorded node keeps of this memory is copied before the memory is written to.
inline void preserve(tape_node& n, storage* memory) {
    ref<storage> copy;
    for (saved_value& s : n.saved) {
        if (s.memory.get() != memory) continue;
        if (!copy) {
            copy = make_storage(memory->bytes);
            std::memcpy(copy->data, memory->data, static_cast<std::size_t>(memory->bytes));
        }
        s.data = copy->data + (s.data - memory->data);
        s.memory = copy;
        s.version = 0;
    }
}
/// t = result, which has memory of its own.
inline void write_over(tensor_ref const& t, tensor_ref const& result) {
    node_ref const written = modes.records ? result->node : node_ref{};
    if (written) preserve(*written, t->memory.get());
    history_of_write history(t, written, result->output);
    copy_elements(t->type, result->data, view_place(*result), t->data, view_place(*t));
    history.take_effect();
}
inline void fill_in_place(tensor_ref const& t, void const* value) {
    require_writable(t);
    history_of_write history(t, {}, 0);
    view_place one;
    one.rank = t->rank;
    for (int i = 0; i < t->rank; ++i) one.extents[i] = t->extents[i];  // strides of 0
    copy_elements(t->type, static_cast<std::byte const*>(value), one, t->data, view_place(*t));
    history.take_effect();
}
/// t = from, which has t's dtype and broadcasts to t's shape.
inline void copy_in_place(tensor_ref const& t, tensor_ref from, std::source_location where) {
    require_writable(t);
    if (!from) refuse_undefined();
    if (from.get() == t.get()) return;
    int const lead = t->rank - from->rank;
    bool fits = lead >= 0, same = lead == 0;
    for (int i = 0; fits && i < from->rank; ++i) {
        same = same && from->extents[i] == t->extents[i];
        fits = from->extents[i] == t->extents[i + lead] || from->extents[i] == 1;
    }
    if (!fits)
        throw shape_error(concat("gradus::tensor::copy_(a): a does not broadcast to the tensor: the tensor is ", t->described(), ", a is ",
                                 from->described())
                              .str());
    if (!same) from = expanded_to(from, t->rank, t->extents, where);
    tensor_ref const read = overlap(*t, *from) ? contiguous_copy(*from) : from;
    node_ref written;
    if (is_recording(from)) {
        tape_node* n = node_block<>::make(copied_kind, 1, 0, 0);
        written = node_ref(n);
        n->connect(0, edge_of(from));
        n->file = where.file_name();
        n->line = where.line();
    }
    history_of_write history(t, written, 0);
    copy_elements(t->type, read->data, view_place(*read), t->data, view_place(*t));
    history.take_effect();
}

/// Can an expression be computed right into a tensor that it reads? It can where one loop over elements computes it and
/// reads the tensor only at the element that it is about to write; the bits say of which operands that is so.
template <class Source>
struct element_by_element {
    using R = recorded<Source>;
    using P = stages<typename R::forward>;
    static constexpr auto const& g = P::optimized;
    static constexpr int result = P::plan.base[g.outputs[0].node];
    static constexpr bool holds = R::saved == 0 && R::results == 1 && P::plan.group_count == 1 &&
                                  P::plan.groups[0].kind == kernel_kind::loop && g[result].op->kind == op_kind::elementwise &&
                                  !P::plan.epilogue[result];
    static constexpr std::uint64_t operands = [] {
        std::uint64_t bits = ~std::uint64_t{0};
        for (int i = 0; i < g.node_count; ++i) {
            if (g[i].op->kind == op_kind::view) continue;
            for (int k = 0; k < g[i].op->arity; ++k) {
                int const read = g[i].in[k], base = P::plan.base[read];
                if (!g[base].is_symbol() || (read == base && g[base].result() == g[result].result())) continue;
                bits &= ~(std::uint64_t{1} << g[base].symbol());
            }
        }
        return bits;
    }();
};

template <class T, class X>
constexpr text in_place_complaint() {
    tensor_type const& to = T::type;
    tensor_type const& from = X::type;
    bool fits = to.type == from.type && call{}.same(to.shape, from.shape);
    if (fits || is_refused<X>) return {};
    return concat("gradus::tensor: an in-place operation does not change the type: the tensor is ", to, ", the result is ", from);
}
[[noreturn, gnu::cold]] inline void refuse_other_shape(tensor_state const& t, int rank, std::int64_t const* extents) {
    tensor_type result{t.type, {}};
    for (int i = 0; i < rank; ++i) result.shape.push_back(extents[i]);
    throw shape_error(
        concat("gradus::tensor: an in-place operation does not change the shape: the tensor is ", t.described(), ", the result is ", result)
            .str());
}
inline void require_shape(tensor_state const& t, int rank, std::int64_t const* extents) {
    bool same = t.rank == rank;
    for (int i = 0; same && i < rank; ++i) same = t.extents[i] == extents[i];
    if (!same) refuse_other_shape(t, rank, extents);
}

template <class X>
constexpr bool is_element_by_element() {
    if constexpr (is_view_chain<X>) return false;
    else return element_by_element<slot_source<X>>::holds;
}
/// May the program read its operands while it writes to `to`?
template <class X>
bool can_write_into(tensor_state const& to, statement_operands<X> const& operands) {
    using R = typename statement_operands<X>::R;
    if (!to.is_contiguous()) return false;
    for (int k = 0; k < statement_operands<X>::n; ++k) {
        tensor_state const* t = operands.leaves[k].tensor;
        if (!t) continue;
        if constexpr (R::differentiable)
            if (operands.operands[k].memory.get() == to.memory.get() && (R::facts.reads[k] & operands.keep))
                return false;  // the backward pass wants the old elements
        if (!overlap(to.data, to.bytes(), static_cast<std::byte const*>(operands.in[k]), t->bytes())) continue;
        if (operands.in[k] != to.data || !(element_by_element<slot_source<X>>::operands >> k & 1)) return false;
    }
    return true;
}

/// t = x, in t's memory.
template <class T, extent... E, class X>
void update_in_place(tensor<T, E...> const& handle, X const& x, std::source_location where) {
    report<&in_place_complaint<tensor<T, E...>, X>>();
    tensor_ref const& t = handle.state();
    require_writable(t);
    forget_source(*t);
    using S = slot_source<X>;
    if constexpr (is_element_by_element<X>()) {
        using R = recorded<S>;
        statement_operands<X> operands(x, where);
        if (!modes.records) operands.forget();
        constexpr int node = element_by_element<S>::g.outputs[0].node;
        program_dimensions<S, typename R::forward> const d(operands.sizes);
        numbers const extents = extents_of<typename R::forward, node>.at(d.sizes);
        require_shape(*t, sizeof...(E), extents.n);
        if (can_write_into(*t, operands)) {
            tensor_ref result;
            if (operands.wanted_edges) {
                require_writable_view(*t);
                result = make_alias(*t, view_place(*t));
                operands.enter(&result, where);
                for (saved_value& s : result->node->saved)  // the result: nothing else of this memory is saved
                    if (s.memory.get() == t->memory.get()) ++s.version;
            }
            history_of_write history(t, result ? result->node : node_ref{}, 0);
            R::run_into(operands.in, operands.sizes, t->data);
            history.take_effect();
        } else {
            tensor_ref result = make_state(t->type, t->rank, t->extents);
            R::run_into(operands.in, operands.sizes, result->data);
            operands.enter(&result, where);
            write_over(t, result);
        }
    } else {
        tensor_ref const result = evaluate(x, where);
        require_shape(*t, result->rank, result->extents);
        if constexpr (is_view_chain<X>) copy_in_place(t, result, where);
        else write_over(t, result);
    }
}

template <class T, class X>
constexpr text copy_complaint() {
    tensor_type const& to = T::type;
    tensor_type const& from = X::type;
    int const lead = to.shape.rank() - from.shape.rank();
    bool fits = lead >= 0 && to.type == from.type;
    for (int i = 0; fits && i < from.shape.rank(); ++i) fits = from.shape[i].is_one() || call{}.same(from.shape[i], to.shape[i + lead]);
    if (fits || is_refused<X>) return {};
    return concat("gradus::tensor::copy_(a): a does not broadcast to the tensor: the tensor is ", to, ", a is ", from);
}
/// The same for a tensor or an expression that may have to be broadcast.
template <class T, extent... E, class X>
void copy_from(tensor<T, E...> const& t, X const& x, std::source_location where) {
    report<&copy_complaint<tensor<T, E...>, X>>();
    if constexpr (is_tensor<X>) copy_in_place(t.state(), x.state(), where);
    else if constexpr (X::type.shape == tensor<T, E...>::type.shape && X::type.shape.is_static()) update_in_place(t, x, where);
    else copy_in_place(t.state(), evaluate(x, where), where);
}

}  // namespace gradus::inline GRADUS_ARCH::core
