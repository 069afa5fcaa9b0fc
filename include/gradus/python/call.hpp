// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/program/compile.hpp>
#include <gradus/python/numpy.hpp>

// A program and arguments of Python: what it asks for, and its call.

namespace gradus::inline GRADUS_ARCH::core {

/// An argument as data that a program takes. Two of them may be parts of one array.
template <class T, tensor_type Type>
struct numpy_memory {
    using part_of_memory = void;
    static constexpr bool is_static = false;
    static constexpr tensor_type type = [] {
        tensor_type t = Type;
        for (int axis = 0; axis < t.shape.rank(); ++axis) t.shape[axis] = dyn;
        return t;
    }();
    python_argument& from;

    gradus::shape const& shape() const { return from.shape; }
    T* data() const { return static_cast<T*>(from.data ? from.data : &from.number); }
    std::int64_t size() const { return from.shape.static_size(); }
};

/// The size of a named dimension that no symbol's shape tells.
struct python_dimension {
    extent name;
    bool is_required = true;  ///< arithmetic on names in a shape does not tell it either
};

/// What a program asks of Python.
template <class Source>
struct python_signature {
    static constexpr auto const& g = stages<Source>::optimized;
    static constexpr dimension_table named = stages<Source>::plan.dimensions;

    static constexpr bool is_read_or_updated(int symbol) {
        for (int i = 0; i < g.size(); ++i)
            if (g[i].is_symbol() && g[i].symbol() == symbol) return true;
        return is_updated<Source>(g.symbols[symbol].name);
    }
    // Copies: the address of the graph would drag the rules of its operations into the program.
    static constexpr int parameter_count = [] {
        int count = 0;
        for (int s = 0; s < g.symbol_count; ++s) count += is_read_or_updated(s);
        return count;
    }();
    static constexpr auto parameters = [] {
        std::array<python_parameter, static_cast<std::size_t>(parameter_count)> all{};
        std::size_t next = 0;
        for (int s = 0; s < g.symbol_count; ++s)
            if (is_read_or_updated(s)) all[next++] = {g.symbols[s].name, g.symbols[s].type, is_updated<Source>(g.symbols[s].name)};
        return all;
    }();

    static constexpr bool stands_in_shape(extent name, bool in_form) {
        for (python_parameter const& p : parameters) {
            for (int axis = 0; axis < p.type.shape.rank(); ++axis) {
                extent const e = p.type.shape[axis];
                bool found = !in_form && e == name;
                if (in_form && e.is_form()) form(e).each_name([&](extent part) { found = found || part == name; });
                if (found) return true;
            }
        }
        return false;
    }
    static constexpr bool is_asked_for(extent e) { return !e.is_form() && !stands_in_shape(e, false); }
    static constexpr int dimension_count = [] {
        int count = 0;
        for (int i = 0; i < named.count; ++i) count += is_asked_for(named.names[i]);
        return count;
    }();
    static constexpr auto dimensions = [] {
        std::array<python_dimension, static_cast<std::size_t>(dimension_count)> all{};
        std::size_t next = 0;
        for (int i = 0; i < named.count; ++i)
            if (is_asked_for(named.names[i])) all[next++] = {named.names[i], !stands_in_shape(named.names[i], true)};
        return all;
    }();

    template <int I>
    struct symbol {
        static constexpr python_parameter parameter = parameters[I];
        static constexpr tensor_type type = parameter.type;
        using element = std::conditional_t<parameter.is_updated, element_t<type.type>, element_t<type.type> const>;
        static constexpr std::string_view name() { return parameter.name; }
    };
    template <int I>
    struct dimension {
        static constexpr extent name = dimensions[I].name;
        std::int64_t size;
    };
};

/// What was given, in the order of a program's parameters and dimensions. A size that was not given is -1.
template <class Source>
struct python_arguments {
    using signature = python_signature<Source>;
    std::array<python_argument, static_cast<std::size_t>(signature::parameter_count)> data{};
    std::array<std::int64_t, static_cast<std::size_t>(signature::dimension_count)> sizes{};

