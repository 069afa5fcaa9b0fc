// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/tensor/tape/saved.hpp>

// Memory for time: a part of a computation whose nodes save nothing. The tape is what it would be without the checkpoint, so
// gradients, hooks, autograd::grad and captured parameters need no care. Each node drops what it has saved as soon as the next
// one is made; the first backward pass that comes by runs the part again, and each node takes what its double has saved.

namespace gradus::inline GRADUS_ARCH {

namespace core {

/// A call of checkpoint.
struct checkpointed : recomputation {
    list<saved_value> saved;  ///< of arguments that are tensors
    list<saved_tensor> saved_as;
    list<edge> edges;              ///< where their derivatives go
    ref<recomputation> outer;      ///< the call that this one was made in: has the arguments
    int number = 0;                ///< among the calls that were made there
    list<node_kind const*> kinds;  ///< of the nodes that were recorded
    int calls = 0;                 ///< of checkpoint, that were made

    void keep(tensor_ref const& t) {
        saved.push_back(t ? saved_from(*t) : saved_value{});
        saved_as.push_back(t ? saved_tensor(*t) : saved_tensor{});
        edges.push_back(t ? edge_of(t) : edge{});
    }
    tensor_ref kept(int i) const {
        saved_value const& v = saved[i];
        if (v.memory && v.memory->written_times() != v.version)
            refuse_changed(saved_as[i].described(), v.memory->written_times(), v.version);
        return saved_as[i].with(v, edges[i]);
    }
    void restore(tape_node& n, int number_of_node) final {
        locked held(lock_);
        {
            locked node_held(n.lock);
            if (!n.extras->is_dropped) return;  // another thread was here
        }
        recompute([&] { return nodes_[number_of_node].empty() && !n.saved.empty(); });
        locked node_held(n.lock);
        put_back(n.saved, nodes_[number_of_node], n.kind->name);
        n.extras->is_dropped = false;
    }

protected:
    virtual void run_again() = 0;

private:
    /// Sees the second run.
    struct keeping final : node_watcher {
        list<node_ref> nodes;
        list<ref<recomputation>> calls;
        void made(tape_node& n) override { nodes.push_back(node_ref::sharing(&n)); }
        void made(recomputation& r) override { calls.push_back(ref<recomputation>::sharing(&r)); }
    };
    using values = list<saved_value>;

    /// Runs the function again unless that was done; also if what it had saved then was taken by a backward pass that failed.
    void recompute(auto const& is_taken) {
        if (done_ && !is_taken()) return;
        done_ = false;
        if (outer) static_cast<checkpointed&>(*outer).restore_arguments(*this);
        keeping second;
        {
            enable_grad recording;
            mode_guard<node_watcher*, &thread_work::watcher, thread_work> watch(&second);
            run_again();
        }
        bool same = second.nodes.size() == kinds.size() && second.calls.size() == calls;
        for (int i = 0; same && i < kinds.size(); ++i) same = second.nodes[i]->kind == kinds[i];
        if (!same)
            throw autograd_error(concat("gradus::checkpoint: A different number of tensors was saved during the original forward and "
                                        "recomputation: the function recorded ",
                                        kinds.size(), " statements then, and ", second.nodes.size(),
                                        " (or others) now. It has to do the same whenever it is called with the same arguments.")
                                     .str());
        nodes_ = list<values>(kinds.size());
        calls_ = list<values>(calls);
        for (int i = 0; i < kinds.size(); ++i)
            for (saved_value const& s : second.nodes[i]->saved) nodes_[i].push_back(s);
        for (int i = 0; i < calls; ++i) calls_[i] = static_cast<checkpointed&>(*second.calls[i]).saved;
        if (outer) drop({saved.begin(), saved.end()});  // which computes them again; without one they stay until the nodes are released
        done_ = true;
    }
    void restore_arguments(checkpointed& inner) {
        locked held(lock_);
        recompute([&] { return calls_[inner.number].empty() && !inner.saved.empty(); });
        put_back({inner.saved.begin(), inner.saved.end()}, calls_[inner.number], "checkpoint");
    }
    static void put_back(array_view<saved_value> into, values& found, std::string_view name) {
        for (std::size_t i = 0; i < into.size(); ++i) {
            saved_value& now = found[static_cast<int>(i)];
            if (now.memory && now.version != into[i].version) refuse_changed(name, now.version, into[i].version);
        }
        for (std::size_t i = 0; i < into.size(); ++i) into[i] = std::move(found[static_cast<int>(i)]);
        found = {};
    }
    /// Refused: a changed value, as far as it is known what has changed.
    [[noreturn, gnu::cold]] static void refuse_changed(auto const& what, std::uint32_t now, std::uint32_t then) {
        throw autograd_error(
            concat("gradus::checkpoint: one of the variables needed for gradient computation has been modified by an inplace operation: [",
                   what, "] is at version ", static_cast<std::int64_t>(now), "; expected version ", static_cast<std::int64_t>(then),
                   " instead. What a checkpoint reads must stay as it is until the backward pass.")
                .str());
    }

