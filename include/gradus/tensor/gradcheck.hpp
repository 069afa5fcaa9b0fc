// SPDX-License-Identifier: BSL-1.0
#pragma once

// g++ takes names here for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

#include <gradus/program/compile.hpp>
#include <gradus/tensor/autograd/autograd.hpp>

// Derivatives against differences of values.

namespace gradus::inline GRADUS_ARCH {

/// Options of gradcheck and gradgradcheck, by name; the defaults are PyTorch's, made for double.
struct gradcheck_options {
    double eps = 1e-6;   ///< the step of the central differences
    double atol = 1e-5;  ///< |analytical - numerical| <= atol + rtol |numerical|
    double rtol = 1e-3;
    double nondet_tol = 0;        ///< how much two backward passes may differ
    bool raise_exception = true;  ///< else a failed check returns false
};

namespace core {

/// The derivatives of one output with respect to one input: rows are the output's elements.
struct jacobian_values {
    std::int64_t rows = 0, columns = 0;
    list<double> values;

    jacobian_values() = default;
    jacobian_values(std::int64_t m, std::int64_t n) : rows(m), columns(n), values(static_cast<int>(m * n), 0) {}
    double& at(std::int64_t row, std::int64_t column) { return values[static_cast<int>(row * columns + column)]; }
    double const& at(std::int64_t row, std::int64_t column) const { return values[static_cast<int>(row * columns + column)]; }
};

inline bool failed(gradcheck_options const& o, auto const&... what) {
    if (o.raise_exception) throw autograd_error(concat(what...).str());
    return false;
}
inline bool agree(gradcheck_options const& o, int output, int input, jacobian_values const& numerical, jacobian_values const& analytical) {
    for (std::int64_t i = 0; i < numerical.rows; ++i)
        for (std::int64_t j = 0; j < numerical.columns; ++j) {
            double const n = numerical.at(i, j), a = analytical.at(i, j);
            double const difference = a < n ? n - a : a - n;
            if (difference <= o.atol + o.rtol * (n < 0 ? -n : n)) continue;
            return failed(o, "Jacobian mismatch for output ", output, " with respect to input ", input, ", element ", i, " by element ", j,
                          ":\nnumerical: ", n, "\nanalytical: ", a);
        }
    return true;
}

inline double read_element(tensor_state const& t, std::int64_t index, std::int64_t& offset) {
    offset = 0;
    for (int axis = t.rank - 1; axis >= 0; --axis) {
        offset += index % t.extents[axis] * t.stride(axis);
        index /= t.extents[axis];
    }
    double value = 0;
    with_dtype(t.type, [&]<class T>(T) { value = static_cast<double>(reinterpret_cast<T const*>(t.data)[offset]); });
    return value;
}
inline double read_element(tensor_state const& t, std::int64_t index) {
    std::int64_t offset;
    return read_element(t, index, offset);
}
inline void write_element(tensor_state const& t, std::int64_t offset, double value) {
    with_dtype(t.type, [&]<class T>(T) { reinterpret_cast<T*>(t.data)[offset] = static_cast<T>(value); });
}

/// Has its value back at the end of the scope.
struct restored_element {
    tensor_state const& of;
    std::int64_t offset;
    double value;
    ~restored_element() { write_element(of, offset, value); }
};

/// A function of tensors whose types are hidden: fills a list with its outputs.
using hidden_function = callback<list<tensor_ref>&>;

/// Checks the derivatives of a function that reads `inputs` and fills a list with its outputs.
class gradient_check {
public:
    gradient_check(hidden_function f, array_view<tensor_ref const> inputs, gradcheck_options const& o)
        : f_(std::move(f)), inputs_(inputs), o_(o) {}

