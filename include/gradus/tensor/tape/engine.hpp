// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/target.hpp>
#include <gradus/tensor/tape/accumulate.hpp>
#include <gradus/tensor/tape/anomaly.hpp>
#include <gradus/tensor/tape/stack.hpp>
#include <gradus/tensor/tape/unselected.hpp>

// The backward pass over the tape. Nothing here recurses and nothing is global: several threads may run it over shared
// nodes and leaves. Until everything is computed and all memory is there, nothing that others see changes: a pass that throws
// leaves gradients and graph as they were.

namespace gradus::inline GRADUS_ARCH::core {

/// Calls a hook; what it puts in the place of zeros that a condition has made is marked like those.
inline void run_hook(hook_call const& call, array_view<tensor_ref> changed, array_view<tensor_ref const> seen = {}) {
    bool marked = false;
    for (tensor_ref const& t : changed) marked = marked || (t && t->may_be_unselected);
    call(changed, seen);
    if (!marked) return;
    for (tensor_ref const& t : changed)
        if (t && !t->may_be_unselected) t->may_be_unselected = true;
}
inline void run_hooks(list<hook> const& hooks, array_view<tensor_ref> changed, array_view<tensor_ref const> seen = {}) {
    for (int i = 0; i < hooks.size(); ++i)  // by number: a hook may add another
        if (hook_call const call = hooks[i].function->call) run_hook(call, changed, seen);
}

/// Refused: what a node had saved went with an earlier backward pass.
[[noreturn, gnu::cold]] inline void refuse_released(tape_node const& n) {
    throw autograd_error(concat("Trying to backward through the graph a second time (or directly access saved tensors after they have "
                                "already been freed). Saved intermediate values of the graph "
                                "are freed when you call .backward() or autograd::grad(). Specify retain_graph=true if you need to "
                                "backward through the graph a second time or if you need to "
                                "access saved tensors after calling backward. The node is ",
                                n.kind->name)
                             .str());
}
/// Calls f while it holds a node's lock and the node's saved values are there. What was dropped is computed again without the
/// lock; another pass may drop it once more before the lock is taken, and so this is a loop.
void with_saved_values(tape_node& n, auto const& f) {
    for (;;) {
        ref<recomputation> from;
        {
            locked held(n.lock);
            if (!n.extras || !n.extras->is_dropped) return f();
            from = n.extras->dropped;
        }
        from->restore(n, n.extras->number);
    }
}

/// One backward pass.
class backward_pass {
public:
    struct options {
        bool retain = false;
        void (*recorder)(tape_node&, backward_call&) = nullptr;
    };
    explicit backward_pass(options o) : options_(o) {}

    /// Collects derivatives for these edges only, instead of adding to leaves.
    void only_for(array_view<edge const> targets) {
        restricted_ = true;
        for (edge const& e : targets) targets_.push_back(e);
        captured_ = list<tensor_ref>(static_cast<int>(targets.size()));
    }
    list<tensor_ref>& captured() { return captured_; }
    /// Adds to the gradient of a tensor when the pass has succeeded.
    void add_to(tensor_ref const& t, tensor_ref gradient) {
        rest_.make().kept.push_back(t);
        arrived_.add(t.get(), std::move(gradient), options_.recorder);
    }

    void start(edge root, tensor_ref gradient) {
        if (restricted_) find_needed(root.node.get());
        deliver(root, std::move(gradient));
        if (first_root_) more_roots_.push_back(std::move(root));
        else first_root_ = std::move(root);
    }
    /// Computes, calls `check()`, which may throw, and then changes what the pass is about.
    void run(auto const& check) {
        mode_guard<int, &thread_work::passes, thread_work> inner(running.passes + 1);
        auto const all = [&] {
            run_here();
            check();
            commit();
        };
        if (running.passes % target::passes_per_stack == 0) call_on_another_stack(all);
        else all();
    }

private:
    void run_here() {
        mode_guard<bool, &thread_modes::records> mode(options_.recorder != nullptr);
        has_begun_ = true;
        while (deepest_) {
            entry next = take();
            if (next.leaf) finish_leaf(next);
            else execute(next);
        }
    }

