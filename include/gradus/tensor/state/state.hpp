// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/array_view.hpp>
#include <gradus/core/error.hpp>
#include <gradus/core/shape.hpp>
#include <gradus/graph/graph.hpp>
#include <gradus/tensor/state/mode.hpp>
#include <gradus/tensor/state/storage.hpp>

#include <cstring>
#include <limits>

// What a tensor handle points to, and the nodes of the tape. Neither knows element types at compile time: kernels do.

namespace gradus::inline GRADUS_ARCH::core {

struct tape_node;
struct tensor_state;
void dispose(tensor_state*);
void dispose(tape_node*);

using tensor_ref = ref<tensor_state>;
using node_ref = ref<tape_node>;
/// A user's function on gradients, which it may replace; those after a node also see the derivatives that arrived there.
using hook_call = callback<array_view<tensor_ref>, array_view<tensor_ref const>>;
/// Shared by the list that runs it and the handle that removes it, which empties it.
struct hook_function {
    owners owned;
    hook_call call;
    friend void dispose(hook_function* f) { delete f; }
};
struct hook {
    std::int32_t output = 0;
    ref<hook_function> function;
};

/// How a view came to be, as far as writing to it is concerned.
enum class view_origin : std::uint8_t { recording, no_grad, several };

/// What was picked by indices, and by which: what is assigned to `x[indices]` goes there.
struct index_source {
    tensor_ref whole, indices;
    int axis = 0, taken_as_one = 1;  ///< the axes that the indices are about
};

/// What few tensors have: hooks, a place in another tensor's memory.
struct tensor_extras {
    list<hook> hooks;                  ///< on the gradient of a leaf
    list<hook> on_arrival;             ///< are shown the gradient of a leaf as soon as it is complete
    list<hook> after_accumulation;     ///< are given the leaf
    tensor_ref base;                   ///< of a view: whose memory it shows
    std::int64_t strides[max_rank]{};  ///< of a view, in elements
    std::uint32_t seen = 0;            ///< of a view: the memory's version that its history is about
    view_origin origin = view_origin::recording;
    bool is_view = false;
    bool is_contiguous = true;
    own<index_source> picked_from;
};
void renew(tensor_state const&);  // tensor/tape/region.hpp

/// The state that all handles of one tensor share.
struct tensor_state {
    owners owned;
    dtype type = dtype::float32;
    std::int8_t rank = 0;
    bool requires_grad = false;  ///< of a leaf; what is computed requires it if it has a node
    bool retains_grad = false;
    bool may_be_unselected = false;  ///< of a cotangent: zeros in it may come from conditions, behind which no rule matters
    bool is_uniform = false;         ///< of a cotangent: one number in all places, as long as nothing was written to its memory
    spin_lock lock;                  ///< while `grad` is replaced or added to
    std::uint16_t turns = 0;         ///< how often detach_ has taken its history
    std::int32_t output = 0;         ///< which result of `node` this is
    std::int64_t extents[max_rank]{};
    std::byte* data = nullptr;
    ref<storage> memory;
    node_ref node;  ///< what computed it, if that was recorded
    tensor_ref grad;
    own<tensor_extras> extras;
    tensor_state* next_dying = nullptr;
    storage* beside = nullptr;  ///< what it was allocated with

