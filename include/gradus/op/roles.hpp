// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/config.hpp>

// What an operation's record can say of itself beside its kind, for passes and kernels that treat some operations of a kind in another
// way. They ask these, never names: an operation that says nothing is treated as its kind says.

namespace gradus::inline GRADUS_ARCH {

/// What a leaf holds (`holds`).
enum class leaf_kind : unsigned char { none, symbol, constant, size, iota };

/// What a marker stands for until differentiation replaces it (`marks`).
enum class marker_kind : unsigned char {
    none,
    gradient,   ///< of a scalar, by reverse mode
    tangent,    ///< along a direction, by forward mode
    instance,   ///< one instance of a value, inside of a function that is mapped
    instances,  ///< the value of such a function for all of them
};

constexpr bool is_derivative(marker_kind m) { return m == marker_kind::gradient || m == marker_kind::tangent; }

/// What an operation on truth values makes of them (`connects`).
enum class connective_kind : unsigned char {
    none,
    both,
    either,
    negation,
    selection,  ///< the second operand where the first holds, else the third
    reached     ///< whether a derivative has come from what was selected
};

/// How an operation runs its bodies (`runs`): one body again and again, one of two, or one.
enum class control_kind : unsigned char { none, loop, choice, function };

/// Which kernel of the library runs an operation that is no formula of elements (`runs_by`).
enum class own_kernel : unsigned char {
    none,
    loop,  ///< the loops that read views in place and fold what they make
    product,
    argmax,
    pad,
    concatenate,
    take_rows,
    add_rows,
    sorting_order,
    cholesky,  ///< from here on: for every matrix of a batch
    cholesky_slope,
    triangular_solve,
    lu_factor,
    lu_solve,
    lu_determinant,
    lu_cofactors,
    full_factor,
    cofactor_slope
};
/// Argmax and the movements, which kernels on operands of any strides run (exec/operand.hpp).
constexpr bool moves(own_kernel k) { return k >= own_kernel::argmax && k <= own_kernel::add_rows; }
constexpr bool is_on_matrices(own_kernel k) { return k >= own_kernel::cholesky; }

}  // namespace gradus::inline GRADUS_ARCH
