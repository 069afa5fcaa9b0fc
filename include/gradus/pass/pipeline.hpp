// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/pass/differentiate.hpp>
#include <gradus/pass/exponentials.hpp>
#include <gradus/pass/plan_memory.hpp>
#include <gradus/pass/reciprocals.hpp>
#include <gradus/pass/simplify.hpp>

// Compilation from top to bottom: differentiate, simplify, exponentials, reciprocals, materialize; then fuse, schedule, plan_memory, describe.
namespace gradus::pass {

constexpr graph differentiation(graph const& written) { return dead_code(differentiate(written)); }
constexpr graph finish(graph const& simplified) { return materialize(reciprocals(exponentials(simplified))); }

}  // namespace gradus::pass
