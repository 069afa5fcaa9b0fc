// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/python/call.hpp>

// A vector in which several arrays follow each other, as optimisers take them.

namespace gradus::inline GRADUS_ARCH::core {

/// The vector itself, for messages.
inline constexpr python_parameter vector_parameter{"parameters", tensor_type(dtype::float64, {extent("n")})};

/// `(w is double[5,3], b is double[3])`
inline text listed_types(array_view<python_parameter const> parts) {
    text out(" (");
    for (std::size_t i = 0; i < parts.size(); ++i) append(out, concat(i ? ", " : "", parts[i].name, " is ", parts[i].type).view());
    out += ')';
    return out;
}

/// The extent that data of other parameters has where `name` stands; -1 if none has it.
inline std::int64_t told_extent(extent name, array_view<python_parameter const> parameters, array_view<python_argument const> data) {
    if (name.is_static()) return name.code;
    for (std::size_t i = 0; i < parameters.size(); ++i)
        for (int axis = 0; axis < data[i].shape.rank() && axis < parameters[i].type.shape.rank(); ++axis)
            if (parameters[i].type.shape[axis] == name) return data[i].shape[axis].code;
    return -1;
}

/// The shapes of `parts` that follow each other in a vector of `size` elements. Extents are numbers, or other data tells them; one name may
/// be left, whose size is what fills the vector.
class divided_vector {
public:
    list<shape> shapes;

    divided_vector(std::int64_t size, array_view<python_parameter const> parts, array_view<python_parameter const> parameters,
                   array_view<python_argument const> data)
        : parts_(parts) {
        std::int64_t known = 0, per_unknown = 0;
        extent unknown{0};
        for (python_parameter const& part : parts) {
            std::int64_t product = 1;
            bool is_known = true;
            shape s = part.type.shape;
            for (int axis = 0; axis < s.rank(); ++axis) {
                std::int64_t const told = told_extent(s[axis], parameters, data);
                if (told >= 0) {
                    s[axis] = told;
                    product *= told;
                    continue;
                }
                if (!is_known || (unknown.is_named() && !(unknown == s[axis])))
                    refuse("no argument tells ", s[axis], ", and the vector's length not alone");
                is_known = false;
                unknown = s[axis];
            }
            shapes.push_back(s);
            (is_known ? known : per_unknown) += product;
        }
        if (per_unknown > 0 && size >= known) {
            std::int64_t const found = (size - known) / per_unknown;
            known += found * per_unknown;
            for (shape& s : shapes)
                for (int axis = 0; axis < s.rank(); ++axis)
                    if (s[axis] == unknown) s[axis] = found;
        }
        if (known != size) refuse("the vector has ", size, " elements where ", known, " are expected");
    }

private:
    [[noreturn]] void refuse(auto const&... what) const {
        refuse_argument<pybind11::value_error>(vector_parameter, what..., listed_types(parts_));
    }
    array_view<python_parameter const> parts_;
};

}  // namespace gradus::inline GRADUS_ARCH::core
