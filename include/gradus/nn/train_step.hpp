// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/nn/parameters.hpp>
#include <gradus/tensor/autograd/captured_program.hpp>
#include <gradus/tensor/state/factories.hpp>
#include <gradus/tensor/tape/accumulate.hpp>

// A training step as one compiled program: the loss and the derivatives of all parameters. The model is the same struct that is trained
// eagerly; its calls have to be expressions.

namespace gradus::inline GRADUS_ARCH {

namespace core {

template <class Bound>
inline constexpr bool is_differentiated = false;
template <class S, class T, extent... E>
inline constexpr bool is_differentiated<binding<S, tensor<T, E...> const&>> = is_floating(dtype_of<T>);

/// The tensors among captured leaves that have derivatives: their places.
template <class... Bound>
constexpr auto differentiated_places(std::type_identity<std::tuple<Bound...>>) {
    constexpr std::size_t count = (std::size_t{is_differentiated<Bound>} + ... + 0);
    std::array<std::size_t, count> places{};
    std::size_t next = 0, at = 0;
    ((is_differentiated<Bound> ? void(places[next++] = at) : void(), ++at), ...);
    return places;
}

}  // namespace core

namespace nn {

/// What a training step is made of for one model: its program and the memory of the gradients.
template <class X>
class gradient_program {
    using leaves = decltype(core::captured_arguments<0>(std::declval<X const&>()));
    static constexpr auto places = core::differentiated_places(std::type_identity<leaves>{});
    template <std::size_t I>
    using leaf = std::tuple_element_t<places[I], leaves>;
    static constexpr let_expr<core::released<X>> loss{};
    static constexpr auto run = []<std::size_t... I>(std::index_sequence<I...>) {
        return compile(loss, grad(loss, typename leaf<I>::symbol{})...);
    }(std::make_index_sequence<places.size()>{});

public:
    using number = element_t<X::type.type>;

    /// The loss; the gradients of the tensors in `e` that require one are the new ones then. Throws before anything is changed.
    template <class... A>
    number operator()(X const& e, A&&... arguments) {
        return with(core::captured_arguments<0>(e), std::make_index_sequence<places.size()>{}, arguments...);
    }

private:
    template <std::size_t... I, class... A>
    number with(leaves const& all, std::index_sequence<I...>, A&... arguments) {
        any_tensor const of[] = {std::get<places[I]>(all).data..., {}};
        for (std::size_t i = 0; i < sizeof...(I); ++i) require_leaf(of[i]);
        (begin(std::get<I>(gradients_)), ...);
        number value{};
        std::apply([&](auto const&... captured) { run(captured..., out(value, std::get<I>(gradients_)...), arguments...); }, all);
        any_tensor const gradient[] = {std::get<I>(gradients_)..., {}};
        hand_out(of, gradient, sizeof...(I));
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
    template <class Places>
    struct tensors_at;
    template <std::size_t... I>
    struct tensors_at<std::index_sequence<I...>> {
        using type = std::tuple<std::remove_cvref_t<typename leaf<I>::data_type>...>;
    };
    typename tensors_at<std::make_index_sequence<places.size()>>::type gradients_;
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