    /// Nothing throws after `prepare` but hooks of the user's, which are called when all the rest is done.
    void commit() {
        arrived_.prepare(options_.recorder);
        arrived_.commit(options_.recorder);
        for (int i = 0; i < done_count_; ++i) release(*done_[i]);
        if (!rest_) return;
        for (tape_node* n : rest_->done) release(*n);
        mode_guard<bool, &thread_modes::records> mode(false);
        for (tensor_ref& leaf : rest_->kept)
            if (leaf->extras && !leaf->node) run_hooks(leaf->extras->after_accumulation, {&leaf, 1});
    }

    struct visited {
        tape_node* node;
        bool needed;
    };
    /// A derivative that has arrived at a result of a node, or at a leaf. The roots own what it points to.
    struct entry {
        tape_node* node = nullptr;
        tensor_state* leaf = nullptr;
        std::int32_t output = 0;
        std::int32_t last_use = 0;  ///< of a leaf: the depth of the last node that adds to it, where anybody asks
        tensor_ref gradient;

        entry() = default;
        entry(edge const& to, tensor_ref g) : node(to.node.get()), leaf(to.leaf.get()), output(to.output), gradient(std::move(g)) {}
        explicit operator bool() const { return static_cast<bool>(gradient); }
        std::int32_t depth() const { return node ? node->depth : last_use; }
        void const* object() const { return node ? static_cast<void const*>(node) : leaf; }
        edge target() const { return {node_ref::sharing(node), tensor_ref::sharing(leaf), output}; }
    };
    /// The deepest node is next, and with it everything that arrives at it: all its derivatives are there when it is taken,
    /// as edges lead to lesser depths only. A leaf comes after the nodes of its depth.
    static bool before(entry const& a, entry const& b) {
        if (a.depth() != b.depth()) return a.depth() < b.depth();
        if (!a.node != !b.node) return !a.node;
        if (a.object() != b.object()) return reinterpret_cast<std::uintptr_t>(a.object()) < reinterpret_cast<std::uintptr_t>(b.object());
        return a.output < b.output;
    }

    /// Where in a sorted list the elements end that come before.
    template <class T>
    static int place_in(list<T> const& sorted, auto comes_before) {
        int low = 0, high = sorted.size();
        while (low < high) {
            int const middle = low + (high - low) / 2;
            if (comes_before(sorted[middle])) low = middle + 1;
            else high = middle;
        }
        return low;
    }
    entry take() {
        entry next = std::move(deepest_);
        if (!others_.empty()) {
            deepest_ = std::move(others_.back());
            others_.pop_back();
        }
        return next;
    }
    void deliver(edge const& to, tensor_ref gradient) {
        if (!gradient) return;
        if (restricted_ && !is_wanted(to)) return;
        if (to.leaf && !restricted_ && !to.leaf->extras) return arrived_.add(to.leaf.get(), std::move(gradient), options_.recorder);
        entry arriving(to, std::move(gradient));
        if (to.leaf && to.leaf->extras && !to.leaf->extras->on_arrival.empty()) arriving.last_use = last_use_of(to.leaf.get());
        if (!deepest_) {
            deepest_ = std::move(arriving);
        } else if (before(deepest_, arriving)) {
            others_.push_back(std::move(deepest_));
            deepest_ = std::move(arriving);
        } else if (!before(arriving, deepest_)) {
            accumulate(deepest_.gradient, std::move(arriving.gradient), options_.recorder);
        } else {
            int const at = place_in(others_, [&](entry const& e) { return before(e, arriving); });
            if (at < others_.size() && !before(arriving, others_[at]))
                accumulate(others_[at].gradient, std::move(arriving.gradient), options_.recorder);
            else others_.insert(at, std::move(arriving));
        }
    }

    void finish_leaf(entry& e) {
        tensor_ref leaf = tensor_ref::sharing(e.leaf);
        if (leaf->extras) run_hooks(leaf->extras->hooks, {&e.gradient, 1});
        if (restricted_) return capture(e.target(), e.gradient);
        if (leaf->extras) run_hooks(leaf->extras->on_arrival, {&e.gradient, 1});
        add_to(leaf, std::move(e.gradient));
    }