    spin_lock lock_;  ///< while the function runs again
    bool done_ = false;
    list<values> nodes_, calls_;  ///< what the second run has saved, until it is taken
};

/// Sees the first run.
class dropping final : public node_watcher {
public:
    explicit dropping(checkpointed& to) : to_(to) {}
    dropping(dropping const&) = delete;
    dropping& operator=(dropping const&) = delete;
    ~dropping() { finish(); }

    void made(tape_node& n) override {
        finish();
        n.more();  // `finish` must not throw
        to_.kinds.push_back(n.kind);
        last_ = node_ref::sharing(&n);
    }
    void made(recomputation& r) override {
        auto& inner = static_cast<checkpointed&>(r);
        drop({inner.saved.begin(), inner.saved.end()});
        inner.outer = ref<recomputation>::sharing(&to_);
        inner.number = to_.calls++;
    }

private:
    void finish() {
        if (!last_) return;
        if (last_->has_saved()) {
            drop(last_->saved);
            last_->extras->dropped = ref<recomputation>::sharing(&to_);
            last_->extras->number = to_.kinds.size() - 1;
            last_->extras->is_dropped = true;
        }
        last_ = {};
    }
    checkpointed& to_;
    node_ref last_;  ///< the next node's turn is when this one has saved everything
};

template <class F, class... A>
struct checkpointed_call final : checkpointed {
    F function;
    std::tuple<A...> arguments;  ///< tensors are empty here: what they are is saved

    checkpointed_call(F f, A const&... given) : function(std::move(f)), arguments(given...) {
        std::apply([&](auto&... a) { (take_out(a, *this), ...); }, arguments);
    }
    void run_again() override {
        std::tuple<A...> given = arguments;
        int next = 0;
        std::apply([&](auto&... a) { (put_in(a, next), ...); }, given);
        static_cast<void>(computed_results(std::apply(function, given)));
    }

private:
    template <class X>
    static void take_out(X& argument, checkpointed& to) {
        if constexpr (tensor_handle<X>) to.keep(std::exchange(argument, X{}).state());
    }
    template <class X>
    void put_in(X& argument, int& next) const {
        if constexpr (tensor_handle<X>) argument = X(kept(next++));
    }
};

template <class F, class... A>
auto run_checkpoint(F f, A const&... a) {
    if (!modes.records) return computed_results(f(a...));
    auto* call = new checkpointed_call<F, A...>(std::move(f), a...);
    ref<recomputation> const owner(call);
    auto results = [&] {
        dropping first(*call);
        mode_guard<node_watcher*, &thread_work::watcher, thread_work> watch(&first);
        return computed_results(call->function(a...));
    }();
    if (running.watcher) running.watcher->made(*call);
    return results;
}

}  // namespace core

/// f(arguments...), where the tape keeps no more than the arguments: what else the backward pass reads is computed again by a
/// second call when it is needed. `gr::tensor y = gr::checkpoint(f, x, 3);`
///
/// Gradients are those of f(arguments...), also those of parameters that f captures; f may use checkpoint itself. It has to
/// do the same both times (give it a copy of a random source, not a reference), and what it captures by reference must live
/// and stay as it is until the backward pass, which throws autograd_error where it notices a change.
template <class F, class... A>
auto checkpoint(F f, A const&... arguments) {
    return core::run_checkpoint<F, std::remove_cvref_t<decltype(core::computed(arguments))>...>(std::move(f), core::computed(arguments)...);
}

}  // namespace gradus::inline GRADUS_ARCH
