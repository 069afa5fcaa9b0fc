// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/body.hpp>

namespace gradus::inline GRADUS_ARCH {

/// `gr::vmap<0, gr::unmapped>(f)(xs, w)`: an argument that is the same for all instances.
struct unmapped_t {
    constexpr bool operator==(unmapped_t const&) const = default;
};
inline constexpr unmapped_t unmapped{};

namespace core {

inline constexpr int not_mapped = -1 << 20;
constexpr int mapped_axis(unmapped_t) { return not_mapped; }
constexpr int mapped_axis(int axis) { return axis; }

/// Along which axis argument k is mapped: negative ones count from the end; out of range stays out of range.
template <auto... Axes>
constexpr int axis_of_argument(int k, int rank) {
    constexpr int given[] = {mapped_axis(Axes)..., 0};
    int const axis = given[sizeof...(Axes) > 1 ? k : 0];
    return axis < 0 && axis != not_mapped && axis + rank >= 0 ? axis + rank : axis;
}
constexpr tensor_type one_instance(tensor_type const& all, int axis) {
    if (axis == not_mapped) return all;
    tensor_type one{all.type, {}};
    for (int i = 0; i < all.shape.rank(); ++i)
        if (i != axis) one.shape.push_back(all.shape[i]);
    return one;
}
constexpr tensor_type all_instances(tensor_type const& one, extent instances) { return {one.type, op::in_front(instances, one.shape)}; }

constexpr int first_mapped(std::initializer_list<int> axes) {
    int k = 0;
    while (k + 1 < static_cast<int>(axes.size()) && axes.begin()[k] == not_mapped) ++k;
    return k;
}

/// What gr::vmap calls a function with.
template <class F, class Axes, class... A>
struct vmap_instances;
template <class F, int... Axis, class... A>
struct vmap_instances<F, std::integer_sequence<int, Axis...>, A...> {
    static constexpr std::uint64_t id = [] {
        std::uint64_t h = mix(hash_of("vmap"), closure_hash<F>());
        ((h = mix(mix(h, A::hash), static_cast<std::uint64_t>(Axis))), ...);
        return h;
    }();
    using arguments = std::tuple<A...>;
    using numbers = std::make_integer_sequence<int, static_cast<int>(sizeof...(A))>;
    static constexpr int axes[] = {Axis...};
    static constexpr int first = first_mapped({Axis...});
    static constexpr extent instances = std::tuple_element_t<static_cast<std::size_t>(first), arguments>::type.shape[axes[first]];

