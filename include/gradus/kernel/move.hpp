// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/config.hpp>

#include <cstdint>
#include <cstring>

// Kernels that move elements and the one that finds the largest: bound by memory, run-time extents and strides, one
// instance per element size.
namespace gradus::inline GRADUS_ARCH::kernel {

/// to[i] = from[i] over `rank` axes with strides in elements; rows that are contiguous in both are copied as a block.
template <class T>
void copy_strided(T const* from, std::int64_t const* from_stride, T* to, std::int64_t const* to_stride, std::int64_t const* extent,
                  int rank) {
    if (rank == 0) {
        *to = *from;
        return;
    }
    std::int64_t n = extent[0];
    if (rank == 1 && from_stride[0] == 1 && to_stride[0] == 1) {
        if (n > 0) std::memcpy(to, from, static_cast<std::size_t>(n) * sizeof(T));
        return;
    }
    for (std::int64_t i = 0; i < n; ++i) {
        if (rank == 1) to[i * to_stride[0]] = from[i * from_stride[0]];
        else copy_strided(from + i * from_stride[0], from_stride + 1, to + i * to_stride[0], to_stride + 1, extent + 1, rank - 1);
    }
}

/// Calls visit(row, element) for every index, its row's number and where the row's elements begin on the side that has one row per index.
template <class I>
void each_row(I const* index, std::int64_t const* index_stride, std::int64_t element, std::int64_t const* stride,
              std::int64_t const* extent, int rank, auto const& visit) {
    if (rank == 0) {
        visit(static_cast<std::int64_t>(*index), element);
        return;
    }
    for (std::int64_t i = 0; i < extent[0]; ++i)
        each_row(index + i * index_stride[0], index_stride + 1, element + i * stride[0], stride + 1, extent + 1, rank - 1, visit);
}
/// to[i] += from[i] over `rank` axes with strides in elements.
template <class T>
void add_strided(T const* from, std::int64_t const* from_stride, T* to, std::int64_t const* to_stride, std::int64_t const* extent,
                 int rank) {
    if (rank == 0) {
        *to = static_cast<T>(*to + *from);
        return;
    }
    for (std::int64_t i = 0; i < extent[0]; ++i)
        kernel::add_strided<T>(from + i * from_stride[0], from_stride + 1, to + i * to_stride[0], to_stride + 1, extent + 1, rank - 1);
}

/// The index of the first largest of `n` elements with a stride; NaN counts as largest.
template <class T>
std::int64_t argmax(T const* x, std::int64_t stride, std::int64_t n) {
    std::int64_t best = 0;
    for (std::int64_t i = 1; i < n; ++i) {
        T candidate = x[i * stride], largest = x[best * stride];
        if (largest != largest) break;
        if (candidate > largest || candidate != candidate) best = i;
    }
    return best;
}

/// The axes of a reduction, those that stay first, those in `folded` (a bit each) last, each in order.
struct folded_last {
    std::int64_t stride[6]{}, extent[6]{};
    int kept = 0;

    folded_last(std::int64_t const* strides, std::int64_t const* extents, int rank, std::int64_t folded) {
        int to = 0;
        for (int last = 0; last < 2; ++last) {
            for (int axis = 0; axis < rank; ++axis) {
                if ((folded >> axis & 1) != last) continue;
                stride[to] = strides[axis];
                extent[to++] = extents[axis];
            }
            if (!last) kept = to;
        }
    }
};

/// The elements of `rank` axes in row-major order, one after the other: calls visit(element).
template <class T>
void for_each_strided(T const* x, std::int64_t const* stride, std::int64_t const* extent, int rank, auto&& visit) {
    if (rank == 0) return visit(x);
    for (std::int64_t i = 0; i < *extent; ++i) for_each_strided(x + i * *stride, stride + 1, extent + 1, rank - 1, visit);
}

/// argmax over the axes in `folded`, a bit each, in row-major order of them: one index per remaining element.
template <class T>
void argmax_over(T const* x, std::int64_t const* stride, std::int64_t const* extent, int rank, std::int64_t folded, std::int64_t* out) {
    folded_last const axes(stride, extent, rank, folded);
    int const inner = rank - axes.kept;
    for_each_strided(x, axes.stride, axes.extent, axes.kept, [&](T const* row) {
        std::int64_t const* s = axes.stride + axes.kept;
        std::int64_t const* n = axes.extent + axes.kept;
        if (inner == 1) {
            *out++ = argmax(row, *s, *n);
            return;
        }
        std::int64_t position = 0, best = 0;
        T const* largest = row;
        for_each_strided(row, s, n, inner, [&](T const* candidate) {
            bool is_nan = *largest != *largest;
            if (!is_nan && (*candidate > *largest || *candidate != *candidate)) {
                largest = candidate;
                best = position;
            }
            ++position;
        });
        *out++ = best;
    });
}

}  // namespace gradus::inline GRADUS_ARCH::kernel
