// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/exchange.hpp>
#include <gradus/tensor/tape/saved.hpp>

// What a user's function keeps from its forward for its backward, and its node of the tape.

namespace gradus::inline GRADUS_ARCH {

namespace core {

/// A value of a type that its user knows.
class any_value {
public:
    any_value() = default;
    any_value(any_value&& that) noexcept : object_(taken(that.object_)), destroy_(that.destroy_), type_(that.type_) {}
    any_value& operator=(any_value that) noexcept {
        exchange(object_, that.object_);
        exchange(destroy_, that.destroy_);
        exchange(type_, that.type_);
        return *this;
    }
    ~any_value() {
        if (object_) destroy_(object_);
    }
    template <class T>
    T& as() {
        if (!object_) {
            object_ = new T{};
            destroy_ = [](void* t) { delete static_cast<T*>(t); };
            type_ = type_id<T>;
        }
        if (type_ != type_id<T>) throw autograd_error("gradus::autograd::context::saved_data<T>(): the data saved are of another type");
        return *static_cast<T*>(object_);
    }

private:
    void* object_ = nullptr;
    void (*destroy_)(void*) = nullptr;
    std::uint64_t type_ = 0;
};

/// A call of a user's function. Edges are its tensors, in order.
struct function_node : tape_node {
    any_value data;
    list<saved_tensor> saved_as;
    list<tensor_type> inputs, outputs;
    bool materializes = true;
};
struct function_access;

/// The gradient of what has none.
struct nothing_t {};

}  // namespace core

namespace autograd {

/// In the place of a gradient: there is none.
inline constexpr core::nothing_t nothing{};

/// What a function's forward hands to its backward.
class context {
public:
    context() = default;
    context(context const&) = delete;
    context& operator=(context const&) = delete;

    /// Keeps tensors, or what expressions compute, for backward. Only what is kept here is guarded against being modified in
    /// place, is freed with the graph, and never makes a cycle, be it an operand, a result or neither.
    template <class... T>
    void save_for_backward(T const&... tensors) {
        kept_ = {};
        (kept_.push_back(core::computed(tensors).state()), ...);
    }
    /// Number I of the saved tensors: `ctx.saved<0, double, 3>()`. Throws autograd_error if it was modified in place since,
    /// shape_error if it is of another type.
    template <int I, element T, extent... E>
    tensor<T, E...> saved() const {
        return saved(I).template as<T, E...>();
    }
    any_tensor saved(int i) const;
    int saved_count() const { return node_ ? values_.size() : kept_.size(); }
    /// Everything else that backward needs: a value of any type, of the node; made when first asked for.
    template <class T>
    T& saved_data() {
        return (node_ ? node_->data : data_).as<T>();
    }
    /// Is the derivative with respect to this argument of forward asked for? Arguments that are no tensors count too.
    bool needs_input_grad(int argument) const { return argument >= 64 || (needed_ >> argument & 1); }
    /// These results of forward do not require a gradient.
    template <class... T>
    void mark_non_differentiable(T const&... results) {
        (constants_.push_back(results.state()), ...);
    }
    /// Forward wrote to these operands, and returns them. Throws autograd_error after forward if one is a leaf that requires
    /// a gradient, or a view.
    template <class... T>
    void mark_dirty(T const&... operands) {
        (dirty_.push_back(operands.state()), ...);
    }
    /// Are the gradients of results that nothing depends on zeros in backward (as they are if nothing is said), or undefined?
    void set_materialize_grads(bool on) { materializes_ = on; }

private:
    friend core::function_access;
    core::list<core::tensor_ref> kept_, constants_, dirty_;  // in forward
    core::any_value data_;
    core::function_node* node_ = nullptr;   // in backward
    core::list<core::saved_value> values_;  // handles of its own: another thread may release the node
    std::uint64_t needed_ = 0;
    bool materializes_ = true;
};

}  // namespace autograd

inline any_tensor autograd::context::saved(int i) const {
    if (i < 0 || i >= saved_count())
        throw autograd_error(core::concat("gradus::autograd::context::saved(", i, "): ", saved_count(), " tensors were saved").str());
    if (!node_) return any_tensor(kept_[i]);
    core::saved_tensor const& was = node_->saved_as[i];
    core::edge from;
    if (was.output >= 0) from = {core::node_ref::sharing(node_), {}, was.output};
    else if (was.input >= 0) from = node_->edges[static_cast<std::size_t>(was.input)];
    core::saved_value const& v = values_[i];
    if (v.memory && v.memory->written_times() != v.version) core::refuse_modified(*node_, v, from, was.described());
    return any_tensor(was.with(v, from));
}

namespace core {

[[noreturn, gnu::cold]] inline void refuse_twice(tape_node&, backward_call&) {
    throw autograd_error("trying to differentiate twice a function that was marked with once_differentiable");
}
inline constexpr node_kind twice_kind{"Error", &refuse_twice, &node_block<>::destroy};

/// What calls of all functions have in common.
struct function_access {
    using context = autograd::context;

    static bool has(list<tensor_ref> const& in, tensor_ref const& t) {
        for (tensor_ref const& each : in)
            if (each.get() == t.get()) return true;
        return false;
    }
    static int place_of(array_view<tensor_ref const> all, tensor_ref const& t) {
        for (std::size_t i = 0; i < all.size(); ++i)
            if (t && all[i].get() == t.get()) return static_cast<int>(i);
        return -1;
    }
    static void need(context& ctx, int argument) { ctx.needed_ |= std::uint64_t{1} << argument; }

