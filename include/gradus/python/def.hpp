// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/python/call.hpp>

namespace gradus::inline GRADUS_ARCH {

namespace core {

/// What a type of NumPy's is missing for.
constexpr text numpy_complaint(std::string_view what, tensor_type const& type) {
    if (type.type != dtype::bfloat16) return {};
    return concat("gradus::python::def(module, name, program): NumPy has no bfloat16: ", what, " is ", type,
                  ". Take float, and gr::cast in the program");
}
template <class Source>
constexpr text python_complaint() {
    for (python_parameter const& p : python_signature<Source>::parameters)
        if (text const said = numpy_complaint(p.name, p.type); !said.empty()) return said;
    for (output_entry const& o : stages<Source>::optimized.outputs)
        if (o.node >= 0)
            if (text const said = numpy_complaint("a result", stages<Source>::optimized[o.node].result()); !said.empty()) return said;
    return {};
}

/// `x`, `x` and `y`: the first line of a docstring, from which Python takes the signature.
inline text python_heading(std::string_view name, std::string_view first, array_view<python_parameter const> parameters,
                           array_view<python_dimension const> dimensions) {
    text out = concat(name, '(', first);
    auto add = [&out, separate = !first.empty()](auto const&... piece) mutable {
        append(out, concat(separate ? ", " : "", piece...).view());
        separate = true;
    };
    if (parameters.size() + dimensions.size() > 0) add('*');
    for (python_parameter const& p : parameters) add(p.name);
    for (python_dimension const& d : dimensions) add(d.name, d.is_required ? "" : "=None");
    out += ")\n--\n\n";
    return out;
}
inline text python_listing(array_view<python_parameter const> parameters, array_view<python_dimension const> dimensions) {
    text out;
    for (python_parameter const& p : parameters)
        append(out, concat(p.name, ": ", numpy_type(p.type), p.is_updated ? ", updated in place" : "", '\n').view());
    for (python_dimension const& d : dimensions) append(out, concat(d.name, ": a size\n").view());
    return out;
}
inline text python_results(array_view<tensor_type const> results) {
    text out = results.empty() ? text("returns None") : text("returns ");
    for (std::size_t i = 0; i < results.size(); ++i) {
        dtype const type = results[i].type;
        std::string_view const number = type == dtype::boolean ? "bool" : is_integer(type) ? "int" : "float";
        append(out, concat(i ? ", " : "", results[i].shape.rank() ? numpy_type(results[i]) : text(number)).view());
    }
    return out;
}
template <class Source>
constexpr int returned_count = stages<Source>::plan.returned;
template <class Source>
constexpr auto returned_types = []<int... I>(std::integer_sequence<int, I...>) {
    return std::array<tensor_type, sizeof...(I)>{returned_type<Source, I>...};
}
(std::make_integer_sequence<int, returned_count<Source>>{});

template <class... R>
pybind11::object python_result(std::tuple<R...>&& results) {
    if constexpr (sizeof...(R) == 0) return pybind11::none();
    else if constexpr (sizeof...(R) == 1) return to_python(std::get<0>(std::move(results)));
    else return std::apply([](auto&&... each) { return pybind11::make_tuple(to_python(std::move(each))...); }, std::move(results));
}
template <class... R>
std::tuple<R...> tuple_of(single_result<R...>&& result) {
    return std::move(result);
}

}  // namespace core

}  // namespace gradus::inline GRADUS_ARCH

namespace gradus::inline GRADUS_ARCH::python {

/// Makes a compiled program a function of a Python module: `gr::python::def(module, "step", step)`, and in Python `loss, dw = step(x=x,
/// w=w)`.
///
/// The symbols' names are keywords. A NumPy array is read where it is, and written where the program updates its symbol; a symbol without
/// axes takes a number as well. A size that no array tells is a keyword, too. The result, or the tuple of them, is new arrays and numbers.
/// The interpreter's lock is released while the program runs. `says` begins the docstring, which lists the types.
///
/// TypeError for an array of another element type, for what is no array, and for missing and unknown names; ValueError for shapes that do
/// not fit, for elements that do not follow each other, for read-only memory that would be updated, and where the program refuses the call.
/// Nothing has been written then.
template <class Source>
void def(pybind11::module_& module, char const* name, program<Source> const&, std::string_view says = {}) {
    using signature = core::python_signature<Source>;
    core::report<&core::python_complaint<Source>>();
    auto const call = [](pybind11::args const& positional, pybind11::kwargs const& named) {
        if (!positional.empty()) throw pybind11::type_error("gradus::program: arguments have names: write x = data");
        core::python_arguments<Source> given;
        core::python_reader(signature::parameters, signature::dimensions).read(named, given.data, given.sizes);
        return core::refused_as_python_does(given, [&] { return core::python_result(given.call()); });
    };
    text const heading = core::python_heading(name, {}, signature::parameters, signature::dimensions);
    text const listing = core::python_listing(signature::parameters, signature::dimensions);
    pybind11::options settings;
    settings.disable_function_signatures();
    module.def(
        name, call,
        core::concat(heading, says, says.empty() ? "" : "\n\n", listing, core::python_results(core::returned_types<Source>)).str().c_str());
}

}  // namespace gradus::inline GRADUS_ARCH::python