    bool is_recorded() const {
        update_history();
        return requires_grad || static_cast<bool>(node);
    }
    /// A view whose memory was written to through another handle has another history from then on.
    [[gnu::always_inline]] void update_history() const {
        if (extras) update_history_of_view();
    }
    [[gnu::noinline]] void update_history_of_view() const {
        if (extras->base && __atomic_load_n(&extras->seen, __ATOMIC_ACQUIRE) != memory->written_times()) renew(*this);
    }
    std::int64_t size() const {
        std::int64_t product = 1;
        for (int i = 0; i < rank; ++i)
            if (extents[i] == 0) return 0;  // the others may be of any size
        for (int i = 0; i < rank; ++i) product *= extents[i];
        return product;
    }
    std::int64_t bytes() const { return size() * size_of(type); }
    bool is_contiguous() const { return !extras || extras->is_contiguous; }
    std::int64_t stride(int axis) const {
        if (extras && extras->is_view) return extras->strides[axis];
        std::int64_t step = 1;
        for (int i = axis + 1; i < rank; ++i) step *= extents[i];
        return step;
    }
    gradus::shape shape() const {
        gradus::shape s;
        for (int i = 0; i < rank; ++i) s.push_back(extents[i]);
        return s;
    }
    tensor_type described() const { return {type, shape()}; }
    tensor_extras& more() { return extras.make(); }
};

/// What was picked by indices has a name from now on: what is assigned to it stays with it.
inline void take_source(tensor_state& t, own<index_source>& source) {
    if (!t.extras) return;
    locked held(t.lock);
    source.swap(t.extras->picked_from);
}
inline void forget_source(tensor_state& t) {
    own<index_source> gone;  // ends after the lock
    take_source(t, gone);
}
[[noreturn, gnu::cold]] inline void refuse_undefined() {
    throw error("gradus: a tensor is undefined (it was declared without a value, or is the gradient of a tensor that has none)");
}
[[noreturn, gnu::cold]] inline void refuse_size(shape const& s) { throw shape_error(concat("gradus: too many elements: ", s).str()); }
/// A tensor of its own memory, its elements not yet written: state and elements are one allocation.
inline tensor_ref make_state(dtype type, int rank, std::int64_t const* extents, std::int64_t bytes) {
    constexpr std::size_t room = (sizeof(tensor_state) + alignof(storage) - 1) / alignof(storage) * alignof(storage);
    storage* const memory = allocate_storage<room>(bytes);
    memory->parts.add();
    auto* made = new (memory->allocation) tensor_state;
    made->type = type;
    made->rank = static_cast<std::int8_t>(rank);
    for (int i = 0; i < rank; ++i) made->extents[i] = extents[i];
    made->memory = ref<storage>(memory);
    made->data = memory->data;
    made->beside = memory;
    return tensor_ref(made);
}
inline tensor_ref make_state(dtype type, int rank, std::int64_t const* extents) {
    std::int64_t bytes = size_of(type);
    bool overflows = false;
    for (int i = 0; i < rank; ++i) overflows = __builtin_mul_overflow(bytes, extents[i], &bytes) || overflows;
    if (overflows) {
        shape s;
        for (int i = 0; i < rank; ++i) s.push_back(extents[i]);
        if (s.is_too_large()) refuse_size(s);
        bytes = 0;  // one extent is
    }
    return make_state(type, rank, extents, bytes);
}
inline tensor_ref zeros_like(dtype type, int rank, std::int64_t const* extents) {
    tensor_ref made = make_state(type, rank, extents);
    std::memset(made->data, 0, static_cast<std::size_t>(made->bytes()));
    return made;
}
inline void end_state(tensor_state* t) {
    storage* const beside = t->beside;
    if (!beside) return delete t;
    t->~tensor_state();
    end_part(beside);
}
/// The same elements and the same memory, without history.
inline tensor_ref detached(tensor_state const& t) {
    tensor_ref made(new tensor_state);
    made->type = t.type;
    made->rank = t.rank;
    for (int i = 0; i < t.rank; ++i) made->extents[i] = t.extents[i];
    made->memory = t.memory;
    made->data = t.data;
    if (t.extras && t.extras->is_view) {
        tensor_extras& more = made->more();
        more.is_view = true;
        more.is_contiguous = t.extras->is_contiguous;
        for (int i = 0; i < t.rank; ++i) more.strides[i] = t.extras->strides[i];
    }
    return made;
}

/// Where the derivative with respect to an operand goes: to the result `output` of a node, or into the gradient of a leaf.
struct edge {
    node_ref node;
    tensor_ref leaf;
    std::int32_t output = 0;

