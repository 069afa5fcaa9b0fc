// SPDX-License-Identifier: BSL-1.0
#pragma once

// g++ takes names here for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

#include <gradus/program/array.hpp>
#include <gradus/program/bind.hpp>
#include <gradus/program/compile.hpp>
#include <gradus/program/inspect.hpp>
#include <gradus/program/overlap.hpp>
#include <gradus/program/random.hpp>
#include <gradus/program/report.hpp>
#include <gradus/program/results.hpp>
#include <gradus/program/sparse_jacobian.hpp>
#include <gradus/program/sparse_matrix.hpp>
#include <gradus/program/sparsity.hpp>

#pragma GCC diagnostic pop
