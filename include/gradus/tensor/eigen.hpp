// SPDX-License-Identifier: BSL-1.0
#pragma once

// g++ takes names here for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

#include <gradus/tensor/state/factories.hpp>

#include <Eigen/Core>

// Tensors and matrices of Eigen, for programs that use both. (Not part of gradus.hpp: Eigen is no dependency.)

namespace gradus::inline GRADUS_ARCH {

namespace core {
constexpr int eigen_extent(extent e) { return e.is_static() ? static_cast<int>(e.code) : Eigen::Dynamic; }
constexpr extent extent_of_eigen(int size) { return size == Eigen::Dynamic ? dyn : extent(size); }
}  // namespace core

/// The elements of a matrix as Eigen's, in the tensor's memory, which has to live as long. Whoever writes through it tells the
/// tape: increment_version(t). Throws error for a view with gaps.
template <element T, extent Rows, extent Columns>
auto as_eigen(tensor<T, Rows, Columns> const& t) {
    constexpr int rows = core::eigen_extent(Rows), columns = core::eigen_extent(Columns);
    // Eigen wants columns to be stored by columns; in memory it is the same
    using matrix = Eigen::Matrix<T, rows, columns, columns == 1 && rows != 1 ? Eigen::ColMajor : Eigen::RowMajor>;
    return Eigen::Map<matrix>(t.begin(), static_cast<Eigen::Index>(t.size(0)), static_cast<Eigen::Index>(t.size(1)));
}
/// The same for a vector, which is a column.
template <element T, extent N>
auto as_eigen(tensor<T, N> const& t) {
    return Eigen::Map<Eigen::Matrix<T, core::eigen_extent(N), 1>>(t.begin(), static_cast<Eigen::Index>(t.size(0)));
}

/// A copy of a matrix or an expression of Eigen; its type tells which extents are known only at run time. What is a vector by
/// its type has one axis.
template <class Derived>
auto from_eigen(Eigen::DenseBase<Derived> const& m) {
    using T = typename Derived::Scalar;
    static_assert(element<T>, "gradus::from_eigen(m): the elements are none of bool, int32, int64, float, double, bfloat16, float16");
    constexpr extent rows = core::extent_of_eigen(Derived::RowsAtCompileTime), columns = core::extent_of_eigen(Derived::ColsAtCompileTime);
    if constexpr (Derived::IsVectorAtCompileTime) {
        tensor<T, core::extent_of_eigen(Derived::SizeAtCompileTime)> made(shape{static_cast<std::int64_t>(m.size())}, nullptr);
        if constexpr (columns == extent(1)) as_eigen(made) = m.derived();
        else as_eigen(made) = m.derived().transpose();
        return made;
    } else {
        tensor<T, rows, columns> made(shape{static_cast<std::int64_t>(m.rows()), static_cast<std::int64_t>(m.cols())}, nullptr);
        as_eigen(made) = m.derived();
        return made;
    }
}

}  // namespace gradus::inline GRADUS_ARCH

#pragma GCC diagnostic pop