    void execute(entry& first) {
        tape_node& n = *first.node;
        tensor_ref one;
        list<tensor_ref> many;
        if (n.results == 1) one = std::move(first.gradient);
        else {
            many = list<tensor_ref>(n.results);
            many[first.output] = std::move(first.gradient);
            while (deepest_ && deepest_.node == &n) {
                entry more = take();
                many[more.output] = std::move(more.gradient);
            }
        }
        backward_call call{n.results == 1 ? array_view(&one, 1) : array_view(many.begin(), many.end()), {}, 0, options_.recorder};
        bool const is_seen = n.extras || n.kind->runs_user_code;  // by code that may write to it through a pointer
        auto const forget_uniform = [&](array_view<tensor_ref> all) {
            for (tensor_ref const& t : all)
                if (is_seen && t) t->is_uniform = false;
        };
        forget_uniform(call.cotangents);
        if (n.extras) observe(n, call);
        if (restricted_) {
            for (std::size_t j = 0; j < call.cotangents.size(); ++j)
                if (call.cotangents[j]) capture({node_ref::sharing(&n), {}, static_cast<std::int32_t>(j)}, call.cotangents[j]);
        }
        tensor_ref few[8];
        list<tensor_ref> more;
        if (n.edges.size() > 8) more = list<tensor_ref>(static_cast<int>(n.edges.size()));
        call.gradients = n.edges.size() > 8 ? array_view(more.begin(), more.end()) : array_view(few, n.edges.size());
        for (std::size_t i = 0; i < n.edges.size() && i < 64; ++i)
            if (n.edges[i] && (!restricted_ || is_wanted(n.edges[i]))) call.wanted |= std::uint64_t{1} << i;
        if (call.wanted == 0 && n.edges.size() <= 64) return;  // there are bits for 64
        if (!modes.anomaly) compute(n, call);
        else {
            try {
                compute(n, call);
            } catch (...) {
                warn(concat("Error detected in ", n.kind->name,
                            ". Traceback of forward call that caused the error: ", place_of_statement(n)));
                throw;
            }
        }
        hand_on_unselected(call, n.kind->runs_user_code);
        forget_uniform(call.gradients);
        if (n.extras) run_hooks(n.extras->after, call.gradients, call.cotangents);
        if (modes.anomaly) look_for_nan(n, call);
        for (tensor_ref& arrived : call.cotangents) arrived = {};  // what is handed on as it is has one owner then
        for (std::size_t i = 0; i < n.edges.size(); ++i)
            if (n.edges[i]) deliver(n.edges[i], std::move(call.gradients[i]));
    }
    /// Runs a node's backward pass. It is the node's alone meanwhile, as its saved values go when it is done; the user's code
    /// has handles of its own of what it reads, and may come back to the node.
    void compute(tape_node& n, backward_call& call) {
        if (n.kind->runs_user_code) {
            n.kind->backward(n, call);
            locked held(n.lock);
            return note_done(n);
        }
        with_saved_values(n, [&] {
            if (n.released) refuse_released(n);
            if (options_.recorder && n.kind->describe) options_.recorder(n, call);
            else n.kind->backward(n, call);
            note_done(n);
        });
    }
    /// Remembers that a node's saved values go when the pass has succeeded. Those that can be computed again go at once.
    void note_done(tape_node& n) {
        if (options_.retain || n.saved.empty()) return;
        if (done_count_ < few_done) done_[done_count_++] = &n;
        else rest_.make().done.push_back(&n);
        if (!n.extras || !n.extras->dropped) return;
        drop(n.saved);
        n.extras->is_dropped = true;
    }
    void observe(tape_node& n, backward_call& call) {
        for (int i = 0; i < n.extras->hooks.size(); ++i) {
            hook const h = n.extras->hooks[i];
            array_view<tensor_ref> const arrived = call.cotangents.part(static_cast<std::size_t>(h.output), 1);
            if (hook_call const f = h.function->call; f && arrived[0]) run_hook(f, arrived);
        }
        run_hooks(n.extras->before, call.cotangents);
        list<tensor_ref> retaining;
        {
            locked held(n.lock);  // a result that ends on another thread takes itself out of the list before it does
            for (tensor_state* result : n.extras->retaining)
                if (result->owned.add_if_alive()) retaining.push_back(tensor_ref(result));
        }
        for (tensor_ref const& result : retaining)
            if (tensor_ref const& arrived = call.cotangents[static_cast<std::size_t>(result->output)]) add_to(result, arrived);
    }

