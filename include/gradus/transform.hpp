// SPDX-License-Identifier: BSL-1.0
#pragma once

// g++ takes names here for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

#include <gradus/transform/access.hpp>
#include <gradus/transform/assembly.hpp>
#include <gradus/transform/backward.hpp>
#include <gradus/transform/coloring.hpp>
#include <gradus/transform/constant_elements.hpp>
#include <gradus/transform/control_batch.hpp>
#include <gradus/transform/control_derivatives.hpp>
#include <gradus/transform/custom_derivatives.hpp>
#include <gradus/transform/dead_code.hpp>
#include <gradus/transform/decisions.hpp>
#include <gradus/transform/dependence.hpp>
#include <gradus/transform/dependence_piece.hpp>
#include <gradus/transform/dependence_reshape.hpp>
#include <gradus/transform/differentiate.hpp>
#include <gradus/transform/expand.hpp>
#include <gradus/transform/expansion.hpp>
#include <gradus/transform/exponentials.hpp>
#include <gradus/transform/materialize.hpp>
#include <gradus/transform/pipeline.hpp>
#include <gradus/transform/rebuild.hpp>
#include <gradus/transform/reciprocals.hpp>
#include <gradus/transform/rule/elementwise.hpp>
#include <gradus/transform/simplify.hpp>
#include <gradus/transform/small_arrays.hpp>
#include <gradus/transform/sparsity_pattern.hpp>
#include <gradus/transform/vectorize.hpp>
#include <gradus/transform/widen.hpp>

#pragma GCC diagnostic pop
