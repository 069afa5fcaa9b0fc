// SPDX-License-Identifier: BSL-1.0
#include "compare.hpp"

#include <gradus/exec/executable.hpp>

#include <memory>

// Programs made at run time for comparisons: the block functions of all operations, compiled once.
namespace compare {

using everything = decltype(joined_lists(joined_lists(gr::op::kernel_list{}, gr::op::further_list{}), gr::op::derivative_list{}));

subject made(gr::graph const& written) {
    static constexpr auto const& table = gr::kernel::block_table<everything>;
    gr::graph differentiated = gr::pass::differentiation(written);
    auto const program = std::make_shared<gr::core::executable<> const>(gr::pass::prepare(gr::pass::simplify(differentiated)), table);
    return {differentiated, program->program(), [=](std::int64_t const* dimensions) { return program->workspace_bytes(dimensions); },
            [=](gr::core::run_context const& c) { program->run(c); }, program->dimensions()};
}

}  // namespace compare
