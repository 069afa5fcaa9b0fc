// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/program/array.hpp>
#include <gradus/transform/sparsity_pattern.hpp>

#include <memory>
#include <span>

namespace gradus::inline GRADUS_ARCH {

/// Where the elements of a sparse matrix of derivatives are: compressed rows, and for each element its place among those that directions
/// have given. In constants, or in memory that is shared.
struct sparse_structure {
    int rows = 0, cols = 0;
    int const *outer = nullptr, *inner = nullptr, *source = nullptr;
    std::shared_ptr<void const> owner{};

    int nonzeros() const { return outer[rows]; }
};

/// A sparse matrix in compressed rows, Eigen's SparseMatrix<T, RowMajor> in memory: the columns of row i are inner()[outer()[i]] to
/// inner()[outer()[i + 1]], in increasing order, with values() beside them. `Nonzeros` is -1 where run time tells how many.
template <class T, int Nonzeros = -1>
class sparse_matrix {
public:
    using value_type = T;

    explicit sparse_matrix(sparse_structure s) : structure_(std::move(s)), values_(sized()) {}

    std::int64_t rows() const { return structure_.rows; }
    std::int64_t cols() const { return structure_.cols; }
    std::int64_t nonzeros() const { return structure_.nonzeros(); }
    std::span<int const> outer() const { return {structure_.outer, static_cast<std::size_t>(structure_.rows + 1)}; }
    std::span<int const> inner() const { return {structure_.inner, static_cast<std::size_t>(nonzeros())}; }
    std::span<T const> values() const { return {values_.data(), static_cast<std::size_t>(nonzeros())}; }
    std::span<T> values() { return {values_.data(), static_cast<std::size_t>(nonzeros())}; }
    sparse_structure const& structure() const { return structure_; }

    /// Element (row, col), 0 where the pattern has none. Throws shape_error where there is no such row or column.
    T operator()(std::int64_t row, std::int64_t col) const {
        if (row < 0 || row >= rows() || col < 0 || col >= cols())
            throw shape_error(
                core::concat("gradus::sparse_matrix(row, col): (", row, ", ", col, ") is not in ", rows(), " rows of ", cols()).str());
        for (int k = structure_.outer[row]; k < structure_.outer[row + 1]; ++k)
            if (structure_.inner[k] == col) return values_.data()[k];
        return T(0);
    }
    array<T, dyn, dyn> to_dense() const {
        array<T, dyn, dyn> dense(rows(), cols());
        for (int i = 0; i < structure_.rows; ++i)
            for (int k = structure_.outer[i]; k < structure_.outer[i + 1]; ++k) dense(i, structure_.inner[k]) = values_.data()[k];
        return dense;
    }
    /// The values from what directions have given, one direction after the other.
    void assign(T const* directions) {
        T* const to = values_.data();
        for (int k = 0, n = structure_.nonzeros(); k < n; ++k) to[k] = directions[structure_.source[k]];
    }

private:
    using values_type = array<T, (Nonzeros < 0 ? dyn : extent(Nonzeros))>;
    values_type sized() const {
        if constexpr (Nonzeros < 0) return values_type(nonzeros());
        else return values_type();
    }
    sparse_structure structure_;
    values_type values_;
};

}  // namespace gradus::inline GRADUS_ARCH