    edge() = default;
    edge(node_ref to, tensor_ref into, std::int32_t number) : node(std::move(to)), leaf(std::move(into)), output(number) {}
    edge(edge const&) = default;
    edge(edge&&) noexcept = default;
    edge& operator=(edge const&) = default;
    edge& operator=(edge&&) noexcept = default;
    [[gnu::always_inline]] ~edge() = default;

    explicit operator bool() const { return node || leaf; }
    bool operator==(edge const& that) const {
        return node.get() == that.node.get() && leaf.get() == that.leaf.get() && output == that.output;
    }
};
/// Where derivatives with respect to this tensor go; nowhere if it has no need of them.
[[gnu::always_inline]] inline edge edge_of(tensor_ref const& t) {
    t->update_history();
    if (t->node) return {t->node, {}, t->output};
    if (t->requires_grad) return {{}, t, 0};
    return {};
}

/// A value that a backward pass will read: memory, and how often it had been written to; or a number, kept here.
struct saved_value {
    ref<storage> memory;
    std::byte* data = nullptr;
    std::uint32_t version = 0;
    bool is_number = false;
    double number = 0;  ///< its first bytes hold a number of any type

    void const* elements() const { return data ? static_cast<void const*>(data) : &number; }
};

/// How a node was entered: which of its results have a derivative, and which of its edges want one.
struct backward_call {
    array_view<tensor_ref> cotangents;                       ///< per result; null where nothing depends on it
    array_view<tensor_ref> gradients;                        ///< per edge, to be filled where wanted
    std::uint64_t wanted = 0;                                ///< a bit per edge (all where there are more than 64)
    void (*recorder)(tape_node&, backward_call&) = nullptr;  ///< create_graph: records what the backward pass computes

    bool wants(std::size_t edge) const { return edge >= 64 || (wanted >> edge & 1); }
};

/// What nodes of one origin share.
struct node_kind {
    std::string_view name;  ///< as PyTorch has it: AddBackward0
    void (*backward)(tape_node&, backward_call&);
    void (*destroy)(tape_node*);                      ///< ends the object that the node is part of
    graph (*describe)() = nullptr;                    ///< the graph of the whole recorded expression, for printing
    op_info const* const* (*operations)() = nullptr;  ///< operations of the user's in that graph, with their rules; ends with null
    bool runs_user_code = false;  ///< `backward` may run backward passes of its own: it is called without the node's lock
    bool is_derived = false;      ///< of tensor/tape/second_order.hpp; libraries may have a kind each, so that its address says nothing
};

/// Values that were dropped when they had been saved, and are computed again when they are read (tensor/autograd/checkpoint.hpp).
struct recomputation {
    owners owned;
    virtual ~recomputation() = default;
    /// Puts the values back of what was number `number`.
    virtual void restore(tape_node&, int number) = 0;
    friend void dispose(recomputation* r) { delete r; }
};
/// Sees the nodes that a thread records, each when it is made: what it saves is not there yet.
struct node_watcher {
    virtual void made(tape_node&) = 0;
    /// The same for what drops values of nodes, when it has done so: it has saved values too.
    virtual void made(recomputation&) = 0;

protected:
    ~node_watcher() = default;
};

/// What few nodes have.
struct node_extras {
    list<hook> hooks;               ///< on the derivative that arrives at one result
    list<hook> before, after;       ///< on all that arrive; on all that leave
    list<tensor_state*> retaining;  ///< results that keep their derivative; they take themselves out when they go

    ref<recomputation> dropped;  ///< what computes again what the node had saved
    int number = 0;              ///< of the node, there
    bool is_dropped = false;     ///< it has to: nothing is saved here

    void stop_retaining(tensor_state const* t) {
        retaining.remove_if([t](tensor_state* other) { return other == t; });
    }
};

/// One recorded statement: what to do when the derivatives of its results are known.
struct tape_node {
    owners owned;
    std::int32_t depth = 0;  ///< 1 + that of the deepest node behind its edges: the order of the backward pass
    node_kind const* kind = nullptr;
    std::uint16_t results = 1;
    bool released = false;  ///< what it had saved is gone
    spin_lock lock;         ///< while it runs
    array_view<edge> edges;
    array_view<saved_value> saved;
    array_view<std::int64_t> dimensions;
    char const* file = nullptr;  ///< where the statement stands
    std::uint32_t line = 0;
    own<node_extras> extras;
    tape_node* next_dying = nullptr;

