// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/kernel/simd.hpp>
#include <gradus/tensor/view.hpp>

// The backward pass over the tape. Nothing here recurses and nothing is global: several threads may run it over shared
// nodes and leaves.

// g++ takes names in an instantiated lambda for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

namespace gradus::core {

/// to += from, elementwise, both contiguous.
template <class T>
void add_elements(T* to, T const* from, std::int64_t n) {
    constexpr int W = simd::native_width<T>;
    std::int64_t i = 0;
    for (; i + W <= n; i += W) simd::store<T, W>(to + i, simd::load<T, W>(to + i) + simd::load<T, W>(from + i));
    for (; i < n; ++i) to[i] += from[i];
}
inline void add_in_place(tensor_state& to, tensor_state const& from) {
    if (to.type == dtype::float32) add_elements(reinterpret_cast<float*>(to.data), reinterpret_cast<float const*>(from.data), to.size());
    else add_elements(reinterpret_cast<double*>(to.data), reinterpret_cast<double const*>(from.data), to.size());
    to.memory->written();
}
/// Nobody else sees the elements of this gradient.
inline bool is_unshared(tensor_ref const& t) { return t->owned.is_one() && t->memory->owned.is_one() && t->is_contiguous(); }

/// a + b for gradients that are themselves differentiable: hands its derivative to both.
inline node_kind const add_kind{"AddBackward0",
                                [](tape_node&, backward_call& call) {
                                    for (std::size_t i = 0; i < 2; ++i)
                                        if (call.wants(i)) call.gradients[i] = call.cotangents[0];
                                },
                                &node_block<>::destroy};

/// total += part, where total may be shared and both may be recorded.
inline void accumulate(tensor_ref& total, tensor_ref part, bool recording) {
    if (!total) { total = std::move(part); return; }
    bool const recorded = recording && (total->is_recorded() || part->is_recorded());
    if (!recorded && is_unshared(total) && !total->node) return add_in_place(*total, *part);
    tensor_ref sum = contiguous_copy(*total);
    add_in_place(*sum, *part);
    if (recorded) {
        tape_node* n = node_block<>::make(add_kind, 2, 0, 0);
        n->connect(0, edge_of(total));
        n->connect(1, edge_of(part));
        sum->node = node_ref(n);
    }
    total = std::move(sum);
}

/// Adds to the gradient of a leaf, from any thread. A gradient that nobody shares is taken over as it is.
inline void accumulate_into_leaf(tensor_state& leaf, tensor_ref gradient, bool recording) {
    tensor_ref replaced;  // ends after the lock: what goes with it may be long, and may have locks of its own
    locked held(leaf.lock);
    if (leaf.grad) {
        if (!recording && leaf.grad->is_contiguous() && !leaf.grad->node) add_in_place(*leaf.grad, *gradient);
        else replaced = leaf.grad, accumulate(leaf.grad, gradient, recording);
    } else if (is_unshared(gradient)) {
        leaf.grad = std::move(gradient);
    } else {
        leaf.grad = contiguous_copy(*gradient);
        if (!recording || !gradient->is_recorded()) return;
        tape_node* n = node_block<>::make(clone_kind, 1, 0, 0);
        n->connect(0, edge_of(gradient));
        leaf.grad->node = node_ref(n);
    }
}

inline void run_hooks(list<hook> const& hooks, std::span<tensor_ref> changed, std::span<tensor_ref const> seen = {}) {
    for (int i = 0; i < hooks.size(); ++i)  // by number: a hook may add another
        if (hook_call const call = hooks[i].function->call) call(changed, seen);
}

/// E1: what a node had saved went with an earlier backward pass.
[[noreturn, gnu::cold]] inline void refuse_released(tape_node const& n) {
    throw autograd_error(concat("Trying to backward through the graph a second time (or directly access saved tensors after they have already been freed). Saved intermediate values of the graph "
                                "are freed when you call .backward() or autograd::grad(). Specify retain_graph=true if you need to backward through the graph a second time or if you need to "
                                "access saved tensors after calling backward. The node is ", n.kind->name).str());
}
[[gnu::cold]] inline text place_of_statement(tape_node const& n) {
    return n.file ? concat(std::string_view(n.file), ":", static_cast<std::int64_t>(n.line)) : text("unknown");
}

/// A backward pass inside of a backward pass takes about 2 KB of the stack (g++ -O0 to -O2), beside what the user's functions
/// between them take; this many of them share a stack.
inline constexpr int passes_per_stack = 256;
/// Calls f in a thread of its own, with the modes of this one, and waits for it: its stack is empty.
template <class F>
void call_on_another_stack(F f) {
    struct work {
        F& f;
        thread_modes given;
        std::exception_ptr thrown{};
    } all{f, modes};
    all.given.dying = nullptr;
    auto const start = [](void* begun) -> void* {
        auto& w = *static_cast<work*>(begun);
        modes = w.given;
        try {
            w.f();
        } catch (...) {
            w.thrown = std::current_exception();
        }
        return nullptr;
    };
    pthread_t thread;
    if (pthread_create(&thread, nullptr, start, &all) != 0) return f();
    pthread_join(thread, nullptr);
    if (all.thrown) std::rethrow_exception(all.thrown);
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
    void only_for(std::span<edge const> targets) {
        restricted_ = true;
        for (edge const& e : targets) targets_.push_back(e);
        captured_ = list<tensor_ref>(static_cast<int>(targets.size()));
    }
    list<tensor_ref>& captured() { return captured_; }

    void start(edge root, tensor_ref gradient) {
        if (restricted_) find_needed(root.node.get());
        deliver(root, std::move(gradient));
        if (first_root_) more_roots_.push_back(std::move(root));
        else first_root_ = std::move(root);
    }
    void run() {
        mode_guard<int, &thread_modes::passes> inner(modes.passes + 1);
        if (modes.passes % passes_per_stack == 0) call_on_another_stack([this] { run_here(); });
        else run_here();
    }

private:
    void run_here() {
        mode_guard<bool, &thread_modes::records> mode(options_.recorder != nullptr);
        while (deepest_) {
            entry next = take();
            if (next.leaf) finish_leaf(next);
            else execute(next);
        }
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
        tensor_ref gradient;

        entry() = default;
        entry(edge const& to, tensor_ref g) : node(to.node.get()), leaf(to.leaf.get()), output(to.output), gradient(std::move(g)) {}
        explicit operator bool() const { return static_cast<bool>(gradient); }
        std::int32_t depth() const { return node ? node->depth : 0; }
        void const* object() const { return node ? static_cast<void const*>(node) : leaf; }
        edge target() const { return {node_ref::sharing(node), tensor_ref::sharing(leaf), output}; }
    };
    /// The deepest node is next, and with it everything that arrives at it: all its derivatives are there when it is taken,
    /// as edges lead to lesser depths only.
    static bool before(entry const& a, entry const& b) {
        if (a.depth() != b.depth()) return a.depth() < b.depth();
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
        if (to.leaf && !restricted_ && !to.leaf->extras) return accumulate_into_leaf(*to.leaf, std::move(gradient), options_.recorder);
        entry arriving(to, std::move(gradient));
        if (!deepest_) {
            deepest_ = std::move(arriving);
        } else if (before(deepest_, arriving)) {
            others_.push_back(std::move(deepest_));
            deepest_ = std::move(arriving);
        } else if (!before(arriving, deepest_)) {
            accumulate(deepest_.gradient, std::move(arriving.gradient), options_.recorder);
        } else {
            int const at = place_in(others_, [&](entry const& e) { return before(e, arriving); });
            if (at < others_.size() && !before(arriving, others_[at])) accumulate(others_[at].gradient, std::move(arriving.gradient), options_.recorder);
            else others_.insert(at, std::move(arriving));
        }
    }

    void finish_leaf(entry& e) {
        tensor_ref leaf = tensor_ref::sharing(e.leaf);
        if (leaf->extras) run_hooks(leaf->extras->hooks, {&e.gradient, 1});
        if (restricted_) return capture(e.target(), e.gradient);
        accumulate_into_leaf(*leaf, std::move(e.gradient), options_.recorder);
        if (!leaf->extras) return;
        mode_guard<bool, &thread_modes::records> mode(false);
        run_hooks(leaf->extras->after_accumulation, {&leaf, 1});
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
        backward_call call{n.results == 1 ? std::span(&one, 1) : std::span(many.begin(), many.end()), {}, 0, options_.recorder};
        if (n.extras) observe(n, call);
        if (restricted_) {
            for (std::size_t j = 0; j < call.cotangents.size(); ++j)
                if (call.cotangents[j]) capture({node_ref::sharing(&n), {}, static_cast<std::int32_t>(j)}, call.cotangents[j]);
        }
        tensor_ref few[8];
        list<tensor_ref> more;
        if (n.edges.size() > 8) more = list<tensor_ref>(static_cast<int>(n.edges.size()));
        call.gradients = n.edges.size() > 8 ? std::span(more.begin(), more.end()) : std::span(few, n.edges.size());
        for (std::size_t i = 0; i < n.edges.size() && i < 64; ++i)
            if (n.edges[i] && (!restricted_ || is_wanted(n.edges[i]))) call.wanted |= std::uint64_t{1} << i;
        if (call.wanted == 0 && n.edges.size() <= 64) return;  // there are bits for 64
        if (!modes.anomaly) compute(n, call);
        else {
            try {
                compute(n, call);
            } catch (...) {
                warn(concat("Error detected in ", n.kind->name, ". Traceback of forward call that caused the error: ", place_of_statement(n)));
                throw;
            }
        }
        if (n.extras) run_hooks(n.extras->after, call.gradients, call.cotangents);
        if (modes.anomaly) look_for_nan(n, call);
        for (tensor_ref& arrived : call.cotangents) arrived = {};  // what is handed on as it is has one owner then
        for (std::size_t i = 0; i < n.edges.size(); ++i)
            if (n.edges[i]) deliver(n.edges[i], std::move(call.gradients[i]));
    }
    /// Runs a node's backward pass. It is the node's alone meanwhile, as its saved values go when it is done; the user's code
    /// has handles of its own of what it reads, and may come back to the node.
    void compute(tape_node& n, backward_call& call) {
        if (n.extras) restore(n);
        if (n.kind->runs_user_code) {
            n.kind->backward(n, call);
            locked held(n.lock);
            if (!options_.retain) release(n);
            return;
        }
        locked held(n.lock);
        if (n.released) refuse_released(n);
        if (options_.recorder && n.kind->describe) options_.recorder(n, call);
        else n.kind->backward(n, call);
        if (!options_.retain) release(n);
    }
    static void restore(tape_node& n) {
        ref<recomputation> from;
        {
            locked held(n.lock);
            from = n.extras->dropped;
        }
        if (from) from->restore(n, n.extras->number);
    }
    void observe(tape_node& n, backward_call& call) {
        for (int i = 0; i < n.extras->hooks.size(); ++i) {
            hook const h = n.extras->hooks[i];
            std::span<tensor_ref> const arrived = call.cotangents.subspan(static_cast<std::size_t>(h.output), 1);
            if (hook_call const f = h.function->call; f && arrived[0]) f(arrived, {});
        }
        run_hooks(n.extras->before, call.cotangents);
        list<tensor_ref> retaining;
        {
            locked held(n.lock);  // a result that ends on another thread takes itself out of the list before it does
            for (tensor_state* result : n.extras->retaining)
                if (result->owned.add_if_alive()) retaining.push_back(tensor_ref(result));
        }
        for (tensor_ref const& result : retaining)
            if (tensor_ref const& arrived = call.cotangents[static_cast<std::size_t>(result->output)]) accumulate_into_leaf(*result, arrived, options_.recorder);
    }

    static void release(tape_node& n) {
        for (saved_value& s : n.saved) {
            if (!s.memory) continue;
            n.released = true;
            s.memory = {};
        }
    }
    /// E17: a derivative that is not a number, and where the statement stands that it belongs to.
    static void look_for_nan(tape_node const& n, backward_call const& call) {
        for (std::size_t i = 0; i < call.gradients.size(); ++i) {
            tensor_ref const& g = call.gradients[i];
            if (!g) continue;
            bool found = false;
            with_element(g->type, [&]<class T>(T) {
                for (std::int64_t k = 0; k < g->size(); ++k) found = found || reinterpret_cast<T const*>(g->data)[k] != reinterpret_cast<T const*>(g->data)[k];
            });
            if (!found) continue;
            throw autograd_error(concat("Function '", n.kind->name, "' returned nan values in its ", static_cast<std::int64_t>(i), "th output. Traceback of forward call that caused the error: ", place_of_statement(n)).str());
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
    static bool deeper(visited const& a, tape_node const* n) { return a.node->depth != n->depth ? a.node->depth > n->depth : reinterpret_cast<std::uintptr_t>(a.node) < reinterpret_cast<std::uintptr_t>(n); }
    /// Visits what lies behind a root, deepest first, and marks the nodes from which a target is reached.
    void find_needed(tape_node* root) {
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
        for (int i = reached_.size(); i-- > 0;)
            for (edge const& e : reached_[i].node->edges) reached_[i].needed = reached_[i].needed || (e && is_wanted(e));
    }

    options options_;
    entry deepest_;        ///< the frontier: what is next, apart, so that a chain needs no list
    list<entry> others_;
    edge first_root_;
    list<edge> more_roots_;
    bool restricted_ = false;
    list<edge> targets_;
    list<tensor_ref> captured_;
    list<visited> reached_;
};

}  // namespace gradus::core

#pragma GCC diagnostic pop
