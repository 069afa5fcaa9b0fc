// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/io/stored_array.hpp>
#include <gradus/nn/parameters.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace gradus::inline GRADUS_ARCH {

namespace io {

/// Tensors by name, in order: what modules and optimisers have to keep, and what files of several tensors hold.
using state_dict = nn::tensor_dict;

}  // namespace io

namespace core {

/// What is written of each tensor. Refuses, before a file is touched, what could not be read again: undefined tensors, names that
/// occur twice or are too long.
inline std::vector<written_tensor> written_all(std::string_view call, std::filesystem::path const& path, io::state_dict const& dict,
                                               std::size_t longest_name) {
    std::vector<std::string_view> names;
    std::vector<written_tensor> written;
    for (auto const& [name, t] : dict) {
        if (name.size() > longest_name)
            refuse_file(call, path.string(), "the name ", in_quotes(name), " has over ", static_cast<std::int64_t>(longest_name), " bytes");
        if (!t.defined()) refuse_file(call, path.string(), "the tensor ", in_quotes(name), " is undefined");
        names.push_back(name);
        written.emplace_back(t);
    }
    std::sort(names.begin(), names.end());
    if (auto const twice = std::adjacent_find(names.begin(), names.end()); twice != names.end())
        refuse_file(call, path.string(), "two tensors are named ", in_quotes(*twice));
    return written;
}

}  // namespace core
}  // namespace gradus::inline GRADUS_ARCH
