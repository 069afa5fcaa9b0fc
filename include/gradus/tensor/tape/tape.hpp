// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/graph/render.hpp>
#include <gradus/tensor/state/any_tensor.hpp>
#include <gradus/tensor/tape/engine.hpp>
#include <gradus/tensor/tape/hooks.hpp>

#include <algorithm>
#include <string>
#include <vector>

// The tape as users look at it.

namespace gradus::inline GRADUS_ARCH {

/// What computed a tensor, or the place where the gradient of a leaf is collected; null for what is not recorded.
class grad_function {
public:
    grad_function() = default;
    explicit grad_function(core::edge at) : at_(std::move(at)) {}

    explicit operator bool() const { return static_cast<bool>(at_); }
    bool defined() const { return static_cast<bool>(at_); }
    /// The name of the operation at the root, as PyTorch has it: AddBackward0; empty for null.
    std::string_view name() const {
        return at_.node ? at_.node->kind->name : at_.leaf ? std::string_view("torch::autograd::AccumulateGrad") : std::string_view();
    }
    /// One for each operand of the expression, null where the operand wants no derivative.
    template <class Asked = void>
    std::vector<grad_function> next_functions() const {
        core::when<Asked, std::vector<grad_function>> next;
        if (at_.node)
            for (core::edge const& e : at_.node->edges) next.push_back(grad_function(e));
        return next;
    }
    /// The leaf whose gradient is collected here; undefined for a computed tensor's function.
    any_tensor variable() const { return any_tensor(at_.leaf); }
    /// The typed graph of the whole recorded expression: a line per node.
    text graph() const {
        return described([](gradus::graph const& g) { return print(g); });
    }
    /// The same for Graphviz.
    text to_dot() const {
        return described([](gradus::graph const& g) { return gradus::to_dot(g); });
    }
    /// How many tensors it keeps for the backward pass, and how many bytes they hold (shared memory counts).
    int saved_count() const {
        int count = 0;
        if (at_.node)
            for (core::saved_value const& s : at_.node->saved) count += static_cast<bool>(s.memory);
        return count;
    }
    std::int64_t saved_bytes() const {
        std::int64_t bytes = 0;
        if (at_.node)
            for (core::saved_value const& s : at_.node->saved) bytes += s.memory ? s.memory->bytes : 0;
        return bytes;
    }
    /// Where the statement stands that was recorded.
    std::string where() const {
        return at_.node && at_.node->file ? at_.node->file + (":" + std::to_string(at_.node->line)) : std::string();
    }
    /// Calls `f(gradients)` with the derivatives of its results before it runs, after the hooks of those tensors. A vector that
    /// f returns replaces them; undefined elements stay as they are.
    template <class F>
    hook_handle register_prehook(F f) const {
        return core::add_node_hook(
            at_, &core::node_extras::before,
            [f = std::move(f)](core::array_view<core::tensor_ref> arrived, core::array_view<core::tensor_ref const>) {
                core::replace(arrived, [&] { return f(vector_of(arrived)); });
            });
    }
    /// Calls `f(grad_inputs, grad_outputs)` after it has run: what goes on to its operands, and what had arrived. A vector that
    /// f returns replaces grad_inputs.
    template <class F>
    hook_handle register_hook(F f) const {
        return core::add_node_hook(
            at_, &core::node_extras::after,
            [f = std::move(f)](core::array_view<core::tensor_ref> leaving, core::array_view<core::tensor_ref const> arrived) {
                core::replace(leaving, [&] { return f(vector_of(leaving), vector_of(arrived)); });
            });
    }
    bool operator==(grad_function const& that) const {
        return at_.node.get() == that.at_.node.get() && at_.leaf.get() == that.at_.leaf.get();
    }