    bool run() const {
        bool any = false;
        for (std::size_t k = 0; k < inputs_.size(); ++k) {
            if (!inputs_[k]->is_recorded()) continue;
            any = true;
            if (inputs_[k]->type != dtype::float64)
                warn(concat("Input #", static_cast<std::int64_t>(k),
                            " requires gradient and is not a double precision floating point. This check will likely fail if all the "
                            "inputs are not of double precision floating point.")
                         .view());
        }
        if (!any)
            throw autograd_error(
                "gradcheck expects at least one input tensor to require gradient, but none of them have requires_grad=true.");
        list<tensor_ref> outputs;
        {
            set_grad_enabled on(true);
            f_(outputs);
        }
        for (std::size_t k = 0; k < inputs_.size(); ++k)
            if (inputs_[k]->is_recorded() && !check(outputs, static_cast<int>(k))) return false;
        return true;
    }

private:
    bool check(list<tensor_ref> const& outputs, int input) const {
        list<jacobian_values> const numerical = differences(outputs, input);
        for (int j = 0; j < outputs.size(); ++j) {
            if (!is_floating(outputs[j]->type)) continue;
            if (!agree(o_, j, input, numerical[j], derivatives(outputs[j], input))) return false;
        }
        for (int j = 0; j < outputs.size(); ++j) {
            if (!is_floating(outputs[j]->type)) continue;
            jacobian_values const first = derivatives(outputs[j], input), again = derivatives(outputs[j], input),
                                  zero = derivatives(outputs[j], input, 0);
            for (int i = 0; i < first.values.size(); ++i) {
                double const difference = first.values[i] - again.values[i];
                if (!(difference <= o_.nondet_tol && -difference <= o_.nondet_tol) && first.values[i] == first.values[i])
                    return failed(
                        o_,
                        "Backward is not reentrant, i.e., running backward with same input and grad_output multiple times gives different "
                        "values, although analytical gradient matches numerical gradient. The tolerance for nondeterminism was ",
                        o_.nondet_tol, ".\nOutput ", j, " with respect to input ", input, ": ", first.values[i], ", then ",
                        again.values[i]);
                if (zero.values[i] != 0 && zero.values[i] == zero.values[i])
                    return failed(o_, "backward not multiplied by grad_output: output ", j, " with respect to input ", input);
            }
        }
        return true;
    }

    /// By rows, from backward passes that begin with `seed` at one element.
    jacobian_values derivatives(tensor_ref const& output, int input, double seed = 1) const {
        tensor_ref const& in = inputs_[static_cast<std::size_t>(input)];
        jacobian_values found(output->size(), in->size());
        if (!output->is_recorded()) return found;
        grad_options options;
        options.retain_graph = true;
        options.allow_unused = true;
        for (std::int64_t i = 0; i < found.rows; ++i) {
            tensor_ref start = zeros_like(output->type, output->rank, output->extents);
            write_element(*start, i, seed);
            options.grad_outputs = {any_tensor(start)};
            list<tensor_ref> const row = gradients_of(array_view(&output, 1), array_view(&in, 1), options);
            if (!row[0]) continue;
            for (std::int64_t j = 0; j < found.columns; ++j) found.at(i, j) = read_element(*row[0], j);
        }
        return found;
    }

