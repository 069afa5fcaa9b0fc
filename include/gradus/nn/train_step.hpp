// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/nn/parameters.hpp>
#include <gradus/tensor/autograd/captured_program.hpp>
#include <gradus/tensor/state/factories.hpp>
#include <gradus/tensor/tape/accumulate.hpp>

#include <algorithm>
#include <array>

// A training step as one compiled program: the loss and the derivatives of all parameters. The model is the same struct that is trained
// eagerly; its calls have to be expressions.

namespace gradus::inline GRADUS_ARCH {

namespace core {

/// The leaves of an expression that have derivatives, a bool each.
template <class X>
constexpr void mark_differentiated(std::type_identity<X>, bool*&, bool) {}
template <class T, extent... E>
constexpr void mark_differentiated(std::type_identity<tensor<T, E...>>, bool*& at, bool reached) {
    *at++ = reached && is_floating(dtype_of<T>);
}
template <class T>
constexpr void mark_differentiated(std::type_identity<number<T>>, bool*& at, bool) {
    *at++ = false;
}
template <class Op, class... A>
constexpr void mark_differentiated(std::type_identity<tensor_expression<Op, A...>>, bool*& at, bool reached) {
    std::size_t operand = 0;
    auto const mark = [&](auto of_type) {
        if (is_leaf_part<Op>(operand++)) mark_differentiated(of_type, at, reached && !requires { Op::stops_gradient; });
    };
    (mark(std::type_identity<A>{}), ...);
}
/// The numbers of those leaves.
template <class X>
inline constexpr auto differentiated_places = [] {
    constexpr auto marks = [] {
        std::array<bool, static_cast<std::size_t>(leaf_count<X>) + 1> is{};
        bool* at = is.data();
        mark_differentiated(std::type_identity<X>{}, at, true);
        return is;
    }();
    std::array<std::size_t, static_cast<std::size_t>(std::count(marks.begin(), marks.end(), true))> places{};
    for (std::size_t i = 0, next = 0; i < marks.size(); ++i)
        if (marks[i]) places[next++] = i;
    return places;
}();

}  // namespace core

namespace nn {

/// What a training step is made of for one model: its program and the memory of the gradients.
template <class X>
class gradient_program {
    using leaves = decltype(core::captured_arguments<0>(std::declval<X const&>()));
    using updates = core::updates_of<X>;
    using buffers = decltype(core::updated_buffers(std::declval<X const&>()));
    static constexpr auto places = core::differentiated_places<X>;
    template <std::size_t I>
    using leaf = std::tuple_element_t<places[I], leaves>;
    static constexpr let_expr<core::released<X>> loss{};
    static constexpr auto gradient_numbers = std::make_index_sequence<places.size()>{};
    static constexpr auto update_numbers = std::make_index_sequence<std::tuple_size_v<updates>>{};
    static constexpr auto run = []<std::size_t... I, std::size_t... U>(std::index_sequence<I...>, std::index_sequence<U...>) {
        return compile(loss, grad(loss, typename leaf<I>::symbol{})..., std::tuple_element_t<U, updates>{}...);
    }(gradient_numbers, update_numbers);

public:
    using number = element_t<X::type.type>;

