// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/nn/parameters.hpp>

#include <algorithm>

namespace gradus::inline GRADUS_ARCH::nn {

/// Parameters and buffers by name, in order. The tensors are the module's own, not copies, but require no gradient (as in PyTorch).
template <class M>
tensor_dict state_dict(M const& module) {
    tensor_dict made;
    for (inventory::entry const& one : inventory_of(module).tensors) made.emplace_back(one.name, one.value.detach());
    return made;
}

/// Dicts in one, under a name each, such as a checkpoint is made of: `joined({{"model", net.state_dict()}, {"step", adam.state_dict()}})`
/// has "model.weight". part() takes them apart.
template <class Asked = void>
tensor_dict joined(std::vector<std::pair<std::string, tensor_dict>> const& dicts) {
    core::when<Asked, tensor_dict> made;
    for (auto const& [path, dict] : dicts)
        for (auto const& [name, value] : dict) made.emplace_back(joined_name(path, name), value);
    return made;
}
/// What joined() put under that name. Throws error where nothing is.
template <class Asked = void>
tensor_dict part(tensor_dict const& dict, std::string const& name) {
    core::when<Asked, tensor_dict> found;
    for (auto const& [path, value] : dict)
        if (path.starts_with(name + '.')) found.emplace_back(path.substr(name.size() + 1), value);
    if (found.empty()) throw error("gradus::nn::part(dict, name): the dict has nothing under " + name);
    return found;
}

/// Names that a loaded dict lacked, and names that it had beside the module's.
struct loaded {
    std::vector<std::string> missing, unexpected;
};

/// Copies values into tensors, all or none: of every dict entry `from` into the entry of its name. `who` begins the message.
template <class Asked = void>
loaded load_tensors(tensor_dict const& into, tensor_dict const& from, bool strict, std::string const& who) {
    core::when<Asked, loaded> told;
    std::string wrong;
    core::when<Asked, std::vector<std::pair<any_tensor, any_tensor>>> copies;
    auto const found = [](tensor_dict const& in, std::string const& name) {
        return std::find_if(in.begin(), in.end(), [&](auto const& one) { return one.first == name; });
    };
    for (auto const& [name, to] : into) {
        auto const at = found(from, name);
        if (at == from.end()) told.missing.push_back(name);
        else if (!at->second.defined()) wrong += "\n  undefined: " + name;
        else if (!(at->second.state()->described() == to.state()->described()))
            wrong += "\n  another type: " + name + " is " +
                     core::concat(to.state()->described(), ", the dict has ", at->second.state()->described()).str();
        else if (!to.is_contiguous()) wrong += "\n  a view with gaps, which cannot be loaded into: " + name;
        else copies.emplace_back(to, at->second);
    }
    for (auto one = from.begin(); one != from.end(); ++one) {
        if (found(from, one->first) != one) wrong += "\n  twice in the dict: " + one->first;
        else if (found(into, one->first) == into.end()) told.unexpected.push_back(one->first);
    }
    if (strict) {
        for (std::string const& name : told.missing) wrong += "\n  missing in the dict: " + name;
        for (std::string const& name : told.unexpected) wrong += "\n  unexpected: " + name;
    }
    if (!wrong.empty()) throw error(who + ": nothing was loaded:" + wrong);
    for (auto& [to, source] : copies) {  // what may throw, or reads what is about to be written
        bool copied = !source.is_contiguous();
        for (auto const& [other, _] : copies) {
            bool const is_itself = other.data() == to.data() && source.data() == to.data();
            copied = copied || (!is_itself && core::overlap(*other.state(), *source.state()));
        }
        source = copied ? source.detach().clone() : source;
    }
    for (auto const& [to, source] : copies) {
        if (to.size() > 0) std::memmove(to.data(), source.data(), static_cast<std::size_t>(to.state()->bytes()));
        increment_version(to);
    }
    return told;
}

/// Copies a dict's tensors into the module's parameters and buffers. Throws gr::error with every mismatch in one message (names that are
/// missing or unexpected, unless `strict` is false; shapes and dtypes) and changes nothing then. What the tape has saved of an old value
/// is refused by a later backward pass.
template <class M>
loaded load_state_dict(M const& module, tensor_dict const& dict, bool strict = true) {
    tensor_dict into;
    for (inventory::entry const& one : inventory_of(module).tensors) into.emplace_back(one.name, one.value);
    return load_tensors(into, dict, strict, "gradus::nn::load_state_dict(module, dict)");
}

}  // namespace gradus::inline GRADUS_ARCH::nn
