// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/aligned.hpp>
#include <gradus/core/error.hpp>
#include <gradus/core/shape.hpp>
#include <gradus/core/target.hpp>
#include <gradus/program/random.hpp>

#include <cassert>
#include <concepts>
#include <type_traits>
#include <utility>

namespace gradus::inline GRADUS_ARCH {

template <element T, extent... E>
class array;

namespace core {

/// The constructors of an array from values, for arrays with as many run-time extents as there are indices `I`.
template <class Array, class T, class I>
struct array_factories;
template <class Array, class T, std::size_t... I>
struct array_factories<Array, T, std::index_sequence<I...>> {
    template <std::size_t>
    using size_at_run_time = std::int64_t;

    /// All elements `value`; the run-time extents come first: `array<float, dyn, 5>::full(7, 1.0f)`.
    static constexpr Array full(size_at_run_time<I>... extents, T value) {
        Array result(uninitialized, extents...);
        result.fill(value);
        return result;
    }
    static constexpr Array zeros(size_at_run_time<I>... extents) { return full(extents..., T{}); }
    static constexpr Array ones(size_at_run_time<I>... extents) { return full(extents..., T{1}); }

    /// Uniform in [low, high), in memory order; integers too.
    static constexpr Array uniform(size_at_run_time<I>... extents, random& source, T low, T high)
        requires(!std::is_same_v<T, bool>)
    {
        Array result(uninitialized, extents...);
        double first = static_cast<double>(low), width = static_cast<double>(high) - first;
        for (T& element : result) {
            double drawn = first + width * source.uniform();
            element = drawn < static_cast<double>(high) ? static_cast<T>(drawn) : low;
            if constexpr (std::is_integral_v<T>) element -= static_cast<double>(element) > drawn;  // casts round to zero
            else if (!(element < high)) element = low;                                             // rounded up to `high`
        }
        return result;
    }
    /// Normal with that mean and standard deviation, in memory order.
    static Array normal(size_at_run_time<I>... extents, random& source, T mean, T stddev)
        requires floating_element<T>
    {
        Array result(uninitialized, extents...);
        for (T& element : result) element = static_cast<T>(static_cast<double>(mean) + source.normal() * static_cast<double>(stddev));
        return result;
    }
};

template <extent... E>
inline constexpr std::size_t run_time_extents = (std::size_t{0} + ... + std::size_t{E == dyn});

}  // namespace core

/// Values of a tensor, row-major, a value type: `array<float, 5, 3>`, `array<float, dyn, 5>(7)`, `array<float>` (rank 0).
///
/// Static arrays up to 16 KiB hold their elements inline (64-byte aligned from 64 bytes on), others own 64-byte aligned
/// heap memory. A moved-from dynamic array is empty: its dyn extents are 0. A moved-from static array on the heap has no
/// memory (data() is null) until it is assigned to; one that holds its elements inline keeps them.
template <element T, extent... E>
class array : public core::array_factories<array<T, E...>, T, std::make_index_sequence<core::run_time_extents<E...>>> {
    static_assert(sizeof...(E) <= static_cast<std::size_t>(max_rank), "gradus::array: at most 6 axes");
    static_assert((!E.is_named() && ...), "gradus::array: an extent is a number or gr::dyn; names are for symbols");
    static_assert(!gradus::shape{E...}.is_too_large(), "gradus::array: more elements than 64 bits count");
    static constexpr std::size_t dynamic = core::run_time_extents<E...>;
    static constexpr gradus::shape declared{E...};
    static constexpr std::int64_t static_count = declared.static_size();
    static constexpr bool on_heap = dynamic > 0 || static_count* static_cast<std::int64_t>(sizeof(T)) > core::target::array_in_place;
    using storage = std::conditional_t<on_heap, core::heap_elements<T, dynamic ? static_cast<int>(sizeof...(E)) : 0>,
                                       core::inline_elements<T, on_heap ? 0 : static_count>>;

public:
    using value_type = T;
    static constexpr bool is_static = dynamic == 0;
    static constexpr tensor_type type{dtype_of<T>, declared};  ///< with `dyn` where the extent is not known yet

