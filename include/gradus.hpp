// SPDX-License-Identifier: BSL-1.0
#pragma once

// g++ takes the names of variables in an instantiated lambda or template for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

#include <gradus/core/config.hpp>
#include <gradus/version.hpp>

// clang-format off: in the order of the pipeline
#ifndef GRADUS_REFUSED // a compiler that cannot compile the library need not try
#include <gradus/core.hpp>
#include <gradus/op.hpp>
#include <gradus/expr.hpp>
#include <gradus/graph.hpp>
#include <gradus/transform.hpp>
#include <gradus/lower.hpp>
#include <gradus/schedule.hpp>
#include <gradus/kernel.hpp>
#include <gradus/exec.hpp>
#include <gradus/program.hpp>
#include <gradus/tensor.hpp>
#include <gradus/nn.hpp>
#include <gradus/optim.hpp>
#endif

#pragma GCC diagnostic pop
