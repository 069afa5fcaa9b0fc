// SPDX-License-Identifier: BSL-1.0
#pragma once

// g++ takes names here for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

#include <gradus/expr/body.hpp>
#include <gradus/expr/cond.hpp>
#include <gradus/expr/constants.hpp>
#include <gradus/expr/control.hpp>
#include <gradus/expr/convolution.hpp>
#include <gradus/expr/custom.hpp>
#include <gradus/expr/derivatives.hpp>
#include <gradus/expr/expression.hpp>
#include <gradus/expr/functions.hpp>
#include <gradus/expr/implicit.hpp>
#include <gradus/expr/linear_algebra.hpp>
#include <gradus/expr/pooling.hpp>
#include <gradus/expr/rearrange.hpp>
#include <gradus/expr/recurrent.hpp>
#include <gradus/expr/reductions.hpp>
#include <gradus/expr/scan.hpp>
#include <gradus/expr/sort.hpp>
#include <gradus/expr/structure.hpp>
#include <gradus/expr/transforms.hpp>
#include <gradus/expr/var.hpp>
#include <gradus/expr/vmap.hpp>
#include <gradus/expr/while_loop.hpp>

#pragma GCC diagnostic pop
