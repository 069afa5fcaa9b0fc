// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/kernel/linear_algebra/batch.hpp>
#include <gradus/kernel/linear_algebra/cholesky.hpp>
#include <gradus/kernel/linear_algebra/cholesky_slope.hpp>
#include <gradus/kernel/linear_algebra/lu.hpp>
#include <gradus/kernel/linear_algebra/substitute.hpp>

// Factorizations and substitutions. Results are row-major, n rows of `columns` elements; operands have strides. Large matrices are worked
// on by blocks, most of the work being products, small ones of a batch in lanes. Where a matrix is singular or not positive definite,
// infinities and NaN come out: nothing branches on them, and pivots are checked before they are used as places.
