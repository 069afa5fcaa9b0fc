// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/transforms.hpp>
#include <gradus/graph/build.hpp>
#include <gradus/op/marker.hpp>

#include <array>

namespace gradus::inline GRADUS_ARCH::core {

/// Turns expression types into nodes. An expression is looked up by its structural hash first, so that a part that is
/// used many times, as `let` makes it, is walked once.
class lowering {
public:
    constexpr explicit lowering(graph& g) : graph_(g) {}
    /// With what is known of extents at run time, see lower_slots.
    constexpr lowering(graph& g, unifier const& known) : graph_(g), known_(known) {}

    template <class E>
    constexpr value operator()() {
        if (int known = find(in_scope(E::hash)); known >= 0) return {graph_, known};
        value v = build_node(static_cast<E*>(nullptr));
        remember(in_scope(E::hash), v.id());
        return v;
    }
    /// The symbol of that name. Two types of one name share a number; symbols_complaint finds them.
    constexpr int symbol_number(std::string_view name, tensor_type const& type) {
        for (int i = 0; i < graph_.symbols.size(); ++i)
            if (graph_.symbols[i].name == name) return i;
        return graph_.symbol_index(name, type);
    }
    /// The node of a symbol, or of an instance, by the name that the body of a loop knows it under.
    constexpr int node_named(std::string_view name, tensor_type const& type) {
        for (int i = instances_.size() - 1; i >= 0; --i)  // what was named last
            if (instances_[i].name == name) return instances_[i].id;
        node const n{&info_of<op::symbol>, {-1, -1, -1}, type.type, type.shape, op::symbol::numbered(symbol_number(name, type))};
        return graph_.intern(n);
    }

private:
    template <fixed_string Name, class T, extent... X>
    constexpr value build_node(symbol<Name, T, X...>*) {
        using S = symbol<Name, T, X...>;
        return {graph_, node_named(S::name(), S::type)};
    }
    template <std::uint64_t Id, fixed_string Role, int K, tensor_type Type>
    constexpr value build_node(placeholder<Id, Role, K, Type>*) {
        return {graph_, node_named(placeholder<Id, Role, K, Type>::name(), Type)};
    }
    /// Slots are symbols without a name, numbered as they stand. Extents known at run time are unknowns, or what has been
    /// found out about them.
    template <int K, class T, extent... X>
    constexpr value build_node(slot<K, T, X...>*) {
        node n{&info_of<op::symbol>, {-1, -1, -1}, dtype_of<T>, {X...}, {}};
        for (int axis = 0; axis < n.shape.rank(); ++axis)
            if (n.shape[axis] == dyn) n.shape[axis] = known_.find(extent::unknown(K * max_rank + axis));
        while (graph_.symbols.size() <= K) graph_.symbols.push_back({slot_name(graph_.symbols.size()), {}});
        graph_.symbols[K].type = n.result();
        n.attr = op::symbol::numbered(K);
        return {graph_, graph_.intern(n)};
    }
    /// Results of a scan or a cond, and what their bodies are called with (lower/control.hpp).
    template <class E>
        requires E::is_control
    constexpr value build_node(E* e) {
        return lower_control(*this, graph_, e);
    }
    /// The function on one instance, and a node that asks for all of them. Instances are found by their types' hashes from then on.
    template <class Call, int K>
    constexpr value build_node(vmap_expr<Call, K>*) {
        return [&]<int... I>(std::integer_sequence<int, I...>) {
            value const arguments[] = {(*this).template operator()<typename Call::template argument<I>>()... };
            std::int64_t const number = level_of(Call::id);
            (join_instances<Call, I>(arguments[I], arguments[Call::first]), ...);
            (add_instance<Call, I>(number, arguments[I]), ...);
            value const one = (*this).template operator()<typename vmap_expr<Call, K>::one>();
            return value::emit<op::vmap>(graph_, op::mapped_along(number, Call::axes[Call::first]), {}, {one, arguments[Call::first]});
        }(std::make_integer_sequence<int, static_cast<int>(std::tuple_size_v<typename Call::arguments>)>{});
    }
    /// A function on nodes that stand for its arguments.
    template <class Call, int K>
    constexpr value build_node(applied_expr<Call, K>*) {
        [&]<int... I>(std::integer_sequence<int, I...>) { (add_variable<Call, I>(), ...); }(typename Call::numbers{});
        return (*this).template operator()<typename applied_expr<Call, K>::one>();
    }
    template <class Call, int K>
    constexpr void add_variable() {
        using variable = typename Call::template variable<K>;
        if (find(in_scope(variable::hash)) >= 0) return;
        value const argument = (*this).template operator()<typename Call::template argument<K>>();
        int const id = value::emit<op::argument>(graph_, op::argument::of_call(level_of(Call::id), K), {}, {argument}).id();
        remember(in_scope(variable::hash), id);
        instances_.push_back({variable::name(), id});
    }
    template <class Call, int K>
    constexpr void add_instance(std::int64_t number, value argument) {
        using one = typename Call::template instance<K>;
        if constexpr (Call::axes[K] != not_mapped) {
            if (find(in_scope(one::hash)) >= 0) return;
            int const id = value::emit<op::instance>(graph_, op::mapped_along(number, Call::axes[K]), {}, {argument}).id();
            remember(in_scope(one::hash), id);
            instances_.push_back({one::name(), id});
        }
    }
    /// Of extents that run time tells, as many instances are demanded.
    template <class Call, int K>
    constexpr void join_instances(value argument, value first) {
        if constexpr (Call::axes[K] != not_mapped) {
            call demand;
            demand.unknowns = graph_.unknowns;
            static_cast<void>(demand.same(argument.shape()[Call::axes[K]], first.shape()[Call::axes[Call::first]]));
        }
    }
    /// What an expression is found by: its hash, and which values the names in it have.
    constexpr std::uint64_t in_scope(std::uint64_t hash) const { return scope_ ? mix(hash, scope_) : hash; }
    constexpr int level_of(std::uint64_t call) {
        for (int k = 0; k < levels_.size(); ++k)
            if (levels_[k] == call) return k;
        levels_.push_back(call);
        return levels_.size() - 1;
    }
    template <double V, element T, extent... X>
    constexpr value build_node(filled_expr<V, T, X...>*) {
        return value::constant(graph_, V, dtype_of<T>).broadcast_to({X...});
    }
    template <element T, extent N, extent M>
    constexpr value build_node(identity_expr<T, N, M>*) {
        value const one = value::constant(graph_, 1, dtype_of<T>), whole = one.broadcast_to({N, M});
        return where(whole.index(0) == whole.index(1), one, one.number(0)).broadcast_to({N, M});
    }
    template <element T, extent N>
    constexpr value build_node(counting_expr<T, N>*) {
        return value::constant(graph_, 0, dtype_of<T>).broadcast_to({N}).index(0).cast(dtype_of<T>);
    }
    template <extent E>
    constexpr value build_node(size_expr<E>*) {
        return value::constant(graph_, 0, dtype::number).broadcast_to({E}).count(1);
    }
    template <auto V>
    constexpr value build_node(array_expr<V>*) {
        return numbers(V, 0, static_cast<int>(V.size()));
    }
    /// Rows from `first` on: halves of them, joined.
    constexpr value numbers(auto const& rows, int first, int count) {
        if (int const half = count / 2; half > 0) {
            attributes axis;
            return numbers(rows, first, half).concatenate(numbers(rows, first + half, count - half), axis);
        }
        auto const& row = rows[static_cast<std::size_t>(first)];
        if constexpr (std::is_arithmetic_v<std::remove_cvref_t<decltype(row)>>)
            return value::constant(graph_, static_cast<double>(row), dtype::number).reshape({1});
        else {
            value const all = numbers(row, 0, static_cast<int>(row.size()));
            return all.reshape(op::in_front(1, all.shape()));
        }
    }
    template <double V>
    constexpr value build_node(constant_expr<V>*) {
        return value::constant(graph_, V, dtype::number);
    }
    template <class F>
    constexpr value build_node(let_expr<F>*) {
        return (*this).template operator()<typename let_expr<F>::body>();
    }
    /// A value under a name, and a body that is lowered where it has it. Another value of that name makes another scope.
    template <parameters P, class X, class B>
    constexpr value build_node(expr<with<op::let, P>, X, B>*) {
        constexpr std::uint64_t id = op::let::number_of(P.attr);
        int const named = (*this).template operator()<X>().id(), at = instances_.size();
        instances_.push_back({let_variable<id, X>::type::name(), named});
        std::uint64_t const outer = std::exchange(scope_, mix(mix(scope_, id), static_cast<std::uint64_t>(named)));
        value const body = (*this).template operator()<B>();
        scope_ = outer;
        instances_[at].name = {};
        return body;
    }
    template <class Op, class... A>
    constexpr value build_node(expr<Op, A...>*) {
        using O = typename operation<Op>::type;
        constexpr auto const& given = operation<Op>::given;
        std::array<value, sizeof...(A)> operands {(*this).template operator()<A>()... };  // braces: from left to right
        if constexpr (requires { O::is_composite; }) {
            return [&]<std::size_t... I>(std::index_sequence<I...>) {
                return O::expand(given.attr, operands[I]...);
            }(std::index_sequence_for<A...>{});
        } else if constexpr (requires { O::lower(operands[0], operands[0]); }) {
            return O::lower(operands[0], operands[1]);
        } else {
            return [&]<std::size_t... I>(std::index_sequence<I...>) {
                return build_on<O>(given.attr, known_target(given.target, operands[0].shape()), {operands[I]...});
            }(std::index_sequence_for<A...>{});
        }
    }

