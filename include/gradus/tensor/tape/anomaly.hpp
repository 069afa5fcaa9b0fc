// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/tensor/state/state.hpp>

namespace gradus::inline GRADUS_ARCH::core {

/// Where the statement of a node stands.
[[gnu::cold]] inline text place_of_statement(tape_node const& n) {
    return n.file ? concat(std::string_view(n.file), ":", static_cast<std::int64_t>(n.line)) : text("unknown");
}
/// Anomaly mode: throws autograd_error for a derivative that is not a number, with the place of its statement.
inline void look_for_nan(tape_node const& n, backward_call const& call) {
    for (std::size_t i = 0; i < call.gradients.size(); ++i) {
        tensor_ref const& g = call.gradients[i];
        if (!g) continue;
        bool found = false;
        with_dtype(g->type, [&]<class T>(T) {
            for (std::int64_t k = 0; k < g->size(); ++k)
                found = found || reinterpret_cast<T const*>(g->data)[k] != reinterpret_cast<T const*>(g->data)[k];
        });
        if (!found) continue;
        throw autograd_error(concat("Function '", n.kind->name, "' returned nan values in its ", static_cast<std::int64_t>(i),
                                    "th output. Traceback of forward call that caused the error: ", place_of_statement(n))
                                 .str());
    }
}

}  // namespace gradus::inline GRADUS_ARCH::core
