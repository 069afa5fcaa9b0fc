// SPDX-License-Identifier: BSL-1.0
#pragma once

// g++ takes names here for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

#include <gradus/program/sparse_matrix.hpp>

#include <Eigen/SparseCore>

// Sparse matrices of derivatives as Eigen's. (Not part of gradus.hpp: Eigen is no dependency.)

namespace gradus::inline GRADUS_ARCH {

/// The matrix as Eigen's, in its own memory, which has to live as long: what Eigen's sparse solvers take, without a copy.
template <class T, int Nonzeros>
auto as_eigen(sparse_matrix<T, Nonzeros> const& m) {
    using matrix = Eigen::SparseMatrix<T, Eigen::RowMajor, int>;
    return Eigen::Map<matrix const>(m.rows(), m.cols(), m.nonzeros(), m.outer().data(), m.inner().data(), m.values().data());
}

}  // namespace gradus::inline GRADUS_ARCH

#pragma GCC diagnostic pop
