// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/nn/parameters.hpp>

namespace gradus::inline GRADUS_ARCH::nn {

/// A table of the modules inside of a module: name, class, tensors of its own and how many numbers its parameters have; then the sums.
template <class Asked = void>
std::string summary_of(inventory const& all) {
    std::vector<std::array<std::string, 4>> rows{{"module", "type", "tensors", "parameters"}};
    auto const counted = [&](std::size_t first, std::size_t last, auto const& wanted) {
        std::int64_t count = 0;
        for (std::size_t i = first; i < last; ++i) {
            bool again = false;
            for (std::size_t k = first; k < i; ++k) again = again || all.tensors[k].value == all.tensors[i].value;
            if (!again) count += wanted(all.tensors[i]);
        }
        return count;
    };
    auto const parameters = [](inventory::entry const& e) { return e.is_buffer ? 0 : e.value.size(); };
    for (inventory::part const& m : all.modules) {
        std::string tensors;
        for (std::size_t i = m.first; i < m.last; ++i) {
            std::string const& name = all.tensors[i].name;
            std::size_t const behind = m.name.empty() ? 0 : m.name.size() + 1;
            if (name.find('.', behind) != std::string::npos) continue;  // of a module inside
            tensors +=
                (tensors.empty() ? "" : ", ") + name.substr(behind) + ' ' + core::concat(all.tensors[i].value.state()->described()).str();
        }
        std::int64_t const count = counted(m.first, m.last, parameters);
        rows.push_back({std::string(static_cast<std::size_t>(2 * m.depth), ' ') + (m.name.empty() ? "." : m.name), std::string(m.type),
                        tensors, count ? std::to_string(count) : ""});
    }
    std::size_t width[3]{};
    for (auto const& row : rows)
        for (std::size_t i = 0; i < 3; ++i) width[i] = std::max(width[i], row[i].size());
    std::string text;
    for (auto const& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < 4; ++i) line += row[i] + (i < 3 ? std::string(width[i] - row[i].size() + 2, ' ') : "");
        text += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
    }
    std::size_t const n = all.tensors.size();
    return text + std::to_string(counted(0, n, parameters)) + " parameters, " +
           std::to_string(counted(0, n, [&](auto const& e) { return e.value.requires_grad() ? parameters(e) : 0; })) +
           " of them trainable; " + std::to_string(counted(0, n, [](auto const& e) { return e.value.size() * size_of(e.value.dtype()); })) +
           " bytes with buffers\n";
}
template <class M>
std::string summary(M const& module) {
    return summary_of(inventory_of(module));
}

}  // namespace gradus::inline GRADUS_ARCH::nn
