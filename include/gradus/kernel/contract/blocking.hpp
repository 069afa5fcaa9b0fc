// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/target.hpp>
#include <gradus/kernel/contract/tile.hpp>

namespace gradus::inline GRADUS_ARCH::kernel {
namespace detail {

/// Elements of a strip of A that is k columns deep, with room for a last store that is too wide.
template <class T>
constexpr std::int64_t strip_size(std::int64_t k) {
    return k * tile<T>::rows + simd::native_width<T>;
}

/// How a product is cut: rows of A that stay in the second cache, rows of B whose panels stay in the first, columns of B whose
/// panels stay in the third; what is packed, and the elements of scratch memory it takes (K. Goto, R. van de Geijn, Anatomy of
/// high-performance matrix multiplication, 2008). Depends on the extents and layouts alone.
template <class T>
struct blocking {
    std::int64_t height, depth, width, strips = 0, panels = 0;
    bool pack_b;

    constexpr blocking(matrix_layout la, matrix_layout lb, contract_extents e) {
        using t = tile<T>;
        constexpr auto size = std::int64_t{sizeof(T)};
        height = share(e.m, target::product_rows, t::rows);
        depth = share(e.k, t::depth, 4);
        width = share(e.n, target::product_row_bytes / size, t::columns);
        // Packing A pays when many panels read it and its elements come from lines of their own, or from lines that the cache
        // keeps in the same few places.
        bool const far = la.row_stride == 1 || (la.column_stride == 1 && la.row_stride * size % target::page == 0);
        if (far && e.k > target::packed_depth && e.n > 4 * t::columns) strips = height / t::rows * strip_size<T>(depth);
        // A panel of B is read m / rows times: packing pays when it is read often and its rows are apart, so that they share
        // few places of the cache. It is packed once where it has to be transposed, or is more than the second cache keeps.
        pack_b = lb.column_stride != 1 || (e.m >= 4 * t::rows && lb.row_stride * size >= target::packed_row_bytes);
        if (pack_b && e.m > height && (lb.column_stride != 1 || e.k * e.n * size > target::half_of_second_cache))
            panels = (depth + t::width) * width;
    }

private:
    /// Equal parts, multiples of `unit`, of at most `most`.
    static constexpr std::int64_t share(std::int64_t total, std::int64_t most, std::int64_t unit) {
        std::int64_t const parts = (total + most - 1) / most;
        return ((total + parts - 1) / parts + unit - 1) / unit * unit;
    }
};

}  // namespace detail

/// Elements of scratch memory that `contract` wants.
template <class T>
constexpr std::int64_t contract_scratch(matrix_layout la, matrix_layout lb, contract_extents e) {
    if (e.m <= 1 || e.n <= 1 || e.k == 0) return 0;
    detail::blocking<T> const part(la, lb, e);
    return part.strips + part.panels;
}

}  // namespace gradus::inline GRADUS_ARCH::kernel