    /// By columns, from values at two sides of an input's element.
    list<jacobian_values> differences(list<tensor_ref> const& outputs, int input) const {
        tensor_state const& in = *inputs_[static_cast<std::size_t>(input)];
        list<jacobian_values> found;
        for (tensor_ref const& y : outputs) found.push_back({y->size(), in.size()});
        for (std::int64_t j = 0; j < in.size(); ++j) {
            std::int64_t offset;
            double const middle = read_element(in, j, offset);
            for (double side : {-1.0, 1.0}) {
                write_element(in, offset, middle + side * o_.eps);
                restored_element const restore{in, offset, middle};
                list<tensor_ref> moved;
                f_(moved);
                for (int k = 0; k < moved.size(); ++k)
                    for (std::int64_t i = 0; i < found[k].rows; ++i) found[k].at(i, j) += side * read_element(*moved[k], i) / (2 * o_.eps);
            }
        }
        return found;
    }
    hidden_function f_;
    array_view<tensor_ref const> inputs_;
    gradcheck_options o_;
};

/// The derivatives of f's outputs with respect to its inputs that want one, as functions of those and of the derivatives `v`
/// to begin with, which are drawn at random.
class second_gradient_check {
public:
    second_gradient_check(hidden_function f, array_view<tensor_ref const> inputs, gradcheck_options const& o, recording_option recording)
        : f_(std::move(f)), recording_(recording), o_(o) {
        for (tensor_ref const& x : inputs) {
            all_.push_back(x);
            if (x->is_recorded()) wanted_.push_back(x);
        }
    }
    bool run() {
        list<tensor_ref> outputs;
        f_(outputs);
        random numbers(1);
        for (tensor_ref const& y : outputs) {
            v_.push_back(zeros_like(y->type, y->rank, y->extents));
            if (!is_floating(y->type)) continue;
            for (std::int64_t i = 0; i < y->size(); ++i) write_element(*v_.back(), i, numbers.normal());
            v_.back()->requires_grad = true;
            all_.push_back(v_.back());
        }
        return gradient_check(hidden_function([this](list<tensor_ref>& to) { gradients(to); }), {all_.begin(), all_.end()}, o_).run();
    }

private:
    void gradients(list<tensor_ref>& to) const {
        set_grad_enabled on(true);
        list<tensor_ref> outputs, roots;
        f_(outputs);
        grad_options options;
        options.create_graph = recording_;
        options.allow_unused = true;
        options.materialize_grads = true;
        for (int j = 0; j < outputs.size(); ++j) {
            if (!outputs[j]->is_recorded()) continue;
            roots.push_back(outputs[j]);
            options.grad_outputs.push_back(any_tensor(v_[j]));
        }
        to = gradients_of({roots.begin(), roots.end()}, {wanted_.begin(), wanted_.end()}, options);
    }
    hidden_function f_;
    recording_option recording_;
    gradcheck_options o_;
    list<tensor_ref> all_, wanted_, v_;
};

template <class F, class... X>
hidden_function hidden(F const& f, std::tuple<X...> const& inputs) {
    return hidden_function([&](list<tensor_ref>& to) {
        std::apply([&](auto const&... y) { (to.push_back(y.state()), ...); }, as_tuple(std::apply(f, inputs)));
    });
}
template <class F, class... X>
bool check_gradients(F const& f, std::tuple<X...> const& inputs, gradcheck_options const& o) {
    auto const states = states_of(inputs);
    return gradient_check(hidden(f, inputs), states, o).run();
}
template <class F, class... X>
bool check_second_gradients(F const& f, std::tuple<X...> const& inputs, gradcheck_options const& o) {
    auto const states = states_of(inputs);
    return second_gradient_check(hidden(f, inputs), states, o, recording_option(true)).run();
}

/// A tensor with a copy of what a symbol is bound to.
template <class S, class Axes>
struct bound_copy;
template <class S, int... Axis>
struct bound_copy<S, std::integer_sequence<int, Axis...>> {
    using type = tensor<typename S::element_type, (S::type.shape[Axis].is_static() ? S::type.shape[Axis] : dyn)...>;