    template <int K>
    using argument = std::tuple_element_t<static_cast<std::size_t>(K), arguments>;
    /// An instance, or the argument itself.
    template <int K>
    using instance =
        std::conditional_t<axes[K] == not_mapped, argument<K>, placeholder<id, "instance", K, one_instance(argument<K>::type, axes[K])>>;
    template <int... K>
    static constexpr bool is_callable(std::integer_sequence<int, K...>) {
        return std::is_invocable_v<F const&, instance<K>...>;
    }
};
/// gr::vmap of a function on arguments.
template <class F, class Axes, class... A>
struct vmap_call : vmap_instances<F, Axes, A...> {
    template <int... K>
    static auto called(std::integer_sequence<int, K...>) -> std::invoke_result_t<F const&, typename vmap_call::template instance<K>...>;
    using result = decltype(called(typename vmap_call::numbers{}));
    static constexpr int weight = 1 + (0 + ... + A::weight);
};

/// Result K of a function for all instances, along a new first axis.
template <class Call, int K>
struct vmap_expr : expression_facts<vmap_expr<Call, K>> {
    using one = std::tuple_element_t<static_cast<std::size_t>(K), leaves_of<typename Call::result>>;
    static constexpr tensor_type type = all_instances(one::type, Call::instances);
    static constexpr std::uint64_t hash = mix(mix(hash_of("vmap"), Call::id), one::hash);
    static constexpr int weight = Call::weight;
};

template <class... A>
constexpr text vmap_arguments_complaint(int const* axes) {
    constexpr tensor_type types[] = {A::type...};
    int first = -1;
    for (int k = 0; k < static_cast<int>(sizeof...(A)); ++k) {
        if (axes[k] == not_mapped) continue;
        if (axes[k] < 0 || axes[k] >= types[k].shape.rank())
            return concat("gradus::vmap(f)(xs...): argument ", k, " has no axis ", axes[k], " to map along: it is ", types[k],
                          ". What is the same for all instances is gr::unmapped in gr::vmap<0, gr::unmapped>(f), or captured");
        if (first < 0) first = k;
        extent const a = types[first].shape[axes[first]], b = types[k].shape[axes[k]];
        if (!(a == b || a == dyn || b == dyn))
            return concat("gradus::vmap(f)(xs...): numbers of instances differ: argument ", first, " is ", types[first], ", argument ", k,
                          " is ", types[k], " (", a, " != ", b, ")");
    }
    if (first < 0) return concat("gradus::vmap<axes...>(f)(xs...): no argument is mapped");
    return {};
}
template <class Instances>
constexpr text vmap_callee_complaint() {
    if (Instances::is_callable(typename Instances::numbers{})) return {};
    return concat("gradus::vmap(f)(xs...): f cannot be called with ", static_cast<int>(std::tuple_size_v<typename Instances::arguments>),
                  " of these arguments");
}
template <class Call>
constexpr text vmap_result_complaint() {
    using result = typename Call::result;
    if constexpr (!expressions_in<leaves_of<result>>)
        return concat(
            "gradus::vmap(f)(xs...): f returns no expression of its arguments: return one, or a tuple of them. Tensors that f needs are "
            "arguments, gr::unmapped in gr::vmap<0, gr::unmapped>(f) where they are the same for all instances");
    else {
        for (int k = 0; k < types_of<leaves_of<result>>.count; ++k)
            if (types_of<leaves_of<result>>.at[k].shape.rank() == max_rank)
                return concat("gradus::vmap(f)(xs...): f returns ", types_of<leaves_of<result>>.at[k], ", whose ", max_rank,
                              " axes leave none for the instances");
        return {};
    }
}

/// Base of functions on expressions that take tensors too: then they are expressions on tensors, computed when they are assigned
/// (tensor/autograd/vmap.hpp).
template <class Self>
struct on_tensors_too {
    static constexpr int axis(int, int) { return not_mapped; }
    template <class... A>
    static constexpr text complaint() {
        return {};
    }
    template <class... A>
        requires(run_time_operand<A> || ...)
    auto operator()(A... arguments) const {
        return map_tensors(Self{}, std::move(arguments)...);
    }
};

/// A function that is mapped, as gr::vmap returns it.
template <class F, auto... Axes>
struct vmapped : on_tensors_too<vmapped<F, Axes...>> {
    using on_tensors_too<vmapped>::operator();
    static constexpr std::uint64_t hash = [] {
        std::uint64_t h = mix(hash_of("vmapped"), closure_hash<F>());
        ((h = mix(h, static_cast<std::uint64_t>(mapped_axis(Axes)))), ...);
        return h;
    }();
    static constexpr int axis(int k, int rank) { return axis_of_argument<Axes...>(k, rank); }
    template <class... A>
    static constexpr text complaint() {
        if (sizeof...(Axes) > 1 && sizeof...(Axes) != sizeof...(A))
            return concat("gradus::vmap<axes...>(f)(xs...): there are ", int{sizeof...(Axes)}, " axes for ", int{sizeof...(A)},
                          " arguments");
        int k = 0;
        int const axes[] = {axis_of_argument<Axes...>(k++, A::type.shape.rank())...};
        return vmap_arguments_complaint<A...>(axes);
    }
    template <template <class...> class Call, class... A, std::size_t... K>
    static auto call_of(std::index_sequence<K...>)
        -> Call<F, std::integer_sequence<int, axis_of_argument<Axes...>(static_cast<int>(K), A::type.shape.rank())...>, A...>;

    /// f on every instance: its results along a new first axis.
    template <expression... A>
        requires(sizeof...(A) > 0)
    constexpr auto operator()(A... arguments) const {
        report<&complaint<A...>>();
        if constexpr (!is_empty<&complaint<A...>>) return std::get<0>(std::tuple{arguments...});
        else {
            using called_with = decltype(call_of<vmap_instances, A...>(std::index_sequence_for<A...>{}));
            using call = decltype(call_of<vmap_call, A...>(std::index_sequence_for<A...>{}));
            report<&vmap_callee_complaint<called_with>>();
            if constexpr (!is_empty<&vmap_callee_complaint<called_with>>) return std::get<0>(std::tuple{arguments...});
            else {
                report<&vmap_result_complaint<call>>();
                if constexpr (!is_empty<&vmap_result_complaint<call>>) return std::get<0>(std::tuple{arguments...});
                else return results_of<vmap_expr, call>();
            }
        }
    }
};

}  // namespace core

/// A function of one instance as a function of all of them, as jax.vmap: `gr::vmap([](auto x) { return sum(w * x); })(xs)`.
///
/// `f` maps expressions, one instance of each argument, to an expression or a tuple of them; the results stand along a new first axis.
/// `Axes` says along which axis each argument is mapped: 0 where nothing is said, one number for all, or one for each, gr::unmapped for an
/// argument that is the same for all instances. What `f` captures is shared, and what does not depend on an instance is computed once.
/// Extents may be named. It nests with grad, jvp and itself; inside of `f` derivatives see an instance as a variable of its own.
template <auto... Axes, class F>
constexpr auto vmap([[maybe_unused]] F f) {
    return core::vmapped<F, Axes...>{};
}

}  // namespace gradus::inline GRADUS_ARCH
