// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/program/bind.hpp>

#include <initializer_list>
#include <iterator>

// Elements that come from somewhere else: nested lists, contiguous data, iterators.

namespace gradus::inline GRADUS_ARCH::core {

/// The elements of nested lists, `{{1, 2}, {3, 4}}`.
template <class T>
struct nested_list {
    static shape shape_of(auto const& list) {
        shape s;
        measure(s, list);
        return s;
    }
    /// Copies the elements; every list has as many parts as the first of its depth.
    static void copy(T* to, shape const& s, auto const& list) { copy(to, s, 0, list); }

private:
    static void measure(shape&, T const&) {}
    template <class U>
    static void measure(shape& s, std::initializer_list<U> const& list) {
        s.push_back(list.size());
        measure(s, list.size() ? *list.begin() : U{});
    }
    static void copy(T*& to, shape const&, int, T const& value) { *to++ = value; }
    template <class U>
    static void copy(T*& to, shape const& s, int axis, std::initializer_list<U> const& list) {
        if (extent(list.size()) != s[axis])
            throw shape_error(concat("gradus::tensor{values}: a list of ", static_cast<std::int64_t>(list.size()), " among lists of ",
                                     s[axis], " on axis ", axis)
                                  .str());
        for (U const& part : list) copy(to, s, axis + 1, part);
    }
};

/// Data in memory order without a shape of its own: std::vector, std::array, std::span, a C array of any rank.
template <class D>
concept contiguous_data = std::is_array_v<D> || requires(D const& d) {
    d.data();
    d.size();
};
template <class D>
concept flat_data = contiguous_data<D> && !data_traits<D const>::has_shape && !data_traits<D const>::is_matrix &&
                    element<std::remove_const_t<typename data_traits<D const>::element_type>>;
template <flat_data D>
using value_of = std::remove_const_t<typename data_traits<D const>::element_type>;
template <class D, class T>
concept flat_data_of = flat_data<D> && std::is_same_v<value_of<D>, T>;
/// Its only extent, where the type tells it.
template <flat_data D>
inline constexpr extent extent_of_data = data_traits<D const>::static_size < 0 ? dyn : extent(data_traits<D const>::static_size);

[[noreturn, gnu::cold]] inline void refuse_count(std::int64_t count, tensor_type const& type) {
    throw shape_error(concat("gradus::tensor(values): ", count, " values for ", type).str());
}
/// Where the elements are; there is memory where there are any.
template <flat_data D>
auto const* elements_of(D const& values) {
    auto const* const at = data_pointer(values);
    if constexpr (!std::is_array_v<D>)
        if (!at && data_size(values) > 0) refuse_null(std::string_view("gradus::tensor(values)"), data_size(values));
    return at;
}
/// The shape of a type with that many elements; one extent may be found out.
template <tensor_type Type>
shape shape_holding(std::int64_t count) {
    constexpr int unknown = [] {
        int n = 0;
        for (int axis = 0; axis < Type.shape.rank(); ++axis) n += !Type.shape[axis].is_static();
        return n;
    }();
    static_assert(
        unknown <= 1,
        "gradus::tensor(values): more than one extent is known at run time only: name them, gr::from_span<T, extents>(values, numbers...)");
    shape s = Type.shape;
    std::int64_t const known = s.static_size();
    for (int axis = 0; axis < s.rank(); ++axis)
        if (!s[axis].is_static()) s[axis] = known ? count / known : 0;
    if (s.static_size() != count) refuse_count(count, Type);
    return s;
}
template <tensor_type Type, std::int64_t Count>
constexpr text count_complaint() {
    if (Count < 0 || !Type.shape.is_static() || Type.shape.static_size() == Count) return {};
    return concat("gradus::tensor(values): ", Count, " values for ", Type);
}
template <class T>
list<T> collected(auto first, auto const& last) {
    list<T> values;
    for (; first != last; ++first) values.push_back(static_cast<T>(*first));
    return values;
}

}  // namespace gradus::inline GRADUS_ARCH::core