    /// All elements zero; run-time extents are 0 (the array is empty).
    constexpr array() {
        if constexpr (dynamic) adopt(zero_extents());
        else if constexpr (on_heap) elements_.allocate(static_count), fill(T{});
    }
    /// All elements zero; one argument per run-time extent, in order. Throws shape_error for a negative one.
    template <std::integral... N>
        requires(dynamic > 0 && sizeof...(N) == dynamic)
    constexpr explicit array(N... extents) : array(uninitialized, extents...) {
        fill(T{});
    }
    /// The elements in memory order; shape_error unless there are size() of them.
    constexpr array(std::initializer_list<T> given_values)
        requires is_static
        : array(uninitialized) {
        if (extent{given_values.size()} != extent{static_count}) refuse_count(given_values.size());
        T* to = data();
        for (T const& element : given_values) *to++ = element;
    }
    /// The elements of a matrix by rows; shape_error where a row is missing or has another length. (In a matrix of one
    /// column, `{{1}, {2}}` would fit both constructors.)
    constexpr array(std::initializer_list<std::initializer_list<T>> given_rows)
        requires(is_static && sizeof...(E) == 2 && declared[1] != extent{1})
        : array(uninitialized) {
        if (extent{given_rows.size()} != declared[0]) refuse_count(given_rows.size(), " rows");
        T* to = data();
        for (auto const& row : given_rows) {
            if (extent{row.size()} != declared[1]) refuse_count(row.size(), " in a row");
            for (T const& element : row) *to++ = element;
        }
    }
    /// Elements left as they are; one argument per run-time extent, in order.
    template <std::integral... N>
        requires(sizeof...(N) == dynamic)
    constexpr explicit array(uninitialized_t, N... extents) : elements_(make_storage()) {
        if constexpr (dynamic) {
            std::int64_t given[] = {static_cast<std::int64_t>(extents)...};
            gradus::shape s = declared;
            for (int axis = 0, next = 0; axis < rank(); ++axis)
                if (!declared[axis].is_static()) set_extent(s, axis, given[next++]);
            adopt(s);
        } else if constexpr (on_heap) elements_.allocate(static_count);
    }
    /// Elements left as they are, shape as given; shape_error unless the static extents are equal.
    constexpr array(uninitialized_t, gradus::shape const& s) : elements_(make_storage()) {
        bool fits = s.rank() == rank();
        for (int axis = 0; fits && axis < rank(); ++axis) fits = declared[axis] == dyn ? s[axis].is_static() : s[axis] == declared[axis];
        if (!fits) throw shape_error(core::concat("gradus::array(shape): another shape than the type's: ", s, " for ", type).str());
        if constexpr (dynamic) adopt(s);
        else if constexpr (on_heap) elements_.allocate(static_count);
    }

    static constexpr int rank() { return static_cast<int>(sizeof...(E)); }
    static constexpr gradus::shape shape()
        requires is_static
    {
        return declared;
    }
    constexpr gradus::shape shape() const
        requires(!is_static)
    {
        gradus::shape s = declared;
        for (int axis = 0; axis < rank(); ++axis) s[axis] = extent_at(axis);
        return s;
    }
    static constexpr std::int64_t size()
        requires is_static
    {
        return static_count;
    }
    constexpr std::int64_t size() const
        requires(!is_static)
    {
        std::int64_t product = 1;
        for (int axis = 0; axis < rank(); ++axis) product *= extent_at(axis);
        return product;
    }
    constexpr T* data() { return elements_.data(); }
    constexpr T const* data() const { return elements_.data(); }
    constexpr T* begin() { return data(); }
    constexpr T* end() { return data() + size(); }
    constexpr T const* begin() const { return data(); }
    constexpr T const* end() const { return data() + size(); }