    static void release(tape_node& n) {
        ref<recomputation> gone;  // ends after the lock
        locked held(n.lock);
        if (n.extras && n.extras->dropped) {
            n.released = true;
            n.extras->is_dropped = false;
            exchange(gone, n.extras->dropped);
        }
        for (saved_value& s : n.saved) {
            if (!s.memory) continue;
            n.released = true;
            s.memory = {};
        }
    }
    // ---- derivatives for some edges only

    void capture(edge const& at, tensor_ref const& gradient) {
        for (int i = 0; i < targets_.size(); ++i)
            if (targets_[i] == at) captured_[i] = gradient;
    }
    bool is_target(edge const& e) const { return targets_.contains(e); }
    bool is_wanted(edge const& e) const {
        if (is_target(e)) return true;
        if (!e.node) return false;
        int const at = place_of(e.node.get());
        return at < reached_.size() && reached_[at].node == e.node.get() && reached_[at].needed;
    }
    int place_of(tape_node const* n) const {
        return place_in(reached_, [n](visited const& v) { return deeper(v, n); });
    }
    static bool deeper(visited const& a, tape_node const* n) {
        return a.node->depth != n->depth ? a.node->depth > n->depth
                                         : reinterpret_cast<std::uintptr_t>(a.node) < reinterpret_cast<std::uintptr_t>(n);
    }
    /// Visits what lies behind a root, deepest first.
    void visit(tape_node* root) {
        auto reach = [this](tape_node* n) {
            int const at = place_of(n);
            if (at == reached_.size() || reached_[at].node != n) reached_.insert(at, {n, false});
        };
        if (root) reach(root);
        for (int i = 0; i < reached_.size(); ++i) {
            tape_node* const n = reached_[i].node;
            for (edge const& e : n->edges)
                if (e.node) reach(e.node.get());
        }
    }
    /// The depth of the last node of this pass that may add to the gradient of a leaf: the least; 0 if the leaf is a root.
    std::int32_t last_use_of(tensor_state const* leaf) {
        if (restricted_ || !has_begun_) return 0;
        list<last_use>& uses = rest_.make().uses;
        auto note = [&uses](edge const& e, std::int32_t depth) {
            if (!e.leaf || !e.leaf->extras || e.leaf->extras->on_arrival.empty()) return;
            int const at = place_in(uses, [&e](last_use const& u) { return u.leaf < e.leaf.get(); });
            if (at == uses.size() || uses[at].leaf != e.leaf.get()) uses.insert(at, {e.leaf.get(), depth});
            else if (depth < uses[at].depth) uses[at].depth = depth;
        };
        if (uses.empty()) {
            for (int r = 0; r <= more_roots_.size(); ++r) {
                edge const& root = r ? more_roots_[r - 1] : first_root_;
                visit(root.node.get());
                note(root, 0);
            }
            for (visited const& v : reached_)
                for (edge const& e : v.node->edges) note(e, v.node->depth);
        }
        int const at = place_in(uses, [leaf](last_use const& u) { return u.leaf < leaf; });
        return at < uses.size() && uses[at].leaf == leaf ? uses[at].depth : 0;
    }
    /// Marks the nodes behind a root from which a target is reached.
    void find_needed(tape_node* root) {
        visit(root);
        for (int i = reached_.size(); i-- > 0;)
            for (edge const& e : reached_[i].node->edges) reached_[i].needed = reached_[i].needed || (e && is_wanted(e));
    }

    options options_;
    entry deepest_;  ///< the frontier: what is next, apart, so that a chain needs no list
    list<entry> others_;
    edge first_root_;
    list<edge> more_roots_;
    pending_gradients arrived_;
    static constexpr int few_done = 8;
    tape_node* done_[few_done];  ///< whose saved values the pass lets go in the end
    int done_count_ = 0;
    struct last_use {
        tensor_state const* leaf;
        std::int32_t depth;
    };
    struct changes {
        list<last_use> uses;    ///< of leaves whose gradients somebody waits for; found when the first arrives
        list<tape_node*> done;  ///< the others
        list<tensor_ref> kept;  ///< tensors with hooks, and what no edge owns, that gradients have arrived at
    };
    own<changes> rest_;
    bool restricted_ = false, has_begun_ = false;
    list<edge> targets_;
    list<tensor_ref> captured_;
    list<visited> reached_;
};

}  // namespace gradus::inline GRADUS_ARCH::core