    static constexpr std::string_view slot_name(int slot) {
        return slot < 26 ? std::string_view("abcdefghijklmnopqrstuvwxyz").substr(static_cast<std::size_t>(slot), 1) : "operand";
    }
    /// Extents of a target shape that are known at run time only are those of the operand, in order.
    static constexpr shape known_target(shape target, shape const& from) {
        int next = 0;
        for (int axis = 0; axis < target.rank(); ++axis) {
            if (target[axis] != dyn) continue;
            while (next < from.rank() && from[next].is_static()) ++next;
            if (next < from.rank()) target[axis] = from[next++];
        }
        return target;
    }

    struct entry {
        std::uint64_t hash = 0;
        int id = -1;
    };
    constexpr int slot(std::uint64_t hash) const {
        auto mask = static_cast<std::uint64_t>(table_.size() - 1), i = hash & mask;
        while (table_[static_cast<int>(i)].id >= 0 && table_[static_cast<int>(i)].hash != hash) i = (i + 1) & mask;
        return static_cast<int>(i);
    }
    constexpr int find(std::uint64_t hash) const { return table_.size() ? table_[slot(hash)].id : -1; }
    constexpr void remember(std::uint64_t hash, int id) {
        if (2 * ++count_ > table_.size()) {
            list<entry> old(table_.size() ? 4 * table_.size() : 64);
            old.swap(table_);
            for (entry const& e : old)
                if (e.id >= 0) table_[slot(e.hash)] = e;
        }
        table_[slot(hash)] = {hash, id};
    }
    struct instance_entry {
        std::string_view name;
        int id = -1;
    };
    graph& graph_;
    list<instance_entry> instances_;
    std::uint64_t scope_ = 0;  ///< of the values that have names, see build_node of op::let
    list<std::uint64_t> levels_;  ///< the calls of functions, of gr::vmap's too
    unifier known_;
    list<entry> table_;
    int count_ = 0;
};

template <class E>
constexpr output_entry lower_output(lowering& lower, E*) {
    return { lower.template operator()<E>().id(), -1 };
}
template <class S, class E>
constexpr output_entry lower_output(lowering& lower, update_expr<S, E>*) {
    int source = lower.template operator()<E>().id();
    return {source, lower.symbol_number(S::name(), S::type)};
}

/// The graph of an expression on slots. Where extents are known at run time only, it is lowered twice: once to collect which
/// of them have to be equal, then with each class of equal ones as a named dimension d00, d01, ... or as the number it is.
template <class E, bool IsStatic>
constexpr graph lower_slots() {
    unifier known;
    graph g;
    if constexpr (!IsStatic) {
        graph demands;
        demands.unknowns = &known;
        lowering(demands).template operator()<E>();
        for (symbol_entry const& s : demands.symbols)
            for (int axis = 0; axis < s.type.shape.rank(); ++axis) known.name(s.type.shape[axis]);
    }
    g.outputs.push_back({lowering(g, known).template operator()<E>().id(), -1});
    return g;
}

/// The graph of some expressions (and updates) as they are written: grad and jvp are still nodes.
template <class... E>
constexpr graph lower() {
    graph g;
    lowering each(g);
    (g.outputs.push_back(lower_output(each, static_cast<E*>(nullptr))), ...);
    return g;
}

}  // namespace gradus::inline GRADUS_ARCH::core
