// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/tensor/state/tensor.hpp>

#include <tuple>

namespace gradus::inline GRADUS_ARCH {

/// Options of autograd::grad, by name.
struct grad_options {
    std::vector<any_tensor> grad_outputs{};  ///< one per output: the derivative of a loss with respect to it
    core::choice retain_graph{};             ///< as create_graph if not said
    core::recording_option create_graph{};   ///< the gradients can be differentiated again
    core::choice allow_unused{};       ///< an input that no output depends on has an undefined gradient; as materialize_grads if not said
    core::choice materialize_grads{};  ///< it has zeros instead
};

namespace core {

inline list<tensor_ref> gradients_of(array_view<tensor_ref const> outputs, array_view<tensor_ref const> inputs,
                                     grad_options const& options) {
    if (inputs.empty()) throw autograd_error("grad requires non-empty inputs.");
    if (options.materialize_grads.value && options.allow_unused.said && !options.allow_unused.value)
        throw autograd_error("Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False.");
    list<edge> targets;
    for (tensor_ref const& input : inputs) {
        edge e = input ? edge_of(input) : edge{};
        if (!e) throw autograd_error("One of the differentiated Tensors does not require grad");
        targets.push_back(e);
    }
    backward_pass pass({options.retain_graph.value_or(options.create_graph.recorder != nullptr), options.create_graph.recorder});
    pass.only_for({targets.begin(), targets.end()});
    list<tensor_ref>& found = pass.captured();
    run_backward(pass, outputs, {options.grad_outputs.data(), options.grad_outputs.size()}, [&] {
        for (int i = 0; i < found.size(); ++i) {
            tensor_state const& input = *inputs[static_cast<std::size_t>(i)];
            if (found[i]) continue;
            if (options.materialize_grads.value) found[i] = zeros_like(input.type, input.rank, input.extents);
            else if (!options.allow_unused.value)
                throw autograd_error(
                    "One of the differentiated Tensors appears to not have been used in the graph. Set allow_unused=true if this is the "
                    "desired behavior.");
        }
    });
    return std::move(found);
}
template <class T>
inline constexpr bool is_tuple = false;
template <class... T>
inline constexpr bool is_tuple<std::tuple<T...>> = true;
template <class T>
inline constexpr bool is_tuple<single_result<T>> = true;

/// A tensor or an expression, or a tuple of them, as a tuple of tensors.
auto as_tuple(auto const& one_or_more) {
    if constexpr (is_tuple<std::remove_cvref_t<decltype(one_or_more)>>)
        return std::apply([](auto const&... each) { return std::tuple<decltype(tensor(each))...>(tensor(each)...); }, one_or_more);
    else return std::tuple<decltype(tensor(one_or_more))>(tensor(one_or_more));
}
template <class... T>
std::array<tensor_ref, sizeof...(T)> states_of(std::tuple<T...> const& all) {
    return std::apply([](auto const&... t) { return std::array<tensor_ref, sizeof...(T)>{t.state()...}; }, all);
}

}  // namespace core

namespace autograd {

/// The derivatives of an output, or of a tuple of outputs, with respect to tensors, without touching anybody's grad():
/// `auto dx = grad(loss, x)`, `auto [dx, dw] = grad(loss, std::tuple(x, w))`. An input that nothing depends on is an error
/// unless allow_unused or materialize_grads is set.
template <class Outputs, class Inputs>
auto grad(Outputs const& outputs, Inputs const& inputs, grad_options const& options = {}) {
    auto const out = core::as_tuple(outputs);
    auto const in = core::as_tuple(inputs);
    auto const roots = core::states_of(out);
    auto const leaves = core::states_of(in);
    core::list<core::tensor_ref> found = core::gradients_of({roots.data(), roots.size()}, {leaves.data(), leaves.size()}, options);
    if constexpr (!core::is_tuple<Inputs>) return std::remove_cvref_t<decltype(std::get<0>(in))>(found[0]);
    else
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            return std::tuple(std::remove_cvref_t<std::tuple_element_t<I, Inputs>>(found[static_cast<int>(I)])...);
        }(std::make_index_sequence<std::tuple_size_v<Inputs>>{});
}

/// backward() of several roots at once; `gradients` has one for each that is no scalar (all or none).
template <class... T>
void backward(std::tuple<T...> const& roots, std::vector<any_tensor> const& gradients = {}, backward_options const& options = {}) {
    auto const states = core::states_of(roots);
    core::backward({states.data(), states.size()}, {gradients.data(), gradients.size()}, options);
}

}  // namespace autograd
}  // namespace gradus::inline GRADUS_ARCH
