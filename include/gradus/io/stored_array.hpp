// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/io/file_bytes.hpp>
#include <gradus/io/stored_type.hpp>
#include <gradus/tensor/state/any_factories.hpp>
#include <gradus/tensor/state/mode.hpp>
#include <gradus/tensor/state/tensor.hpp>

#include <type_traits>
#include <utility>

// Arrays in files as tensors, and tensors as bytes.

namespace gradus::inline GRADUS_ARCH::core {

/// An array as a file describes it.
struct stored_array {
    stored_type type;
    gradus::shape shape{};
    bool is_fortran = false;   ///< the first axis is the one that runs fastest
    std::uint64_t offset = 0;  ///< of the elements

    std::int64_t count() const { return shape.static_size(); }
    std::uint64_t bytes() const { return static_cast<std::uint64_t>(count()) * static_cast<std::uint64_t>(type.size); }
};

/// Appends an extent that a file tells. Refuses more axes than shapes have, and more elements than memory could.
inline void append_extent(file_bytes const& from, std::uint64_t at, gradus::shape& s, std::uint64_t extent) {
    if (s.rank() == max_rank) from.refuse(at, "more than 6 axes");
    std::uint64_t product = 8;
    for (int i = 0; i < s.rank(); ++i) product *= s[i].code ? static_cast<std::uint64_t>(s[i].code) : 1;
    if (__builtin_mul_overflow(product, extent ? extent : 1, &product) || product > INT64_MAX)
        from.refuse(at, "too many elements: ", s, " and an extent of ", from.text_of(extent));
    s.push_back(static_cast<std::int64_t>(extent));
}
/// Copies elements whose first axis runs fastest.
template <class T>
void copy_fortran(T const* from, T* to, gradus::shape const& s) {
    std::int64_t index[max_rank]{}, strides[max_rank]{}, offset = 0;
    for (std::int64_t axis = 0, step = 1; axis < s.rank(); step *= s[static_cast<int>(axis++)].code) strides[axis] = step;
    for (std::int64_t n = 0, count = s.static_size(); n < count; ++n) {
        to[n] = from[offset];
        for (int axis = s.rank() - 1; axis >= 0; --axis) {
            offset += strides[axis];
            if (++index[axis] < s[axis].code) break;
            offset -= strides[axis] * std::exchange(index[axis], 0);
        }
    }
}
/// A type of a file in words.
inline text described(stored_type t) {
    if (dtype const own = dtype_holding(t); own != dtype::number && size_of(own) == t.size) return name_of(own);
    return concat(t.kind == 'u' ? "uint" : t.kind == 'i' ? "int" : "float", 8 * t.size);
}
/// The dtype in which an array is read: the one that is asked for, `number` for its own. Refuses what would not hold all values.
inline dtype dtype_read(file_bytes const& from, stored_array const& a, std::uint64_t at, dtype wanted) {
    dtype const own = dtype_holding(a.type);
    if (own == dtype::number) from.refuse(at, "the elements are ", described(a.type), ", all values of which no dtype holds");
    if (wanted == dtype::number || wanted == own) return own;
    if (!holds(wanted, a.type))
        from.refuse(at, "the elements are ", described(a.type), ", all values of which ", name_of(wanted), ", asked for, does not hold");
    return wanted;
}
/// The tensor of an array whose place in the file is known to be there. It shows the file's own memory where elements are as tensors
/// have them, else a copy.
inline any_tensor tensor_of(file_bytes const& from, stored_array const& a, dtype type) {
    auto const bytes = from.part(a.offset, a.bytes(), "elements");
    bool const is_same = a.type == stored_as(type) && type != dtype::boolean && !(a.is_fortran && a.shape.rank() > 1);
    bool const is_aligned = reinterpret_cast<std::uintptr_t>(bytes.data()) % static_cast<std::size_t>(a.type.size) == 0;
    if (from.memory && is_same && is_aligned && !bytes.empty())
        return from_blob(const_cast<std::byte*>(bytes.data()), a.shape, type, [keep = from.memory](void*) {});
    any_tensor made = empty(a.shape, type);
    auto* const to = static_cast<std::byte*>(made.data());
    if (!a.is_fortran) return convert_stored(a.type, bytes.data(), a.count(), type, to), made;
    any_tensor in_order_of_file = empty(a.shape, type);
    auto* const between = static_cast<std::byte*>(in_order_of_file.data());
    convert_stored(a.type, bytes.data(), a.count(), type, between);
    with_dtype(type, [&]<class T>(T) { copy_fortran(reinterpret_cast<T const*>(between), reinterpret_cast<T*>(to), a.shape); });
    return made;
}

/// What is written of a tensor: its elements in order, as bytes. Throws error for an undefined one.
struct written_tensor {
    any_tensor values;
    std::size_t bytes = 0;

    explicit written_tensor(any_tensor const& t) {
        no_grad guard;
        values = t.is_contiguous() ? t : t.clone();
        bytes = static_cast<std::size_t>(values.size() * size_of(values.dtype()));
    }
};
/// A tensor that shows an array's elements, to be written.
template <element T, extent... E>
any_tensor shown(array<T, E...> const& a) {
    return from_blob(const_cast<T*>(a.data()), a.shape(), dtype_of<T>, [](void*) {});
}
inline any_tensor const& shown(any_tensor const& t) { return t; }

/// What a loader makes of a run-time tensor: a tensor of known type, an array, or itself.
template <class X>
struct loaded;
template <>
struct loaded<any_tensor> {
    static constexpr dtype wanted = dtype::number;
    static any_tensor from(std::string_view, std::string_view, any_tensor t) { return t; }
};
template <element T, extent... E>
struct loaded<tensor<T, E...>> {
    static constexpr dtype wanted = dtype_of<T>;
    static tensor<T, E...> from(std::string_view call, std::string_view file, any_tensor const& t) {
        constexpr tensor_type declared{dtype_of<T>, {E...}};
        if (!fits(*t.state(), declared))
            throw shape_error(
                concat("gradus::", call, ": ", file, ": the file has ", t.state()->described(), ", asked for is ", declared).str());
        return t.as<T, E...>();
    }
};
template <element T, extent... E>
struct loaded<array<T, E...>> {
    static constexpr dtype wanted = dtype_of<T>;
    static array<T, E...> from(std::string_view call, std::string_view file, any_tensor const& t) {
        return loaded<tensor<T, E...>>::from(call, file, t).to_array();
    }
};
/// Types that files are loaded as: any_tensor, tensor, array.
template <class X>
concept loadable = requires { loaded<X>::wanted; };

}  // namespace gradus::inline GRADUS_ARCH::core
