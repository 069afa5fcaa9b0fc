// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/program/addresses.hpp>
#include <gradus/program/aligned.hpp>
#include <gradus/program/array.hpp>
#include <gradus/program/bind.hpp>
#include <gradus/program/compile.hpp>
#include <gradus/program/describe.hpp>
#include <gradus/program/executable.hpp>
#include <gradus/program/execute_loop.hpp>
#include <gradus/program/extents.hpp>
#include <gradus/program/inspect.hpp>
#include <gradus/program/operand.hpp>
#include <gradus/program/operations.hpp>
#include <gradus/program/overlap.hpp>
#include <gradus/program/plan.hpp>
#include <gradus/program/random.hpp>
#include <gradus/program/report.hpp>
#include <gradus/program/run.hpp>
#include <gradus/program/run_linear_algebra.hpp>
#include <gradus/program/run_loop.hpp>
#include <gradus/program/run_node.hpp>
#include <gradus/program/run_parallel.hpp>
#include <gradus/program/run_sort.hpp>
#include <gradus/program/run_whole.hpp>
#include <gradus/program/stages.hpp>
