// SPDX-License-Identifier: BSL-1.0
#pragma once

// g++ takes names here for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

#include <gradus/exec/addresses.hpp>
#include <gradus/exec/control_bodies.hpp>
#include <gradus/exec/demand.hpp>
#include <gradus/exec/describe.hpp>
#include <gradus/exec/executable.hpp>
#include <gradus/exec/execute_loop.hpp>
#include <gradus/exec/extents.hpp>
#include <gradus/exec/operand.hpp>
#include <gradus/exec/operations.hpp>
#include <gradus/exec/plan.hpp>
#include <gradus/exec/run.hpp>
#include <gradus/exec/run_control.hpp>
#include <gradus/exec/run_interpreted.hpp>
#include <gradus/exec/run_linear_algebra.hpp>
#include <gradus/exec/run_loop.hpp>
#include <gradus/exec/run_node.hpp>
#include <gradus/exec/run_parallel.hpp>
#include <gradus/exec/run_sort.hpp>
#include <gradus/exec/run_whole.hpp>
#include <gradus/exec/short_name.hpp>
#include <gradus/exec/stages.hpp>

#pragma GCC diagnostic pop