    core::edge const& at() const { return at_; }

private:
    static std::vector<any_tensor> vector_of(core::array_view<core::tensor_ref const> states) {
        std::vector<any_tensor> all;
        for (core::tensor_ref const& t : states) all.push_back(any_tensor(t));
        return all;
    }
    text described(auto&& show) const {
        if (!at_.node || !at_.node->kind->describe) return name();
        gradus::graph g = at_.node->kind->describe();
        while (g.outputs.size() > at_.node->results) g.outputs.pop_back();
        return show(g);
    }
    core::edge at_;
};

namespace core {

/// A backward pass that records what it computes, so that it can be differentiated again (tensor/tape/second_order.hpp). Only
/// programs that ask for it by `create_graph = true` contain it.
template <class Asked>
void record_backward(tape_node&, backward_call&);
struct recording_option {
    void (*recorder)(tape_node&, backward_call&) = nullptr;
    constexpr recording_option() = default;
    template <class Asked>
        requires std::is_same_v<Asked, bool>
    recording_option(Asked on) : recorder(on ? &record_backward<when<Asked, void>> : nullptr) {}  // NOLINT: {.create_graph = true}
};
/// true, false, or not said.
struct choice {
    bool said = false, value = false;
    constexpr choice() = default;
    constexpr choice(bool on) : said(true), value(on) {}  // NOLINT
    constexpr bool value_or(bool otherwise) const { return said ? value : otherwise; }
};

}  // namespace core

/// Options of a backward pass, by name: `loss.backward({.retain_graph = true})`.
struct backward_options {
    any_tensor gradient{};                  ///< the derivative of a loss with respect to a root that is no scalar
    core::choice retain_graph{};            ///< keep what was saved, so that another pass is possible; as create_graph if not said
    core::recording_option create_graph{};  ///< record the pass itself, for derivatives of derivatives
    std::vector<any_tensor> inputs{};       ///< collect gradients for these tensors only; all leaves where none is given
};

namespace core {

[[gnu::cold]] inline std::string python_shape(tensor_state const& t) {
    text out = std::string_view("[");
    for (int i = 0; i < t.rank; ++i) append(out, concat(i ? ", " : "", t.extents[i]).view());
    out += ']';
    return out.str();
}

/// The derivative to begin with, checked.
inline tensor_ref starting_gradient(tensor_ref const& root, any_tensor const& given, int number) {
    if (!root || !root->is_recorded())
        throw autograd_error("element " + std::to_string(number) + " of tensors does not require grad and does not have a grad_fn");
    if (given.defined()) {
        tensor_state const& g = *given.state();
        bool same = g.rank == root->rank;
        for (int i = 0; same && i < g.rank; ++i) same = g.extents[i] == root->extents[i];
        if (!same)
            throw autograd_error("Mismatch in shape: grad_output[" + std::to_string(number) + "] has a shape of " + python_shape(g) +
                                 " and output[" + std::to_string(number) + "] has a shape of " + python_shape(*root) + ".");
        if (g.type != root->type)
            throw autograd_error(concat("the gradient is ", name_of(g.type), ", the tensor ", name_of(root->type)).str());
        given.state()->is_uniform = false;  // the caller may have written to it since
        return g.is_contiguous() ? given.state() : contiguous_copy(g);
    }
    if (root->size() != 1) throw autograd_error("grad can be implicitly created only for scalar outputs");
    tensor_ref one = make_state(root->type, root->rank, root->extents);
    with_floating_dtype(one->type, [&]<class T>(T) { *reinterpret_cast<T*>(one->data) = T(1); });
    return one;
}

/// Begins at the roots, computes, calls `check()` and changes what the pass is about.
void run_backward(backward_pass& pass, array_view<tensor_ref const> roots, array_view<any_tensor const> gradients, auto const& check) {
    if (!gradients.empty() && gradients.size() != roots.size())
        throw autograd_error(concat("got ", static_cast<std::int64_t>(roots.size()), " tensors and ",
                                    static_cast<std::int64_t>(gradients.size()), " gradients")
                                 .str());
    auto start_of = [&](std::size_t i) {
        return starting_gradient(roots[i], gradients.empty() ? any_tensor{} : gradients[i], static_cast<int>(i));
    };
    if (roots.size() == 1) {
        tensor_ref one = start_of(0);
        pass.start(edge_of(roots[0]), std::move(one));
    } else {
        list<tensor_ref> starts;  // all are checked before the first begins
        for (std::size_t i = 0; i < roots.size(); ++i) starts.push_back(start_of(i));
        for (std::size_t i = 0; i < roots.size(); ++i) pass.start(edge_of(roots[i]), std::move(starts[static_cast<int>(i)]));
    }
    pass.run(check);
}

/// backward() of one or more roots.
[[gnu::noinline]] inline void backward(array_view<tensor_ref const> roots, array_view<any_tensor const> gradients,
                                       backward_options const& options) {
    backward_pass pass({options.retain_graph.value_or(options.create_graph.recorder != nullptr), options.create_graph.recorder});
    if (!options.create_graph.recorder && options.inputs.empty()) return run_backward(pass, roots, gradients, [] {});
    if (options.create_graph.recorder)
        warn(
            "Using backward() with create_graph=True will create a reference cycle between the parameter and its gradient which can cause "
            "a memory leak. Reset the gradients with zero_grad() after use, or use gr::autograd::grad.");
    list<edge> targets;
    list<tensor_ref> inputs;  // a tensor that is named twice gets its derivative once
    for (any_tensor const& input : options.inputs) {
        edge e = input.defined() ? edge_of(input.state()) : edge{};
        if (!e) throw autograd_error("One of the differentiated Tensors does not require grad");
        if (std::any_of(inputs.begin(), inputs.end(), [&](tensor_ref const& t) { return t.get() == input.state().get(); })) continue;
        targets.push_back(e);
        inputs.push_back(input.state());
    }
    if (!options.inputs.empty()) pass.only_for({targets.begin(), targets.end()});
    run_backward(pass, roots, gradients, [&] {
        list<tensor_ref>& found = pass.captured();
        for (int i = 0; i < found.size(); ++i)
            if (found[i]) pass.add_to(inputs[i], std::move(found[i]));
    });
}

}  // namespace core
}  // namespace gradus::inline GRADUS_ARCH
