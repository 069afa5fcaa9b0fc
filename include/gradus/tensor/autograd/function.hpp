// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/tensor/autograd/context.hpp>

// Operations whose derivative the user writes.

namespace gradus::inline GRADUS_ARCH {

namespace core {

constexpr std::string_view unqualified(std::string_view pretty) {
    std::string_view name = pretty.substr(pretty.find("F = ") + 4);
    name = name.substr(0, name.find_first_of(";]"));
    if (name.ends_with('>')) {  // template arguments
        std::size_t at = name.size();
        for (int open = 0; at > 0;) {
            --at;
            open += (name[at] == '>') - (name[at] == '<');
            if (open == 0) break;
        }
        name = name.substr(0, at);
    }
    return name.substr(name.rfind(':') + 1);
}
template <class F>
struct function_name {
    static constexpr std::string_view given() { return unqualified(__PRETTY_FUNCTION__); }
    static constexpr auto letters = [] {
        constexpr std::string_view tail = "Backward";
        std::array<char, given().size() + tail.size()> all{};
        for (std::size_t i = 0; i < all.size(); ++i) all[i] = i < given().size() ? given()[i] : tail[i - given().size()];
        return all;
    }();
    static constexpr std::string_view value{letters.data(), letters.size()};
};

template <class F, std::size_t Gradients, std::size_t Arguments>
constexpr text gradient_count_complaint() {
    if (Gradients == Arguments) return {};
    return concat("gradus::autograd::function: ", function_name<F>::given(), "::backward returns ", static_cast<int>(Gradients),
                  " gradients, forward takes ", static_cast<int>(Arguments),
                  " arguments: return a tuple of one gradient per argument, `nothing` for what has none");
}
template <class F, int At, class Argument, class Gradient>
constexpr text gradient_complaint() {
    if constexpr (std::is_same_v<Gradient, nothing_t>) return {};
    else if constexpr (!tensor_handle<Argument>)
        return concat("gradus::autograd::function: ", function_name<F>::given(), "::backward returns a gradient at index ", At,
                      ", but that argument of forward is no tensor: return `nothing`");
    else if constexpr (is_tensor<Argument> && !std::is_same_v<Gradient, any_tensor>) {
        if (can_hold(Argument::type, Gradient::type)) return {};
        return concat("gradus::autograd::function: ", function_name<F>::given(), "::backward returns an invalid gradient at index ", At,
                      ": got ", Gradient::type, " but expected shape compatible with ", Argument::type);
    } else return {};
}

/// A function with the types of its arguments.
template <class F, class... A>
struct function_call {
    static_assert(
        requires(autograd::context& ctx, A const&... a) { F::forward(ctx, a...); },
        "gradus::autograd::function: forward(context&, arguments...) does not take these arguments");
    using returned = decltype(computed_results(F::forward(std::declval<autograd::context&>(), std::declval<A const&>()...)));
    using outputs = std::conditional_t<is_tensor_tuple<returned>, returned, std::tuple<returned>>;
    static constexpr std::size_t output_count = std::tuple_size_v<outputs>;
    static constexpr int input_count = (0 + ... + int{tensor_handle<A>});
    /// Per argument: its number among the tensors.
    static constexpr auto input_of = [] {
        std::array<int, sizeof...(A) + 1> numbers{};
        int next = 0, at = 0;
        ((numbers[static_cast<std::size_t>(at++)] = tensor_handle<A> ? next++ : -1), ...);
        return numbers;
    }();
    static constexpr bool once = requires { requires F::once_differentiable; };

    static returned apply(std::source_location where, A const&... a) {
        tensor_ref in[input_count + 1];
        int next = 0;
        auto take = [&](auto const& argument) {
            if constexpr (tensor_handle<std::remove_cvref_t<decltype(argument)>>) in[next++] = argument.state();
        };
        (take(a), ...);
        autograd::context ctx;
        bool requires_grad = false;
        for (int i = 0; i < static_cast<int>(sizeof...(A)); ++i) {
            int const k = input_of[static_cast<std::size_t>(i)];
            if (k < 0 || !in[k] || !in[k]->is_recorded()) continue;
            requires_grad = true;
            if (i < 64) function_access::need(ctx, i);
        }
        outputs results = [&] {
            no_grad guard;
            return outputs(computed_results(F::forward(ctx, a...)));
        }();
        std::array<tensor_ref, output_count> out =
            std::apply([](auto const&... t) { return std::array<tensor_ref, output_count>{t.state()...}; }, results);
        function_access::enter(kind, ctx, {in, static_cast<std::size_t>(input_count)}, out, requires_grad && modes.records, where);
        return [&]<std::size_t... J>(std::index_sequence<J...>) {
            return returned(std::tuple_element_t<J, outputs>(out[J])...);
        }(std::make_index_sequence<output_count>{});
    }

