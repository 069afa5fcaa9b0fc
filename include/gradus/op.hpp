// SPDX-License-Identifier: BSL-1.0
#pragma once

// g++ takes names here for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

#include <gradus/op/activation.hpp>
#include <gradus/op/arithmetic.hpp>
#include <gradus/op/band.hpp>
#include <gradus/op/batching.hpp>
#include <gradus/op/comparison.hpp>
#include <gradus/op/composite.hpp>
#include <gradus/op/contraction.hpp>
#include <gradus/op/control_flow.hpp>
#include <gradus/op/convolution.hpp>
#include <gradus/op/cross_entropy.hpp>
#include <gradus/op/cumulative.hpp>
#include <gradus/op/determinant.hpp>
#include <gradus/op/dropout.hpp>
#include <gradus/op/einsum.hpp>
#include <gradus/op/elementwise.hpp>
#include <gradus/op/exponential.hpp>
#include <gradus/op/facets.hpp>
#include <gradus/op/formula.hpp>
#include <gradus/op/gather.hpp>
#include <gradus/op/hyperbolic.hpp>
#include <gradus/op/leaf.hpp>
#include <gradus/op/linear_algebra.hpp>
#include <gradus/op/list.hpp>
#include <gradus/op/logarithm.hpp>
#include <gradus/op/logical.hpp>
#include <gradus/op/loss.hpp>
#include <gradus/op/lu.hpp>
#include <gradus/op/marker.hpp>
#include <gradus/op/normal.hpp>
#include <gradus/op/normalization.hpp>
#include <gradus/op/pooling.hpp>
#include <gradus/op/recurrent.hpp>
#include <gradus/op/reduction.hpp>
#include <gradus/op/roles.hpp>
#include <gradus/op/rounding.hpp>
#include <gradus/op/shape.hpp>
#include <gradus/op/simplify.hpp>
#include <gradus/op/softmax_form.hpp>
#include <gradus/op/sort.hpp>
#include <gradus/op/special.hpp>
#include <gradus/op/statistics.hpp>
#include <gradus/op/triangular.hpp>
#include <gradus/op/trigonometric.hpp>
#include <gradus/op/window.hpp>

#pragma GCC diagnostic pop