    node_extras& more() { return extras.make(); }
    void connect(std::size_t i, edge&& e) {
        if (e.node && e.node->depth >= depth) depth = e.node->depth + 1;
        edges[i] = std::move(e);
    }
    void connect(std::size_t i, edge const& e) { connect(i, edge(e)); }
    void save(std::size_t i, tensor_state const& t) {
        saved[i].memory = t.memory;
        saved[i].data = t.data;
        saved[i].version = t.memory->written_times();
    }
    bool has_saved() const {
        for (saved_value const& s : saved)
            if (s.memory) return true;
        return false;
    }
};

/// Without memory, but with the version that it had.
inline void drop(array_view<saved_value> saved) {
    for (saved_value& s : saved) s.memory = {};
}

/// Objects that are let go while another is destroyed wait here for their turn, so that chains of any length end without
/// recursion.
struct graveyard {
    tape_node* nodes = nullptr;
    tensor_state* tensors = nullptr;

    void empty() {
        while (nodes || tensors) {
            if (tape_node* n = nodes) {
                nodes = n->next_dying;
                n->kind->destroy(n);
            } else {
                tensor_state* t = tensors;
                tensors = t->next_dying;
                if (t->retains_grad && t->node && t->node->extras) {
                    locked held(t->node->lock);  // a backward pass of another thread may be there
                    t->node->extras->stop_retaining(t);
                }
                end_state(t);
            }
        }
    }
};
template <class T>
void bury(T* object, T* graveyard::* list) {
    if (running.dying) {
        object->next_dying = running.dying->*list;
        running.dying->*list = object;
        return;
    }
    graveyard here;
    here.*list = object;
    running.dying = &here;
    here.empty();
    running.dying = nullptr;
}
[[gnu::noinline]] inline void dispose(tensor_state* t) { bury(t, &graveyard::tensors); }
[[gnu::noinline]] inline void dispose(tape_node* n) { bury(n, &graveyard::nodes); }

[[gnu::noinline]] inline void tell_watcher(tape_node& n) {
    node_ref owner(&n);  // until it is accepted
    running.watcher->made(n);
    owner.release();
}

/// A node with room for its parts in one allocation.
template <class Node = tape_node>
struct node_block {
    static void destroy(tape_node* n) {
        auto* whole = static_cast<Node*>(n);
        for (edge& e : n->edges) e.~edge();
        for (saved_value& s : n->saved) s.~saved_value();
        whole->~Node();
        ::operator delete(whole);
    }
    template <class... A>
    static Node* make(node_kind const& kind, std::size_t edges, std::size_t saved, std::size_t dimensions, A&&... arguments) {
        static_assert(alignof(Node) <= alignof(std::max_align_t));
        constexpr std::size_t head = (sizeof(Node) + 15) / 16 * 16;
        auto* memory = static_cast<std::byte*>(
            ::operator new(head + edges * sizeof(edge) + saved * sizeof(saved_value) + dimensions * sizeof(std::int64_t)));
        auto* n = new (memory) Node(std::forward<A>(arguments)...);
        auto* e = reinterpret_cast<edge*>(memory + head);
        auto* s = reinterpret_cast<saved_value*>(e + edges);
        for (std::size_t i = 0; i < edges; ++i) new (e + i) edge;
        for (std::size_t i = 0; i < saved; ++i) new (s + i) saved_value;
        n->edges = {e, edges};
        n->saved = {s, saved};
        n->dimensions = {reinterpret_cast<std::int64_t*>(s + saved), dimensions};
        n->kind = &kind;
        n->depth = 1;
        if (running.watcher) tell_watcher(*n);
        return n;
    }
};

}  // namespace gradus::inline GRADUS_ARCH::core