    static void backward(tape_node& base, backward_call& call) {
        auto& n = static_cast<function_node&>(base);
        autograd::context ctx;
        function_access::open(ctx, n);
        for (int i = 0; i < static_cast<int>(sizeof...(A)) && i < 64; ++i) {
            int const k = input_of[static_cast<std::size_t>(i)];
            if (k >= 0 && n.edges[static_cast<std::size_t>(k)] && call.wants(static_cast<std::size_t>(k))) function_access::need(ctx, i);
        }
        {
            set_grad_enabled guard(call.recorder && !once);
            [&]<std::size_t... J>(std::index_sequence<J...>) {
                give(n, call, F::backward(ctx, std::tuple_element_t<J, outputs>(function_access::cotangent(n, call, J))...));
            }(std::make_index_sequence<output_count>{});
        }
        if (once && call.recorder) function_access::end_here(n, call);
    }
    static constexpr node_kind kind{function_name<F>::value, &backward, &node_block<function_node>::destroy, nullptr, nullptr, true};

private:
    template <class G>
    static void give(function_node const& n, backward_call& call, G const& gradients) {
        if constexpr (!is_tensor_tuple<G>) give(n, call, std::tuple<G>(gradients));
        else {
            constexpr std::size_t count = std::tuple_size_v<G>;
            report<&gradient_count_complaint<F, count, sizeof...(A)>>();
            if constexpr (count == sizeof...(A))
                [&]<std::size_t... I>(std::index_sequence<I...>) {
                    (give_one<I, A>(n, call, std::get<I>(gradients)), ...);
                }(std::make_index_sequence<count>{});
        }
    }
    template <std::size_t I, class Argument, class G>
    static void give_one(function_node const& n, backward_call& call, G const& gradient) {
        report<&gradient_complaint<F, static_cast<int>(I), Argument, G>>();
        if constexpr (tensor_handle<Argument> && !std::is_same_v<G, nothing_t>) {
            constexpr auto k = static_cast<std::size_t>(input_of[I]);
            if (n.edges[k] && call.wants(k)) function_access::accept(n, call, k, computed(gradient).state());
        }
    }
};
template <class F, class... A>
auto apply_function(std::source_location where, A const&... a) {
    return function_call<F, std::remove_cvref_t<decltype(computed(a))>...>::apply(where, computed(a)...);
}

}  // namespace core

namespace autograd {

/// An operation whose derivative is the user's, as one node of the tape, named after the class:
///
///     struct mul_constant : gr::autograd::function<mul_constant> {
///         static gr::tensor<double, 3> forward(gr::autograd::context& ctx, gr::tensor<double, 3> x, double k) {
///             ctx.saved_data<double>() = k;
///             return x * k;
///         }
///         static auto backward(gr::autograd::context& ctx, gr::tensor<double, 3> gradient) {
///             return std::tuple(gradient * ctx.saved_data<double>(), nothing);
///         }
///     };
///     gr::tensor y = mul_constant::apply(x, 3.0);
///
/// `forward` takes tensors and anything else, returns a tensor, an expression, or a tuple of those, and is not recorded.
/// `backward` is given the gradient of each result and returns one per argument (a tuple, if forward takes several). It is
/// recorded under create_graph, unless the class says `static constexpr bool once_differentiable = true`. It may run backward
/// passes of its own, and runs in several threads at once if they share the graph and retain it.
template <class Self>
struct function {
    static constexpr core::nothing_t nothing{};

    // one each, as a location cannot follow a pack
    template <class A>
    static auto apply(A const& a, std::source_location where = std::source_location::current()) {
        return core::apply_function<Self>(where, a);
    }
    template <class A, class B>
    static auto apply(A const& a, B const& b, std::source_location where = std::source_location::current()) {
        return core::apply_function<Self>(where, a, b);
    }
    template <class A, class B, class C>
    static auto apply(A const& a, B const& b, C const& c, std::source_location where = std::source_location::current()) {
        return core::apply_function<Self>(where, a, b, c);
    }
    template <class A, class B, class C, class D>
    static auto apply(A const& a, B const& b, C const& c, D const& d, std::source_location where = std::source_location::current()) {
        return core::apply_function<Self>(where, a, b, c, d);
    }
    template <class... A>
        requires(sizeof...(A) > 4)
    static auto apply(A const&... a) {
        return core::apply_function<Self>(std::source_location(), a...);
    }
};

}  // namespace autograd
}  // namespace gradus::inline GRADUS_ARCH