    template <class Data>
    static type of(binding<S, Data> const& b) {
        shape s = S::type.shape;
        if (!s.is_static() && !known_shape<Data>(b.data, s)) {
            std::int64_t const unknown = data_size(b.data) / s.static_size();
            for (int axis = 0; axis < s.rank(); ++axis)
                if (!s[axis].is_static()) s[axis] = unknown;
        }
        if (data_size(b.data) != s.static_size())
            throw shape_error(concat("gradus::gradcheck(", S::name(), " = data): the data has ", data_size(b.data), " elements, ",
                                     S::name(), " is ", S::type)
                                  .str());
        type made(s, data_pointer(b.data));
        if constexpr (is_floating(S::type.type)) made.requires_grad_();
        return made;
    }
};
template <class S, class Data>
auto copy_of(binding<S, Data> const& b) {
    return std::tuple(bound_copy<S, std::make_integer_sequence<int, S::type.shape.rank()>>::of(b));
}
inline std::tuple<> copy_of(gradcheck_options const&) { return {}; }
template <class E, class... B>
auto program_on_tensors(std::tuple<B...>*) {
    return [](auto const&... values) { return compile(E{})((typename B::symbol{} = values)...); };
}
template <class... A>
auto bindings_among()
    -> decltype(std::tuple_cat(std::declval<std::conditional_t<std::is_same_v<A, gradcheck_options>, std::tuple<>, std::tuple<A>>>()...));

template <class A, class... More>
constexpr bool ends_with_options = ends_with_options<More...>;
template <class A>
constexpr bool ends_with_options<A> = std::is_same_v<A, gradcheck_options>;

/// Inputs, and options if they come last, apart.
template <class... A>
auto inputs_among(std::tuple<A const&...> const& all) {
    constexpr std::size_t count = sizeof...(A) - (ends_with_options<A...> ? 1 : 0);
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
        return std::tuple<std::tuple_element_t<I, std::tuple<A...>>...>(std::get<I>(all)...);
    }(std::make_index_sequence<count>{});
}
template <class... A>
gradcheck_options options_among(std::tuple<A const&...> const& all) {
    if constexpr (ends_with_options<A...>) return std::get<sizeof...(A) - 1>(all);
    else return {};
}

}  // namespace core

/// Compares the derivatives of `f` with respect to the inputs that require them with central differences; true if they
/// agree. `f` takes the inputs (a tensor or a tuple of tensors) and returns a tensor, an expression or a tuple of them.
/// Throws autograd_error where they do not, or returns false with `{.raise_exception = false}`. Warns if an input is not
/// of double; finds backward passes that give another result the second time.
template <class F, class Inputs>
    requires(!expression<F>)
bool gradcheck(F const& f, Inputs const& inputs, gradcheck_options const& options = {}) {
    return core::check_gradients(f, core::as_tuple(inputs), options);
}
template <class F, class X, class Y, class... More>
    requires(!expression<F> && operand<Y>)
bool gradcheck(F const& f, X const& x, Y const& y, More const&... more_and_options) {
    std::tuple<X const&, Y const&, More const&...> const all(x, y, more_and_options...);
    return core::check_gradients(f, core::inputs_among(all), core::options_among(all));
}

/// The same for an expression on symbols and their values: `gr::gradcheck(gr::matmul(x, w), x = X, w = W)`. All values of
/// floating point are inputs; they are not changed.
template <expression E, class... A>
bool gradcheck(E, A const&... bindings_and_options) {
    auto const inputs = std::tuple_cat(core::copy_of(bindings_and_options)...);
    using bound = decltype(core::bindings_among<A...>());
    std::tuple<A const&...> const all(bindings_and_options...);
    return core::check_gradients(core::program_on_tensors<E>(static_cast<bound*>(nullptr)), inputs, core::options_among(all));
}

/// gradcheck of the derivatives of `f`: its second derivatives, for derivatives to begin with that are drawn at random.
template <class F, class Inputs>
bool gradgradcheck(F const& f, Inputs const& inputs, gradcheck_options const& options = {}) {
    return core::check_second_gradients(f, core::as_tuple(inputs), options);
}
template <class F, class X, class Y, class... More>
    requires(operand<Y>)
bool gradgradcheck(F const& f, X const& x, Y const& y, More const&... more_and_options) {
    std::tuple<X const&, Y const&, More const&...> const all(x, y, more_and_options...);
    return core::check_second_gradients(f, core::inputs_among(all), core::options_among(all));
}

}  // namespace gradus::inline GRADUS_ARCH

#pragma GCC diagnostic pop
