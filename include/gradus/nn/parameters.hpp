// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/nn/members.hpp>

#include <string_view>
#include <vector>

namespace gradus::inline GRADUS_ARCH::nn {

/// Tensors by name, in order: the state of a module, of an optimiser, of a file.
using tensor_dict = std::vector<std::pair<std::string, any_tensor>>;

/// What a module consists of, without types: what the functions below read.
struct inventory {
    struct entry {
        std::string name;
        any_tensor value;
        bool is_buffer;
    };
    struct part {
        std::string name;
        std::string_view type;
        std::size_t first, last;  ///< its tensors, those of modules inside of it included
        int depth;
    };
    std::vector<entry> tensors;  ///< under all of their names
    std::vector<part> modules;   ///< a module before those inside of it
    std::vector<training_mode const*> modes;

    void add(std::string const& name, any_tensor const& t, bool buffer) {
        if (t.defined()) tensors.push_back({name, t, buffer || !is_floating(t.dtype())});
    }
};
inline std::string joined_name(std::string const& path, std::string const& name) {
    return path.empty() ? name : name.empty() ? path : path + '.' + name;
}
template <class M>
void take_inventory(std::string const& path, M const& m, bool buffer, int depth, inventory& to) {
    if constexpr (core::is_tensor<M> || std::is_same_v<M, any_tensor>) to.add(path, m, buffer);
    else if constexpr (std::is_same_v<M, training_mode>) to.modes.push_back(&m);
    else if constexpr (!plain<M>) {
        constexpr bool is_module = !(holder<M> && !described<M>);
        std::size_t const at = to.modules.size();
        if (is_module) to.modules.push_back({path, name_of_class<M>(), to.tensors.size(), 0, depth});
        for_each_member(m, [&]<class N>(std::string const& name, N const& one, auto is_buffer) {
            nn::take_inventory(joined_name(path, name), one, is_buffer || buffer, depth + is_module, to);
        });
        if (is_module) to.modules[at].last = to.tensors.size();
    }
}
template <class M>
inventory inventory_of(M const& m) {
    inventory made;
    take_inventory({}, m, false, 0, made);
    return made;
}

/// Those that are parameters, or that are buffers, each tensor under its first name.
template <class Asked = void>
tensor_dict chosen(inventory const& all, bool buffers) {
    tensor_dict found;
    for (inventory::entry const& one : all.tensors) {
        if (one.is_buffer != buffers) continue;
        bool known = false;
        for (auto const& [name, value] : found) known = known || value == one.value;
        if (!known) found.emplace_back(one.name, one.value);
    }
    return found;
}
/// The parameters with their names: "body.0.weight". A tensor that stands in several places comes once.
template <class M>
tensor_dict named_parameters(M const& module) {
    return chosen(inventory_of(module), false);
}
template <class M>
tensor_dict named_buffers(M const& module) {
    return chosen(inventory_of(module), true);
}

/// The parameters of modules in one list, for an optimiser: `gr::optim::adam step(gr::nn::parameters(body, head));`. Frozen ones too.
template <class... Module>
std::vector<any_tensor> parameters(Module const&... modules) {
    std::vector<any_tensor> all;
    for (auto const& [name, value] : named_parameters(std::tie(modules...))) all.push_back(value);
    return all;
}
/// How many numbers the parameters have, or those of them that require a gradient.
template <class M>
std::int64_t parameter_count(M const& module, bool only_trainable = false) {
    std::int64_t count = 0;
    for (auto const& [name, value] : named_parameters(module)) count += !only_trainable || value.requires_grad() ? value.size() : 0;
    return count;
}

/// False freezes a module: its parameters get no gradients, so optimisers leave them alone.
template <class M>
void requires_grad_(M const& module, bool on = true) {
    for (auto const& [name, value] : named_parameters(module)) value.requires_grad_(on);
}
/// Drops the gradients of all parameters.
template <class M>
void zero_grad(M const& module) {
    for (auto const& [name, value] : named_parameters(module)) value.zero_grad();
}
/// Sets the mode of all layers: dropout drops and batch normalization counts only while training.
template <class M>
void train(M const& module, bool on = true) {
    for (training_mode const* mode : inventory_of(module).modes) mode->on = on;
}
template <class M>
void eval(M const& module) {
    train(module, false);
}

}  // namespace gradus::inline GRADUS_ARCH::nn
