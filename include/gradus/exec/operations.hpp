// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/exec/stages.hpp>

#include <array>

namespace gradus::inline GRADUS_ARCH::core {

/// Adds an operation to a list, once.
template <class List, class Op>
struct append_op;
template <class... Known, class Op>
struct append_op<op::op_list<Known...>, Op> {
    using type = std::conditional_t<(std::is_same_v<Known, Op> || ...), op::op_list<Known...>, op::op_list<Known..., Op>>;
};

/// The elementwise operations in an expression that are not in `List` (and those that they say they use), after `List`.
template <class List, class E>
struct collect_ops {
    using type = List;
};
template <class List, class Op>
struct collect_uses {
    using type = List;
};
template <class List, class... E>
struct collect_all {
    using type = List;
};
template <class List, class E, class... Rest>
struct collect_all<List, E, Rest...> {
    using type = typename collect_all<typename collect_ops<List, E>::type, Rest...>::type;
};
template <class List, class Op>
    requires requires { typename Op::uses; }
struct collect_uses<List, Op> {
    template <class... U>
    static auto each(op::op_list<U...>) -> typename collect_all<List, op_tag<U>...>::type;
    using type = decltype(each(typename Op::uses{}));
};
template <class List, class Op>
struct collect_ops<List, op_tag<Op>> {
    using longer = typename append_op<List, Op>::type;
    // what is known already has been followed: sinh uses cosh, which uses sinh
    using type = typename collect_uses<longer, std::conditional_t<std::is_same_v<longer, List>, void, Op>>::type;
};
template <class List, class Op, class... A>
struct collect_ops<List, expr<Op, A...>> {
    using O = typename operation<Op>::type;
    static auto with_op() {
        if constexpr (requires { O::is_composite; }) return std::type_identity<typename collect_uses<List, O>::type>{};
        else if constexpr (O::kind == op_kind::elementwise) return std::type_identity<typename collect_ops<List, op_tag<O>>::type>{};
        else return std::type_identity<List>{};
    }
    using type = typename collect_all<typename decltype(with_op())::type, A...>::type;
};
template <class List, class F>
struct collect_ops<List, let_expr<F>> : collect_ops<List, typename let_expr<F>::body> {};
template <class List, class Call, int K>
struct collect_ops<List, vmap_expr<Call, K>> {
    template <class... A>
    static auto all(std::tuple<A...>*) -> collect_all<List, typename vmap_expr<Call, K>::one, A...>;
    using type = typename decltype(all(static_cast<typename Call::arguments*>(nullptr)))::type;
};
template <class List, class Call, int K>
struct collect_ops<List, applied_expr<Call, K>> {
    template <class... A>
    static auto all(std::tuple<A...>*) -> collect_all<List, typename applied_expr<Call, K>::one, A...>;
    using type = typename decltype(all(static_cast<typename Call::arguments*>(nullptr)))::type;
};
template <class List, class S, class E>
struct collect_ops<List, update_expr<S, E>> : collect_ops<List, E> {};

template <class List>
inline constexpr auto op_ids = 0;
template <class... Op>
inline constexpr auto op_ids<op::op_list<Op...>> = std::array<std::uint64_t, sizeof...(Op)>{type_id<Op>...};

/// Are all elementwise operations of a program in the list that every program knows?
template <class Source>
constexpr bool only_known_operations() {
    constexpr auto const& g = optimized_graph<Source>;
    for (int i = 0; i < g.size(); ++i) {
        if (g[i].op->kind != op_kind::elementwise) continue;
        bool known = false;
        for (std::uint64_t id : op_ids<op::kernel_list>) known = known || id == g[i].op->id;
        if (!known) return false;
    }
    return true;
}

template <class List, class... E>
typename collect_all<List, E...>::type collect_from(expressions<E...>);

/// The operations that a program's loops may contain. Walks the expressions only where another operation is in one.
template <class Source>
struct operations_for {
    using type = op::kernel_list;
};
template <class Source>
    requires(requires { typename Source::parts; } && !only_known_operations<Source>())
struct operations_for<Source> {
    using type = decltype(collect_from<op::kernel_list>(typename Source::parts{}));
};
template <class Source>
using operations_of = typename operations_for<Source>::type;

}  // namespace gradus::inline GRADUS_ARCH::core
