// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/tensor/state/any_tensor.hpp>

// Functions of the user's that a backward pass calls.

namespace gradus::inline GRADUS_ARCH {

/// What registering a hook returns. A handle that goes away leaves the hook in place.
class hook_handle {
public:
    hook_handle() = default;
    explicit hook_handle(core::ref<core::hook_function> function) : function_(std::move(function)) {}
    /// Takes the hook away; a second time, or when its tensor is gone, nothing happens.
    void remove() {
        if (function_) function_->call = {};
        function_ = {};
    }

private:
    core::ref<core::hook_function> function_;
};

namespace core {

inline hook_handle add_to(list<hook>& hooks, std::int32_t output, hook_call f) {
    hooks.remove_if([](hook const& h) { return !h.function->call; });
    hooks.push_back({output, ref<hook_function>(new hook_function{{}, std::move(f)})});
    return hook_handle(hooks.back().function);
}
/// On the gradient of a tensor.
inline hook_handle add_hook(tensor_state& t, hook_call f) {
    if (!t.is_recorded()) throw autograd_error("cannot register a hook on a variable that doesn't require gradient");
    return t.node ? add_to(t.node->more().hooks, t.output, std::move(f)) : add_to(t.more().hooks, 0, std::move(f));
}
/// Shown the gradient that a backward pass has for a leaf once no node is left that could add to it, while others still run.
inline hook_handle add_arrival_hook(tensor_state& leaf, hook_call f) { return add_to(leaf.more().on_arrival, 0, std::move(f)); }
inline hook_handle add_leaf_hook(tensor_state& t, hook_call f) {
    if (t.is_recorded() && !t.node) return add_to(t.more().after_accumulation, 0, std::move(f));
    throw autograd_error("post accumulate grad hooks cannot be registered on non-leaf tensors");
}
inline hook_handle add_node_hook(edge const& at, list<hook> node_extras::* hooks, hook_call f) {
    if (at.node) return add_to(at.node->more().*hooks, 0, std::move(f));
    throw autograd_error(
        "gradus::grad_function: a hook of a node needs a computed tensor: for a leaf use register_hook or "
        "register_post_accumulate_grad_hook of the tensor");
}

/// A gradient that a hook returned, checked.
inline tensor_ref checked_replacement(tensor_ref const& before, tensor_ref after) {
    if (before && !(before->described() == after->described()))
        throw autograd_error(
            concat("a hook has changed the type of a gradient: it was ", before->described(), ", it is ", after->described()).str());
    return after->is_contiguous() ? after : contiguous_copy(*after);
}
/// Puts what a hook returns in the place of gradients, if it returns any.
void replace(core::array_view<tensor_ref> gradients, auto call_hook) {
    if constexpr (std::is_void_v<decltype(call_hook())>) call_hook();
    else {
        auto const returned = call_hook();
        if (!returned.empty() && returned.size() != gradients.size())
            throw autograd_error(concat("hooks return one gradient for each: expected ", static_cast<std::int64_t>(gradients.size()),
                                        ", got ", static_cast<std::int64_t>(returned.size()))
                                     .str());
        for (std::size_t i = 0; i < returned.size(); ++i)
            if (returned[i].defined()) gradients[i] = checked_replacement(gradients[i], returned[i].state());
    }
}

}  // namespace core
}  // namespace gradus::inline GRADUS_ARCH