    /// Enters a call into the tape. Results that are operands, or had a history, become other handles of the same elements.
    static void enter(node_kind const& kind, context& ctx, array_view<tensor_ref const> in, array_view<tensor_ref> out, bool records,
                      std::source_location where) {
        for (tensor_ref const& t : ctx.dirty_) {
            if (place_of(in, t) < 0) throw autograd_error("gradus::autograd::context::mark_dirty(t): t is no operand of forward");
            if (records && t->requires_grad && !t->node)
                throw autograd_error("a leaf Variable that requires grad is being used in an in-place operation.");
            if (records && t->extras && t->extras->is_view)
                throw autograd_error("gradus::autograd::context::mark_dirty(t): t is a view: return a tensor of its own");
            t->memory->written();
        }
        list<tensor_ref> returned;
        for (std::size_t j = 0; j < out.size(); ++j) {
            bool const repeated = place_of(out.part(0, j), out[j]) >= 0;
            returned.push_back(out[j]);
            if (out[j] && (repeated || (!has(ctx.dirty_, out[j]) && (place_of(in, out[j]) >= 0 || out[j]->is_recorded()))))
                out[j] = detached(*out[j]);
        }
        if (!records) return;
        function_node* n = node_block<function_node>::make(kind, in.size(), static_cast<std::size_t>(ctx.kept_.size()), 0);
        node_ref const made(n);
        n->results = static_cast<std::uint16_t>(out.size());
        n->file = where.line() ? where.file_name() : nullptr;
        n->line = where.line();
        n->data = std::move(ctx.data_);
        n->materializes = ctx.materializes_;
        for (std::size_t i = 0; i < in.size(); ++i) {
            n->inputs.push_back(in[i] ? in[i]->described() : tensor_type{});
            if (in[i] && is_floating(in[i]->type)) n->connect(i, edge_of(in[i]));
        }
        n->saved_as = list<saved_tensor>(ctx.kept_.size());
        for (int i = 0; i < ctx.kept_.size(); ++i) {
            tensor_ref const& t = ctx.kept_[i];
            if (!t) continue;
            n->save(static_cast<std::size_t>(i), *t);
            n->saved_as[i] = saved_tensor(*t);
            if (!has(ctx.dirty_, t)) n->saved_as[i].input = static_cast<std::int16_t>(place_of(in, t));
            if (!has(ctx.constants_, t)) n->saved_as[i].output = static_cast<std::int16_t>(place_of({returned.begin(), out.size()}, t));
        }
        auto const is_computed = [&](std::size_t j) {
            return out[j] && is_floating(out[j]->type) && !has(ctx.constants_, returned[static_cast<int>(j)]);
        };
        for (std::size_t j = 0; j < out.size(); ++j) {
            n->outputs.push_back(out[j] ? out[j]->described() : tensor_type{});
            if (is_computed(j)) prepare_history(*out[j], made);
        }
        for (std::size_t j = 0; j < out.size(); ++j)  // nothing throws any more
            if (is_computed(j)) set_history(*out[j], made, static_cast<std::int32_t>(j));
    }

    /// Prepares a call of backward.
    static void open(context& ctx, function_node& n) {
        with_saved_values(n, [&] {
            if (n.released) refuse_released(n);
            ctx.node_ = &n;
            ctx.materializes_ = n.materializes;
            for (saved_value const& s : n.saved) ctx.values_.push_back(s);
        });
    }
    static tensor_ref cotangent(function_node const& n, backward_call const& call, std::size_t j) {
        if (call.cotangents[j] || !n.materializes) return call.cotangents[j];
        tensor_type const& type = n.outputs[static_cast<int>(j)];
        std::int64_t extents[max_rank]{};
        for (int axis = 0; axis < type.shape.rank(); ++axis) extents[axis] = type.shape[axis].code;
        return zeros_like(type.type, type.shape.rank(), extents);
    }
    static void accept(function_node const& n, backward_call& call, std::size_t k, tensor_ref g) {
        if (!g) return;
        if (!(g->described() == n.inputs[static_cast<int>(k)]))
            throw autograd_error(concat("Function ", n.kind->name, " returned an invalid gradient at index ", static_cast<std::int64_t>(k),
                                        " - got ", g->described(), " but expected shape compatible with ", n.inputs[static_cast<int>(k)])
                                     .str());
        if (!g->is_contiguous()) g = clone_of(g, std::source_location::current());
        if (!call.recorder && g->is_recorded()) g = detached(*g);
        call.gradients[k] = std::move(g);
    }
    /// Gradients whose own derivative is not known lead to an error.
    static void end_here(function_node const& n, backward_call& call) {
        tape_node* end = node_block<>::make(twice_kind, n.edges.size() + call.cotangents.size(), 0, 0);
        node_ref const made(end);
        end->results = static_cast<std::uint16_t>(n.edges.size());
        end->file = n.file;
        end->line = n.line;
        std::size_t next = 0;
        for (edge const& e : n.edges) end->connect(next++, e);
        for (tensor_ref const& c : call.cotangents) end->connect(next++, c ? edge_of(c) : edge{});
        for (std::size_t k = 0; k < n.edges.size(); ++k) {
            if (!call.gradients[k]) continue;
            call.gradients[k] = detached(*call.gradients[k]);
            call.gradients[k]->node = made;
            call.gradients[k]->output = static_cast<std::int32_t>(k);
        }
    }
};

}  // namespace core
}  // namespace gradus::inline GRADUS_ARCH