    /// Calls the program, as C++ does, without the interpreter's lock.
    auto call(auto&... further) {
        return [&]<int... I, int... D>(std::integer_sequence<int, I...>, std::integer_sequence<int, D...>) {
            std::tuple memory(
                numpy_memory<typename signature::template symbol<I>::element, signature::template symbol<I>::type>{data[I]}...);
            pybind11::gil_scoped_release const others_run;
            return program<Source>{}(further...,
                                     binding<typename signature::template symbol<I>, decltype(std::get<I>(memory))>{std::get<I>(memory)}...,
                                     typename signature::template dimension<D>{sizes[D]}...);
        }
        (std::make_integer_sequence<int, signature::parameter_count>{}, std::make_integer_sequence<int, signature::dimension_count>{});
    }
};

/// `x is float[7,5], w is float[5,3]`
inline text described(array_view<python_parameter const> parameters, array_view<python_argument const> data) {
    text out;
    for (std::size_t i = 0; i < parameters.size(); ++i)
        append(out, concat(i ? ", " : "", parameters[i].name, " is ", tensor_type(parameters[i].type.type, data[i].shape)).view());
    return out;
}

/// Reads the arguments of a call, `named` by name: each is known and there, and its memory is as the program needs it.
class python_reader {
public:
    python_reader(array_view<python_parameter const> parameters, array_view<python_dimension const> dimensions)
        : parameters_(parameters), dimensions_(dimensions) {}

    /// Parameters whose data is already known are not asked for.
    void read(pybind11::kwargs const& named, array_view<python_argument> data, array_view<std::int64_t> sizes) const {
        list<char> known(static_cast<int>(parameters_.size()));
        for (std::size_t i = 0; i < sizes.size(); ++i) sizes[i] = -1;
        for (std::size_t i = 0; i < data.size(); ++i) known[static_cast<int>(i)] = data[i].data != nullptr;
        for (auto const& [key, value] : named) read_one(pybind11::cast<std::string>(key), value, data, sizes, known);
        for (std::size_t i = 0; i < parameters_.size(); ++i)
            if (python_parameter const& p = parameters_[i]; !known[static_cast<int>(i)])
                throw pybind11::type_error(
                    concat("gradus::program: symbol \"", p.name, "\" is not bound: ", p.name, " is ", p.type, ", write ", p.name, " = data")
                        .str());
        for (std::size_t i = 0; i < dimensions_.size(); ++i)
            if (extent const e = dimensions_[i].name; dimensions_[i].is_required && sizes[i] < 0)
                throw pybind11::type_error(concat("gradus::program: no argument tells dimension ", e, ": pass ", e, " = size").str());
    }

private:
    void read_one(std::string_view name, pybind11::handle value, array_view<python_argument> data, array_view<std::int64_t> sizes,
                  list<char>& known) const {
        for (std::size_t i = 0; i < parameters_.size(); ++i) {
            if (parameters_[i].name != name) continue;
            if (data[i].data) throw pybind11::type_error(concat("gradus::program: symbol \"", name, "\" is bound twice").str());
            data[i] = taken_argument(parameters_[i], value);
            known[static_cast<int>(i)] = true;
            return;
        }
        for (std::size_t i = 0; i < dimensions_.size(); ++i) {
            if (concat(dimensions_[i].name) != name) continue;
            if (read_number(dtype::int64, value, &sizes[i]) && sizes[i] >= 0) return;
            throw pybind11::type_error(concat("gradus::program(", name, " = size): a size is an integer that is not negative").str());
        }
        throw pybind11::type_error(concat("gradus::program: symbol \"", name, "\" is not in this program").str());
    }
    array_view<python_parameter const> parameters_;
    array_view<python_dimension const> dimensions_;
};

/// Calls `f`; what the program refuses is a ValueError of Python that says what was given.
template <class Source>
auto refused_as_python_does(python_arguments<Source>& given, auto const& f) {
    try {
        return f();
    } catch (error const& refused) {
        text const all = described(python_signature<Source>::parameters, given.data);
        throw pybind11::value_error(concat(std::string_view(refused.what()), all.empty() ? "" : ". In this call ", all).str());
    }
}

}  // namespace gradus::inline GRADUS_ARCH::core