    /// The element at one index per axis; not checked but by assert.
    template <std::integral... I>
        requires(sizeof...(I) == sizeof...(E))
    constexpr T& operator()(I... index) {
        return data()[offset(index...)];
    }
    template <std::integral... I>
        requires(sizeof...(I) == sizeof...(E))
    constexpr T const& operator()(I... index) const {
        return data()[offset(index...)];
    }
    /// The element at one index per axis; throws shape_error outside of the array.
    template <std::integral... I>
        requires(sizeof...(I) == sizeof...(E))
    constexpr T& at(I... index) {
        require_inside(index...);
        return data()[offset(index...)];
    }
    template <std::integral... I>
        requires(sizeof...(I) == sizeof...(E))
    constexpr T const& at(I... index) const {
        require_inside(index...);
        return data()[offset(index...)];
    }
    /// The element at a place in memory order.
    constexpr T& operator[](std::int64_t flat) {
        assert(flat >= 0 && flat < size());
        return data()[flat];
    }
    constexpr T const& operator[](std::int64_t flat) const {
        assert(flat >= 0 && flat < size());
        return data()[flat];
    }
    constexpr void fill(T value) {
        for (T& element : *this) element = value;
    }
    /// Same shape, and elements equal as their type compares them (a NaN is not equal to itself).
    friend constexpr bool operator==(array const& a, array const& b) {
        if (!(a.shape() == b.shape())) return false;
        for (std::int64_t i = 0; i < a.size(); ++i)
            if (!(a.data()[i] == b.data()[i])) return false;
        return true;
    }

private:
    static constexpr storage make_storage() {
        if constexpr (on_heap) return storage();
        else return storage(uninitialized);
    }
    static constexpr gradus::shape zero_extents() {
        gradus::shape s = declared;
        for (int axis = 0; axis < rank(); ++axis)
            if (!s[axis].is_static()) s[axis] = 0;
        return s;
    }
    static constexpr void set_extent(gradus::shape& s, int axis, std::int64_t number) {
        if (number < 0) throw shape_error(core::concat("gradus::array(extents): a negative extent: ", number, " for ", type).str());
        s[axis] = number;
    }
    constexpr void adopt(gradus::shape const& s) {
        std::int64_t product = 1;
        bool overflow = false;
        for (int axis = 0; axis < rank(); ++axis) overflow |= __builtin_mul_overflow(product, s[axis].code, &product);
        if (overflow) throw shape_error(core::concat("gradus::array(extents): too many elements: ", s).str());
        elements_.allocate(product);
        for (int axis = 0; axis < rank(); ++axis) elements_.extents[axis] = s[axis].code;
    }
    constexpr std::int64_t extent_at(int axis) const {
        if constexpr (is_static) return declared[axis].code;
        else return declared[axis].is_static() ? declared[axis].code : elements_.extents[axis];
    }
    template <class... I>
    constexpr std::int64_t offset(I... index) const {
        std::int64_t result = 0;
        int axis = 0;
        static_cast<void>(axis);
        ((assert(std::cmp_greater_equal(index, 0) && std::cmp_less(index, extent_at(axis))),
          result = result * extent_at(axis++) + static_cast<std::int64_t>(index)),
         ...);
        return result;
    }
    template <class... I>
    constexpr void require_inside(I... index) const {
        std::int64_t given[] = {0, static_cast<std::int64_t>(index)...};
        for (int axis = 0; axis < rank(); ++axis)
            if (given[axis + 1] < 0 || given[axis + 1] >= extent_at(axis)) refuse_index(given + 1, axis);
    }
    [[noreturn]] void refuse_index(std::int64_t const* index, int axis) const {
        gradus::text list;
        for (int i = 0; i < rank(); ++i) core::append(list, core::concat(i ? ", " : "", index[i]).view());
        tensor_type actual{dtype_of<T>, shape()};
        throw shape_error(core::concat("gradus::array::at(", list.view(), "): no such element: the array is ", actual, " (", index[axis],
                                       " is not in [0, ", extent_at(axis), ") on axis ", axis, ")")
                              .str());
    }
    [[noreturn]] static void refuse_count(extent count, std::string_view of = "") {
        throw shape_error(core::concat("gradus::array{values}: not as many values as elements: ", count, of, " for ", type).str());
    }
    storage elements_;
};

namespace core {

template <element T>
constexpr void append_element(text& out, T value) {
    if constexpr (std::is_same_v<T, bool>) out += value ? "true" : "false";
    else append(out, value);
}

/// Appends the part of an array that begins at `from` and spans the axes from `axis` on; returns where it ends.
template <element T>
constexpr T const* append_axis(text& out, T const* from, shape const& s, int axis) {
    if (axis == s.rank()) {
        append_element(out, *from);
        return from + 1;
    }
    out += '[';
    for (std::int64_t i = 0; i < s[axis].code; ++i) {
        if (i) out += ", ";
        from = append_axis(out, from, s, axis + 1);
    }
    out += ']';
    return from;
}

}  // namespace core

/// All elements, nested by axis, six digits each: `[[1, 2], [3, 4]]`.
template <element T, extent... E>
constexpr text to_string(array<T, E...> const& a) {
    text out;
    core::append_axis(out, a.data(), a.shape(), 0);
    return out;
}

/// Writes to_string(a) to any stream that takes a string_view.
template <class Stream, element T, extent... E>
    requires requires(Stream& out, std::string_view s) { out << s; }
Stream& operator<<(Stream& out, array<T, E...> const& a) {
    text written = to_string(a);
    out << written.view();
    return out;
}

}  // namespace gradus::inline GRADUS_ARCH