    /// The loss; the gradients of the tensors in `e` that require one are the new ones then. Throws before anything is changed.
    template <class... A>
    number operator()(X const& e, A&&... arguments) {
        return with(core::captured_arguments<0>(e), core::updated_buffers(e), gradient_numbers, update_numbers, arguments...);
    }

private:
    template <std::size_t... I, std::size_t... U, class... A>
    number with(leaves const& all, buffers const& updated, std::index_sequence<I...>, std::index_sequence<U...>, A&... arguments) {
        any_tensor const of[] = {std::get<places[I]>(all).data..., {}};
        for (std::size_t i = 0; i < sizeof...(I); ++i) require_leaf(of[i]);
        (core::require_buffer(std::get<U>(updated)), ...);
        (begin(std::get<I>(gradients_)), ...);
        (begin(std::get<U>(updates_)), ...);
        number value{};
        std::apply(
            [&](auto const&... captured) {
                run(captured..., out(value, std::get<I>(gradients_)..., std::get<U>(updates_)...), arguments...);
            },
            all);
        any_tensor const gradient[] = {std::get<I>(gradients_)..., {}};
        hand_out(of, gradient, sizeof...(I));
        (core::write_update(std::get<U>(updated), std::get<U>(updates_)), ...);
        return value;
    }
    template <class T, extent... E>
    static void begin(tensor<T, E...>& gradient) {
        if (!gradient.defined()) gradient = empty<T, E...>();
    }
    static void require_leaf(any_tensor const& t) {
        if (t.defined() && t.requires_grad() && !t.is_leaf())
            throw autograd_error(
                "gradus::nn::train_step: the loss captures a computed tensor that requires a gradient: parameters are leaves");
    }
    /// A tensor that stands in several places has the sum of their gradients.
    static void hand_out(any_tensor const* of, any_tensor const* gradient, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            if (!of[i].requires_grad()) continue;
            std::size_t first = 0;
            while (!(of[first] == of[i])) ++first;
            if (first < i) core::add_in_place(*gradient[first].state(), *gradient[i].state());
            else core::replace_gradient(*of[i].state(), gradient[i].state());
        }
    }
    template <std::size_t... I>
    static auto of_leaves(std::index_sequence<I...>) -> std::tuple<std::remove_cvref_t<typename leaf<I>::data_type>...>;
    decltype(of_leaves(gradient_numbers)) gradients_;
    buffers updates_;  ///< new values, before they are copied
};

/// What gr::compile makes a step of; see train_step.
template <class Model, class F, class Optimizer>
struct training {
    F loss;
    Optimizer optimizer;
};

/// A compiled training step.
template <class Model, class F, class Optimizer>
class compiled_training {
    using loss_expression = std::invoke_result_t<F const&, Model const&>;

public:
    explicit compiled_training(training<Model, F, Optimizer> of) : of_{std::move(of.loss), std::forward<Optimizer>(of.optimizer)} {}

    /// One step on bound data. The gradients stay in the parameters until the next step overwrites them.
    template <class... A>
    auto operator()(Model const& model, A&&... arguments) {
        core::program_results_t<typename gradient_program<loss_expression>::number> const value{program_(of_.loss(model), arguments...)};
        of_.optimizer.step();
        return value;
    }
    auto& optimizer() { return of_.optimizer; }

private:
    training<Model, F, Optimizer> of_;
    gradient_program<loss_expression> program_;
};

/// A step of training: `loss(model)` is an expression in which the model's tensors meet symbols. Compiled it is one program for the loss
/// and all derivatives, after which the optimiser steps:
///
///     gr::optim::adam adam(net.parameters(), {.lr = 1e-3});
///     auto step = gr::compile(nn::train_step(net, [](auto const& m) { return gr::cross_entropy(m(x), y); }, adam));
///     auto [loss] = step(net, x = X, y = Y);
///
/// The numbers are those of `loss.backward()` and `adam.step()` on tensors. An optimiser that is a variable is referred to, so that
/// schedules and checkpoints go on with it; a temporary one is kept in the step.
template <class Model, class F, class Optimizer>
auto train_step(Model const&, F loss, Optimizer&& optimizer) {
    using X = std::invoke_result_t<F const&, Model const&>;
    static_assert(run_time_operand<X> && !core::is_tensor<X>,
                  "gradus::nn::train_step(model, loss, optimizer): loss(model) is no expression on the model's tensors and on symbols");
    static_assert(X::type.shape.rank() == 0, "gradus::nn::train_step(model, loss, optimizer): loss(model) is not a scalar");
    return training<Model, F, Optimizer>{std::move(loss), std::forward<Optimizer>(optimizer)};
}

}  // namespace nn

template <class Model, class F, class Optimizer>
auto compile(nn::training<Model, F, Optimizer> step) {
    return nn::compiled_training<Model, F, Optimizer>(std::forward<nn::training<Model, F, Optimizer>>(step));
}

}  // namespace gradus::inline GRADUS_ARCH
