// SPDX-License-Identifier: BSL-1.0
#pragma once

// g++ takes names here for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

#include <gradus/kernel/block.hpp>
#include <gradus/kernel/block_chain.hpp>
#include <gradus/kernel/block_fold.hpp>
#include <gradus/kernel/block_table.hpp>
#include <gradus/kernel/compiler_vector.hpp>
#include <gradus/kernel/contract.hpp>
#include <gradus/kernel/contract/blocking.hpp>
#include <gradus/kernel/contract/pack.hpp>
#include <gradus/kernel/contract/panels.hpp>
#include <gradus/kernel/contract/tile.hpp>
#include <gradus/kernel/contract/vector.hpp>
#include <gradus/kernel/evaluated_loop.hpp>
#include <gradus/kernel/half.hpp>
#include <gradus/kernel/linear_algebra.hpp>
#include <gradus/kernel/linear_algebra/batch.hpp>
#include <gradus/kernel/linear_algebra/cholesky.hpp>
#include <gradus/kernel/linear_algebra/cholesky_slope.hpp>
#include <gradus/kernel/linear_algebra/lu.hpp>
#include <gradus/kernel/linear_algebra/matrix.hpp>
#include <gradus/kernel/linear_algebra/substitute.hpp>
#include <gradus/kernel/loop.hpp>
#include <gradus/kernel/loop_description.hpp>
#include <gradus/kernel/loop_evaluation.hpp>
#include <gradus/kernel/loop_facts.hpp>
#include <gradus/kernel/loop_folds.hpp>
#include <gradus/kernel/loop_guard.hpp>
#include <gradus/kernel/loop_instruction.hpp>
#include <gradus/kernel/loop_leaf.hpp>
#include <gradus/kernel/loop_load.hpp>
#include <gradus/kernel/loop_view.hpp>
#include <gradus/kernel/math/arch.hpp>
#include <gradus/kernel/math/error_function.hpp>
#include <gradus/kernel/math/exponential.hpp>
#include <gradus/kernel/math/hyperbolic.hpp>
#include <gradus/kernel/math/lanes.hpp>
#include <gradus/kernel/math/logarithm.hpp>
#include <gradus/kernel/math/power.hpp>
#include <gradus/kernel/math/select.hpp>
#include <gradus/kernel/math/trigonometric.hpp>
#include <gradus/kernel/move.hpp>
#include <gradus/kernel/reduce.hpp>
#include <gradus/kernel/registers.hpp>
#include <gradus/kernel/scalar_block.hpp>
#include <gradus/kernel/simd.hpp>
#include <gradus/kernel/sort.hpp>
#include <gradus/kernel/truth.hpp>
#include <gradus/kernel/window/band.hpp>
#include <gradus/kernel/window/product.hpp>
#include <gradus/kernel/window/weights.hpp>
#include <gradus/kernel/window_contract.hpp>
#include <gradus/kernel/xsimd.hpp>

#pragma GCC diagnostic pop
