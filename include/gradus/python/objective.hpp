// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/derivatives.hpp>
#include <gradus/python/def.hpp>
#include <gradus/python/parameter_vector.hpp>
#include <gradus/tensor/functional.hpp>
#include <gradus/tensor/state/factories.hpp>

#include <algorithm>
#include <span>

// Functions to minimize, as SciPy calls them: of one vector to a value and a gradient like it.

namespace gradus::inline GRADUS_ARCH {

namespace core {

template <class Value, class... Symbol>
constexpr text objective_complaint() {
    auto fault = [](auto const&... what) { return concat("gradus::python::def_objective(module, name, value, symbols...): ", what...); };
    text found;
    auto look = [&](std::string_view name, tensor_type const& type) {
        if (type.type != dtype::float64 && found.empty())
            found = fault("vectors of parameters are double: ", name, " is ", type, ". Take double, and gr::cast in the expression");
    };
    (look(Symbol::name(), Symbol::type), ...);
    if (!(Value::type == tensor_type(dtype::float64, {}))) found = fault("the value is no single double but ", Value::type);
    return found;
}

/// The only positional argument, a vector of doubles.
inline pybind11::array vector_of(pybind11::args const& positional) {
    if (positional.size() != 1) throw pybind11::type_error("gradus::program: the vector of parameters comes first, data by name: x = data");
    python_argument const a = taken_argument(vector_parameter, positional[0]);
    if (a.shape.rank() != 1)
        refuse_argument<pybind11::value_error>(vector_parameter, "the data has shape ", a.shape, " where a vector is expected");
    return pybind11::reinterpret_borrow<pybind11::array>(positional[0]);
}

/// The value and the gradient of a program whose results are these, in the order of the symbols.
template <class Source, class... Symbol>
class python_objective {
    using signature = python_signature<Source>;

public:
    static constexpr python_parameter parts[] = {{Symbol::name(), Symbol::type}...};
    static constexpr bool is_part(std::string_view name) { return ((Symbol::name() == name) || ...); }
    /// What is given by name.
    static constexpr int data_count = [] {
        int count = 0;
        for (python_parameter const& p : signature::parameters) count += !is_part(p.name);
        return count;
    }();
    static constexpr auto data = [] {
        std::array<python_parameter, static_cast<std::size_t>(data_count)> all{};
        std::size_t next = 0;
        for (python_parameter const& p : signature::parameters)
            if (!is_part(p.name)) all[next++] = p;
        return all;
    }();

    static pybind11::object call(pybind11::args const& positional, pybind11::kwargs const& named) {
        pybind11::array vector = vector_of(positional);
        auto* const elements = const_cast<double*>(static_cast<double const*>(vector.data()));
        python_arguments<Source> given;
        for (std::size_t i = 0; i < given.data.size(); ++i)
            if (is_part(signature::parameters[i].name)) given.data[i].data = elements;  // not to be given by name
        python_reader(signature::parameters, signature::dimensions).read(named, given.data, given.sizes);
        divided_vector const divided(vector.size(), parts, signature::parameters, given.data);
        pybind11::array_t<double> gradient(vector.size());
        std::span<double> slopes[sizeof...(Symbol)];
        std::int64_t at = 0;
        for (std::size_t i = 0; i < sizeof...(Symbol); ++i) {
            shape const& s = divided.shapes[static_cast<int>(i)];
            slopes[i] = {gradient.mutable_data() + at, static_cast<std::size_t>(s.static_size())};
            for (std::size_t p = 0; p < given.data.size(); ++p)
                if (signature::parameters[p].name == parts[i].name) given.data[p] = {elements + at, s};
            at += s.static_size();
        }
        return refused_as_python_does(given, [&] { return run(given, gradient, slopes, std::index_sequence_for<Symbol...>{}); });
    }

private:
    template <std::size_t... I>
    static pybind11::object run(auto& given, pybind11::handle gradient, std::span<double>* slopes, std::index_sequence<I...>) {
        double value = 0;
        auto results = out(value, slopes[I]...);
        given.call(results);
        return pybind11::make_tuple(value, gradient);
    }
};

template <class F>
concept function_of_vector = requires(F const& f, tensor<double, dyn> const& v) {
    f(v);
};

template <class... Symbol, class Source>
void def_objective_program(pybind11::module_& module, char const* name, program<Source> const&) {
    using objective = python_objective<Source, Symbol...>;
    using signature = python_signature<Source>;
    text const types = concat("parameters: a vector of float64", listed_types(objective::parts), "\n",
                              python_listing(objective::data, signature::dimensions));
    text const heading = python_heading(name, "parameters, /", objective::data, signature::dimensions);
    pybind11::options settings;
    settings.disable_function_signatures();
    module.def(name, &objective::call, concat(heading, types, "returns float, its gradient").str().c_str());
}

}  // namespace core
}  // namespace gradus::inline GRADUS_ARCH

namespace gradus::inline GRADUS_ARCH::python {

/// Makes a scalar expression a function to minimize: of one vector, in which the symbols follow each other by rows, to the value and
/// its gradient, a vector like it. `gr::python::def_objective(module, "objective", loss, w, b)` is, in Python,
/// `scipy.optimize.minimize(functools.partial(objective, x=x, y=y), start, jac=True)`.
///
/// Everything is double. Other symbols are keywords, as with def; so are errors. Of extents with names, other arguments tell the sizes; one
/// name may be left to the length of the vector.
template <expression Value, expression First, expression... Symbol>
void def_objective(pybind11::module_& module, char const* name, Value value, First first, Symbol... more) {
    core::report<&core::objective_complaint<Value, First, Symbol...>>();
    if constexpr (core::is_empty<&core::objective_complaint<Value, First, Symbol...>>)
        core::def_objective_program<First, Symbol...>(module, name,
                                                      compile(value, gradus::grad(value, first), gradus::grad(value, more)...));
}

/// The same of a function of tensors, which runs on the tape: `f` takes a `gr::tensor<double, gr::dyn>` and returns a scalar one, or an
/// expression. It keeps the interpreter's lock, and what it throws is a RuntimeError.
template <core::function_of_vector F>
void def_objective(pybind11::module_& module, char const* name, F f) {
    auto const call = [both = functional::grad_and_value(std::move(f))](pybind11::args const& positional) {
        pybind11::array const vector = core::vector_of(positional);
        auto const* const elements = static_cast<double const*>(vector.data());
        std::span<double const> const all(elements, static_cast<std::size_t>(vector.size()));
        auto const [slopes, value] = both(from_span<double, dyn>(all, vector.size()));
        pybind11::array_t<double> gradient(vector.size());
        std::copy_n(slopes.contiguous().data(), vector.size(), gradient.mutable_data());
        return pybind11::make_tuple(static_cast<double>(value.item()), gradient);
    };
    pybind11::options settings;
    settings.disable_function_signatures();
    module.def(name, call, core::concat(name, "(parameters, /)\n--\n\nreturns float, its gradient").str().c_str());
}

}  // namespace gradus::inline GRADUS_ARCH::python
