// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/graph/value.hpp>
#include <gradus/op/batching.hpp>

#include <tuple>
#include <utility>

// From the batching rule that an operation states to a function on graphs. What facets say without a rule is in transform/vectorize.hpp.
namespace gradus::inline GRADUS_ARCH::core {

template <class Op, int... I>
constexpr bool states_batch(std::integer_sequence<int, I...>) {
    return requires(value v, batched_call const& c) { Op::batch(c, (static_cast<void>(I), v)...); };
}
/// Of several results the one that the node is.
template <class Parts, std::size_t... R>
constexpr value part_of_results(Parts const& parts, std::int64_t number, std::index_sequence<R...>) {
    value const all[] = {std::get<R>(parts)...};
    return all[number];
}
template <class Op>
constexpr int batch_of(graph& g, batched_call const& c, int const* in) {
    return [&]<int... I>(std::integer_sequence<int, I...>) {
        auto const made = Op::batch(c, value{g, in[I]}...);
        if constexpr (result_count<Op> == 1) return value(made).id();
        else return part_of_results(made, result_of(c.attr), std::make_index_sequence<static_cast<std::size_t>(result_count<Op>)>{}).id();
    }(std::make_integer_sequence<int, Op::arity>{});
}

}  // namespace gradus::inline GRADUS_ARCH::core
