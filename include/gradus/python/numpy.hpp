// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/shape.hpp>
#include <gradus/program/array.hpp>

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

// NumPy's arrays as memory of programs, and arrays as NumPy's: neither copies.

namespace gradus::inline GRADUS_ARCH::core {

/// What a function of Python asks of an argument.
struct python_parameter {
    std::string_view name;
    tensor_type type;
    bool is_updated = false;  ///< written in place
};

/// The memory of an argument, which Python keeps while the call lasts; of a number a copy.
struct python_argument {
    void* data = nullptr;
    gradus::shape shape;
    std::int64_t number = 0;
};

/// NumPy's name of an element type: float32.
constexpr std::string_view numpy_name(dtype type) {
    if (type == dtype::float32) return "float32";
    if (type == dtype::float64) return "float64";
    return name_of(type);
}
/// `float32[batch,5]`, for Python's users.
constexpr text numpy_type(tensor_type const& type) {
    return type.shape.rank() ? concat(numpy_name(type.type), type.shape) : concat(numpy_name(type.type));
}
inline bool has_elements(pybind11::array const& a, dtype type) {
    pybind11::dtype const given = a.dtype();
    char const kind = type == dtype::boolean ? 'b' : is_integer(type) ? 'i' : 'f';
    bool const is_native = given.byteorder() == '=' || given.byteorder() == '|';
    return given.kind() == kind && given.itemsize() == size_of(type) && is_native;
}
inline text printed(pybind11::handle object) { return concat(std::string_view(pybind11::cast<std::string>(pybind11::str(object)))); }
inline text class_of(pybind11::handle object) { return printed(pybind11::type::handle_of(object).attr("__name__")); }

/// An argument that is refused, as Python says it.
template <class Error>
[[noreturn, gnu::cold]] void refuse_argument(python_parameter const& p, auto const&... what) {
    throw Error(concat("gradus::program(", p.name, " = data): ", what...).str());
}

inline gradus::shape numpy_shape(pybind11::array const& a) {
    gradus::shape s;
    for (pybind11::ssize_t axis = 0; axis < a.ndim(); ++axis) s.push_back(extent(a.shape(axis)));
    return s;
}
/// Where the elements of an array are: they have the parameter's type, follow each other, and may be written to if it is updated.
inline python_argument numpy_argument(python_parameter const& p, pybind11::array a) {
    using pybind11::type_error;
    using pybind11::value_error;
    if (a.ndim() > max_rank) refuse_argument<value_error>(p, "the data has ", a.ndim(), " axes (", p.name, " is ", p.type, ")");
    gradus::shape const s = numpy_shape(a);
    if (!has_elements(a, p.type.type))
        refuse_argument<type_error>(p, "element types differ: ", p.name, " is ", p.type, ", the data is ", printed(a.dtype()),
                                    a.ndim() ? concat(s) : text(), ". Pass numpy.asarray(", p.name, ", dtype=numpy.",
                                    p.type.type == dtype::boolean ? "bool_" : numpy_name(p.type.type), ")");
    constexpr int in_row = pybind11::array::c_style, aligned = pybind11::detail::npy_api::NPY_ARRAY_ALIGNED_;
    if ((a.flags() & in_row) == 0)
        refuse_argument<value_error>(p, "the elements of this view do not follow each other in memory (", p.name, " is ", p.type,
                                     ", the data has shape ", s, " and strides ", printed(a.attr("strides")),
                                     "). Pass numpy.ascontiguousarray(", p.name, ")");
    if ((a.flags() & aligned) == 0) refuse_argument<value_error>(p, "the data is not aligned to its elements. Pass a copy");
    if (p.is_updated && !a.writeable())
        refuse_argument<value_error>(p, "the data is read-only, but the program updates ", p.name, " (", p.name, " is ", p.type, ")");
    return {const_cast<void*>(a.data()), s};
}

/// A number as an element; false where it is none of that type: 2 is a float, 2.0 no integer.
inline bool read_number(dtype type, pybind11::handle given, void* to) {
    return with_dtype(type, [&]<class T>(T) {
        pybind11::detail::make_caster<std::conditional_t<half_element<T>, float, T>> caster;
        if (!caster.load(given, is_floating(type))) return false;
        auto const value = static_cast<T>(static_cast<decltype(caster)&>(caster));
        std::memcpy(to, &value, sizeof(T));
        return true;
    });
}
/// An argument of Python: an array; for a symbol without axes that is not updated a number, too.
inline python_argument taken_argument(python_parameter const& p, pybind11::handle given) {
    if (pybind11::isinstance<pybind11::array>(given)) return numpy_argument(p, pybind11::reinterpret_borrow<pybind11::array>(given));
    bool const takes_number = p.type.shape.rank() == 0 && !p.is_updated;
    python_argument number;
    if (takes_number && read_number(p.type.type, given, &number.number)) return number;
    refuse_argument<pybind11::type_error>(p, "the data is no numpy.ndarray", takes_number ? " and no such number" : "", ", but of type ",
                                          class_of(given), " (", p.name, " is ", p.type, ")");
}

/// A number of Python.
template <element T>
pybind11::object to_python(T value) {
    if constexpr (half_element<T>) return pybind11::cast(static_cast<float>(value));
    else return pybind11::cast(value);
}
/// A NumPy array that owns the elements of an array.
template <element T, extent... E>
pybind11::object to_python(array<T, E...> value) {
    auto owner = std::make_unique<array<T, E...>>(std::move(value));
    array<T, E...> const& kept = *owner;
    pybind11::capsule const base(owner.get(), [](void* a) { delete static_cast<array<T, E...>*>(a); });
    owner.release();
    std::vector<pybind11::ssize_t> extents;
    for (int axis = 0; axis < kept.rank(); ++axis) extents.push_back(kept.shape()[axis].code);
    return pybind11::array(pybind11::dtype(std::string(numpy_name(dtype_of<T>))), extents, kept.data(), base);
}

}  // namespace gradus::inline GRADUS_ARCH::core
